/* A condition asks for the step of exactly what is wrong at the moment, and only when that changes.
 */
#include "strat_condition.h"

#include <criterion/criterion.h>

#include <math.h>

typedef struct Asked {
    int times;
    GString *last; /* the state, as text */
} Asked;

/* A StratStepFunc: 2 s for each slow GPU, weak NIC and replica that is missing. */
static double step(const StratJobState *state, void *ctx)
{
    Asked *asked = ctx;
    asked->times++;
    g_string_truncate(asked->last, 0);
    for (size_t i = 0; i < state->slow_count; i++)
        g_string_append_printf(asked->last, "gpu %d at %g, ", (int)state->slow[i].gpu,
                               state->slow[i].clock_fraction);
    for (size_t i = 0; i < state->weak_count; i++)
        g_string_append_printf(asked->last, "nic %d/%d at %g, ", (int)state->weak[i].node,
                               (int)state->weak[i].nic, state->weak[i].fraction);
    g_string_append_printf(asked->last, "%d missing", (int)state->replicas_lost);
    return 2.0 * (double)(state->slow_count + state->weak_count + (size_t)state->replicas_lost);
}

static SimTime expect_speed(StratCondition *condition, SimTime now, int64_t missing, double speed)
{
    SimTime until = SIM_TIME_MAX;
    double got = strat_condition_speed(condition, now, missing, &until);
    cr_expect(fabs(got - speed) < 1e-12, "at %d: %g, want %g", (int)now, got, speed);
    return until;
}

Test(condition, says_what_is_wrong_now_and_until_when)
{
    Asked asked = {0, g_string_new(NULL)};
    StratCondition condition = strat_condition_new(step, &asked, 1.0);
    cr_expect(expect_speed(&condition, 0, 0, 1.0) == SIM_TIME_MAX);
    cr_expect(asked.times == 0, "all is well");
    strat_condition_slow(&condition, 50, (StratSlowGpu){9, 0.8});
    strat_condition_weak(&condition, 90, (StratWeakNic){2, 1, 0.5});
    strat_condition_slow(&condition, 70, (StratSlowGpu){3, 0.9});
    cr_expect(expect_speed(&condition, 10, 0, 1.0 / 6.0) == 50);
    cr_expect_str_eq(asked.last->str, "gpu 3 at 0.9, gpu 9 at 0.8, nic 2/1 at 0.5, 0 missing");
    cr_expect(expect_speed(&condition, 50, 0, 1.0 / 4.0) == 70);
    cr_expect_str_eq(asked.last->str, "gpu 3 at 0.9, nic 2/1 at 0.5, 0 missing");
    cr_expect(expect_speed(&condition, 60, 0, 1.0 / 4.0) == 70);
    cr_expect(asked.times == 2, "nothing has changed: asked %d times", asked.times);
    cr_expect(expect_speed(&condition, 60, 2, 1.0 / 8.0) == 70);
    cr_expect_str_eq(asked.last->str, "gpu 3 at 0.9, nic 2/1 at 0.5, 2 missing");
    cr_expect(expect_speed(&condition, 95, 0, 1.0) == SIM_TIME_MAX);
    cr_expect(asked.times == 3, "all is well again");
    strat_condition_clear(&condition);
    g_string_free(asked.last, TRUE);
}

Test(condition, of_several_faults_of_a_place_the_worst_counts)
{
    Asked asked = {0, g_string_new(NULL)};
    StratCondition condition = strat_condition_new(step, &asked, 1.0);
    strat_condition_slow(&condition, 50, (StratSlowGpu){9, 0.8});
    strat_condition_slow(&condition, 90, (StratSlowGpu){9, 0.9});
    strat_condition_weak(&condition, 90, (StratWeakNic){2, 1, 0.5});
    strat_condition_weak(&condition, 50, (StratWeakNic){2, 1, 0.0});
    expect_speed(&condition, 0, 0, 1.0 / 4.0);
    cr_expect_str_eq(asked.last->str, "gpu 9 at 0.8, nic 2/1 at 0, 0 missing");
    expect_speed(&condition, 50, 0, 1.0 / 4.0);
    cr_expect_str_eq(asked.last->str, "gpu 9 at 0.9, nic 2/1 at 0.5, 0 missing");
    strat_condition_clear(&condition);
    g_string_free(asked.last, TRUE);
}
