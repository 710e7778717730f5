/* What must hold of every price: more to do never takes less, more GPUs never slow one iteration of
 * a large model down, fewer bytes are read sooner. On the fits of real GPUs, whose kernels are not
 * monotone: a product whose tile rows find partners is up to 7 % quicker than one with a row less
 * (kern_gemm.c, unpaired), so 10 % are forgiven. */
#include "scen_named.h"
#include "sim_random.h"
#include "strat_price.h"

#include <criterion/criterion.h>

#include <math.h>

static const double FORGIVEN = 0.10;

typedef struct World {
    GStringChunk *strings;
    TopoCluster cluster;
    KernProfile profile;
    ModelSpec model;
    TopoEngineFit reduce;
    StratEngine engine;
    StratDeployment deployment;
    StratPriceSpec spec;
} World;

static void world_init(World *world, const char *node, const char *model, const char *reduce)
{
    *world = (World){.strings = g_string_chunk_new(1024)};
    TopoCluster *cluster = &world->cluster;
    cr_assert(scen_named_bind(SCEN_CATALOG_NODE, node, NULL, world->strings, &cluster->node, NULL));
    cr_assert(
        scen_named_bind(SCEN_CATALOG_MODEL, model, NULL, world->strings, &world->model, NULL));
    cr_assert(scen_named_bind(SCEN_CATALOG_PROFILE, cluster->node.gpu.profile, NULL, world->strings,
                              &world->profile, NULL));
    cr_assert(scen_named_bind(SCEN_CATALOG_ENGINE_KERNELS, reduce, NULL, world->strings,
                              &world->reduce, NULL));
    cluster->node_count = 4;
    cluster->gpu_count = 4 * cluster->node.gpus;
    world->engine = (StratEngine){.max_sequences = 1024,
                                  .max_tokens = 8192,
                                  .block_tokens = 16,
                                  .graphs = true,
                                  .graph_sequences = 512,
                                  .fused_kernels = true};
    world->deployment = (StratDeployment){
        .engine = &world->engine,
        .pool = {{.replicas = 1, .tensor = 1, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1};
    world->spec = (StratPriceSpec){
        .model = &world->model,
        .cluster = cluster,
        .device = {.gpu = &cluster->node.gpu, .profile = &world->profile, .clock_fraction = 1.0},
        .deployment = &world->deployment,
        .reduce = &world->reduce
    };
}

static StratIteration priced(const StratPricer *pricer, int64_t prompt, int64_t past,
                             int64_t decodes, double context)
{
    StratChunk chunk = {.tokens = prompt, .past = past};
    StratBatch batch = {.chunk = &chunk,
                        .chunks = prompt > 0,
                        .decodes = decodes,
                        .decode_tokens = 1,
                        .context = context,
                        .longest = context,
                        .outputs = decodes + (prompt > 0)};
    StratIteration out;
    pricer->price(pricer, &batch, &out);
    return out;
}

static const struct {
    const char *node, *model, *reduce;
    int64_t tensor;
    StratWeights weights;
} worlds[] = {
    {"dgx-h100",      "llama-3.1-70b", "vllm-h100", 8, STRAT_WEIGHTS_FP8 },
    {"dgx-a100-80gb", "llama-3.1-8b",  "vllm-a100", 1, STRAT_WEIGHTS_BF16},
    {"dgx-a100-80gb", "mixtral-8x7b",  "vllm-a100", 2, STRAT_WEIGHTS_BF16},
    {"hgx-h200",      "deepseek-v2",   "vllm-h200", 8, STRAT_WEIGHTS_BF16},
};

Test(serve_price_laws, more_tokens_and_longer_contexts_never_take_less)
{
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        World world;
        world_init(&world, worlds[w].node, worlds[w].model, worlds[w].reduce);
        world.deployment.pool[0].tensor = worlds[w].tensor;
        world.deployment.weights = worlds[w].weights;
        StratPricer *pricer = strat_price_new(&world.spec, NULL);
        SimRandom stream = sim_random_stream(7 + w, "laws");
        for (int i = 0; i < 500; i++) {
            int64_t prompt = (int64_t)sim_random_below(&stream, 4096);
            int64_t past = (int64_t)sim_random_below(&stream, 16384);
            int64_t decodes = 1 + (int64_t)sim_random_below(&stream, 256);
            double context = 1.0 + 8192.0 * sim_random_uniform(&stream);
            double base = priced(pricer, prompt, past, decodes, context).seconds;
            double least = base * (1.0 - FORGIVEN);
            cr_expect(base > 0.0 && isfinite(base));
            cr_expect_geq(priced(pricer, prompt, past, decodes, context * 1.5).seconds, least);
            cr_expect_geq(priced(pricer, prompt, past, decodes * 2, context).seconds, least,
                          "%s: %d after %d, %d at %.0f, twice the decodes: %.6g from %.6g",
                          worlds[w].model, (int)prompt, (int)past, (int)decodes, context,
                          priced(pricer, prompt, past, decodes * 2, context).seconds, base);
            if (prompt == 0)
                continue;
            cr_expect_geq(priced(pricer, prompt * 2, past, decodes, context).seconds, least);
            cr_expect_geq(priced(pricer, prompt, past + 4096, decodes, context).seconds, least,
                          "%s: %d after %d, %d at %.0f, 4096 more in the cache: %.6g from %.6g",
                          worlds[w].model, (int)prompt, (int)past, (int)decodes, context,
                          priced(pricer, prompt, past + 4096, decodes, context).seconds, base);
        }
        strat_pricer_free(pricer);
        g_string_chunk_free(world.strings);
    }
}

Test(serve_price_laws, decoding_is_linear_in_the_context)
{
    World world;
    world_init(&world, "dgx-h100", "llama-3.1-70b", "vllm-h100");
    world.deployment.pool[0].tensor = 8;
    StratPricer *pricer = strat_price_new(&world.spec, NULL);
    for (double context = 2048.0; context < 65536.0; context *= 2.0) {
        double a = priced(pricer, 0, 0, 64, context).seconds;
        double b = priced(pricer, 0, 0, 64, 2.0 * context).seconds;
        double c = priced(pricer, 0, 0, 64, 3.0 * context).seconds;
        cr_expect(fabs(a + c - 2.0 * b) < 0.02 * b, "at %.0f: %.4g %.4g %.4g", context, a, b, c);
    }
    strat_pricer_free(pricer);
    g_string_chunk_free(world.strings);
}

Test(serve_price_laws, more_tensor_ranks_are_faster_on_large_models)
{
    World world;
    world_init(&world, "dgx-h100", "llama-3.1-70b", "vllm-h100");
    for (int64_t decodes = 1; decodes <= 256; decodes *= 4) {
        double before = INFINITY;
        for (int64_t tensor = 1; tensor <= 8; tensor *= 2) {
            world.deployment.pool[0].tensor = tensor;
            StratPricer *pricer = strat_price_new(&world.spec, NULL);
            double seconds = priced(pricer, 0, 0, decodes, 1000.0).seconds;
            cr_expect_lt(seconds, before, "%d ranks, %d decodes", (int)tensor, (int)decodes);
            before = seconds;
            strat_pricer_free(pricer);
        }
    }
    g_string_chunk_free(world.strings);
}

Test(serve_price_laws, narrow_weights_are_faster_at_batch_one)
{
    static const StratWeights order[] = {STRAT_WEIGHTS_BF16, STRAT_WEIGHTS_INT8,
                                         STRAT_WEIGHTS_INT4};
    World world;
    world_init(&world, "dgx-a100-80gb", "llama-2-70b", "vllm-a100");
    world.deployment.pool[0].tensor = 2;
    double before = INFINITY;
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        world.deployment.weights = order[i];
        StratPricer *pricer = strat_price_new(&world.spec, NULL);
        double seconds = priced(pricer, 0, 0, 1, 1000.0).seconds;
        cr_expect_lt(seconds, before);
        before = seconds;
        strat_pricer_free(pricer);
    }
    double dense = before;
    world.deployment.weights = STRAT_WEIGHTS_BF16;
    StratPricer *whole = strat_price_new(&world.spec, NULL);
    dense = priced(whole, 0, 0, 1, 1000.0).part_s[STRAT_SERVE_LINEAR];
    world.deployment.sparse_2_4 = true;
    StratPricer *pruned = strat_price_new(&world.spec, NULL);
    double sparse = priced(pruned, 0, 0, 1, 1000.0).part_s[STRAT_SERVE_LINEAR];
    cr_expect(sparse < 0.75 * dense && sparse > 0.5 * dense, "%.4g of %.4g", sparse, dense);
    strat_pricer_free(whole);
    strat_pricer_free(pruned);
    g_string_chunk_free(world.strings);
}

Test(serve_price_laws, seconds_are_the_sum_of_the_parts)
{
    World world;
    world_init(&world, "dgx-h100", "deepseek-v3", "vllm-h100");
    world.deployment.pool[0] =
        (StratPool){.replicas = 1, .tensor = 1, .pipeline = 1, .data = 32, .expert = 32};
    world.deployment.weights = STRAT_WEIGHTS_FP8_BLOCK;
    world.deployment.two_batch_overlap = true;
    StratPricer *pricer = strat_price_new(&world.spec, NULL);
    cr_assert_not_null(pricer);
    StratIteration out = priced(pricer, 4096, 0, 1024, 2000.0);
    double sum = 0.0;
    for (int i = 0; i < STRAT_SERVE_PARTS; i++) {
        cr_expect(out.part_s[i] >= 0.0 && isfinite(out.part_s[i]), "%s", strat_serve_part_name(i));
        sum += out.part_s[i];
    }
    cr_expect(fabs(sum - out.seconds) < 1e-12);
    cr_expect_gt(out.part_s[STRAT_SERVE_EXPERTS], 0.0);
    cr_expect_gt(out.part_s[STRAT_SERVE_ALL_TO_ALL], 0.0);
    strat_pricer_free(pricer);
    g_string_chunk_free(world.strings);
}
