/* Tables of measured kernels, told apart by their columns.
 *
 *   AIConfigurator  op_name,...,latency in ms: gemm (gemm_dtype,m,n,k); context_attention
 *                   (batch_size,isl,num_heads,num_key_value_heads,head_dim,attn_dtype,
 *                   kv_cache_dtype,window_size); generation_attention, the same and step: one
 *                   query on isl + step keys
 *   generic         op,dtype, sizes, and one of seconds, latency_ms, latency_us. gemm: m,n,k and
 *                   batch (1); attention: causal, batch sequences (1) of heads query and
 *                   kv_heads key/value heads (as many), head_dim wide, m query tokens behind
 *                   context others (0); attention_decode: one query token on context keys. What
 *                   the kit of kernels/gpu prints
 *   LLMServingSim   layer,tokens,time_us; layer,sequences,time_us;
 *                   prefill_chunk,kv_prefill,n_decode,kv_decode,time_us
 *   Vidur           num_tokens,...,time_stats.mlp_up_proj.median in ms, and the like of attention
 *
 * The last two name layers of a model: scen_measured_layers.c. A row that is wrong is an error, one
 * of an operation, type or variant that has no place here is counted as skipped: collectives,
 * norms, and for training sliding windows and caches in another type than the queries. */
#include "scen_measured_private.h"

#include "kern_table.h"
#include "scen_errors.h"

#include <string.h>

static const struct {
    const char *text;
    TopoDtype dtype;
} dtypes[] = {
    {"fp32",     TOPO_DTYPE_FP32},
    {"float32",  TOPO_DTYPE_FP32},
    {"tf32",     TOPO_DTYPE_TF32},
    {"fp16",     TOPO_DTYPE_FP16},
    {"float16",  TOPO_DTYPE_FP16},
    {"half",     TOPO_DTYPE_FP16},
    {"bf16",     TOPO_DTYPE_BF16},
    {"bfloat16", TOPO_DTYPE_BF16},
    {"fp8",      TOPO_DTYPE_FP8 },
    {"fp4",      TOPO_DTYPE_FP4 },
    {"nvfp4",    TOPO_DTYPE_FP4 },
};

static bool dtype_of(const char *text, TopoDtype *dtype)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dtypes); i++)
        if (g_str_equal(dtypes[i].text, text)) {
            *dtype = dtypes[i].dtype;
            return true;
        }
    return false;
}

bool scen_measured_gemm_type(const char *text, KernGemmShape *shape)
{
    static const struct {
        const char *text;
        TopoDtype dtype;
        KernGemmWeights weights;
    } types[] = {
        {"fp8_block", TOPO_DTYPE_FP8,  KERN_WEIGHTS_BLOCK_SCALED},
        {"int8_wo",   TOPO_DTYPE_BF16, KERN_WEIGHTS_INT8        },
        {"int4_wo",   TOPO_DTYPE_BF16, KERN_WEIGHTS_INT4        },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_equal(types[i].text, text)) {
            shape->dtype = types[i].dtype;
            shape->weights = types[i].weights;
            return true;
        }
    shape->weights = KERN_WEIGHTS_PLAIN;
    return dtype_of(text, &shape->dtype);
}

static int column(const ScenMeasuredReader *reader, const char *name)
{
    return scen_csv_column(reader->csv, name);
}

static const char *text(const ScenMeasuredReader *reader, const char *name)
{
    return scen_csv_text(reader->csv, column(reader, name));
}

static bool size(const ScenMeasuredReader *reader, const char *name, int64_t absent, int64_t *value,
                 GError **error)
{
    int at = column(reader, name);
    if (at < 0 && absent < 0)
        return scen_csv_fail(reader->csv, error, "the table needs a column %s", name);
    return scen_csv_size(reader->csv, at, absent == 0 ? 0 : 1, absent, value, error);
}

static bool skip(ScenMeasuredReader *reader)
{
    reader->measured->skipped++;
    return true;
}

bool scen_measured_seconds(const ScenMeasuredReader *reader, int at, double unit_s, double *seconds,
                           GError **error)
{
    double value = 0.0;
    if (!scen_csv_number(reader->csv, at, 0.0, &value, error))
        return false;
    *seconds = value * unit_s;
    if (*seconds <= 0.0 || *seconds > 1e6)
        return scen_csv_fail(reader->csv, error, "a time must be above 0 and below 10^6 s, not %s",
                             scen_csv_text(reader->csv, at));
    return true;
}

void scen_measured_add_gemm(ScenMeasuredReader *reader, const KernGemmShape *shape, double seconds)
{
    KernGemmRow row = {*shape, seconds};
    g_array_append_val(reader->measured->gemm, row);
}

void scen_measured_add_call(ScenMeasuredReader *reader, const ScenMeasuredCall *call,
                            double seconds)
{
    double keys = (double)(call->before + call->queries);
    double seen = (double)call->before + 0.5 * (double)call->queries;
    KernAttentionRow row = {
        {
         .batch = call->batch,
         .kv_batch = call->kv_batch,
         .queries = call->queries,
         .keys = call->before + call->queries,
         .head_dim = call->head_dim,
         .unmasked_fraction = call->queries > 1 ? seen / keys : 1.0,
         .dtype = call->dtype,
         },
        seconds,
    };
    g_array_append_val(reader->measured->attention, row);
    if (call->sequences > 0)
        scen_serve_rows_add(reader->measured->serve,
                            &(KernPrefillShape){.sequences = call->sequences,
                                                .queries = call->queries,
                                                .past = call->before,
                                                .heads = call->batch / call->sequences,
                                                .kv_heads = call->kv_batch / call->sequences,
                                                .head_dim = call->head_dim,
                                                .dtype = call->dtype},
                            seconds);
}

static const char *serve_text(const void *csv, const char *name)
{
    return scen_csv_text(csv, scen_csv_column(csv, name));
}

static bool add_product(ScenMeasuredReader *reader, const char *type, bool quantised,
                        double seconds, GError **error)
{
    KernGemmShape shape = {.batch = 1};
    if (!size(reader, "m", -1, &shape.m, error) || !size(reader, "n", -1, &shape.n, error) ||
        !size(reader, "k", -1, &shape.k, error) || !size(reader, "batch", 1, &shape.batch, error))
        return false;
    if (!scen_measured_gemm_type(type, &shape))
        return skip(reader);
    shape.quantised = quantised && (shape.dtype == TOPO_DTYPE_FP8 || shape.dtype == TOPO_DTYPE_FP4);
    scen_measured_add_gemm(reader, &shape, seconds);
    return true;
}

static bool take_aiconfigurator(ScenMeasuredReader *reader, GError **error)
{
    const char *op = text(reader, "op_name");
    bool decode = g_str_equal(op, "generation_attention");
    double seconds = 0.0;
    if (!scen_measured_seconds(reader, column(reader, "latency"), 1e-3, &seconds, error))
        return false;
    if (g_str_equal(op, "gemm"))
        return add_product(reader, text(reader, "gemm_dtype"), true, seconds, error);
    const ScenServeLine line = {serve_text, reader->csv};
    bool serves = scen_serve_rows_take(reader->measured->serve, &line, seconds);
    if (!decode && !g_str_equal(op, "context_attention"))
        return serves || skip(reader);
    int64_t sequences, tokens, heads, kv_heads, window, step;
    ScenMeasuredCall call = {0};
    if (!size(reader, "batch_size", -1, &sequences, error) ||
        !size(reader, "isl", -1, &tokens, error) || !size(reader, "num_heads", -1, &heads, error) ||
        !size(reader, "num_key_value_heads", 0, &kv_heads, error) ||
        !size(reader, "head_dim", -1, &call.head_dim, error) ||
        !size(reader, "window_size", 0, &window, error) || !size(reader, "step", 0, &step, error))
        return false;
    const char *type = text(reader, "attn_dtype"), *cache = text(reader, "kv_cache_dtype");
    if (!dtype_of(type, &call.dtype) || window > 0 || (*cache != '\0' && !g_str_equal(cache, type)))
        return serves || skip(reader);
    call.batch = sequences * heads;
    call.kv_batch = sequences * (kv_heads > 0 ? kv_heads : heads);
    call.queries = decode ? 1 : tokens;
    call.before = decode ? tokens + step - 1 : 0;
    scen_measured_add_call(reader, &call, seconds);
    return true;
}

static bool generic_seconds(const ScenMeasuredReader *reader, double *seconds, GError **error)
{
    static const struct {
        const char *name;
        double unit_s;
    } units[] = {
        {"seconds",    1.0 },
        {"latency_ms", 1e-3},
        {"latency_us", 1e-6},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (column(reader, units[i].name) >= 0)
            return scen_measured_seconds(reader, column(reader, units[i].name), units[i].unit_s,
                                         seconds, error);
    return scen_csv_fail(reader->csv, error,
                         "the table needs a column seconds, latency_ms or latency_us");
}

static bool take_generic(ScenMeasuredReader *reader, GError **error)
{
    const char *op = text(reader, "op"), *type = text(reader, "dtype");
    double seconds = 0.0;
    if (!generic_seconds(reader, &seconds, error))
        return false;
    if (g_str_equal(op, "gemm"))
        return add_product(reader, type, false, seconds, error);
    bool decode = g_str_equal(op, "attention_decode");
    if (!decode && !g_str_equal(op, "attention"))
        return skip(reader);
    int64_t sequences, heads, kv_heads;
    ScenMeasuredCall call = {.queries = 1};
    if (!size(reader, "batch", 1, &sequences, error) || !size(reader, "heads", -1, &heads, error) ||
        !size(reader, "kv_heads", heads, &kv_heads, error) ||
        !size(reader, "head_dim", -1, &call.head_dim, error) ||
        (!decode && !size(reader, "m", -1, &call.queries, error)) ||
        !size(reader, "context", decode ? -1 : 0, &call.before, error))
        return false;
    if (!dtype_of(type, &call.dtype))
        return skip(reader);
    call.before -= decode; /* the context has the query's own key in it */
    call.sequences = sequences;
    call.batch = sequences * heads;
    call.kv_batch = sequences * kv_heads;
    scen_measured_add_call(reader, &call, seconds);
    return true;
}

static const struct {
    const char *software;
    const char *columns[4]; /* that tell it from the others */
    ScenMeasuredTake take;
    bool layers; /* its rows name layers, whose shapes are not in them */
} formats[] = {
  /* clang-format off */
    {.software = "aiconfigurator", .columns = {"op_name", "latency"}, .take = take_aiconfigurator},
    {.software = "plain", .columns = {"op", "dtype"}, .take = take_generic},
    {.software = "llmservingsim", .columns = {"layer", "tokens", "time_us"}, .take = scen_measured_take_layer, .layers = true},
    {.software = "llmservingsim", .columns = {"layer", "sequences", "time_us"}, .take = scen_measured_take_layer,
     .layers = true},
    {.software = "llmservingsim", .columns = {"prefill_chunk", "kv_prefill", "n_decode", "time_us"},
     .take = scen_measured_take_mixed, .layers = true},
    {.software = "vidur", .columns = {"num_tokens", "n_embd", "time_stats.mlp_up_proj.median"},
     .take = scen_measured_take_vidur},
    {.software = "vidur", .columns = {"prefill_chunk_size", "kv_cache_size", "n_embd", "n_q_head"},
     .take = scen_measured_take_vidur_attention},
  /* clang-format on */
};

/* The row of the format of @csv; that after the last when it has the columns of none. */
static size_t format_of(const ScenCsv *csv)
{
    size_t f = 0;
    for (; f < G_N_ELEMENTS(formats); f++) {
        bool all = true;
        for (size_t c = 0; c < G_N_ELEMENTS(formats[f].columns) && formats[f].columns[c]; c++)
            all = all && scen_csv_column(csv, formats[f].columns[c]) >= 0;
        if (all)
            break;
    }
    return f;
}

/* "tp4" as the name of the folder of @path says 4. */
static int64_t tensor_of_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(folder);
    int64_t ranks = g_str_has_prefix(name, "tp") ? g_ascii_strtoll(name + 2, NULL, 10) : 1;
    return CLAMP(ranks, 1, 1024);
}

bool scen_measured_read(ScenMeasured *measured, const char *path, const ScenProfiled *profiled,
                        GError **error)
{
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    if (!csv)
        return false;
    size_t format = format_of(csv);
    if (format == G_N_ELEMENTS(formats)) {
        g_autofree char *header = scen_quote(scen_csv_header(csv));
        return scen_csv_fail(csv, error,
                             "columns %s are none of AIConfigurator (op_name, latency), generic "
                             "(op, dtype, seconds), LLMServingSim (layer, tokens, time_us) or "
                             "Vidur (num_tokens, time_stats...)",
                             header);
    }
    measured->software = formats[format].software;
    ScenMeasuredReader reader = {.measured = measured, .csv = csv, .path = path};
    reader.profiled = profiled ? *profiled : (ScenProfiled){.dtype = TOPO_DTYPE_BF16};
    if (reader.profiled.tensor == 0)
        reader.profiled.tensor = tensor_of_folder(path);
    if (formats[format].layers && !reader.profiled.model)
        return scen_csv_fail(
            csv, error,
            "the rows name layers of a model, and it is not known of which: in a scenario write "
            "table: {file: FILE, model: NAME, tensor: RANKS}, on the command line --model NAME "
            "--tensor RANKS");
    g_autoptr(GError) cause = NULL;
    while (scen_csv_next(csv, &cause))
        if (!formats[format].take(&reader, error))
            return false;
    bool sound = cause == NULL;
    if (!sound)
        g_propagate_error(error, g_steal_pointer(&cause));
    return sound;
}

ScenMeasured *scen_measured_new(void)
{
    ScenMeasured *measured = g_new0(ScenMeasured, 1);
    measured->gemm = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
    measured->attention = g_array_new(FALSE, FALSE, sizeof(KernAttentionRow));
    measured->serve = scen_serve_rows_new();
    return measured;
}

void scen_measured_free(ScenMeasured *measured)
{
    if (!measured)
        return;
    g_array_unref(measured->gemm);
    g_array_unref(measured->attention);
    scen_serve_rows_free(measured->serve);
    g_free(measured);
}

KernTable *scen_measured_table(const ScenMeasured *measured)
{
    KernTable *table = kern_table_new(
        (const KernGemmRow *)(void *)measured->gemm->data, measured->gemm->len,
        (const KernAttentionRow *)(void *)measured->attention->data, measured->attention->len);
    scen_serve_rows_index(measured->serve, table);
    return table;
}
