/** Transfers laid over a fabric: who sends how much to whom, over which links. The one truth about
 *  routes that every network model with links reads. */
#ifndef TOPO_LAY_H
#define TOPO_LAY_H

#include "topo_fabric_change.h"
#include "topo_net.h"
#include "topo_price.h"
#include "topo_route.h"

/** Ranks of one group: @count of them, @stride (which may be negative) apart, from @first. */
typedef struct TopoRanks {
    int64_t first;
    int64_t stride;
    int64_t count;
} TopoRanks;

/** What is to be carried. All is borrowed. */
struct TopoTrafficSpec {
    const TopoCluster *cluster;
    const TopoFabric *fabric; /* NULL: the cluster's wires are all that is known */
    TopoRouter *router;
    const int64_t *gpu_of_rank; /* where each rank runs; NULL: rank r on GPU r */
    const TopoTransfer *transfers;
    size_t transfer_count;
    const TopoRanks *groups;       /* of all transfers, one run after the other */
    const uint32_t *group_ends;    /* of each transfer: where its run ends */
    TopoCrowd crowd;               /* whom the rate bounds allow for */
    const TopoLinkChange *changes; /* of links during the run, by time; routes stay as they are */
    size_t change_count;
    bool keeps_curves; /* hot links come with what they carried over time */
};

/** How a transfer goes when it is alone: it starts to move after its latency and then moves
 *  @bytes at no more than the bound. */
typedef struct TopoLoad {
    double bytes;                  /* of progress; 0: over after the latency */
    double latency_s;              /* software and flights together */
    double rate_bound_bytes_per_s; /* of progress; INFINITY for none */
} TopoLoad;

/** One edge of a transfer: while the transfer makes a byte of progress, @weight bytes go from one
 *  device to another over @links. */
typedef struct TopoEdge {
    uint32_t from, to; /* vertices */
    double weight;
    const uint32_t *links; /* borrowed for the call */
    guint link_count;
    double latency_s; /* of one bit over @links; part of the load's latency */
} TopoEdge;

typedef void (*TopoEdgeFunc)(void *ctx, const TopoEdge *edge);

/** Lays transfers one after another. Deterministic: the same transfers in the same order take the
 *  same links. */
typedef struct TopoLay TopoLay;

/** For @spec (borrowed). Free with topo_lay_free(). */
TopoLay *topo_lay_new(const TopoTrafficSpec *spec);
void topo_lay_free(TopoLay *lay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoLay, topo_lay_free)

/** Calls @visit(@ctx, edge) for every edge of transfer @index, of all its groups, and fills @load.
 *  False and @error when two devices cannot reach each other or the group cannot run it. */
bool topo_lay_transfer(TopoLay *lay, size_t index, TopoEdgeFunc visit, void *ctx, TopoLoad *load,
                       GError **error);

/** Weights of a transfer's edges summed by link. */
typedef struct TopoWeights {
    double *weight;  /* by link; 0 where nothing goes */
    GArray *touched; /* of uint32_t: links with weight, each once, as they came */
} TopoWeights;

/** Empty sums for the links of @graph; free with topo_weights_clear(). */
TopoWeights topo_weights_init(const TopoGraph *graph);
void topo_weights_clear(TopoWeights *weights);

/** A TopoEdgeFunc: adds @edge to @ctx, a TopoWeights. */
void topo_weights_add(void *ctx, const TopoEdge *edge);

/** Takes what link number @index of those touched carries. All are taken before the next transfer,
 *  whose sums begin after topo_weights_restart(). */
double topo_weights_take(TopoWeights *weights, guint index, uint32_t *link);
void topo_weights_restart(TopoWeights *weights);

#endif
