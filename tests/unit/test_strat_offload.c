/* What lives off the GPU: streams, GPU batches, packed elements, room. Expected values are worked
 * out by hand from the forms of strat_price_offload.c and strat_offload.c. */
#include "kern_pass.h"
#include "strat_matrix.h"
#include "strat_offload.h"
#include "strat_price.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

typedef struct Fixture {
    ToyWorld world;
    StratEngine engine;
    StratDeployment deployment;
    StratPriceSpec spec;
} Fixture;

static void fixture_init(Fixture *f)
{
    *f = (Fixture){.world = toy_world()};
    TopoNode *node = &f->world.cluster.node;
    node->host_bytes_per_s = 1e9;
    node->pageable_bytes_per_s = 4e8;
    node->pageable_write_bytes_per_s = 2e8;
    node->host_attention_bytes_per_s = 1e8;
    node->disk_bytes = 1e12;
    node->disk_read_bytes_per_s = 1e8;
    node->disk_write_bytes_per_s = 5e7;
    f->engine = (StratEngine){.name = "toy",
                              .max_sequences = 64,
                              .max_tokens = 2048,
                              .max_length = 1024,
                              .block_tokens = 16,
                              .memory_fraction = 0.9,
                              .fused_kernels = true};
    f->deployment = (StratDeployment){
        .engine = &f->engine,
        .pool = {{.replicas = 1, .tensor = 1, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1};
    f->spec = (StratPriceSpec){
        .model = &f->world.model,
        .cluster = &f->world.cluster,
        .device = {.gpu = &node->gpu, .profile = &f->world.profile, .clock_fraction = 1.0},
        .deployment = &f->deployment
    };
}

static StratIteration priced(const Fixture *f, const StratBatch *batch)
{
    StratIteration out;
    StratPricer *pricer = strat_price_new(&f->spec, NULL);
    cr_assert_not_null(pricer);
    pricer->price(pricer, batch, &out);
    strat_pricer_free(pricer);
    return out;
}

static const StratBatch decodes = {
    .decodes = 24, .decode_tokens = 1, .context = 512.0, .longest = 512.0, .outputs = 24};

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-9 * fabs(want), "%s: %.9g, not %.9g", what, got, want);
}

/* Bytes of the cache of one token, in all layers. */
static double token_bytes(const Fixture *f)
{
    const ModelSpec *model = &f->world.model;
    return (double)model->layers * strat_kv_layer_bytes(model, 1, f->deployment.kv);
}

Test(strat_offload, engines_hide_all_some_or_none_of_their_copies)
{
    Fixture f;
    fixture_init(&f);
    double gpu = priced(&f, &decodes).seconds;
    f.deployment.offload = (StratOffload){.weights = {.host = 0.5}, .cache = {.host = 1.0}};
    double weights =
        0.5 * strat_serve_weights_bytes(&f.world.model, &f.deployment, f.deployment.pool) / 1e9;
    double cache = 24.0 * 512.0 * token_bytes(&f) / 4e8, store = 24.0 * token_bytes(&f) / 2e8;
    cr_assert_gt(cache, gpu);
    expect_near(priced(&f, &decodes).seconds, fmax(gpu, weights + cache), "hidden");
    f.engine.copies = STRAT_COPIES_WEIGHTS_FIRST;
    expect_near(priced(&f, &decodes).seconds, weights + fmax(gpu, cache), "weights first");
    f.engine.copies = STRAT_COPIES_IN_TURN;
    expect_near(priced(&f, &decodes).seconds, gpu + weights + cache + store, "in turn");
    f.engine.copies = STRAT_COPIES_HIDDEN;
    f.engine.link_fraction = 0.25;
    expect_near(priced(&f, &decodes).seconds, fmax(gpu, 4.0 * weights + cache), "slow link");
    f.deployment.offload.pageable = true;
    expect_near(priced(&f, &decodes).seconds, fmax(gpu, 2.5 * weights + cache), "pageable");
}

Test(strat_offload, disks_read_and_write_beside_everything)
{
    Fixture f;
    fixture_init(&f);
    f.deployment.offload = (StratOffload){.cache = {.disk = 1.0}, .activations = {.disk = 1.0}};
    f.engine.copies = STRAT_COPIES_WEIGHTS_FIRST;
    double hidden = 2.0 * 24.0 * (double)(f.world.model.layers * f.world.model.hidden);
    double read = (24.0 * 512.0 * token_bytes(&f) + hidden) / 1e8;
    expect_near(priced(&f, &decodes).seconds, read, "reading");
    StratChunk chunk = {.tokens = 256};
    StratBatch prompt = {.chunk = &chunk, .chunks = 1, .outputs = 1};
    hidden = 2.0 * 256.0 * (double)(f.world.model.layers * f.world.model.hidden);
    expect_near(priced(&f, &prompt).seconds, (256.0 * token_bytes(&f) + hidden) / 5e7, "writing");
}

Test(strat_offload, the_host_attends_in_the_gpus_place)
{
    Fixture f;
    fixture_init(&f);
    StratIteration plain = priced(&f, &decodes);
    f.deployment.offload = (StratOffload){.cache = {.host = 0.75}, .host_attention = true};
    StratIteration out = priced(&f, &decodes);
    double host = 0.75 * 24.0 * 512.0 * token_bytes(&f) / 1e8;
    expect_near(out.part_s[STRAT_SERVE_DECODE], 0.25 * plain.part_s[STRAT_SERVE_DECODE], "GPU");
    expect_near(out.part_s[STRAT_SERVE_OFFLOAD], host, "host");
}

Test(strat_offload, a_block_brings_its_weights_once_and_computes_each_gpu_batch)
{
    Fixture f;
    fixture_init(&f);
    StratBatch half = decodes;
    half.decodes = half.outputs = 12;
    double linear = priced(&f, &half).part_s[STRAT_SERVE_LINEAR];
    f.deployment.offload = (StratOffload){.weights = {.host = 1.0}, .gpu_batches = 2};
    f.world.cluster.node.host_bytes_per_s = 1e7;
    StratIteration out = priced(&f, &decodes);
    expect_near(out.part_s[STRAT_SERVE_LINEAR], 2.0 * linear, "products");
    double bytes = strat_serve_weights_bytes(&f.world.model, &f.deployment, f.deployment.pool);
    expect_near(out.seconds, bytes / 1e7, "weights");
}

Test(strat_offload, packed_weights_are_widened_for_each_gpu_batch)
{
    Fixture f;
    fixture_init(&f);
    f.deployment.offload.gpu_batches = 2;
    StratIteration plain = priced(&f, &decodes);
    f.engine.unpack_bytes = 15.0;
    f.deployment.weights = STRAT_WEIGHTS_INT4;
    StratIteration out = priced(&f, &decodes);
    StratMatrices list = strat_matrices(&f.world.model, 1, false);
    double layer = kern_pass_s(&f.spec.device, 15.0 * strat_matrices_elements(&list), 24);
    expect_near(out.part_s[STRAT_SERVE_LINEAR], plain.part_s[STRAT_SERVE_LINEAR], "in 16 bits");
    expect_near(out.part_s[STRAT_SERVE_PASSES] - plain.part_s[STRAT_SERVE_PASSES],
                2.0 * (double)f.world.model.layers * layer, "widening");
}

Test(strat_offload, a_packed_cache_is_widened_where_it_is_read)
{
    Fixture f;
    fixture_init(&f);
    StratIteration plain = priced(&f, &decodes);
    double elements = 24.0 * (512.0 + 2.0) * token_bytes(&f) / 2.0;
    f.engine.unpack_bytes = 15.0;
    f.deployment.kv = STRAT_KV_INT4;
    StratIteration out = priced(&f, &decodes);
    expect_near(out.part_s[STRAT_SERVE_DECODE], plain.part_s[STRAT_SERVE_DECODE], "in 16 bits");
    expect_near(out.part_s[STRAT_SERVE_PASSES] - plain.part_s[STRAT_SERVE_PASSES],
                kern_pass_s(&f.spec.device, 15.0 * elements, 6 * (int)f.world.model.layers),
                "widening");
}

Test(strat_offload, the_cache_has_the_blocks_of_its_narrowest_place)
{
    Fixture f;
    fixture_init(&f);
    TopoNode *node = &f.world.cluster.node;
    f.deployment.offload = (StratOffload){
        .weights = {.host = 1.0 },
          .cache = { .host = 0.5, .disk = 0.5}
    };
    StratServeMemory memory = strat_serve_memory(&f.world.model, &node->gpu, &f.deployment, 0, 0);
    cr_assert_eq(memory.weights_bytes, 0.0);
    double block = 16.0 * memory.kv_token_bytes;
    node->host_memory_bytes = memory.offloaded_bytes + 0.5 * 10.5 * block;
    node->disk_bytes = 0.5 * 100.0 * block;
    cr_expect_null(strat_offload_place(&memory, &f.deployment, 0, node));
    cr_expect_eq(memory.blocks, 10, "%" G_GINT64_FORMAT " blocks", memory.blocks);
    node->disk_bytes = 0.5 * 4.5 * block;
    cr_expect_null(strat_offload_place(&memory, &f.deployment, 0, node));
    cr_expect_eq(memory.blocks, 4);
    node->host_memory_bytes = 0.5 * memory.offloaded_bytes;
    g_autofree char *why = strat_offload_place(&memory, &f.deployment, 0, node);
    cr_assert_not_null(why);
    cr_expect_not_null(strstr(why, "host memory"), "%s", why);
}
