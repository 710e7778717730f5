/* Kernel tables as the AIConfigurator database exports them.
 *
 * The first column names the operation, the header names the rest:
 *
 *   gemm               gemm_dtype,m,n,k,latency
 *   context_attention  batch_size,isl,num_heads,head_dim,attn_dtype,window_size,latency
 *   generation_attention, moe   see scen_fit_serve.c
 *   all_reduce, ...    nccl_dtype,num_gpus,message_size,latency
 *   all_reduce         allreduce_dtype,num_gpus,message_size,latency,backend  (a serving engine's)
 *
 * latency is in ms; message_size counts elements, 2 bytes in half and 1 in int8. fp8 products
 * include the conversion of their activations. Collectives of all sizes and both types are kept: a
 * switch reduces half, not int8, so both of its paths are measured. An engine's backend ends in
 * _graph when the call was captured, else in _eager. */
#include "scen_fit_table.h"

#include "scen_csv.h"
#include "scen_errors.h"
#include "scen_fit_foreign.h"
#include "scen_measured.h"

static const char *cell(const ScenCsv *csv, const char *name)
{
    return scen_csv_text(csv, scen_csv_column(csv, name));
}

/* The whole number of at least @least in the column @name, which the table must have unless @least
 * is 0. */
static bool size(const ScenCsv *csv, const char *name, int64_t least, int64_t *value,
                 GError **error)
{
    int column = scen_csv_column(csv, name);
    if (column < 0 && least > 0)
        return scen_csv_fail(csv, error, "the table needs a column %s", name);
    return scen_csv_size(csv, column, least, 0, value, error);
}

static const struct {
    const char *text;
    TopoDtype dtype;
} dtypes[] = {
    {"bfloat16", TOPO_DTYPE_BF16},
    {"float16",  TOPO_DTYPE_FP16},
    {"half",     TOPO_DTYPE_FP16},
    {"fp8",      TOPO_DTYPE_FP8 },
};

static bool dtype_of(const char *text, TopoDtype *dtype)
{
    for (size_t i = 0; text && i < G_N_ELEMENTS(dtypes); i++) {
        if (g_str_equal(dtypes[i].text, text)) {
            *dtype = dtypes[i].dtype;
            return true;
        }
    }
    return false;
}

static bool take_gemm(ScenFitTable *table, const ScenCsv *csv, double seconds, bool *taken,
                      GError **error)
{
    KernGemmRow row = {{.batch = 1}, seconds};
    if (!size(csv, "m", 1, &row.shape.m, error) || !size(csv, "n", 1, &row.shape.n, error) ||
        !size(csv, "k", 1, &row.shape.k, error))
        return false;
    *taken = scen_measured_gemm_type(cell(csv, "gemm_dtype"), &row.shape);
    row.shape.quantised = row.shape.dtype == TOPO_DTYPE_FP8 || row.shape.dtype == TOPO_DTYPE_FP4;
    if (*taken)
        g_array_append_val(table->gemm[kern_gemm_type(&row.shape)], row);
    return true;
}

static bool take_attention(ScenFitTable *table, const ScenCsv *csv, double seconds, bool *taken,
                           GError **error)
{
    KernAttentionRow row = {{.unmasked_fraction = 0.5}, seconds};
    TopoDtype kept = TOPO_DTYPE_BF16;
    int64_t sequences = 0, heads = 0, window = 0;
    if (!size(csv, "batch_size", 1, &sequences, error) ||
        !size(csv, "num_heads", 1, &heads, error) ||
        !size(csv, "isl", 1, &row.shape.queries, error) ||
        !size(csv, "head_dim", 1, &row.shape.head_dim, error) ||
        !size(csv, "window_size", 0, &window, error))
        return false;
    row.shape.keys = row.shape.queries;
    row.shape.batch = sequences * heads;
    bool half_cache = !dtype_of(cell(csv, "kv_cache_dtype"), &kept) || kept != TOPO_DTYPE_FP8;
    /* Training-like calls: enough work to fill the GPU. */
    *taken = dtype_of(cell(csv, "attn_dtype"), &row.shape.dtype) &&
             row.shape.dtype != TOPO_DTYPE_FP8 && window == 0 && half_cache &&
             row.shape.batch >= 16 && row.shape.queries >= 512;
    if (*taken)
        g_array_append_val(table->attention, row);
    return true;
}

static const struct {
    const char *text;
    TopoCollectiveOp op;
} collectives[] = {
    {"all_reduce",     TOPO_OP_ALL_REDUCE    },
    {"all_gather",     TOPO_OP_ALL_GATHER    },
    {"reduce_scatter", TOPO_OP_REDUCE_SCATTER},
    {"alltoall",       TOPO_OP_ALL_TO_ALL    },
};

enum { RANKS_MAX = 65536 };

/* The call of a row, in elements of @element_bytes. */
static bool read_call(const ScenCsv *csv, double element_bytes, TopoCollectiveCall *call,
                      GError **error)
{
    int64_t ranks = 0, elements = 0;
    if (!size(csv, "num_gpus", 1, &ranks, error) || !size(csv, "message_size", 1, &elements, error))
        return false;
    if (ranks < 2 || ranks > RANKS_MAX)
        return scen_csv_fail(csv, error, "num_gpus must be from 2 to %d, not %s", RANKS_MAX,
                             cell(csv, "num_gpus"));
    call->ranks = call->ranks_per_domain = (uint32_t)ranks;
    call->bytes = (double)elements * element_bytes;
    return true;
}

static bool take_engine(ScenFitTable *table, const ScenCsv *csv, double seconds, bool *taken,
                        GError **error)
{
    const char *backend = cell(csv, "backend");
    KernEngineRow row = {.call.op = TOPO_OP_ALL_REDUCE, .seconds = seconds};
    TopoDtype dtype;
    if (!dtype_of(cell(csv, "allreduce_dtype"), &dtype))
        return true;
    if (!read_call(csv, topo_dtype_bytes(dtype), &row.call, error))
        return false;
    row.call.domain_reduces = table->switch_reduces && dtype != TOPO_DTYPE_FP8;
    row.captured = g_str_has_suffix(backend, "_graph");
    *taken = row.captured || g_str_has_suffix(backend, "_eager");
    if (*taken)
        g_array_append_val(table->engine, row);
    return true;
}

static bool take_collective(ScenFitTable *table, const ScenCsv *csv, double seconds, bool *taken,
                            GError **error)
{
    const char *name = cell(csv, "op_name"), *dtype = cell(csv, "nccl_dtype");
    bool half = g_str_equal(dtype, "half"), int8 = g_str_equal(dtype, "int8");
    KernProtocolRow row = {.seconds = seconds};
    for (size_t i = 0; i < G_N_ELEMENTS(collectives) && (half || int8); i++) {
        row.call.op = collectives[i].op;
        if (!g_str_equal(collectives[i].text, name))
            continue;
        if (!read_call(csv, half ? 2.0 : 1.0, &row.call, error))
            return false;
        row.call.domain_reduces =
            table->switch_reduces && half && row.call.op == TOPO_OP_ALL_REDUCE;
        g_array_append_val(table->collective[topo_protocol_op(row.call.op)], row);
        *taken = true;
    }
    return true;
}

static const char *text_of(const void *csv, const char *name)
{
    return cell(csv, name);
}

static bool take(ScenFitTable *table, const ScenCsv *csv, GError **error)
{
    const char *name = cell(csv, "op_name");
    double milliseconds = 0.0;
    bool taken = false, done = true;
    if (!scen_csv_number(csv, scen_csv_column(csv, "latency"), 0.0, &milliseconds, error))
        return false;
    double seconds = milliseconds * 1e-3;
    bool serves = g_str_equal(name, "generation_attention") || g_str_equal(name, "moe");
    if (seconds <= 0.0 || *name == '\0') {
        table->skipped++;
        return true;
    }
    if (g_str_equal(name, "gemm"))
        done = take_gemm(table, csv, seconds, &taken, error);
    else if (g_str_equal(name, "context_attention"))
        done = take_attention(table, csv, seconds, &taken, error);
    else if (!serves && *cell(csv, "allreduce_dtype") != '\0')
        done = take_engine(table, csv, seconds, &taken, error);
    else if (!serves)
        done = take_collective(table, csv, seconds, &taken, error);
    const ScenServeLine line = {text_of, csv};
    taken = (done && scen_serve_rows_take(table->serve, &line, seconds)) || taken;
    table->skipped += !taken;
    return done;
}

bool scen_fit_table_read(ScenFitTable *table, const char *path, GError **error)
{
    bool foreign = false;
    if (!scen_fit_foreign_read(table, path, &foreign, error))
        return false;
    if (foreign)
        return true;
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    g_autoptr(GError) fault = NULL;
    if (!csv)
        return false;
    g_autofree char *name = g_path_get_basename(path);
    g_string_append_printf(table->files, "%s%s", table->files->len > 0 ? ", " : "", name);
    while (scen_csv_next(csv, &fault))
        if (!take(table, csv, error))
            return false;
    bool sound = fault == NULL;
    if (!sound)
        g_propagate_error(error, g_steal_pointer(&fault));
    return sound;
}

bool scen_fit_table_check(const ScenFitTable *table, GError **error)
{
    guint taken = table->attention->len + table->engine->len;
    taken += (guint)scen_serve_rows_count(table->serve);
    for (int t = 0; t < KERN_GEMM_TYPES; t++)
        taken += table->gemm[t]->len;
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++)
        taken += table->collective[op]->len;
    if (taken == 0)
        g_set_error(
            error, SCEN_ERROR, SCEN_ERROR_WRONG,
            "no line of these tables is a measurement that can be fitted (op_name is gemm, "
            "context_attention, generation_attention, moe or a collective, latency is in ms)");
    return taken > 0;
}

ScenFitTable *scen_fit_table_new(bool switch_reduces)
{
    ScenFitTable *table = g_new0(ScenFitTable, 1);
    table->switch_reduces = switch_reduces;
    table->files = g_string_new(NULL);
    table->serve = scen_serve_rows_new();
    table->attention = g_array_new(FALSE, FALSE, sizeof(KernAttentionRow));
    table->engine = g_array_new(FALSE, FALSE, sizeof(KernEngineRow));
    for (int t = 0; t < KERN_GEMM_TYPES; t++)
        table->gemm[t] = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++)
        table->collective[op] = g_array_new(FALSE, FALSE, sizeof(KernProtocolRow));
    return table;
}

void scen_fit_table_free(ScenFitTable *table)
{
    if (!table)
        return;
    g_string_free(table->files, TRUE);
    scen_serve_rows_free(table->serve);
    g_array_unref(table->attention);
    g_array_unref(table->engine);
    for (int t = 0; t < KERN_GEMM_TYPES; t++)
        g_array_unref(table->gemm[t]);
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++)
        g_array_unref(table->collective[op]);
    g_free(table);
}
