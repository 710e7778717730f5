/*
 * The one crossing between the two worlds: cost models answer in double seconds, the engine counts
 * int64 nanoseconds.
 *
 *     ns = floor(s * 1e9 + 1/2)
 *
 * computed without that sum, which would itself round: 0.49999999999999994 + 0.5 is 1.0 in double.
 * The difference x - floor(x) is exact for every double, so the half is decided exactly on the
 * product. The product carries one rounding (relative 1.1e-16), which matters beyond 2^53 ns, that
 * is 104 days, where the double itself is coarser than a nanosecond.
 */
#include "sim_time.h"

#include <math.h>

#include "sim_error.h"

/* 2^63: the first double that int64_t cannot hold. */
static const double TOO_LATE_NS = 9223372036854775808.0;

bool sim_time_from_seconds(double s, SimTime *out, GError **error)
{
    double ns = s * (double)SIM_TIME_SECOND;
    if (isnan(s) || s < 0.0 || ns >= TOO_LATE_NS) {
        g_set_error(error, SIM_ERROR, SIM_ERROR_RANGE, "a time of %g s is not within 0 and %.3f s",
                    s, TOO_LATE_NS * 1e-9);
        return false;
    }
    double whole = floor(ns);
    *out = (SimTime)whole + (ns - whole >= 0.5 ? 1 : 0);
    return true;
}

SimTime sim_time_capped(double s)
{
    double ns = s * (double)SIM_TIME_SECOND;
    return ns < 0x1p62 ? (SimTime)llround(ns) : (SimTime)1 << 62;
}

SimTime sim_time_later(SimTime at, SimTime by)
{
    return by > SIM_TIME_MAX - at ? SIM_TIME_MAX : at + by;
}

double sim_time_to_seconds(SimTime time)
{
    return (double)time / (double)SIM_TIME_SECOND;
}
