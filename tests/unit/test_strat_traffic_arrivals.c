/* Arrival processes: gaps against their mean and spread, counts against their rates by the state or
 * the time of the day. */
#include "moments.h"
#include "strat_traffic_arrivals.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <math.h>

enum { GAPS = 40000 };

static Moments gaps_of(const StratArrivals *process, uint64_t seed)
{
    StratArrivalClock clock = strat_arrivals_start(process, seed);
    g_autofree double *gap = g_new(double, GAPS);
    double last = 0.0;
    for (size_t i = 0; i < GAPS; i++) {
        double at = strat_arrivals_next(&clock);
        cr_assert(at >= last);
        gap[i] = at - last;
        last = at;
    }
    return moments_of(gap, GAPS);
}

static const struct {
    const char *name;
    StratArrivals process;
    double mean, cv;
} renewals[] = {
    {"poisson",       {.kind = STRAT_ARRIVALS_POISSON, .rate_per_s = 8.0},             0.125, 1.0},
    {"gamma calm",    {.kind = STRAT_ARRIVALS_GAMMA, .rate_per_s = 5.0, .cv = 0.5},    0.2,   0.5},
    {"gamma bursty",  {.kind = STRAT_ARRIVALS_GAMMA, .rate_per_s = 5.0, .cv = 3.0},    0.2,   3.0},
    {"weibull calm",  {.kind = STRAT_ARRIVALS_WEIBULL, .rate_per_s = 2.0, .cv = 0.3},  0.5,   0.3},
    {"weibull wild",  {.kind = STRAT_ARRIVALS_WEIBULL, .rate_per_s = 2.0, .cv = 2.0},  0.5,   2.0},
    {"weibull plain", {.kind = STRAT_ARRIVALS_WEIBULL, .rate_per_s = 10.0, .cv = 1.0}, 0.1,   1.0},
};

Test(strat_traffic_arrivals, gaps_have_their_rate_and_spread)
{
    for (size_t i = 0; i < G_N_ELEMENTS(renewals); i++) {
        Moments got = gaps_of(&renewals[i].process, 11);
        cr_expect(moments_agree(got.mean, got.mean_error, renewals[i].mean, 0.0), "%s: mean %g",
                  renewals[i].name, got.mean);
        cr_expect(moments_agree(got.cv, got.cv_error, renewals[i].cv, 0.0), "%s: cv %g +- %g",
                  renewals[i].name, got.cv, got.cv_error);
    }
}

Test(strat_traffic_arrivals, the_check_tells_a_rate_3_percent_off)
{
    Moments got = gaps_of(&renewals[0].process, 11);
    cr_expect(!moments_agree(got.mean, got.mean_error, 1.03 * 0.125, 0.0));
    cr_expect(!moments_agree(got.cv, got.cv_error, 1.06, 0.0));
}

Test(strat_traffic_arrivals, constant_gaps_do_not_drift)
{
    StratArrivals process = {.kind = STRAT_ARRIVALS_CONSTANT, .rate_per_s = 3.0};
    StratArrivalClock clock = strat_arrivals_start(&process, 1);
    for (int i = 0; i < 100000; i++)
        cr_assert_eq(strat_arrivals_next(&clock), i / 3.0);
}

Test(strat_traffic_arrivals, all_come_at_once_and_a_loop_starts_with_its_users)
{
    StratArrivals process = {.kind = STRAT_ARRIVALS_ALL_AT_ONCE};
    StratArrivalClock clock = strat_arrivals_start(&process, 1);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(strat_arrivals_next(&clock), 0.0);
    StratArrivals loop = {.kind = STRAT_ARRIVALS_CLOSED_LOOP, .concurrency = 3};
    clock = strat_arrivals_start(&loop, 1);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(strat_arrivals_next(&clock), 0.0);
    cr_expect(isinf(strat_arrivals_next(&clock)));
}

/* Arrivals in each of @count equal parts of the period @period_s, over @periods of them. */
static void count_by_part(const StratArrivals *process, double period_s, int periods, int count,
                          double *counted)
{
    StratArrivalClock clock = strat_arrivals_start(process, 5);
    for (;;) {
        double at = strat_arrivals_next(&clock);
        if (at >= period_s * periods)
            return;
        counted[(int)(fmod(at, period_s) / period_s * count)] += 1.0;
    }
}

Test(strat_traffic_arrivals, a_day_has_its_hours)
{
    double hourly[STRAT_ARRIVALS_HOURS];
    for (int i = 0; i < STRAT_ARRIVALS_HOURS; i++)
        hourly[i] = i < 12 ? 1.0 : 3.0;
    StratArrivals process = {
        .kind = STRAT_ARRIVALS_DIURNAL, .rate_per_s = 2.0, .period_s = 240.0, .hourly = hourly};
    double counted[STRAT_ARRIVALS_HOURS] = {0.0};
    count_by_part(&process, 240.0, 50, STRAT_ARRIVALS_HOURS, counted);
    for (int i = 0; i < STRAT_ARRIVALS_HOURS; i++) {
        double want = 50.0 * 10.0 * 2.0 * hourly[i] / 2.0;
        cr_expect(fabs(counted[i] - want) < 4.0 * sqrt(want), "hour %d: %g", i, counted[i]);
    }
}

Test(strat_traffic_arrivals, a_sinusoidal_day_peaks_where_it_is_told_to)
{
    StratArrivals process = {.kind = STRAT_ARRIVALS_DIURNAL,
                             .rate_per_s = 5.0,
                             .period_s = 100.0,
                             .amplitude = 0.8,
                             .peak_s = 30.0,
                             .start_s = 5.0};
    double counted[10] = {0.0};
    count_by_part(&process, 100.0, 100, 10, counted);
    for (int i = 0; i < 10; i++) {
        /* the mean of 1 + a cos(2 pi (t - p)) from t0 = i / 10 to t0 + 0.1, peak at 0.25 */
        double low = 2.0 * G_PI * (i / 10.0 - 0.25), high = low + 0.2 * G_PI;
        double want = 5000.0 * (1.0 + 0.8 * (sin(high) - sin(low)) / (0.2 * G_PI));
        cr_expect(fabs(counted[i] - want) < 4.0 * sqrt(want), "part %d: %g of %g", i, counted[i],
                  want);
    }
}

/* Variance over mean of the arrivals within windows of @window_s: 1 for a Poisson process. */
static double dispersion(const StratArrivals *process, double window_s, int windows, double *rate)
{
    StratArrivalClock clock = strat_arrivals_start(process, 2);
    double at = strat_arrivals_next(&clock), sum = 0.0, squares = 0.0;
    for (int i = 0; i < windows; i++) {
        double count = 0.0;
        for (; at < window_s * (i + 1); at = strat_arrivals_next(&clock))
            count += 1.0;
        sum += count / windows;
        squares += count * count / windows;
    }
    *rate = sum / window_s;
    return (squares - sum * sum) / sum;
}

Test(strat_traffic_arrivals, on_off_bursts_as_the_closed_form_says)
{
    /* Variance of the counts of a two-state process over a long window t (Fischer and
     * Meier-Hellstern 1993): 1 + 2 (r1 - r2)^2 p1 p2 / (m (q1 + q2)), less
     * (1 - e^-(q1 + q2) t) / ((q1 + q2) t) of the second term. */
    static const StratArrivals bursty[] = {
        {.kind = STRAT_ARRIVALS_ON_OFF, .rate_per_s = 10.0, .on_s = 2.0, .off_s = 6.0},
        { .kind = STRAT_ARRIVALS_ON_OFF,
         .rate_per_s = 10.0,
         .on_s = 2.0,
         .off_s = 6.0,
         .on_factor = 2.5},
    };
    static const double on_rate[] = {40.0, 25.0}, off_rate[] = {0.0, 5.0};
    for (size_t i = 0; i < G_N_ELEMENTS(bursty); i++) {
        double q = 1.0 / 2.0 + 1.0 / 6.0, t = 20.0, rate = 0.0;
        double gap = on_rate[i] - off_rate[i];
        double second = 2.0 * gap * gap * 0.25 * 0.75 / (10.0 * q);
        double want = 1.0 + second * (1.0 - (1.0 - exp(-q * t)) / (q * t));
        double got = dispersion(&bursty[i], t, 20000, &rate);
        cr_expect(fabs(rate - 10.0) < 4.0 * sqrt(10.0 * want / (20000.0 * t)), "rate %g", rate);
        cr_expect(fabs(got / want - 1.0) < 0.05, "%g, not %g", got, want); /* 4 sqrt(2 / n) = 4 % */
    }
}
