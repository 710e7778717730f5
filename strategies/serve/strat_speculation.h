/** How far speculative decoding gets in one iteration. */
#ifndef STRAT_SPECULATION_H
#define STRAT_SPECULATION_H

#include "strat_deployment.h"

/** Tokens that an iteration gives on average: (1 - a^(g+1)) / (1 - a) for g proposed tokens that
 * are accepted with a each (Leviathan 2023, equation 1), or by the acceptance of each position; 1
 *  without speculation. */
double strat_speculation_expected(const StratSpeculation *speculation);

/** Tokens of one sequence that an iteration computes: one, and those proposed, on each path. */
int64_t strat_speculation_width(const StratSpeculation *speculation);

/** Iterations that @outputs tokens of request @id take, drawn from a stream of its own; @again
 *  tells the draws of one request apart. Without speculation @outputs. */
int64_t strat_speculation_steps(const StratSpeculation *speculation, uint64_t seed, int64_t id,
                                int64_t again, int64_t outputs);

#endif
