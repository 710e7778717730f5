/* DeepEP's kernels.
 *
 * Normal kernels dedupe: a token crosses once to the same rail of each domain that it visits and is
 * handed on inside (row expert-two-level). Low-latency kernels send one copy an expert straight to
 * its rank, over NVLink inside a domain and over the NIC otherwise (row expert-direct). With x the
 * expected bytes of the busiest port (topo_collective_expert.c),
 *
 *   time = base + ramp * x / (x + x0) + max(x inside / (f inside * NVLink),
 *                                           x out of a domain / (f across * its NICs))      [s]
 *
 * The two kinds of wire carry their parts at the same time, chunk by chunk. DeepEP prints
 * bandwidths over bytes that it counts itself: tokens times the domains (or, in one node, ranks)
 * that they visit, the sender's own included (tests/test_internode.py), so its RDMA figures can be
 * above the NIC's rate; compare times.
 *
 * Left out: the number of SMs given to the kernels (fits are for 20 and more), the layout kernel
 * and the exchange of counts before a dispatch, the 2 us that a low-latency combine of one or two
 * tokens takes more (17 % of it), imbalance between ranks beyond the routing's. */
#include "topo_protocol_expert.h"

#include <math.h>

bool topo_protocol_expert_s(const TopoExpertFit *fit, const TopoCollectiveCall *call,
                            const TopoCollectiveRates *rates, double *seconds, GError **error)
{
    const TopoAlgorithm *algorithm = topo_collective_by_name(fit->algorithm, error);
    TopoCollectiveCost cost;
    if (!algorithm || !topo_collective_cost(algorithm, call, &cost, error))
        return false;
    const TopoExpertTerm *term = call->op == TOPO_OP_COMBINE ? &fit->combine : &fit->dispatch;
    if (cost.domain_out_bytes > 0.0 && term->across_fraction <= 0.0) {
        g_set_error(error, TOPO_COLLECTIVE_ERROR, TOPO_COLLECTIVE_ERROR_NOT_APPLICABLE,
                    "the kernels '%s' were not measured between domains", fit->name);
        return false;
    }
    *seconds = 0.0;
    if (cost.port_bytes <= 0.0)
        return true;
    double inside_s = cost.inside_bytes / (term->inside_fraction * rates->inside_bytes_per_s);
    double across_s = 0.0;
    if (cost.domain_out_bytes > 0.0)
        across_s = cost.domain_out_bytes / (term->across_fraction * rates->domain_bytes_per_s);
    double ramp_s = term->ramp_s * cost.port_bytes / (cost.port_bytes + term->ramp_bytes);
    *seconds = term->base_s + ramp_s + fmax(inside_s, across_s);
    return true;
}
