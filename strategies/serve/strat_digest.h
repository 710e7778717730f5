/** Many numbers in little memory: their mean, their extremes, their quantiles. */
#ifndef STRAT_DIGEST_H
#define STRAT_DIGEST_H

#include <glib.h>
#include <stdint.h>

/** Non-negative numbers in bins whose edges are 2^-9 apart relatively, so a quantile is off by at
 *  most 0.1 %; mean and extremes are exact. */
typedef struct StratDigest StratDigest;

StratDigest *strat_digest_new(void);
void strat_digest_free(StratDigest *digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratDigest, strat_digest_free)

/** Adds @value (0 or more) @count times. O(1). */
void strat_digest_add(StratDigest *digest, double value, int64_t count);

/** Adds @first, @first + @step, ... of @terms terms (none negative), each @count times. O(bins that
 *  they meet). */
void strat_digest_add_series(StratDigest *digest, double first, double step, int64_t terms,
                             int64_t count);

int64_t strat_digest_count(const StratDigest *digest);
double strat_digest_mean(const StratDigest *digest); /* 0 when empty */
double strat_digest_min(const StratDigest *digest);
double strat_digest_max(const StratDigest *digest);

/** The value below which the share @fraction of the numbers lies: numpy's percentile with linear
 *  interpolation, up to the bins. 0 when empty. */
double strat_digest_quantile(const StratDigest *digest, double fraction);

/** Share of the numbers that are at most @value. */
double strat_digest_below(const StratDigest *digest, double value);

#endif
