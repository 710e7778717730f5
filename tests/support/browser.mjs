// A headless Chromium for tests of pages, over the DevTools protocol by its pipe (NUL-ended JSON on
// descriptors 3 and 4): it needs nothing from npm. The profile is a folder of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
    "--remote-debugging-pipe",
];

export class Browser {
    static start(program) {
        const browser = new Browser();
        browser.folder = mkdtempSync(join(tmpdir(), "orrery-browser-"));
        browser.process = spawn(program, [...FLAGS, "--user-data-dir=" + browser.folder, "about:blank"],
            { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
        browser.waiting = new Map();
        browser.listeners = [];
        browser.last = 0;
        let rest = "";
        browser.process.stdio[4].on("data", data => {
            const messages = (rest + data).split("\0");
            rest = messages.pop();
            messages.forEach(text => browser.receive(JSON.parse(text)));
        });
        browser.process.on("exit", () => {
            browser.waiting.forEach(({ reject }) => reject(new Error("the browser ended")));
            browser.waiting.clear();
        });
        return browser;
    }

    receive(message) {
        if (!message.id) {
            this.listeners.forEach(listener => listener(message));
            return;
        }
        const { resolve, reject } = this.waiting.get(message.id);
        this.waiting.delete(message.id);
        message.error ? reject(new Error(message.error.message)) : resolve(message.result);
    }

    send(method, params = {}, sessionId = undefined) {
        const id = ++this.last;
        this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
        return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    }

    async stop() {
        const gone = new Promise(resolve => this.process.once("exit", resolve));
        this.send("Browser.close").catch(() => {});
        await gone;
        rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }

    // A tab with a profile of its own: what goes wrong in it gathers in problems, what it fetches in requests.
    async open(url, { width, height }) {
        const { browserContextId } = await this.send("Target.createBrowserContext", { disposeOnDetach: true });
        const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId });
        const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
        const tab = new Tab(this, sessionId);
        for (const domain of ["Page", "Runtime", "Log", "Network"])
            await tab.send(domain + ".enable");
        await tab.resize(width, height);
        await tab.prefer("light");
        const loaded = tab.once("Page.loadEventFired");
        await tab.send("Page.navigate", { url });
        await loaded;
        return tab;
    }
}

class Tab {
    constructor(browser, session) {
        Object.assign(this, { browser, session, problems: [], requests: [] });
        browser.listeners.push(message => message.sessionId === session && this.hear(message));
    }

    hear({ method, params }) {
        if (method === "Runtime.exceptionThrown")
            this.problems.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
        else if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type))
            this.problems.push(params.args.map(a => a.value ?? a.description).join(" "));
        else if (method === "Log.entryAdded" && params.entry.level === "error")
            this.problems.push(params.entry.text);
        else if (method === "Network.requestWillBeSent")
            this.requests.push(params.request.url);
    }

    send(method, params) {
        return this.browser.send(method, params, this.session);
    }

    once(method) {
        return new Promise(resolve => {
            const listener = message => {
                if (message.sessionId !== this.session || message.method !== method)
                    return;
                this.browser.listeners = this.browser.listeners.filter(l => l !== listener);
                resolve(message.params);
            };
            this.browser.listeners.push(listener);
        });
    }

    // Returns when the page has seen it.
    async resize(width, height) {
        await this.send("Emulation.setDeviceMetricsOverride",
            { width, height, deviceScaleFactor: 1, mobile: width < 600 });
        await this.evaluate("new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(seen)))");
    }

    prefer(theme) {
        return this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: theme }] });
    }

    // The value of an expression in the page; a promise is awaited.
    async evaluate(expression) {
        const { result, exceptionDetails } = await this.send("Runtime.evaluate",
            { expression, returnByValue: true, awaitPromise: true });
        if (exceptionDetails)
            throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
        return result.value;
    }

    async until(expression, seconds) {
        for (const end = Date.now() + 1000 * seconds; Date.now() < end;) {
            if (await this.evaluate(expression))
                return true;
            await new Promise(resolve => setTimeout(resolve, 50));
        }
        return false;
    }

    async picture(clip) {
        const { data } = await this.send("Page.captureScreenshot",
            { format: "png", captureBeyondViewport: true, clip: clip && { ...clip, scale: 1 } });
        return Buffer.from(data, "base64");
    }

    async print() {
        const { data } = await this.send("Page.printToPDF", { printBackground: true, paperWidth: 8.27, paperHeight: 11.69 });
        return Buffer.from(data, "base64");
    }
}
