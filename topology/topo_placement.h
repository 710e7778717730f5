/** Placement: which GPU of the cluster each rank of a job runs on. A slot is a GPU by number: those
 * of node 0 come first, and domains of the scale-up network are runs of slots. */
#ifndef TOPO_PLACEMENT_H
#define TOPO_PLACEMENT_H

#include "topo_cluster.h"

#include <glib.h>
#include <stddef.h>

/** What a job asks for. All is borrowed. */
typedef struct TopoPlacementSpec {
    const TopoCluster *cluster;
    const char *placement; /* row of topo_placement_all(); NULL: the first */
    int64_t ranks;         /* of the job, 1 or more */
    const bool *taken;     /* of each slot, by other jobs; NULL: none is */
    const int64_t *listed; /* custom only: the slot of every rank, */
    size_t listed_count;   /* and how many there are, */
    bool lists_nodes;      /* unless these are nodes, each with all its GPUs in order */
} TopoPlacementSpec;

/** The free slots of a cluster, in order; borrowed. */
typedef struct TopoSlots {
    const TopoCluster *cluster;
    const int64_t *free;
    size_t count;
} TopoSlots;

/** A placement. */
typedef struct TopoPlacement {
    const char *name;
    const char *source;
    /** Writes the slot of each of @ranks ranks, at most as many as there are free slots. Pure.
     * NULL: the job lists its slots. */
    void (*place)(const TopoSlots *slots, int64_t ranks, int64_t *gpu_of_rank);
} TopoPlacement;

/** All placements, the default first; @count receives how many. */
const TopoPlacement *topo_placement_all(size_t *count);

/** The placement called @name. NULL and @error, naming the known ones, when there is none. */
const TopoPlacement *topo_placement_by_name(const char *name, GError **error);

/** Slots of @cluster: the GPUs of all its nodes. */
int64_t topo_slot_count(const TopoCluster *cluster);

/** The slot of every rank, owned by the caller. NULL and @error when the job does not fit the free
 *  slots, or lists the wrong ones. */
int64_t *topo_place(const TopoPlacementSpec *spec, GError **error);

/** Whether every one of @ranks ranks runs on the GPU of its own number. */
bool topo_placement_is_identity(const int64_t *gpu_of_rank, int64_t ranks);

#endif
