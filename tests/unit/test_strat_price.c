/* Each part of an iteration against the kernels and transfers that make it up, priced by hand, on a
 * GPU of round numbers. */
#include "kern_decode.h"
#include "kern_gemm.h"
#include "kern_moe.h"
#include "kern_pass.h"
#include "kern_prefill.h"
#include "strat_price.h"
#include "strat_serve_memory.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

/* A Llama of 8 layers on the toy GPU. */
typedef struct Fixture {
    ToyWorld world;
    StratEngine engine;
    StratDeployment deployment;
    StratPriceSpec spec;
    StratPricer *pricer;
} Fixture;

static void fixture_init(Fixture *f)
{
    *f = (Fixture){.world = toy_world()};
    ModelSpec *model = &f->world.model;
    model->linear_bias = false;
    model->gated_mlp = true;
    model->position = MODEL_POSITION_ROTARY;
    model->norm = MODEL_NORM_RMSNORM;
    model->kv_heads = 4;
    model->tied_embeddings = false;
    f->world.cluster.node.host_bytes_per_s = 1e10;
    f->engine = (StratEngine){.name = "toy",
                              .max_sequences = 64,
                              .max_tokens = 2048,
                              .block_tokens = 16,
                              .memory_fraction = 0.9,
                              .fused_kernels = true};
    f->deployment = (StratDeployment){
        .engine = &f->engine,
        .pool = {{.replicas = 1, .tensor = 1, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1};
    f->spec = (StratPriceSpec){
        .model = model,
        .cluster = &f->world.cluster,
        .device = {.gpu = &f->world.cluster.node.gpu,
                   .profile = &f->world.profile,
                   .clock_fraction = 1.0},
        .deployment = &f->deployment
    };
}

static StratIteration priced(Fixture *f, const StratBatch *batch)
{
    GError *error = NULL;
    StratIteration out;
    StratPricer *pricer = strat_price_new(&f->spec, &error);
    cr_assert_not_null(pricer, "%s", error ? error->message : "");
    pricer->price(pricer, batch, &out);
    strat_pricer_free(pricer);
    return out;
}

static StratBatch decodes(int64_t count, double context)
{
    return (StratBatch){.decodes = count,
                        .decode_tokens = 1,
                        .context = context,
                        .longest = context,
                        .outputs = count};
}

static double gemm(const Fixture *f, int64_t m, int64_t n, int64_t k, TopoDtype dtype)
{
    KernGemmShape shape = {
        .batch = 1, .m = m, .n = n, .k = k, .dtype = dtype, .quantised = dtype == TOPO_DTYPE_FP8};
    return kern_gemm_s(&f->spec.device, &shape);
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-9 * fabs(want), "%s: %.9g, not %.9g", what, got, want);
}

Test(strat_price, products_are_those_of_a_layer_cut_over_the_tensor_group)
{
    for (int64_t tensor = 1; tensor <= 4; tensor *= 2) {
        Fixture f;
        fixture_init(&f);
        f.deployment.pool[0].tensor = tensor;
        StratBatch batch = decodes(24, 512.0);
        int64_t qkv = (16 + 2 * 4) * 64 / tensor, inner = 4096 / tensor;
        double layer = gemm(&f, 24, qkv, 1024, TOPO_DTYPE_BF16) +
                       gemm(&f, 24, 1024, 1024 / tensor, TOPO_DTYPE_BF16) +
                       gemm(&f, 24, 2 * inner, 1024, TOPO_DTYPE_BF16) +
                       gemm(&f, 24, 1024, inner, TOPO_DTYPE_BF16);
        StratIteration out = priced(&f, &batch);
        expect_near(out.part_s[STRAT_SERVE_LINEAR], 8.0 * layer, "linear");
    }
}

Test(strat_price, fp8_weights_convert_their_activations)
{
    Fixture f;
    fixture_init(&f);
    f.deployment.weights = STRAT_WEIGHTS_FP8;
    StratBatch batch = decodes(24, 512.0);
    double layer =
        gemm(&f, 24, 1536, 1024, TOPO_DTYPE_FP8) + gemm(&f, 24, 1024, 1024, TOPO_DTYPE_FP8) +
        gemm(&f, 24, 8192, 1024, TOPO_DTYPE_FP8) + gemm(&f, 24, 1024, 4096, TOPO_DTYPE_FP8);
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_LINEAR], 8.0 * layer, "linear");
}

Test(strat_price, passes_are_two_norms_positions_activation_and_the_embedding)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(24, 512.0);
    /* two norms of 4 h, positions of 2 (heads + kv) d, activation of 3 f; 2 bytes each */
    double token = 2.0 * (8.0 * 1024 + 2.0 * (16 + 4) * 64 + 3.0 * 4096);
    double want = 8.0 * kern_pass_s(&f.spec.device, 24.0 * token, 4) +
                  kern_pass_s(&f.spec.device, 24.0 * 4.0 * 1024, 1);
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_PASSES], want, "passes");
    f.engine.fused_kernels = false;
    cr_expect_gt(priced(&f, &batch).part_s[STRAT_SERVE_PASSES], 1.5 * want);
}

Test(strat_price, the_head_has_the_rows_that_sample)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(24, 512.0);
    batch.outputs = 5;
    double want = gemm(&f, 5, 8192, 1024, TOPO_DTYPE_BF16) +
                  kern_pass_s(&f.spec.device, 5.0 * 6.0 * 1024, 1) +
                  kern_pass_s(&f.spec.device, 5.0 * 10.0 * 8192, 2);
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_HEAD], want, "head");
    batch.outputs = 0;
    cr_expect_eq(priced(&f, &batch).part_s[STRAT_SERVE_HEAD], 0.0);
}

Test(strat_price, a_tensor_group_reduces_twice_a_layer_and_once_more)
{
    Fixture f;
    fixture_init(&f);
    f.deployment.pool[0].tensor = 4;
    StratBatch batch = decodes(24, 512.0);
    TopoTransfer reduce = {
        .op = TOPO_OP_ALL_REDUCE, .ranks = 4, .ranks_per_domain = 4, .bytes = 2.0 * 24 * 1024};
    double want = 17.0 * topo_net_alpha_beta_s(&f.world.cluster, &reduce);
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_TENSOR], want, "all-reduces");
}

static double decode_at(const Fixture *f, int64_t sequences, int64_t context, int64_t width)
{
    KernDecodeShape shape = {.sequences = sequences,
                             .context = context,
                             .heads = 16 * width,
                             .kv_heads = 4,
                             .head_dim = 64,
                             .dtype = TOPO_DTYPE_BF16};
    return kern_decode_s(&f->spec.device, &shape);
}

Test(strat_price, decodes_are_linear_between_knots)
{
    Fixture f;
    fixture_init(&f);
    StratBatch at = decodes(24, 512.0), between = decodes(24, 576.0);
    double low = 8.0 * decode_at(&f, 24, 512, 1), high = 8.0 * decode_at(&f, 24, 768, 1);
    expect_near(priced(&f, &at).part_s[STRAT_SERVE_DECODE], low, "at a knot");
    expect_near(priced(&f, &between).part_s[STRAT_SERVE_DECODE], 0.75 * low + 0.25 * high,
                "a quarter of the way");
}

Test(strat_price, tokens_verified_together_read_the_cache_once)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(24, 512.0);
    batch.decode_tokens = 4;
    StratIteration out = priced(&f, &batch);
    expect_near(out.part_s[STRAT_SERVE_DECODE], 8.0 * decode_at(&f, 24, 512, 4), "attention");
    double product = gemm(&f, 96, 1024, 4096, TOPO_DTYPE_BF16);
    cr_expect_gt(out.part_s[STRAT_SERVE_LINEAR], 8.0 * product);
}

static double causal(const Fixture *f, int64_t sequences, int64_t queries, int64_t past)
{
    KernPrefillShape shape = {.sequences = sequences,
                              .queries = queries,
                              .past = past,
                              .heads = 16,
                              .kv_heads = 4,
                              .head_dim = 64,
                              .dtype = TOPO_DTYPE_BF16};
    return kern_prefill_s(&f->spec.device, &shape);
}

Test(strat_price, a_chunk_attends_to_what_is_in_the_cache)
{
    Fixture f;
    fixture_init(&f);
    StratChunk chunk = {.tokens = 512};
    StratBatch batch = {.chunk = &chunk, .chunks = 1, .outputs = 1};
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_PREFILL], 8.0 * causal(&f, 1, 512, 0),
                "first chunk");
    chunk.past = 1536;
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_PREFILL], 8.0 * causal(&f, 1, 512, 1536),
                "last chunk");
}

Test(strat_price, equal_prompts_are_one_call)
{
    Fixture f;
    fixture_init(&f);
    StratChunk chunks[3] = {{.tokens = 512}, {.tokens = 512}, {.tokens = 512}};
    StratBatch batch = {.chunk = chunks, .chunks = 3, .outputs = 3};
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_PREFILL], 8.0 * causal(&f, 3, 512, 0),
                "three prompts");
}

Test(strat_price, decodes_in_a_graph_are_padded_to_a_captured_size)
{
    Fixture f;
    fixture_init(&f);
    f.engine.graphs = true;
    f.engine.graph_sequences = 32;
    StratBatch nine = decodes(9, 512.0), sixteen = decodes(16, 512.0), many = decodes(33, 512.0);
    StratIteration small = priced(&f, &nine), padded = priced(&f, &sixteen);
    expect_near(small.part_s[STRAT_SERVE_LINEAR], padded.part_s[STRAT_SERVE_LINEAR], "padded");
    double eager = 8.0 * gemm(&f, 33, 1024, 4096, TOPO_DTYPE_BF16);
    cr_expect_gt(priced(&f, &many).part_s[STRAT_SERVE_LINEAR], eager, "no graph, no padding");
    f.engine.graphs = false;
    StratIteration whole = priced(&f, &many);
    f.engine.graphs = true;
    expect_near(priced(&f, &many).seconds, whole.seconds, "above the largest graph");
}

Test(strat_price, the_host_adds_what_the_gpu_waits_for)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(24, 512.0);
    double gpu = priced(&f, &batch).seconds;
    f.engine.host = (StratHost){.step_s = 1e-3, .sequence_s = 1e-4, .detokenise_s = 1e-5};
    double prepare = 1e-3 + 24e-4;
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_HOST], prepare, "one after the other");
    f.engine.host.overlapped = true;
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_HOST], fmax(0.0, prepare - gpu),
                "overlapped");
    f.engine.host.detokenise_inline = true;
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_HOST], fmax(0.0, prepare - gpu) + 24e-5,
                "text in line");
    f.engine.host = (StratHost){.prompt_s = 1e-3, .token_s = 1e-6};
    batch.starts = 2;
    batch.start_tokens = 3000;
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_HOST], 5e-3, "prompts that start");
}

Test(strat_price, launches_show_where_they_outlast_the_gpu)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(1, 512.0);
    double gpu = priced(&f, &batch).seconds;
    f.engine.host.kernel_s = 1e-3;
    double host = priced(&f, &batch).part_s[STRAT_SERVE_HOST];
    double kernels = (host + gpu) / 1e-3; /* 4 products, 4 passes, 2 of attention a layer */
    cr_expect_float_eq(kernels, 8.0 * 10.0 + 7.0, 1e-6, "%.3f kernels", kernels);
    f.engine.graphs = true;
    f.engine.graph_sequences = 8;
    cr_expect_eq(priced(&f, &batch).part_s[STRAT_SERVE_HOST], 0.0, "a graph takes no launches");
}

Test(strat_price, a_block_for_each_query_head_reads_its_keys_from_l2)
{
    Fixture f;
    fixture_init(&f);
    f.engine.vector_attention =
        (StratVectorAttention){.memory_fraction = 0.8, .cache_fraction = 0.25};
    f.world.cluster.node.gpu.boost_clock_hz = 1e9;
    StratBatch batch = decodes(24, 512.0), few = decodes(2, 512.0);
    double token = 4.0 * 2.0 * 64.0 * 2.0, launch = f.world.profile.memory.launch_s;
    double memory = 24.0 * 512.0 * token / (0.8 * 1e12);
    double caches = 24.0 * 512.0 * token * 4.0 / (0.25 * 64.0 * 100.0 * 1e9);
    cr_assert_gt(caches, memory);
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_DECODE], 8.0 * (launch + caches), "groups");
    f.world.model.kv_heads = 16;
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_DECODE], 8.0 * (launch + 4.0 * memory),
                "no groups");
    expect_near(priced(&f, &few).part_s[STRAT_SERVE_DECODE],
                8.0 * (launch + 4.0 * memory / 12.0 / 0.32), "32 blocks on 100 SMs");
}

Test(strat_price, kernels_slower_than_the_profiles_take_their_time)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(24, 512.0);
    double whole = priced(&f, &batch).part_s[STRAT_SERVE_DECODE];
    f.engine.attention_fraction = 0.25;
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_DECODE], 4.0 * whole, "attention");
}

Test(strat_price, weights_in_host_memory_stream_under_the_computation)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(24, 512.0);
    double gpu = priced(&f, &batch).seconds;
    f.deployment.offload.weights.host = 0.5;
    double bytes = strat_serve_weights_bytes(f.spec.model, &f.deployment, f.deployment.pool);
    double want = 0.5 * bytes / 1e10 - gpu;
    cr_assert_gt(want, 0.0);
    expect_near(priced(&f, &batch).part_s[STRAT_SERVE_OFFLOAD], want, "offload");
}

Test(strat_price, proposing_takes_its_fraction_or_the_drafts_own_time)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(24, 512.0), wide = batch;
    double plain = priced(&f, &batch).seconds;
    wide.decode_tokens = 5;
    f.deployment.speculation = (StratSpeculation){.tokens = 4, .draft_fraction = 0.1};
    expect_near(priced(&f, &wide).part_s[STRAT_SERVE_DRAFT], 4.0 * 0.1 * plain, "a fraction");
    f.deployment.speculation.draft = f.spec.model;
    expect_near(priced(&f, &wide).part_s[STRAT_SERVE_DRAFT], 4.0 * plain, "a draft as large");
}

Test(strat_price, stages_take_their_layers)
{
    Fixture f;
    fixture_init(&f);
    StratBatch batch = decodes(24, 512.0);
    StratIteration whole = priced(&f, &batch);
    expect_near(whole.stage_s, whole.seconds, "one stage");
    f.deployment.pool[0].pipeline = 4;
    StratIteration cut = priced(&f, &batch);
    double send = cut.part_s[STRAT_SERVE_PIPELINE], head = cut.part_s[STRAT_SERVE_HEAD];
    TopoTransfer transfer = {
        .op = TOPO_OP_SEND, .ranks = 2, .ranks_per_domain = 2, .bytes = 2.0 * 24 * 1024};
    expect_near(send, 3.0 * topo_net_alpha_beta_s(&f.world.cluster, &transfer), "three sends");
    expect_near(cut.seconds, whole.seconds + send, "all stages");
    expect_near(cut.stage_s, (whole.seconds - head) / 4.0 + head + send / 3.0, "the last stage");
}

static void add_experts(Fixture *f)
{
    ModelSpec *model = &f->world.model;
    model->experts = 16;
    model->experts_per_token = 2;
    model->expert_ffn = 512;
    model->dense_layers = 2;
}

Test(strat_price, experts_replace_the_mlp_of_their_layers)
{
    Fixture f;
    fixture_init(&f);
    add_experts(&f);
    StratBatch batch = decodes(24, 512.0);
    KernMoeShape shape = {.tokens = 24,
                          .hidden = 1024,
                          .inter = 512,
                          .topk = 2,
                          .experts = 16,
                          .tensor = 1,
                          .expert = 1};
    StratIteration out = priced(&f, &batch);
    expect_near(out.part_s[STRAT_SERVE_EXPERTS], 6.0 * kern_moe_s(&f.spec.device, &shape),
                "experts");
    double attention =
        gemm(&f, 24, 1536, 1024, TOPO_DTYPE_BF16) + gemm(&f, 24, 1024, 1024, TOPO_DTYPE_BF16);
    double mlp =
        gemm(&f, 24, 8192, 1024, TOPO_DTYPE_BF16) + gemm(&f, 24, 1024, 4096, TOPO_DTYPE_BF16);
    double router = gemm(&f, 24, 16, 1024, TOPO_DTYPE_BF16);
    expect_near(out.part_s[STRAT_SERVE_LINEAR], 8.0 * attention + 2.0 * mlp + 6.0 * router,
                "router");
    cr_expect_eq(out.part_s[STRAT_SERVE_ALL_TO_ALL], 0.0);
}

Test(strat_price, attention_ranks_share_the_sequences_and_send_tokens_to_experts)
{
    Fixture f;
    fixture_init(&f);
    add_experts(&f);
    f.deployment.pool[0].data = f.deployment.pool[0].expert = 4;
    StratBatch batch = decodes(24, 512.0);
    StratIteration out = priced(&f, &batch);
    expect_near(out.part_s[STRAT_SERVE_DECODE], 8.0 * decode_at(&f, 6, 512, 1), "6 of 24");
    TopoTransfer transfer = {
        .op = TOPO_OP_ALL_TO_ALL, .ranks = 4, .ranks_per_domain = 4, .bytes = 2.0 * 6.0 * 2048.0};
    double want = 2.0 * topo_net_alpha_beta_s(&f.world.cluster, &transfer);
    cr_assert_gt(want, 0.0);
    expect_near(out.part_s[STRAT_SERVE_ALL_TO_ALL], 6.0 * want, "dispatch and combine");
}

Test(strat_price, two_half_batches_hide_their_collectives)
{
    Fixture f;
    fixture_init(&f);
    add_experts(&f);
    f.deployment.pool[0].data = f.deployment.pool[0].expert = 4;
    StratBatch half = decodes(24, 512.0), both = decodes(48, 512.0);
    StratIteration one = priced(&f, &half);
    f.deployment.two_batch_overlap = true;
    StratIteration out = priced(&f, &both);
    expect_near(out.part_s[STRAT_SERVE_LINEAR], 2.0 * one.part_s[STRAT_SERVE_LINEAR], "halves");
    double comm = one.part_s[STRAT_SERVE_ALL_TO_ALL];
    expect_near(out.part_s[STRAT_SERVE_ALL_TO_ALL], comm / 8.0, "one layer of the first half");
}

Test(strat_price, prices_do_not_depend_on_the_order_of_the_questions)
{
    Fixture f;
    fixture_init(&f);
    StratPricer *up = strat_price_new(&f.spec, NULL), *down = strat_price_new(&f.spec, NULL);
    StratIteration first[40], second[40];
    for (int i = 0; i < 40; i++) {
        StratBatch batch = decodes(1 + i * 7, 100.0 * (i + 1));
        up->price(up, &batch, &first[i]);
    }
    for (int i = 39; i >= 0; i--) {
        StratBatch batch = decodes(1 + i * 7, 100.0 * (i + 1));
        down->price(down, &batch, &second[i]);
    }
    for (int i = 0; i < 40; i++)
        cr_expect(first[i].seconds <= second[i].seconds && first[i].seconds >= second[i].seconds);
    strat_pricer_free(up);
    strat_pricer_free(down);
}

Test(strat_price, sizes_that_do_not_divide_are_refused)
{
    static const struct {
        StratPool pool;
        const char *says;
    } cases[] = {
        {{.tensor = 3, .pipeline = 1, .data = 1, .expert = 1}, "16 heads do not divide by 3"},
        {{.tensor = 1, .pipeline = 9, .data = 1, .expert = 1}, "9 stages for 8 layers"      },
        {{.tensor = 1, .pipeline = 1, .data = 4, .expert = 3}, "3 expert ranks"             },
        {{.tensor = 0, .pipeline = 1, .data = 1, .expert = 1}, "at least 1"                 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f;
        fixture_init(&f);
        f.deployment.pool[0] = cases[i].pool;
        g_autoptr(GError) error = NULL;
        cr_assert_null(strat_price_new(&f.spec, &error), "case %zu", i);
        cr_expect_not_null(strstr(error->message, cases[i].says), "%s", error->message);
    }
}
