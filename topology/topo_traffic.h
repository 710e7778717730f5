/** The traffic of a program on a fabric: every transfer, of all the groups that run it at once,
 * laid over the links that it crosses, for the fluid network to share out. */
#ifndef TOPO_TRAFFIC_H
#define TOPO_TRAFFIC_H

#include "topo_lay.h"

enum { TOPO_WAITERS = 3 };

/** Who was held back by a link. */
typedef struct TopoWaiter {
    uint32_t transfer;
    double waited_s; /* summed over its runs */
    char *name;      /* NULL until somebody who knows the program names it; owned */
} TopoWaiter;

/** A link, or as many as carry exactly the same. */
typedef struct TopoHotLink {
    char *name;              /* "nic/3 -> leaf/0", of the first; owned */
    int64_t alike;           /* links that carry the same */
    double bytes_per_s;      /* rate of one */
    double carried_fraction; /* of what it could have carried over the run */
    double saturated_s;
    double waited_s; /* it, and not their own rate, held transfers back; summed over them */
    double lost_s;   /* of that, what they lost to other transfers; the rest to their own groups */
    TopoWaiter waiters[TOPO_WAITERS]; /* who waited longest, in this order */
    uint32_t waiter_count;
} TopoHotLink;

/** The fluid network's TopoNetRun. @hot_links receives TopoHotLink by waited_s, then by load. */
SimRun *topo_traffic_run(const SimProgram *p, const TopoTrafficSpec *spec, GArray **hot_links,
                         GError **error);

#endif
