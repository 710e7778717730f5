// Opens HTML reports in a browser and says what is wrong with them, a line each; exit 1 when anything is.
//
//   [SHOTS=FOLDER] node report_page.mjs CHROMIUM REPORT.html ID,ID... [REPORT.html ID,ID...]...
//
// Looked at: size; errors and warnings of the console, exceptions, requests; that every figure with a
// chart (and each ID) is drawn and not blank; that a table has as many rows as its data and shows a
// cell as the charts do; contrast of text in both themes (WCAG 2.1 AA); that nothing is wider than a
// phone of 360 px; the switch of the theme, legends, paper. SHOTS keeps pictures of them.

import { Browser } from "./browser.mjs";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const MOST_BYTES = 3e6, WIDE = 1280, PHONE = 360;
const [program, ...pages] = process.argv.slice(2);
let findings = 0, file = "", wanted = [], shots = "";

function find(text) {
    console.log(file + ": " + text);
    findings++;
}

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

// What holds in every theme and at every width.
async function look(tab, name, width) {
    for (const { id, kind, marks, height, width } of await tab.evaluate(CHARTS)) {
        if (["none", "table"].includes(kind) ? wanted.includes(id) : marks < 3 || height < 60 || width < 200)
            find(name + ": the chart of " + id + " is not drawn (" + marks + " marks, " + width + " x " + height + ")");
    }
    const overflow = await tab.evaluate("document.documentElement.scrollWidth") - width;
    if (overflow > 0)
        find(name + ": the page is " + overflow + " px too wide");
    (await tab.evaluate(CONTRAST)).forEach(text => find(name + ": " + text));
    for (let y = 0, n = 1; shots && y < await tab.evaluate("document.documentElement.scrollHeight"); y += 1400, n++)
        writeFileSync(join(shots, name + "-" + n + ".png"),
            await tab.picture({ x: 0, y, width, height: 1400 }));
}

function lookAtProblems(tab) {
    tab.problems.forEach(find);
    tab.requests.filter(url => !url.startsWith("file:") && !url.startsWith("data:")).forEach(url => find("asks for " + url));
    if (tab.requests.length !== 1)
        find(tab.requests.length + " requests where one is due");
}

// The theme follows the system until the reader chooses one.
async function lookAtTheme(tab) {
    const theme = () => tab.evaluate("document.documentElement.dataset.theme");
    await tab.evaluate(`document.getElementById("theme").click()`);
    if (await theme() !== "light")
        find("the button does not change the theme");
}

async function lookAtLegends(tab) {
    const wrong = await tab.evaluate(`[...document.querySelectorAll("figure")].filter(figure => {
        const buttons = () => [...figure.querySelectorAll(".legend button")];
        if (buttons().length === 0)
            return false;
        buttons()[0].click();
        const off = buttons()[0].getAttribute("aria-pressed") === "false";
        buttons()[0].click();
        return !off || buttons()[0].getAttribute("aria-pressed") !== "true";
    }).map(figure => figure.id)`);
    wrong.forEach(id => find("a legend of " + id + " does not switch"));
}

// What beforeprint and afterprint do.
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
    if (shots)
        writeFileSync(join(shots, "print.pdf"), await tab.print());
}

async function lookAtPage(browser) {
    const bytes = statSync(file).size;
    if (bytes >= MOST_BYTES)
        find("the report has " + bytes + " bytes");
    const tab = await browser.open(pathToFileURL(resolve(file)).href, { width: WIDE, height: 900 });
    if (!await tab.until(DRAWN, 30))
        find("charts are not drawn after a minute");
    const paint = await tab.evaluate(`performance.getEntriesByName("first-contentful-paint")[0]?.startTime`);
    const present = (await tab.evaluate(CHARTS)).map(figure => figure.id);
    wanted.filter(id => !present.includes(id)).forEach(id => find("there is no figure " + id));
    await look(tab, "light", WIDE);
    await lookAtLegends(tab);
    await tab.prefer("dark");
    if (!await tab.until(`document.documentElement.dataset.theme === "dark"`, 10))
        find("the theme does not follow the system");
    await look(tab, "dark", WIDE);
    await lookAtPaper(tab);
    await lookAtTheme(tab);
    await tab.resize(PHONE, 740);
    await look(tab, "phone", PHONE);
    (await tab.evaluate(TABLES)).forEach(find);
    lookAtProblems(tab);
    console.log(file + ": " + (bytes / 1e6).toFixed(2) + " MB, " + present.length + " figures, first paint after " +
        (paint ?? NaN).toFixed(0) + " ms");
}

const browser = Browser.start(program);
try {
    for (let i = 0; i < pages.length; i += 2) {
        file = pages[i];
        wanted = pages[i + 1].split(",").filter(id => id);
        shots = process.env.SHOTS && join(process.env.SHOTS, basename(file, ".html"));
        if (shots)
            mkdirSync(shots, { recursive: true });
        await lookAtPage(browser);
    }
} finally {
    await browser.stop();
}
process.exitCode = findings > 0 ? 1 : 0;
