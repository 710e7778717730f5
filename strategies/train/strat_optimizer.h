/** Optimizers: what each keeps of a parameter, and what an update reads and writes. */
#ifndef STRAT_OPTIMIZER_H
#define STRAT_OPTIMIZER_H

#include <stddef.h>

typedef enum StratOptimizer {
    STRAT_OPTIMIZER_NONE, /* the step ends with the gradients (single-layer measurements) */
    STRAT_OPTIMIZER_ADAM,
    STRAT_OPTIMIZER_ADAM_BF16,
    STRAT_OPTIMIZER_ADAM_8BIT,
    STRAT_OPTIMIZER_SGD,
    STRAT_OPTIMIZER_SGD_MOMENTUM,
    STRAT_OPTIMIZER_ADAFACTOR,
    STRAT_OPTIMIZER_MUON,
    STRAT_OPTIMIZER_COUNT
} StratOptimizer;

/** A row of the table: bytes of a parameter. The fp32 weight beside 16-bit ones is the plan's. */
typedef struct StratOptimizerRow {
    const char *name;
    const char *source;
    double state_bytes;        /* moments */
    double state_of_width;     /* more, over the model's width: rows and columns of a matrix */
    double more_bytes;         /* read again by the update, beyond gradient, weight and moments */
    double products_of_matrix; /* products of a whole square matrix with itself, an update */
} StratOptimizerRow;

/** The row of @optimizer. */
const StratOptimizerRow *strat_optimizer_row(StratOptimizer optimizer);

/** All rows, their number into @count; the first updates nothing. */
const StratOptimizerRow *strat_optimizer_all(size_t *count);

/** Bytes of moments that a parameter has in a model @width wide. */
double strat_optimizer_state_bytes(StratOptimizer optimizer, double width);

/** Bytes that an update reads and writes of a parameter in fp32: its gradient, its weight and its
 *  moments. */
double strat_optimizer_update_bytes(StratOptimizer optimizer);

#endif
