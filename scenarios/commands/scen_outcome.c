/* One scenario, whatever it is: a training step, a campaign on top of one or with its step given,
 * or a trace that is replayed. Serving has scen_serve.c. */
#include "scen_outcome.h"

#include "scen_errors.h"
#include "scen_op_trace.h"
#include "scen_simulate.h"
#include "scen_survive.h"

static bool replay(const ScenScenario *scenario, ScenOutcome *outcome, GError **error)
{
    g_autoptr(StratReplay) trace = scen_op_trace_read(scenario->replay, error);
    return trace && strat_replay_totals(trace, &outcome->totals, error);
}

static bool train(const ScenScenario *scenario, ScenOutcome *outcome, GError **error)
{
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, error);
    if (result)
        outcome->step_s = sim_time_to_seconds(result->step_ns);
    return result != NULL;
}

ScenOutcome *scen_outcome_new(const ScenScenario *scenario, GError **error)
{
    g_autoptr(ScenOutcome) outcome = g_new0(ScenOutcome, 1);
    outcome->step_s = scenario->campaign.step_s;
    bool trains = !scenario->replay && !scenario->campaign.is_alone;
    if (scenario->serving.is_on) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "figures are of training; what serves expects ttft, tpot...");
        return NULL;
    }
    if ((scenario->replay && !replay(scenario, outcome, error)) ||
        (trains && !train(scenario, outcome, error)))
        return NULL;
    if (scenario->campaign.is_on)
        outcome->campaign = scen_survive(scenario, outcome->step_s);
    return g_steal_pointer(&outcome);
}

void scen_outcome_free(ScenOutcome *outcome)
{
    if (!outcome)
        return;
    strat_campaign_result_free(outcome->campaign);
    g_free(outcome);
}
