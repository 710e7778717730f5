/* Alpha-beta: closed forms for one collective alone on its wires, no contention.
 *
 * A ring of n ranks moves x = f(n) bytes over every link, f = 2 (n-1)/n for an all-reduce and
 * (n-1)/n for an all-gather or reduce-scatter (Thakur, Rabenseifner, Gropp 2005, section 4; the
 * "bus bandwidth" of nccl-tests is x over time):
 *
 *   time = base + (hops) * hop + x / B + ramp * x / (x + ramp_bytes)
 *
 * base and hop are latencies of NCCL's small-message protocols; the ramp is what the change to the
 * bulk protocol and the filling of its pipeline add once messages are large.
 *
 * When the group spans several scale-up domains the same ring crosses NICs. With k ranks of the
 * group in each domain it enters and leaves the domain through k NIC shares at once, so
 *   B = min(B_up, k * nics / gpus * nic rate * fraction),
 * and latency counts the hops between domains; an all-reduce may use the double binary tree
 * instead, 2 log2(domains) hops (Sanders, Speck, Traeff 2009; NCCL 2.4), whichever is faster.
 *
 * Left out: sharing with anything else at the same time, oversubscription. */
#include "topo_net.h"

#include <math.h>

/* Bytes over every link of a ring, for each byte of the tensor. */
static double ring_factor(TopoCollectiveOp kind, double n)
{
    return (kind == TOPO_OP_ALL_REDUCE ? 2.0 : 1.0) * (n - 1.0) / n;
}

static double wire_fraction(const TopoWireFit *fit, TopoCollectiveOp kind)
{
    return kind == TOPO_OP_ALL_REDUCE ? fit->all_reduce_fraction : fit->gather_fraction;
}

/* Bytes per second that one rank may put through the NICs when @k of its group stand beside it. */
static double scale_out_rate(const TopoNode *node, double k)
{
    double nics = fmin((double)node->nics, k * (double)node->nics / (double)node->gpus);
    return nics * node->nic_bytes_per_s;
}

/* @bytes over a wire that @fit describes. */
static TopoTerms wire_terms(const TopoWireFit *fit, double bytes, double bytes_per_s, double hops)
{
    double ramp = fit->ramp_s * bytes / (bytes + fit->ramp_bytes);
    return (TopoTerms){fit->base_latency_s + hops * fit->hop_latency_s + ramp, hops, bytes,
                       bytes_per_s};
}

static TopoTerms send_terms(const TopoCluster *cluster, const TopoTransfer *t)
{
    const TopoNode *node = &cluster->node;
    bool up = t->ranks_per_domain > 1;
    const TopoWireFit *fit = up ? &node->scale_up_fit : &node->scale_out_fit;
    double rate = up ? node->scale_up_bytes_per_s : scale_out_rate(node, 1.0);
    double wire_s = up ? node->scale_up_latency_s : node->nic_latency_s;
    return (TopoTerms){wire_s + fit->hop_latency_s, 1.0, t->bytes, rate * fit->gather_fraction};
}

TopoTerms topo_net_terms(const TopoCluster *cluster, const TopoTransfer *t)
{
    if (t->ranks <= 1 || t->bytes <= 0.0)
        return (TopoTerms){.bytes_per_s = INFINITY};
    if (t->op == TOPO_OP_SEND)
        return send_terms(cluster, t);
    const TopoNode *node = &cluster->node;
    const TopoWireFit *up = &node->scale_up_fit, *out = &node->scale_out_fit;
    double n = (double)t->ranks, k = (double)t->ranks_per_domain;
    double bytes = ring_factor(t->op, n) * t->bytes;
    double up_rate = node->scale_up_bytes_per_s * wire_fraction(up, t->op);
    if (t->ranks <= t->ranks_per_domain)
        return wire_terms(up, bytes, up_rate, n - 1.0);
    double domains = ceil(n / k);
    double out_rate = scale_out_rate(node, k) * wire_fraction(out, t->op);
    double rate = k > 1.0 ? fmin(up_rate, out_rate) : out_rate;
    double passes = t->op == TOPO_OP_ALL_REDUCE ? 2.0 : 1.0;
    double hops = passes * (domains - 1.0);
    if (t->op == TOPO_OP_ALL_REDUCE)
        hops = fmin(hops, 2.0 * ceil(log2(domains)));
    return wire_terms(out, bytes, rate, hops);
}

double topo_net_alpha_beta_s(const TopoCluster *cluster, const TopoTransfer *t)
{
    TopoTerms terms = topo_net_terms(cluster, t);
    return terms.latency_s + terms.bytes / terms.bytes_per_s;
}
