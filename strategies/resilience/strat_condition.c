/* Slow faults overlap: the slowest sets the pace. */
#include "strat_condition.h"

typedef struct StratConditionSlow {
    SimTime until;
    double speed;
} StratConditionSlow;

StratCondition strat_condition_new(void)
{
    return (StratCondition){.slow = g_array_new(FALSE, FALSE, sizeof(StratConditionSlow))};
}

void strat_condition_clear(StratCondition *condition)
{
    g_clear_pointer(&condition->slow, g_array_unref);
}

void strat_condition_slow(StratCondition *condition, SimTime until, double speed)
{
    StratConditionSlow slow = {until, speed};
    g_array_append_val(condition->slow, slow);
}

double strat_condition_speed(StratCondition *condition, SimTime now, SimTime *until)
{
    double speed = 1.0;
    for (guint i = condition->slow->len; i-- > 0;) {
        const StratConditionSlow *slow = &g_array_index(condition->slow, StratConditionSlow, i);
        if (slow->until <= now) {
            g_array_remove_index_fast(condition->slow, i);
            continue;
        }
        speed = MIN(speed, slow->speed);
        *until = MIN(*until, slow->until);
    }
    return speed;
}
