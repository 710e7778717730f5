/*
 * The book of one link. Between two changes the use u (bytes/s) is constant, so
 *
 *     carried = sum of u * dt,   peak = max of u / C over dt > 0,   full = sum of dt with u = C,
 *
 * are exact but for rounding. Instants at which several changes follow each other count for
 * nothing, since no time passes. u is kept by adding and subtracting, so "u = C" has a tolerance,
 * and u is set to 0 when the last user has gone.
 *
 * A curve has a fixed number of intervals; when time runs past the last one, neighbours are added up
 * in pairs and each interval is twice as long. So it needs no length of the run beforehand, and what
 * it holds is exact: bytes carried in each.
 */
#include "topo_fluid_meter.h"

#include <math.h>

/* Relative; far above the rounding of sums of rates, far below anything to report. */
static const double FULL_TOLERANCE = 1e-6;

/* The first length of an interval, in ns; it doubles to whatever the run needs. */
enum { FIRST_INTERVAL_NS = 1024 };

/* Makes intervals of @curve twice as long. */
static void widen(TopoFluidCurve *curve)
{
    for (uint32_t i = 0; i < TOPO_FLUID_CURVE / 2; i++)
        curve->carried_bytes[i] = curve->carried_bytes[2 * i] + curve->carried_bytes[2 * i + 1];
    for (uint32_t i = TOPO_FLUID_CURVE / 2; i < TOPO_FLUID_CURVE; i++)
        curve->carried_bytes[i] = 0.0;
    curve->count = (curve->count + 1) / 2;
    curve->every_ns *= 2;
}

/* Enters @bytes_per_s from @from to @to, which is later. */
static void enter(TopoFluidMeter *meter, SimTime from, SimTime to, double bytes_per_s)
{
    if (!meter->curve) {
        meter->curve = g_new0(TopoFluidCurve, 1);
        meter->curve->every_ns = FIRST_INTERVAL_NS;
    }
    TopoFluidCurve *curve = meter->curve;
    while ((to - 1) / curve->every_ns >= TOPO_FLUID_CURVE)
        widen(curve);
    while (from < to) {
        SimTime interval = from / curve->every_ns;
        SimTime until = MIN(to, (interval + 1) * curve->every_ns);
        curve->carried_bytes[interval] += bytes_per_s * sim_time_to_seconds(until - from);
        curve->count = MAX(curve->count, (uint32_t)interval + 1);
        from = until;
    }
}

void topo_fluid_meter_advance(TopoFluidMeter *meter, SimTime now)
{
    SimTime passed = now - meter->since;
    meter->since = now;
    if (passed <= 0 || meter->users == 0)
        return;
    meter->carried += meter->usage * sim_time_to_seconds(passed);
    if (meter->keeps_curve && meter->usage > 0.0)
        enter(meter, now - passed, now, meter->usage);
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
