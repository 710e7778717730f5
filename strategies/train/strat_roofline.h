/** Where the operations of a step stand under the roofs of their GPU. */
#ifndef STRAT_ROOFLINE_H
#define STRAT_ROOFLINE_H

#include "strat_cost.h"

#include <glib.h>

/** When an operation runs. */
typedef enum StratPass {
    STRAT_PASS_FORWARD,
    STRAT_PASS_BACKWARD,
    STRAT_PASS_RECOMPUTE,
} StratPass;

/** An operation of one microbatch in one layer (or of the embedding, or the head) on one GPU. */
typedef struct StratRoofPoint {
    const char *label;
    StratPass pass;
    bool is_experts; /* of a layer with experts, where the model has both kinds */
    double layers;   /* of the model that have it */
    double flop;     /* 0: a pass over memory, of which none are counted */
    double bytes;    /* between HBM and the chip */
    double seconds;
} StratRoofPoint;

/** The operations of @costing whose work is counted (of StratRoofPoint), in the order of the layer;
 *  none where stage times are measured. They are those of GPUs of the first kind at their own clock.
 *  The caller frees. */
GArray *strat_roofline(const StratCosting *costing);

#endif
