/* Protocols and the choice among them: the shipped coefficients against measured tables (skipped
 * where those are not at hand) and against figures that others published, here as numbers with
 * their sources. */
#include "kern_fit_protocol.h"
#include "scen_doc.h"
#include "scen_fit_table.h"
#include "scen_named.h"
#include "scen_quantity.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static double number(const ScenNode *map, const char *key, ScenDimension dimension, bool plain)
{
    const ScenNode *node = scen_node_get(map, key);
    double value = 0.0;
    g_autoptr(GError) error = NULL;
    cr_assert(node && node->text, "no %s", key);
    if (plain)
        return g_ascii_strtod(node->text, NULL);
    cr_assert(scen_quantity_parse(node->text, dimension, &value, &error), "%s: %s", key,
              error->message);
    return value;
}

static const ScenNode *catalog_row(ScenPool *pool, const char *file, const char *name)
{
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autofree char *path = g_build_filename(TEST_SOURCE_DIR, "topology/catalog", file, NULL);
    const ScenNode *root = scen_doc_read(pool, path, SCEN_ORIGIN_CATALOG, errors);
    cr_assert(root && scen_errors_count(errors) == 0, "%s cannot be read", path);
    const ScenNode *row = scen_node_get(root, name);
    cr_assert_not_null(row, "%s has no %s", file, name);
    return row;
}

/* A row of the catalog; its texts are left out. */
static TopoProtocolFits read_fits(const char *name)
{
    TopoProtocolFits fits = {.channels = 0};
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    g_autoptr(GError) error = NULL;
    cr_assert(scen_named_bind(SCEN_CATALOG_PROTOCOL, name, NULL, strings, &fits, &error), "%s",
              error->message);
    fits.name = name;
    fits.source = NULL;
    return fits;
}

static TopoExpertTerm read_direction(const ScenNode *row, const char *key)
{
    const ScenNode *map = scen_node_get(row, key);
    return (TopoExpertTerm){number(map, "base_latency", SCEN_TIME_S, false),
                            number(map, "ramp", SCEN_TIME_S, false),
                            number(map, "ramp_size", SCEN_DATA_BYTES, false),
                            number(map, "inside_fraction", SCEN_TIME_S, true),
                            number(map, "across_fraction", SCEN_TIME_S, true)};
}

static TopoExpertFit read_expert(const char *name, const char *algorithm)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    const ScenNode *row = catalog_row(pool, "expert_kernels.yaml", name);
    cr_assert_str_eq(scen_node_get(row, "algorithm")->text, algorithm);
    return (TopoExpertFit){.name = name,
                           .algorithm = algorithm,
                           .dispatch = read_direction(row, "dispatch"),
                           .combine = read_direction(row, "combine")};
}

/* A measured table; NULL where it is absent. */
static ScenFitTable *read_table(const char *file, bool switch_reduces)
{
    g_autofree char *path = g_build_filename(SHARED_DIR, "kernel_data", file, NULL);
    g_autoptr(ScenFitTable) table = scen_fit_table_new(switch_reduces);
    return scen_fit_table_read(table, path, NULL) ? g_steal_pointer(&table) : NULL;
}

static const struct {
    const char *file, *wire;
    double bytes_per_s;
    bool has_nvls;
} tables[] = {
    {"a100_sxm.nccl.nccl-2.27.3.csv", "nvlink3",      300e9, false},
    {"h100_sxm.nccl.nccl-2.29.2.csv", "nvlink4",      450e9, true },
    {"h200_sxm.nccl.nccl-2.29.2.csv", "nvlink4-h200", 450e9, true },
    {"b200_sxm.nccl.nccl-2.29.2.csv", "nvlink5",      900e9, true },
};

/* The target of the project: median error of at most 10 % from 64 kB to 1 GB. */
Test(protocol, the_shipped_coefficients_meet_the_measured_tables)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        g_autoptr(ScenFitTable) table = read_table(tables[t].file, tables[t].has_nvls);
        if (!table)
            cr_skip_test("%s is not here", tables[t].file);
        TopoProtocolFits fits = read_fits(tables[t].wire);
        for (int op = 0; op < TOPO_PROTOCOL_OPS; op++) {
            const GArray *rows = table->collective[op];
            g_autoptr(GArray) large = g_array_new(FALSE, FALSE, sizeof(KernProtocolRow));
            for (guint i = 0; i < rows->len; i++)
                if (kern_fit_is_large(g_array_index(rows, KernProtocolRow, i).call.bytes))
                    g_array_append_val(large, g_array_index(rows, KernProtocolRow, i));
            KernFitError error =
                kern_fit_protocol_error(tables[t].bytes_per_s, (const KernProtocolRow *)large->data,
                                        large->len, &fits.op[op]);
            cr_expect(error.rows > 50 && error.rows == (size_t)fits.op[op].large_rows);
            cr_expect(error.median_fraction <= 0.07 && error.p90_fraction <= 0.20,
                      "%s, operation %d: median %.3f, p90 %.3f over %zu rows", tables[t].wire, op,
                      error.median_fraction, error.p90_fraction, error.rows);
            cr_expect(fabs(error.median_fraction - fits.op[op].large_median_error_fraction) < 0.002,
                      "%s, operation %d: the catalog says %.3f, not %.4f", tables[t].wire, op,
                      fits.op[op].large_median_error_fraction, error.median_fraction);
        }
    }
}

/* Rows made from known coefficients: the fit must predict them back. Coefficients that no row uses
 * may differ, so times are compared. */
Test(protocol, a_fit_finds_its_own_predictions_again)
{
    TopoProtocolFits truth = read_fits("nvlink4");
    const TopoProtocolWires wires = {.inside = &truth, .inside_bytes_per_s = 450e9};
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(KernProtocolRow));
    for (uint32_t n = 2; n <= 8; n *= 2)
        for (double bytes = 4096.0; bytes < 1e9; bytes *= 8.0) {
            KernProtocolRow row = {
                .call = {
                         .op = TOPO_OP_ALL_GATHER, .ranks = n, .ranks_per_domain = 8, .bytes = bytes}
            };
            TopoProtocolChoice choice;
            cr_assert(topo_protocol_choose(&row.call, &wires, &choice, NULL));
            row.seconds = choice.seconds;
            g_array_append_val(rows, row);
        }
    TopoProtocolFit fit;
    KernFitError error =
        kern_fit_protocol(450e9, (const KernProtocolRow *)rows->data, rows->len, &fit);
    cr_expect(error.median_fraction < 0.03 && error.p90_fraction < 0.10, "median %g, p90 %g",
              error.median_fraction, error.p90_fraction);
    cr_expect_eq(fit.rows, rows->len);
    cr_expect(fit.large_rows > 0 && fit.large_rows < fit.rows);
}

/* Seven sizes in two folds; all rows of one size lie ten times off what the others say, so only
 * coefficients that saw them could tell. */
Test(protocol, held_out_rows_are_predicted_by_fits_that_never_saw_them)
{
    TopoProtocolFits truth = read_fits("nvlink4");
    const TopoProtocolWires wires = {.inside = &truth, .inside_bytes_per_s = 450e9};
    KernProtocolRow rows[21];
    double log_ratios[21];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        TopoProtocolChoice choice;
        rows[i].call = (TopoCollectiveCall){.op = TOPO_OP_ALL_GATHER,
                                            .ranks = 2u << i % 3,
                                            .ranks_per_domain = 8,
                                            .bytes = ldexp(4096.0, 2 * (int)(i / 3))};
        cr_assert(topo_protocol_choose(&rows[i].call, &wires, &choice, NULL));
        rows[i].seconds = choice.seconds * (i / 3 == 3 ? 10.0 : 1.0);
    }
    kern_fit_protocol_held_out(450e9, rows, G_N_ELEMENTS(rows), 2, log_ratios);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        double want = i / 3 == 3 ? -log(10.0) : 0.0;
        if (i / 3 % 2 == 1) /* predicted from the fold without the odd size */
            cr_expect(fabs(log_ratios[i] - want) < 0.7, "row %zu: %g, not %g", i, log_ratios[i],
                      want);
        cr_expect(isfinite(log_ratios[i]));
    }
}

static TopoProtocolChoice choose_on(const char *wire, double bytes_per_s, TopoCollectiveCall call)
{
    TopoProtocolFits fits = read_fits(wire);
    const TopoProtocolWires wires = {.inside = &fits, .inside_bytes_per_s = bytes_per_s};
    TopoProtocolChoice choice;
    cr_assert(topo_protocol_choose(&call, &wires, &choice, NULL));
    return choice;
}

Test(protocol, grows_from_ll_to_simple_with_the_message)
{
    TopoCollectiveCall call = {
        .op = TOPO_OP_ALL_GATHER, .ranks = 8, .ranks_per_domain = 8, .bytes = 1024.0};
    TopoProtocolChoice before = choose_on("nvlink4", 450e9, call);
    cr_expect_eq(before.protocol, TOPO_PROTOCOL_LL);
    cr_expect_eq(before.channels, 1);
    for (; call.bytes < 4e9; call.bytes *= 2.0) {
        TopoProtocolChoice now = choose_on("nvlink4", 450e9, call);
        cr_expect(now.seconds >= before.seconds, "%g bytes", call.bytes);
        cr_expect(now.protocol >= before.protocol, "%g bytes", call.bytes);
        before = now;
    }
    cr_expect_eq(before.protocol, TOPO_PROTOCOL_SIMPLE);
    cr_expect_eq(before.channels, 24);
}

/* int8 cannot be reduced in the switch. */
Test(protocol, reduces_in_the_switch_where_it_can)
{
    TopoCollectiveCall call = {
        .ranks = 8, .ranks_per_domain = 8, .bytes = 512e6, .domain_reduces = true};
    TopoProtocolChoice with = choose_on("nvlink4", 450e9, call);
    call.domain_reduces = false;
    TopoProtocolChoice without = choose_on("nvlink4", 450e9, call);
    cr_expect_str_eq(with.algorithm->name, "nvls");
    cr_expect_str_eq(without.algorithm->name, "ring");
    cr_expect(with.seconds < 0.85 * without.seconds);
    cr_expect_str_eq(choose_on("nvlink3", 300e9, call).algorithm->name, "ring");
}

Test(protocol, many_domains_take_a_tree_for_small_tensors_only)
{
    TopoProtocolFits inside = read_fits("nvlink4"), across = read_fits("rdma");
    const TopoProtocolWires wires = {&inside, &across, 450e9, 400e9};
    TopoCollectiveCall call = {.ranks = 2048, .ranks_per_domain = 8, .bytes = 1e6};
    TopoProtocolChoice small, large, impossible;
    cr_assert(topo_protocol_choose(&call, &wires, &small, NULL));
    call.bytes = 1e11;
    cr_assert(topo_protocol_choose(&call, &wires, &large, NULL));
    cr_expect_str_eq(small.algorithm->name, "hierarchical-tree");
    cr_expect_str_eq(large.algorithm->name, "ring");
    g_autoptr(GError) error = NULL;
    const TopoProtocolWires alone = {.inside = &inside, .inside_bytes_per_s = 450e9};
    cr_expect_not(topo_protocol_choose(&call, &alone, &impossible, &error));
    cr_assert_not_null(error);
    cr_expect(strstr(error->message, "2048 ranks"), "%s", error->message);
}

/* Bus bandwidth of nccl-tests that people at NVIDIA name as what to expect of large all-reduces. */
static const struct {
    const char *wire, *source;
    double bytes_per_s;
    uint32_t ranks;
    bool domain_reduces;
    double busbw_bytes_per_s;
} bus_figures[] = {
    {"nvlink4", "8 H100, NVLS: nccl-tests issue 212, NVIDIA's answer", 450e9, 8, true,  480e9},
    {"nvlink4", "8 H100, ring: the same",                              450e9, 8, false, 370e9},
    {"nvlink3", "8 A100: the cap in NCCL 2.10, src/graph/tuning.cc",   300e9, 8, false, 235e9},
    {"nvlink3", "2 A100 joined by 12 links: nccl-tests issue 178",     300e9, 2, false, 208e9},
};

Test(protocol, large_all_reduces_reach_the_known_bus_bandwidths)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bus_figures); i++) {
        TopoCollectiveCall call = {.ranks = bus_figures[i].ranks,
                                   .ranks_per_domain = 8,
                                   .bytes = 8e9,
                                   .domain_reduces = bus_figures[i].domain_reduces};
        double s = choose_on(bus_figures[i].wire, bus_figures[i].bytes_per_s, call).seconds;
        double busbw = topo_collective_bus_bytes(call.op, call.ranks, call.bytes) / s;
        cr_expect(fabs(busbw / bus_figures[i].busbw_bytes_per_s - 1.0) < 0.10, "%s: %.0f GB/s",
                  bus_figures[i].source, busbw * 1e-9);
    }
}

/* All-reduces that Vidur profiled in PyTorch (microsoft/vidur, data/profiling/network): 16, 32 and
 * 64 MB, where its launch overhead of tens of microseconds no longer counts. Pairs are joined by
 * NVLink bridges, and to each other by PCIe of generation 4 or 5. */
static const struct {
    const char *gpus, *inside;
    double inside_bytes_per_s, across_bytes_per_s;
    uint32_t ranks, ranks_per_domain;
    bool domain_reduces;
    double us[3];
} torch_figures[] = {
    {"A100 DGX",  "nvlink3", 300e9, 0,      2, 8, false, {139, 247, 430}   },
    {"A100 DGX",  "nvlink3", 300e9, 0,      4, 8, false, {200, 319, 603}   },
    {"A100 DGX",  "nvlink3", 300e9, 0,      8, 8, false, {274, 411, 675}   },
    {"H100 DGX",  "nvlink4", 450e9, 0,      2, 8, true,  {73, 136, 245}    },
    {"H100 DGX",  "nvlink4", 450e9, 0,      4, 8, true,  {93, 167, 318}    },
    {"H100 DGX",  "nvlink4", 450e9, 0,      8, 8, true,  {115, 196, 322}   },
    {"A100 pair", "nvlink3", 300e9, 0,      2, 2, false, {119, 212, 384}   },
    {"H100 pair", "nvlink4", 300e9, 0,      2, 2, false, {99, 187, 352}    },
    {"A100 pair", "nvlink3", 300e9, 31.5e9, 4, 2, false, {1115, 2157, 4268}},
    {"H100 pair", "nvlink4", 300e9, 63e9,   4, 2, false, {555, 1055, 2063} },
};

Test(protocol, all_reduces_profiled_elsewhere_are_met)
{
    TopoProtocolFits across = read_fits("pcie");
    double sum = 0.0, rows = 0.0;
    for (size_t i = 0; i < G_N_ELEMENTS(torch_figures); i++) {
        TopoProtocolFits inside = read_fits(torch_figures[i].inside);
        const TopoProtocolWires wires = {&inside, &across, torch_figures[i].inside_bytes_per_s,
                                         torch_figures[i].across_bytes_per_s};
        for (int size = 0; size < 3; size++) {
            TopoCollectiveCall call = {.ranks = torch_figures[i].ranks,
                                       .ranks_per_domain = torch_figures[i].ranks_per_domain,
                                       .bytes = 16777216.0 * (double)(1 << size),
                                       .domain_reduces = torch_figures[i].domain_reduces};
            TopoProtocolChoice choice;
            cr_assert(topo_protocol_choose(&call, &wires, &choice, NULL));
            double error = choice.seconds * 1e6 / torch_figures[i].us[size] - 1.0;
            cr_expect(fabs(error) < 0.20, "%u of %s, %g bytes: %+.3f", call.ranks,
                      torch_figures[i].gpus, call.bytes, error);
            sum += fabs(error);
            rows += 1.0;
        }
    }
    cr_expect(sum / rows < 0.08, "mean error %.3f", sum / rows);
}

/* DeepEP V1, docs/legacy.md: H800 (NVLink 200 GB/s a direction, one 400 Gb/s ConnectX-7 a GPU),
 * hidden 7168, top-8 of 256 experts, fp8 dispatch with a scale for 128 values, bf16 combine. Normal
 * kernels: 4096 tokens, at most four nodes a token; printed as GB/s over tokens * nodes visited, or
 * in one node tokens * ranks visited. Low latency: 128 tokens; printed in us. */
static const struct {
    uint32_t nodes;
    double dispatch, combine;
} normal_gb_per_s[] =
    {
        {1, 153, 158},
        {2, 43,  43 },
        {4, 58,  57 },
        {8, 51,  50 },
},
  low_latency_us[] = {
      {1, 77, 114}, {2, 118, 195}, {4, 155, 273}, {8, 173, 314}, {16, 192, 369}, {32, 194, 360},
};

static const TopoCollectiveRates h800 = {.inside_bytes_per_s = 200e9, .domain_bytes_per_s = 400e9};
static const TopoCollectiveRates h100 = {.inside_bytes_per_s = 450e9, .domain_bytes_per_s = 400e9};

static double expert_s(const TopoExpertFit *fit, const TopoCollectiveRates *rates,
                       TopoCollectiveOp op, uint32_t nodes, const TopoRouting *routing)
{
    const TopoCollectiveCall call = {
        .op = op, .ranks = 8 * nodes, .ranks_per_domain = 8, .routing = routing};
    double seconds = 0.0;
    g_autoptr(GError) error = NULL;
    cr_assert(topo_protocol_expert_s(fit, &call, rates, &seconds, &error), "%s", error->message);
    return seconds;
}

Test(protocol, deepep_normal_kernels_take_what_was_published)
{
    TopoExpertFit fit = read_expert("deepep-v1", "expert-two-level");
    for (size_t i = 0; i < G_N_ELEMENTS(normal_gb_per_s); i++) {
        uint32_t nodes = normal_gb_per_s[i].nodes;
        for (int combine = 0; combine < 2; combine++) {
            TopoRouting routing = {.tokens = 4096,
                                   .token_bytes = combine ? 14336 : 7168 * (1 + 4.0 / 128),
                                   .experts = 256,
                                   .topk = 8,
                                   .domain_limit = MIN(nodes, 4)};
            uint32_t parts = nodes == 1 ? 8 : nodes;
            double visits = parts * topo_routing_visit(&routing, 0, 256 / parts, 256 / nodes);
            double printed = combine ? normal_gb_per_s[i].combine : normal_gb_per_s[i].dispatch;
            double want = 4096.0 * visits * routing.token_bytes / (printed * 1e9);
            double got = expert_s(&fit, &h800, combine ? TOPO_OP_COMBINE : TOPO_OP_DISPATCH, nodes,
                                  &routing);
            cr_expect(fabs(got / want - 1.0) < 0.08, "%u nodes, combine %d: %.0f us, not %.0f",
                      nodes, combine, got * 1e6, want * 1e6);
        }
    }
}

Test(protocol, deepep_low_latency_kernels_take_what_was_published)
{
    TopoExpertFit fit = read_expert("deepep-v1-low-latency", "expert-direct");
    for (size_t i = 0; i < G_N_ELEMENTS(low_latency_us); i++) {
        uint32_t nodes = low_latency_us[i].nodes;
        TopoRouting fp8 = {.tokens = 128, .token_bytes = 7392, .experts = 256, .topk = 8};
        TopoRouting bf16 = {.tokens = 128, .token_bytes = 14336, .experts = 256, .topk = 8};
        double there = expert_s(&fit, &h800, TOPO_OP_DISPATCH, nodes, &fp8) * 1e6;
        double back = expert_s(&fit, &h800, TOPO_OP_COMBINE, nodes, &bf16) * 1e6;
        cr_expect(fabs(there / low_latency_us[i].dispatch - 1.0) < 0.08, "%u nodes: %.0f us", nodes,
                  there);
        cr_expect(fabs(back / low_latency_us[i].combine - 1.0) < 0.08, "%u nodes: %.0f us", nodes,
                  back);
    }
}

/* DeepEP of 2025 on 8 H100 (AIConfigurator's database, SGLang 0.5.12; normal kernels with 20 SMs),
 * settings as above: tokens a rank, dispatch and combine in us. */
static const struct {
    const char *fit, *algorithm;
    double tokens, dispatch, combine;
} one_node[] = {
    {"deepep",             "expert-two-level", 128,    50.11,    82.51   },
    {"deepep",             "expert-two-level", 1024,   157.82,   307.18  },
    {"deepep",             "expert-two-level", 4096,   492.16,   982.68  },
    {"deepep",             "expert-two-level", 16384,  1960.14,  3565.43 },
    {"deepep",             "expert-two-level", 131072, 15837.43, 26656.88},
    {"deepep-low-latency", "expert-direct",    16,     15.62,    20.532  },
    {"deepep-low-latency", "expert-direct",    128,    36.721,   66.981  },
    {"deepep-low-latency", "expert-direct",    1024,   224.057,  489.434 },
};

Test(protocol, deepep_in_one_node_takes_what_was_measured)
{
    for (size_t i = 0; i < G_N_ELEMENTS(one_node); i++) {
        TopoExpertFit fit = read_expert(one_node[i].fit, one_node[i].algorithm);
        TopoRouting fp8 = {
            .tokens = one_node[i].tokens, .token_bytes = 7392, .experts = 256, .topk = 8};
        TopoRouting bf16 = fp8;
        bf16.token_bytes = 14336;
        double there = expert_s(&fit, &h100, TOPO_OP_DISPATCH, 1, &fp8) * 1e6;
        double back = expert_s(&fit, &h100, TOPO_OP_COMBINE, 1, &bf16) * 1e6;
        cr_expect(fabs(there / one_node[i].dispatch - 1.0) < 0.15, "%s, %g tokens: %.1f us",
                  one_node[i].fit, one_node[i].tokens, there);
        cr_expect(fabs(back / one_node[i].combine - 1.0) < 0.15, "%s, %g tokens: %.1f us",
                  one_node[i].fit, one_node[i].tokens, back);
    }
}

Test(protocol, deepep_refuses_what_was_not_measured)
{
    TopoExpertFit fit = read_expert("deepep-v1", "expert-two-level");
    TopoRouting routing = {.tokens = 128, .token_bytes = 7392, .experts = 256, .topk = 8};
    TopoCollectiveCall call = {
        .op = TOPO_OP_DISPATCH, .ranks = 16, .ranks_per_domain = 8, .routing = &routing};
    g_autoptr(GError) error = NULL;
    double seconds;
    fit.dispatch.across_fraction = 0.0;
    cr_expect_not(topo_protocol_expert_s(&fit, &call, &h800, &seconds, &error));
    cr_assert_not_null(error);
    cr_expect(strstr(error->message, "not measured between domains"), "%s", error->message);
}
