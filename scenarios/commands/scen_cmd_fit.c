/* `orrery fit`: measurements in, coefficients with their error out.
 *
 * Reads kernel tables as the AIConfigurator database exports them (README: "Fitting a profile").
 * The first column names the operation, the header names the rest:
 *
 *   gemm               gemm_dtype,m,n,k,latency
 *   context_attention  batch_size,isl,num_heads,head_dim,attn_dtype,window_size,latency
 *   all_reduce, ...    nccl_dtype,num_gpus,message_size,latency (message_size counts elements)
 *
 * fp8 products include the conversion of their activations. latency is in ms. Each operation and
 * dtype is fitted by itself and printed as the YAML that kernels/profiles and
 * topology/catalog/wires.yaml hold. */
#include "scen_cmd.h"

#include "kern_fit.h"
#include "scen_named.h"
#include "scen_options.h"

#include <stdio.h>
#include <string.h>

typedef struct Fit {
    TopoNode node;
    GArray *gemm[TOPO_DTYPE_COUNT]; /* of KernGemmRow */
    GArray *attention;              /* of KernAttentionRow */
    int64_t skipped;
} Fit;

/* A CSV line by column name. */
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

static bool take_gemm(Fit *fit, const Line *line, double seconds)
{
    KernGemmRow row = {{.batch = 1}, seconds};
    if (!dtype_of(cell(line, "gemm_dtype"), &row.shape.dtype))
        return false;
    row.shape.quantised = row.shape.dtype == TOPO_DTYPE_FP8;
    row.shape.m = (int64_t)number(line, "m");
    row.shape.n = (int64_t)number(line, "n");
    row.shape.k = (int64_t)number(line, "k");
    if (row.shape.m < 1 || row.shape.n < 1 || row.shape.k < 1)
        return false;
    g_array_append_val(fit->gemm[row.shape.dtype], row);
    return true;
}

static bool take_attention(Fit *fit, const Line *line, double seconds)
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
    g_array_append_val(fit->attention, row);
    return true;
}

static void take(Fit *fit, const Line *line)
{
    const char *name = cell(line, "op_name");
    double seconds = number(line, "latency") * 1e-3;
    bool taken = false;
    if (name && seconds > 0.0) {
        if (g_str_equal(name, "gemm"))
            taken = take_gemm(fit, line, seconds);
        else if (g_str_equal(name, "context_attention"))
            taken = take_attention(fit, line, seconds);
    }
    fit->skipped += !taken;
}

static bool read_table(Fit *fit, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return false;
    if (!*text) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: the table is empty", path);
        return false;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) header = g_strsplit(g_strchomp(lines[0]), ",", -1);
    for (size_t i = 1; lines[i]; i++) {
        if (*g_strchomp(lines[i]) == '\0')
            continue;
        g_auto(GStrv) cells = g_strsplit(lines[i], ",", -1);
        Line line = {header, cells};
        take(fit, &line);
    }
    return true;
}

static void print_gemm(const Fit *fit, TopoDtype dtype, const char *name)
{
    const GArray *rows = fit->gemm[dtype];
    if (rows->len < 20)
        return;
    KernGemmFit g = {0};
    kern_fit_gemm(&fit->node.gpu, (const KernGemmRow *)rows->data, rows->len, &g);
    printf("    %s:\n", name);
    printf("      tile_256x128: %.4f\n      tile_128x128: %.4f\n      tile_128x64: %.4f\n"
           "      tile_64x64: %.4f\n      tile_64x16: %.4f\n",
           g.tile_fraction[KERN_TILE_256X128], g.tile_fraction[KERN_TILE_128X128],
           g.tile_fraction[KERN_TILE_128X64], g.tile_fraction[KERN_TILE_64X64],
           g.tile_fraction[KERN_TILE_64X16]);
    printf("      tile_overhead_k: %.1f\n      wave_quantisation: %.4f\n"
           "      memory_fraction: %.4f\n      overlap_exponent: %.3f\n      launch: %.3f us\n",
           g.tile_overhead_k, g.wave_quantisation, g.memory_fraction, g.overlap_exponent,
           g.launch_s * 1e6);
    printf("      rows: %u\n      median_error: %.4f\n      p90_error: %.4f\n", rows->len,
           g.median_error_fraction, g.p90_error_fraction);
}

static void print_attention(const Fit *fit)
{
    if (fit->attention->len < 20)
        return;
    KernAttentionFit a = {0};
    kern_fit_attention(&fit->node.gpu, (const KernAttentionRow *)fit->attention->data,
                       fit->attention->len, &a);
    printf("  attention:\n    forward_fraction: %.4f\n    head_dim_half: %.1f\n"
           "    sequence_half: %.1f\n    launch: %.3f us\n    rows: %u\n"
           "    median_error: %.4f\n    p90_error: %.4f\n",
           a.forward_fraction, a.head_dim_half, a.sequence_half, a.launch_s * 1e6,
           fit->attention->len, a.median_error_fraction, a.p90_error_fraction);
}

static void fit_clear(Fit *fit)
{
    for (int d = 0; d < TOPO_DTYPE_COUNT; d++)
        g_array_unref(fit->gemm[d]);
    g_array_unref(fit->attention);
}

static bool fit_files(Fit *fit, char **files, GError **error)
{
    for (size_t i = 0; files[i]; i++) {
        if (!read_table(fit, files[i], error))
            return false;
    }
    guint taken = fit->attention->len;
    for (int d = 0; d < TOPO_DTYPE_COUNT; d++)
        taken += fit->gemm[d]->len;
    if (taken == 0) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "no line of these tables is a measurement that can be fitted (op_name is gemm, "
                    "context_attention or a collective, latency is in ms)");
        return false;
    }
    printf("  # on %s; %" G_GINT64_FORMAT " lines of other kinds left out\n  gemm:\n",
           fit->node.gpu.name, fit->skipped);
    print_gemm(fit, TOPO_DTYPE_FP16, "fp16");
    print_gemm(fit, TOPO_DTYPE_BF16, "bf16");
    print_gemm(fit, TOPO_DTYPE_FP8, "fp8");
    print_attention(fit);
    return true;
}

static bool fit_node(const char *node, char **files, GError **error)
{
    Fit fit = {.attention = g_array_new(FALSE, FALSE, sizeof(KernAttentionRow))};
    for (int d = 0; d < TOPO_DTYPE_COUNT; d++)
        fit.gemm[d] = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    bool done = scen_named_bind(SCEN_CATALOG_NODE, node, NULL, strings, &fit.node, error) &&
                fit_files(&fit, files, error);
    fit_clear(&fit);
    return done;
}

static const ScenUsage usage = {
    .command = "fit",
    .arguments = "CSV...",
    .summary = "Fits cost coefficients to measured kernel tables and prints them as YAML, with\n"
               "their errors.",
};

ScenExit scen_cmd_fit(int argc, char **argv)
{
    (void)argc;
    g_autofree char *node = NULL;
    g_auto(GStrv) files = NULL;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"node", 0, 0, G_OPTION_ARG_STRING, &node,
         "Node of the catalog that was measured (orrery list nodes)", "NAME"},
        {G_OPTION_REMAINING,     0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
        {0},
    };
    ScenExit status;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (!node || !files)
        return scen_options_wrong(&usage, "needs --node NAME and at least one CSV");
    return fit_node(node, files, &error) ? SCEN_EXIT_OK : scen_fail(error);
}
