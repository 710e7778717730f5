/* Measurements of other software as sections of a scenario.
 *
 * Each file is told by its columns, and has to be of the software that was named:
 *
 *   a table of kernels      kernels: {table: [...]}, which a step or a deployment asks first
 *   a folder with layers    serve: {engine_profile: FOLDER}, LLMServingSim's times of whole layers
 *   a trace of requests     traffic: {trace: FILE, format: ...}
 *   a table of collectives  no scenario asks one: `orrery fit` makes coefficients of it (a note)
 *
 * The readers are those of the loader, so that what is imported is what is read when the scenario
 * runs; they run here once, over every row, and a row that is wrong is an error with its line. With
 * a model and a node the sections become a whole scenario of serving. */
#include "scen_import.h"

#include "scen_csv.h"
#include "scen_doc.h"
#include "scen_engine_profile.h"
#include "scen_errors.h"
#include "scen_fit_table.h"
#include "scen_measured.h"
#include "scen_named.h"
#include "scen_note.h"
#include "scen_trace.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

/* What is gathered from the files. */
typedef struct Sections {
    const ScenImportRequest *request;
    ScenImport *import;
    const char *software; /* "vidur" */
    GString *tables;      /* of kernels.table */
    char *profile, *trace;
} Sections;

static bool fail(GError **error, const char *path, const char *message)
{
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: %s", path, message);
    return false;
}

/* The rows of collectives in @path, which `orrery fit` reads; 0 when it has none. */
static bool count_collectives(const char *path, guint *rows, GError **error)
{
    g_autoptr(ScenFitTable) fit = scen_fit_table_new(false);
    if (!scen_fit_table_read(fit, path, error))
        return false;
    *rows = fit->engine->len;
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++)
        *rows += fit->collective[op]->len;
    return true;
}

/* Adds the note on a table of which no scenario can ask a row. */
static bool note_collectives(Sections *s, const char *path, GError **error)
{
    guint rows = 0;
    if (!count_collectives(path, &rows, error))
        return false;
    if (rows == 0)
        return fail(error, path, "no row is a measurement that has a place in a scenario or a fit");
    scen_note(s->import->notes,
              "%s: %u collectives, of which a scenario takes coefficients: orrery fit --node "
              "%s %s",
              path, rows, s->request->node ? s->request->node : "NODE", path);
    return true;
}

static void add_table(Sections *s, const char *path, const ScenMeasured *measured)
{
    g_autofree char *name = scen_import_path(path, s->request->folder);
    GString *out = s->tables;
    g_string_append_printf(out, "    - {file: \"%s\"", name);
    if (g_str_equal(s->software, "llmservingsim") && s->request->model)
        g_string_append_printf(out, ", model: %s", s->request->model);
    if (s->request->tensor > 0)
        g_string_append_printf(out, ", tensor: " I64, s->request->tensor);
    g_string_append_printf(out, "}    # %u products, %u calls of attention, %zu of serving",
                           measured->gemm->len, measured->attention->len,
                           scen_serve_rows_count(measured->serve));
    g_string_append_printf(out, "; " I64 " rows have no place\n", measured->skipped);
}

static bool import_table(Sections *s, const char *path, GError **error)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    g_autofree char *beside = scen_measured_model_beside(path);
    const char *name = s->request->model ? s->request->model : beside;
    ModelSpec model = {0};
    if (name && !scen_named_bind(SCEN_CATALOG_MODEL, name, NULL, strings, &model, error))
        return false;
    const ScenProfiled profiled = {
        .model = name ? &model : NULL, .tensor = s->request->tensor, .dtype = TOPO_DTYPE_BF16};
    g_autoptr(ScenMeasured) measured = scen_measured_new();
    if (!scen_measured_read(measured, path, &profiled, error))
        return false;
    if (!g_str_equal(measured->software, s->software)) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s:1: these are columns of %s: orrery import %s, or, of plain ones, kernels: "
                    "{table: FILE}",
                    path, measured->software, measured->software);
        return false;
    }
    if (measured->gemm->len + measured->attention->len + scen_serve_rows_count(measured->serve) ==
        0)
        return note_collectives(s, path, error);
    add_table(s, path, measured);
    return true;
}

/* The trace @path in the format of the software, or, of LLMServingSim, the log of the run of vLLM
 * that it was held against; @format is which. */
static StratSource *open_trace(const Sections *s, const char *path, const char **format,
                               GError **error)
{
    *format = "vllm-log";
    const ScenTraceOptions log = {.format = *format};
    StratSource *source =
        g_str_equal(s->software, "llmservingsim") ? scen_trace_open(path, &log, NULL) : NULL;
    if (source)
        return source;
    *format = s->software;
    const ScenTraceOptions options = {.format = *format};
    return scen_trace_open(path, &options, error);
}

/* Takes every request of the trace, so that each is checked. */
static bool import_trace(Sections *s, const char *path, GError **error)
{
    const char *format = NULL;
    g_autoptr(StratSource) source = open_trace(s, path, &format, error);
    if (!source)
        return false;
    int64_t count = 0, input = 0, output = 0;
    for (const StratRequest *next = source->peek(source); next; next = source->peek(source)) {
        StratRequest kept = *next;
        input += kept.input_tokens;
        output += kept.output_tokens;
        count++;
        source->take(source);
        source->done(source, kept.id, kept.session, kept.arrival_ns);
    }
    if (source->fault(source)) {
        g_propagate_error(error, g_error_copy(source->fault(source)));
        return false;
    }
    if (s->trace)
        return fail(error, path, "a scenario has one trace, and this is the second");
    g_autofree char *name = scen_import_path(path, s->request->folder);
    s->trace = g_strdup_printf("traffic: {trace: \"%s\", format: %s}    # " I64 " requests, " I64
                               " tokens in, " I64 " out\n",
                               name, format, count, input, output);
    return true;
}

static bool import_profile(Sections *s, const char *path, GError **error)
{
    int64_t tensor = s->request->tensor > 0 ? s->request->tensor : 1;
    StratProfile *profile = scen_engine_profile_read(path, tensor, error);
    if (!profile)
        return false;
    strat_profile_free(profile);
    if (s->profile)
        return fail(error, path, "a deployment has one profile, and this is the second");
    g_autofree char *name = scen_import_path(path, s->request->folder);
    s->profile = g_strdup_printf("engine_profile: \"%s\"", name);
    return true;
}

/* A trace is JSON lines, or a table with lengths of requests. */
static bool is_trace(const char *path)
{
    if (g_str_has_suffix(path, ".jsonl"))
        return true;
    g_autoptr(ScenCsv) csv = scen_csv_open(path, NULL);
    return csv && scen_csv_column(csv, "num_prefill_tokens") >= 0;
}

static bool is_network(const char *path)
{
    g_autoptr(ScenCsv) csv = scen_csv_open(path, NULL);
    return csv && scen_csv_column(csv, "collective") >= 0;
}

static bool import_file(Sections *s, const char *path, GError **error)
{
    bool aic = g_str_equal(s->software, "aiconfigurator"),
         vidur = g_str_equal(s->software, "vidur");
    if (g_str_has_suffix(path, ".parquet"))
        return fail(error, path, "tables are read as text: write it as CSV first");
    if (!aic && !vidur && g_file_test(path, G_FILE_TEST_IS_DIR))
        return import_profile(s, path, error);
    if (!aic && is_trace(path))
        return import_trace(s, path, error);
    if (vidur && is_network(path)) {
        guint rows = 0;
        if (!count_collectives(path, &rows, error))
            return false;
        if (rows > 0)
            return note_collectives(s, path, error);
        scen_note(s->import->notes,
                  "%s: sends between GPUs are priced by the node's wires, and no fit takes "
                  "them: the file is left out",
                  path);
        return true;
    }
    return import_table(s, path, error);
}

static void write_sections(const Sections *s, GString *out)
{
    const ScenImportRequest *r = s->request;
    bool whole = r->model && r->node;
    int64_t tensor = r->tensor > 0 ? r->tensor : 1;
    if (whole)
        g_string_append_printf(out, "model: %s\ncluster: {node: %s, gpus: " I64 "}\n", r->model,
                               r->node, r->gpus > 0 ? r->gpus : tensor);
    if (whole)
        g_string_append_printf(out, "serve: {engine: %s, tensor: " I64 "%s%s}\n",
                               r->base ? r->base : "vllm-v1", tensor, s->profile ? ", " : "",
                               s->profile ? s->profile : "");
    else if (s->profile)
        g_string_append_printf(out, "serve:\n  %s\n", s->profile);
    if (s->trace)
        g_string_append(out, s->trace);
    else if (whole)
        g_string_append(out, "traffic: {arrivals: poisson, rate: 1 /s, requests: 100, input: 512, "
                             "output: 128}    # no trace was given\n");
    if (s->tables->len > 0)
        g_string_append_printf(out, "kernels:\n  table:\n%s", s->tables->str);
    s->import->is_whole = whole;
}

static bool run(const ScenImportRequest *request, const char *software, ScenImport *import,
                GError **error)
{
    Sections s = {
        .request = request, .import = import, .software = software, .tables = g_string_new(NULL)};
    bool done = true;
    for (size_t i = 0; request->files[i] && done; i++)
        done = import_file(&s, request->files[i], error);
    if (done)
        write_sections(&s, import->yaml);
    g_string_free(s.tables, TRUE);
    g_free(s.profile);
    g_free(s.trace);
    return done;
}

bool scen_import_aiconfigurator(const ScenImportRequest *request, ScenImport *import,
                                GError **error)
{
    return run(request, "aiconfigurator", import, error);
}

bool scen_import_vidur(const ScenImportRequest *request, ScenImport *import, GError **error)
{
    return run(request, "vidur", import, error);
}

bool scen_import_llmservingsim(const ScenImportRequest *request, ScenImport *import, GError **error)
{
    return run(request, "llmservingsim", import, error);
}
