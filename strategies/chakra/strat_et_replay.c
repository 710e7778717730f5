/* A replay from trace to figures:
 *
 *   ids -> order -> groups -> who meets whom -> prices -> sequence of starts -> program -> network
 *       -> accounts
 *
 * A rank is a class of one GPU: ranks of a recorded trace are alike only by chance, so nothing is
 * folded. Left out: chance, more than one GPU computation at a time, and priorities of collectives
 * (comm_priority). */
#include "strat_et_private.h"

#include "strat_carry.h"

static void work_clear(StratEtWork *work)
{
    for (guint r = 0; work->streams && r < work->et->ranks->len; r++)
        g_ptr_array_unref(work->streams[r]);
    g_free(work->streams);
    g_free(work->base);
    g_free(work->rank_of);
    g_free(work->stream);
    g_free(work->before);
    g_free(work->meeting_of);
    g_free(work->duration);
    g_free(work->sequence);
    g_array_unref(work->meetings);
    g_array_unref(work->members);
    g_array_unref(work->transfers);
    g_array_unref(work->groups);
    g_array_unref(work->group_ends);
    g_array_unref(work->gpus);
}

static void work_init(StratEtWork *work, StratEt *et, const StratEtPlan *plan,
                      const StratCosting *costing)
{
    guint ranks = et->ranks->len;
    gsize ops = MAX((gsize)et->nodes, 1);
    *work = (StratEtWork){
        .et = et,
        .plan = plan,
        .costing = costing,
        .ops = (uint32_t)et->nodes,
        .base = g_new0(uint32_t, (gsize)ranks + 1),
        .rank_of = g_new(uint32_t, ops),
        .stream = g_new0(uint32_t, ops),
        .before = g_new(uint32_t, ops),
        .meeting_of = g_new(uint32_t, ops),
        .duration = g_new0(SimTime, ops),
        .sequence = g_new(uint32_t, ops),
        .streams = g_new0(GPtrArray *, MAX(ranks, 1)),
        .meetings = g_array_new(FALSE, TRUE, sizeof(StratEtMeeting)),
        .members = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .transfers = g_array_new(FALSE, TRUE, sizeof(TopoTransfer)),
        .groups = g_array_new(FALSE, TRUE, sizeof(TopoRanks)),
        .group_ends = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .gpus = g_array_new(FALSE, FALSE, sizeof(int64_t)),
    };
    for (guint r = 0; r < ranks; r++) {
        const StratEtRank *rank = g_ptr_array_index(et->ranks, r);
        work->streams[r] = g_ptr_array_new_with_free_func(g_free);
        work->base[r + 1] = work->base[r] + rank->nodes->len;
        for (uint32_t op = work->base[r]; op < work->base[r + 1]; op++) {
            work->rank_of[op] = r;
            work->before[op] = work->meeting_of[op] = STRAT_ET_NONE;
        }
    }
}

static void count(const StratEtWork *work, StratEtResult *result)
{
    result->ranks = work->et->ranks->len;
    result->nodes = work->et->nodes;
    for (guint m = 0; m < work->meetings->len; m++)
        if (g_array_index(work->meetings, StratEtMeeting, m).group == STRAT_ET_NONE)
            result->sends++;
        else
            result->collectives++;
}

static bool run(StratEtWork *work, StratEtResult *result, GError **error)
{
    if (!strat_et_match(work, error) || !strat_et_price(work, result, error) ||
        !strat_et_dispatch(work, error))
        return false;
    result->program = strat_et_program(work, error);
    if (!result->program)
        return false;
    StratCosting places = *work->costing;
    places.gpu_of_rank = (const int64_t *)(void *)work->gpus->data;
    StratCarried carried = {work->transfers, work->groups, work->group_ends};
    result->run = strat_carry(&places, result->program, &carried, &result->hot_links, error);
    if (!result->run)
        return false;
    result->makespan = result->run->makespan;
    count(work, result);
    strat_et_account(work, result);
    return true;
}

StratEtResult *strat_et_replay(StratEt *et, const StratEtPlan *plan, const StratCosting *costing,
                               GError **error)
{
    enum { NODES_MOST = 1 << 30 };
    g_autoptr(StratEtResult) result = g_new0(StratEtResult, 1);
    if (et->nodes > NODES_MOST) {
        g_set_error(error, STRAT_ET_ERROR, STRAT_ET_ERROR_TRACE,
                    "a trace of %" G_GUINT64_FORMAT " nodes, at most %d", et->nodes, NODES_MOST);
        return NULL;
    }
    StratEtWork work;
    work_init(&work, et, plan, costing);
    bool ran = run(&work, result, error);
    work_clear(&work);
    return ran ? g_steal_pointer(&result) : NULL;
}

void strat_et_result_free(StratEtResult *result)
{
    if (!result)
        return;
    g_free(result->rank);
    sim_run_free(result->run);
    sim_program_free(result->program);
    if (result->hot_links)
        g_array_unref(result->hot_links);
    g_free(result);
}
