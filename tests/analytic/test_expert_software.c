/* What software does with layers of experts, against closed forms: the host's time, fused kernels,
 * who sorts rows, biases, a call an expert, and parts that are recomputed. */
#include "strat_expert.h"
#include "strat_expert_software.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <math.h>

/* 8 experts, 2 a token, 4 to a rank, in every layer. */
static ToyWorld sparse(void)
{
    ToyWorld world = toy_world();
    toy_lay_out(&world, 2, 2);
    toy_make_experts(&world, 2, 1);
    world.model.dense_layers = 0;
    world.model.expert_ffn = 2048;
    world.model.linear_bias = false;
    return world;
}

static const StratModelChunk layer = {.layers = 1, .moe_layers = 1, .expert_per_domain = 2};

static double all_s(const GArray *spans)
{
    double seconds = 0.0;
    for (guint i = 0; i < spans->len; i++)
        seconds += g_array_index(spans, StratSpan, i).seconds;
    return seconds;
}

/* Forward, or @parts of the backward, of one layer of experts. */
static GArray *spans_of(const ToyWorld *world, unsigned parts)
{
    StratCosting costing = toy_costing(world);
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    if (parts)
        strat_cost_backward(&costing, &layer, (StratBackward)parts, spans);
    else
        strat_cost_forward(&costing, &layer, spans);
    return spans;
}

static double spent(const ToyWorld *world, unsigned parts, const char *label)
{
    g_autoptr(GArray) spans = spans_of(world, parts);
    double seconds = 0.0;
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        seconds += g_str_equal(span->label, label) ? span->seconds : 0.0;
    }
    return seconds;
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-9 * fabs(want), "%s: %.12g, not %.12g", what, got, want);
}

static double kept(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    return strat_chunk_saved_bytes(&costing, &layer);
}

Test(expert_software, a_layer_of_experts_takes_no_less_than_its_host)
{
    ToyWorld world = sparse();
    world.plan.expert_software = (StratExpertSoftware){
        .host_layer_s = 3.0, .host_expert_s = 0.6, .host_overlap_s = 1.2}; /* above any kernel */
    const double host = 3.0 + 4 * 0.6;
    static const struct {
        unsigned parts;
        double share;
    } cases[] = {
        {0,                     1.0 / 3.0},
        {STRAT_BACKWARD_WHOLE,  2.0 / 3.0},
        {STRAT_BACKWARD_INPUT,  1.0 / 3.0},
        {STRAT_BACKWARD_WEIGHT, 1.0 / 3.0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) spans = spans_of(&world, cases[i].parts);
        expect_near(all_s(spans), host * cases[i].share, "host");
    }
    world.plan.overlap_expert = true;
    g_autoptr(GArray) cut = spans_of(&world, 0);
    expect_near(all_s(cut), (host + 1.2) / 3.0, "overlap");
}

Test(expert_software, a_host_that_is_faster_than_the_gpu_is_not_waited_for)
{
    ToyWorld world = sparse();
    g_autoptr(GArray) without = spans_of(&world, 0);
    world.plan.expert_software.host_layer_s = 1e-9;
    cr_expect(spent(&world, 0, "launches of experts") <= 0.0);
    g_autoptr(GArray) with = spans_of(&world, 0);
    expect_near(all_s(with), all_s(without), "layer");
    /* and a dense layer never is */
    world.plan.expert_software.host_layer_s = 1.0;
    StratCosting costing = toy_costing(&world);
    StratModelChunk dense = {.layers = 1};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(&costing, &dense, spans);
    cr_expect(all_s(spans) < 0.1);
}

Test(expert_software, a_fused_kernel_needs_no_activation_and_keeps_as_much)
{
    ToyWorld world = sparse();
    double bytes = kept(&world);
    cr_expect(spent(&world, 0, "activation") > 0.0);
    cr_expect(spent(&world, STRAT_BACKWARD_WHOLE, "activation") > 0.0);
    world.plan.expert_software.fused = true;
    cr_expect(spent(&world, 0, "activation") <= 0.0);
    cr_expect(spent(&world, STRAT_BACKWARD_WHOLE, "activation") <= 0.0);
    expect_near(kept(&world), bytes, "kept");
}

Test(expert_software, kernels_that_send_tokens_once_need_no_permutation_or_no_sort_either)
{
    ToyWorld world = sparse();
    cr_expect(spent(&world, 0, "permute") > 0.0 && spent(&world, 0, "unpermute") > 0.0);
    cr_expect(spent(&world, 0, "sort by expert") > 0.0);
    world.plan.expert_kernels = (TopoExpertFit){
        .name = "toy",
        .algorithm = "expert-two-level",
        .dispatch = {.ramp_bytes = 1.0, .inside_fraction = 1.0, .across_fraction = 1.0},
        .combine = {.ramp_bytes = 1.0, .inside_fraction = 1.0, .across_fraction = 1.0},
    };
    cr_expect(spent(&world, 0, "permute") <= 0.0 && spent(&world, 0, "unpermute") <= 0.0);
    cr_expect(spent(&world, 0, "sort by expert") > 0.0);
    world.plan.expert_kernels.sorts = true;
    cr_expect(spent(&world, 0, "sort by expert") <= 0.0 && spent(&world, 0, "sort by rank") <= 0.0);
}

/* 1024 tokens, 2 copies, hidden 1024: 28 bytes an element forward, 40 backward. */
Test(expert_software, biases_of_experts_are_added_expert_by_expert_in_fp32)
{
    ToyWorld world = sparse();
    cr_expect(spent(&world, 0, "expert bias") <= 0.0);
    world.model.linear_bias = true;
    StratCosting costing = toy_costing(&world);
    ModelOps ops;
    strat_layer_ops(&costing, &layer, 0, &ops);
    const double elements = 1024.0 * 2.0 * 1024.0;
    bool found = false;
    for (size_t i = 0; i < ops.count; i++) {
        if (!g_str_equal(ops.op[i].label, "expert bias"))
            continue;
        found = true;
        expect_near(ops.op[i].forward_bytes, 28.0 * elements, "forward");
        expect_near(ops.op[i].backward_bytes, 40.0 * elements, "backward");
        cr_expect(ops.op[i].forward_kernels == 10 && ops.op[i].backward_kernels == 22);
    }
    cr_expect(found);
}

Test(expert_software, each_expert_is_a_call_of_its_own_unless_fused)
{
    ToyWorld world = sparse();
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        world.profile.gemm[t].launch_s = 1.0;
    expect_near(floor(spent(&world, 0, "experts up")), 4.0, "launches");
    world.plan.expert_software.fused = true;
    expect_near(floor(spent(&world, 0, "experts up")), 1.0, "launch");
}

/* 1024 tokens of hidden 1024: two norms' outputs of 2 bytes, kept by what reads them; outputs of the
 * activation, 2048 rows of 2048. */
Test(expert_software, recomputed_parts_are_repeated_and_not_kept)
{
    ToyWorld world = sparse();
    double all = kept(&world);
    world.plan.recompute_parts.activations = true;
    expect_near(all - kept(&world), 2048.0 * 2048.0 * 2.0, "activation");
    double forward = spent(&world, 0, "activation");
    g_autoptr(GArray) spans = spans_of(&world, STRAT_BACKWARD_WHOLE);
    double again = 0.0;
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        again += span->bucket == STRAT_BUCKET_RECOMPUTE ? span->seconds : 0.0;
    }
    expect_near(again, forward, "repeated once");
    world.plan.recompute_parts = (StratRecomputeParts){.norms = true};
    expect_near(all - kept(&world), 2.0 * 1024.0 * 1024.0 * 2.0, "norms");
    world.plan.recompute_parts = (StratRecomputeParts){.quantised_inputs = true};
    expect_near(kept(&world), all, "16 bits quantise nothing");
}

Test(expert_software, up_projection_keeps_statistics_alone)
{
    ToyWorld world = sparse();
    world.model.kv_lora_rank = 128;
    world.model.q_lora_rank = 256;
    world.model.rope_head_dim = 32;
    world.model.value_head_dim = 64;
    double all = kept(&world), tokens = 1024.0;
    double query = (double)(world.model.head_dim + world.model.rope_head_dim);
    world.plan.recompute_parts.up_projection = true;
    expect_near(all - kept(&world), tokens * (double)world.model.heads * (2.0 * query + 64.0) * 2.0,
                "q, k, v");
}
