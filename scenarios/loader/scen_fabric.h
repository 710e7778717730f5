/** The scale-out network as a scenario describes it. */
#ifndef SCEN_FABRIC_H
#define SCEN_FABRIC_H

#include "topo_fabric_change.h"

/** A field that is 0 (or NULL) was left out: the fabric's default for the cluster stands. */
typedef struct ScenFabric {
    const char *kind;    /* row of topo_fabric_all(); NULL: the scenario says nothing */
    const char *routing; /* row of topo_route_all() */
    int64_t radix;
    double leaf_oversubscription;
    double spine_oversubscription;
    int64_t nics_per_leaf;
    int64_t leaves_per_pod;
    int64_t pods;
    int64_t reduces_under; /* ports down of switches that reduce; 0: they do not */
    int64_t flows_per_pair;
    int64_t torus_dims[3];
    int64_t nvlink_generation;
    int64_t gpus_per_pcie_switch;
    int64_t sockets_per_node;
    int64_t nodes_per_rack;
    double nic_latency_s;
    double switch_latency_s;
    double fec_latency_s;
    double pcie_switch_latency_s;
    double cpu_latency_s;
    double socket_bytes_per_s;
    double node_length_m;
    double leaf_length_m;
    double spine_length_m;
    double core_length_m;
    GArray *links;       /* of TopoFabricLink, of a custom fabric */
    GArray *health;      /* of TopoLinkHealth */
    GArray *faults;      /* of TopoLinkFault */
    GArray *moved_racks; /* of TopoRackMove */
} ScenFabric;

/** What @fabric is on @cluster: the default fabric where it says nothing, its kind's defaults, and
 *  what it gives. Borrows from both. */
TopoFabricSpec scen_fabric_spec(const ScenFabric *fabric, const TopoCluster *cluster);

/** What is not as ordered; borrows from @fabric. */
TopoFabricChanges scen_fabric_changes(const ScenFabric *fabric);

/** Frees the lists. */
void scen_fabric_clear(ScenFabric *fabric);

#endif
