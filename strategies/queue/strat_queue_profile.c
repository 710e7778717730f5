/* Steps in an array by time. What runs and what is reserved is some thousands of steps at most, and
 * moving those is quicker than balancing a tree. */
#include "strat_queue_profile.h"

static StratQueueStep *step_at(const StratQueueProfile *profile, guint i)
{
    return &g_array_index((GArray *)profile, StratQueueStep, i);
}

void strat_queue_profile_reset(StratQueueProfile *profile, SimTime now, int64_t free)
{
    StratQueueStep first = {now, free};
    g_array_set_size(profile, 0);
    g_array_append_val(profile, first);
}

/* The last step that starts at @at or before. */
static guint find(const StratQueueProfile *profile, SimTime at)
{
    guint low = 0, high = profile->len;
    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (step_at(profile, middle)->at <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void strat_queue_profile_trim(StratQueueProfile *profile, SimTime now)
{
    guint i = find(profile, now);
    if (i > 0)
        g_array_remove_range(profile, 0, i);
    step_at(profile, 0)->at = now;
}

/* The step that starts at @at. */
static guint split(StratQueueProfile *profile, SimTime at)
{
    guint i = find(profile, at);
    if (step_at(profile, i)->at == at)
        return i;
    StratQueueStep step = {at, step_at(profile, i)->free};
    g_array_insert_val(profile, i + 1, step);
    return i + 1;
}

/* Forgets that step @i starts where it changes nothing. */
static void merge(StratQueueProfile *profile, guint i)
{
    if (i > 0 && i < profile->len && step_at(profile, i)->free == step_at(profile, i - 1)->free)
        g_array_remove_index(profile, i);
}

void strat_queue_profile_add(StratQueueProfile *profile, SimTime from, SimTime to, int64_t nodes)
{
    if (from >= to)
        return;
    guint first = split(profile, from);
    guint end = to == SIM_TIME_MAX ? profile->len : split(profile, to);
    for (guint i = first; i < end; i++)
        step_at(profile, i)->free += nodes;
    merge(profile, end);
    merge(profile, first);
}

SimTime strat_queue_profile_earliest(const StratQueueProfile *profile, int64_t nodes, SimTime lasts)
{
    for (guint i = 0; i < profile->len; i++) {
        SimTime from = step_at(profile, i)->at, to = sim_time_later(from, lasts);
        guint j = i;
        while (j < profile->len && step_at(profile, j)->at < to &&
               step_at(profile, j)->free >= nodes)
            j++;
        if (j == profile->len || step_at(profile, j)->at >= to)
            return from;
        i = j; /* nothing starts before what is in the way has gone */
    }
    return SIM_TIME_MAX;
}
