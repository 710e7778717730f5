/* Generic tables and profiles of LLMServingSim and Vidur, as rows to fit.
 *
 * The readers are those of tables that a scenario asks (scen_measured.c). What a fit has no form
 * for is counted as skipped: decode, and calls of attention that are too small to fill a GPU, which
 * the form of kern_attention.c does not describe. */
#include "scen_fit_foreign.h"

#include "scen_csv.h"
#include "scen_measured.h"
#include "scen_named.h"

/* Least work of a call that is fitted, as of the calls in AIConfigurator's columns. */
enum { HEADS_LEAST = 16, QUERIES_LEAST = 512 };

/* The model whose layers the rows of @path may name: that of the command line, or of a meta.yaml.
 */
static bool find_model(const ScenFitTable *table, const char *path, GStringChunk *strings,
                       ModelSpec *model, GError **error)
{
    g_autofree char *beside = table->model ? NULL : scen_measured_model_beside(path);
    const char *name = table->model ? table->model : beside;
    return !name || scen_named_bind(SCEN_CATALOG_MODEL, name, NULL, strings, model, error);
}

static void take_rows(ScenFitTable *table, const ScenMeasured *measured)
{
    for (guint i = 0; i < measured->gemm->len; i++) {
        const KernGemmRow *row = &g_array_index(measured->gemm, KernGemmRow, i);
        g_array_append_val(table->gemm[kern_gemm_type(&row->shape)], *row);
    }
    for (guint i = 0; i < measured->attention->len; i++) {
        const KernAttentionRow *row = &g_array_index(measured->attention, KernAttentionRow, i);
        if (row->shape.batch >= HEADS_LEAST && row->shape.queries >= QUERIES_LEAST)
            g_array_append_val(table->attention, *row);
        else
            table->skipped++;
    }
    table->skipped += measured->skipped;
}

/* Of Vidur's all_reduce.csv and send_recv.csv: is it one of them? */
static bool is_network(const ScenCsv *csv)
{
    return scen_csv_column(csv, "collective") >= 0 && scen_csv_column(csv, "num_workers") >= 0 &&
           scen_csv_column(csv, "size") >= 0;
}

/* The row of a collective on num_workers GPUs, devices_per_node of them in a node; size is in bytes
 * (vidur/execution_time_predictor divides it by the width and 2), the median in ms. Only calls
 * inside one node are fitted. */
static bool take_network(ScenFitTable *table, const ScenCsv *csv, GError **error)
{
    int time = scen_csv_column(csv, "time_stats.all_reduce.median");
    int64_t ranks = 0, bytes = 0, in_node = 0;
    double milliseconds = 0.0;
    if (!scen_csv_size(csv, scen_csv_column(csv, "num_workers"), 1, 0, &ranks, error) ||
        !scen_csv_integer(csv, scen_csv_column(csv, "size"), 1, 0, &bytes, error) ||
        !scen_csv_size(csv, scen_csv_column(csv, "devices_per_node"), 0, 0, &in_node, error) ||
        (time >= 0 && !scen_csv_number(csv, time, 0.0, &milliseconds, error)))
        return false;
    if (time < 0 || milliseconds <= 0.0 || ranks < 2 || ranks > 65536 ||
        (in_node > 0 && in_node < ranks)) {
        table->skipped++;
        return true;
    }
    KernProtocolRow row = {.seconds = milliseconds * 1e-3};
    row.call.op = TOPO_OP_ALL_REDUCE;
    row.call.ranks = row.call.ranks_per_domain = (uint32_t)ranks;
    row.call.bytes = (double)bytes;
    row.call.domain_reduces = table->switch_reduces;
    g_array_append_val(table->collective[topo_protocol_op(row.call.op)], row);
    return true;
}

static void name_file(ScenFitTable *table, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    g_string_append_printf(table->files, "%s%s", table->files->len > 0 ? ", " : "", name);
}

static bool read_network(ScenFitTable *table, const char *path, ScenCsv *csv, GError **error)
{
    g_autoptr(GError) fault = NULL;
    while (scen_csv_next(csv, &fault))
        if (!take_network(table, csv, error))
            return false;
    bool sound = fault == NULL;
    if (!sound)
        g_propagate_error(error, g_steal_pointer(&fault));
    name_file(table, path);
    return sound;
}

bool scen_fit_foreign_read(ScenFitTable *table, const char *path, bool *taken, GError **error)
{
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    *taken = csv && (scen_csv_column(csv, "op_name") < 0 || scen_csv_column(csv, "latency") < 0);
    if (!*taken)
        return csv != NULL;
    if (is_network(csv))
        return read_network(table, path, csv, error);
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    ModelSpec model = {0};
    if (!find_model(table, path, strings, &model, error))
        return false;
    const ScenProfiled profiled = {.model = model.hidden > 0 ? &model : NULL,
                                   .tensor = table->tensor,
                                   .dtype = TOPO_DTYPE_BF16};
    g_autoptr(ScenMeasured) measured = scen_measured_new();
    if (!scen_measured_read(measured, path, &profiled, error))
        return false;
    take_rows(table, measured);
    name_file(table, path);
    return true;
}
