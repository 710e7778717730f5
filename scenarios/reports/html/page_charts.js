// From a figure to what ECharts draws: one function a kind of chart. Each gets the figure, the look
// (colours of the theme) and the words that the reader has switched off, and returns {option, legend,
// height, canvas}: legend is a list of words, or {low, high} for a scale of heat.

const LANE_PX = 30, MOST_PX = 760, SPANS_NAMED = 40, TIER_PX = 150, GRAPH_PX = 36;

// The words of a figure that have a colour each, and stand in its legend.
function seriesWords(figure) {
    const group = figure.one("group"), ys = figure.all("y");
    if (group >= 0)
        return figure.words(group);
    return ys.length > 1 ? ys.map(y => figure.columns[y].title) : [];
}

function axisName(column, unit) {
    return unit ? column.title + ", " + unit : column.title;
}

function numberAxis(look, name, more) {
    return Object.assign({
        type: "value", name, nameLocation: "middle", nameGap: 28,
        nameTextStyle: { color: look.quiet, fontSize: 12 },
        axisLine: { show: false }, axisTick: { show: false },
        axisLabel: { color: look.quiet, fontSize: 11, hideOverlap: true, formatter: compact },
        splitLine: { lineStyle: { color: look.grid } },
    }, more);
}

// Labels of an axis that ends where the data do: the ragged last one is left out.
function edgeLabels(look) {
    return { color: look.quiet, fontSize: 11, hideOverlap: true, formatter: compact, showMaxLabel: false };
}

function wordAxis(look, words, more) {
    return Object.assign({
        type: "category", data: words,
        axisLine: { lineStyle: { color: look.line } }, axisTick: { show: false },
        axisLabel: { color: look.ink, fontSize: look.narrow ? 11 : 12, lineHeight: 13,
            width: Math.min(look.widest(words), look.narrow ? 104 : 230), overflow: look.narrow ? "break" : "truncate" },
    }, more);
}

// The next of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten, as the end of an axis.
function niceAbove(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find(step => step * power >= value * (1 - 1e-9));
}

// Ticks are short: 5000, 20k, 3M.
function compact(value) {
    const size = Math.abs(value);
    for (const [factor, letter] of [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]])
        if (size >= factor)
            return String(+(value / (letter === "k" ? 1e3 : factor)).toPrecision(4)) + letter;
    return size > 0 && size < 1e-3 ? value.toExponential(0) : String(+value.toPrecision(6));
}

function base(figure, look, tip) {
    return {
        animation: false,
        textStyle: { fontFamily: look.font },
        grid: { left: 8, right: 20, top: 16, bottom: 12, outerBoundsMode: "same", outerBoundsContain: "all" },
        tooltip: {
            confine: true, backgroundColor: look.panel, borderColor: look.line,
            textStyle: { color: look.ink, fontSize: 12 },
            formatter: item => tip ? tip(item) : figure.tip(item.data.row),
        },
    };
}

// Guides as dashed lines: a segment, or with an open bound a full line across the chart.
function guideSeries(figure, look, fx, fy) {
    return figure.guides.map(([name, x0, y0, x1, y1]) => {
        const full = x0 === null || y0 === null;
        const ends = full ? [] : [[x0 / fx, y0 / fy], [x1 / fx, y1 / fy]];
        const label = { show: true, formatter: name, color: look.ink, fontSize: 11, rotate: 0,
            backgroundColor: look.panel, padding: [1, 3],
            position: x0 === null ? "insideEndTop" : figure.one("x") >= 0 && figure.columns[figure.one("x")].kind === "text" ? "start" : "end" };
        return {
            type: "line", name, data: ends, symbol: "none", silent: true, z: 5, tooltip: { show: false },
            lineStyle: { color: look.ink, type: "dashed", width: 1.2 },
            endLabel: { show: !full, formatter: name, color: look.ink, fontSize: 11, align: "right", offset: [-6, -10] },
            markLine: !full ? undefined : {
                symbol: "none", silent: true, lineStyle: { color: look.ink, type: "dashed", width: 1.2 }, label,
                data: [x0 === null ? { yAxis: y0 / fy } : { xAxis: x0 / fx }],
            },
        };
    });
}

// The largest bound of guides along an axis (1: x, 2: y), so that the axis reaches it.
function bounds(figure, at) {
    return figure.guides.flatMap(guide => [guide[at], guide[at + 2]]).filter(v => v !== null);
}

function reach(figure, at, factor) {
    const most = Math.max(0, ...bounds(figure, at)) / factor;
    return most > 0 ? extent => niceAbove(Math.max(extent.max, most * 1.02)) : undefined;
}

// Lying bars: words down, values along x. A Y column is a series; with one, all bars are alike.
function bars(figure, look, off, stacked) {
    const x = figure.one("x"), ys = figure.all("y"), words = [];
    figure.each(row => words.push(figure.cell(x, row)));
    const group = figure.one("group"), names = seriesWords(figure);
    const [factor, unit] = figure.scale(ys, bounds(figure, 1));
    const colourOfBar = (y, row) => group >= 0 ? look.colour(figure.cell(group, row))
        : ys.length > 1 ? look.colour(figure.columns[y].title) : look.colours[0];
    const series = ys.filter(y => group >= 0 || !off.has(figure.columns[y].title)).map(y => ({
        type: "bar", name: figure.columns[y].title, stack: stacked ? "all" : undefined,
        barMaxWidth: 22, barGap: "10%", barCategoryGap: "28%",
        data: words.map((word, row) => ({
            value: group >= 0 && off.has(figure.cell(group, row)) ? 0 : (figure.cell(y, row) || 0) / factor, row,
            itemStyle: { color: colourOfBar(y, row), borderColor: look.panel, borderWidth: stacked ? 1 : 0 },
        })),
    }));
    if (ys.length === 1)
        Object.assign(series[0], { label: { show: true, position: "right", color: look.quiet, fontSize: 11,
            formatter: item => show(figure.columns[ys[0]], figure.cell(ys[0], item.data.row)) } });
    const option = base(figure, look);
    const rows = words.length * (stacked ? 1 : Math.max(1, 0.7 * ys.length));
    const rowPx = look.narrow ? 38 : 26;
    option.grid.right = ys.length === 1 ? 64 : 20;
    option.grid.top = figure.guides.length > 0 ? 26 : 10;
    option.xAxis = numberAxis(look, ys.length > 1 ? unit : axisName(figure.columns[ys[0]], unit),
        { max: stacked && unit === "%" ? extent => extent.max <= 100.01 && extent.max > 80 ? 100 : null
            : reach(figure, 1, factor) });
    option.yAxis = wordAxis(look, words, { inverse: true });
    option.series = series.concat(guideSeries(figure, look, factor, 1));
    if (rows * rowPx > MOST_PX)
        option.dataZoom = sliders(look, "y");
    return { option, legend: names, height: Math.min(rows * rowPx, MOST_PX) + 84 };
}

function sliders(look, axis) {
    const style = {
        borderColor: look.line, backgroundColor: "transparent", fillerColor: look.fade,
        dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
        selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
        handleStyle: { color: look.panel, borderColor: look.quiet }, moveHandleStyle: { color: look.quiet },
        textStyle: { color: look.quiet }, brushSelect: false, filterMode: "none", showDetail: false,
    };
    if (axis === "y")
        return [Object.assign({ type: "slider", yAxisIndex: 0, width: 14, right: 2 }, style)];
    return [
        Object.assign({ type: "slider", xAxisIndex: 0, height: 18, bottom: 6 }, style),
        { type: "inside", xAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl",
            moveOnMouseWheel: false, preventDefaultMouseMove: false, disabled: look.narrow },
    ];
}

// Lines, steps and areas: a series for each word of the GROUP, or for each Y column.
function lines(figure, look, off) {
    const x = figure.one("x"), ys = figure.all("y"), group = figure.one("group"), kind = figure.chart;
    const [fx, ux] = figure.scale([x], bounds(figure, 1)), [fy, uy] = figure.scale(ys, bounds(figure, 2));
    const names = group < 0 ? ys.map(y => figure.columns[y].title) : figure.words(group);
    const series = names.map((name, i) => {
        const y = group < 0 ? ys[i] : ys[0], points = [];
        figure.each(row => {
            if (group < 0 || figure.cell(group, row) === name) {
                const value = figure.cell(y, row);
                points.push({ value: [figure.cell(x, row) / fx, value === null ? null : value / fy], row });
            }
        });
        const colour = names.length > 1 ? look.colour(name) : look.colours[0];
        return {
            type: "line", name, data: points, showSymbol: points.length <= 24, symbolSize: 6,
            step: kind === "lines" ? undefined : "end", stack: kind === "areas" ? "all" : undefined,
            areaStyle: kind === "areas" ? { color: colour, opacity: 1 } : undefined,
            lineStyle: { color: colour, width: kind === "areas" ? 1 : 2 }, itemStyle: { color: colour },
        };
    }).filter(one => !off.has(one.name));
    const option = base(figure, look, items => figure.tip([].concat(items)[0].data.row));
    option.tooltip.trigger = "axis";
    option.xAxis = numberAxis(look, axisName(figure.columns[x], ux), {
        type: figure.log & 1 ? "log" : "value", scale: true, splitLine: { show: false },
        axisLine: { show: true, lineStyle: { color: look.line } }, max: figure.rows > 1 ? extent => Math.max(extent.max, ...bounds(figure, 1).map(v => v / fx)) : undefined,
        axisLabel: edgeLabels(look) });
    option.yAxis = numberAxis(look, names.length > 1 && group < 0 ? uy : axisName(figure.columns[ys[0]], uy), {
        type: figure.log & 2 ? "log" : "value", nameGap: 44, max: reach(figure, 2, fy) });
    option.series = series.concat(guideSeries(figure, look, fx, fy));
    return { option, legend: seriesWords(figure), height: 320 };
}

// A logarithmic axis that ends a little beyond the points and the guides, in powers of two where those
// of ten would be too few.
function logRange(figure, look, column, at, factor) {
    const values = figure.data[column].concat(bounds(figure, at)).filter(v => v > 0).map(v => v / factor);
    const least = Math.min(...values), most = Math.max(...values), base = most / least > 200 ? 10 : 2;
    return { type: "log", logBase: base, min: least / 1.4, max: most * 1.4,
        axisLabel: Object.assign(edgeLabels(look), { showMinLabel: false }) };
}

function scatter(figure, look, off) {
    const x = figure.one("x"), y = figure.one("y"), group = figure.one("group");
    const size = figure.one("size"), label = figure.one("label");
    const [fx, ux] = figure.scale([x], bounds(figure, 1)), [fy, uy] = figure.scale([y], bounds(figure, 2));
    const names = group < 0 ? [figure.columns[y].title] : figure.words(group);
    const most = size < 0 ? 0 : Math.max(...figure.data[size]);
    const drawn = figure.data[x].filter((value, row) => value !== null && figure.data[y][row] !== null).length;
    const series = names.filter(name => !off.has(name)).map(name => {
        const points = [];
        figure.each(row => {
            if (group >= 0 && figure.cell(group, row) !== name || figure.cell(x, row) === null || figure.cell(y, row) === null)
                return;
            const part = most > 0 ? Math.sqrt(Math.max(figure.cell(size, row), 0) / most) : 0;
            points.push({ value: [figure.cell(x, row) / fx, figure.cell(y, row) / fy], row,
                symbolSize: size < 0 ? 9 : 7 + 29 * part });
        });
        return {
            type: "scatter", name, data: points, itemStyle: { color: group < 0 ? look.colours[0] : look.colour(name), opacity: 0.8,
                borderColor: look.panel, borderWidth: 1 },
            label: { show: label >= 0 && drawn <= 40 && !look.narrow, position: "right", fontSize: 11,
                color: look.ink, formatter: item => figure.cell(label, item.data.row) },
            labelLayout: { hideOverlap: true },
        };
    });
    const option = base(figure, look);
    option.grid.top = 26;
    option.xAxis = numberAxis(look, axisName(figure.columns[x], ux), figure.log & 1 ? logRange(figure, look, x, 1, fx) : { scale: true });
    option.yAxis = numberAxis(look, axisName(figure.columns[y], uy),
        Object.assign(figure.log & 2 ? logRange(figure, look, y, 2, fy) : { scale: true }, { nameGap: 48 }));
    option.series = series.concat(guideSeries(figure, look, fx, fy));
    return { option, legend: group < 0 ? [] : names, height: 420, canvas: true };
}

// A rectangle of a custom series, cut at the edges of the plot.
function rectangle(params, from, to, height, style) {
    const area = params.coordSys, left = Math.max(from[0], area.x), right = Math.min(to[0], area.x + area.width);
    if (right <= left && to[0] !== from[0] || from[1] < area.y || from[1] > area.y + area.height)
        return null;
    return { type: "rect", style, shape: { x: left, y: from[1] - height / 2,
        width: Math.max(right - left, 0.5), height } };
}

// Where an axis begins: at 0 when the first value is near it, for a round label.
function nearZero(range) {
    return range.min > 0 && range.min < 0.2 * range.max ? 0 : range.min;
}

function spans(figure, look, off) {
    const x = figure.one("x"), end = figure.one("end"), lane = figure.one("lane");
    const group = figure.one("group"), label = figure.one("label");
    const [fx, ux] = figure.scale([x, end], []), lanes = figure.words(lane);
    const names = group < 0 ? [] : figure.words(group), data = [];
    figure.each(row => {
        if (group < 0 || !off.has(figure.cell(group, row)))
            data.push({ row, value: [figure.data[lane].rows[row], figure.cell(x, row) / fx, figure.cell(end, row) / fx] });
    });
    const rows = data.map(item => item.row);
    const option = base(figure, look);
    option.grid.bottom = 34;
    const title = figure.columns[x].kind === "time" ? "Time" : figure.columns[x].title;
    option.xAxis = numberAxis(look, title + (ux ? ", " + ux : ""), { min: nearZero, max: "dataMax", position: "top",
        axisLabel: edgeLabels(look) });
    option.yAxis = wordAxis(look, lanes, { inverse: true, splitArea: { show: false }, splitLine: { show: true, lineStyle: { color: look.grid } } });
    option.series = [{
        type: "custom", data, encode: { x: [1, 2], y: 0 }, progressive: 0,
        renderItem: (params, api) => {
            const row = rows[params.dataIndex], from = api.coord([api.value(1), api.value(0)]);
            const to = api.coord([api.value(2), api.value(0)]), height = Math.min(api.size([0, 1])[1] * 0.72, 26);
            const colour = group < 0 ? look.colours[0] : look.colour(figure.cell(group, row));
            const shape = rectangle(params, from, to, height, { fill: colour });
            if (shape && label >= 0 && shape.shape.width > 44) {
                shape.textContent = { style: { text: figure.cell(label, row), fill: look.panel, fontSize: 10,
                    width: shape.shape.width - 6, overflow: "truncate", ellipsis: "" } };
                shape.textConfig = { position: "inside" };
            }
            return shape;
        },
    }];
    option.dataZoom = sliders(look, "x");
    if (label >= 0) // begin with so few that their names can be read
        option.dataZoom.forEach(zoom => zoom.end = Math.min(100, 100 * SPANS_NAMED * lanes.length / figure.rows));
    if (lanes.length * 14 > MOST_PX)
        option.dataZoom.push(...sliders(look, "y"));
    const height = Math.min(Math.max(lanes.length * LANE_PX, 60), Math.max(MOST_PX, 14)) + 84;
    return { option, legend: names, height, canvas: true };
}

function heatLegend(column, most, scale) {
    const unit = column.unit ? " " + column.unit : "";
    return { title: column.title, low: show(column, 0) + unit, high: show(column, most) + unit, scale };
}

function heat(figure, look) {
    const x = figure.one("x"), lane = figure.one("lane"), y = figure.one("y");
    const column = figure.columns[y], most = Math.max(...figure.data[y].map(v => v || 0), 0), data = [];
    figure.each(row => data.push({ row, value: [figure.data[x].rows[row], figure.data[lane].rows[row]] }));
    const option = base(figure, look);
    option.xAxis = wordAxis(look, figure.words(x), { name: figure.columns[x].title, nameLocation: "middle", nameGap: 30,
        nameTextStyle: { color: look.quiet } });
    option.yAxis = wordAxis(look, figure.words(lane), { inverse: true });
    option.series = [{
        type: "custom", data, encode: { x: 0, y: 1 },
        renderItem: (params, api) => {
            const at = api.coord([api.value(0), api.value(1)]), size = api.size([1, 1]);
            return { type: "rect", style: { fill: look.heat(figure.cell(y, data[params.dataIndex].row) / (most || 1)) },
                shape: { x: at[0] - size[0] / 2 + 0.5, y: at[1] - size[1] / 2 + 0.5,
                    width: Math.max(size[0] - 1, 1), height: Math.max(size[1] - 1, 1) } };
        },
    }];
    return { option, legend: heatLegend(column, most, look.heat),
        height: Math.min(figure.words(lane).length * 22, MOST_PX) + 90, canvas: true };
}

// Places of nodes: tiers from the bottom up, each spread evenly in the order of its first link; without
// tiers a circle. In pixels.
function nodePlaces(figure, width) {
    const tiers = new Map(), places = new Map();
    const ends = [["from", "from-tier"], ["to", "to-tier"]].map(pair => pair.map(role => figure.one(role)));
    figure.each(row => {
        for (const [name, tier] of ends) {
            const word = figure.cell(name, row), level = tier < 0 ? 0 : figure.cell(tier, row);
            if (places.has(word))
                continue;
            if (!tiers.has(level))
                tiers.set(level, []);
            tiers.get(level).push(word);
            places.set(word, null);
        }
    });
    const levels = [...tiers.keys()].sort((a, b) => b - a);
    levels.forEach((level, i) => tiers.get(level).forEach((word, n, all) => {
        const turn = 2 * Math.PI * n / all.length;
        const radius = Math.min(width / 2 - 30, 180);
        places.set(word, ends[0][1] < 0 ? [radius * Math.sin(turn), -radius * Math.cos(turn)]
            : [width * (n + 0.5) / all.length, TIER_PX * i]);
    }));
    return { places, tiers: levels.length };
}

function graph(figure, look) {
    const from = figure.one("from"), to = figure.one("to"), y = figure.one("y"), size = figure.one("size");
    const { places, tiers } = nodePlaces(figure, look.width - 2 * GRAPH_PX);
    const heatOf = row => y < 0 ? 0 : figure.cell(y, row) || 0;
    let most = 0, widest = 0;
    figure.each(row => {
        most = Math.max(most, heatOf(row));
        widest = Math.max(widest, size < 0 ? 0 : figure.cell(size, row));
    });
    const links = [];
    figure.each(row => links.push({
        row, source: figure.cell(from, row), target: figure.cell(to, row),
        lineStyle: { color: look.load(most > 0 ? heatOf(row) / most : 0),
            width: 1.2 + (widest > 0 ? 5 * figure.cell(size, row) / widest : most > 0 ? 2.5 * heatOf(row) / most : 0),
            curveness: tiers < 2 ? 0.15 : 0, opacity: 0.95 },
    }));
    const xs = [...places.values()].map(at => at[0]), ys = [...places.values()].map(at => at[1]);
    const option = base(figure, look, item => item.dataType === "edge" ? figure.tip(item.data.row) : escapeText(item.name));
    option.series = [{
        type: "graph", layout: "none", roam: false, links,
        left: "center", top: 30, width: Math.max(...xs) - Math.min(...xs) || 1, height: Math.max(...ys) - Math.min(...ys) || 1,
        data: [...places].map(([name, at]) => ({ name, x: at[0], y: at[1] })),
        symbol: "roundRect", symbolSize: places.size > 60 ? 7 : 13,
        itemStyle: { color: look.quiet }, emphasis: { focus: "adjacency" },
        label: { show: places.size <= 48, position: tiers < 2 ? "right" : "bottom", color: look.ink, fontSize: 10 },
        labelLayout: { hideOverlap: true },
    }];
    delete option.grid;
    const column = figure.columns[Math.max(y, 0)];
    return { option, legend: y < 0 ? [] : heatLegend(column, most, look.load),
        height: 70 + Math.max(...ys) - Math.min(...ys), canvas: true };
}

const CHARTS = {
    bars: (figure, look, off) => bars(figure, look, off, false),
    stacked: (figure, look, off) => bars(figure, look, off, true),
    lines, steps: lines, areas: lines, scatter, spans, heat, graph,
};
