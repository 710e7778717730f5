/* Slow GPUs and weak NICs go to the step as they are (strat_places.h). Where whole replicas are
 * missing, the step is that of a plan with so many less, which keep their own share of the batch,
 * on the GPUs that they had: the last replicas that nothing is wrong with are left out. */
#include "scen_step_state.h"

#include "scen_simulate.h"
#include "strat_places.h"

/* Whether anything is wrong with a rank of @replica. */
static bool is_worn(const StratPlaces *places, const StratPlan *plan, int64_t replica)
{
    for (int64_t r = 0; r < strat_rank_count(plan); r++) {
        bool is_its = strat_rank_at(plan, r).data == replica;
        if (is_its && (strat_places_clock(places, r) < 1.0 || strat_places_nic(places, r) < 1.0))
            return true;
    }
    return false;
}

/* Marks @missing replicas of @plan in @is_missing, sound ones first, from the last. */
static void choose(const StratPlaces *places, const StratPlan *plan, int64_t missing,
                   bool *is_missing)
{
    for (int pass = 0; pass < 2 && missing > 0; pass++) {
        for (int64_t d = plan->data; d-- > 0 && missing > 0;) {
            if (is_missing[d] || (pass == 0 && is_worn(places, plan, d)))
                continue;
            is_missing[d] = true;
            missing--;
        }
    }
}

/* The GPUs of the ranks of @smaller, which is @plan without the replicas that are missing. */
static int64_t *gpus_left(const StratPlaces *places, const StratPlan *plan,
                          const StratPlan *smaller, const bool *is_missing)
{
    int64_t *gpus = g_new(int64_t, strat_rank_count(smaller)), next = 0;
    for (int64_t r = 0; r < strat_rank_count(plan); r++) {
        if (!is_missing[strat_rank_at(plan, r).data])
            gpus[next++] = strat_places_gpu(places, r);
    }
    g_assert(next == strat_rank_count(smaller));
    return gpus;
}

StratTrainResult *scen_simulate_in(const ScenScenario *scenario, const StratJobState *state,
                                   GError **error)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return NULL;
    costing.state = state;
    if (state->adaptation != STRAT_ADAPT_NONE || state->replicas_lost >= scenario->plan.data) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "the step of a job that adapts to nodes which are missing is not modelled");
        return NULL;
    }
    if (state->replicas_lost == 0)
        return strat_train_run(&costing, scenario->fold, error);
    const StratPlan *plan = &scenario->plan;
    StratPlan smaller = *plan;
    StratPlaces places = strat_places_of(&costing);
    g_autofree bool *is_missing = g_new0(bool, plan->data);
    choose(&places, plan, state->replicas_lost, is_missing);
    smaller.data -= state->replicas_lost;
    smaller.global_batch = plan->global_batch / plan->data * smaller.data;
    g_autofree int64_t *gpus = gpus_left(&places, plan, &smaller, is_missing);
    costing.plan = &smaller;
    costing.gpu_of_rank = gpus;
    return strat_train_run(&costing, scenario->fold, error);
}
