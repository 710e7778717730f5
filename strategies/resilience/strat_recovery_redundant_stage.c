/* Redundant stages (Bamboo, NSDI 2023): the node before a dead one holds its weights and has run
 * its forwards, so it takes over at once. With both gone the state is, and all restart. A
 * replacement takes its weights from the node that stood in. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_redundant_stage(const StratRecoveryCase *failure)
{
    if (!strat_recovery_can_adapt(failure) || failure->neighbour_is_lost)
        return strat_recovery_restart(failure);
    StratRecoveryPlan plan = strat_recovery_go_on(failure);
    plan.is_adapted = true;
    plan.return_s += failure->peer_load_s;
    return plan;
}
