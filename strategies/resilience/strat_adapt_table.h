/** The pace of a job in each of its adapted states, asked of the step level when first met. */
#ifndef STRAT_ADAPT_TABLE_H
#define STRAT_ADAPT_TABLE_H

#include "strat_job_state.h"

#include <glib.h>

/** Threads may ask at the same time. */
typedef struct StratAdaptTable StratAdaptTable;

/** Of a job of @nodes nodes in @stages stages, whose healthy step takes @healthy_s, under
 *  @adaptation. @step and @ctx are borrowed. Free with strat_adapt_table_free(). */
StratAdaptTable *strat_adapt_table_new(StratStepFunc *step, void *ctx, StratAdaptation adaptation,
                                       double healthy_s, int64_t nodes, int64_t stages);
void strat_adapt_table_free(StratAdaptTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratAdaptTable, strat_adapt_table_free)

/** The healthy step over that with @lost nodes missing, in (0, 1]; 0 when the job cannot go on so.
 *  Without an adaptation 1 at 0 and 0 else. */
double strat_adapt_table_speed(StratAdaptTable *table, int64_t lost);

#endif
