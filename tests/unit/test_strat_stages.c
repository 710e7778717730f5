/* Layers written out, chunk by chunk. */
#include "strat_layout.h"
#include "strat_stages.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <string.h>

Test(strat_stages, lists_are_read_with_repeats)
{
    int64_t chunks, layers, before;
    cr_expect(strat_stages_read("3 4*14 2", &chunks, &layers, NULL));
    cr_expect(chunks == 16 && layers == 61);
    cr_expect(strat_stages_at("3 4*14 2", 0, &before) == 3 && before == 0);
    cr_expect(strat_stages_at("3 4*14 2", 1, &before) == 4 && before == 3);
    cr_expect(strat_stages_at("3 4*14 2", 14, &before) == 4 && before == 55);
    cr_expect(strat_stages_at("3 4*14 2", 15, &before) == 2 && before == 59);
    static const char *const wrong[] = {"",   "3,4",   "3 four", "3 4*",
                                        "-1", "4 * 2", "3 4x",   "200000"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *reason = NULL;
        cr_expect(!strat_stages_read(wrong[i], &chunks, &layers, &reason), "%s", wrong[i]);
        cr_expect(reason && strstr(reason, wrong[i]));
    }
}

static ToyWorld uneven_world(const char *layers)
{
    ToyWorld world = toy_world();
    world.plan.pipeline = 4;
    world.plan.overlap_pipeline = true;
    world.plan.optimizer = STRAT_OPTIMIZER_NONE;
    toy_lay_out(&world, 1, 8);
    world.plan.stage_layers = layers;
    return world;
}

static int64_t step_ns(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    cr_assert(result);
    return result->step_ns;
}

Test(strat_stages, an_even_list_is_the_default_and_the_longest_stage_sets_the_pace)
{
    ToyWorld even = uneven_world("2*4"), plain = uneven_world(NULL),
             skewed = uneven_world("2 3 2 1");
    cr_expect(step_ns(&even) == step_ns(&plain));
    skewed.plan.stage_layers = "1 1 5 1";
    cr_expect(step_ns(&skewed) > step_ns(&plain));
    /* A big vocabulary makes the last stage the longest: a layer less there is a shorter step. */
    even.model.vocab = plain.model.vocab = skewed.model.vocab = 65536;
    skewed.plan.stage_layers = "2 2 3 1";
    cr_expect(step_ns(&skewed) < step_ns(&even), "%g ms, %g ms", 1e-6 * (double)step_ns(&skewed),
              1e-6 * (double)step_ns(&even));
    StratModelChunk last = strat_chunk_at(&skewed.model, &skewed.plan, 3, 0);
    cr_expect(last.layers == 1 && last.head);
}

Test(strat_stages, a_list_that_does_not_match_the_pipeline_is_not_compiled)
{
    ToyWorld world = uneven_world("2 2 4");
    StratCosting costing = toy_costing(&world);
    g_autoptr(GError) error = NULL;
    cr_expect_null(strat_train_run(&costing, true, &error));
    cr_expect(error && strstr(error->message, "stage_layers has 3 chunks, the pipeline 4"));
}
