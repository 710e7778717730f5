/* From a transfer of a plan to a call of the collective library.
 *
 *   time = software + steps between domains * flight + bytes at the rate of the narrowest wire
 *
 * The library takes the algorithm and protocol of the least predicted time (topo_protocol.c),
 * unless the transfer names its algorithm. Inside a domain every GPU has its own wire, of which a
 * group has what joins it (topo_mesh.c). A domain of
 * which the group holds k ranks leaves through as many NICs as these may use: alone, one each as
 * far as there are NICs; in a crowd, when the other GPUs of the node are in like groups that run at
 * once, the k-th part of them. The library gives all of them equal shares, so that the weakest of
 * a group sets its pace.
 *
 * Left out: more than one library, NICs of unlike rate, domains that hold unlike numbers of ranks
 * (the least counts). */
#include "topo_price.h"

#include "topo_mesh.h"

#include <math.h>

/* Bytes per second through the NICs that @k ranks of one node may use. */
static double scale_out_rate(const TopoNode *node, double k, TopoCrowd crowd)
{
    double nics = (double)node->nics, gpus = (double)node->gpus;
    double share = crowd == TOPO_CROWD_NODE ? k * nics / gpus : k * fmax(1.0, nics / gpus);
    return fmin(nics, share) * node->nic_bytes_per_s;
}

static bool reduces_in_domain(const TopoNode *node)
{
    return node->scale_up_protocols.op[TOPO_PROTOCOL_ALL_REDUCE].in_switch.fraction > 0.0;
}

TopoCollectiveCall topo_price_call(const TopoCluster *cluster, const TopoTransfer *transfer)
{
    return (TopoCollectiveCall){
        .op = transfer->op,
        .ranks = (uint32_t)transfer->ranks,
        .ranks_per_domain = (uint32_t)MAX(transfer->ranks_per_domain, 1),
        .bytes = transfer->bytes,
        .servers = transfer->servers,
        .switch_radix = (uint32_t)cluster->reducing_radix,
        .domain_reduces = reduces_in_domain(&cluster->node),
        .routing = transfer->routing,
    };
}

bool topo_price(const TopoCluster *cluster, const TopoTransfer *transfer, TopoCrowd crowd,
                TopoProtocolChoice *choice, GError **error)
{
    *choice = (TopoProtocolChoice){0};
    if (transfer->ranks <= 1 || transfer->bytes <= 0.0)
        return true;
    const TopoNode *node = &cluster->node;
    TopoCollectiveCall call = topo_price_call(cluster, transfer);
    TopoProtocolWires wires = {
        .inside = &node->scale_up_protocols,
        .across = &node->scale_out_protocols,
        .inside_bytes_per_s =
            node->scale_up_bytes_per_s * topo_mesh_group_share(node, call.ranks_per_domain),
        .domain_bytes_per_s = scale_out_rate(node, (double)call.ranks_per_domain, crowd),
    };
    if (transfer->nic_fraction > 0.0)
        wires.domain_bytes_per_s *= transfer->nic_fraction;
    if (transfer->algorithm)
        return topo_protocol_of(transfer->algorithm, &call, &wires, choice, error);
    return topo_protocol_choose(&call, &wires, choice, error);
}

double topo_price_s(const TopoProtocolChoice *choice, double flight_s)
{
    return choice->software_s + choice->steps_across * flight_s + choice->moving_s;
}
