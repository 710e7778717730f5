/* Low-rank adapters against their papers.
 *
 * LoRA (Hu 2021, arXiv 2106.09685): GPT-3 of 175 billion with r = 4 on query and value has 96 * 2 *
 * 2 * 12,288 * 4 parameters, 35 MB in 16 bits (section 4.2), and needs 350 GB to train where all
 * weights needed 1.2 TB. QLoRA (Dettmers 2023, arXiv 2305.14314, section 3): 4.5 bits a weight,
 * 4.127 quantised doubly. */
#include "toy_world.h"

#include "model_adapters.h"
#include "strat_layout.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static ToyWorld gpt3(void)
{
    ToyWorld world = toy_world();
    world.model.layers = 96;
    world.model.hidden = 12288;
    world.model.heads = world.model.kv_heads = 96;
    world.model.head_dim = 128;
    world.model.ffn = 4 * 12288;
    world.model.vocab = 50257;
    world.model.max_sequence = 2048;
    world.plan.adapters = (ModelAdapters){.rank = 4, .on = MODEL_ADAPTED_QUERY_VALUE};
    return world;
}

static double trained(const ToyWorld *world)
{
    StratModelChunk chunk = strat_chunk_at(&world->model, &world->plan, 0, 0);
    return strat_chunk_trained_params(&world->model, &world->plan, &chunk);
}

static StratMemory memory_of(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    return g_array_index(stages, StratMemory, 0);
}

Test(adapters, of_gpt_3_on_query_and_value_are_35_megabytes)
{
    ToyWorld world = gpt3();
    cr_expect(fabs(trained(&world) - 96.0 * 2.0 * 2.0 * 12288.0 * 4.0) < 0.5);
    double mebibytes = 2.0 * trained(&world) / 1048576.0;
    cr_expect(fabs(mebibytes / 35.0 - 1.0) < 0.04, "%g MB", mebibytes);
}

Test(adapters, gpt_3_needs_350_gb_to_train)
{
    ToyWorld world = gpt3();
    StratMemory m = memory_of(&world);
    double states = m.weights_bytes + m.gradients_bytes + m.optimizer_bytes;
    cr_expect(fabs(states / 350e9 - 1.0) < 0.01, "%g GB", states / 1e9);
    world.plan.adapters.rank = 0;
    m = memory_of(&world);
    states = m.weights_bytes + m.gradients_bytes + m.optimizer_bytes;
    cr_expect(states > 1.2e12, "%g GB", states / 1e9);
}

Test(adapters, on_all_layers_have_r_times_inputs_and_outputs)
{
    ToyWorld world = toy_world();
    world.plan.adapters = (ModelAdapters){.rank = 16, .on = MODEL_ADAPTED_ALL};
    double h = 1024.0, want = 8.0 * 16.0 * (4.0 * 2.0 * h + 2.0 * (h + 4.0 * h));
    cr_expect(fabs(trained(&world) - want) < 0.5, "%g, not %g", trained(&world), want);
    world.plan.adapters.on = MODEL_ADAPTED_ATTENTION;
    want = 8.0 * 16.0 * 4.0 * 2.0 * h;
    cr_expect(fabs(trained(&world) - want) < 0.5, "%g, not %g", trained(&world), want);
}

Test(adapters, frozen_weights_have_the_bits_that_qlora_counts)
{
    ModelAdapters nf4 = {.rank = 1, .nf4 = true};
    cr_expect(fabs(8.0 * model_frozen_bytes(&nf4) - 4.5) < 1e-12);
    nf4.double_quantisation = true;
    cr_expect(fabs(8.0 * model_frozen_bytes(&nf4) - 4.127) < 1e-3);
}

/* Seconds of the layers' products, forward or backward, and of dequantising. */
static double seconds_of(const ToyWorld *world, bool backward, const char *label)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk chunk = {.layers = 1, .tensor_per_domain = 1, .context_per_domain = 1};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    double sum = 0.0;
    if (backward)
        strat_cost_backward(&costing, &chunk, STRAT_BACKWARD_WHOLE, spans);
    else
        strat_cost_forward(&costing, &chunk, spans);
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        sum += g_str_equal(span->label, label) ? span->seconds : 0.0;
    }
    return sum;
}

Test(adapters, a_frozen_product_has_a_gradient_of_its_input_alone)
{
    ToyWorld whole = toy_world(), frozen = toy_world();
    frozen.plan.adapters = (ModelAdapters){.rank = 8, .on = MODEL_ADAPTED_ALL};
    cr_expect(seconds_of(&whole, true, "accumulate gradient") > 0.0);
    double both = seconds_of(&whole, true, "mlp up"), one = seconds_of(&frozen, true, "mlp up");
    double input = seconds_of(&frozen, false, "mlp up");
    cr_expect(fabs(one / input - 1.0) < 0.02, "%g s, forward %g s", one, input);
    cr_expect(both > 1.9 * one, "%g s of %g s", one, both);
    cr_expect(seconds_of(&frozen, true, "adapter up") > 0.0);
}

Test(adapters, nf4_weights_are_written_out_before_each_product)
{
    ToyWorld world = toy_world();
    world.plan.adapters = (ModelAdapters){.rank = 8, .nf4 = true};
    double weights = 12.0 * 1024.0 * 1024.0, bytes = (2.0 + 0.5625) * weights;
    double want = bytes / 1e12 + 4e-6; /* four launches */
    double got = seconds_of(&world, false, "dequantise");
    cr_expect(fabs(got / want - 1.0) < 1e-6, "%g s, not %g", got, want);
    got = seconds_of(&world, true, "dequantise");
    cr_expect(fabs(got / want - 1.0) < 1e-6, "backward: %g s, not %g", got, want);
}

Test(adapters, only_they_are_reduced_over_replicas)
{
    ToyWorld world = toy_world();
    world.plan.adapters = (ModelAdapters){.rank = 8, .on = MODEL_ADAPTED_ALL};
    toy_lay_out(&world, 8, 1);
    StratCosting costing = toy_costing(&world);
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    double want = 2.0 * 7.0 / 8.0 * 4.0 * trained(&world) / 1e11;
    double got = (double)result->ledger_ns[STRAT_BUCKET_DATA_COMM] * 1e-9 / 8.0;
    cr_expect(fabs(got / want - 1.0) < 1e-3, "%g s, not %g", got, want);
}

Test(adapters, the_model_counts_two_thirds_of_frozen_products)
{
    ToyWorld world = toy_world();
    StratCosting costing = toy_costing(&world);
    g_autoptr(StratTrainResult) full = strat_train_run(&costing, true, NULL);
    world.plan.adapters = (ModelAdapters){.rank = 1, .on = MODEL_ADAPTED_QUERY_VALUE};
    g_autoptr(StratTrainResult) few = strat_train_run(&costing, true, NULL);
    double attention = 3.0 * model_attention_forward_flop(&world.model, 1.0, 1024.0);
    double want = (full->model_flop - attention) * 2.0 / 3.0 + attention;
    cr_expect(fabs(few->model_flop / want - 1.0) < 2e-3, "%g, not %g", few->model_flop, want);
    cr_expect(few->step_ns < full->step_ns);
}
