/* Rows of request traces.
 *
 * A line is cut into slices, one for each column that the format names: a CSV row at its commas (a
 * field may stand in double quotes, without quotes inside), a JSON map at its keys. Slices then
 * become numbers, dates and ids in one way for all formats. Columns and keys that no name asks for
 * are passed over. */
#include "scen_trace_row.h"

#include "scen_errors.h"
#include "scen_scan.h"
#include "scen_trace_cell.h"

#include <string.h>

enum { MOST_SAMPLES = 1000 };

typedef struct Cells {
    ScenSlice of[SCEN_TRACE_COLUMNS]; /* .text NULL: absent */
} Cells;

void scen_trace_row_init(ScenTraceRow *row)
{
    *row = (ScenTraceRow){.pages = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
                          .turns = g_array_new(FALSE, FALSE, sizeof(ScenTraceTurn))};
}

void scen_trace_row_clear(ScenTraceRow *row)
{
    g_clear_pointer(&row->pages, g_array_unref);
    g_clear_pointer(&row->turns, g_array_unref);
}

/* Adds "'NAME' must be EXPECTED, not VALUE". */
static bool refuse(const ScenTraceReader *reader, const Cells *cells, ScenTraceColumn column,
                   const char *expected, GError **error)
{
    ScenSlice cell = cells->of[column];
    g_autofree char *text = g_strndup(cell.text, MIN(cell.length, 200));
    g_autofree char *quoted = scen_quote(text);
    return scen_lines_fail(reader->lines, cell.text, error, "'%s' must be %s, not %s",
                           reader->format->names[column], expected, quoted);
}

static bool read_tokens(const ScenTraceReader *reader, const Cells *cells, ScenTraceColumn column,
                        int64_t *value, GError **error)
{
    bool none = reader->format->skips_failed;
    if (scen_trace_cell_whole(cells->of[column], value) && *value >= (none ? 0 : 1))
        return true;
    return refuse(reader, cells, column,
                  none ? "a whole number of tokens" : "a whole number of tokens, 1 or more", error);
}

static bool read_duration(const ScenTraceReader *reader, const Cells *cells, ScenTraceColumn column,
                          SimTime *time, GError **error)
{
    ScenSlice cell = cells->of[column];
    const char *end = cell.text + cell.length;
    bool number = cell.length > 0 && scen_scan_number_end(cell.text) == end;
    double value = number ? g_ascii_strtod(cell.text, NULL) : -1.0;
    if (number && sim_time_from_seconds(value * reader->format->unit_s, time, NULL))
        return true;
    return refuse(reader, cells, column, "a time that is a number, 0 or more", error);
}

static bool read_arrival(const ScenTraceReader *reader, const Cells *cells, SimTime *time,
                         GError **error)
{
    if (reader->format->unit_s > 0.0)
        return read_duration(reader, cells, SCEN_TRACE_ARRIVAL, time, error);
    *time = scen_trace_cell_date(cells->of[SCEN_TRACE_ARRIVAL]);
    return *time >= 0 || refuse(reader, cells, SCEN_TRACE_ARRIVAL,
                                "a date such as '2023-11-16 18:15:46.680'", error);
}

static bool read_pages(const ScenTraceReader *reader, const Cells *cells, ScenTraceRow *row,
                       GError **error)
{
    static const char expected[] = "a list of whole numbers";
    ScenScan scan = {.at = cells->of[SCEN_TRACE_PAGES].text};
    int64_t full = row->input_tokens / reader->format->page_tokens;
    for (bool more = scen_scan_enter(&scan, '['); more; more = scen_scan_more(&scan, '[')) {
        ScenSlice id = {.text = scan.at};
        scen_scan_value(&scan, &id);
        uint64_t number = 0;
        for (size_t i = 0; i < id.length; i++) {
            if (!g_ascii_isdigit(id.text[i]))
                return refuse(reader, cells, SCEN_TRACE_PAGES, expected, error);
            number = 10 * number + (uint64_t)(id.text[i] - '0');
        }
        if (row->pages->len < full)
            g_array_append_val(row->pages, number);
    }
    return !scan.expected || refuse(reader, cells, SCEN_TRACE_PAGES, expected, error);
}

/* Cuts the map that @scan is at into @cells. */
static bool split_json(const ScenTraceReader *reader, ScenScan *scan, Cells *cells, GError **error)
{
    for (bool more = scen_scan_enter(scan, '{'); more; more = scen_scan_more(scan, '{')) {
        ScenSlice key, value;
        if (!scen_scan_key(scan, &key) || !scen_scan_value(scan, &value))
            break;
        for (size_t i = 0; i < SCEN_TRACE_COLUMNS; i++) {
            const char *name = reader->format->names[i];
            if (name && strlen(name) == key.length && memcmp(name, key.text, key.length) == 0)
                cells->of[i] = value;
        }
    }
    if (!scan->expected)
        return true;
    g_autofree char *rest = g_strndup(scan->at, 40);
    g_autofree char *quoted = scen_quote(rest);
    return scen_lines_fail(reader->lines, scan->at, error, "expected %s, not %s", scan->expected,
                           *rest ? quoted : "the end of the line");
}

/* The field at @at with its quotes taken off; @next is the comma or the end behind it. */
static ScenSlice csv_field(const char *at, const char **next)
{
    const char *closing = *at == '"' ? strchr(at + 1, '"') : NULL;
    if (closing && (closing[1] == ',' || closing[1] == '\0')) {
        *next = closing + 1;
        return (ScenSlice){.text = at + 1, .length = (size_t)(closing - at - 1)};
    }
    size_t length = strcspn(at, ",");
    *next = at + length;
    while (length > 0 && at[length - 1] == ' ')
        length--;
    for (; length > 0 && *at == ' '; length--)
        at++;
    return (ScenSlice){.text = at, .length = length};
}

static bool split_csv(const ScenTraceReader *reader, const char *line, Cells *cells, GError **error)
{
    int number = 0;
    for (const char *at = line;; at++, number++) {
        ScenSlice field = csv_field(at, &at);
        for (size_t i = 0; i < SCEN_TRACE_COLUMNS; i++)
            if (reader->column[i] == number)
                cells->of[i] = field;
        if (*at == '\0')
            break;
    }
    if (number + 1 == reader->width)
        return true;
    return scen_lines_fail(reader->lines, NULL, error, "%d fields where the header has %d",
                           number + 1, reader->width);
}

/* The name of the length that @cells lacks, or NULL. */
static const char *missing_length(const ScenTraceFormat *format, const Cells *cells)
{
    for (int i = SCEN_TRACE_INPUT; i <= SCEN_TRACE_OUTPUT; i++)
        if (!cells->of[i].text)
            return format->names[i];
    return NULL;
}

/* The first name that @cells lacks of what makes a request, or several turns; NULL: none. */
static const char *missing(const ScenTraceFormat *format, const Cells *cells)
{
    if (!cells->of[SCEN_TRACE_ARRIVAL].text)
        return format->names[SCEN_TRACE_ARRIVAL];
    return cells->of[SCEN_TRACE_TURNS].text ? NULL : missing_length(format, cells);
}

static bool read_turns(const ScenTraceReader *reader, const Cells *row_cells, ScenTraceRow *row,
                       GError **error)
{
    ScenScan scan = {.at = row_cells->of[SCEN_TRACE_TURNS].text};
    for (bool more = scen_scan_enter(&scan, '['); more; more = scen_scan_more(&scan, '[')) {
        Cells cells = {0};
        const char *start = scan.at;
        ScenTraceTurn turn = {0};
        if (!split_json(reader, &scan, &cells, error))
            return false;
        const char *name = missing_length(reader->format, &cells);
        if (name)
            return scen_lines_fail(reader->lines, start, error, "missing key '%s'", name);
        if (!read_tokens(reader, &cells, SCEN_TRACE_INPUT, &turn.input_tokens, error) ||
            !read_tokens(reader, &cells, SCEN_TRACE_OUTPUT, &turn.output_tokens, error))
            return false;
        if (cells.of[SCEN_TRACE_TOOL].text &&
            !read_duration(reader, &cells, SCEN_TRACE_TOOL, &turn.tool_ns, error))
            return false;
        g_array_append_val(row->turns, turn);
    }
    if (!scan.expected && row->turns->len > 0)
        return true;
    return refuse(reader, row_cells, SCEN_TRACE_TURNS, "a list of at least one map", error);
}

static bool read_row(const ScenTraceReader *reader, const Cells *cells, ScenTraceRow *row,
                     GError **error)
{
    row->session = scen_trace_cell_session(cells->of[SCEN_TRACE_SESSION]);
    row->priority = 0;
    row->samples = 1;
    row->failed = false;
    g_array_set_size(row->pages, 0);
    g_array_set_size(row->turns, 0);
    if (!read_arrival(reader, cells, &row->arrival_ns, error))
        return false;
    if (cells->of[SCEN_TRACE_TURNS].text)
        return read_turns(reader, cells, row, error);
    if (!read_tokens(reader, cells, SCEN_TRACE_INPUT, &row->input_tokens, error) ||
        !read_tokens(reader, cells, SCEN_TRACE_OUTPUT, &row->output_tokens, error))
        return false;
    row->failed = row->input_tokens == 0 || row->output_tokens == 0;
    if (cells->of[SCEN_TRACE_PRIORITY].length > 0 &&
        !scen_trace_cell_whole(cells->of[SCEN_TRACE_PRIORITY], &row->priority))
        return refuse(reader, cells, SCEN_TRACE_PRIORITY, "a whole number", error);
    if (cells->of[SCEN_TRACE_SAMPLES].length > 0 &&
        (!scen_trace_cell_whole(cells->of[SCEN_TRACE_SAMPLES], &row->samples) || row->samples < 1 ||
         row->samples > MOST_SAMPLES))
        return refuse(reader, cells, SCEN_TRACE_SAMPLES, "a whole number from 1 to 1000", error);
    return !cells->of[SCEN_TRACE_PAGES].text || read_pages(reader, cells, row, error);
}

bool scen_trace_reader_next(ScenTraceReader *reader, ScenTraceRow *row, GError **error)
{
    const char *line = reader->first ? reader->first : scen_lines_next(reader->lines, error);
    reader->first = NULL;
    if (!line)
        return false;
    Cells cells = {0};
    if (!reader->format->json)
        return split_csv(reader, line, &cells, error) && read_row(reader, &cells, row, error);
    ScenScan scan = {.at = line};
    if (!split_json(reader, &scan, &cells, error))
        return false;
    if (!scen_scan_end(&scan))
        return scen_lines_fail(reader->lines, scan.at, error, "expected %s", scan.expected);
    const char *name = missing(reader->format, &cells);
    if (name)
        return scen_lines_fail(reader->lines, line, error, "missing key '%s'", name);
    return read_row(reader, &cells, row, error);
}

/* Tries @format on the first line; the name that it misses, NULL when it fits. */
static const char *try_format(ScenTraceReader *reader, const ScenTraceFormat *format,
                              const char *line)
{
    Cells cells = {0};
    reader->format = format;
    if (format->json) {
        ScenScan scan = {.at = line};
        split_json(reader, &scan, &cells, NULL);
        return missing(format, &cells);
    }
    memset(reader->column, -1, sizeof reader->column);
    reader->width = 0;
    for (const char *at = line;; at++) {
        ScenSlice field = csv_field(at, &at);
        for (size_t i = 0; i < SCEN_TRACE_COLUMNS; i++) {
            const char *name = format->names[i];
            if (name && strlen(name) == field.length &&
                memcmp(name, field.text, field.length) == 0) {
                reader->column[i] = reader->width;
                cells.of[i] = field;
            }
        }
        reader->width++;
        if (*at == '\0')
            return missing(format, &cells);
    }
}

/* What the accepted first lines are, for a message. */
static char *describe_formats(void)
{
    GString *text = g_string_new(NULL);
    size_t count = 0;
    const ScenTraceFormat *formats = scen_trace_formats(&count);
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s (%s,%s,%s)", i ? ", " : "", formats[i].name,
                               formats[i].names[SCEN_TRACE_ARRIVAL],
                               formats[i].names[SCEN_TRACE_INPUT],
                               formats[i].names[SCEN_TRACE_OUTPUT]);
    return g_string_free(text, FALSE);
}

bool scen_trace_reader_init(ScenTraceReader *reader, ScenLines *lines,
                            const ScenTraceFormat *format, GError **error)
{
    *reader = (ScenTraceReader){.lines = lines};
    g_autoptr(GError) cause = NULL;
    const char *line = scen_lines_next(lines, &cause);
    if (!line && cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    if (!line)
        return scen_lines_fail(lines, NULL, error, "the trace is empty");
    size_t count = 0;
    const ScenTraceFormat *formats = scen_trace_formats(&count);
    const char *name = "";
    for (size_t i = 0; i < count && name; i++)
        name = !format || format == &formats[i] ? try_format(reader, &formats[i], line) : name;
    g_autofree char *known = describe_formats();
    if (name && format)
        return scen_lines_fail(lines, line, error,
                               "a trace of format %s has '%s' in its first line", format->name,
                               name);
    if (name)
        return scen_lines_fail(lines, line, error, "the first line is of no known trace format: %s",
                               known);
    reader->first = reader->format->json ? line : NULL;
    return true;
}

void scen_trace_reader_clear(ScenTraceReader *reader)
{
    g_clear_pointer(&reader->lines, scen_lines_free);
}

void scen_trace_reader_rewind(ScenTraceReader *reader)
{
    scen_lines_rewind(reader->lines);
    reader->first = NULL;
    if (!reader->format->json)
        scen_lines_next(reader->lines, NULL);
}
