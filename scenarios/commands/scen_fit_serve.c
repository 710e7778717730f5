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
 * twice the L2, are physically impossible and left out (some grouped rows of the A100). Folds are
 * random over the rows: the n-th row falls into fold hash(n) mod folds, whatever its size. */
#include "scen_fit_serve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_SEARCHED = 400 };

ScenFitServe *scen_fit_serve_new(void)
{
    ScenFitServe *serve = g_new0(ScenFitServe, 1);
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

void scen_fit_serve_free(ScenFitServe *serve)
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

size_t scen_fit_serve_rows(const ScenFitServe *serve)
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

typedef struct Line {
    char **header, **cells;
} Line;

static const char *text(const Line *line, const char *name)
{
    for (size_t i = 0; line->header[i] && line->cells[i]; i++)
        if (g_str_equal(line->header[i], name))
            return line->cells[i];
    return "";
}

/* A whole number; 0 when it is absent or none. */
static int64_t whole(const Line *line, const char *name)
{
    return g_ascii_strtoll(text(line, name), NULL, 10);
}

static bool take_decode(ScenFitServe *serve, const Line *line, double seconds, int64_t context)
{
    KernDecodeRow row = {
        .shape = {.sequences = whole(line, "batch_size"),
                  .context = context,
                  .heads = whole(line, "num_heads"),
                  .kv_heads = whole(line, "num_key_value_heads"),
                  .head_dim = whole(line, "head_dim"),
                  .window = whole(line, "window_size"),
                  .dtype = TOPO_DTYPE_BF16,
                  .fp8_cache = g_str_equal(text(line, "kv_cache_dtype"), "fp8")},
        .seconds = seconds
    };
    const KernDecodeShape *s = &row.shape;
    if (s->sequences < 1 || context < 1 || s->heads < 1 || s->kv_heads < 1 || s->head_dim < 1)
        return false;
    row.software = g_string_chunk_insert_const(serve->software, text(line, "kernel_source"));
    g_array_append_val(serve->decode[kern_head_class(s->head_dim)][s->fp8_cache], row);
    return true;
}

static bool take_prefill(ScenFitServe *serve, const Line *line, double seconds)
{
    KernPrefillRow row = {
        .shape = {.sequences = whole(line, "batch_size"),
                  .queries = whole(line, "isl"),
                  .heads = whole(line, "num_heads"),
                  .kv_heads = whole(line, "num_key_value_heads"),
                  .head_dim = whole(line, "head_dim"),
                  .window = whole(line, "window_size"),
                  .dtype = TOPO_DTYPE_BF16,
                  .fp8_cache = g_str_equal(text(line, "kv_cache_dtype"), "fp8")},
        .seconds = seconds
    };
    const KernPrefillShape *s = &row.shape;
    if (s->queries == 1)
        return take_decode(serve, line, seconds, 1);
    if (s->sequences < 1 || s->queries < 1 || s->heads < 1 || s->kv_heads < 1 || s->head_dim < 1)
        return false;
    row.software = g_string_chunk_insert_const(serve->software, text(line, "kernel_source"));
    g_array_append_val(serve->prefill[kern_head_class(s->head_dim)][s->fp8_cache], row);
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

static bool take_moe(ScenFitServe *serve, const Line *line, double seconds)
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

bool scen_fit_serve_take(ScenFitServe *serve, char **header, char **cells, double seconds)
{
    const Line line = {header, cells};
    const char *name = text(&line, "op_name");
    if (g_str_equal(name, "context_attention"))
        return take_prefill(serve, &line, seconds);
    if (g_str_equal(name, "generation_attention"))
        return take_decode(serve, &line, seconds, whole(&line, "isl") + whole(&line, "step"));
    return g_str_equal(name, "moe") && take_moe(serve, &line, seconds);
}

/* Takes impossible rows out: see above. */
static void drop_impossible(ScenFitServe *serve, const TopoGpu *gpu, GArray *rows)
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

static void print_coefficients(const KernCoefficient *list, size_t count, const void *fit)
{
    for (size_t i = 0; i < count; i++) {
        double value = *(const double *)((const char *)fit + list[i].offset);
        value = fabs(value) < 1e-15 ? 0.0 : value; /* where the search left a rounding error */
        if (list[i].time)
            printf("%s%s: %.5g us",
                   i % 5 ? ", "
                   : i   ? ",\n      "
                         : "      ",
                   list[i].key, value * 1e6);
        else
            printf("%s%s: %.5g", i % 5 ? ", " : i ? ",\n      " : "      ", list[i].key, value);
    }
    puts("}");
    fflush(stdout);
}

static void print_fitted(const char *name, const char *suffix, const KernFitted *fitted)
{
    printf("    %s%s: {software: %s, rows: %" G_GINT64_FORMAT
           ", median_error: %.4f, p90_error: %.4f,\n",
           name, suffix, fitted->software, fitted->rows, fitted->median_error_fraction,
           fitted->p90_error_fraction);
}

static void print_attention(ScenFitServe *serve, const TopoGpu *gpu, size_t least, bool decode)
{
    size_t count;
    bool any = false;
    for (int i = 0; i < KERN_HEAD_COUNT * KERN_CACHE_COUNT; i++) {
        int h = i / KERN_CACHE_COUNT, c = i % KERN_CACHE_COUNT;
        const GArray *rows = decode ? serve->decode[h][c] : serve->prefill[h][c];
        if (rows->len < least)
            continue;
        if (!any)
            puts(decode ? "  decode:" : "  prefill:");
        any = true;
        const char *name = kern_head_name((KernHead)h), *suffix = c ? "_fp8" : "";
        if (decode) {
            KernDecodeFit fit = {0};
            kern_fit_decode(gpu, (const KernDecodeRow *)rows->data, rows->len, ROWS_SEARCHED, &fit);
            print_fitted(name, suffix, &fit.fitted);
            printf("      regroups: %s,\n", fit.regroups ? "true" : "false");
            const KernCoefficient *list = kern_decode_coefficients(&count);
            print_coefficients(list, count, &fit);
        } else {
            KernPrefillFit fit = {0};
            kern_fit_prefill(gpu, (const KernPrefillRow *)rows->data, rows->len, ROWS_SEARCHED,
                             &fit);
            print_fitted(name, suffix, &fit.fitted);
            printf("      tile_rows: %d, tile_keys: %d, tiles_per_sm: %d, packs_group: %s,\n",
                   (int)fit.tile_rows, (int)fit.tile_keys, (int)fit.tiles_per_sm,
                   fit.packs_group ? "true" : "false");
            const KernCoefficient *list = kern_prefill_coefficients(&count);
            print_coefficients(list, count, &fit);
        }
    }
}

static void print_moe(ScenFitServe *serve, const TopoGpu *gpu, size_t least)
{
    static const char *const tiles[] = {"best", "by_rank", "by_experts"};
    size_t count;
    const KernCoefficient *list = kern_moe_coefficients(&count);
    bool any = false;
    for (int i = 0; i < KERN_MOE_TYPES * KERN_MOE_FAMILIES; i++) {
        int t = i / KERN_MOE_FAMILIES, f = i % KERN_MOE_FAMILIES;
        const GArray *rows = serve->moe[t][f];
        if (rows->len < least)
            continue;
        if (!any)
            puts("  moe:");
        any = true;
        g_autofree char *family = g_strdup_printf("_%s", kern_moe_family_name((KernMoeFamily)f));
        KernMoeFit fit = {0};
        kern_fit_moe(gpu, (const KernMoeRow *)rows->data, rows->len, ROWS_SEARCHED, &fit);
        print_fitted(kern_moe_type_name((KernMoeType)t), family, &fit.fitted);
        printf("      tiles: %s, whole_tokens: %s,\n", tiles[fit.tiles],
               fit.whole_tokens ? "true" : "false");
        print_coefficients(list, count, &fit);
    }
}

void scen_fit_serve_drop_impossible(ScenFitServe *serve, const TopoGpu *gpu)
{
    for (int h = 0; h < KERN_HEAD_COUNT; h++)
        for (int c = 0; c < KERN_CACHE_COUNT; c++)
            drop_impossible(serve, gpu, serve->decode[h][c]);
}

void scen_fit_serve_print(ScenFitServe *serve, const TopoGpu *gpu, size_t least)
{
    scen_fit_serve_drop_impossible(serve, gpu);
    if (serve->impossible > 0)
        printf("# left out: %" G_GINT64_FORMAT " decode rows that beat the memory's peak\n",
               serve->impossible);
    print_attention(serve, gpu, least, false);
    print_attention(serve, gpu, least, true);
    print_moe(serve, gpu, least);
}
