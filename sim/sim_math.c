/*
 * Elementary functions from + - * / alone, which IEEE 754 fixes. Those of the C library may differ
 * in the last bit from one processor to another (they pick variants with fused multiply-add at run
 * time), and what is drawn or scheduled by them would differ too.
 *
 * Logarithm: with x = m 2^e, m in [sqrt(1/2), sqrt(2)) and s = (m - 1) / (m + 1),
 *
 *     ln x = e ln 2 + 2 (s + s^3/3 + s^5/5 + ...),   |s| <= 0.1716
 *
 * where eleven terms leave 2e-18 relative to s. Exponential: x = k ln 2 + r, |r| <= 0.347, then the
 * series of e^r up to r^13, which leaves 4e-18; ln 2 is split in two so that k ln 2 is exact
 * (Cody and Waite 1980). Gamma: raised to x >= 16 by G(x) = G(x + 1) / x, then Stirling's series,
 *
 *     ln G(x) = (x - 1/2) ln x - x + ln(2 pi) / 2 + 1/(12 x) - 1/(360 x^3) + 1/(1260 x^5) - ...
 *
 * which after four terms leaves 1e-14. Cosine: turns less whole ones, folded into a quarter by
 * cos(pi - a) = -cos a, then 1 - a^2/2! + a^4/4! - ..., where twelve terms leave 1e-19.
 */
#include "sim_math.h"

#include <glib.h>
#include <math.h>

enum {
    LOG_TERMS = 11,
    EXP_TERMS = 13,
    COS_TERMS = 12,
};

static const double LN2_HIGH = 0x1.62e42fee00000p-1; /* 21 trailing zeros: times k is exact */
static const double LN2_LOW = 0x1.a39ef35793c76p-33;
static const double TWO_PI = 6.28318530717958647693;
static const double HALF_LN_2PI = 0.91893853320467274178;

double sim_math_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < G_SQRT2 / 2.0) {
        m *= 2.0;
        exponent--;
    }
    double s = (m - 1.0) / (m + 1.0);
    double square = s * s;
    double sum = 0.0;
    for (int i = LOG_TERMS; i >= 0; i--)
        sum = sum * square + 1.0 / (2 * i + 1);
    return exponent * G_LN2 + 2.0 * s * sum;
}

double sim_math_exp(double x)
{
    if (x > 709.78)
        return INFINITY;
    if (x < -708.0)
        return 0.0;
    double k = floor(x / G_LN2 + 0.5);
    double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    double sum = 1.0;
    for (int i = EXP_TERMS; i >= 1; i--)
        sum = 1.0 + sum * r / i;
    return ldexp(sum, (int)k);
}

double sim_math_log_gamma(double x)
{
    double below = 1.0;
    for (; x < 16.0; x += 1.0)
        below *= x;
    double inverse = 1.0 / x;
    double square = inverse * inverse;
    double series =
        inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
    return (x - 0.5) * sim_math_log(x) - x + HALF_LN_2PI + series - sim_math_log(below);
}

double sim_math_cos_turns(double turns)
{
    double part = fabs(turns - floor(turns + 0.5)); /* of a turn, 0 to 1/2 */
    double sign = part > 0.25 ? -1.0 : 1.0;
    double angle = TWO_PI * (part > 0.25 ? 0.5 - part : part);
    double sum = 0.0;
    for (int i = COS_TERMS; i > 0; i--)
        sum = (1.0 + sum) * -(angle * angle) / (2.0 * i * (2.0 * i - 1.0));
    return sign * (1.0 + sum);
}
