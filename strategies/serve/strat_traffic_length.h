/** Distributions of token counts: of prompts, of outputs, of turns. */
#ifndef STRAT_TRAFFIC_LENGTH_H
#define STRAT_TRAFFIC_LENGTH_H

#include "sim_random.h"

#include <stddef.h>
#include <stdint.h>

typedef enum StratLengthKind {
    STRAT_LENGTH_CONSTANT,    /* mean */
    STRAT_LENGTH_UNIFORM,     /* whole numbers from least to most, both included */
    STRAT_LENGTH_LOGNORMAL,   /* mean and sigma */
    STRAT_LENGTH_EXPONENTIAL, /* mean */
    STRAT_LENGTH_GEOMETRIC,   /* mean: 1, 2, ... with a constant chance to end */
    STRAT_LENGTH_HISTOGRAM,   /* bins */
    STRAT_LENGTH_VALUES,      /* a list of measured lengths, each as likely */
} StratLengthKind;

/** All zero but a mean: a constant. Lists are borrowed. */
typedef struct StratLength {
    StratLengthKind kind;
    double mean;           /* before rounding and clipping */
    double sigma;          /* of the logarithm */
    int64_t least, most;   /* what is drawn is clipped to these; 0: at least 1, no upper bound */
    const double *edge;    /* count + 1 edges of bins: [edge, next edge); or count values */
    const double *running; /* running sums of the bins' weights (strat_shares_sum()) */
    size_t count;          /* of bins or values */
} StratLength;

/** A length from @stream, at least 1 and at most 2^40. */
int64_t strat_length_draw(const StratLength *length, SimRandom *stream);

/** Sigma of the logarithm of a lognormal with @mean and @median (at most the mean). */
double strat_length_sigma_of_median(double mean, double median);

/** Likewise with a coefficient of variation @cv. */
double strat_length_sigma_of_cv(double cv);

#endif
