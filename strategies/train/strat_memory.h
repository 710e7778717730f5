/** Peak memory of a pipeline stage under its schedule. */
#ifndef STRAT_MEMORY_H
#define STRAT_MEMORY_H

#include "strat_cost.h"

#include <glib.h>

/** Bytes of one rank of one stage. */
typedef struct StratMemory {
    double weights_bytes;
    double gradients_bytes;
    double optimizer_bytes;
    double activations_bytes; /* peak over the schedule */
    double in_flight;         /* microbatch chunks whose activations are held at that peak */
    double workspace_bytes;   /* recomputed layer, logits: what is alive only for a moment */
    double reserved_bytes;    /* CUDA context, communicators, allocator */
    double peak_bytes;        /* sum of the above */
    double capacity_bytes;
} StratMemory;

/** Memory of every stage: an array of StratMemory, freed by the caller. */
GArray *strat_memory_stages(const StratCosting *costing);

/** The stage that needs the most. */
guint strat_memory_worst_stage(const GArray *stages);

/** Whether every stage fits. */
bool strat_memory_fits(const GArray *stages);

/** As strat_memory_fits(); when one does not, @error names the worst stage, by how much it is over,
 * and the knobs that would make it fit. */
bool strat_memory_check(const StratCosting *costing, const GArray *stages, GError **error);

#endif
