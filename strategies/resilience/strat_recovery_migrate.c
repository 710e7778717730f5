/* Migration to a standby (TrainMover, arXiv 2412.12636: some 20 s): a spare node has its processes
 * up and its communicators prepared while training goes on, so after a failure it copies the state
 * from a replica and the step at hand is run again. Without a spare, or without a replica to copy
 * from, it is a restart. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_migrate(const StratRecoveryCase *failure)
{
    StratRecoveryPlan plan = strat_recovery_restart(failure);
    if (failure->nodes_hit == 0 || failure->replicas < 2 || !failure->spare_is_free)
        return plan;
    plan.loss = STRAT_LOSS_TO_STEP;
    plan.restart_s = failure->migrate_s;
    plan.load_s = failure->peer_load_s;
    return plan;
}
