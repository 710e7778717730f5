/* The slow GPUs and weak NICs of now, each until its own end, make a state; how long a step takes
 * in it is asked for when it changes, and not before it counts. A fault stays with its place until
 * it ends: that a repair on the way may have put another node there is left out. */
#include "strat_condition.h"

#include <string.h>

typedef struct StratConditionGpu {
    StratSlowGpu slow;
    SimTime until;
} StratConditionGpu;

typedef struct StratConditionNic {
    StratWeakNic weak;
    SimTime until;
} StratConditionNic;

typedef struct StratConditionCap {
    double speed;
    SimTime until;
} StratConditionCap;

StratCondition strat_condition_new(StratStepFunc *step, void *step_ctx, double healthy_s)
{
    return (StratCondition){.step = step,
                            .step_ctx = step_ctx,
                            .healthy_s = healthy_s,
                            .slow = g_array_new(FALSE, FALSE, sizeof(StratConditionGpu)),
                            .weak = g_array_new(FALSE, FALSE, sizeof(StratConditionNic)),
                            .caps = g_array_new(FALSE, FALSE, sizeof(StratConditionCap)),
                            .is_known = true,
                            .speed = 1.0};
}

void strat_condition_clear(StratCondition *condition)
{
    g_clear_pointer(&condition->slow, g_array_unref);
    g_clear_pointer(&condition->weak, g_array_unref);
    g_clear_pointer(&condition->caps, g_array_unref);
}

static StratConditionGpu *gpu_at(const StratCondition *condition, guint i)
{
    return &g_array_index(condition->slow, StratConditionGpu, i);
}

static StratConditionNic *nic_at(const StratCondition *condition, guint i)
{
    return &g_array_index(condition->weak, StratConditionNic, i);
}

void strat_condition_slow(StratCondition *condition, SimTime until, StratSlowGpu slow)
{
    StratConditionGpu entry = {slow, until};
    guint i = 0;
    while (i < condition->slow->len && gpu_at(condition, i)->slow.gpu <= slow.gpu)
        i++;
    g_array_insert_val(condition->slow, i, entry);
    condition->is_known = false;
}

static bool is_before(const StratWeakNic *a, const StratWeakNic *b)
{
    return a->node != b->node ? a->node < b->node : a->nic < b->nic;
}

void strat_condition_weak(StratCondition *condition, SimTime until, StratWeakNic weak)
{
    StratConditionNic entry = {weak, until};
    guint i = 0;
    while (i < condition->weak->len && !is_before(&weak, &nic_at(condition, i)->weak))
        i++;
    g_array_insert_val(condition->weak, i, entry);
    condition->is_known = false;
}

void strat_condition_cap(StratCondition *condition, SimTime until, double speed)
{
    StratConditionCap cap = {speed, until};
    g_array_append_val(condition->caps, cap);
}

/* The worst cap of @now. */
static double capped(StratCondition *condition, SimTime now, SimTime *until)
{
    double speed = 1.0;
    for (guint i = condition->caps->len; i-- > 0;) {
        StratConditionCap cap = g_array_index(condition->caps, StratConditionCap, i);
        if (cap.until <= now) {
            g_array_remove_index_fast(condition->caps, i);
            continue;
        }
        speed = MIN(speed, cap.speed);
        *until = MIN(*until, cap.until);
    }
    return speed;
}

static void forget(StratCondition *condition, SimTime now)
{
    for (guint i = condition->slow->len; i-- > 0;) {
        if (gpu_at(condition, i)->until <= now) {
            g_array_remove_index(condition->slow, i);
            condition->is_known = false;
        }
    }
    for (guint i = condition->weak->len; i-- > 0;) {
        if (nic_at(condition, i)->until <= now) {
            g_array_remove_index(condition->weak, i);
            condition->is_known = false;
        }
    }
}

/* Each GPU once, at the slowest of its clocks; likewise each NIC. */
static double ask(const StratCondition *condition)
{
    g_autofree StratSlowGpu *slow = g_new(StratSlowGpu, condition->slow->len + 1);
    g_autofree StratWeakNic *weak = g_new(StratWeakNic, condition->weak->len + 1);
    StratJobState state = {.slow = slow, .weak = weak, .replicas_lost = condition->replicas_lost};
    for (guint i = 0; i < condition->slow->len; i++) {
        const StratSlowGpu *next = &gpu_at(condition, i)->slow;
        if (state.slow_count > 0 && slow[state.slow_count - 1].gpu == next->gpu)
            slow[state.slow_count - 1].clock_fraction =
                MIN(slow[state.slow_count - 1].clock_fraction, next->clock_fraction);
        else
            slow[state.slow_count++] = *next;
    }
    for (guint i = 0; i < condition->weak->len; i++) {
        const StratWeakNic *next = &nic_at(condition, i)->weak;
        if (state.weak_count > 0 && !is_before(&weak[state.weak_count - 1], next))
            weak[state.weak_count - 1].fraction =
                MIN(weak[state.weak_count - 1].fraction, next->fraction);
        else
            weak[state.weak_count++] = *next;
    }
    if (state.slow_count == 0 && state.weak_count == 0 && state.replicas_lost == 0)
        return 1.0;
    return condition->healthy_s / condition->step(&state, condition->step_ctx);
}

double strat_condition_speed(StratCondition *condition, SimTime now, int64_t replicas_lost,
                             SimTime *until)
{
    forget(condition, now);
    for (guint i = 0; i < condition->slow->len; i++)
        *until = MIN(*until, gpu_at(condition, i)->until);
    for (guint i = 0; i < condition->weak->len; i++)
        *until = MIN(*until, nic_at(condition, i)->until);
    if (!condition->is_known || condition->replicas_lost != replicas_lost) {
        condition->replicas_lost = replicas_lost;
        condition->speed = ask(condition);
        condition->is_known = true;
    }
    return condition->speed * capped(condition, now, until);
}

void strat_condition_mend(StratCondition *condition, int64_t node, int64_t gpus)
{
    for (guint i = condition->slow->len; i-- > 0;)
        if (gpu_at(condition, i)->slow.gpu / gpus == node)
            gpu_at(condition, i)->until = 0;
    for (guint i = condition->weak->len; i-- > 0;)
        if (nic_at(condition, i)->weak.node == node)
            nic_at(condition, i)->until = 0;
}
