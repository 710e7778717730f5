/* Training of models with experts against closed forms.
 *
 * Toy wires carry exactly their rate: 1e11 B/s inside a domain of 8, 1e10 B/s a NIC outside, one
 * NIC a GPU. An all-to-all of b bytes a rank over n ranks in one domain moves b (n - 1) / n through
 * a port; over two domains half of b leaves through the rank's NIC, the slower wire. Products of
 * 256 rows and more fill the toy's tiles whole, so that as many rows take as long in one product as
 * in eight. Ledgers and folding of such plans: test_train_laws.c and test_fold.c, whose plans have
 * experts too. */
#include "strat_expert.h"
#include "strat_layout.h"
#include "strat_memory.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <math.h>

/* 8 experts, 2 a token, in every layer, over @ranks of @data GPUs. */
static ToyWorld sparse(int64_t data, int64_t ranks)
{
    ToyWorld world = toy_world();
    world.plan.zero_stage = 1;
    toy_lay_out(&world, data, 2);
    toy_make_experts(&world, ranks, 1);
    world.model.dense_layers = 0;
    world.model.expert_ffn = 2048;
    return world;
}

static void expect_near(double got, double want, double tolerance, const char *what)
{
    cr_expect(fabs(got - want) <= tolerance * fabs(want), "%s: %.12g, not %.12g", what, got, want);
}

typedef double Exchange(const StratCosting *costing, const StratModelChunk *chunk,
                        const ModelOp *op, bool outward);

/* What @of says of the dispatch of a layer. */
static double dispatch(const ToyWorld *world, int64_t per_domain, bool outward, Exchange *of)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = {.layers = 1, .moe_layers = 1, .expert_per_domain = per_domain};
    ModelOps ops;
    strat_layer_ops(&costing, &chunk, 0, &ops);
    for (size_t i = 0; i < ops.count; i++)
        if (ops.op[i].kind == MODEL_OP_DISPATCH)
            return of(&costing, &chunk, &ops.op[i], outward);
    cr_assert(false, "no dispatch");
    return 0.0;
}

static double exchange_s(const ToyWorld *world, int64_t per_domain, bool outward)
{
    return dispatch(world, per_domain, outward, strat_expert_exchange_s);
}

static double exchange_bytes(const ToyWorld *world, int64_t per_domain, bool outward)
{
    return dispatch(world, per_domain, outward, strat_expert_exchange_bytes);
}

Test(moe_training, an_exchange_is_the_closed_form_of_an_all_to_all)
{
    /* 1024 tokens, 2 copies of 1024 elements of 2 bytes */
    const double bytes = 1024.0 * 2.0 * 1024.0 * 2.0;
    ToyWorld near = sparse(8, 8), far = sparse(16, 8), one = sparse(8, 1);
    expect_near(exchange_s(&near, 8, true), bytes * 7.0 / 8.0 / 1e11, 1e-9, "one domain");
    expect_near(exchange_s(&far, 4, true), bytes / 2.0 / 1e10, 1e-9, "two domains");
    expect_near(exchange_s(&near, 8, false), exchange_s(&near, 8, true), 1e-12, "and back");
    cr_expect(exchange_s(&one, 1, true) <= 0.0);
    expect_near(exchange_bytes(&far, 4, true), bytes, 1e-3, "bytes");
    cr_expect(exchange_bytes(&near, 8, true) <= 0.0, "within a domain nothing is on links");
    near.plan.expert_imbalance = 1.5;
    expect_near(exchange_s(&near, 8, true), 1.5 * bytes * 7.0 / 8.0 / 1e11, 1e-9, "imbalance");
}

/* A token of 2 experts on 8 ranks in two domains visits the other domain with the chance
 * 1 - (4 3) / (8 7) = 11/14; held to one domain, 1/2. */
Test(moe_training, kernels_send_a_token_once_to_a_domain_and_to_fewer_when_told)
{
    ToyWorld far = sparse(16, 8);
    far.plan.expert_kernels = (TopoExpertFit){
        .name = "toy",
        .algorithm = "expert-two-level",
        .dispatch = {.ramp_bytes = 1.0, .inside_fraction = 1.0, .across_fraction = 1.0},
        .combine = {.ramp_bytes = 1.0, .inside_fraction = 1.0, .across_fraction = 1.0},
    };
    const double token_s = 1024.0 * 1024.0 * 2.0 / 1e10;
    expect_near(exchange_s(&far, 4, true), token_s * 11.0 / 14.0, 1e-9, "anywhere");
    /* 4 ranks send so much out of a domain, as half of an all-to-all of 8 does */
    expect_near(exchange_bytes(&far, 4, true), 2.0 * 1024.0 * 2048.0 * 11.0 / 14.0, 1e-3, "bytes");
    far.plan.expert_nodes = 1;
    expect_near(exchange_s(&far, 4, true), token_s / 2.0, 1e-9, "one domain");
    far.plan.precision = TOPO_DTYPE_FP8;
    expect_near(exchange_s(&far, 4, true), token_s / 4.0 * (1.0 + 4.0 / 128.0), 1e-9, "fp8 out");
    expect_near(exchange_s(&far, 4, false), token_s / 2.0, 1e-9, "16 bits back");
}

Test(moe_training, the_busiest_rank_has_the_load_of_its_experts)
{
    ToyWorld world = sparse(8, 2);
    world.model.experts = 4;
    world.model.experts_per_token = 1;
    cr_expect(fabs(strat_expert_load(&world.model, &world.plan) - 1.0) < 1e-15);
    world.plan.expert_zipf = 1.0; /* 12, 6, 4, 3 of 25: experts 1 and 3 on the first rank */
    expect_near(strat_expert_load(&world.model, &world.plan), 2.0 * 16.0 / 25.0, 1e-12, "zipf");
    world.plan.expert_capacity = 1.25;
    expect_near(strat_expert_load(&world.model, &world.plan), 1.25, 1e-12, "capacity");
    world.plan.expert_zipf = world.plan.expert_capacity = 0.0;
    world.plan.expert_histogram = "3 5 4 1"; /* experts 1 and 2 on the first rank: 8 of 13 */
    expect_near(strat_expert_load(&world.model, &world.plan), 2.0 * 8.0 / 13.0, 1e-12, "histogram");
    world.plan.expert_histogram = "1 2*3";
    expect_near(strat_expert_load(&world.model, &world.plan), 2.0 * 4.0 / 7.0, 1e-12, "last rank");
    world.plan.expert_histogram = NULL;
    world.plan.expert_zipf = 1.0;
    world.model.experts_per_token = 3; /* the first is wanted by all at most: 1/3, 6, 4, 3 of 25 */
    world.plan.expert_capacity = 0.0;
    expect_near(strat_expert_load(&world.model, &world.plan),
                2.0 * (1.0 / 3.0 + 4.0 / 25.0) / (1.0 / 3.0 + 13.0 / 25.0), 1e-12, "top 3");
}

static double spent(const GArray *spans, const char *label)
{
    double seconds = 0.0;
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        seconds += g_str_equal(span->label, label) ? span->seconds : 0.0;
    }
    return seconds;
}

static GArray *spans_of(const ToyWorld *world, bool experts)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = {.layers = 1, .moe_layers = experts, .expert_per_domain = 1};
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(&costing, &chunk, spans);
    strat_cost_backward(&costing, &chunk, STRAT_BACKWARD_WHOLE, spans);
    return spans;
}

Test(moe_training, one_expert_that_all_tokens_visit_is_the_dense_layer)
{
    ToyWorld world = sparse(1, 1);
    world.model.experts = world.model.experts_per_token = 1;
    world.model.expert_ffn = world.model.ffn;
    world.model.linear_bias = false;
    g_autoptr(GArray) sparse_spans = spans_of(&world, true);
    g_autoptr(GArray) dense_spans = spans_of(&world, false);
    static const char *const labels[][2] = {
        {"experts up",   "mlp up"    },
        {"experts down", "mlp down"  },
        {"activation",   "activation"},
        {"attention",    "attention" },
        {"qkv",          "qkv"       },
        {"norm",         "norm"      },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
        double want = spent(dense_spans, labels[i][1]);
        cr_expect(want > 0.0, "%s", labels[i][1]);
        expect_near(spent(sparse_spans, labels[i][0]), want, 1e-12, labels[i][0]);
    }
    ModelShard shard = {.expert = 1};
    double router = (double)world.model.hidden;
    double params = model_layer_shard_params(&world.model, 1, true) +
                    model_expert_shard_params(&world.model, &shard);
    double dense = model_layer_shard_params(&world.model, 1, false);
    ModelSpec plain = world.model;
    plain.experts = 0;
    expect_near(model_flop(&world.model, 1.0, 1024.0, false),
                model_flop(&plain, 1.0, 1024.0, false) + 8.0 * 6.0 * 1024.0 * router, 1e-14,
                "flop");
    expect_near(params, dense + router, 1e-14, "parameters");
}

Test(moe_training, more_expert_ranks_compute_as_long_when_tokens_travel_for_free)
{
    double want = 0.0;
    for (int64_t ranks = 1; ranks <= 8; ranks *= 2) {
        ToyWorld world = sparse(8, ranks);
        world.plan.expert_software.fused = true; /* one product for all experts */
        for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
            world.profile.gemm[t].wave_quantisation = 0.0;
        StratCosting costing = toy_costing(&world);
        costing.net = &toy_free_net;
        g_autoptr(GError) error = NULL;
        g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
        cr_assert(result != NULL, "%s", error ? error->message : "");
        double got = (double)result->ledger_ns[STRAT_BUCKET_GEMM];
        want = want > 0.0 ? want : got;
        expect_near(got, want, 1e-6, "products");
        cr_expect(result->ledger_ns[STRAT_BUCKET_EXPERT_COMM] == 0);
    }
}

Test(moe_training, overlap_hides_the_exchange_under_the_layer)
{
    ToyWorld world = sparse(8, 8);
    StratCosting costing = toy_costing(&world);
    g_autoptr(StratTrainResult) bare = strat_train_run(&costing, true, NULL);
    world.plan.overlap_expert = true;
    g_autoptr(StratTrainResult) hidden = strat_train_run(&costing, true, NULL);
    /* 2 microbatches, 8 layers, forward and backward, there and back, on 8 GPUs; whole ns */
    double want = 2.0 * 8.0 * 4.0 * 8.0 * exchange_s(&world, 8, true) * 1e9;
    expect_near((double)bare->ledger_ns[STRAT_BUCKET_EXPERT_COMM], want, 1e-4, "bare");
    cr_expect(hidden->ledger_ns[STRAT_BUCKET_EXPERT_COMM] == 0);
    cr_expect(bare->step_ns > hidden->step_ns);
    world.plan.expert_imbalance = 8.0;
    world.cluster.node.scale_up_bytes_per_s = 1e9; /* now the wire is longer than the layer */
    g_autoptr(StratTrainResult) over = strat_train_run(&costing, true, NULL);
    cr_expect(over->ledger_ns[STRAT_BUCKET_EXPERT_COMM] > 0);
}

/* Experts on 8 ranks: one each, no copy to reduce with; on 1: all of them, and ZeRO-1 shards them
 * over as many ranks as they were spread over before. */
Test(moe_training, memory_counts_experts_by_the_ranks_that_hold_them)
{
    ToyWorld spread = sparse(8, 8), whole = sparse(8, 1);
    StratCosting a = toy_costing(&spread), b = toy_costing(&whole);
    g_autoptr(GArray) few = strat_memory_stages(&a);
    g_autoptr(GArray) many = strat_memory_stages(&b);
    const StratMemory *x = &g_array_index(few, StratMemory, 0);
    const StratMemory *y = &g_array_index(many, StratMemory, 0);
    ModelShard one = {.expert = 8};
    double experts = 8.0 * model_expert_shard_params(&spread.model, &one);
    expect_near(y->weights_bytes - x->weights_bytes, 7.0 * experts * 2.0, 1e-12, "weights");
    expect_near(y->gradients_bytes - x->gradients_bytes, 7.0 * experts * 4.0, 1e-12, "gradients");
    expect_near(y->optimizer_bytes, x->optimizer_bytes, 1e-12, "optimizer");
}

static uint32_t reductions(int64_t ranks)
{
    ToyWorld world = sparse(8, ranks);
    StratCosting costing = toy_costing(&world);
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    const SimProgram *program = result->step->program;
    uint32_t count = 0;
    for (uint32_t i = 0; i < sim_program_op_count(program); i++)
        count += g_str_equal(sim_program_label_name(program, sim_program_op(program, i)->label),
                             "reduce gradients");
    return count;
}

Test(moe_training, gradients_of_experts_are_reduced_among_their_copies)
{
    cr_expect(reductions(4) == 2);
    cr_expect(reductions(8) == 1, "no expert has a copy");
}

Test(moe_training, experts_count_ranks_inside_the_stage)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 2;
    world.plan.context = 2;
    world.plan.pipeline = 2;
    world.plan.data = 4;
    world.plan.expert = 4;
    world.plan.expert_tensor = 2;
    StratGroup group = strat_expert_group(&world.plan, 27), copies;
    cr_expect(group.first == 25 && group.stride == 2 && group.count == 4);
    copies = strat_expert_data_group(&world.plan, 27);
    cr_expect(copies.first == 19 && copies.stride == 8 && copies.count == 2);
    StratGroup gang = strat_gang(&world.plan, 27);
    cr_expect(gang.first == 24 && gang.count == 8);
}

static void expect_refused(const ToyWorld *world, const char *want)
{
    g_autofree char *reason = NULL;
    cr_expect(!strat_expert_fits(&world->model, &world->plan, &reason), "%s", want);
    cr_expect(reason && g_strrstr(reason, want), "%s, not %s", reason ? reason : "nothing", want);
}

Test(moe_training, each_rule_of_experts_speaks)
{
    ToyWorld world = sparse(8, 4);
    cr_expect(strat_expert_fits(&world.model, &world.plan, NULL));
    world.plan.expert = 3;
    expect_refused(&world, "8 experts do not split over expert 3: each rank holds whole ones");
    world.plan.expert = 4;
    world.plan.expert_tensor = 2;
    expect_refused(&world, "expert_tensor 2 is neither 1 nor tensor 1");
    world.plan.expert_tensor = 1;
    world.plan.data = 2;
    expect_refused(&world, "does not divide tensor 1 x context 1 x data 2 = 2");
    world.plan.tensor = 2;
    expect_refused(&world, "need sequence_parallel");
    world.model.experts = 0;
    expect_refused(&world, "expert 4: the model has no experts");
}
