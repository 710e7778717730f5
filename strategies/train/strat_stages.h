/** Layers of each chunk of a model, written out: "3 4*14 2". */
#ifndef STRAT_STAGES_H
#define STRAT_STAGES_H

#include "model_spec.h"
#include "strat_plan.h"

#include <stdbool.h>
#include <stdint.h>

/** How many chunks @text has and how many layers all of them hold; false where it is no such list.
 *  @reason (may be NULL) then says why, for the caller to free. */
bool strat_stages_read(const char *text, int64_t *chunks, int64_t *layers, char **reason);

/** Layers of chunk @index of @text, which has been read before, and into @before those of the
 *  chunks before it. */
int64_t strat_stages_at(const char *text, int64_t index, int64_t *before);

/** Whether the list of @plan, which has one, places the layers of @model over its chunks; else
 *  @reason, for the caller to free. */
bool strat_stages_fit(const ModelSpec *model, const StratPlan *plan, char **reason);

#endif
