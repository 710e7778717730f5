/** Overrides from the command line: `--set plan.tensor=4`. */
#ifndef SCEN_OVERRIDE_H
#define SCEN_OVERRIDE_H

#include "scen_bind.h"

/** The tree @root (by @table) with @text, "a.b=VALUE", laid over: VALUE is YAML, keys that are
 *  absent are made, and a section given by name is refined. @root itself and an error with @text as
 *  its place when that cannot be. */
const ScenNode *scen_override_apply(ScenPool *pool, const ScenTable *table, const ScenNode *root,
                                    const char *text, ScenErrors *errors);

#endif
