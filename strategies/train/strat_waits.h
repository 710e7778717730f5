/** Who waits for slow GPUs and weak NICs. */
#ifndef STRAT_WAITS_H
#define STRAT_WAITS_H

#include "strat_train.h"

/** What a rank is to those that are worse than the others. */
typedef enum StratWaitRole {
    STRAT_WAIT_WORN,  /* one of them */
    STRAT_WAIT_GANG,  /* in lockstep with one: its tensor and context group */
    STRAT_WAIT_STAGE, /* of the stage of one, in another replica */
    STRAT_WAIT_OTHER,
    STRAT_WAIT_ROLES
} StratWaitRole;

/** Ranks of a role, and what one of them waits on average in a step (the ledger's bubble). */
typedef struct StratWait {
    int64_t ranks;
    double wait_s;
    double healthy_wait_s; /* in the step without faults */
} StratWait;

/** Who waits in @result, the step of @costing, and in @healthy, the same without its state. False
 *  and @error when a ledger does not fit its numbers. */
bool strat_waits(const StratCosting *costing, const StratTrainResult *result,
                 const StratTrainResult *healthy, StratWait waits[STRAT_WAIT_ROLES],
                 GError **error);

/** JSON key of @role, and the same in words. */
const char *strat_wait_role_key(StratWaitRole role);
const char *strat_wait_role_title(StratWaitRole role);

#endif
