/*
 * Stragglers of a job, weighed. With T(x) the mean step when the operations x take what they took
 * and all others the ideal time of their kind (Lin et al. 2025, arXiv 2505.05713):
 *
 *   slowdown of the job      S   = T(all) / T(none)
 *   slowdown of a cause c    S_c = T(c) / T(none)
 *   time lost to stragglers  1 - 1 / S
 *
 * Gaps between operations are left out of all three, as they are there. The paper takes the smaller
 * of its replica's and its stage's slowdown for that of a worker, to save replays; here each worker
 * is replayed, which costs little because all other replicas fold into one.
 */
#include "strat_replay_study.h"

bool strat_replay_totals(const StratReplay *replay, StratReplayTotals *totals, GError **error)
{
    const StratReplayPick all = STRAT_REPLAY_PICK_ALL;
    const StratReplayChange nothing = {.count = 0}, everything = {.picks = &all, .count = 1};
    const StratReplayRun as_it_was = {.gaps = true};
    return strat_replay_run(replay, replay->work_ns, as_it_was, NULL, &totals->replayed_s, error) &&
           strat_replay_change(replay, &nothing, &totals->without_gaps_s, error) &&
           strat_replay_change(replay, &everything, &totals->no_stragglers_s, error);
}

bool strat_replay_change(const StratReplay *replay, const StratReplayChange *change, double *mean_s,
                         GError **error)
{
    g_autofree SimTime *work_ns = g_new(SimTime, replay->op_count);
    strat_replay_idealise(replay, change->picks, change->count, false, work_ns);
    if (change->balance)
        strat_replay_balance(replay, work_ns);
    return strat_replay_run(replay, work_ns, (StratReplayRun){0}, NULL, mean_s, error);
}

/* Adds the cause of @picks alone to @causes. */
static bool add_cause(const StratReplay *replay, const StratReplayPick *picks, size_t count,
                      double no_stragglers_s, GArray *causes, GError **error)
{
    g_autofree SimTime *work_ns = g_new(SimTime, replay->op_count);
    double mean_s = 0.0;
    strat_replay_idealise(replay, picks, count, true, work_ns);
    if (!strat_replay_run(replay, work_ns, (StratReplayRun){0}, NULL, &mean_s, error))
        return false;
    const StratReplayCause cause = {
        .pick = picks[0],
        .slowdown = no_stragglers_s > 0.0 ? mean_s / no_stragglers_s : 1.0,
    };
    g_array_append_val(causes, cause);
    return true;
}

/* Equals in the order of replica, stage and kind. */
static int compare_causes(gconstpointer a, gconstpointer b)
{
    const StratReplayCause *x = a, *y = b;
    if (x->slowdown != y->slowdown)
        return x->slowdown < y->slowdown ? 1 : -1;
    if (x->pick.dp != y->pick.dp)
        return x->pick.dp < y->pick.dp ? -1 : 1;
    if (x->pick.pp != y->pick.pp)
        return x->pick.pp < y->pick.pp ? -1 : 1;
    return (x->pick.kind > y->pick.kind) - (x->pick.kind < y->pick.kind);
}

static GArray *sorted(GArray *causes)
{
    g_array_sort(causes, compare_causes);
    return causes;
}

GArray *strat_replay_workers(const StratReplay *replay, double no_stragglers_s, GError **error)
{
    g_autoptr(GArray) causes = g_array_new(FALSE, FALSE, sizeof(StratReplayCause));
    StratReplayPick pick = STRAT_REPLAY_PICK_ALL;
    for (pick.dp = 0; pick.dp < replay->dps; pick.dp++)
        for (pick.pp = 0; pick.pp < replay->pps; pick.pp++)
            if (!add_cause(replay, &pick, 1, no_stragglers_s, causes, error))
                return NULL;
    return sorted(g_steal_pointer(&causes));
}

GArray *strat_replay_stages(const StratReplay *replay, double no_stragglers_s, GError **error)
{
    g_autoptr(GArray) causes = g_array_new(FALSE, FALSE, sizeof(StratReplayCause));
    StratReplayPick pick = STRAT_REPLAY_PICK_ALL;
    for (pick.pp = 0; pick.pp < replay->pps; pick.pp++)
        if (!add_cause(replay, &pick, 1, no_stragglers_s, causes, error))
            return NULL;
    return sorted(g_steal_pointer(&causes));
}

GArray *strat_replay_kinds(const StratReplay *replay, double no_stragglers_s, GError **error)
{
    g_autoptr(GArray) causes = g_array_new(FALSE, FALSE, sizeof(StratReplayCause));
    bool present[STRAT_REPLAY_KINDS] = {false};
    for (uint32_t i = 0; i < replay->op_count; i++)
        present[replay->ops[i].kind] = true;
    for (StratReplayKind kind = 0; kind < STRAT_REPLAY_KINDS; kind++) {
        StratReplayPick picks[STRAT_REPLAY_KINDS];
        size_t count = 0;
        for (StratReplayKind other = 0; other < STRAT_REPLAY_KINDS; other++) {
            if (!g_str_equal(strat_replay_kind(kind)->cause, strat_replay_kind(other)->cause))
                continue;
            picks[count] = STRAT_REPLAY_PICK_ALL;
            picks[count++].kind = (int32_t)other;
        }
        if (present[kind] && picks[0].kind == (int32_t)kind &&
            !add_cause(replay, picks, count, no_stragglers_s, causes, error))
            return NULL;
    }
    return sorted(g_steal_pointer(&causes));
}
