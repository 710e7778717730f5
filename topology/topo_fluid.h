/** The fluid network: transfers that are under way at once share the links max-min fairly. Set up,
 *  handed to one sim_exec_run(), then read. */
#ifndef TOPO_FLUID_H
#define TOPO_FLUID_H

#include "sim_net.h"

/** One transfer: a flow, or all groups of a collective that run in step. */
typedef struct TopoFluidTransfer {
    double bytes;                  /* of progress; 0: over after the latency */
    double latency_s;              /* before the first byte; no link is used meanwhile */
    double rate_bound_bytes_per_s; /* INFINITY for none */
    double sharing_weight;         /* above 0; 1 unless it is to get more than others */
    uint32_t first, count;         /* its run in TopoFluidSpec.links and .weights */
} TopoFluidTransfer;

/** What there is: links, and the transfers that a program may begin, any of them again and again
 *  and at the same time. All is borrowed. */
typedef struct TopoFluidSpec {
    const double *capacity_bytes_per_s; /* of each link */
    uint32_t link_count;
    const TopoFluidTransfer *transfers;
    uint32_t transfer_count;
    const uint32_t *links; /* of all transfers, one run after the other */
    const double *weights; /* bytes on that link for each byte of progress */
    bool keeps_curves;     /* what links carry over time, for topo_fluid_curve() */
} TopoFluidSpec;

/** What a link did in a run. */
typedef struct TopoFluidLinkUse {
    double carried_bytes;
    double peak_fraction; /* of its capacity at the time, over any ns */
    double saturated_s;   /* with all of its capacity in use */
    double waited_s;      /* seconds that transfers were held back by it, summed over these */
    double lost_s;        /* of those, what they would have saved on healthy links of their own */
} TopoFluidLinkUse;

/** How long one entry of TopoFluidSpec.links held back the transfer it belongs to. */
typedef struct TopoFluidWait {
    double waited_s; /* the link was what held it back */
    double lost_s;   /* of those, what it would have saved on healthy links of its own */
} TopoFluidWait;

enum { TOPO_FLUID_CURVE = 512 };

/** What a link carried over time: in interval i, from i x @every_ns on, @carried_bytes[i]. */
typedef struct TopoFluidCurve {
    SimTime every_ns;
    uint32_t count; /* intervals up to the last with anything */
    double carried_bytes[TOPO_FLUID_CURVE];
} TopoFluidCurve;

typedef struct TopoFluid TopoFluid;

/** A network for one run, owned by the caller; @spec and all it points to must outlive it. Fails
 *  (SIM_ERROR_RANGE) on a latency that is not a time; other numbers out of range are a bug. */
TopoFluid *topo_fluid_new(const TopoFluidSpec *spec, GError **error);

/** The owner of the spec has written @transfer, which is not under way, anew, or added it at the
 * end of the transfers, and its links at the end of the links. Fails as topo_fluid_new(). */
bool topo_fluid_renew(TopoFluid *fluid, uint32_t transfer, GError **error);

/** Frees @fluid; NULL is fine. */
void topo_fluid_free(TopoFluid *fluid);

/** What sim_exec_run() wants; borrowed from @fluid. A transfer that stands still on a dead link
 *  that is never repaired is one that the net never answers. */
SimNet *topo_fluid_net(TopoFluid *fluid);

/** Sets the capacity of @link from @at on (ns, not in the past): 0 for a link that is down,
 *  less for one that is degraded, the old one again for one that was repaired. Any number of times,
 *  before the run or in it; of two at one instant the later call holds. */
void topo_fluid_set_capacity_at(TopoFluid *fluid, SimTime at, uint32_t link,
                                double capacity_bytes_per_s);

/** After the run: what each of the spec's links did, into @out, one each. */
void topo_fluid_link_uses(const TopoFluid *fluid, TopoFluidLinkUse *out);

/** After the run of a spec that keeps curves: that of @link, borrowed; NULL when it carried nothing.
 */
const TopoFluidCurve *topo_fluid_curve(const TopoFluid *fluid, uint32_t link);

/** After the run: the waits, one for each entry of the spec's links; borrowed. */
const TopoFluidWait *topo_fluid_waits(const TopoFluid *fluid);

/** How many times rates were computed anew, and for how many variables in all. */
uint64_t topo_fluid_solve_count(const TopoFluid *fluid);
uint64_t topo_fluid_solved_variables(const TopoFluid *fluid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoFluid, topo_fluid_free)

#endif
