/* Large batches: McCandlish's trade-off in its limits, laws at points worked out by hand, and the
 * best batch against a search. */
#include "strat_large_batch.h"

#include <criterion/criterion.h>
#include <math.h>

static const StratTarget target = {.tokens = 1e12};

Test(large_batch, the_trade_off_holds_at_any_batch)
{
    double critical = 4e6, least_steps = target.tokens / critical;
    for (double batch = 1e3; batch < 1e11; batch *= 10.0) {
        double tokens = strat_batch_tokens(&target, critical, batch);
        double steps = strat_batch_steps(&target, critical, batch);
        cr_expect_float_eq(steps * batch / tokens, 1.0, 1e-12);
        double product = (steps / least_steps - 1.0) * (tokens / target.tokens - 1.0);
        cr_expect(fabs(product - 1.0) < 1e-3, "batch %g: %g", batch, product);
    }
}

Test(large_batch, limits)
{
    double critical = 4e6;
    cr_expect_float_eq(strat_batch_tokens(&target, critical, 1.0), target.tokens, 1e6);
    cr_expect_float_eq(strat_batch_steps(&target, critical, 1e15), target.tokens / critical, 1.0);
    cr_expect_float_eq(strat_batch_tokens(&target, critical, critical), 2.0 * target.tokens, 1.0);
    cr_expect_float_eq(strat_batch_steps(&target, critical, critical),
                       2.0 * target.tokens / critical, 1e-6);
}

/* 2.1e8 / 2^(1 / 0.21) = 7.74e6; 22.91 (1e12)^0.47 = 22.91 * 10^5.64 = 1.0001e7, a fifth of it. */
Test(large_batch, laws_at_a_point)
{
    StratTarget loss = {.tokens = 1e12, .loss = 2.0};
    double kaplan = strat_batch_law_by_name("kaplan-2020", NULL)->critical(&loss);
    cr_expect(fabs(kaplan / 7.74e6 - 1.0) < 0.002, "%g", kaplan);
    double zhang = strat_batch_law_by_name("zhang-2024", NULL)->critical(&loss);
    cr_expect(fabs(zhang / 5.0005e7 - 1.0) < 0.001, "%g", zhang);
    /* 20 % more tokens at the batch that the paper calls critical. */
    double more = strat_batch_tokens(&loss, zhang, zhang / 5.0) / loss.tokens;
    cr_expect_float_eq(more, 1.2, 1e-9);
    cr_expect_null(strat_batch_law_by_name("nobody", NULL));
}

static double run_s(double fixed_s, double token_s, double critical, double batch)
{
    return strat_batch_steps(&target, critical, batch) * (fixed_s + token_s * batch);
}

Test(large_batch, the_best_batch_is_the_one_that_a_search_finds)
{
    static const double fixed[] = {0.01, 0.3, 5.0};
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++) {
        double critical = 4e6, token_s = 1e-6, least = INFINITY, at = 0.0;
        for (double batch = 1e3; batch < 1e9; batch *= 1.001) {
            double seconds = run_s(fixed[i], token_s, critical, batch);
            at = seconds < least ? batch : at;
            least = fmin(seconds, least);
        }
        StratBestBatch best = strat_batch_best(fixed[i], token_s, critical, 0.05);
        cr_expect(fabs(best.best / at - 1.0) < 0.002, "%g, not %g", best.best, at);
        double low = run_s(fixed[i], token_s, critical, best.low);
        double high = run_s(fixed[i], token_s, critical, best.high);
        cr_expect(fabs(low / least - 1.05) < 1e-4, "%g", low / least);
        cr_expect(fabs(high / least - 1.05) < 1e-4, "%g", high / least);
    }
    cr_expect_eq(strat_batch_best(0.0, 1e-6, 4e6, 0.05).best, 0.0);
}
