/** Fabrics by name: from a cluster and a few parameters to the graph of everything that carries its
 *  bytes. One row of a table each. */
#ifndef TOPO_FABRIC_H
#define TOPO_FABRIC_H

#include "topo_cluster.h"
#include "topo_devices.h"
#include "topo_graph.h"

/** Wires of a custom fabric, all alike: one, or one for each pair of two sets of devices. Devices
 * of the nodes are numbered over the cluster; a switch or storage exists from its first mention on,
 *  and its numbers leave no gap. */
typedef struct TopoFabricLink {
    const char *from, *to;  /* "nic/3", "leaf/0..7": see topo_devices.h */
    double bytes_per_s;     /* of each, one direction, above 0 */
    double latency_s;       /* of the sending device, either way; at least 0; NAN: as the spec has
                               it for a device of that kind */
    double length_m;        /* at least 0; NAN: as the spec has it for that tier */
    double health_fraction; /* 0 to 1; a spelled-out 1 is a healthy link */
    bool one_way;           /* no link back */
    TopoPairing pairing;
} TopoFabricLink;

/** What a fabric is built from. Fill with topo_fabric_spec_default(), then change what differs.
 *  Everything here is borrowed. Rates of network ports are those of the cluster's NICs. */
typedef struct TopoFabricSpec {
    const char *fabric;            /* row of topo_fabric_all() */
    const TopoCluster *cluster;    /* nodes, GPUs, NICs and their rates */
    int64_t radix;                 /* ports of every network switch, at NIC port rate */
    double leaf_oversubscription;  /* rate down over rate up at a leaf; 1: non-blocking */
    double spine_oversubscription; /* likewise at a spine with cores above */
    int64_t nics_per_leaf;         /* ports down of a leaf; 0: as radix and oversubscription say */
    int64_t leaves_per_pod;        /* ports down of a spine with cores above; 0: likewise */
    int64_t pods;                  /* pods (dragonfly+: groups) to spread over; 0: as few as fit */
    int64_t flows_per_pair;        /* ways that a pair of GPUs uses; 0: ports of a NIC */
    int64_t torus_dims[3];         /* x, y, z; product: GPUs. 0: as near to a cube as possible */
    int64_t nvlink_generation;     /* 2-5: each NVSwitch is drawn; 0: those of a domain are one */
    int64_t gpus_per_pcie_switch;
    int64_t sockets_per_node;
    int64_t nodes_per_rack;
    double nic_latency_s;         /* each passage of a NIC */
    double switch_latency_s;      /* each passage of a network switch */
    double fec_latency_s;         /* each network link, on top of the sender's latency */
    double pcie_switch_latency_s; /* each passage of a PCIe switch */
    double cpu_latency_s;         /* each passage of a CPU socket */
    double socket_bytes_per_s;    /* between CPU sockets, one direction */
    double node_length_m;         /* of wires inside a node or NVLink domain */
    double leaf_length_m;         /* NIC to leaf; torus: GPU to GPU */
    double spine_length_m;        /* leaf to spine */
    double core_length_m;         /* spine to core; dragonfly+: group to group */
    const TopoFabricLink *links;  /* custom only */
    size_t link_count;
} TopoFabricSpec;

/** A built fabric. */
typedef struct TopoFabric {
    TopoGraph *graph;       /* sealed */
    uint32_t *gpus;         /* vertex of each GPU of the cluster */
    size_t gpu_count;       /* of all nodes, idle ones too */
    bool gpus_forward;      /* GPUs pass the traffic of others on, as in a torus */
    int64_t flows_per_pair; /* sub-flows between two GPUs of different nodes, at least 1 */
} TopoFabric;

/** A kind of fabric. */
typedef struct TopoFabricKind {
    const char *name;
    const char *source;
    const char *parameters; /* fields of TopoFabricSpec that it reads, besides the common ones */
    /** Fills @fabric, whose graph and GPUs exist; see topo_fabric_build.h. */
    bool (*build)(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
} TopoFabricKind;

/** All kinds; @count receives how many. */
const TopoFabricKind *topo_fabric_all(size_t *count);

/** The kind called @name. NULL and @error, naming the known ones, when there is none. */
const TopoFabricKind *topo_fabric_by_name(const char *name, GError **error);

/** Defaults for @fabric on @cluster (both borrowed); their sources are in topo_fabric.c. */
TopoFabricSpec topo_fabric_spec_default(const char *fabric, const TopoCluster *cluster);

/** Whether wire @index of @spec, a custom one, makes sense by itself: numbers, names, GPUs and NICs
 *  that the cluster has, sizes of the sets. False and @error otherwise. */
bool topo_fabric_check_link(const TopoFabricSpec *spec, size_t index, GError **error);

/** Builds what @spec says. NULL and @error, naming parameter, value and what would fit, when it
 *  cannot be built. Free with topo_fabric_free(). */
TopoFabric *topo_fabric_new(const TopoFabricSpec *spec, GError **error);
void topo_fabric_free(TopoFabric *fabric);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoFabric, topo_fabric_free)

#endif
