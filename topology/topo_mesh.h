/** Scale-up networks without a switch: which GPUs of a domain are joined, and what a few of them
 *  have between themselves. */
#ifndef TOPO_MESH_H
#define TOPO_MESH_H

#include "topo_cluster.h"

/** Whether the GPUs of @node are joined in pairs: nvlink-mesh or infinity-fabric. */
bool topo_mesh_is(const TopoNode *node);

/** Share of its scale-up bandwidth that GPU @a of a domain of @node has to GPU @b, both from 0. */
double topo_mesh_share(const TopoNode *node, int64_t a, int64_t b);

/** Share of its scale-up bandwidth that a GPU of the worst-joined group of @count neighbours (GPUs
 *  0 to @count - 1, the next @count, and so on) has inside the group; 1 with a switch. */
double topo_mesh_group_share(const TopoNode *node, int64_t count);

#endif
