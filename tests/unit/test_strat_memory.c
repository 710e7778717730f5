/* Whether a plan fits, and what the message says when it does not: the stage, by how much, and a
 * knob that indeed makes it fit. */
#include "strat_schedule.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

/* Turns the knob that a message calls @text, as a person would. */
typedef struct Turn {
    const char *text;
    void (*turn)(StratPlan *plan);
} Turn;

static void selective(StratPlan *plan)
{
    plan->recompute = STRAT_RECOMPUTE_SELECTIVE;
}

static void full(StratPlan *plan)
{
    plan->recompute = STRAT_RECOMPUTE_FULL;
}

static void sequence(StratPlan *plan)
{
    plan->sequence_parallel = true;
}

static void zero(StratPlan *plan)
{
    plan->zero_stage = 1;
}

static void micro_batch(StratPlan *plan)
{
    plan->micro_batch /= 2;
}

static void tensor(StratPlan *plan)
{
    plan->tensor *= 2;
    plan->data /= 2;
}

static void pipeline(StratPlan *plan)
{
    plan->pipeline *= 2;
    plan->data /= 2;
    if (g_str_equal(plan->schedule, "none"))
        plan->schedule = "1f1b";
}

static const Turn turns[] = {
    {"plan.recompute=selective",                selective  },
    {"plan.recompute=full",                     full       },
    {"plan.sequence_parallel=true",             sequence   },
    {"plan.zero_stage=1",                       zero       },
    {"plan.micro_batch halved",                 micro_batch},
    {"plan.tensor doubled, plan.data halved",   tensor     },
    {"plan.pipeline doubled, plan.data halved", pipeline   },
};

static GArray *memory_of(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    return strat_memory_stages(&costing);
}

/* The message of a plan that does not fit, NULL when it fits; the caller owns it. */
static char *complaint(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GArray) stages = strat_memory_stages(&costing);
    g_autoptr(GError) error = NULL;
    if (strat_memory_check(&costing, stages, &error)) {
        cr_expect(error == NULL);
        return NULL;
    }
    cr_assert(error != NULL);
    cr_expect(g_error_matches(error, STRAT_ERROR, STRAT_ERROR_NO_FIT));
    return g_strdup(error->message);
}

/* Of the fullest stage, and which one it is. */
static StratMemory fullest(const ToyWorld *world, int *stage)
{
    g_autoptr(GArray) stages = memory_of(world);
    *stage = 0;
    for (guint i = 1; i < stages->len; i++) {
        if (g_array_index(stages, StratMemory, i).peak_bytes >
            g_array_index(stages, StratMemory, *stage).peak_bytes)
            *stage = (int)i;
    }
    return g_array_index(stages, StratMemory, *stage);
}

/* A plan of two replicas, tensor 2, unfused attention, two stages when @pipeline is. */
static ToyWorld world_with(int64_t micro, int64_t stages)
{
    ToyWorld world = toy_world();
    world.plan.tensor = 2;
    world.plan.micro_batch = micro;
    world.plan.pipeline = stages;
    world.plan.attention = STRAT_ATTENTION_UNFUSED;
    world.plan.dropout = true;
    toy_lay_out(&world, 2, 4);
    return world;
}

Test(strat_memory, of_a_stage_is_the_sum_of_its_parts)
{
    for (int64_t stages = 1; stages <= 4; stages *= 2) {
        ToyWorld world = world_with(2, stages);
        g_autoptr(GArray) memory = memory_of(&world);
        cr_assert(memory->len == (guint)stages);
        for (guint i = 0; i < memory->len; i++) {
            const StratMemory *m = &g_array_index(memory, StratMemory, i);
            double sum = m->weights_bytes + m->gradients_bytes + m->optimizer_bytes +
                         m->activations_bytes + m->workspace_bytes + m->reserved_bytes;
            cr_expect(fabs(sum / m->peak_bytes - 1.0) < 1e-12);
            cr_expect(m->capacity_bytes >= 80e9 && m->capacity_bytes <= 80e9);
        }
    }
}

/* Adam in mixed precision: 2 bytes of weight, 4 of gradient, 12 of optimizer, which ZeRO-1 cuts
 * (Rajbhandari 2020, section 3.1). */
Test(strat_memory, of_the_states_is_eighteen_bytes_a_parameter_less_what_zero_cuts)
{
    ToyWorld world = world_with(1, 1);
    g_autoptr(GArray) whole = memory_of(&world);
    world.plan.zero_stage = 1;
    g_autoptr(GArray) cut = memory_of(&world);
    const StratMemory *a = &g_array_index(whole, StratMemory, 0);
    const StratMemory *b = &g_array_index(cut, StratMemory, 0);
    double parameters = a->weights_bytes / 2.0;
    cr_expect(fabs(a->gradients_bytes - 4.0 * parameters) < 1.0);
    cr_expect(fabs(a->optimizer_bytes - 12.0 * parameters) < 1.0);
    cr_expect(fabs(b->optimizer_bytes - 6.0 * parameters) < 1.0, "over two replicas");
    cr_expect(fabs(b->weights_bytes - a->weights_bytes) < 1.0);
    cr_expect(fabs(b->gradients_bytes - a->gradients_bytes) < 1.0);
}

Test(strat_memory, a_plan_that_fits_is_not_complained_about)
{
    ToyWorld world = world_with(1, 2);
    g_autofree char *text = complaint(&world);
    cr_expect(text == NULL, "%s", text);
}

Test(strat_memory, a_plan_that_just_fits_fits_and_a_byte_less_does_not)
{
    ToyWorld world = world_with(1, 2);
    int stage;
    double peak = fullest(&world, &stage).peak_bytes;
    world.cluster.node.gpu.memory_bytes = ceil(peak);
    g_autofree char *enough = complaint(&world);
    world.cluster.node.gpu.memory_bytes = ceil(peak) - 1.0;
    g_autofree char *less = complaint(&world);
    cr_expect(enough == NULL && less != NULL);
}

Test(strat_memory, the_complaint_names_the_fullest_stage_and_the_overshoot)
{
    for (int64_t stages = 1; stages <= 4; stages *= 2) {
        ToyWorld world = world_with(4, stages);
        int stage;
        StratMemory m = fullest(&world, &stage);
        world.cluster.node.gpu.memory_bytes = m.peak_bytes - 1.5e9;
        g_autofree char *text = complaint(&world);
        cr_assert(text != NULL);
        g_autofree char *named =
            g_strdup_printf("stage %d needs %.1f GB", stage, m.peak_bytes / 1e9);
        cr_expect(strstr(text, named) != NULL, "no '%s' in: %s", named, text);
        cr_expect(strstr(text, "1.5 GB too much") != NULL, "%s", text);
    }
}

/* Turns every knob that @text offers singly; each must make @world fit. Returns how many. */
static int follow_advice(const ToyWorld *world, const char *text)
{
    const char *advice = strstr(text, "would fit with ");
    int offered = 0;
    for (size_t i = 0; advice && i < G_N_ELEMENTS(turns); i++) {
        if (!strstr(advice, turns[i].text))
            continue;
        ToyWorld turned = *world;
        turns[i].turn(&turned.plan);
        g_autofree char *still = complaint(&turned);
        cr_expect(still == NULL, "%s did not help: %s", turns[i].text, still);
        offered++;
    }
    return offered;
}

/* From just too large to hopeless. */
Test(strat_memory, every_knob_that_is_offered_makes_the_plan_fit)
{
    int offered = 0;
    for (int64_t stages = 1; stages <= 4; stages *= 2) {
        for (int64_t micro = 1; micro <= 8; micro *= 2) {
            for (int percent = 99; percent >= 10; percent -= 10) {
                ToyWorld world = world_with(micro, stages);
                int stage;
                double peak = fullest(&world, &stage).peak_bytes;
                world.cluster.node.gpu.memory_bytes = peak * percent / 100.0;
                g_autofree char *text = complaint(&world);
                cr_assert(text != NULL);
                offered += follow_advice(&world, text);
                cr_expect(strstr(text, "would fit with ") || strstr(text, "together they are: ") ||
                              strstr(text, "is not enough"),
                          "no advice: %s", text);
            }
        }
    }
    cr_expect(offered > 20, "only %d knobs were offered", offered);
}

/* Knobs joined by " + " are turned one after the other. */
Test(strat_memory, knobs_offered_together_make_the_plan_fit_together)
{
    int offered = 0;
    for (int percent = 99; percent >= 5; percent--) {
        ToyWorld world = world_with(8, 1);
        int stage;
        double peak = fullest(&world, &stage).peak_bytes;
        world.cluster.node.gpu.memory_bytes = peak * percent / 100.0;
        g_autofree char *text = complaint(&world);
        const char *advice = strstr(text, "together they are: ");
        if (!advice)
            continue;
        for (size_t i = 0; i < G_N_ELEMENTS(turns); i++) {
            if (strstr(advice, turns[i].text))
                turns[i].turn(&world.plan);
        }
        g_autofree char *still = complaint(&world);
        cr_expect(still == NULL, "at %d %%: %s, but: %s", percent, advice, still);
        offered++;
    }
    cr_expect(offered > 0, "never offered");
}

Test(strat_memory, a_hopeless_plan_is_told_so)
{
    ToyWorld world = world_with(1, 1);
    world.cluster.node.gpu.memory_bytes = 1e6;
    g_autofree char *text = complaint(&world);
    cr_expect(text && strstr(text, "is not enough"), "%s", text);
}
