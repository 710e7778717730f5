/* Peer takeover (ReCycle, SOSP 2024): every stage lives in all replicas, so the peers of a dead
 * worker take its microbatches, and nobody moves weights or builds pipelines anew. The step at hand
 * is run again. What that makes of a step is in strat_adapt.c. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_peer_takeover(const StratRecoveryCase *failure)
{
    if (!strat_recovery_can_adapt(failure))
        return strat_recovery_restart(failure);
    StratRecoveryPlan plan = strat_recovery_go_on(failure);
    plan.is_adapted = true;
    return plan;
}
