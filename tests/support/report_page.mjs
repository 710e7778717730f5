// Opens an HTML report in a browser and says what is wrong with it, a line each; exit 1 when anything is.
//
//   node report_page.mjs CHROMIUM REPORT.html [--charts ID,ID...] [--shots FOLDER]
//
// Looked at: size; errors and warnings of the console, exceptions, requests; that every figure with a
// chart (and each of --charts) is drawn and not blank; that a table has as many rows as its data and
// shows a cell as the charts do; contrast of text in both themes (WCAG 2.1 AA); that nothing is wider
// than a phone of 360 px; the switch of the theme, legends, paper. --shots keeps pictures.

import { Browser } from "./browser.mjs";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const MOST_BYTES = 3e6;
const [program, file, ...rest] = process.argv.slice(2);
const option = name => rest.includes(name) ? rest[rest.indexOf(name) + 1] : "";
const shots = option("--shots"), wanted = option("--charts").split(",").filter(id => id);
const findings = [];
const find = text => findings.push(text);

// Runs in the page: the figures that should have a chart, and what stands where it should be.
const CHARTS = `[...document.querySelectorAll("figure")].map(figure => {
    const script = figure.querySelector("script"), chart = figure.querySelector(".chart");
    const kind = script ? JSON.parse(script.textContent).chart : "none";
    const svg = chart?.querySelector("svg"), canvas = chart?.querySelector("canvas");
    let marks = 0;
    if (svg)
        marks = new Set([...svg.querySelectorAll("path, rect, circle, polyline")]
            .map(m => m.getAttribute("fill") + m.getAttribute("stroke"))).size;
    if (canvas && canvas.width > 0) {
        const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
        marks = new Set(pixels).size;
    }
    const box = chart?.getBoundingClientRect();
    return { id: figure.id, kind, marks, height: box?.height ?? 0, width: box?.width ?? 0 };
})`;

// Runs in the page with every table open: rows and cells that differ from the data.
const TABLES = `[...document.querySelectorAll("details.data")].flatMap(details => {
    details.open = true;
    fillTable(details, Infinity);
    const figure = figureOf(details), id = details.closest("figure").id;
    const rows = [...details.querySelector("table").tBodies[0].rows], wrong = [];
    if (rows.length !== figure.rows || figure.rows !== Number(details.querySelector("table").dataset.rows))
        wrong.push(id + ": " + rows.length + " rows for " + figure.rows + " of data");
    rows.forEach((row, r) => figure.columns.forEach((column, c) => {
        const want = show(column, figure.cell(c, r));
        if (row.cells[c].textContent !== want)
            wrong.push(id + ": row " + r + " shows " + row.cells[c].textContent + " for " + want);
    }));
    return wrong.slice(0, 5);
})`;

// Runs in the page: texts whose contrast with what is behind them is below AA.
const CONTRAST = `(() => {
    const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
    const linear = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const light = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
    const ground = element => {
        for (let e = element; e; e = e.parentElement) {
            const colour = parse(getComputedStyle(e).backgroundColor);
            if (colour.length === 3 || colour[3] > 0)
                return colour;
        }
        return [255, 255, 255];
    };
    const bad = new Set();
    const check = (element, colour, what) => {
        const a = light(colour), b = light(ground(element));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5)
            bad.add(what + " has a contrast of " + ratio.toFixed(2));
    };
    document.querySelectorAll("body *").forEach(e => {
        const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!own || e.tagName === "SCRIPT" || !e.getClientRects().length)
            return;
        if (e.closest("svg"))
            check(e.closest(".chart"), parse(getComputedStyle(e).fill), "a text of chart " + e.closest("figure").id);
        else
            check(e, parse(getComputedStyle(e).color), e.tagName + " " + e.className);
    });
    return [...bad];
})()`;

const DRAWN = `[...document.querySelectorAll(".chart")].every(chart => chart.dataset.drawn)`;

async function look(browser, name, size, dark) {
    const tab = await browser.open(pathToFileURL(resolve(file)).href, { ...size, dark });
    if (!await tab.until(DRAWN, 20))
        find(name + ": charts are not drawn after 20 s");
    for (const { id, kind, marks, height, width } of await tab.evaluate(CHARTS)) {
        if (["none", "table"].includes(kind) ? wanted.includes(id) : marks < 3 || height < 60 || width < 200)
            find(name + ": the chart of " + id + " is not drawn (" + marks + " marks, " + width + " x " + height + ")");
    }
    const overflow = await tab.evaluate("document.documentElement.scrollWidth - innerWidth");
    if (overflow > 0)
        find(name + ": the page is " + overflow + " px wider than " + size.width);
    (await tab.evaluate(CONTRAST)).forEach(text => find(name + ": " + text));
    if (shots) {
        const height = await tab.evaluate("document.documentElement.scrollHeight");
        writeFileSync(join(shots, name + ".png"), await tab.picture({ x: 0, y: 0, width: size.width, height }));
    }
    return tab;
}

function close(name, tab) {
    tab.problems.forEach(text => find(name + ": " + text));
    tab.requests.filter(url => !url.startsWith("file:") && !url.startsWith("data:"))
        .forEach(url => find(name + ": asks for " + url));
    if (tab.requests.length !== 1)
        find(name + ": " + tab.requests.length + " requests where one is due");
}

async function lookAtTheme(tab, before) {
    await tab.evaluate(`document.getElementById("theme").click()`);
    if (await tab.evaluate("document.documentElement.dataset.theme") === before)
        find("the button does not change the theme");
}

async function lookAtLegends(tab) {
    const wrong = await tab.evaluate(`[...document.querySelectorAll("figure")].filter(figure => {
        const buttons = () => [...figure.querySelectorAll(".legend button")];
        return buttons().some((button, i) => {
            buttons()[i].click();
            const off = buttons()[i].getAttribute("aria-pressed") === "false";
            buttons()[i].click();
            return !off || buttons()[i].getAttribute("aria-pressed") !== "true";
        });
    }).map(figure => figure.id)`);
    wrong.forEach(id => find("a legend of " + id + " does not switch"));
}

async function lookAtPaper(tab) {
    const state = `JSON.stringify([document.querySelectorAll("details:not([open])").length,
        document.documentElement.dataset.theme])`;
    const before = await tab.evaluate(state);
    await tab.evaluate("toPaper()");
    if (await tab.evaluate(state) !== `[0,"light"]`)
        find("on paper not all tables are open, or the theme is dark");
    await tab.evaluate("fromPaper()");
    if (await tab.evaluate(state) !== before)
        find("after printing the page is not as it was");
    const pdf = await tab.print();
    if (pdf.length < 20000)
        find("the print has " + pdf.length + " bytes");
    if (shots)
        writeFileSync(join(shots, "print.pdf"), pdf);
}

async function main() {
    const bytes = statSync(file).size, browser = Browser.start(program);
    if (shots)
        mkdirSync(shots, { recursive: true });
    if (bytes >= MOST_BYTES)
        find("the report has " + bytes + " bytes");
    const light = await look(browser, "light", { width: 1280, height: 900 }, false);
    const paint = await light.evaluate(`performance.getEntriesByName("first-contentful-paint")[0]?.startTime`);
    const present = (await light.evaluate(CHARTS)).map(figure => figure.id);
    wanted.filter(id => !present.includes(id)).forEach(id => find("there is no figure " + id));
    await lookAtTheme(light, "light");
    await lookAtLegends(light);
    close("light", light);
    const dark = await look(browser, "dark", { width: 1280, height: 900 }, true);
    await lookAtPaper(dark);
    (await dark.evaluate(TABLES)).forEach(find);
    close("dark", dark);
    const phone = await look(browser, "phone", { width: 360, height: 740 }, false);
    close("phone", phone);
    await browser.stop();
    findings.forEach(text => console.log(text));
    console.log(file + ": " + (bytes / 1e6).toFixed(2) + " MB, " + present.length + " figures, first paint after " +
        (paint ?? NaN).toFixed(0) + " ms, " + findings.length + " findings");
    process.exitCode = findings.length > 0 ? 1 : 0;
}

await main();
