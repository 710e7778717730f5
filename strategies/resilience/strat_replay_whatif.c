/*
 * What-ifs: durations of a trace with some of them made ideal.
 *
 * Lin et al. 2025 (arXiv 2505.05713) ask two questions with one set of ideal times. What
 * does a cause cost alone: everything is ideal but its operations, S = T / T_ideal (their equations
 * 2 and 4). What would mending it give: only its operations are ideal. The two differ, because
 * stragglers hide behind each other.
 *
 * Balancing is a third: the passes of a microbatch through the stages of its pipeline take the mean
 * of what they took, so the work stays and only its place changes, as when layers are moved. What
 * it leaves out: layers are whole, and a stage that holds more must also fit.
 */
#include "strat_replay_whatif.h"

#include "strat_replay_private.h"

#include <math.h>

static bool meets(const StratReplayPick *pick, const StratReplayOp *op)
{
    bool communication = strat_replay_kind(op->kind)->communication;
    return (pick->dp == STRAT_REPLAY_ANY || pick->dp == op->dp) &&
           (pick->pp == STRAT_REPLAY_ANY || pick->pp == op->pp) &&
           (pick->kind == STRAT_REPLAY_ANY || pick->kind == (int32_t)op->kind) &&
           (pick->family == STRAT_REPLAY_FAMILY_ANY ||
            communication == (pick->family == STRAT_REPLAY_FAMILY_COMMUNICATION));
}

void strat_replay_idealise(const StratReplay *replay, const StratReplayPick *picks, size_t count,
                           bool others, SimTime *work_ns)
{
    for (uint32_t i = 0; i < replay->op_count; i++) {
        const StratReplayOp *op = &replay->ops[i];
        bool picked = false;
        for (size_t k = 0; k < count && !picked; k++)
            picked = meets(&picks[k], op);
        work_ns[i] = picked != others ? replay->ideal_ns[op->kind] : replay->work_ns[i];
    }
}

/* One direction of one pipeline in one step: the same number of passes in every stage. */
static void balance_pipeline(const StratReplay *r, uint32_t step, int32_t dp, StratReplayKind kind,
                             double *sums_ns, SimTime *work_ns)
{
    uint32_t from = r->worker_first[strat_replay_worker(r, step, dp, 0)];
    uint32_t to = r->worker_first[strat_replay_worker(r, step, dp, r->pps - 1) + 1];
    for (uint32_t i = from; i < to; i++)
        if (r->ops[i].kind == kind)
            sums_ns[r->nth[i]] = 0.0;
    for (uint32_t i = from; i < to; i++)
        if (r->ops[i].kind == kind)
            sums_ns[r->nth[i]] += (double)work_ns[i];
    for (uint32_t i = from; i < to; i++)
        if (r->ops[i].kind == kind)
            work_ns[i] = llround(sums_ns[r->nth[i]] / r->pps);
}

void strat_replay_balance(const StratReplay *replay, SimTime *work_ns)
{
    g_autofree double *sums_ns = g_new(double, replay->op_count);
    for (uint32_t step = 0; step < replay->step_count; step++) {
        for (int32_t dp = 0; dp < replay->dps; dp++) {
            balance_pipeline(replay, step, dp, STRAT_REPLAY_FORWARD, sums_ns, work_ns);
            balance_pipeline(replay, step, dp, STRAT_REPLAY_BACKWARD, sums_ns, work_ns);
        }
    }
}
