// Brings the page to life: theme, charts, long tables, print. Without a charting library (`echarts`)
// only the first and the last two.

const root = document.documentElement;
const drawn = new Map();   // chart element -> {figure, off, chart, renderer}
const STATIC_IN_PRINT = 40;
const IDLE = /\b(bubble|idle)\b/; // words for time in which nothing runs: they are pale

function colourOf(name) {
    return getComputedStyle(root).getPropertyValue("--" + name).trim();
}

function mix(low, high, part) {
    const parse = text => [1, 3, 5].map(i => parseInt(text.slice(i, i + 2), 16));
    const a = parse(low), b = parse(high), p = Math.min(Math.max(part, 0), 1);
    return "rgb(" + a.map((v, i) => Math.round(v + (b[i] - v) * p)).join(",") + ")";
}

// The colour (its number) that a word had where it was met first: it keeps it as far as the other words
// of a chart leave it free, so that one thing has one colour on the whole page.
const firstColours = new Map();

function assignColours(words, count) {
    const own = new Map(), used = new Set();
    for (const word of words) {
        let at = firstColours.get(word);
        for (let next = 0; at === undefined || used.has(at) && used.size < count; next++)
            at = used.has(next % count) && used.size < count ? undefined : next % count;
        if (!firstColours.has(word))
            firstColours.set(word, at);
        own.set(word, at);
        used.add(at);
    }
    return own;
}

function look(words, width) {
    const colours = Array.from({ length: 12 }, (_, i) => colourOf("c" + i));
    const low = colourOf("heat-low"), high = colourOf("heat-high"), idle = colourOf("idle");
    const own = assignColours(words.filter(word => !IDLE.test(word)), colours.length);
    return {
        ink: colourOf("ink"), quiet: colourOf("quiet"), line: colourOf("line"), grid: colourOf("grid"),
        panel: colourOf("panel"), fade: colourOf("link") + "33", colours,
        font: getComputedStyle(document.body).fontFamily,
        narrow: root.clientWidth < 600, width,
        colour: word => own.has(word) ? colours[own.get(word)] : idle,
        widest(texts) {
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = "12px " + getComputedStyle(document.body).fontFamily;
            return Math.ceil(Math.max(20, ...texts.map(text => pen.measureText(text).width))) + 2;
        },
        heat: part => mix(low, high, part),
        load: part => mix(colourOf("load-low"), high, part),
    };
}

function figureOf(element) {
    return new Figure(JSON.parse(element.closest("figure").querySelector("script").textContent));
}

function legendHtml(legend, theme, off) {
    if (!Array.isArray(legend))
        return "<span>" + escapeText(legend.title) + ":</span><span>" + escapeText(legend.low) +
            '</span><i class="scale" style="background:linear-gradient(90deg,' + legend.scale(0) + "," +
            legend.scale(1) + ')"></i><span>' + escapeText(legend.high) + "</span>";
    return legend.map(word => '<button type="button" aria-pressed="' + !off.has(word) + '"><i style="background:' +
        theme.colour(word) + '"></i>' + escapeText(word) + "</button>").join("");
}

function drawLegend(element, legend, theme) {
    const state = drawn.get(element);
    let box = element.nextElementSibling;
    if (!box || !box.classList.contains("legend")) {
        box = document.createElement("div");
        box.className = "legend";
        element.after(box);
        box.addEventListener("click", event => {
            const button = event.target.closest("button");
            if (!button)
                return;
            const word = button.textContent;
            state.off.has(word) ? state.off.delete(word) : state.off.add(word);
            draw(element);
            [...box.querySelectorAll("button")].find(b => b.textContent === word).focus();
        });
    }
    box.innerHTML = legendHtml(legend, theme, state.off);
}

function draw(element) {
    if (!drawn.has(element))
        drawn.set(element, { figure: figureOf(element), off: new Set(), chart: null });
    const state = drawn.get(element), theme = look(seriesWords(state.figure), element.clientWidth);
    const made = CHARTS[state.figure.chart](state.figure, theme, state.off);
    element.style.height = made.height + "px";
    if (!state.chart)
        state.chart = echarts.init(element, null, { renderer: made.canvas ? "canvas" : "svg" });
    else
        state.chart.resize();
    state.chart.setOption(made.option, { notMerge: true });
    drawLegend(element, made.legend, theme);
    element.dataset.drawn = "yes";
}

function drawAll() {
    if (typeof echarts !== "undefined")
        document.querySelectorAll(".chart").forEach(draw);
}

// One chart at a time, so that the page answers while they are made.
function drawInTurn() {
    const left = [...document.querySelectorAll(".chart")];
    const step = () => {
        const element = left.shift();
        if (!element)
            return;
        draw(element);
        setTimeout(step, 0);
    };
    if (typeof echarts !== "undefined")
        requestAnimationFrame(() => setTimeout(step, 0));
}

function fillTable(details, most) {
    const table = details.querySelector("table"), body = table.tBodies[0];
    if (table.dataset.rows > 0 && (body.rows.length === 0 || details.dataset.cut)) {
        body.innerHTML = figureOf(details).bodyHtml(most);
        details.dataset.cut = most < Number(table.dataset.rows) ? "yes" : "";
    }
}

function setTheme(name) {
    root.dataset.theme = name;
    const button = document.getElementById("theme");
    button.textContent = name === "dark" ? "Light theme" : "Dark theme";
}

function remember(name) {
    try {
        localStorage.setItem("orrery-theme", name);
    } catch (error) {
        return; // a page of a file may not keep anything
    }
}

function remembered() {
    try {
        return localStorage.getItem("orrery-theme");
    } catch (error) {
        return null;
    }
}

// On paper: the light theme, tables open, charts as wide as the sheet.
const beforePrint = { theme: "", closed: [] };

function toPaper() {
    root.classList.add("paper");
    beforePrint.theme = root.dataset.theme;
    beforePrint.closed = [...document.querySelectorAll("details:not([open])")];
    beforePrint.closed.forEach(details => {
        if (details.classList.contains("data"))
            fillTable(details, STATIC_IN_PRINT);
        details.open = true;
    });
    setTheme("light");
    drawAll();
    drawn.forEach(state => state.chart.getZr().flush());
}

function fromPaper() {
    beforePrint.closed.forEach(details => details.open = false);
    root.classList.remove("paper");
    setTheme(beforePrint.theme);
    drawAll();
}

function start() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    setTheme(remembered() || (dark.matches ? "dark" : "light"));
    document.getElementById("theme").addEventListener("click", () => {
        setTheme(root.dataset.theme === "dark" ? "light" : "dark");
        remember(root.dataset.theme);
        drawAll();
    });
    dark.addEventListener("change", () => {
        setTheme(dark.matches ? "dark" : "light");
        drawAll();
    });
    document.querySelectorAll("details.data").forEach(details => {
        details.addEventListener("toggle", () => {
            if (details.open && !root.classList.contains("paper"))
                fillTable(details, Infinity);
        });
        if (details.open)
            fillTable(details, Infinity);
    });
    addEventListener("beforeprint", toPaper);
    addEventListener("afterprint", fromPaper);
    let width = root.clientWidth;
    addEventListener("resize", () => {
        if (root.clientWidth === width)
            return;
        width = root.clientWidth;
        drawAll();
    });
    drawInTurn();
}

start();
