/* Alpha-beta: closed forms for one collective alone on its wires, no contention.
 *
 *   time = software + steps between domains * flight + bytes at the rate of the narrowest wire  [s]
 *
 * with the algorithm and protocol that the collective library takes (topo_price.c,
 * topo_protocol.c). The flight between two domains is the node's nic_latency, one way from NIC to
 * NIC. Where a node has fewer NICs than GPUs, each group gets its even share of them: the other
 * GPUs of the node are taken to be in like groups that run at once.
 *
 * Left out: sharing with anything else at the same time, oversubscription. */
#include "topo_net.h"
#include "topo_price.h"

#include <math.h>

double topo_net_alpha_beta_s(const TopoCluster *cluster, const TopoTransfer *transfer)
{
    TopoProtocolChoice choice;
    TopoCluster room;
    if (transfer->paced_s > 0.0)
        return transfer->paced_s;
    const TopoCluster *own = topo_cluster_of_kind(cluster, transfer->kind, &room);
    if (!topo_price(own, transfer, TOPO_CROWD_NODE, &choice, NULL))
        return INFINITY;
    return topo_price_s(&choice, own->node.nic_latency_s);
}
