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

#include "scen_errors.h"
#include "scen_fit_foreign.h"
#include "scen_measured.h"

typedef struct Line {
    char **header;
    char **cell;
} Line;

static const char *cell(const Line *line, const char *name)
{
    for (size_t i = 0; line->header[i] && line->cell[i]; i++) {
        if (g_str_equal(line->header[i], name))
            return line->cell[i];
    }
    return NULL;
}

static double number(const Line *line, const char *name)
{
    const char *text = cell(line, name);
    return text ? g_ascii_strtod(text, NULL) : 0.0;
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

static bool take_gemm(ScenFitTable *table, const Line *line, double seconds)
{
    KernGemmRow row = {{.batch = 1}, seconds};
    const char *type = cell(line, "gemm_dtype");
    if (!type || !scen_measured_gemm_type(type, &row.shape))
        return false;
    row.shape.quantised = row.shape.dtype == TOPO_DTYPE_FP8 || row.shape.dtype == TOPO_DTYPE_FP4;
    row.shape.m = (int64_t)number(line, "m");
    row.shape.n = (int64_t)number(line, "n");
    row.shape.k = (int64_t)number(line, "k");
    if (row.shape.m < 1 || row.shape.n < 1 || row.shape.k < 1)
        return false;
    g_array_append_val(table->gemm[kern_gemm_type(&row.shape)], row);
    return true;
}

static bool take_attention(ScenFitTable *table, const Line *line, double seconds)
{
    KernAttentionRow row = {{.unmasked_fraction = 0.5}, seconds};
    const char *cache = cell(line, "kv_cache_dtype");
    TopoDtype kept = TOPO_DTYPE_BF16;
    if (!dtype_of(cell(line, "attn_dtype"), &row.shape.dtype) ||
        row.shape.dtype == TOPO_DTYPE_FP8 || number(line, "window_size") > 0.0 ||
        (cache && dtype_of(cache, &kept) && kept == TOPO_DTYPE_FP8))
        return false;
    row.shape.batch = (int64_t)(number(line, "batch_size") * number(line, "num_heads"));
    row.shape.queries = row.shape.keys = (int64_t)number(line, "isl");
    row.shape.head_dim = (int64_t)number(line, "head_dim");
    /* Training-like calls: enough work to fill the GPU. */
    if (row.shape.batch < 16 || row.shape.queries < 512)
        return false;
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

/* The call of a line, in elements of @element_bytes. */
static bool read_call(const Line *line, double element_bytes, TopoCollectiveCall *call)
{
    double ranks = number(line, "num_gpus"), elements = number(line, "message_size");
    if (!(ranks >= 2.0 && ranks <= 65536.0) || !(elements > 0.0 && elements <= 1e15))
        return false;
    call->ranks = call->ranks_per_domain = (uint32_t)ranks;
    call->bytes = elements * element_bytes;
    return true;
}

static bool take_engine(ScenFitTable *table, const Line *line, double seconds)
{
    const char *backend = cell(line, "backend");
    KernEngineRow row = {.call.op = TOPO_OP_ALL_REDUCE, .seconds = seconds};
    TopoDtype dtype;
    if (!dtype_of(cell(line, "allreduce_dtype"), &dtype) || !backend ||
        !read_call(line, topo_dtype_bytes(dtype), &row.call))
        return false;
    row.call.domain_reduces = table->switch_reduces && dtype != TOPO_DTYPE_FP8;
    row.captured = g_str_has_suffix(backend, "_graph");
    if (!row.captured && !g_str_has_suffix(backend, "_eager"))
        return false;
    g_array_append_val(table->engine, row);
    return true;
}

static bool take_collective(ScenFitTable *table, const Line *line, double seconds)
{
    const char *name = cell(line, "op_name"), *dtype = cell(line, "nccl_dtype");
    bool half = dtype && g_str_equal(dtype, "half"), int8 = dtype && g_str_equal(dtype, "int8");
    KernProtocolRow row = {.seconds = seconds};
    if (!(half || int8) || !read_call(line, half ? 2.0 : 1.0, &row.call))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(collectives); i++) {
        row.call.op = collectives[i].op;
        if (!g_str_equal(collectives[i].text, name))
            continue;
        row.call.domain_reduces =
            table->switch_reduces && half && row.call.op == TOPO_OP_ALL_REDUCE;
        g_array_append_val(table->collective[topo_protocol_op(row.call.op)], row);
        return true;
    }
    return false;
}

static const char *text_of(const void *line, const char *name)
{
    const char *text = cell(line, name);
    return text ? text : "";
}

static void take(ScenFitTable *table, const Line *line)
{
    const char *name = cell(line, "op_name");
    double seconds = number(line, "latency") * 1e-3;
    bool taken = false;
    if (name && seconds > 0.0) {
        if (g_str_equal(name, "gemm"))
            taken = take_gemm(table, line, seconds);
        else if (g_str_equal(name, "context_attention"))
            taken = take_attention(table, line, seconds);
        else if (g_str_equal(name, "generation_attention") || g_str_equal(name, "moe"))
            taken = false; /* below */
        else if (cell(line, "allreduce_dtype"))
            taken = take_engine(table, line, seconds);
        else
            taken = take_collective(table, line, seconds);
    }
    if (name && seconds > 0.0)
        taken =
            scen_serve_rows_take(table->serve, &(ScenServeLine){text_of, line}, seconds) || taken;
    table->skipped += !taken;
}

bool scen_fit_table_read(ScenFitTable *table, const char *path, GError **error)
{
    bool foreign = false;
    if (!scen_fit_foreign_read(table, path, &foreign, error))
        return false;
    if (foreign)
        return true;
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return false;
    g_autofree char *name = g_path_get_basename(path);
    g_string_append_printf(table->files, "%s%s", table->files->len > 0 ? ", " : "", name);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) header = g_strsplit(g_strchomp(lines[0]), ",", -1);
    for (size_t i = 1; lines[i]; i++) {
        if (*g_strchomp(lines[i]) == '\0')
            continue;
        g_auto(GStrv) cells = g_strsplit(lines[i], ",", -1);
        Line line = {header, cells};
        take(table, &line);
    }
    return true;
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
