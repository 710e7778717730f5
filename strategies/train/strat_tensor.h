/** Tensor parallelism beyond ranks in a row: grids of ranks, chunks of overlapped traffic, and what
 *  becomes of the logits. */
#ifndef STRAT_TENSOR_H
#define STRAT_TENSOR_H

#include "kern_profile.h"
#include "model_ops.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct StratPlan StratPlan;
typedef struct StratCosting StratCosting;
typedef struct StratModelChunk StratModelChunk;

/** Rows of strat_tensor_all(), in order. */
typedef enum StratTensorKind {
    STRAT_TENSOR_1D,
    STRAT_TENSOR_2D,
    STRAT_TENSOR_2_5D,
} StratTensorKind;

/** The knobs of a plan. */
typedef struct StratTensor {
    StratTensorKind kind;
    int64_t depth;       /* 2.5D: grids over the batch; 1 otherwise */
    int64_t chunks;      /* pieces of traffic that hides under its product; 0: as many as ranks */
    bool gathers_logits; /* the loss is computed whole by every rank */
} StratTensor;

/** A kind: one row. */
typedef struct StratTensorRow {
    const char *name;
    const char *source;
    bool has_grid, has_depth;
} StratTensorRow;

const StratTensorRow *strat_tensor_all(size_t *count);

/** Ranks along a side of @plan's grid, 0 without one; and grids, 1 without. */
int64_t strat_tensor_side(const StratPlan *plan);
int64_t strat_tensor_depth(const StratPlan *plan);

/** Parameters of a layer (@experts: of one with experts, the routed ones left out) and of the
 *  embedding or head that a tensor rank of @plan holds. */
double strat_tensor_layer_params(const ModelSpec *model, const StratPlan *plan, bool experts);
double strat_tensor_vocab_params(const ModelSpec *model, const StratPlan *plan);

/** Whether @plan's kind can run @model; else @reason (owned by the caller) says why not. */
bool strat_tensor_fits(const ModelSpec *model, const StratPlan *plan, char **reason);

/** Seconds of one product of a grid: arithmetic, and what of its panels nothing hides. */
typedef struct StratGridTimes {
    double product_s, panels_s;
} StratGridTimes;

/** Of @op (GEMM with steps) on @device: forward when @parts is 0, else those parts of its backward
 *  (StratBackward). */
StratGridTimes strat_tensor_product(const StratCosting *costing, const StratModelChunk *chunk,
                                    const KernDevice *device, const ModelOp *op, TopoDtype dtype,
                                    unsigned parts);

/** Seconds of @op (ROW). */
double strat_tensor_row_s(const StratCosting *costing, const StratModelChunk *chunk,
                          const ModelOp *op, bool backward);

#endif
