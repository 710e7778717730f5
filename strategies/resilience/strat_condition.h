/** What of a running job is worse than planned, for a time. */
#ifndef STRAT_CONDITION_H
#define STRAT_CONDITION_H

#include "sim_time.h"

#include <glib.h>

/** Degradations that last. */
typedef struct StratCondition {
    GArray *slow; /* of StratConditionSlow; owned */
} StratCondition;

StratCondition strat_condition_new(void);
void strat_condition_clear(StratCondition *condition);

/** From here to @until steps go at no more than @speed, in (0, 1], of healthy ones. */
void strat_condition_slow(StratCondition *condition, SimTime until, double speed);

/** The speed of steps at @now, over that of healthy ones; *@until is lowered to when it changes by
 *  itself. What is over is forgotten. */
double strat_condition_speed(StratCondition *condition, SimTime now, SimTime *until);

#endif
