/** Arithmetic that the cost forms share. Arguments are finite and not negative. */
#ifndef KERN_JOIN_H
#define KERN_JOIN_H

#include <math.h>

/** fmax() and fmin() without their care for NaN: one instruction each. */
static inline double kern_larger(double a, double b)
{
    return a > b ? a : b;
}

static inline double kern_smaller(double a, double b)
{
    return a < b ? a : b;
}

/** base^exponent for a base above 0: twice as quick as pow(), whose last bits are not needed. */
static inline double kern_power(double base, double exponent)
{
    return exp2(exponent * log2(base));
}

/** (a^p + b^p)^(1/p): a + b at p = 1, the larger one when p is large. What adds less than 2^-40 of
 *  the larger one is dropped. */
static inline double kern_join(double a, double b, double p)
{
    double high = kern_larger(a, b), low = kern_smaller(a, b);
    if (low <= 0.0)
        return high;
    double bits = p * log2(low / high);
    return bits < -40.0 ? high : high * exp2(log2(1.0 + exp2(bits)) / p);
}

#endif
