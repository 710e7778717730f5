/* Restart from storage: everything since the last checkpoint there is lost, processes start anew,
 * and the state is read back. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_restart(const StratRecoveryCase *failure)
{
    return (StratRecoveryPlan){
        .loss = STRAT_LOSS_TO_CHECKPOINT,
        .restart_s = failure->restart_s,
        .load_s = failure->load_s,
    };
}
