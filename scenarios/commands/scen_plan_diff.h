/** What distinguishes two plans, in the words that --set takes. */
#ifndef SCEN_PLAN_DIFF_H
#define SCEN_PLAN_DIFF_H

#include "strat_plan.h"

/** "plan.tensor=4 plan.data=2": the values of @to that differ from @from, in the order of the
 * plan's table. Empty when nothing does. The caller owns it. */
char *scen_plan_diff(const StratPlan *from, const StratPlan *to);

/** The name of @value of the plan's enum @key: scen_plan_word("recompute", STRAT_RECOMPUTE_FULL) is
 *  "full". */
const char *scen_plan_word(const char *key, int value);

#endif
