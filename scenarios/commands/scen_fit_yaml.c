/* What `orrery fit` prints: each operation and dtype fitted by itself, with its errors.
 *
 * The text is a row of a catalog, so that it can be pasted over the one that is shipped. Errors are
 * |predicted / measured - 1|: over all rows that were fitted, and for collectives over those from
 * 64 kB to 1 GB too, where time is bandwidth and not launch. */
#include "scen_fit_yaml.h"

#include "scen_fit_range.h"

#include <math.h>
#include <stdio.h>

enum { ROWS_LEAST = 20 };

/* A time of the host or of a kernel beside the product, where there is one. */
static void print_time(const char *key, double seconds)
{
    if (seconds > 0.0)
        printf("      %s: %.3f us\n", key, seconds * 1e6);
}

static void print_gemm(KernGemmType type, const KernGemmFit *fit)
{
    const KernGemmFit g = *fit;
    printf("    %s:\n", kern_gemm_type_name(type));
    static const char *const kernels[KERN_GEMM_KERNELS] = {
        [KERN_GEMM_FASTEST] = "fastest",
        [KERN_GEMM_VLLM_SM90] = "vllm-sm90",
        [KERN_GEMM_VLLM_SM100] = "vllm-sm100",
    };
    printf("      kernels: %s\n      compute_fraction: %.4f\n      feed_bytes_per_clock: %.2f\n"
           "      step: %.2f ns\n      prologue: %.1f ns\n      epilogue: %.1f ns\n",
           kernels[g.kernels], g.compute_fraction, g.feed_bytes_per_clock, g.step_s * 1e9,
           g.prologue_s * 1e9, g.epilogue_s * 1e9);
    printf("      wave_quantisation: %.4f\n      memory_fraction: %.4f\n"
           "      overlap_loss: %.4f\n      launch: %.3f us\n",
           g.wave_quantisation, g.memory_fraction, g.overlap_loss, g.launch_s * 1e6);
    print_time("split", g.split_s);
    print_time("host", g.host_s);
    print_time("host_few", g.host_few_s);
    print_time("host_unaligned", g.host_unaligned_s);
    print_time("host_ragged", g.host_ragged_s);
    if (g.dequantise_per_clock > 0.0)
        printf("      dequantise_per_clock: %.2f\n      vector_step: %.2f ns\n",
               g.dequantise_per_clock, g.vector_step_s * 1e9);
    if (g.unpaired_fraction > 0.0)
        printf("      unpaired_fraction: %.4f\n", g.unpaired_fraction);
    if (g.quantise_row_s > 0.0)
        printf("      quantise_launch: %.3f us\n      quantise_row: %.3f ns\n"
               "      quantise_pass: %.3f ns\n      quantise_latency: %.1f ns\n",
               g.quantise_launch_s * 1e6, g.quantise_row_s * 1e9, g.quantise_pass_s * 1e9,
               g.quantise_latency_s * 1e9);
    printf("      rows: %" G_GINT64_FORMAT "\n      median_error: %.4f\n      p90_error: %.4f\n",
           g.rows, g.median_error_fraction, g.p90_error_fraction);
}

static void print_gemms(const ScenFitTable *table, const TopoGpu *gpu)
{
    KernGemmFit fits[KERN_GEMM_TYPES] = {0};
    bool any = false;
    for (int t = TOPO_DTYPE_FP16; t < KERN_GEMM_TYPES; t++) {
        const GArray *rows = table->gemm[t];
        if (rows->len < ROWS_LEAST)
            continue;
        if (!any)
            puts("  gemm:");
        any = true;
        if (t == KERN_GEMM_FP8_BLOCK)
            fits[t] = fits[TOPO_DTYPE_FP8]; /* for what the host hides */
        kern_fit_gemm(gpu, (const KernGemmRow *)(void *)rows->data, rows->len, &fits[t]);
        print_gemm((KernGemmType)t, &fits[t]);
    }
}

static void print_attention(const GArray *rows, const TopoGpu *gpu)
{
    if (rows->len < ROWS_LEAST)
        return;
    KernAttentionFit a = {0};
    kern_fit_attention(gpu, (const KernAttentionRow *)rows->data, rows->len, &a);
    printf("  attention:\n    forward_fraction: %.4f\n    head_dim_half: %.1f\n"
           "    sequence_half: %.1f\n    launch: %.3f us\n    rows: %u\n"
           "    median_error: %.4f\n    p90_error: %.4f\n",
           a.forward_fraction, a.head_dim_half, a.sequence_half, a.launch_s * 1e6, rows->len,
           a.median_error_fraction, a.p90_error_fraction);
}

static void print_term(const char *name, const TopoProtocolTerm *term)
{
    if (term->fraction > 0.0)
        printf("    %s: {base_latency: %.3f us, hop_latency: %.3f us, fraction: %.4f}\n", name,
               term->base_s * 1e6, term->hop_s * 1e6, term->fraction);
}

static void print_errors(int indent, int64_t rows, double median, int64_t large_rows,
                         double large_median, double large_p90)
{
    printf("%*srows: %" G_GINT64_FORMAT "\n%*smedian_error: %.3f\n", indent, "", rows, indent, "",
           median);
    printf("%*slarge_rows: %" G_GINT64_FORMAT "\n%*slarge_median_error: %.3f\n"
           "%*slarge_p90_error: %.3f\n",
           indent, "", large_rows, indent, "", large_median, indent, "", large_p90);
}

static void print_collective(const GArray *rows, double bytes_per_s, const char *name)
{
    if (rows->len < ROWS_LEAST)
        return;
    TopoProtocolFit fit;
    kern_fit_protocol(bytes_per_s, (const KernProtocolRow *)rows->data, rows->len, &fit);
    printf("  %s:\n", name);
    print_errors(4, fit.rows, fit.median_error_fraction, fit.large_rows,
                 fit.large_median_error_fraction, fit.large_p90_error_fraction);
    print_term("ll", &fit.protocol[TOPO_PROTOCOL_LL]);
    print_term("ll128", &fit.protocol[TOPO_PROTOCOL_LL128]);
    print_term("simple", &fit.protocol[TOPO_PROTOCOL_SIMPLE]);
    print_term("in_switch", &fit.in_switch);
    printf("    copy_fraction: %.4f\n    bulk_bias: %.4f\n", fit.copy_fraction, fit.bulk_bias);
    fflush(stdout);
}

static void print_collectives(const ScenFitTable *table, const TopoNode *node)
{
    static const TopoCollectiveOp ops[] = {TOPO_OP_ALL_REDUCE, TOPO_OP_ALL_GATHER,
                                           TOPO_OP_REDUCE_SCATTER, TOPO_OP_ALL_TO_ALL};
    const TopoProtocolFits *shipped = &node->scale_up_protocols;
    bool any = false;
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++)
        any = any || table->collective[topo_protocol_op(ops[i])]->len >= ROWS_LEAST;
    if (any)
        printf("%s:\n  source: \"orrery fit --node %s on %s\"\n  channels: %" G_GINT64_FORMAT "\n",
               shipped->name, node->name, table->files->str, shipped->channels);
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++)
        print_collective(table->collective[topo_protocol_op(ops[i])], node->scale_up_bytes_per_s,
                         topo_collective_op_name(ops[i]));
}

/* The first of a limit's keys that are printed has no comma before it. */
static void print_limit(const char **comma, const char *key, double bytes)
{
    bool mib = fmod(bytes, 1048576.0) == 0.0;
    if (bytes <= 0.0)
        return;
    printf("%s%s: %.10g %s", *comma, key, bytes / (mib ? 1048576.0 : 1024.0), mib ? "MiB" : "KiB");
    *comma = ", ";
}

static void print_limits(uint32_t ranks, const TopoEngineLimits *limits)
{
    const char *comma = "";
    printf("  at_%u: {", ranks);
    print_limit(&comma, "one_shot_below", limits->one_shot_below_bytes);
    print_limit(&comma, "two_shot_below", limits->two_shot_below_bytes);
    print_limit(&comma, "staged_to", limits->staged_to_bytes);
    puts(limits->staged_in_switch ? ", staged_in_switch: true}" : "}");
}

static void print_engine(const ScenFitTable *table, const TopoNode *node,
                         const TopoEngineFit *engine)
{
    const GArray *rows = table->engine;
    if (rows->len < ROWS_LEAST)
        return;
    const TopoProtocolWires wires = {.inside = &node->scale_up_protocols,
                                     .inside_bytes_per_s = node->scale_up_bytes_per_s};
    TopoEngineFit fit = *engine;
    kern_fit_engine(&wires, (const KernEngineRow *)rows->data, rows->len, &fit);
    printf("%s:\n  source: \"orrery fit --node %s --engine %s on %s\"\n", engine->name, node->name,
           engine->name, table->files->str);
    print_errors(2, fit.rows, fit.median_error_fraction, fit.large_rows,
                 fit.large_median_error_fraction, fit.large_p90_error_fraction);
    for (int k = 0; k < TOPO_ENGINE_KERNELS; k++) {
        const TopoEngineTerm *term = &fit.kernel[k];
        if (term->fraction > 0.0)
            printf("  %s: {base_latency: %.3f us, peer_latency: %.3f us, fraction: %.4f, "
                   "host_latency: %.2f us}\n",
                   topo_engine_kernel_name((TopoEngineKernel)k), term->base_s * 1e6,
                   term->peer_s * 1e6, term->fraction, term->host_s * 1e6);
    }
    printf("  eager_copy_fraction: %.4f\n", fit.eager_copy_fraction);
    for (int i = 0; i < TOPO_ENGINE_SIZES; i++)
        print_limits(topo_engine_ranks(i), &fit.limits[i]);
}

void scen_fit_yaml_print(const ScenFitTable *table, const TopoNode *node,
                         const TopoEngineFit *engine)
{
    printf("# on %s; %" G_GINT64_FORMAT " lines of other kinds left out\n", node->gpu.name,
           table->skipped);
    print_gemms(table, &node->gpu);
    print_attention(table->attention, &node->gpu);
    scen_fit_serve_print(table->serve, &node->gpu, ROWS_LEAST);
    scen_fit_range_print(table);
    print_collectives(table, node);
    if (engine)
        print_engine(table, node, engine);
}
