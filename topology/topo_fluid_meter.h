/** What passes over links, and who waits for them: the books of a fluid network. */
#ifndef TOPO_FLUID_METER_H
#define TOPO_FLUID_METER_H

#include "topo_fluid.h"

/** One link's book: piecewise constant use, integrated up to @since. */
typedef struct TopoFluidMeter {
    double capacity; /* bytes/s, now */
    double usage;    /* bytes/s, now */
    double carried;  /* bytes */
    double peak;     /* fraction of the capacity at the time */
    SimTime since;   /* all is accounted for up to here */
    SimTime full_ns; /* with nothing to spare */
    uint32_t users;  /* entries of transfers under way */
    bool keeps_curve;
    TopoFluidCurve *curve; /* NULL: not kept, or nothing carried; owned */
} TopoFluidMeter;

/** Brings @meter up to @now. */
void topo_fluid_meter_advance(TopoFluidMeter *meter, SimTime now);

/** @by more bytes/s (less, if negative) from @now on, of @users more entries. */
void topo_fluid_meter_change(TopoFluidMeter *meter, SimTime now, double by, int users);

#endif
