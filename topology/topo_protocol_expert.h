/** How long the dispatch and the combine of an expert layer take over NVLink and NICs. See
 *  topo_protocol_expert.c. */
#ifndef TOPO_PROTOCOL_EXPERT_H
#define TOPO_PROTOCOL_EXPERT_H

#include "topo_collective.h"

/** One direction of a library's kernels, as fitted to measurements. */
typedef struct TopoExpertTerm {
    double base_s;          /* launch and first arrival */
    double ramp_s;          /* extra seconds of large messages: their pipeline's fill */
    double ramp_bytes;      /* bytes of a port at which half of @ramp_s is paid */
    double inside_fraction; /* of the scale-up rate that payload reaches */
    double across_fraction; /* of the NICs' rate; 0: not measured across domains */
} TopoExpertTerm;

/** A library's kernels. Strings are borrowed. */
typedef struct TopoExpertFit {
    const char *name;
    const char *source;
    const char *algorithm; /* row of topo_collective: expert-two-level or expert-direct */
    bool sorts;            /* rows arrive as the experts take them */
    TopoExpertTerm dispatch, combine;
} TopoExpertFit;

/** Seconds of @call, a DISPATCH or a COMBINE, alone on its wires; @rates gives rates only. Errors:
 *  as topo_collective_check(); a group across domains where the fit has no such figure. */
bool topo_protocol_expert_s(const TopoExpertFit *fit, const TopoCollectiveCall *call,
                            const TopoCollectiveRates *rates, double *seconds, GError **error);

#endif
