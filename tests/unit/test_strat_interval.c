/* Intervals from exposures that can be reckoned by hand. */
#include "strat_interval.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

static const double QUANTILE = 1.6448536269514722;

/* 10 % for every kind, nothing for software and guesses; weaker evidence is twice as wrong. */
static StratErrors round_errors(void)
{
    StratErrors errors = {
        .widen = {0.5, 0.75, 1.0, 1.5, 2.0}
    };
    for (int k = 0; k < STRAT_KIND_SOFTWARE; k++)
        errors.kind[k] = 0.1;
    return errors;
}

static StratExposure half_products_half_wires(void)
{
    StratExposure exposure = {.total = 100.0};
    exposure.parts[STRAT_KIND_PRODUCTS][KERN_EVIDENCE_FITTED] = 50.0;
    exposure.parts[STRAT_KIND_SCALE_UP][KERN_EVIDENCE_FITTED] = 50.0;
    return exposure;
}

static double error_of(const StratExposure *exposure, const StratErrors *errors)
{
    return strat_interval(1.0, exposure, errors, 0.0, 0).standard_error_fraction;
}

Test(strat_interval, of_one_kind_is_its_share_times_its_error)
{
    StratErrors errors = round_errors();
    StratExposure exposure = {.total = 100.0};
    exposure.parts[STRAT_KIND_ATTENTION][KERN_EVIDENCE_FITTED] = 30.0;
    StratInterval interval = strat_interval(2.0, &exposure, &errors, 0.0, 0);
    cr_expect(ieee_ulp_eq(dbl, interval.standard_error_fraction, 0.03, 8));
    cr_expect(ieee_ulp_eq(dbl, interval.low_s, 2.0 * exp(-QUANTILE * 0.03), 8));
    cr_expect(ieee_ulp_eq(dbl, interval.high_s, 2.0 * exp(QUANTILE * 0.03), 8));
    double half = (interval.high_s - interval.low_s) / 2.0 / 2.0;
    cr_expect(epsilon_eq(dbl, interval.half_width_fraction, half, 1e-12));
    cr_expect(ieee_ulp_eq(dbl, interval.share[STRAT_KIND_ATTENTION], 1.0, 4));
}

Test(strat_interval, adds_independent_kinds_in_quadrature)
{
    StratErrors errors = round_errors();
    StratExposure exposure = half_products_half_wires();
    cr_expect(epsilon_eq(dbl, error_of(&exposure, &errors), 0.05 * sqrt(2.0), 1e-12));
}

Test(strat_interval, adds_within_a_kind_at_full)
{
    StratErrors errors = round_errors();
    StratExposure exposure = {.total = 100.0};
    exposure.parts[STRAT_KIND_PRODUCTS][KERN_EVIDENCE_FITTED] = 50.0;
    exposure.parts[STRAT_KIND_PRODUCTS][KERN_EVIDENCE_DATASHEET] = 50.0;
    cr_expect(epsilon_eq(dbl, error_of(&exposure, &errors), 0.05 + 2.0 * 0.05, 1e-12));
}

Test(strat_interval, of_a_ratio_cancels_what_both_spend_alike)
{
    StratErrors errors = round_errors();
    StratExposure even = half_products_half_wires(), products = {.total = 40.0};
    products.parts[STRAT_KIND_PRODUCTS][KERN_EVIDENCE_FITTED] = 40.0;
    cr_expect(ieee_ulp_eq(dbl, strat_interval_ratio_error(&even, &even, &errors), 0.0, 4));
    double ratio = strat_interval_ratio_error(&even, &products, &errors);
    cr_expect(epsilon_eq(dbl, ratio, 0.05 * sqrt(2.0), 1e-12), "%g", ratio);
}

Test(strat_interval, shrinks_when_the_error_of_a_kind_does)
{
    StratErrors errors = round_errors();
    StratExposure exposure = half_products_half_wires();
    double before = error_of(&exposure, &errors);
    errors.kind[STRAT_KIND_SCALE_UP] = 0.05;
    cr_expect(error_of(&exposure, &errors) < before);
    errors.kind[STRAT_KIND_HOST] = 0.9; /* nothing waits for it */
    cr_expect(error_of(&exposure, &errors) < before);
}

Test(strat_interval, counts_the_plan_s_model_error_and_its_guesses)
{
    StratErrors errors = round_errors();
    StratExposure exposure = {.total = 100.0};
    errors.kind[STRAT_KIND_SOFTWARE] = 0.12;
    errors.kind[STRAT_KIND_GUESSES] = 0.02;
    StratInterval unsaid = strat_interval(1.0, &exposure, &errors, 0.0, 0);
    StratInterval said = strat_interval(1.0, &exposure, &errors, 0.03, 0);
    StratInterval guessed = strat_interval(1.0, &exposure, &errors, 0.03, 4);
    cr_expect(epsilon_eq(dbl, unsaid.standard_error_fraction, 0.12, 1e-12));
    cr_expect(epsilon_eq(dbl, said.standard_error_fraction, 0.03, 1e-12));
    cr_expect(epsilon_eq(dbl, guessed.standard_error_fraction, hypot(0.03, 0.04), 1e-12));
}

Test(strat_interval, does_not_widen_wires_between_domains)
{
    StratErrors errors = round_errors();
    StratExposure exposure = {.total = 100.0};
    exposure.parts[STRAT_KIND_SCALE_OUT][KERN_EVIDENCE_DATASHEET] = 40.0;
    cr_expect(epsilon_eq(dbl, error_of(&exposure, &errors), 0.04, 1e-12));
}

Test(strat_interval, has_the_weakest_evidence_of_the_parts_that_matter)
{
    StratErrors errors = round_errors();
    StratExposure exposure = {.total = 1000.0};
    exposure.parts[STRAT_KIND_PRODUCTS][KERN_EVIDENCE_MEASURED] = 900.0;
    exposure.parts[STRAT_KIND_PASSES][KERN_EVIDENCE_FITTED] = 91.0;
    exposure.parts[STRAT_KIND_SCALE_OUT][KERN_EVIDENCE_DATASHEET] = 9.0;
    exposure.parts[STRAT_KIND_SCHEDULE][KERN_EVIDENCE_DATASHEET] = 500.0; /* is no cost */
    StratInterval interval = strat_interval(1.0, &exposure, &errors, 0.0, 0);
    cr_expect(eq(int, interval.evidence, KERN_EVIDENCE_FITTED));
    cr_expect(eq(int, interval.evidence_of, STRAT_KIND_PASSES));
    /* Two parts too small to matter alone matter together. */
    exposure.parts[STRAT_KIND_SCALE_UP][KERN_EVIDENCE_DATASHEET] = 5.0;
    interval = strat_interval(1.0, &exposure, &errors, 0.0, 0);
    cr_expect(eq(int, interval.evidence, KERN_EVIDENCE_DATASHEET));
    cr_expect(eq(int, interval.evidence_of, STRAT_KIND_SCALE_OUT));
}

Test(strat_interval, ranks_kinds_by_their_share_of_the_variance)
{
    StratErrors errors = round_errors();
    StratExposure exposure = {.total = 100.0};
    StratKind kinds[STRAT_KIND_COUNT];
    exposure.parts[STRAT_KIND_PRODUCTS][KERN_EVIDENCE_FITTED] = 20.0;
    exposure.parts[STRAT_KIND_HOST][KERN_EVIDENCE_FITTED] = 50.0;
    exposure.parts[STRAT_KIND_SCALE_UP][KERN_EVIDENCE_FITTED] = 30.0;
    StratInterval interval = strat_interval(1.0, &exposure, &errors, 0.0, 0);
    cr_assert(eq(sz, strat_interval_rank(&interval, kinds), 3));
    cr_expect(eq(int, kinds[0], STRAT_KIND_HOST));
    cr_expect(eq(int, kinds[1], STRAT_KIND_SCALE_UP));
    cr_expect(eq(int, kinds[2], STRAT_KIND_PRODUCTS));
    cr_expect(epsilon_eq(dbl, interval.share[STRAT_KIND_HOST], 25.0 / 38.0, 1e-12));
}

Test(strat_interval, without_errors_is_the_point)
{
    StratErrors errors = {
        .widen = {1.0, 1.0, 1.0, 1.0, 1.0}
    };
    StratExposure exposure = half_products_half_wires();
    StratKind kinds[STRAT_KIND_COUNT];
    StratInterval interval = strat_interval(3.0, &exposure, &errors, 0.0, 0);
    cr_expect(eq(dbl, interval.low_s, 3.0));
    cr_expect(eq(dbl, interval.high_s, 3.0));
    cr_expect(eq(sz, strat_interval_rank(&interval, kinds), 0));
}
