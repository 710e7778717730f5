/* Training in less than 16 bits against closed forms. The toy's GPU has a peak of fp4, so it counts
 * as a Blackwell; with that peak gone it reads fp8 by rows alone, as Hopper does. */
#include "strat_expert.h"
#include "strat_layout.h"
#include "strat_memory.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-12 * fabs(want), "%s: %.15g, not %.15g", what, got, want);
}

/* The toy in fp8 or fp4 by @recipe, tensor group of 2, sequence parallel. */
static ToyWorld low(const char *recipe)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 2;
    world.plan.sequence_parallel = true;
    toy_lay_out(&world, 4, 1);
    world.plan.quantise.recipe = recipe;
    world.plan.precision = g_str_equal(recipe, "nvfp4") ? TOPO_DTYPE_FP4 : TOPO_DTYPE_FP8;
    return world;
}

static const struct {
    const char *recipe;
    double hopper_bytes, blackwell_bytes; /* that a cast moves an element */
    double kept_bytes;                    /* of an input of a product */
    double gradient_bytes;                /* that a gather of dY moves an element */
    double weight_gather_bytes;
} cases[] = {
    {"fp8-delayed", 4.0,             3.0,             1.0,       1.0,       1.0},
    {"fp8-current", 6.0,             5.0,             1.0,       1.0,       1.0},
    {"fp8-block",   2.0 + 33.0 / 16, 2.0 + 33.0 / 16, 33.0 / 32, 33.0 / 16, 2.0},
    {"mxfp8",       2.0 + 33.0 / 16, 2.0 + 33.0 / 16, 33.0 / 32, 33.0 / 16, 2.0},
    {"nvfp4",       4.0 + 18.0 / 16, 4.0 + 18.0 / 16, 9.0 / 16,  9.0 / 8,   2.0},
};

Test(recipes, a_cast_reads_the_tensor_and_writes_its_copies)
{
    TopoGpu blackwell = toy_world().cluster.node.gpu, hopper = blackwell;
    hopper.peak_flop_per_s[TOPO_DTYPE_FP4] = 0.0;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = low(cases[i].recipe);
        const StratRecipe *recipe = strat_recipe_of(cases[i].recipe, world.plan.precision);
        expect_near(strat_recipe_cast_bytes(recipe, &hopper), cases[i].hopper_bytes, "Hopper");
        expect_near(strat_recipe_cast_bytes(recipe, &blackwell), cases[i].blackwell_bytes,
                    "Blackwell");
    }
}

static const ModelOp *op_by(const ModelOps *ops, const char *label)
{
    for (size_t i = 0; i < ops->count; i++)
        if (g_str_equal(ops->op[i].label, label))
            return &ops->op[i];
    cr_assert(false, "no %s", label);
    return NULL;
}

Test(recipes, inputs_are_kept_and_gathered_quantised)
{
    const double elements = 1024.0 * 1024.0; /* tokens x width, of which a rank keeps half */
    StratModelChunk chunk = {.layers = 1};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = low(cases[i].recipe);
        StratCosting costing = toy_costing(&world);
        ModelOps ops;
        strat_layer_ops(&costing, &chunk, 0, &ops);
        const ModelOp *gather = op_by(&ops, "tensor gather"), *out = op_by(&ops, "tensor reduce");
        expect_near(gather->forward_bytes, elements * cases[i].kept_bytes, "gather of X");
        expect_near(gather->saved_bytes, elements / 2.0 * cases[i].kept_bytes, "kept X");
        expect_near(gather->backward_bytes, elements * 2.0, "reduction of dX");
        expect_near(out->forward_bytes, elements * 2.0, "reduction of Y");
        expect_near(out->backward_bytes, elements * cases[i].gradient_bytes, "gather of dY");
        expect_near(op_by(&ops, "mlp down")->saved_bytes, 2.0 * elements * cases[i].kept_bytes,
                    "kept input of the second product");
        /* Attention keeps its output in 16 bits, the projection its own copy. */
        expect_near(op_by(&ops, "attention projection")->saved_bytes,
                    elements / 2.0 * (2.0 + cases[i].kept_bytes), "kept input of the projection");
    }
}

Test(recipes, weights_are_gathered_and_held_as_the_recipe_keeps_them)
{
    TopoGpu gpu = toy_world().cluster.node.gpu;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        StratPlan plan = low(cases[i].recipe).plan;
        double copies = cases[i].gradient_bytes; /* as many as a gather of dY has, here */
        expect_near(strat_recipe_gathered_bytes(&plan.quantise, plan.precision), 2.0, "16 bits");
        expect_near(strat_recipe_weight_bytes(&plan.quantise, plan.precision, &gpu), 2.0 + copies,
                    "beside 16 bits");
        plan.quantise.parameters = true;
        expect_near(strat_recipe_gathered_bytes(&plan.quantise, plan.precision),
                    cases[i].weight_gather_bytes, "gathered");
        expect_near(strat_recipe_weight_bytes(&plan.quantise, plan.precision, &gpu), copies,
                    "held");
    }
}

Test(recipes, the_memory_of_a_stage_has_the_copies_of_its_layers_alone)
{
    ToyWorld world = low("mxfp8"), wide = world, plain = world;
    plain.plan.precision = TOPO_DTYPE_BF16;
    wide.plan.quantise.wide_last = 2;
    double weights[3];
    const ToyWorld *worlds[] = {&world, &wide, &plain};
    for (size_t i = 0; i < 3; i++) {
        StratCosting costing = toy_costing(worlds[i]);
        g_autoptr(GArray) stages = strat_memory_stages(&costing);
        weights[i] = g_array_index(stages, StratMemory, 0).weights_bytes;
    }
    double layer = model_layer_shard_params(&world.model, 2, false), each = 33.0 / 16.0;
    expect_near(weights[0] - weights[2], 8.0 * layer * each, "eight layers");
    expect_near(weights[1] - weights[2], 6.0 * layer * each, "two of them wide");
}

static double forward_s(const ToyWorld *world, const StratModelChunk *chunk)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(&costing, chunk, spans);
    double seconds = 0.0;
    for (guint i = 0; i < spans->len; i++)
        seconds += g_array_index(spans, StratSpan, i).seconds;
    return seconds;
}

Test(recipes, wide_layers_cost_what_they_do_in_16_bits)
{
    ToyWorld world = low("fp8-current"), plain = world;
    plain.plan.precision = TOPO_DTYPE_BF16;
    world.profile.gemm[TOPO_DTYPE_FP8].compute_fraction = 0.4;
    StratModelChunk one = {.layers = 1, .tensor_per_domain = 2};
    double low_s = forward_s(&world, &one), wide_s = forward_s(&plain, &one);
    cr_assert(fabs(low_s - wide_s) > 0.1 * wide_s, "the test must tell them apart");
    world.plan.quantise.wide_first = 1;
    world.plan.quantise.wide_last = 2;
    StratModelChunk all = strat_chunk_at(&world.model, &world.plan, 0, 0), pieces[8];
    all.embedding = all.head = false;
    all.tensor_per_domain = 2;
    expect_near(forward_s(&world, &all), 5.0 * low_s + 3.0 * wide_s, "in one piece");
    double sum = 0.0;
    for (int64_t i = 0, count = strat_chunk_split(&world.plan, &all, 3, pieces); i < count; i++)
        sum += forward_s(&world, &pieces[i]);
    expect_near(sum, 5.0 * low_s + 3.0 * wide_s, "in three");
    sum = 0.0;
    strat_chunk_units(&world.plan, &all, pieces);
    for (int64_t i = 0; i < 8; i++)
        sum += forward_s(&world, &pieces[i]);
    expect_near(sum, 5.0 * low_s + 3.0 * wide_s, "layer by layer");
}

Test(recipes, what_does_not_go_together_is_refused_with_the_reason)
{
    static const struct {
        StratQuantise quantise;
        TopoDtype precision;
        const char *want;
    } bad[] = {
        {{.recipe = "mxfp8"},               TOPO_DTYPE_FP8,  "(Blackwell)" },
        {{.recipe = NULL},                  TOPO_DTYPE_FP4,  "(Blackwell)" },
        {{.recipe = "nvfp4"},               TOPO_DTYPE_FP8,  "another type"},
        {{.recipe = "fp8-current"},         TOPO_DTYPE_BF16, "another type"},
        {{.wide_first = 5, .wide_last = 4}, TOPO_DTYPE_FP8,  "8 layers"    },
    };
    TopoGpu gpu = toy_world().cluster.node.gpu;
    gpu.peak_flop_per_s[TOPO_DTYPE_FP4] = 0.0;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *reason = NULL;
        cr_expect(!strat_recipe_fits(&bad[i].quantise, bad[i].precision, 8, &gpu, &reason));
        cr_expect(reason && strstr(reason, bad[i].want), "case %zu: %s", i, reason);
    }
    StratQuantise usual = {.parameters = true, .wide_first = 4, .wide_last = 4};
    cr_expect(strat_recipe_fits(&usual, TOPO_DTYPE_FP8, 8, &gpu, NULL));
    cr_expect(strat_recipe_fits(&usual, TOPO_DTYPE_BF16, 8, &gpu, NULL));
}
