/** Time finer than a nanosecond: sums of iterations are whole numbers, so a sum in closed form and
 *  one taken term by term are the same, bit by bit. */
#ifndef STRAT_FINE_H
#define STRAT_FINE_H

#include "sim_time.h"

/** Units of 2^-40 ns; 128 bits hold more than SimTime does. */
__extension__ typedef __int128 StratFine;

enum { STRAT_FINE_BITS = 40 };

static inline StratFine strat_fine_from_ns(SimTime ns)
{
    return (StratFine)ns << STRAT_FINE_BITS;
}

/** @s seconds, not negative, cut to a unit. */
static inline StratFine strat_fine_from_seconds(double s)
{
    return (StratFine)(s * ((double)SIM_TIME_SECOND * 0x1p40));
}

/** The whole nanoseconds in @fine: timestamps are cut, so nothing is seen before it happens by the
 *  clock of what caused it. */
static inline SimTime strat_fine_ns(StratFine fine)
{
    return (SimTime)(fine >> STRAT_FINE_BITS);
}

static inline double strat_fine_seconds(StratFine fine)
{
    return (double)fine / ((double)SIM_TIME_SECOND * 0x1p40);
}

#endif
