/* One scenario, whatever it is: a training step, a campaign on top of one or with its step given, a
 * trace that is replayed, or traffic that is served. */
#include "scen_outcome.h"

#include "scen_op_trace.h"
#include "scen_saves.h"
#include "scen_simulate.h"
#include "scen_survive.h"

static bool replay(const ScenScenario *scenario, ScenOutcome *outcome, GError **error)
{
    g_autoptr(StratReplay) trace = scen_op_trace_read(scenario->replay, error);
    return trace && strat_replay_totals(trace, &outcome->totals, error);
}

bool scen_outcome_months(const ScenScenario *scenario, const StratTrainResult *result,
                         ScenOutcome *outcome, GError **error)
{
    const ScenCampaign *campaign = &scenario->campaign;
    outcome->step_s = result ? sim_time_to_seconds(result->step_ns) : campaign->step_s;
    outcome->has_saves = campaign->is_on && campaign->has_storage && result;
    if (outcome->has_saves && !scen_saves_run(scenario, result, &outcome->saves, error))
        return false;
    if (campaign->is_on)
        outcome->campaign = scen_survive(scenario, outcome->step_s,
                                         outcome->has_saves ? &outcome->saves : NULL, error);
    return !campaign->is_on || outcome->campaign;
}

static bool fill(const ScenScenario *scenario, ScenOutcome *outcome, GError **error)
{
    if (scenario->serving.is_on) {
        outcome->served = scen_serve(scenario, (ScenServeWants){0}, error);
        return outcome->served;
    }
    if (scenario->replay)
        return replay(scenario, outcome, error);
    if (scenario->trace.is_on) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s: an execution trace has no plan: orrery run is for it", scenario->path);
        return false;
    }
    if (scenario->campaign.is_alone)
        return scen_outcome_months(scenario, NULL, outcome, error);
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, error);
    return result && scen_outcome_months(scenario, result, outcome, error);
}

ScenOutcome *scen_outcome_new(const ScenScenario *scenario, GError **error)
{
    g_autoptr(ScenOutcome) outcome = g_new0(ScenOutcome, 1);
    return fill(scenario, outcome, error) ? g_steal_pointer(&outcome) : NULL;
}

void scen_outcome_free(ScenOutcome *outcome)
{
    if (!outcome)
        return;
    strat_campaign_result_free(outcome->campaign);
    scen_served_free(outcome->served);
    g_free(outcome);
}
