/** Shipped coefficients against measured tables. See scen_fit_check.c. */
#ifndef SCEN_FIT_CHECK_H
#define SCEN_FIT_CHECK_H

#include "kern_profile.h"
#include "scen_fit_table.h"

typedef struct ScenFitCheck ScenFitCheck;

/** Without a result. @folds above 1: collectives are also refitted that often, each time without
 *  one part of the sizes, which is then predicted. @brief: collectives of all large sizes only
 *  together. */
ScenFitCheck *scen_fit_check_new(int64_t folds, bool brief);
void scen_fit_check_free(ScenFitCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenFitCheck, scen_fit_check_free)

/** Judges on @table: the collectives of @node, the products and attention of its GPU's @profile,
 *  and the all-reduces of @engine. Rows of what is NULL are left out. Names are copied. */
void scen_fit_check_add(ScenFitCheck *check, const TopoNode *node, const KernProfile *profile,
                        const TopoEngineFit *engine, const ScenFitTable *table);

/** Whether anything was judged; @error says what could have been. */
bool scen_fit_check_any(const ScenFitCheck *check, GError **error);

/** Prints what was judged to stdout: a line for each operation and decade of sizes. */
void scen_fit_check_print(const ScenFitCheck *check, bool as_json);

#endif
