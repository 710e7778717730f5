/** What distinguishes scenarios, key by key, bases expanded. */
#ifndef SCEN_DIFFERENCE_H
#define SCEN_DIFFERENCE_H

#include "scen_scenario.h"

/** One key that is not alike in all of them. */
typedef struct ScenDifference {
    char *key;         /* dotted, as --set takes it: "cluster.node.gpu.memory" */
    GPtrArray *values; /* of texts, one a scenario: "80 GB"; NULL where there is no value */
} ScenDifference;

/** The keys (ScenDifference) of the @count scenarios whose values differ, in the order of the
 *  tables. Values are those that were bound and checked, so what a base or a default brings counts.
 *  Left out: names and sources in words, `expect:`, `search:`; and of kernels, protocols and errors
 *  under different names everything but the name. The caller owns the array. */
GArray *scen_differences(const ScenScenario *const *scenarios, guint count);

/** The value of scenario number @index, "none" where there is none. */
const char *scen_difference_value(const ScenDifference *difference, guint index);

/** "plan.recompute=full plan.tensor=4": the values of @scenario number @index in @differences. The
 *  caller owns it. */
char *scen_differences_text(const GArray *differences, guint index);

#endif
