/* Serving engines' own all-reduces: which kernel takes which tensor, what it costs, and the shipped
 * coefficients against measured tables (skipped where those are not at hand). */
#include "scen_fit_table.h"
#include "scen_named.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static const double mib = 1048576.0;

static void bind(ScenCatalogKind kind, const char *name, GStringChunk *strings, void *out)
{
    g_autoptr(GError) error = NULL;
    cr_assert(scen_named_bind(kind, name, NULL, strings, out, &error), "%s", error->message);
}

/* vLLM's tables, csrc/custom_all_reduce.cuh and all_reduce_utils.py. */
static const struct {
    const char *engine;
    uint32_t ranks;
    double bytes;
    const char *kernel;
} choices[] = {
    {"vllm-a100", 2, 8388607,   "one_shot"     },
    {"vllm-a100", 2, 8388608,   "library"      },
    {"vllm-a100", 4, 524287,    "one_shot"     },
    {"vllm-a100", 4, 524288,    "two_shot"     },
    {"vllm-a100", 8, 262144,    "two_shot"     },
    {"vllm-a100", 3, 1024,      "library"      },
    {"vllm-h100", 2, 8388608,   "staged"       },
    {"vllm-h100", 4, 1048576,   "two_shot"     },
    {"vllm-h100", 4, 33554432,  "staged_switch"},
    {"vllm-h100", 4, 33554433,  "library"      },
    {"vllm-h100", 8, 262143,    "one_shot"     },
    {"vllm-h100", 8, 262144,    "staged_switch"},
    {"vllm-h100", 8, 67108865,  "library"      },
    {"vllm-b200", 4, 2097152,   "staged"       },
    {"vllm-b200", 8, 1048575,   "two_shot"     },
    {"vllm-b200", 8, 134217728, "staged_switch"},
};

Test(engine, takes_the_kernel_that_vllm_takes)
{
    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
        g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
        TopoEngineFit fit = {0};
        bind(SCEN_CATALOG_ENGINE_KERNELS, choices[i].engine, strings, &fit);
        TopoCollectiveCall call = {
            .ranks = choices[i].ranks, .ranks_per_domain = 8, .bytes = choices[i].bytes};
        cr_expect_str_eq(topo_engine_kernel_name(topo_engine_kernel(&fit, &call)),
                         choices[i].kernel, "%s, %u ranks, %g bytes", choices[i].engine, call.ranks,
                         call.bytes);
        call.op = TOPO_OP_ALL_GATHER;
        cr_expect_eq(topo_engine_kernel(&fit, &call), TOPO_ENGINE_LIBRARY);
        call.op = TOPO_OP_ALL_REDUCE;
        call.ranks_per_domain = 1;
        cr_expect_eq(topo_engine_kernel(&fit, &call), TOPO_ENGINE_LIBRARY);
    }
}

/* Round figures: 1 us, 0.1 us a peer, half of 400 GB/s; outside a graph a copy at the wire's whole
 * rate and a host that needs 20 us. */
static TopoEngineFit toy_engine(void)
{
    TopoEngineFit fit = {.name = "toy", .eager_copy_fraction = 1.0};
    for (int k = 0; k < TOPO_ENGINE_KERNELS; k++)
        fit.kernel[k] = (TopoEngineTerm){1e-6, 1e-7, 0.5, 2e-5};
    for (int i = 0; i < TOPO_ENGINE_SIZES; i++)
        fit.limits[i] = (TopoEngineLimits){0.25 * mib, mib, 64.0 * mib, i > 1};
    return fit;
}

static TopoProtocolFits toy_library(void)
{
    TopoProtocolFits fits = {.channels = 8};
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++)
        fits.op[op].protocol[TOPO_PROTOCOL_SIMPLE] = (TopoProtocolTerm){1e-5, 1e-6, 0.8};
    return fits;
}

static double seconds(const TopoEngineFit *fit, const TopoCollectiveCall *call, bool captured,
                      TopoEngineKernel want)
{
    TopoProtocolFits library = toy_library();
    const TopoProtocolWires wires = {.inside = &library, .inside_bytes_per_s = 400e9};
    TopoEngineChoice choice;
    g_autoptr(GError) error = NULL;
    cr_assert(topo_protocol_engine(fit, call, &wires, captured, &choice, &error), "%s",
              error->message);
    cr_expect_eq(choice.kernel, want, "%s", topo_engine_kernel_name(choice.kernel));
    return choice.seconds;
}

static void expect_near(double got, double want)
{
    cr_expect(fabs(got / want - 1.0) <= 1e-12, "%.17g, not %.17g", got, want);
}

Test(engine, costs_latency_and_the_bytes_of_its_algorithm)
{
    TopoEngineFit fit = toy_engine();
    TopoCollectiveCall call = {.ranks = 4, .ranks_per_domain = 8, .bytes = 2e5};
    expect_near(seconds(&fit, &call, true, TOPO_ENGINE_ONE_SHOT), 1.3e-6 + 3 * 2e5 / 200e9);
    call.bytes = 1e6;
    expect_near(seconds(&fit, &call, true, TOPO_ENGINE_TWO_SHOT), 1.3e-6 + 1.5 * 1e6 / 200e9);
    call.bytes = 1e7;
    expect_near(seconds(&fit, &call, true, TOPO_ENGINE_STAGED), 1.3e-6 + 1.5 * 1e7 / 200e9);
    call.ranks = 8;
    call.domain_reduces = true;
    expect_near(seconds(&fit, &call, true, TOPO_ENGINE_STAGED_SWITCH),
                1.7e-6 + 9.0 / 8 * 1e7 / 200e9);
    call.bytes = 1e9;
    expect_near(seconds(&fit, &call, true, TOPO_ENGINE_LIBRARY), 1e-5 + 14e-6 + 1.75e9 / 320e9);
}

Test(engine, outside_a_graph_copies_and_waits_for_the_host)
{
    TopoEngineFit fit = toy_engine();
    TopoCollectiveCall call = {.ranks = 4, .ranks_per_domain = 8, .bytes = 1e3};
    expect_near(seconds(&fit, &call, false, TOPO_ENGINE_ONE_SHOT), 2e-5);
    call.bytes = 6e7;
    expect_near(seconds(&fit, &call, false, TOPO_ENGINE_STAGED),
                1.3e-6 + 1.5 * 6e7 / 200e9 + 6e7 / 400e9);
    call.bytes = 1e9;
    expect_near(seconds(&fit, &call, false, TOPO_ENGINE_LIBRARY) -
                    seconds(&fit, &call, true, TOPO_ENGINE_LIBRARY),
                1e9 / 400e9);
}

Test(engine, refuses_a_kernel_without_figures)
{
    TopoEngineFit fit = toy_engine();
    TopoProtocolFits library = toy_library();
    const TopoProtocolWires wires = {.inside = &library, .inside_bytes_per_s = 400e9};
    const TopoCollectiveCall call = {.ranks = 4, .ranks_per_domain = 8, .bytes = 1e3};
    TopoEngineChoice choice;
    g_autoptr(GError) error = NULL;
    fit.kernel[TOPO_ENGINE_ONE_SHOT].fraction = 0.0;
    cr_expect_not(topo_protocol_engine(&fit, &call, &wires, true, &choice, &error));
    cr_assert_not_null(error);
    cr_expect(strstr(error->message, "'toy' has no figures of its kernel one_shot"), "%s",
              error->message);
}

/* Rows made from known coefficients: times must come back, whatever the coefficients. */
Test(engine, a_fit_finds_its_own_predictions_again)
{
    TopoEngineFit truth = toy_engine(), fit = toy_engine();
    TopoProtocolFits library = toy_library();
    const TopoProtocolWires wires = {.inside = &library, .inside_bytes_per_s = 400e9};
    truth.kernel[TOPO_ENGINE_ONE_SHOT] = (TopoEngineTerm){4e-6, 3e-7, 0.6, 3e-5};
    truth.kernel[TOPO_ENGINE_TWO_SHOT] = (TopoEngineTerm){7e-6, 1e-7, 0.7, 4e-5};
    truth.eager_copy_fraction = 0.4;
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(KernEngineRow));
    for (int i = 0; i < 180; i++) {
        KernEngineRow row = {
            .call = {.ranks = 2u << i % 3,
                     .ranks_per_domain = 8,
                     .bytes = ldexp(512.0, i / 6 % 20),
                     .domain_reduces = true},
            .captured = i / 3 % 2 == 0
        };
        TopoEngineChoice choice;
        cr_assert(topo_protocol_engine(&truth, &row.call, &wires, row.captured, &choice, NULL));
        row.seconds = choice.seconds;
        g_array_append_val(rows, row);
    }
    KernFitError error =
        kern_fit_engine(&wires, (const KernEngineRow *)rows->data, rows->len, &fit);
    cr_expect(error.median_fraction < 0.01 && error.p90_fraction < 0.03, "median %g, p90 %g",
              error.median_fraction, error.p90_fraction);
    cr_expect_eq(fit.rows, 180);
}

static const struct {
    const char *file, *node, *engine;
} tables[] = {
    {"a100_sxm.custom_allreduce.vllm-0.14.0.csv", "dgx-a100-80gb", "vllm-a100"},
    {"h100_sxm.custom_allreduce.vllm-0.24.0.csv", "dgx-h100",      "vllm-h100"},
    {"h200_sxm.custom_allreduce.vllm-0.24.0.csv", "hgx-h200",      "vllm-h200"},
    {"b200_sxm.custom_allreduce.vllm-0.24.0.csv", "dgx-b200",      "vllm-b200"},
};

/* The error on rows from 64 kB to 1 GB, in graphs or outside. */
static KernFitError error_of(const TopoNode *node, const TopoEngineFit *fit, const GArray *rows,
                             bool captured)
{
    const TopoProtocolWires wires = {.inside = &node->scale_up_protocols,
                                     .inside_bytes_per_s = node->scale_up_bytes_per_s};
    g_autofree double *log_ratios = g_new(double, rows->len);
    size_t count = 0;
    for (guint i = 0; i < rows->len; i++) {
        const KernEngineRow *row = &g_array_index(rows, KernEngineRow, i);
        if (row->captured == captured && kern_fit_is_large(row->call.bytes))
            log_ratios[count++] = kern_fit_engine_log_ratio(&wires, fit, row);
    }
    return kern_fit_error(log_ratios, count);
}

/* The target of the project: median error of at most 10 % from 64 kB to 1 GB. */
Test(engine, the_shipped_coefficients_meet_the_measured_tables)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
        TopoNode node = {0};
        TopoEngineFit fit = {0};
        bind(SCEN_CATALOG_NODE, tables[t].node, strings, &node);
        bind(SCEN_CATALOG_ENGINE_KERNELS, tables[t].engine, strings, &fit);
        g_autofree char *path = g_build_filename(SHARED_DIR, "kernel_data", tables[t].file, NULL);
        g_autoptr(ScenFitTable) table = scen_fit_table_new(t > 0);
        if (!scen_fit_table_read(table, path, NULL))
            cr_skip_test("%s is not here", tables[t].file);
        for (int captured = 0; captured < 2; captured++) {
            KernFitError error = error_of(&node, &fit, table->engine, captured);
            cr_expect(error.rows > 30);
            cr_expect(error.median_fraction <= 0.05 && error.p90_fraction <= 0.15,
                      "%s, captured %d: median %.3f, p90 %.3f over %zu rows", tables[t].engine,
                      captured, error.median_fraction, error.p90_fraction, error.rows);
        }
    }
}
