/** Virtual time. */
#ifndef SIM_TIME_H
#define SIM_TIME_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** Virtual time, in ns since the start of the run, never negative: 292 years fit. */
typedef int64_t SimTime;

/** Nanoseconds in a second. */
#define SIM_TIME_SECOND INT64_C(1000000000)

/** The last instant that can be told. */
#define SIM_TIME_MAX INT64_MAX

/** Turns @s seconds into the nearest ns, halves upwards. Fails (SIM_ERROR_RANGE) on NaN, a negative
 *  number, or more than SIM_TIME_MAX; @out is then untouched. */
bool sim_time_from_seconds(double s, SimTime *out, GError **error);

/** @s seconds (not negative, not NaN) to the nearest ns, at most 2^62 (146 years): for durations
 * that are drawn or given, where never and very late are the same. */
SimTime sim_time_capped(double s);

/** @at (not negative) plus @by, at most SIM_TIME_MAX. */
SimTime sim_time_later(SimTime at, SimTime by);

/** Seconds of @time, for reports: rounded to a double, never fed back into the clock. */
double sim_time_to_seconds(SimTime time);

#endif
