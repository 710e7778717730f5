/** Elementary functions that are the same bits on every machine. */
#ifndef SIM_MATH_H
#define SIM_MATH_H

/** Natural logarithm of @x, a positive normal number. */
double sim_math_log(double x);

/** e to the @x: infinite above 709.78, 0 below -708. */
double sim_math_exp(double x);

/** Logarithm of the gamma function of @x, which is above 0. */
double sim_math_log_gamma(double x);

/** Cosine of @turns full circles, which are fewer than 2^50. */
double sim_math_cos_turns(double turns);

#endif
