/* Checkpoints on several levels, each written behind training: copies in the memory of peers, on
 * the node's own disk, in storage. A failure takes the nearest that survived it. Memory goes when a
 * node reboots, by the chance of strat_recovery_in_memory.c; a disk goes with its node alone, so
 * one node that does not come back ends that level, as it holds what no other does. Left out:
 * erasure codes over the disks. */
#include "strat_recovery.h"

StratRecoveryPlan strat_recovery_multi_level(const StratRecoveryCase *failure)
{
    StratRecoveryPlan plan = strat_recovery_restart(failure);
    double in_memory =
        strat_recovery_in_memory_chance(failure->nodes, failure->copies, failure->nodes_rebooted);
    if (failure->chance < in_memory) {
        plan.loss = STRAT_LOSS_TO_MEMORY;
        plan.load_s = failure->peer_load_s;
    } else if (failure->has_local && failure->nodes_lost == 0) {
        plan.loss = STRAT_LOSS_TO_DISK;
        plan.load_s = failure->local_load_s;
    }
    return plan;
}
