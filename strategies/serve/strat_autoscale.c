/*
 * Autoscaling by the rule of Kubernetes' horizontal pod autoscaler (Kubernetes documentation,
 * Horizontal Pod Autoscaling, "Algorithm details"): every check_s
 *
 *     desired = ceil(serving x measure / target), unless measure / target is within the tolerance
 * of 1; between least and all of them
 *
 * where a policy measures the mean over the replicas that serve:
 *
 *   outstanding   requests that are there, waiting or running
 *   queue         requests that wait
 *   kv            share of the KV blocks in use
 *   ttft          mean TTFT of the first tokens since the last look, or the age of the oldest
 * request that waits, whichever is more, over the objective
 *
 * More than are up or starting: so many start at once, the first that are down. A start takes
 *
 *     provisioning + weights / bandwidth + engine start
 *
 * and is paid from its beginning. Fewer: only when fewer have been enough at each look over
 * cool_down (the stabilisation window of the same document), down to the most that was wanted in
 * that time. Those that start are given up first, the latest of them; then those with the fewest
 * requests drain: they take none, finish what they have, and are down when they are empty; then
 * they cost nothing and have forgotten their prefixes. One that drains is not called back.
 *
 * Ledger: the time of a replica from the start of its starting until it is down is up-time; of it
 * starting is cold start, iterations are busy and the rest is idle.
 *
 * Left out: replicas that fail to start; requests that move to a replica that has come; scaling of
 * separate prefill and decode pools.
 */
#include "strat_autoscale.h"

#include "sim_row.h"
#include "strat_lane.h"
#include "strat_schedule.h"

#include <math.h>

static double outstanding(const StratScaleView *view)
{
    double sum = 0.0;
    for (size_t i = 0; i < view->count; i++)
        sum += (double)view->replica[i]->outstanding;
    return sum / (double)view->count;
}

static double queue(const StratScaleView *view)
{
    double sum = 0.0;
    for (size_t i = 0; i < view->count; i++)
        sum += (double)view->replica[i]->waiting.length;
    return sum / (double)view->count;
}

static double kv(const StratScaleView *view)
{
    double sum = 0.0;
    for (size_t i = 0; i < view->count; i++) {
        const StratReplica *replica = view->replica[i];
        int64_t all = strat_kv_blocks(replica->kv);
        int64_t used = all - strat_replica_free_blocks(replica);
        for (size_t j = 0; j < replica->lanes; j++)
            used += strat_lane_grown(&replica->lane[j], view->now);
        sum += (double)used / (double)all;
    }
    return sum / (double)view->count;
}

static double ttft(const StratScaleView *view)
{
    double most_s = view->ttft_s;
    for (size_t i = 0; i < view->count; i++)
        for (const StratSequence *s = view->replica[i]->waiting.head; s; s = s->next)
            if (s->first_token_ns < 0)
                most_s =
                    fmax(most_s, strat_fine_seconds(view->now - strat_fine_from_ns(s->arrival_ns)));
    return view->slo_ttft_s > 0.0 ? most_s / view->slo_ttft_s : 0.0;
}

/* clang-format off */
static const StratScalePolicy policies[] = {
    {.name = "outstanding", .source = "requests a replica", .measure = outstanding},
    {.name = "queue", .source = "waiting requests a replica", .measure = queue},
    {.name = "kv", .source = "KV blocks in use", .measure = kv},
    {.name = "ttft", .source = "TTFT over its objective", .measure = ttft},
};
/* clang-format on */

const StratScalePolicy *strat_scale_policy_all(size_t *count)
{
    *count = G_N_ELEMENTS(policies);
    return policies;
}

const StratScalePolicy *strat_scale_policy_by_name(const char *name, GError **error)
{
    if (!name)
        return &policies[0];
    return sim_row_by_name(policies, G_N_ELEMENTS(policies), sizeof policies[0], name,
                           "autoscaling policy", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}

int64_t strat_autoscale_desired(const StratAutoscale *how, double measure, int64_t serving,
                                int64_t current, int64_t most)
{
    double ratio = measure / how->target;
    double desired = (double)current;
    if (fabs(ratio - 1.0) > how->tolerance_fraction)
        desired = ceil((double)serving * ratio);
    return (int64_t)fmax(fmin(desired, (double)most), (double)how->least);
}

bool strat_scaler_init(StratScaler *scaler, const StratAutoscale *how, size_t count, GError **error)
{
    *scaler = (StratScaler){.how = how,
                            .policy = strat_scale_policy_by_name(how->policy, error),
                            .slot = g_new0(StratScaleSlot, count),
                            .count = count,
                            .next = strat_fine_from_seconds(how->check_s)};
    for (size_t i = 0; i < count && (int64_t)i < how->least; i++)
        scaler->slot[i].state = STRAT_REPLICA_SERVING;
    scaler->peak = how->least;
    return scaler->policy;
}

void strat_scaler_clear(StratScaler *scaler)
{
    g_free(scaler->slot);
}

size_t strat_scaler_open(StratScaler *scaler, StratReplica *const *replica, StratFine now,
                         StratReplica **open)
{
    size_t count = 0;
    for (size_t i = 0; i < scaler->count; i++) {
        StratScaleSlot *slot = &scaler->slot[i];
        if (slot->state == STRAT_REPLICA_STARTING && slot->ready <= now)
            slot->state = STRAT_REPLICA_SERVING;
        if (slot->state == STRAT_REPLICA_SERVING)
            open[count++] = replica[i];
    }
    return count;
}

static int64_t up_count(const StratScaler *scaler, StratReplicaState state)
{
    int64_t count = 0;
    for (size_t i = 0; i < scaler->count; i++)
        count += scaler->slot[i].state == state;
    return count;
}

static void start(StratScaler *scaler, int64_t count, StratFine now)
{
    const StratAutoscale *how = scaler->how;
    double delay_s = how->provision_s + how->load_s + how->engine_start_s;
    for (size_t i = 0; i < scaler->count && count > 0; i++) {
        if (scaler->slot[i].state != STRAT_REPLICA_DOWN)
            continue;
        scaler->slot[i] =
            (StratScaleSlot){STRAT_REPLICA_STARTING, now, now + strat_fine_from_seconds(delay_s)};
        scaler->ups++;
        count--;
    }
    int64_t up = (int64_t)scaler->count - up_count(scaler, STRAT_REPLICA_DOWN);
    scaler->peak = MAX(scaler->peak, up);
}

static void go_down(StratScaler *scaler, StratScaleSlot *slot, StratFine now)
{
    scaler->up += now - slot->since;
    scaler->starting += MIN(now, slot->ready) - slot->since;
    scaler->downs++;
    *slot = (StratScaleSlot){0};
}

/* The one to go: the latest of those that start, else of those that serve the one with the fewest
 * requests, the last of equals. */
static size_t next_to_go(const StratScaler *scaler, StratReplica *const *replica)
{
    size_t found = scaler->count;
    for (size_t i = 0; i < scaler->count; i++)
        if (scaler->slot[i].state == STRAT_REPLICA_STARTING &&
            (found == scaler->count || scaler->slot[i].since >= scaler->slot[found].since))
            found = i;
    for (size_t i = 0; i < scaler->count; i++) {
        bool is_starting =
            found < scaler->count && scaler->slot[found].state == STRAT_REPLICA_STARTING;
        if (is_starting || scaler->slot[i].state != STRAT_REPLICA_SERVING)
            continue;
        if (found == scaler->count || replica[i]->outstanding <= replica[found]->outstanding)
            found = i;
    }
    return found;
}

static void drain(StratScaler *scaler, StratReplica *const *replica, int64_t count, StratFine now)
{
    for (; count > 0; count--) {
        size_t index = next_to_go(scaler, replica);
        StratScaleSlot *slot = &scaler->slot[index];
        if (slot->state == STRAT_REPLICA_STARTING)
            go_down(scaler, slot, now);
        else
            slot->state = STRAT_REPLICA_DRAINING;
    }
}

/* Fewer are wanted; true when that has been so for long enough, and then for how many. */
static bool is_low_for_long(StratScaler *scaler, int64_t desired, StratFine now)
{
    if (!scaler->is_low) {
        scaler->is_low = true;
        scaler->low_since = now;
        scaler->low_most = desired;
    }
    scaler->low_most = MAX(scaler->low_most, desired);
    return now - scaler->low_since >= strat_fine_from_seconds(scaler->how->cool_down_s);
}

void strat_scaler_check(StratScaler *scaler, StratReplica *const *replica, double ttft_s,
                        int64_t first_tokens, double slo_ttft_s)
{
    StratFine now = scaler->next;
    g_autofree StratReplica **open = g_new(StratReplica *, scaler->count);
    int64_t fresh = first_tokens - scaler->seen_first_tokens;
    StratScaleView view = {.replica = open,
                           .count = strat_scaler_open(scaler, replica, now, open),
                           .now = now,
                           .slo_ttft_s = slo_ttft_s};
    if (fresh > 0)
        view.ttft_s = (ttft_s - scaler->seen_ttft_s) / (double)fresh;
    scaler->seen_ttft_s = ttft_s;
    scaler->seen_first_tokens = first_tokens;
    scaler->next += strat_fine_from_seconds(scaler->how->check_s);
    int64_t serving = (int64_t)view.count;
    int64_t current = serving + up_count(scaler, STRAT_REPLICA_STARTING);
    int64_t desired = strat_autoscale_desired(scaler->how, scaler->policy->measure(&view), serving,
                                              current, (int64_t)scaler->count);
    if (desired >= current)
        scaler->is_low = false;
    if (desired > current)
        start(scaler, desired - current, now);
    if (desired < current && is_low_for_long(scaler, desired, now)) {
        drain(scaler, replica, current - scaler->low_most, now);
        scaler->is_low = false;
    }
}

bool strat_scaler_settle(StratScaler *scaler, size_t index, const StratReplica *replica,
                         StratFine now)
{
    StratScaleSlot *slot = &scaler->slot[index];
    if (slot->state != STRAT_REPLICA_DRAINING || replica->outstanding > 0)
        return false;
    go_down(scaler, slot, now);
    return true;
}

void strat_scaler_sums(const StratScaler *scaler, StratFine end, double *up_s, double *starting_s)
{
    StratFine up = scaler->up;
    StratFine starting = scaler->starting;
    for (size_t i = 0; i < scaler->count; i++) {
        const StratScaleSlot *slot = &scaler->slot[i];
        StratFine until = MAX(end, slot->since);
        if (slot->state == STRAT_REPLICA_DOWN)
            continue;
        up += until - slot->since;
        starting += MAX(MIN(until, slot->ready), slot->since) - slot->since;
    }
    *up_s = strat_fine_seconds(up);
    *starting_s = strat_fine_seconds(starting);
}
