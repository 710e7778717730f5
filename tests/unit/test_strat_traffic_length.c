/* Length distributions: mean and coefficient of variation against their formulas, within four
 * standard errors of 40,000 draws; bounds; shares. */
#include "moments.h"
#include "strat_traffic_length.h"
#include "strat_traffic_shares.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <math.h>

enum { DRAWS = 40000 };

static const double edges[] = {0.0, 10.0, 20.0, 120.0};
static const double bins[] = {1.0, 1.0, 4.0}; /* running sums of weights 1, 0, 3 */
static const double list[] = {5.0, 7.0, 7.0, 1001.0};

/* Cv of a rounded exponential and lognormal are those of the real one: rounding adds 1/12. */
static const struct {
    const char *name;
    StratLength length;
    double mean, cv, slack;
} cases[] = {
    {"constant",    {.mean = 512.0},                                               512.0, 0.0,       1e-9},
    {"uniform",     {.kind = STRAT_LENGTH_UNIFORM, .least = 3, .most = 9},         6.0,   1.0 / 3.0, 0.0 },
    {"lognormal",
     {.kind = STRAT_LENGTH_LOGNORMAL, .mean = 300.0, .sigma = 0.8},
     300.0,                                                                               0.9467,
     0.5                                                                                                 },
    {"exponential", {.kind = STRAT_LENGTH_EXPONENTIAL, .mean = 400.0},             400.0, 1.0,       0.5 },
    {"geometric",   {.kind = STRAT_LENGTH_GEOMETRIC, .mean = 4.0},                 4.0,   0.8660254, 0.0 },
    {"geometric 1", {.kind = STRAT_LENGTH_GEOMETRIC, .mean = 1.0},                 1.0,   0.0,       0.0 },
    {"histogram",
     {.kind = STRAT_LENGTH_HISTOGRAM, .edge = edges, .running = bins, .count = 3},
     53.275,                                                                              0.7064678,
     0.0                                                                                                 },
    {"values",      {.kind = STRAT_LENGTH_VALUES, .edge = list, .count = 4},       255.0, 1.6891,    0.01},
};

static Moments draw_many(const StratLength *length, uint64_t seed)
{
    SimRandom stream = sim_random_stream(seed, "test");
    g_autofree double *sample = g_new(double, DRAWS);
    for (size_t i = 0; i < DRAWS; i++)
        sample[i] = (double)strat_length_draw(length, &stream);
    return moments_of(sample, DRAWS);
}

Test(strat_traffic_length, each_distribution_has_its_mean_and_spread)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Moments got = draw_many(&cases[i].length, 7);
        double slack = cases[i].slack + 1e-9;
        cr_expect(moments_agree(got.mean, got.mean_error, cases[i].mean, slack), "%s: mean %g",
                  cases[i].name, got.mean);
        cr_expect(moments_agree(got.cv, got.cv_error, cases[i].cv, slack / cases[i].mean),
                  "%s: cv %g +- %g", cases[i].name, got.cv, got.cv_error);
    }
}

Test(strat_traffic_length, the_check_fails_on_another_mean_or_spread)
{
    Moments got = draw_many(&cases[3].length, 7);
    cr_expect(!moments_agree(got.mean, got.mean_error, 1.03 * 400.0, 0.5));
    cr_expect(!moments_agree(got.cv, got.cv_error, 1.06, 0.001));
}

Test(strat_traffic_length, lognormals_are_told_by_median_or_cv)
{
    cr_expect(fabs(strat_length_sigma_of_cv(0.9467) - 0.8) < 1e-4);
    cr_expect(fabs(strat_length_sigma_of_median(exp(0.32), 1.0) - 0.8) < 1e-12);
    cr_expect_eq(strat_length_sigma_of_median(5.0, 5.0), 0.0);
    StratLength length = {.kind = STRAT_LENGTH_LOGNORMAL, .mean = 1000.0};
    length.sigma = strat_length_sigma_of_median(1000.0, 400.0);
    SimRandom stream = sim_random_stream(3, "test");
    int below = 0;
    for (int i = 0; i < DRAWS; i++)
        below += strat_length_draw(&length, &stream) < 400;
    cr_expect(abs(below - DRAWS / 2) < 4 * 100, "%d of %d", below, DRAWS); /* 4 sqrt(n / 4) */
}

Test(strat_traffic_length, lengths_keep_within_their_bounds)
{
    StratLength length = {
        .kind = STRAT_LENGTH_LOGNORMAL, .mean = 50.0, .sigma = 3.0, .least = 4, .most = 90};
    SimRandom stream = sim_random_stream(1, "test");
    bool least = false, most = false;
    for (int i = 0; i < 1000; i++) {
        int64_t drawn = strat_length_draw(&length, &stream);
        cr_assert(drawn >= 4 && drawn <= 90);
        least = least || drawn == 4;
        most = most || drawn == 90;
    }
    cr_expect(least && most);
    StratLength wild = {.kind = STRAT_LENGTH_LOGNORMAL, .mean = 1.0, .sigma = 40.0};
    for (int i = 0; i < 1000; i++) {
        int64_t drawn = strat_length_draw(&wild, &stream);
        cr_assert(drawn >= 1 && drawn <= INT64_C(1) << 40);
    }
}

Test(strat_traffic_length, shares_follow_their_weights)
{
    double weight[] = {1.0, 0.0, 2.0, 1.0};
    strat_shares_sum(weight, 4);
    cr_expect_eq(strat_shares_pick(weight, 4, 0.0), 0);
    cr_expect_eq(strat_shares_pick(weight, 4, 0.2499), 0);
    cr_expect_eq(strat_shares_pick(weight, 4, 0.25), 2);
    cr_expect_eq(strat_shares_pick(weight, 4, 0.7499), 2);
    cr_expect_eq(strat_shares_pick(weight, 4, 1.0 - 0x1p-53), 3);
    double zipf[3];
    strat_shares_zipf(zipf, 3, 1.0);
    cr_expect(fabs(zipf[2] - (1.0 + 0.5 + 1.0 / 3.0)) < 1e-15);
    strat_shares_zipf(zipf, 3, 0.0);
    cr_expect(fabs(zipf[2] - 3.0) < 1e-15);
}
