/** Peak memory of a pipeline stage under its schedule. */
#ifndef STRAT_MEMORY_H
#define STRAT_MEMORY_H

#include "strat_cost.h"
#include "strat_schedule.h"

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
    const char *gpu;   /* whose capacity it is, where the cluster has several kinds; else NULL */
    double host_bytes; /* of this GPU in its node's DRAM */
    double host_capacity_bytes;
    double disk_bytes; /* and on its disks */
    double disk_capacity_bytes;
    double elsewhere_weights_bytes; /* of these two, weights and the optimizer's states */
    double elsewhere_optimizer_bytes;
} StratMemory;

/** Bytes alive only while one layer of @chunk, or its head, runs. */
double strat_memory_workspace_bytes(const StratCosting *costing, const StratModelChunk *chunk);

/** Bytes that a task leaves on its stage, negative where it releases some, of what its chunk's
 *  forward keeps (@saved) and what is kept for the weights' gradients (@weight). */
double strat_memory_kept(StratTaskKind kind, double saved, double weight);

/** Walks a stage's tasks (of StratTask): the peak of what is held, in activations_bytes and
 *  in_flight of @memory, which start at 0. @saved and @weight: bytes that each chunk's forward
 *  keeps, and those kept for the weights' gradients where they are apart. */
void strat_memory_walk(const GArray *tasks, const double *saved, const double *weight,
                       StratMemory *memory);

/** Fills in what @params parameters on a rank of @stage and, besides, @experts of routed experts
 * take, the constants, and the peak, the sum of all: activations and workspace are already in
 * @memory. */
void strat_memory_states(const StratCosting *costing, int64_t stage, double params, double experts,
                         StratMemory *memory);

/** Memory of every stage: an array of StratMemory, freed by the caller. */
GArray *strat_memory_stages(const StratCosting *costing);

/** Of that peak, what PyTorch's allocator gave out, and what it took from the device for that. */
double strat_memory_allocated_bytes(const StratMemory *memory);
double strat_memory_cached_bytes(const StratMemory *memory);

/** The stage that needs the most beyond its capacity. */
guint strat_memory_worst_stage(const GArray *stages);

/** Whether every stage fits. */
bool strat_memory_fits(const GArray *stages);

/** As strat_memory_fits(); when one does not, @error names the worst stage, by how much it is over,
 * and the knobs that would make it fit. */
bool strat_memory_check(const StratCosting *costing, const GArray *stages, GError **error);

#endif
