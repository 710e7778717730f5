// Numbers as a reader sees them, by the rules of show_number() in scen_page_figure.c, and the data of
// a figure: {chart, log, columns, data, guides}, where a column of texts is {words, rows}.

const SCALES = {
    time: [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "us"], [1e-9, "ns"]],
    bytes: [[1e15, "PB"], [1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]],
    share: [[0.01, "%"]],
};

function showNumber(value) {
    const size = Math.abs(value);
    if (size === 0)
        return "0";
    if (size >= 1e9 || size < 1e-4)
        return value.toExponential(3).replace(/e([+-])(\d)$/, "e$10$2");
    const decimals = 3 - Math.floor(Math.log10(size));
    return value.toFixed(Math.min(Math.max(decimals, 0), 7));
}

// The scale that suits the size of a number of this kind: [factor, unit].
function scaleOf(column, size) {
    const scales = SCALES[column.kind];
    if (!scales)
        return [1, column.unit];
    return scales.find(scale => size >= scale[0]) || scales[scales.length - 1];
}

function show(column, value) {
    if (value === null)
        return "";
    if (column.kind === "text")
        return value;
    if (column.kind === "count")
        return value.toFixed(0);
    if (column.kind === "share")
        return (100 * value).toFixed(2) + " %";
    if (column.kind === "number")
        return showNumber(value);
    const [factor, unit] = scaleOf(column, Math.abs(value));
    return showNumber(value / factor) + " " + unit;
}

function escapeText(text) {
    return String(text).replace(/[&<>"']/g, c => "&#" + c.charCodeAt(0) + ";");
}

// A figure with what its chart and its table ask of it.
class Figure {
    constructor(data) {
        Object.assign(this, data);
        this.rows = data.data.length === 0 ? 0
            : data.columns[0].kind === "text" ? data.data[0].rows.length : data.data[0].length;
    }

    cell(column, row) {
        const data = this.data[column];
        return this.columns[column].kind === "text" ? data.words[data.rows[row]] : data[row];
    }

    // The columns of a role; the only one of it, or -1.
    all(role) {
        return this.columns.map((c, i) => i).filter(i => this.columns[i].role === role);
    }

    one(role) {
        return this.columns.findIndex(c => c.role === role);
    }

    // The words of a text column in the order of their first row.
    words(column) {
        return this.data[column].words;
    }

    each(visit) {
        for (let row = 0; row < this.rows; row++)
            visit(row);
    }

    // One scale for all numbers of some columns, from the largest of them and of the further numbers.
    scale(columns, further) {
        let most = 0;
        for (const column of columns)
            for (const value of this.data[column])
                most = Math.max(most, Math.abs(value || 0));
        for (const value of further)
            most = Math.max(most, Math.abs(value || 0));
        return scaleOf(this.columns[columns[0]], most);
    }

    tip(row) {
        const lines = this.columns.map((column, i) => {
            const text = escapeText(show(column, this.cell(i, row)));
            const unit = column.unit && text ? " " + escapeText(column.unit) : "";
            return "<tr><td>" + escapeText(column.title) + "</td><td class=n>" + text + unit + "</td></tr>";
        });
        return "<table class=tip>" + lines.join("") + "</table>";
    }

    bodyHtml(most) {
        let html = "";
        for (let row = 0; row < Math.min(this.rows, most); row++) {
            html += "<tr>" + this.columns.map((column, i) =>
                (column.kind === "text" ? "<td>" : "<td class=n>") +
                escapeText(show(column, this.cell(i, row))) + "</td>").join("") + "</tr>";
        }
        if (most < this.rows)
            html += "<tr><td colspan=" + this.columns.length + ">The first " + most + " of " + this.rows +
                " rows; the page on a screen holds all.</td></tr>";
        return html;
    }
}
