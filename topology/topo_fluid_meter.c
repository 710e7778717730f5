/*
 * The book of one link. Between two changes the use u (bytes/s) is constant, so
 *
 *     carried = sum of u * dt,   peak = max of u / C over dt > 0,   full = sum of dt with u = C,
 *
 * are exact but for rounding. Instants at which several changes follow each other count for
 * nothing, since no time passes. u is kept by adding and subtracting, so "u = C" has a tolerance,
 * and u is set to 0 when the last user has gone.
 */
#include "topo_fluid_meter.h"

#include <math.h>

/* Relative; far above the rounding of sums of rates, far below anything to report. */
static const double FULL_TOLERANCE = 1e-6;

void topo_fluid_meter_advance(TopoFluidMeter *meter, SimTime now)
{
    SimTime passed = now - meter->since;
    meter->since = now;
    if (passed <= 0 || meter->users == 0)
        return;
    meter->carried += meter->usage * sim_time_to_seconds(passed);
    if (isinf(meter->capacity))
        return;
    if (meter->usage >= meter->capacity * (1.0 - FULL_TOLERANCE))
        meter->full_ns += passed;
    if (meter->capacity > 0.0)
        meter->peak = fmax(meter->peak, meter->usage / meter->capacity);
}

void topo_fluid_meter_change(TopoFluidMeter *meter, SimTime now, double by, int users)
{
    topo_fluid_meter_advance(meter, now);
    meter->users = (uint32_t)((int64_t)meter->users + users);
    meter->usage = meter->users > 0 ? fmax(meter->usage + by, 0.0) : 0.0;
}
