/*
 * The crossing from double seconds to integer nanoseconds: halves go up, and what does not fit is
 * refused.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "sim_error.h"
#include "sim_time.h"

static const struct {
    double s;
    SimTime want;
} good[] = {
    {0.0,                    0                           },
    {-0.0,                   0                           },
    {1.0,                    1000000000                  },
    {0.49999999999999994e-9, 0                           },
    {0.5e-9,                 1                           },
    {1.5e-9,                 2                           },
    {2.4e-9,                 2                           },
    {13.8,                   INT64_C(13800000000)        },
    {5e-324,                 0                           },
    {4503599627.370497,      INT64_C(4503599627370497000)},
    {9223372036.854774,      INT64_C(9223372036854773760)},
};

Test(sim_time, rounds_to_the_nearest_ns_and_halves_upwards)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        SimTime got = -1;
        cr_expect(sim_time_from_seconds(good[i].s, &got, NULL), "case %zu", i);
        /* Beyond 2^53 ns the neighbouring doubles lie up to 1024 ns apart. */
        SimTime slack = good[i].want > (INT64_C(1) << 53) ? 1024 : 0;
        cr_expect(ABS(got - good[i].want) <= slack, "case %zu: %" G_GINT64_FORMAT, i, got);
    }
}

Test(sim_time, refuses_what_is_no_time)
{
    static const double bad[] = {NAN, -1e-12, -1.0, -INFINITY, INFINITY, 9223372036.854776, 1e300};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        SimTime got = 42;
        cr_expect(!sim_time_from_seconds(bad[i], &got, &error), "case %zu", i);
        cr_expect(g_error_matches(error, SIM_ERROR, SIM_ERROR_RANGE), "case %zu", i);
        cr_expect(got == 42, "case %zu: out was touched", i);
    }
}

Test(sim_time, comes_back_as_seconds)
{
    cr_expect(sim_time_to_seconds(1500000000) == 1.5);
    cr_expect(sim_time_to_seconds(0) == 0.0);
}

Test(sim_time, a_later_time_saturates)
{
    cr_expect_eq(sim_time_later(5, 7), 12);
    cr_expect_eq(sim_time_later(5, -7), -2);
    cr_expect_eq(sim_time_later(SIM_TIME_MAX - 1, 1), SIM_TIME_MAX);
    cr_expect_eq(sim_time_later(SIM_TIME_MAX - 1, 2), SIM_TIME_MAX);
    cr_expect_eq(sim_time_later(SIM_TIME_MAX, SIM_TIME_MAX), SIM_TIME_MAX);
}
