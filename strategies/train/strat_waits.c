/* The ledger's waiting, rank by rank, sorted by what the rank is to a fault: of several roles a
 * rank has the first. Left out: which fault a rank waits for, where there are several. */
#include "strat_waits.h"

#include "sim_ledger.h"
#include "strat_places.h"

static const struct {
    const char *key, *title;
} roles[] = {
    [STRAT_WAIT_WORN] = {"worn",       "those with a fault"         },
    [STRAT_WAIT_GANG] = {"gang",       "in lockstep with one"       },
    [STRAT_WAIT_STAGE] = {"same_stage", "its stage in other replicas"},
    [STRAT_WAIT_OTHER] = {"others",     "other stages"               },
};
_Static_assert(G_N_ELEMENTS(roles) == STRAT_WAIT_ROLES, "a row for each role");

const char *strat_wait_role_key(StratWaitRole role)
{
    return roles[role].key;
}

const char *strat_wait_role_title(StratWaitRole role)
{
    return roles[role].title;
}

static bool is_worn(const StratPlaces *places, int64_t rank)
{
    return strat_places_clock(places, rank) < 1.0 || strat_places_nic(places, rank) < 1.0;
}

/* The role of every rank. */
static StratWaitRole *find_roles(const StratPlaces *places, const StratPlan *plan)
{
    int64_t ranks = strat_rank_count(plan);
    StratWaitRole *role = g_new(StratWaitRole, ranks);
    g_autofree bool *stages = g_new0(bool, plan->pipeline);
    g_autofree bool *gangs = g_new0(bool, ranks);
    for (int64_t r = 0; r < ranks; r++) {
        if (!is_worn(places, r))
            continue;
        stages[strat_rank_at(plan, r).stage] = true;
        gangs[strat_gang(plan, r).first] = true;
    }
    for (int64_t r = 0; r < ranks; r++) {
        role[r] = is_worn(places, r)                     ? STRAT_WAIT_WORN
                  : gangs[strat_gang(plan, r).first]     ? STRAT_WAIT_GANG
                  : stages[strat_rank_at(plan, r).stage] ? STRAT_WAIT_STAGE
                                                         : STRAT_WAIT_OTHER;
    }
    return role;
}

bool strat_waits(const StratCosting *costing, const StratTrainResult *result,
                 const StratTrainResult *healthy, StratWait waits[STRAT_WAIT_ROLES], GError **error)
{
    g_autoptr(SimLedger) now = sim_ledger_new(result->step->program, result->run, error);
    g_autoptr(SimLedger) before =
        now ? sim_ledger_new(healthy->step->program, healthy->run, error) : NULL;
    if (!before)
        return false;
    StratPlaces places = strat_places_of(costing);
    g_autofree StratWaitRole *role = find_roles(&places, costing->plan);
    int64_t sum_ns[STRAT_WAIT_ROLES] = {0}, before_ns[STRAT_WAIT_ROLES] = {0};
    for (int i = 0; i < STRAT_WAIT_ROLES; i++)
        waits[i] = (StratWait){.ranks = 0};
    for (int64_t r = 0; r < strat_rank_count(costing->plan); r++) {
        waits[role[r]].ranks++;
        sum_ns[role[r]] +=
            sim_ledger_class_ns(now, result->step->fold->class_of[r], STRAT_BUCKET_BUBBLE);
        before_ns[role[r]] +=
            sim_ledger_class_ns(before, healthy->step->fold->class_of[r], STRAT_BUCKET_BUBBLE);
    }
    for (int i = 0; i < STRAT_WAIT_ROLES; i++) {
        double ranks = (double)MAX(waits[i].ranks, 1);
        waits[i].wait_s = (double)sum_ns[i] * 1e-9 / ranks;
        waits[i].healthy_wait_s = (double)before_ns[i] * 1e-9 / ranks;
    }
    return true;
}
