/* Every row of every catalog binds, says where it comes from, and holds plausible numbers. Bounds
 * are of physics and of the market of a decade, loose enough for any real part: they catch a slip
 * of a unit, not of a digit. */
#include "scen_load.h"
#include "scen_named.h"
#include "toy_world.h"

#include "kern_gemm.h"
#include "model_params.h"
#include "scen_campaign.h"
#include "strat_interval.h"
#include "topo_protocol_engine.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

/* A row at hand. */
typedef struct Visit {
    ScenCatalogKind kind;
    void (*check)(const char *name, const void *row);
    size_t size; /* of the struct that a row fills */
    size_t rows;
} Visit;

static void visit_row(const char *name, const char *source, void *data)
{
    Visit *visit = data;
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    g_autofree void *row = g_malloc0(visit->size);
    g_autoptr(GError) error = NULL;
    visit->rows++;
    cr_expect(*source != '\0', "%s: no source", name);
    bool bound = scen_named_bind(visit->kind, name, NULL, strings, row, &error);
    cr_expect(bound, "%s: %s", name, error ? error->message : "");
    if (bound)
        visit->check(name, row);
}

static void visit_all(ScenCatalogKind kind, size_t size,
                      void (*check)(const char *name, const void *row))
{
    Visit visit = {kind, check, size, 0};
    g_autoptr(GError) error = NULL;
    bool read = scen_named_foreach(kind, NULL, visit_row, &visit, &error);
    cr_expect(read, "%s", error ? error->message : "");
    cr_expect(visit.rows > 0, "an empty catalog");
}

static void expect_between(const char *name, const char *what, double value, double low,
                           double high)
{
    cr_expect(value >= low && value <= high, "%s: %s is %g, not from %g to %g", name, what, value,
              low, high);
}

static void check_model(const char *name, const void *row)
{
    const ModelSpec *spec = row;
    double total = (double)model_params_count(spec).total;
    if (spec->published_parameters > 0.0)
        expect_between(name, "parameters over published", total / spec->published_parameters, 0.995,
                       1.005);
    expect_between(name, "parameters", total, 1e7, 1e14);
    cr_expect(spec->heads % spec->kv_heads == 0, "%s: heads", name);
    expect_between(name, "head width", (double)spec->head_dim, 16, 512);
    cr_expect(spec->experts_per_token <= spec->experts, "%s: experts", name);
}

Test(catalog_rows, models_have_the_parameters_that_their_sources_print)
{
    visit_all(SCEN_CATALOG_MODEL, sizeof(ModelSpec), check_model);
}

static void count_published(const char *name, const char *source, void *data)
{
    (void)source;
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ModelSpec spec = {0};
    if (scen_named_bind(SCEN_CATALOG_MODEL, name, NULL, strings, &spec, NULL))
        *(size_t *)data += spec.published_parameters > 0.0;
}

Test(catalog_rows, most_models_have_a_published_count_to_be_held_to)
{
    size_t published = 0;
    scen_named_foreach(SCEN_CATALOG_MODEL, NULL, count_published, &published, NULL);
    cr_expect(published >= 20, "only %zu", published);
}

static void check_gpu(const char *name, const void *row)
{
    const TopoGpu *gpu = row;
    expect_between(name, "memory", gpu->memory_bytes, 8e9, 2e12);
    expect_between(name, "bandwidth", gpu->memory_bytes_per_s, 1e11, 1e14);
    expect_between(name, "SMs", (double)gpu->multiprocessors, 1, 1000);
    expect_between(name, "clock", gpu->boost_clock_hz, 5e8, 5e9);
    expect_between(name, "power", gpu->power_w, 50, 5000);
    double fastest = 0.0;
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++) {
        fastest = fmax(fastest, gpu->peak_flop_per_s[t]);
        if (gpu->peak_flop_per_s[t] > 0.0)
            expect_between(name, "peak", gpu->peak_flop_per_s[t], 1e12, 1e17);
    }
    cr_expect(fastest > 0.0, "%s: no peak at all", name);
    const double *peak = gpu->peak_flop_per_s;
    cr_expect(fmax(peak[TOPO_DTYPE_FP16], peak[TOPO_DTYPE_BF16]) > 0.0, "%s: no 16 bits", name);
    if (peak[TOPO_DTYPE_FP8] > 0.0)
        cr_expect(peak[TOPO_DTYPE_FP8] >= peak[TOPO_DTYPE_BF16], "%s: fp8 below bf16", name);
}

Test(catalog_rows, gpus_have_memory_bandwidth_and_peaks)
{
    visit_all(SCEN_CATALOG_GPU, sizeof(TopoGpu), check_gpu);
}

static void check_node(const char *name, const void *row)
{
    const TopoNode *node = row;
    check_gpu(name, &node->gpu);
    expect_between(name, "GPUs", (double)node->gpus, 1, 256);
    cr_expect(node->scale_up_gpus >= 1, "%s: scale-up GPUs", name);
    expect_between(name, "scale-up rate", node->scale_up_bytes_per_s, 1e9, 1e13);
    expect_between(name, "scale-up latency", node->scale_up_latency_s, 0.0, 1e-4);
    expect_between(name, "NICs", (double)node->nics, 0, 64);
    if (node->nics > 0)
        expect_between(name, "NIC rate", node->nic_bytes_per_s, 1e8, 1e12);
    expect_between(name, "NIC latency", node->nic_latency_s, 0.0, 1e-3);
}

Test(catalog_rows, nodes_have_wires_that_carry_bytes)
{
    visit_all(SCEN_CATALOG_NODE, sizeof(TopoNode), check_node);
}

static void check_cluster(const char *name, const void *row)
{
    const TopoCluster *cluster = row;
    check_node(name, &cluster->node);
    cr_expect(cluster->node_count >= 1, "%s: no nodes", name);
    cr_expect(cluster->gpu_count >= 1 &&
                  cluster->gpu_count <= cluster->node.gpus * cluster->node_count,
              "%s: %d GPUs", name, (int)cluster->gpu_count);
}

Test(catalog_rows, clusters_have_no_more_gpus_than_their_nodes)
{
    visit_all(SCEN_CATALOG_CLUSTER, sizeof(TopoCluster), check_cluster);
}

static void check_protocols(const char *name, const void *row)
{
    const TopoProtocolFits *fits = row;
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++) {
        const TopoProtocolFit *fit = &fits->op[op];
        for (int p = 0; p < TOPO_PROTOCOL_COUNT; p++) {
            expect_between(name, "fraction", fit->protocol[p].fraction, 0.001, 1.0);
            expect_between(name, "base latency", fit->protocol[p].base_s, 1e-6, 1e-3);
            expect_between(name, "hop latency", fit->protocol[p].hop_s, 0.0, 1e-4);
        }
        expect_between(name, "copy fraction", fit->copy_fraction, 0.0, 1.0);
        expect_between(name, "bulk bias", fit->bulk_bias, 0.5, 1.0);
    }
}

Test(catalog_rows, protocols_carry_a_share_of_their_rate)
{
    visit_all(SCEN_CATALOG_PROTOCOL, sizeof(TopoProtocolFits), check_protocols);
}

/* A kernel that some group takes has figures. */
static void check_engine(const char *name, const void *row)
{
    const TopoEngineFit *fit = row;
    for (int i = 0; i < TOPO_ENGINE_SIZES; i++)
        for (double bytes = 256.0; bytes < 1e10; bytes *= 2.0) {
            const TopoCollectiveCall call = {
                .ranks = topo_engine_ranks(i), .ranks_per_domain = 8, .bytes = bytes};
            TopoEngineKernel kernel = topo_engine_kernel(fit, &call);
            if (kernel == TOPO_ENGINE_LIBRARY)
                continue;
            expect_between(name, "fraction", fit->kernel[kernel].fraction, 0.01, 1.0);
            expect_between(name, "base latency", fit->kernel[kernel].base_s, 1e-6, 1e-4);
            expect_between(name, "peer latency", fit->kernel[kernel].peer_s, 0.0, 5e-6);
            expect_between(name, "host latency", fit->kernel[kernel].host_s, 1e-6, 1e-3);
        }
    expect_between(name, "copy fraction", fit->eager_copy_fraction, 0.0, 1.0);
}

Test(catalog_rows, engine_kernels_have_figures_for_what_they_take)
{
    visit_all(SCEN_CATALOG_ENGINE_KERNELS, sizeof(TopoEngineFit), check_engine);
}

static void check_profile(const char *name, const void *row)
{
    const KernProfile *profile = row;
    bool any = false;
    for (int t = 0; t < KERN_GEMM_TYPES; t++) {
        const KernGemmFit *fit = &profile->gemm[t];
        bool narrow = t == TOPO_DTYPE_FP8 || t >= TOPO_DTYPE_COUNT;
        if (fit->rows == 0)
            continue;
        any = any || t < TOPO_DTYPE_COUNT;
        expect_between(name, "compute fraction", fit->compute_fraction, 0.3, 1.1);
        expect_between(name, "feed", fit->feed_bytes_per_clock, 4.0, 160.0);
        expect_between(name, "step", fit->step_s, 0.0, 1e-6);
        expect_between(name, "prologue", fit->prologue_s, 0.0, 5e-6);
        expect_between(name, "epilogue", fit->epilogue_s, 0.0, 1e-5);
        expect_between(name, "wave quantisation", fit->wave_quantisation, 0.0, 1.0);
        expect_between(name, "memory fraction", fit->memory_fraction, 0.3, 1.05);
        expect_between(name, "overlap loss", fit->overlap_loss, 0.0, 1.0);
        expect_between(name, "gemm median error", fit->median_error_fraction, 0.0,
                       narrow ? 0.08 : 0.06);
        expect_between(name, "gemm p90 error", fit->p90_error_fraction, 0.0, narrow ? 0.22 : 0.18);
        expect_between(name, "launch", fit->launch_s, 0.0, 1e-3);
        bool blocks = t == KERN_GEMM_FP8_BLOCK, integers = t > KERN_GEMM_FP8_BLOCK;
        expect_between(name, "host", fit->host_s, blocks ? 1e-5 : 0.0, blocks ? 1e-3 : 0.0);
        expect_between(name, "widened weights", fit->dequantise_per_clock, integers ? 1.0 : 0.0,
                       256.0);
    }
    cr_expect(any, "%s: no product can be priced", name);
    expect_between(name, "attention", profile->attention.forward_fraction, 0.01, 1.0);
    expect_between(name, "attention backward", profile->attention.backward_fraction, 0.01, 1.0);
    expect_between(name, "memory", profile->memory.fraction, 0.1, 1.0);
    expect_between(name, "sustained clock", profile->sustained_clock_fraction, 0.3, 1.0);
}

Test(catalog_rows, profiles_price_products_attention_and_passes)
{
    visit_all(SCEN_CATALOG_PROFILE, sizeof(KernProfile), check_profile);
}

/* Products of a GPU's types against its datasheet: a row takes the bytes of its weights, thousands
 * of rows the peak, whether the type was measured on it or not. A TPU is left out: it has no SMs,
 * and what an SM takes in says nothing of it, in 16 bits neither. */
static void check_products(const char *name, const void *row)
{
    static const struct {
        TopoDtype dtype;
        KernGemmWeights weights;
    } types[] = {
        {TOPO_DTYPE_BF16, KERN_WEIGHTS_INT8        },
        {TOPO_DTYPE_BF16, KERN_WEIGHTS_INT4        },
        {TOPO_DTYPE_FP8,  KERN_WEIGHTS_BLOCK_SCALED},
    };
    const TopoGpu *gpu = row;
    const double *peak = gpu->peak_flop_per_s;
    if (gpu->multiprocessors < 16)
        return;
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    KernProfile profile = {0};
    scen_named_bind(SCEN_CATALOG_PROFILE, gpu->profile, NULL, strings, &profile, NULL);
    const KernDevice device = {.gpu = gpu, .profile = &profile, .clock_fraction = 1.0};
    KernGemmShape wide = {.batch = 1, .m = 1, .n = 57344, .k = 16384, .dtype = TOPO_DTYPE_FP16};
    double wide_s = kern_gemm_s(&device, &wide);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        KernGemmShape s = wide, large = {.batch = 1, .m = 8192, .n = 8192, .k = 8192};
        s.dtype = large.dtype = types[i].dtype;
        s.weights = large.weights = types[i].weights;
        s.captured = large.captured = true;
        const char *type = kern_gemm_type_name(kern_gemm_type(&s));
        double bytes = 57344.0 * 16384.0 * kern_gemm_weight_bytes(&s);
        double rate = peak[s.dtype] > 0.0 ? peak[s.dtype] : peak[TOPO_DTYPE_FP16];
        expect_between(name, type, kern_gemm_s(&device, &s) * gpu->memory_bytes_per_s / bytes, 0.9,
                       2.5);
        expect_between(name, type, kern_gemm_s(&device, &large) * rate / kern_gemm_flop(&large),
                       0.9, 2.2);
        cr_expect(kern_gemm_s(&device, &s) < wide_s, "%s: %s slower than 16 bits", name, type);
    }
}

Test(catalog_rows, gpus_price_narrow_weights_between_their_bytes_and_their_peak)
{
    visit_all(SCEN_CATALOG_GPU, sizeof(TopoGpu), check_products);
}

/* A plan needs a batch, so a scenario on one node gives it one; some need other sizes than two. */
static const struct {
    const char *name, *node, *layout;
    int64_t data;
} layouts[] = {
    {"colossal-ai-2d",          "dgx-a100-80gb",                                   "tensor: 4, pipeline: 1", 2},
    {"colossal-ai-2.5d",        "dgx-a100-80gb",                                   "tensor: 8, pipeline: 1", 1},
    {"deepspeed-zero-infinity",
     "{base: dgx-a100-80gb, disk: 10 TB, disk_read: 10 GB/s, disk_write: 5 GB/s}", "tensor: 2, pipeline: 1", 4},
    {NULL,                      "dgx-a100-80gb",                                   "tensor: 2, pipeline: 2", 2},
};

static void load_plan(const char *name, const char *source, void *data)
{
    size_t k = 0;
    while (layouts[k].name && !g_str_equal(layouts[k].name, name))
        k++;
    g_autofree char *text = g_strdup_printf("model: megatron-1.7b\n"
                                            "cluster: {node: %s, gpus: 8}\n"
                                            "plan: {base: %s, %s, "
                                            "pipeline_shards_no_gradients: false, "
                                            "global_batch: 8}\n",
                                            layouts[k].node, name, layouts[k].layout);
    g_autoptr(GError) error = NULL;
    ScenLoadOptions options = {0};
    g_autoptr(ScenScenario) scenario =
        scen_scenario_parse(name, text, strlen(text), &options, &error);
    cr_expect(scenario != NULL, "%s: %s", name, error ? error->message : "");
    cr_expect(*source != '\0', "%s: no source", name);
    if (scenario)
        cr_expect(scenario->plan.data == layouts[k].data, "%s: data %d", name,
                  (int)scenario->plan.data);
    ++*(size_t *)data;
}

Test(catalog_rows, plans_load_inside_a_scenario)
{
    size_t rows = 0;
    g_autoptr(GError) error = NULL;
    bool read = scen_named_foreach(SCEN_CATALOG_PLAN, NULL, load_plan, &rows, &error);
    cr_expect(read, "%s", error ? error->message : "");
    cr_expect(rows > 0);
}

/* Profiles that GPUs name are rows of their catalog. */
static void find_profile(const char *name, const void *row)
{
    const TopoGpu *gpu = row;
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    KernProfile profile = {0};
    if (gpu->profile)
        cr_expect(
            scen_named_bind(SCEN_CATALOG_PROFILE, gpu->profile, NULL, strings, &profile, NULL),
            "%s: no profile %s", name, gpu->profile);
}

Test(catalog_rows, gpus_name_profiles_that_exist)
{
    visit_all(SCEN_CATALOG_GPU, sizeof(TopoGpu), find_profile);
}

static void check_errors(const char *name, const void *row)
{
    const StratErrors *errors = row;
    for (int k = 0; k < STRAT_KIND_COUNT; k++)
        expect_between(name, strat_kind_key((StratKind)k), errors->kind[k], 0.005, 0.5);
    for (int v = 1; v < KERN_EVIDENCE_COUNT; v++)
        expect_between(name, "weaker evidence over stronger",
                       errors->widen[v] / errors->widen[v - 1], 1.0, 5.0);
    expect_between(name, "factor of fitted costs", errors->widen[KERN_EVIDENCE_FITTED], 1.0, 1.0);
}

Test(catalog_rows, of_errors_widen_with_weaker_evidence)
{
    visit_all(SCEN_CATALOG_ERRORS, sizeof(StratErrors), check_errors);
}

/* A node of 8 GPUs fails 0.01 to 100 times in 1000 days by any report, all its parts together;
 * errors that were counted whether a job died of them or not are up to 300. Rates of a whole job
 * aside. */
static void check_faults(const char *name, const void *row)
{
    ScenFaults owned = *(const ScenFaults *)row;
    const ScenFaults *faults = &owned;
    StratFaultModel model = {
        .classes = (const StratFaultClass *)(void *)faults->classes->data,
        .count = faults->classes->len,
        .site = {8, 8, 1, 1},
        .scale = faults->scale,
    };
    double per_day = 0.0, most = g_str_has_prefix(name, "delta") ? 300.0 : 100.0;
    bool any = false;
    for (size_t i = 0; i < model.count; i++) {
        if (model.classes[i].unit == STRAT_FAULT_JOB || model.classes[i].per_job_s > 0.0)
            continue;
        any = true;
        per_day += strat_fault_rate(&model, &model.classes[i]) * 86400.0;
    }
    if (any)
        expect_between(name, "faults in 1000 node-days", per_day * 1000.0, 0.01, most);
    scen_faults_clear(&owned);
}

Test(catalog_rows, faults_are_as_frequent_as_fleets_report)
{
    visit_all(SCEN_CATALOG_FAULTS, sizeof(ScenFaults), check_faults);
}

/* From a cloud's 20 Gbps to the largest fleets' tens of TB/s. */
static void check_storage(const char *name, const void *row)
{
    const StratStorage *storage = &((const ScenStorage *)row)->row;
    expect_between(name, "writing", storage->write_bytes_per_s, 1e9, 1e14);
    expect_between(name, "reading over writing",
                   storage->read_bytes_per_s / storage->write_bytes_per_s, 1.0, 10.0);
    expect_between(name, "share of writing that is reached", storage->write_fraction, 0.05, 1.0);
    expect_between(name, "share of reading that is reached", storage->read_fraction, 0.05, 1.0);
}

Test(catalog_rows, storages_write_and_read_at_rates_that_exist)
{
    visit_all(SCEN_CATALOG_STORAGE, sizeof(ScenStorage), check_storage);
}
