/* A teacher and sparse weights against their parts: a step with a teacher is the step and the
 * teacher's forward, and the loss' passes; it keeps the teacher's weights in 16 bits. Products of
 * 2:4 weights take 1 / gain of their dense time. */
#include "toy_world.h"

#include "strat_distill.h"
#include "strat_layout.h"

#include <criterion/criterion.h>
#include <math.h>

static double step_s(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    cr_assert(result);
    cr_expect(toy_ledger_sum(result) == result->step_ns * result->gpus);
    return (double)result->step_ns * 1e-9;
}

static double forward_s(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk all = strat_chunk_at(&world->model, &world->plan, 0, 0);
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    double sum = 0.0;
    all.tensor_per_domain = world->plan.tensor;
    all.context_per_domain = 1;
    strat_cost_forward(&costing, &all, spans);
    for (guint i = 0; i < spans->len; i++)
        sum += g_array_index(spans, StratSpan, i).seconds;
    return sum;
}

static void expect_near(double got, double want, double tolerance, const char *what)
{
    cr_expect(fabs(got / want - 1.0) < tolerance, "%s: %.9g, not %.9g", what, got, want);
}

static ModelSpec teacher_of(const ToyWorld *world)
{
    ModelSpec teacher = world->model;
    teacher.layers = 12;
    teacher.hidden = 2048;
    teacher.heads = teacher.kv_heads = 32;
    teacher.ffn = 8192;
    return teacher;
}

Test(distill, a_step_has_the_teacher_s_forward_besides)
{
    ToyWorld world = toy_world(), alone = toy_world();
    alone.model = teacher_of(&world);
    double student = step_s(&world);
    world.plan.distill.teacher = alone.model;
    /* Three passes of 4 bytes over 1,024 x 8,192 logits at 1 TB/s, and their launches. */
    double loss = 3.0 * 4.0 * 1024.0 * 8192.0 / 1e12 + 3e-6;
    expect_near(step_s(&world), student + forward_s(&alone) + loss, 1e-4, "step");
}

Test(distill, pieces_and_stages_share_the_teacher_s_layers_out)
{
    ToyWorld world = toy_world();
    world.plan.pipeline = 4;
    world.plan.distill.teacher = teacher_of(&world);
    toy_lay_out(&world, 1, 4);
    int64_t layers = 0;
    for (int64_t stage = 0; stage < 4; stage++) {
        StratModelChunk chunk = strat_chunk_at(&world.model, &world.plan, stage, 0), pieces[8];
        int64_t count = strat_chunk_split(&world.plan, &chunk, 8, pieces), cut = 0;
        for (int64_t i = 0; i < count; i++)
            cut += pieces[i].teacher_layers;
        cr_expect(cut == chunk.teacher_layers && cut == 3);
        layers += cut;
    }
    cr_expect(layers == 12);
}

/* A teacher over twice the ranks takes two replicas' microbatches at once. */
Test(distill, a_teacher_on_more_ranks_takes_more_sequences)
{
    ToyWorld world = toy_world(), alone = toy_world();
    alone.model = teacher_of(&world);
    world.plan.tensor = 2;
    toy_lay_out(&world, 4, 1);
    double student = step_s(&world);
    world.plan.distill = (StratDistill){.teacher = alone.model, .tensor = 4};
    alone.plan.tensor = 4;
    alone.plan.micro_batch = 2;
    toy_lay_out(&alone, 2, 1);
    double logits = 1024.0 * 8192.0;
    double loss = 3.0 * 4.0 * logits / 2.0 / 1e12 + 3e-6, moved = 3.0 / 4.0 * 2.0 * logits / 1e11;
    expect_near(step_s(&world), student + forward_s(&alone) + loss + moved, 1e-4, "step");
}

Test(distill, the_teacher_s_weights_are_kept_in_16_bits)
{
    ToyWorld world = toy_world(), alone = toy_world();
    alone.model = teacher_of(&world);
    StratCosting costing = toy_costing(&world);
    g_autoptr(GArray) before = strat_memory_stages(&costing);
    world.plan.distill.teacher = alone.model;
    g_autoptr(GArray) after = strat_memory_stages(&costing);
    StratModelChunk all = strat_chunk_at(&alone.model, &alone.plan, 0, 0);
    const StratMemory *a = &g_array_index(before, StratMemory, 0);
    const StratMemory *b = &g_array_index(after, StratMemory, 0);
    expect_near(b->weights_bytes - a->weights_bytes,
                2.0 * strat_chunk_params(&alone.model, &alone.plan, &all), 1e-12, "weights");
    cr_expect(fabs(b->optimizer_bytes - a->optimizer_bytes) < 1.0);
}

static double label_s(const ToyWorld *world, bool backward, const char *label)
{
    StratCosting costing = toy_costing(world);
    StratModelChunk layer = {.layers = 1, .tensor_per_domain = 1, .context_per_domain = 1};
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    double sum = 0.0;
    if (backward)
        strat_cost_backward(&costing, &layer, STRAT_BACKWARD_WHOLE, spans);
    else
        strat_cost_forward(&costing, &layer, spans);
    for (guint i = 0; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        sum += g_str_equal(span->label, label) ? span->seconds : 0.0;
    }
    return sum;
}

Test(sparsity, products_take_the_inverse_of_the_gain)
{
    ToyWorld dense = toy_world(), sparse = toy_world();
    sparse.plan.sparsity.gain = 1.6;
    expect_near(label_s(&sparse, false, "mlp up"), label_s(&dense, false, "mlp up") / 1.6, 1e-12,
                "forward");
    expect_near(label_s(&sparse, true, "mlp up"), label_s(&dense, true, "mlp up"), 1e-12,
                "dense backward");
    sparse.plan.sparsity.backward = true;
    double input = label_s(&dense, false, "mlp up"); /* as long as the gradient of the input */
    expect_near(label_s(&sparse, true, "mlp up"),
                label_s(&dense, true, "mlp up") - input * (1.0 - 1.0 / 1.6), 0.01, "input");
}
