/** The section `sweep:` on its way in: paths and values, held to the tables. */
#ifndef SCEN_SWEEP_FIELDS_H
#define SCEN_SWEEP_FIELDS_H

#include "scen_bind.h"
#include "scen_sweep.h"

/** The field that a path "plan.tensor" names; of "plan.base" that of plan. NULL, and an error at
 *  @mark with the nearest key unless @errors is NULL, when there is none. */
const ScenField *scen_sweep_field(const char *path, ScenMark mark, ScenErrors *errors);

/** Adds errors about @node, which is no value of the field that @path names. */
void scen_sweep_check_value(ScenBinder *binder, const char *path, const ScenNode *node);

/** Adds errors about names that are looked up after binding. @refused, given @ctx and one override
 *  "path=value", is to say what a scenario with it is refused for, a line a fault, each with the
 *  place "--set path=value: "; NULL: for nothing. The caller of it frees that. */
void scen_sweep_check_names(const ScenSweep *sweep, ScenErrors *errors,
                            char *(*refused)(void *ctx, const char *override), void *ctx);

#endif
