/** States of a job that are alike: the same step, by the symmetry of its plan. */
#ifndef STRAT_ALIKE_H
#define STRAT_ALIKE_H

#include "strat_fold.h"

/** Slow gangs of one replica that a part keeps before it is bounded: see strat_alike.c. */
enum { STRAT_ALIKE_SLOW = 2 };

/** What is known of a plan on its places. */
typedef struct StratAlike StratAlike;

/** For the ranks of @plan on @places (its state aside), which are read here only; @plan and the
 *  cluster are borrowed. Free with strat_alike_free(). */
StratAlike *strat_alike_new(const StratPlaces *places, const StratPlan *plan);
void strat_alike_free(StratAlike *alike);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratAlike, strat_alike_free)

/** Whether states have parts at all: not where replicas meet within the step as well as at its end,
 *  or share several copies of what they shard, or experts. */
bool strat_alike_holds(const StratAlike *alike);

/** A state that owns its lists. */
typedef struct StratAlikePart {
    GArray *slow; /* of StratSlowGpu, by GPU */
    GArray *weak; /* of StratWeakNic, by node and NIC */
} StratAlikePart;

/** @part as a state, whose lists it borrows. */
StratJobState strat_alike_state(const StratAlikePart *part);

/** Parts of @state (of StratAlikePart), at least one: its step is the longest of theirs; of all
 *  states with alike parts they are the same. *@bounded (may be NULL) receives whether a part is
 *  worse than the state, so that its step is an upper bound. Reads slow GPUs and weak NICs only. */
GArray *strat_alike_parts(const StratAlike *alike, const StratJobState *state, bool *bounded);

#endif
