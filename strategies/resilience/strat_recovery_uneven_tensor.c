/* Uneven tensor groups (Nonuniform Tensor Parallelism, arXiv 2504.06095): of a node that lost one
 * GPU the others share its part of the layers, which they copy from another replica. A whole node
 * is more than that, and a restart. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_uneven_tensor(const StratRecoveryCase *failure)
{
    if (!strat_recovery_can_adapt(failure) || !failure->hits_gpu)
        return strat_recovery_restart(failure);
    StratRecoveryPlan plan = strat_recovery_go_on(failure);
    plan.is_adapted = true;
    plan.transition_s += failure->peer_load_s;
    plan.return_s += failure->peer_load_s;
    return plan;
}
