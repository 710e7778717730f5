/** What scales of fp8 cost. */
#ifndef STRAT_SCALING_H
#define STRAT_SCALING_H

#include "strat_plan.h"

/** Bytes that are moved to cast one element of an operand of 16 bits, for the products of forward
 *  and backward, to @bytes an element. */
double strat_scaling_cast_bytes(StratScaling scaling, double bytes);

/** Rate of products below 16 bits over that with one scale a tensor. */
double strat_scaling_rate(StratScaling scaling);

#endif
