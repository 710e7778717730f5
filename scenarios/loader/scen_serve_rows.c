/* Tables of the kernels of serving, in the columns of the AIConfigurator database.
 *
 *   context_attention     batch_size,isl,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,
 *                         window_size
 *   generation_attention  the same and step; the context is isl + step tokens
 *   moe                   num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,
 *                         moe_ep_size,distribution,moe_dtype
 *
 * kernel_source names the software. A context of one token is a decode step and is read as one.
 * The tables do not say whether experts are gated: those of Nemotron, known by their widths, are
 * not (NVIDIA Nemotron-H and Nemotron 3 model cards: relu^2), which vLLM knows and the SGLang that
 * was measured did not.
 *
 * Decode rows whose cache would have to stream faster than the memory's peak, and is more than
 * twice the L2, are physically impossible and left out (some grouped rows of the A100). */
#include "scen_serve_rows.h"

#include <string.h>

ScenServeRows *scen_serve_rows_new(void)
{
    ScenServeRows *serve = g_new0(ScenServeRows, 1);
    serve->software = g_string_chunk_new(256);
    for (int h = 0; h < KERN_HEAD_COUNT; h++)
        for (int c = 0; c < KERN_CACHE_COUNT; c++) {
            serve->prefill[h][c] = g_array_new(FALSE, FALSE, sizeof(KernPrefillRow));
            serve->decode[h][c] = g_array_new(FALSE, FALSE, sizeof(KernDecodeRow));
        }
    for (int t = 0; t < KERN_MOE_TYPES; t++)
        for (int f = 0; f < KERN_MOE_FAMILIES; f++)
            serve->moe[t][f] = g_array_new(FALSE, FALSE, sizeof(KernMoeRow));
    return serve;
}

void scen_serve_rows_free(ScenServeRows *serve)
{
    if (!serve)
        return;
    for (int h = 0; h < KERN_HEAD_COUNT; h++)
        for (int c = 0; c < KERN_CACHE_COUNT; c++) {
            g_array_unref(serve->prefill[h][c]);
            g_array_unref(serve->decode[h][c]);
        }
    for (int t = 0; t < KERN_MOE_TYPES; t++)
        for (int f = 0; f < KERN_MOE_FAMILIES; f++)
            g_array_unref(serve->moe[t][f]);
    g_string_chunk_free(serve->software);
    g_free(serve);
}

size_t scen_serve_rows_count(const ScenServeRows *serve)
{
    size_t rows = 0;
    for (int h = 0; h < KERN_HEAD_COUNT; h++)
        for (int c = 0; c < KERN_CACHE_COUNT; c++)
            rows += serve->prefill[h][c]->len + serve->decode[h][c]->len;
    for (int t = 0; t < KERN_MOE_TYPES; t++)
        for (int f = 0; f < KERN_MOE_FAMILIES; f++)
            rows += serve->moe[t][f]->len;
    return rows;
}

static const char *text(const ScenServeLine *line, const char *name)
{
    return line->text(line->ctx, name);
}

/* A whole number below 2^31, of which two can be multiplied; 0 when it is absent, none, or larger. */
static int64_t whole(const ScenServeLine *line, const char *name)
{
    int64_t value = g_ascii_strtoll(text(line, name), NULL, 10);
    return value > 0 && value <= G_MAXINT32 ? value : 0;
}

static bool is_sound(const KernPrefillShape *s)
{
    return s->sequences > 0 && s->queries > 0 && s->past >= 0 && s->heads > 0 && s->kv_heads > 0 &&
           s->head_dim > 0 && s->window >= 0;
}

static void keep(ScenServeRows *serve, const KernPrefillShape *s, double seconds,
                 const char *software)
{
    KernHead head = kern_head_class(s->head_dim);
    if (s->queries > 1) {
        KernPrefillRow row = {*s, seconds, software};
        g_array_append_val(serve->prefill[head][s->fp8_cache], row);
        return;
    }
    KernDecodeRow row = {
        {.sequences = s->sequences,
         .context = s->past + 1,
         .heads = s->heads,
         .kv_heads = s->kv_heads,
         .head_dim = s->head_dim,
         .window = s->window,
         .dtype = s->dtype,
         .fp8_cache = s->fp8_cache},
        seconds,
        software
    };
    g_array_append_val(serve->decode[head][s->fp8_cache], row);
}

void scen_serve_rows_add(ScenServeRows *serve, const KernPrefillShape *shape, double seconds)
{
    if (is_sound(shape))
        keep(serve, shape, seconds, NULL);
}

/* @decode: of one token, the last of isl + step. */
static bool take_attention(ScenServeRows *serve, const ScenServeLine *line, double seconds,
                           bool decode)
{
    int64_t tokens = whole(line, "isl"), step = whole(line, "step");
    int64_t heads = whole(line, "num_heads"), kv_heads = whole(line, "num_key_value_heads");
    const KernPrefillShape s = {
        .sequences = whole(line, "batch_size"),
        .queries = decode ? 1 : tokens,
        .past = decode ? tokens + step - 1 : step,
        .heads = heads,
        .kv_heads = kv_heads > 0 ? kv_heads : heads,
        .head_dim = whole(line, "head_dim"),
        .window = whole(line, "window_size"),
        .dtype = TOPO_DTYPE_BF16,
        .fp8_cache = g_str_equal(text(line, "kv_cache_dtype"), "fp8"),
    };
    if (!is_sound(&s))
        return false;
    keep(serve, &s, seconds,
         g_string_chunk_insert_const(serve->software, text(line, "kernel_source")));
    return true;
}

static bool moe_type(const char *name, KernMoeType *type)
{
    static const char *const names[KERN_MOE_TYPES] = {
        "bfloat16", "fp8", "fp8_block", "int4_wo", "w4a16_mxfp4", "w4a8_mxfp4_mxfp8", "nvfp4"};
    for (int i = 0; i < KERN_MOE_TYPES; i++)
        if (g_str_equal(names[i], name)) {
            *type = (KernMoeType)i;
            return true;
        }
    return false;
}

/* The first of these that a kernel's name contains. */
static KernMoeFamily moe_family(const char *source)
{
    if (strstr(source, "marlin"))
        return KERN_MOE_MARLIN;
    if (strstr(source, "cutlass"))
        return KERN_MOE_CUTLASS;
    if (strstr(source, "trtllm"))
        return strstr(source, "modular") ? KERN_MOE_TRTLLM_MODULAR : KERN_MOE_TRTLLM;
    return KERN_MOE_TRITON;
}

static bool is_ungated(const char *source, int64_t hidden, int64_t inter)
{
    static const int64_t widths[][2] = {
        {2688, 1856},
        {1024, 2688},
        {4096, 2688},
        {2048, 5120}
    };
    for (size_t i = 0; i < G_N_ELEMENTS(widths); i++)
        if (widths[i][0] == hidden && widths[i][1] == inter)
            return g_str_has_prefix(source, "vllm");
    return false;
}

static bool take_moe(ScenServeRows *serve, const ScenServeLine *line, double seconds)
{
    const char *source = text(line, "kernel_source"), *law = text(line, "distribution");
    KernMoeRow row = {
        .shape = {.tokens = whole(line, "num_tokens"),
                  .hidden = whole(line, "hidden_size"),
                  .inter = whole(line, "inter_size"),
                  .topk = whole(line, "topk"),
                  .experts = whole(line, "num_experts"),
                  .tensor = whole(line, "moe_tp_size"),
                  .expert = whole(line, "moe_ep_size"),
                  .family = moe_family(source)},
        .seconds = seconds
    };
    KernMoeShape *s = &row.shape;
    if (!moe_type(text(line, "moe_dtype"), &s->type) || s->tokens < 1 || s->hidden < 1 ||
        s->inter < 1 || s->topk < 1 || s->experts < 1 || s->tensor < 1 || s->expert < 1)
        return false;
    if (g_str_has_prefix(law, "power_law_"))
        s->power = g_ascii_strtod(law + strlen("power_law_"), NULL);
    s->ungated = is_ungated(source, s->hidden, s->inter);
    row.software = g_string_chunk_insert_const(serve->software, source);
    g_array_append_val(serve->moe[s->type][s->family], row);
    return true;
}

bool scen_serve_rows_take(ScenServeRows *serve, const ScenServeLine *line, double seconds)
{
    const char *name = text(line, "op_name");
    if (g_str_equal(name, "context_attention"))
        return take_attention(serve, line, seconds, false);
    if (g_str_equal(name, "generation_attention"))
        return take_attention(serve, line, seconds, true);
    return g_str_equal(name, "moe") && take_moe(serve, line, seconds);
}

/* Takes impossible rows out: see above. */
static void drop_impossible(ScenServeRows *serve, const TopoGpu *gpu, GArray *rows)
{
    guint kept = 0;
    for (guint i = 0; i < rows->len; i++) {
        const KernDecodeRow *row = &g_array_index(rows, KernDecodeRow, i);
        double bytes = kern_decode_cache_bytes(&row->shape);
        if (bytes > 2.0 * gpu->l2_bytes && bytes > row->seconds * gpu->memory_bytes_per_s)
            serve->impossible++;
        else
            g_array_index(rows, KernDecodeRow, kept++) = *row;
    }
    g_array_set_size(rows, kept);
}

void scen_serve_rows_drop_impossible(ScenServeRows *serve, const TopoGpu *gpu)
{
    for (int h = 0; h < KERN_HEAD_COUNT; h++)
        for (int c = 0; c < KERN_CACHE_COUNT; c++)
            drop_impossible(serve, gpu, serve->decode[h][c]);
}

static GArray *joined(GArray *const *classes, size_t count)
{
    GArray *all = g_array_new(FALSE, FALSE, g_array_get_element_size(classes[0]));
    for (size_t i = 0; i < count; i++)
        g_array_append_vals(all, classes[i]->data, classes[i]->len);
    return all;
}

void scen_serve_rows_index(const ScenServeRows *serve, KernTable *table)
{
    g_autoptr(GArray) prefill = joined(&serve->prefill[0][0], KERN_HEAD_COUNT * KERN_CACHE_COUNT);
    g_autoptr(GArray) decode = joined(&serve->decode[0][0], KERN_HEAD_COUNT * KERN_CACHE_COUNT);
    g_autoptr(GArray) moe = joined(&serve->moe[0][0], KERN_MOE_TYPES * KERN_MOE_FAMILIES);
    const KernTableServeRows rows = {
        .prefill = (const KernPrefillRow *)(void *)prefill->data,
        .decode = (const KernDecodeRow *)(void *)decode->data,
        .moe = (const KernMoeRow *)(void *)moe->data,
        .prefill_count = prefill->len,
        .decode_count = decode->len,
        .moe_count = moe->len,
    };
    kern_table_set_serving(table, &rows);
}
