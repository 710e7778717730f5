/* Recomputation of some layers, in closed form. With l layers a chunk, S bytes a layer keeps, I its
 * input and L the seconds of its forward:
 *
 *   uniform n    keeps ceil(l / n) I, needs n S for a moment, repeats l L
 *   block n      keeps n I + (l - n) S, repeats n L
 *   fraction p   the same with floor(p l + 1/2) layers of the model */
#include "toy_world.h"

#include "strat_layout.h"

#include <criterion/criterion.h>
#include <math.h>

static ToyWorld world_of(StratRecompute recompute, StratRecomputeLayers which)
{
    ToyWorld world = toy_world();
    world.plan.recompute = recompute;
    world.plan.recompute_layers = which;
    toy_lay_out(&world, 1, 1);
    return world;
}

/* All layers of the model in one chunk, without embedding and head. */
static StratModelChunk layers_of(const ToyWorld *world)
{
    StratModelChunk chunk = strat_chunk_at(&world->model, &world->plan, 0, 0);
    chunk.embedding = chunk.head = false;
    chunk.tensor_per_domain = chunk.context_per_domain = 1;
    return chunk;
}

static double kept(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = layers_of(world);
    return strat_chunk_saved_bytes(&costing, &chunk);
}

static double sum_of(const GArray *spans, StratBucket bucket)
{
    double sum = 0.0;
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        sum += bucket == STRAT_BUCKET_COUNT || span->bucket == bucket ? span->seconds : 0.0;
    }
    return sum;
}

/* Seconds that the backward of all layers repeats. */
static double repeated_s(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = layers_of(world);
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_backward(&costing, &chunk, STRAT_BACKWARD_WHOLE, spans);
    return sum_of(spans, STRAT_BUCKET_RECOMPUTE);
}

static double forward_s(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = layers_of(world);
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(&costing, &chunk, spans);
    return sum_of(spans, STRAT_BUCKET_COUNT);
}

static double layer_bytes(StratRecompute recompute)
{
    ToyWorld world = world_of(recompute, (StratRecomputeLayers){0});
    return kept(&world) / (double)world.model.layers;
}

/* Recomputed layers of the toy model's eight, of each method; groups of them for uniform. */
static const struct {
    StratRecomputeLayers which;
    int recomputed, inputs;
} cases[] = {
    {{.method = STRAT_RECOMPUTE_EACH},                          8, 8},
    {{.method = STRAT_RECOMPUTE_UNIFORM, .layers = 1},          8, 8},
    {{.method = STRAT_RECOMPUTE_UNIFORM, .layers = 2},          8, 4},
    {{.method = STRAT_RECOMPUTE_UNIFORM, .layers = 3},          8, 3},
    {{.method = STRAT_RECOMPUTE_UNIFORM, .layers = 8},          8, 1},
    {{.method = STRAT_RECOMPUTE_BLOCK, .layers = 1},            1, 1},
    {{.method = STRAT_RECOMPUTE_BLOCK, .layers = 5},            5, 5},
    {{.method = STRAT_RECOMPUTE_FRACTION, .fraction = 1.0},     8, 8},
    {{.method = STRAT_RECOMPUTE_FRACTION, .fraction = 0.5},     4, 4},
    {{.method = STRAT_RECOMPUTE_FRACTION, .fraction = 1. / 3.}, 3, 3},
    {{.method = STRAT_RECOMPUTE_FRACTION, .fraction = 0.25},    2, 2},
};

Test(recompute_layers, memory_is_that_of_inputs_and_of_layers_that_keep_all)
{
    double input = layer_bytes(STRAT_RECOMPUTE_FULL), all = layer_bytes(STRAT_RECOMPUTE_NONE);
    cr_expect(all > 10.0 * input);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = world_of(STRAT_RECOMPUTE_FULL, cases[i].which);
        double want = cases[i].inputs * input + (8 - cases[i].recomputed) * all;
        cr_expect(fabs(kept(&world) - want) < 0.5, "case %zu: %.0f bytes, not %.0f", i,
                  kept(&world), want);
    }
}

Test(recompute_layers, selective_drops_the_scores_of_the_chosen_layers_alone)
{
    double dropped = layer_bytes(STRAT_RECOMPUTE_SELECTIVE),
           all = layer_bytes(STRAT_RECOMPUTE_NONE);
    ToyWorld world = world_of(STRAT_RECOMPUTE_SELECTIVE, (StratRecomputeLayers){
                                                             .method = STRAT_RECOMPUTE_BLOCK,
                                                             .layers = 3,
                                                         });
    world.plan.attention = STRAT_ATTENTION_UNFUSED;
    double scores_kept = kept(&world);
    world.plan.recompute_layers.layers = 8;
    double none_kept = kept(&world);
    cr_expect(scores_kept > none_kept);
    cr_expect(dropped <= all);
}

Test(recompute_layers, what_is_repeated_is_the_forward_of_the_chosen_layers)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = world_of(STRAT_RECOMPUTE_FULL, cases[i].which);
        double want = forward_s(&world) * cases[i].recomputed / 8.0;
        cr_expect(fabs(repeated_s(&world) / want - 1.0) < 1e-9, "case %zu: %g s, not %g", i,
                  repeated_s(&world), want);
    }
}

Test(recompute_layers, the_hardware_counts_the_repeated_share_of_the_forward)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = world_of(STRAT_RECOMPUTE_FULL, cases[i].which);
        StratCosting costing = toy_costing(&world);
        g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
        double head = 2.0 * result->tokens * (double)(world.model.hidden * world.model.vocab);
        double want = (result->model_flop / 3.0 - head) * cases[i].recomputed / 8.0;
        double got = result->hardware_flop - result->model_flop;
        cr_expect(fabs(got / want - 1.0) < 1e-12, "case %zu: %g FLOP, not %g", i, got, want);
    }
}

/* fms-fsdp's own examples, in the comment of its ac_handler.py. */
Test(recompute_layers, a_fraction_is_spread_as_fms_fsdp_spreads_it)
{
    static const struct {
        double fraction;
        const char *layers; /* x: recomputed */
    } spread[] = {
        {1.0 / 2.0, "x.x.x."},
        {1.0 / 3.0, ".x..x."},
        {2.0 / 3.0, "x.xx.x"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(spread); i++) {
        StratRecomputeLayers which = {.method = STRAT_RECOMPUTE_FRACTION,
                                      .fraction = spread[i].fraction};
        for (int64_t layer = 0; layer < 6; layer++)
            cr_expect(strat_recompute_has(&which, layer, layer) == (spread[i].layers[layer] == 'x'),
                      "fraction %g, layer %d", spread[i].fraction, (int)layer);
    }
}

/* Of each chunk of a pipeline, not of each stage: eight layers in two stages of two chunks. */
Test(recompute_layers, a_block_is_of_each_chunk_and_pieces_add_up_to_it)
{
    ToyWorld world = toy_world();
    world.plan.pipeline = 2;
    world.plan.virtual_stages = 2;
    world.plan.recompute = STRAT_RECOMPUTE_FULL;
    world.plan.recompute_layers = (StratRecomputeLayers){STRAT_RECOMPUTE_BLOCK, 1, 0.0};
    toy_lay_out(&world, 1, 4);
    for (int64_t stage = 0; stage < 2; stage++) {
        for (int64_t k = 0; k < 2; k++) {
            StratModelChunk chunk = strat_chunk_at(&world.model, &world.plan, stage, k), pieces[8];
            cr_expect(chunk.layers == 2 && chunk.spared == 1);
            int64_t count = strat_chunk_split(&world.plan, &chunk, 8, pieces), spared = 0;
            for (int64_t i = 0; i < count; i++)
                spared += pieces[i].spared;
            cr_expect(count == 2 && spared == 1 && pieces[0].spared == 0);
        }
    }
}

/* A group is alive whole while its backward runs: more workspace, fewer inputs. */
Test(recompute_layers, groups_trade_inputs_for_workspace)
{
    double all = layer_bytes(STRAT_RECOMPUTE_NONE);
    for (int64_t group = 1; group <= 8; group *= 2) {
        ToyWorld world = world_of(STRAT_RECOMPUTE_FULL, (StratRecomputeLayers){
                                                            .method = STRAT_RECOMPUTE_UNIFORM,
                                                            .layers = group,
                                                        });
        StratCosting costing = toy_costing(&world);
        StratModelChunk chunk = layers_of(&world);
        double want = (double)group * all;
        double got = strat_memory_workspace_bytes(&costing, &chunk);
        cr_expect(fabs(got / want - 1.0) < 1e-12, "groups of %d: %g bytes, not %g", (int)group, got,
                  want);
    }
}
