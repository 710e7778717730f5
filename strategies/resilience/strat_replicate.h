/** What replications say together. */
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

#endif
