/* Prices of iterations against published runs that need no scheduler: one sequence, one static
 * batch, one prompt. Every row of these families in ../shared/published/serving.json is printed
 * with its prediction; families whose devices and types have kernel fits are held to a bound. Skips
 * where the file is absent. */
#include "scen_named.h"
#include "strat_price.h"

#include <criterion/criterion.h>

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Which node stands for a GPU of the rows; "": one GPU alone. */
static const struct {
    const char *gpu, *node, *reduce;
} homes[] = {
    {"a100-sxm-80gb-330w",   "a100-330w-mesh",  "vllm-a100"},
    {"a100-sxm-80gb",        "dgx-a100-80gb",   "vllm-a100"},
    {"h100-sxm",             "dgx-h100",        "vllm-h100"},
    {"l40s",                 "l40s-server",     NULL       },
    {"rtx-4090",             "rtx-4090-server", NULL       },
    {"rtx-a6000",            NULL,              NULL       },
    {"jetson-agx-orin-64gb", NULL,              NULL       },
    {"t4",                   NULL,              NULL       },
    {"mi250x-gcd",           NULL,              NULL       },
};

typedef struct World {
    GStringChunk *strings;
    TopoCluster cluster;
    KernProfile profile;
    ModelSpec model;
    TopoEngineFit reduce;
    StratEngine engine;
    StratDeployment deployment;
    StratPricer *pricer;
} World;

static void world_clear(World *world)
{
    strat_pricer_free(world->pricer);
    if (world->strings)
        g_string_chunk_free(world->strings);
}

static bool bind_hardware(World *world, const char *gpu, bool *reduces)
{
    for (size_t i = 0; i < G_N_ELEMENTS(homes); i++) {
        if (!g_str_equal(homes[i].gpu, gpu))
            continue;
        TopoNode *node = &world->cluster.node;
        *reduces = homes[i].reduce && scen_named_bind(SCEN_CATALOG_ENGINE_KERNELS, homes[i].reduce,
                                                      NULL, world->strings, &world->reduce, NULL);
        if (homes[i].node)
            return scen_named_bind(SCEN_CATALOG_NODE, homes[i].node, NULL, world->strings, node,
                                   NULL);
        node->gpus = node->scale_up_gpus = 1;
        node->host_bytes_per_s = 12e9; /* PCIe gen3 x16 as copies reach it */
        return scen_named_bind(SCEN_CATALOG_GPU, gpu, NULL, world->strings, &node->gpu, NULL);
    }
    return false;
}

static StratWeights weights_of(const char *name)
{
    static const struct {
        const char *name;
        StratWeights weights;
    } names[] = {
        {"fp8",              STRAT_WEIGHTS_FP8 },
        {"int8-weight-only", STRAT_WEIGHTS_INT8},
        {"int4-weight-only", STRAT_WEIGHTS_INT4},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(names[i].name, name))
            return names[i].weights;
    }
    return STRAT_WEIGHTS_BF16;
}

static bool world_init(World *world, JsonObject *row, bool graphs, bool own_reduce)
{
    JsonObject *setup = json_object_get_object_member(row, "setup");
    bool reduces = false;
    *world = (World){.strings = g_string_chunk_new(1024)};
    if (!bind_hardware(world, json_object_get_string_member(setup, "gpu"), &reduces) ||
        !scen_named_bind(SCEN_CATALOG_MODEL, json_object_get_string_member(setup, "model"), NULL,
                         world->strings, &world->model, NULL))
        return false;
    TopoCluster *cluster = &world->cluster;
    const char *profile = cluster->node.gpu.profile ? cluster->node.gpu.profile : "datasheet";
    if (!scen_named_bind(SCEN_CATALOG_PROFILE, profile, NULL, world->strings, &world->profile,
                         NULL))
        return false;
    cluster->node_count = 1;
    cluster->gpu_count = cluster->node.gpus;
    const char *kv = json_object_get_string_member(setup, "kv");
    world->engine = (StratEngine){.max_sequences = 4096,
                                  .max_tokens = 1 << 20,
                                  .block_tokens = 16,
                                  .memory_fraction = 0.9,
                                  .graphs = graphs,
                                  .graph_sequences = 4096,
                                  .fused_kernels = true,
                                  .gathers_experts = graphs};
    world->deployment = (StratDeployment){
        .engine = &world->engine,
        .pool = {{.replicas = 1,
                  .tensor = json_object_get_int_member(row, "tp"),
                  .pipeline = 1,
                  .data = 1,
                  .expert = 1}},
        .pools = 1,
        .weights = weights_of(json_object_get_string_member(setup, "weights")),
        .kv = g_str_equal(kv, "fp8") ? STRAT_KV_FP8 : STRAT_KV_16_BIT,
    };
    StratPriceSpec spec = {
        .model = &world->model,
        .cluster = cluster,
        .device = {.gpu = &cluster->node.gpu, .profile = &world->profile, .clock_fraction = 1.0},
        .prompt_clock_fraction = world->profile.sustained_clock_fraction,
        .deployment = &world->deployment,
        .reduce = reduces && own_reduce ? &world->reduce : NULL
    };
    world->pricer = strat_price_new(&spec, NULL);
    return world->pricer != NULL;
}

static double prompts_s(const World *world, int64_t sequences, int64_t tokens)
{
    g_autofree StratChunk *chunks = g_new0(StratChunk, sequences);
    for (int64_t i = 0; i < sequences; i++)
        chunks[i].tokens = tokens;
    StratBatch batch = {.chunk = chunks, .chunks = (size_t)sequences, .outputs = sequences};
    StratIteration iteration;
    world->pricer->price(world->pricer, &batch, &iteration);
    return iteration.seconds;
}

static double decode_s(const World *world, int64_t sequences, double context)
{
    StratBatch batch = {.decodes = sequences,
                        .decode_tokens = 1,
                        .context = context,
                        .longest = context,
                        .outputs = sequences};
    StratIteration iteration;
    world->pricer->price(world->pricer, &batch, &iteration);
    return iteration.seconds;
}

/* One batch from its prompts to its last token. */
static double batch_s(const World *world, int64_t sequences, int64_t input, int64_t output)
{
    double sum = prompts_s(world, sequences, input);
    for (int64_t i = 1; i < output; i++)
        sum += decode_s(world, sequences, (double)(input + i));
    return sum;
}

/* What is predicted of @metric, NAN: no such. */
static double predict(const World *world, JsonObject *row, const char *metric, const char *unit)
{
    int64_t input = json_object_get_int_member(row, "input_len");
    int64_t output = json_object_has_member(row, "output_len")
                         ? json_object_get_int_member(row, "output_len")
                         : 200;
    int64_t batch = json_object_has_member(row, "batch_size")
                        ? json_object_get_int_member(row, "batch_size")
                        : 1;
    double middle = (double)input + 0.5 * (double)output;
    double gpus = g_str_equal(unit, "tok/s/GPU") ? (double)world->deployment.pool[0].tensor : 1.0;
    if (g_str_equal(metric, "decode_tokens_per_s"))
        return 1.0 / decode_s(world, 1, middle);
    if (g_str_equal(metric, "tpot") || g_str_equal(metric, "token_time"))
        return 1e3 * decode_s(world, batch, middle);
    if (g_str_equal(metric, "ttft") || g_str_equal(metric, "prompt_time"))
        return 1e3 * prompts_s(world, batch, input);
    if (g_str_equal(metric, "output_throughput") || g_str_equal(metric, "generation_throughput"))
        return (double)(batch * output) / batch_s(world, batch, input, output) / gpus;
    return NAN;
}

static int compare(gconstpointer a, gconstpointer b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(GArray *values)
{
    g_array_sort(values, compare);
    return values->len > 0 ? g_array_index(values, double, values->len / 2) : 0.0;
}

static void judge_row(JsonObject *row, const char *metric, bool graphs, bool own_reduce,
                      GArray *errors)
{
    const char *id = json_object_get_string_member(row, "id");
    World world;
    if (world_init(&world, row, graphs, own_reduce)) {
        JsonArray *results = json_object_get_array_member(row, "results");
        for (guint i = 0; i < json_array_get_length(results); i++) {
            JsonObject *result = json_array_get_object_element(results, i);
            if (!g_str_equal(json_object_get_string_member(result, "metric"), metric))
                continue;
            double want = json_object_get_double_member(result, "value");
            double got =
                predict(&world, row, metric, json_object_get_string_member(result, "unit"));
            double error = fabs(got / want - 1.0);
            printf("%-62s %-22s %10.2f %10.2f %+6.1f %%\n", id, metric, want, got,
                   100.0 * (got / want - 1.0));
            g_array_append_val(errors, error);
        }
    }
    world_clear(&world);
}

static const struct {
    const char *family, *metric;
    bool graphs, own_reduce;
    double median_most; /* 0: only printed */
} families[] = {
    {"gpt-fast/",             "decode_tokens_per_s", true,  true,  0.08},
    {"tinychat/",             "tpot",                false, false, 0.15},
    {"trtllm-v0.5-ttft/",     "ttft",                false, true,  0.20},
    {"trtllm-v0.6.1-static/", "output_throughput",   false, true,  0.0 },
    {"trtllm-v0.5-static/",   "output_throughput",   false, true,  0.0 },
    {"splitwise/",            "prompt_time",         false, false, 0.0 },
    {"splitwise/",            "token_time",          false, false, 0.0 },
};

Test(serve_static, predictions_are_near_the_published_rows)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_file(parser, SHARED_DIR "/published/serving.json", NULL))
        cr_skip_test("no published rows here");
    JsonArray *rows = json_node_get_array(json_parser_get_root(parser));
    for (size_t f = 0; f < G_N_ELEMENTS(families); f++) {
        g_autoptr(GArray) errors = g_array_new(FALSE, FALSE, sizeof(double));
        for (guint i = 0; i < json_array_get_length(rows); i++) {
            JsonObject *row = json_array_get_object_element(rows, i);
            if (g_str_has_prefix(json_object_get_string_member(row, "id"), families[f].family))
                judge_row(row, families[f].metric, families[f].graphs, families[f].own_reduce,
                          errors);
        }
        double middle = median(errors);
        printf("%s %s: %u rows, median %.1f %%\n", families[f].family, families[f].metric,
               errors->len, 100.0 * middle);
        cr_expect(families[f].median_most <= 0.0 || middle <= families[f].median_most,
                  "%s: median error %.3f", families[f].family, middle);
    }
}

/* DeepSeek-V3 on H800, as DeepSeek's profile data has it (deepseek-profile/ rows): prompts of 4096
 * on EP32 with 16,384 tokens a GPU, decodes on EP128 with 128 sequences of 4096 a GPU, both in two
 * batches. DeepEP V1's kernels (topology/catalog/expert_kernels.yaml), 32 experts in two copies. */
static double deepseek_tokens_per_s(const World *world, int64_t ranks, bool prompts)
{
    static const TopoExpertFit normal = {
        .name = "deepep-v1",
        .algorithm = "expert-two-level",
        .dispatch = {25.38e-6, 20.71e-6, 7e6, 0.67,  0.91},
        .combine = {37.08e-6, 0.0,      1e6, 0.665, 0.88},
    };
    static const TopoExpertFit fast = {
        .name = "deepep-v1-low-latency",
        .algorithm = "expert-direct",
        .dispatch = {29.58e-6, 0.0, 1e6, 0.6986, 0.8919},
        .combine = {17.42e-6, 0.0, 1e6, 0.665,  0.8335},
    };
    enum { LENGTH = 4096, PROMPTS = 4, DECODES = 128 };
    StratEngine engine = {.graphs = true, .graph_sequences = 1 << 20, .fused_kernels = true};
    StratDeployment deployment = {
        .engine = &engine,
        .pool = {{.replicas = 1, .tensor = 1, .pipeline = 1, .data = ranks, .expert = ranks}},
        .pools = 1,
        .weights = STRAT_WEIGHTS_FP8_BLOCK,
        .redundant_experts = 32,
        .two_batch_overlap = true};
    StratPriceSpec spec = {
        .model = &world->model,
        .cluster = &world->cluster,
        .device = {.gpu = &world->cluster.node.gpu,
                   .profile = &world->profile,
                   .clock_fraction = 1.0},
        .prompt_clock_fraction = world->profile.sustained_clock_fraction,
        .deployment = &deployment,
        .expert_prompts = &normal,
        .expert_decodes = &fast
    };
    StratPricer *pricer = strat_price_new(&spec, NULL);
    g_autofree StratChunk *chunks = g_new0(StratChunk, ranks * PROMPTS);
    for (int64_t i = 0; i < ranks * PROMPTS; i++)
        chunks[i].tokens = LENGTH;
    int64_t count = ranks * (prompts ? PROMPTS : DECODES);
    StratBatch batch = {.chunk = chunks,
                        .chunks = prompts ? (size_t)count : 0,
                        .decodes = prompts ? 0 : count,
                        .decode_tokens = 1,
                        .context = LENGTH,
                        .longest = LENGTH,
                        .outputs = count};
    StratIteration out;
    pricer->price(pricer, &batch, &out);
    strat_pricer_free(pricer);
    double tokens = (double)count * (prompts ? LENGTH : 1);
    return tokens / out.seconds / (double)(ranks / world->cluster.node.gpus);
}

Test(serve_static, deepseek_v3_on_h800_nodes)
{
    static const struct {
        int64_t ranks;
        bool prompts;
        double want; /* tokens a second and node */
    } rows[] = {
        {32,  true,  62713.0},
        {128, false, 18598.0},
    };
    World world = {.strings = g_string_chunk_new(1024)};
    cr_assert(
        scen_named_bind(SCEN_CATALOG_NODE, "hgx-h800", NULL, world.strings, &world.cluster.node,
                        NULL) &&
        scen_named_bind(SCEN_CATALOG_MODEL, "deepseek-v3", NULL, world.strings, &world.model,
                        NULL) &&
        scen_named_bind(SCEN_CATALOG_PROFILE, "h100", NULL, world.strings, &world.profile, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        world.cluster.node_count = rows[i].ranks / world.cluster.node.gpus;
        world.cluster.gpu_count = rows[i].ranks;
        double got = deepseek_tokens_per_s(&world, rows[i].ranks, rows[i].prompts);
        printf("deepseek-v3 on EP%d: %.0f tokens/s a node published, %.0f predicted, %+.1f %%\n",
               (int)rows[i].ranks, rows[i].want, got, 100.0 * (got / rows[i].want - 1.0));
        cr_expect(fabs(got / rows[i].want - 1.0) < 0.15, "%.0f", got);
    }
    world_clear(&world);
}
