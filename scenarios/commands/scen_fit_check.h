/** Shipped coefficients against measured tables. See scen_fit_check.c. */
#ifndef SCEN_FIT_CHECK_H
#define SCEN_FIT_CHECK_H

#include "scen_fit_table.h"
#include "topo_cluster.h"

typedef struct ScenFitCheck ScenFitCheck;

/** Without a result. @folds above 1: collectives are also refitted that often, each time without
 *  one part of the sizes, which is then predicted. */
ScenFitCheck *scen_fit_check_new(int64_t folds);
void scen_fit_check_free(ScenFitCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenFitCheck, scen_fit_check_free)

/** Judges the coefficients of @node and, for its own all-reduces, of @engine (NULL: those rows are
 *  left out) on @table. Names are copied. */
void scen_fit_check_add(ScenFitCheck *check, const TopoNode *node, const TopoEngineFit *engine,
                        const ScenFitTable *table);

/** Whether anything was judged; @error says what could have been. */
bool scen_fit_check_any(const ScenFitCheck *check, GError **error);

/** Prints what was judged to stdout: a line for each operation and decade of sizes. */
void scen_fit_check_print(const ScenFitCheck *check, bool as_json);

#endif
