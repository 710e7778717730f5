/** Steps and tokens to a target, by the size of the batch. Batches are counted in tokens. */
#ifndef STRAT_LARGE_BATCH_H
#define STRAT_LARGE_BATCH_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** What is to be reached. */
typedef struct StratTarget {
    double tokens;          /* that a small batch needs; 0: no target */
    const char *law;        /* a row of strat_batch_law_all() */
    double critical_tokens; /* law given: the critical batch */
    double loss;            /* law kaplan-2020: at which it is read off, in nats a token */
} StratTarget;

/** A law of the critical batch. */
typedef struct StratBatchLaw {
    const char *name;
    const char *source;
    bool needs_tokens, needs_loss; /* of StratTarget: critical_tokens, loss */
    double (*critical)(const StratTarget *target);
} StratBatchLaw;

/** All laws; @count receives how many. */
const StratBatchLaw *strat_batch_law_all(size_t *count);

/** The law called @name. NULL and @error when there is none. */
const StratBatchLaw *strat_batch_law_by_name(const char *name, GError **error);

/** Tokens to @target, and steps, with batches of @batch when the critical batch is @critical. */
double strat_batch_tokens(const StratTarget *target, double critical, double batch);
double strat_batch_steps(const StratTarget *target, double critical, double batch);

/** The batch that reaches a target first where a step takes @fixed_s + @token_s * batch, and the
 *  batches between which it takes at most 1 + @slack times as long. All 0 where @fixed_s is: then
 *  the smallest batch is best. Pure. */
typedef struct StratBestBatch {
    double best, low, high;
} StratBestBatch;
StratBestBatch strat_batch_best(double fixed_s, double token_s, double critical, double slack);

#endif
