/* Pipeline templates (Oobleck, SOSP 2023): plans of pipelines of fewer stages are there beforehand,
 * so the pipeline that lost a node takes one of those; layers that change hands are copied from
 * another replica, without a checkpoint. The same when the node is back. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_templates(const StratRecoveryCase *failure)
{
    if (!strat_recovery_can_adapt(failure))
        return strat_recovery_restart(failure);
    StratRecoveryPlan plan = strat_recovery_go_on(failure);
    plan.is_adapted = true;
    plan.transition_s += failure->peer_load_s;
    plan.return_s += failure->peer_load_s;
    return plan;
}
