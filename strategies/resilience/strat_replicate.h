/** Replications over threads, and what they say together. */
#ifndef STRAT_REPLICATE_H
#define STRAT_REPLICATE_H

#include <glib.h>
#include <stdint.h>

/** A mean over replications and its 90 % confidence interval, and the range that holds 95 % of the
 *  single replications. Of one replication, all are its value. */
typedef struct StratEstimate {
    double mean, low, high;
    double least, most;
} StratEstimate;

/** The estimate of @count @values, which it sorts; NAN of none. */
StratEstimate strat_estimate(double *values, int64_t count);

/** Calls @once with 0 .. @count - 1 and @ctx, in no order, on @threads threads (0: one a
 *  processor). */
void strat_replicate(int64_t count, int64_t threads, void (*once)(int64_t i, void *ctx), void *ctx);

#endif
