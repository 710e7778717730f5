/** Choosing one of several by weight. */
#ifndef STRAT_TRAFFIC_SHARES_H
#define STRAT_TRAFFIC_SHARES_H

#include <stddef.h>

/** Turns @weight (none negative, one above 0) into its running sums, in place. */
void strat_shares_sum(double *weight, size_t count);

/** Fills the running sums of Zipf's weights 1 / i^@exponent, i = 1 .. @count. */
void strat_shares_zipf(double *running, size_t count, double exponent);

/** Which of @count, by running sums, the number @uniform of [0, 1) falls on. O(log count). */
size_t strat_shares_pick(const double *running, size_t count, double uniform);

#endif
