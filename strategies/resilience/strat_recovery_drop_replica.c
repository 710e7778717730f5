/* Going on without a replica (FT-HSDP, arXiv 2602.00277; torchft): the others lose the step at hand
 * and go on with a smaller batch; the replica starts again, takes its state from a peer, and
 * rejoins. With too many gone, the whole job restarts. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_drop_replica(const StratRecoveryCase *failure)
{
    if (failure->replicas < 2 || failure->replicas_lost + 1 > failure->most_lost)
        return strat_recovery_restart(failure);
    return strat_recovery_go_on(failure);
}
