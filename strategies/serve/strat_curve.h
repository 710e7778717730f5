/** The price of iterations that only decode, remembered: piecewise linear in the mean context. */
#ifndef STRAT_CURVE_H
#define STRAT_CURVE_H

#include "strat_batch.h"
#include "strat_fine.h"

#include <glib.h>

typedef struct StratCurve StratCurve;

/** What decodes, and how it grows from one iteration to the next. Contexts are those of the first
 *  iteration, own tokens included; sums are in 2^-STRAT_TOKEN_BITS tokens. */
typedef struct StratDecodeLoad {
    int64_t count;
    int64_t sum, growth;
    int64_t longest, longest_growth;
} StratDecodeLoad;

/** Iterations in a row: the i-th takes first + i step, i = 0 .. count - 1. */
typedef struct StratStretch {
    StratFine first, step;
    int64_t count;
    StratFine stage;     /* of the first: when another lane may start */
    const void *segment; /* of the curve, for strat_curve_parts() */
} StratStretch;

/** A curve of what @pricer (borrowed) says of decodes that compute @decode_tokens each. */
StratCurve *strat_curve_new(const StratPricer *pricer, int64_t decode_tokens);
void strat_curve_free(StratCurve *curve);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratCurve, strat_curve_free)

/** The next iterations of @load, 1 to @most of them, as far as one line of the curve reaches. */
StratStretch strat_curve_stretch(StratCurve *curve, const StratDecodeLoad *load, int64_t most);

/** Adds the parts of the first @iterations of @stretch, which began with @load, to @part_s, each
 *  second weighed @weight. */
void strat_curve_parts(const StratStretch *stretch, const StratDecodeLoad *load, int64_t iterations,
                       double weight, double part_s[STRAT_SERVE_PARTS]);

/** Time of the first @iterations of @stretch together. */
StratFine strat_stretch_time(const StratStretch *stretch, int64_t iterations);

/** The fewest iterations of @stretch that together take at least @time; its count + 1 when all do
 *  not. 0 for no time. */
int64_t strat_stretch_reach(const StratStretch *stretch, StratFine time);

/** Prices asked so far. */
int64_t strat_curve_knots(const StratCurve *curve);

#endif
