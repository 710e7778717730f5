/** Blocks of the beams of one request, iteration by iteration. */
#ifndef STRAT_BEAMS_H
#define STRAT_BEAMS_H

#include "sim_random.h"

#include <glib.h>
#include <stdint.h>

/** Iteration 0 is that of the prompt, after which the beams are forks of it; iteration i computes
 *  token i after the prompt. */
typedef struct StratBeams {
    int64_t iterations; /* after the prompt's */
    int32_t *held;      /* [i]: different blocks of all beams while iteration i runs */
    int32_t *rest;      /* [i]: of those, that some beam still holds when it is over */
    int32_t *ends;      /* [i]: of those, that are the last of some beam */
} StratBeams;

/** What @width beams (2 and more) do to the blocks of @block_tokens of a prompt of @prompt_tokens
 *  in @iterations after it. @turnover: the chance that a beam is dropped for a fork of another
 *  after an iteration; below 0: strat_beams_neutral(). Draws come from children of @stream, by
 *  iteration. O(iterations x width + forks x blocks). */
StratBeams *strat_beams_new(const SimRandom *stream, int64_t width, int64_t prompt_tokens,
                            int64_t iterations, int64_t block_tokens, double turnover);
void strat_beams_free(StratBeams *beams);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratBeams, strat_beams_free)

/** The chance that a beam of @width has no continuation among the @width that are kept of the
 *  @width^2 best, when none of them is likelier to be kept than another. */
double strat_beams_neutral(int64_t width);

#endif
