/** Links that held transfers back: what a fluid network's books say after a run. */
#ifndef TOPO_HOT_LINK_H
#define TOPO_HOT_LINK_H

#include "topo_fluid.h"
#include "topo_graph.h"

enum { TOPO_WAITERS = 3 };

/** Who was held back by a link. */
typedef struct TopoWaiter {
    uint32_t who;    /* the number of a transfer, or of whoever owns it */
    double waited_s; /* summed over its runs */
    char *name;      /* NULL until somebody who knows them names it; owned */
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
    TopoFluidCurve *curve; /* what one of them carried over time; NULL: not kept; owned */
} TopoHotLink;

/** A run of TopoFluidSpec.links and whom its waits are of. */
typedef struct TopoHotRun {
    uint32_t first, count, who;
} TopoHotRun;

/** Links that bind alike. */
typedef struct TopoLinkClass {
    uint32_t link; /* of the graph: the first */
    int64_t alike;
} TopoLinkClass;

/** A run that is over; all is borrowed. */
typedef struct TopoHotBook {
    const TopoGraph *graph;
    const TopoFluid *fluid;
    const TopoFluidSpec *spec;    /* of @fluid */
    const TopoLinkClass *classes; /* each of its links; NULL: the graph's, each its own */
    const TopoHotRun *runs;       /* runs with one owner follow each other, or count as two */
    size_t run_count;
    double makespan_s;
} TopoHotBook;

/** The links that carried something (of TopoHotLink), by waited_s, then by load; the caller frees.
 */
GArray *topo_hot_links(const TopoHotBook *book);

#endif
