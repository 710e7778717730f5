/* Checkpoints just in time (Gupta et al., EuroSys 2024): a failed rank's state lives on in its data
 * parallel peers, so the survivors save after the failure and only the step at hand is lost.
 * Without a peer it is a restart. Left out: failures that take all the peers of a rank, which
 * placement keeps apart. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_just_in_time(const StratRecoveryCase *failure)
{
    StratRecoveryPlan plan = strat_recovery_restart(failure);
    if (failure->replicas < 2)
        return plan;
    plan.loss = STRAT_LOSS_TO_STEP;
    plan.save_s = failure->save_s;
    return plan;
}
