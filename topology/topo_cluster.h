/** The hardware as the scenario names it: a GPU, the node around it, how many there are. */
#ifndef TOPO_CLUSTER_H
#define TOPO_CLUSTER_H

#include "topo_protocol.h"

#include <stdbool.h>
#include <stdint.h>

/** Arithmetic of a GEMM's inputs; accumulation is fp32 throughout. */
typedef enum TopoDtype {
    TOPO_DTYPE_FP32,
    TOPO_DTYPE_TF32,
    TOPO_DTYPE_FP16,
    TOPO_DTYPE_BF16,
    TOPO_DTYPE_FP8,
    TOPO_DTYPE_FP4,
    TOPO_DTYPE_COUNT
} TopoDtype;

/** Bytes of one element of @dtype (0.5 for fp4). */
double topo_dtype_bytes(TopoDtype dtype);

/** One GPU, from its datasheet: dense rates, decimal units. Strings are borrowed. */
typedef struct TopoGpu {
    const char *name;
    const char *source;
    const char *profile;                      /* kernel profile, NULL: derived from this row */
    double memory_bytes;                      /* HBM capacity */
    double memory_bytes_per_s;                /* HBM bandwidth */
    double peak_flop_per_s[TOPO_DTYPE_COUNT]; /* dense, no sparsity; 0: not supported */
    int64_t multiprocessors;                  /* SMs (compute units on AMD) */
    double boost_clock_hz;
    double l2_bytes;
    double power_w; /* board power limit (TDP) */
} TopoGpu;

/** One node: GPUs behind a scale-up network (NVLink, PCIe) and NICs to the scale-out network. */
typedef struct TopoNode {
    const char *name;
    const char *source;
    TopoGpu gpu;
    int64_t gpus;                         /* GPUs in one node (one tray) */
    int64_t scale_up_gpus;                /* GPUs of one NVLink domain; may span nodes (NVL72) */
    const char *scale_up;                 /* kind of scale-up network: a row of topo_scale_up */
    double scale_up_bytes_per_s;          /* per GPU, one direction */
    double scale_up_latency_s;            /* one hop, hardware only */
    int64_t nics;                         /* scale-out NICs in one node */
    double nic_bytes_per_s;               /* per NIC, one direction */
    double nic_latency_s;                 /* one way, NIC to NIC through the fabric */
    TopoProtocolFits scale_up_protocols;  /* what the collective library reaches inside a domain */
    TopoProtocolFits scale_out_protocols; /* and between domains */
    double host_bytes_per_s;              /* per GPU over PCIe or C2C, one direction */
    double host_memory_bytes;             /* DRAM of one node */
    double host_memory_bytes_per_s;       /* of that DRAM; 0: nobody said */
    double pageable_bytes_per_s;          /* host memory that is not page-locked, to a GPU; 0: the
                                             link's rate */
    double pageable_write_bytes_per_s;    /* from a GPU into such memory; 0: likewise */
    double host_attention_bytes_per_s;    /* of a 16-bit KV cache in DRAM that the CPU attends over;
                                             0: nobody measured it */
    double disk_bytes;                    /* of one node; 0: none */
    double disk_read_bytes_per_s, disk_write_bytes_per_s;
} TopoNode;

/** Nodes of another kind at the end of a cluster: as many GPUs in a node and in a scale-up domain
 *  as the others have. */
typedef struct TopoMixed {
    TopoNode node;
    int64_t gpus; /* whole nodes; 0: all nodes of the cluster are equal */
} TopoMixed;

/** Which nodes something is of. */
typedef enum TopoKind {
    TOPO_KIND_FIRST,   /* those of TopoCluster.node */
    TOPO_KIND_SECOND,  /* those of TopoCluster.mixed */
    TOPO_KIND_BETWEEN, /* both: what goes from one to the other */
} TopoKind;

/** The cluster of a scenario: @node_count nodes on one full-bisection fabric. */
typedef struct TopoCluster {
    const char *name;
    const char *source;
    TopoNode node;
    TopoMixed mixed; /* the last nodes, where they are not as the first */
    int64_t node_count;
    int64_t gpu_count;      /* GPUs in use; at most node.gpus * node_count */
    int64_t reducing_radix; /* ports down of network switches that reduce (SHARP); 0: none do */
} TopoCluster;

/** The kind of the node that @gpu of @cluster is in; first or second. */
TopoKind topo_cluster_kind(const TopoCluster *cluster, int64_t gpu);

/** @cluster as if all its nodes were of @kind, @room or itself: between kinds, with the slower NICs
 *  and the slower scale-up network of the two. @cluster is borrowed. */
const TopoCluster *topo_cluster_of_kind(const TopoCluster *cluster, TopoKind kind,
                                        TopoCluster *room);

#endif
