/** Least step time and memory of training plans, from prices that plans share: microseconds a plan.
 */
#ifndef STRAT_SCREEN_H
#define STRAT_SCREEN_H

#include "strat_cost.h"

typedef struct StratScreen StratScreen;

/** What a plan cannot be better than. */
typedef struct StratLeast {
    double step_s;       /* a simulation of it is not shorter */
    double memory_bytes; /* its worst stage; what strat_memory_stages() says, but for zero-bubble
                            schedules, of which one microbatch is counted */
} StratLeast;

/** A screen for plans that differ from @costing's in sizes, batch, schedule, recomputation,
 * sequence parallelism and ZeRO stage; the rest of @costing is borrowed. Stage times must not be
 * measured. Of one thread. Free with strat_screen_free(). */
StratScreen *strat_screen_new(const StratCosting *costing);

/** @plan passes the rules of a scenario; its global_batch is a multiple of data x micro_batch. */
StratLeast strat_screen_plan(StratScreen *screen, const StratPlan *plan);

void strat_screen_free(StratScreen *screen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratScreen, strat_screen_free)

#endif
