/** How sure a step time is: its 90 % interval, what the interval comes from, and the evidence. */
#ifndef STRAT_INTERVAL_H
#define STRAT_INTERVAL_H

#include "kern_evidence.h"
#include "strat_kind.h"
#include "strat_train.h"

/** Relative standard errors of costs in a real training step. Strings are borrowed. */
typedef struct StratErrors {
    const char *name;
    const char *source;
    double kind[STRAT_KIND_COUNT];     /* of costs by a fitted form; SOFTWARE: where the plan says
                                        * nothing of its own; GUESSES: of each one */
    double widen[KERN_EVIDENCE_COUNT]; /* times that, for costs of other evidence; not SCALE_OUT */
} StratErrors;

/** Where a step's time goes, for its error: seconds of all GPUs. */
typedef struct StratExposure {
    double parts[STRAT_KIND_COUNT][KERN_EVIDENCE_COUNT];
    double total; /* the step times the GPUs: what shares are shares of */
} StratExposure;

/** The answer. */
typedef struct StratInterval {
    double low_s, high_s;           /* 90 % */
    double standard_error_fraction; /* of the logarithm of the step time */
    double half_width_fraction;     /* (high - low) / 2 over the step time */
    double share[STRAT_KIND_COUNT]; /* of the variance; they sum to 1 unless all errors are 0 */
    KernEvidence evidence;          /* the weakest of the parts that matter */
    StratKind evidence_of;          /* and the kind that most of those parts are of */
} StratInterval;

/** The least share of the step that a part has when its evidence matters. */
#define STRAT_EVIDENCE_LEAST_SHARE 0.01

/** The exposure of @result, which @costing gave. */
StratExposure strat_exposure(const StratCosting *costing, const StratTrainResult *result);

/** The interval of a step of @step_s with @exposure. @software is the plan's own model error (0: it
 *  has none, and that of @errors counts), @guesses the number of guessed facts of the plan. Pure.
 */
StratInterval strat_interval(double step_s, const StratExposure *exposure,
                             const StratErrors *errors, double software, int64_t guesses);

/** Relative standard error of the ratio of two steps on one machine, from the kinds of costs alone:
 *  sqrt(sum_k (e_k - e'_k)^2), because an error of a kind makes both longer and cancels as far as
 *  both spend the same share of their time on it. Software and guesses are not in it. Pure. */
double strat_interval_ratio_error(const StratExposure *one, const StratExposure *other,
                                  const StratErrors *errors);

/** The kinds of @interval with any share in its variance, largest first, into @kinds (room for
 *  STRAT_KIND_COUNT); returns how many. */
size_t strat_interval_rank(const StratInterval *interval, StratKind *kinds);

#endif
