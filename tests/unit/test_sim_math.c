/* Elementary functions against those of the C library, which are right to the last bit or two. */
#include "sim_math.h"

#include <criterion/criterion.h>
#include <float.h>
#include <glib.h>
#include <math.h>

static bool is_near(double got, double want, double relative)
{
    return fabs(got - want) <= relative * fabs(want);
}

Test(sim_math, the_logarithm_is_right_over_the_whole_range)
{
    for (double x = 1e-300; x < 1e300; x *= 1.37)
        cr_expect(is_near(sim_math_log(x), log(x), 4 * DBL_EPSILON), "ln %g", x);
    for (double x = 0.5; x < 2.0; x += 0.001)
        cr_expect(fabs(sim_math_log(x) - log(x)) <= 2 * DBL_EPSILON, "ln %g", x);
}

Test(sim_math, the_exponential_is_right_over_the_whole_range)
{
    for (double x = -707.0; x < 709.0; x += 0.173)
        cr_expect(is_near(sim_math_exp(x), exp(x), 4 * DBL_EPSILON), "exp %g", x);
    cr_expect_eq(sim_math_exp(0.0), 1.0);
    cr_expect_eq(sim_math_exp(-800.0), 0.0);
    cr_expect(isinf(sim_math_exp(710.0)));
}

Test(sim_math, the_gamma_function_is_right_where_weibull_asks)
{
    for (double x = 1.001; x < 60.0; x += 0.0371)
        cr_expect(fabs(sim_math_log_gamma(x) - lgamma(x)) <= 1e-13 * fmax(1.0, lgamma(x)), "x %g",
                  x);
    cr_expect(fabs(sim_math_log_gamma(5.0) - log(24.0)) < 1e-13);
    cr_expect(fabs(sim_math_log_gamma(0.5) - 0.5 * log(G_PI)) < 1e-13);
}

Test(sim_math, the_cosine_of_turns_is_right_all_around)
{
    for (double x = -3.0; x < 3.0; x += 0.00137)
        cr_expect(fabs(sim_math_cos_turns(x) - cos(2.0 * G_PI * x)) <= 4e-15, "x %g", x);
    cr_expect_eq(sim_math_cos_turns(0.0), 1.0);
    cr_expect_eq(sim_math_cos_turns(1e6 + 0.5), -1.0);
    cr_expect(fabs(sim_math_cos_turns(0.25)) < 1e-16);
}
