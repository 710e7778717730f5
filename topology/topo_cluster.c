/* Sizes of the number formats, and clusters of two kinds of nodes.
 *
 * A message between nodes of two kinds goes no faster than the slower end takes it, so that what
 * moves between kinds is priced on a node with the NICs of the kind whose node has less bandwidth,
 * the longer flight, and the scale-up network of the kind that has the slower one. A collective over
 * both kinds runs in step: its slowest member sets the pace.
 *
 * Left out: libraries that give slower NICs a smaller part of a collective. */
#include "topo_cluster.h"

#include <math.h>

double topo_dtype_bytes(TopoDtype dtype)
{
    static const double bytes[TOPO_DTYPE_COUNT] = {
        [TOPO_DTYPE_FP32] = 4.0, [TOPO_DTYPE_TF32] = 4.0, [TOPO_DTYPE_FP16] = 2.0,
        [TOPO_DTYPE_BF16] = 2.0, [TOPO_DTYPE_FP8] = 1.0,  [TOPO_DTYPE_FP4] = 0.5,
    };
    return bytes[dtype];
}

TopoKind topo_cluster_kind(const TopoCluster *cluster, int64_t gpu)
{
    int64_t first = cluster->node_count * cluster->node.gpus - cluster->mixed.gpus;
    return gpu >= first ? TOPO_KIND_SECOND : TOPO_KIND_FIRST;
}

static double nics_bytes_per_s(const TopoNode *node)
{
    return (double)node->nics * node->nic_bytes_per_s;
}

static TopoNode slower(const TopoNode *a, const TopoNode *b)
{
    TopoNode node = *a;
    if (nics_bytes_per_s(b) < nics_bytes_per_s(a)) {
        node.nics = b->nics;
        node.nic_bytes_per_s = b->nic_bytes_per_s;
        node.scale_out_protocols = b->scale_out_protocols;
    }
    if (b->scale_up_bytes_per_s < a->scale_up_bytes_per_s) {
        node.scale_up = b->scale_up;
        node.scale_up_bytes_per_s = b->scale_up_bytes_per_s;
        node.scale_up_protocols = b->scale_up_protocols;
    }
    node.nic_latency_s = fmax(a->nic_latency_s, b->nic_latency_s);
    node.scale_up_latency_s = fmax(a->scale_up_latency_s, b->scale_up_latency_s);
    return node;
}

const TopoCluster *topo_cluster_of_kind(const TopoCluster *cluster, TopoKind kind,
                                        TopoCluster *room)
{
    if (kind == TOPO_KIND_FIRST)
        return cluster;
    *room = *cluster;
    room->node = kind == TOPO_KIND_SECOND ? cluster->mixed.node
                                          : slower(&cluster->node, &cluster->mixed.node);
    room->mixed = (TopoMixed){.gpus = 0};
    return room;
}
