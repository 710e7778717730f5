/** Arithmetic that the cost forms share, in line: a query of a form makes a dozen of these.
 *  Arguments are finite and not negative.
 *
 *  kern_log2() takes the exponent off and sums log2 m = 2 / ln 2 * atanh((m - 1) / (m + 1)), whose
 *  argument is at most 0.172, to its 13th power; kern_exp2() takes the whole number off and sums
 * the exponential series of the rest, at most 0.347, to its 9th power. What is cut off is below
 * 4e-12 and 1e-11 of the result, far below the error of any fit. Only +, -, *, / and bits of
 * binary64 enter, so that all compilers and machines agree to the last bit, as libm's do not
 * promise. */
#ifndef KERN_JOIN_H
#define KERN_JOIN_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/** fmax() and fmin() without their care for NaN: one instruction each. */
static inline double kern_larger(double a, double b)
{
    return a > b ? a : b;
}

static inline double kern_smaller(double a, double b)
{
    return a < b ? a : b;
}

/** Least whole number that is not below @x, which is below 2^63. */
static inline double kern_whole_up(double x)
{
    double whole = (double)(int64_t)x;
    return whole + (whole < x ? 1.0 : 0.0);
}

/** Binary logarithm; far below -1000 for 0. */
static inline double kern_log2(double x)
{
    static const double scale = 2.8853900817779268;      /* 2 / ln 2 */
    static const int64_t root_half = 0x3fe6a09e667f3bcd; /* bits of sqrt(1/2) */
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t power = (bits - root_half) >> 52;
    bits -= (int64_t)((uint64_t)power << 52);
    double m;
    memcpy(&m, &bits, sizeof m);
    double r = (m - 1.0) / (m + 1.0), z = r * r, zz = z * z;
    double series = ((1.0 + z * (1.0 / 3.0)) + zz * (1.0 / 5.0 + z * (1.0 / 7.0))) +
                    zz * zz * ((1.0 / 9.0 + z * (1.0 / 11.0)) + zz * (1.0 / 13.0));
    return (double)power + scale * r * series;
}

/** 2^@x for |@x| below 1000. */
static inline double kern_exp2(double x)
{
    static const double to_whole = 6755399441055744.0; /* 3 * 2^51: adding it rounds to whole */
    /* (ln 2)^k / k! */
    static const double c[10] = {1.0,
                                 0.69314718055994531,
                                 0.24022650695910072,
                                 0.055504108664821580,
                                 0.0096181291076284772,
                                 0.0013333558146428443,
                                 0.00015403530393381609,
                                 1.5252733804059841e-05,
                                 1.3215486790144309e-06,
                                 1.0178086009239699e-07};
    double whole = x + to_whole, f = x - (whole - to_whole), ff = f * f, f4 = ff * ff;
    double low = (c[0] + f * c[1]) + ff * (c[2] + f * c[3]);
    double high = (c[4] + f * c[5]) + ff * (c[6] + f * c[7]) + f4 * (c[8] + f * c[9]);
    double result = low + f4 * high;
    int64_t power, bits;
    memcpy(&power, &whole, sizeof power);
    memcpy(&bits, &result, sizeof bits);
    bits += (int64_t)((uint64_t)power << 52);
    memcpy(&result, &bits, sizeof result);
    return result;
}

/** base^exponent for a base above 0. */
static inline double kern_power(double base, double exponent)
{
    return kern_exp2(exponent * kern_log2(base));
}

/** What two costs take that overlap but for @loss (0 to 1) of the lesser one: the larger one at 0,
 *  the sum at 1, and smooth where they meet; the larger root of y^2 - (a + b) y + (1 - loss) a b.
 */
static inline double kern_join(double a, double b, double loss)
{
    double apart = a - b;
    return 0.5 * (a + b + sqrt(apart * apart + 4.0 * loss * a * b));
}

#endif
