/* The tables of the hardware: GPU, node, cluster.
 *
 * A GPU row restates its datasheet: dense rates without sparsity, decimal units. A node says how
 * its GPUs reach each other (scale-up) and the fabric (NICs); both may be missing where they cannot
 * be used, a single GPU needs no scale-up network. A cluster is so many equal nodes, or nodes of two
 * kinds:
 *
 *   cluster: {node: dgx-h100, gpus: 64, mixed: {node: dgx-a100-80gb, gpus: 32}}   # 32 and 32 */
#include "scen_fields.h"
#include "topo_cluster.h"

const ScenName scen_dtype_names[] = {
    {"fp32", TOPO_DTYPE_FP32},
    {"tf32", TOPO_DTYPE_TF32},
    {"fp16", TOPO_DTYPE_FP16},
    {"bf16", TOPO_DTYPE_BF16},
    {"fp8",  TOPO_DTYPE_FP8 },
    {"fp4",  TOPO_DTYPE_FP4 },
    {NULL,   0              },
};

static const ScenName scale_ups[] = {
    {"nvswitch",        0},
    {"nvlink-mesh",     0},
    {"pcie",            0},
    {"infinity-fabric", 0},
    {NULL,              0},
};

#define PEAK(name, dtype)                                                                          \
    SCEN_FIELD(name, TopoGpu, peak_flop_per_s[dtype], SCEN_QUANTITY, .zero = true,                 \
               .dimension = SCEN_COMPUTE_FLOP_PER_S, .help = "dense rate, in FLOP/s")

static const ScenField peak_fields[] = {
    PEAK("fp32", TOPO_DTYPE_FP32), PEAK("tf32", TOPO_DTYPE_TF32), PEAK("fp16", TOPO_DTYPE_FP16),
    PEAK("bf16", TOPO_DTYPE_BF16), PEAK("fp8", TOPO_DTYPE_FP8),   PEAK("fp4", TOPO_DTYPE_FP4),
};

static const ScenTable peak_table = {
    .what = "peak",
    .fields = peak_fields,
    .count = G_N_ELEMENTS(peak_fields),
    .size = sizeof(TopoGpu),
};

#define GPU(key, member, of_kind, ...) SCEN_FIELD(key, TopoGpu, member, of_kind, __VA_ARGS__)

static const ScenField gpu_fields[] = {
    GPU("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    GPU("source", source, SCEN_TEXT, .help = "where the figures come from"),
    GPU("profile", profile, SCEN_TEXT, .fallback = "datasheet",
        .help = "kernel profile (default: datasheet, derived from the peaks)"),
    GPU("memory", memory_bytes, SCEN_QUANTITY, .required = true, .dimension = SCEN_DATA_BYTES,
        .help = "HBM capacity, in bytes"),
    GPU("memory_bandwidth", memory_bytes_per_s, SCEN_QUANTITY, .required = true,
        .dimension = SCEN_RATE_BYTES_PER_S, .help = "HBM bandwidth, in bytes/s"),
    SCEN_GROUP("peak", &peak_table, .required = true,
               .help = "dense rates by precision, in FLOP/s"),
    GPU("multiprocessors", multiprocessors, SCEN_INT, .required = true, .min = 1, .max = 1e5,
        .help = "SMs, or compute units"),
    GPU("boost_clock", boost_clock_hz, SCEN_QUANTITY, .required = true,
        .dimension = SCEN_FREQUENCY_HZ, .help = "boost clock, in Hz"),
    GPU("l2", l2_bytes, SCEN_QUANTITY, .zero = true, .dimension = SCEN_DATA_BYTES,
        .help = "last-level cache, in bytes"),
    GPU("power", power_w, SCEN_QUANTITY, .zero = true, .dimension = SCEN_POWER_W,
        .help = "board power limit, in W"),
};

const ScenTable scen_gpu_table = {
    .what = "gpu",
    .fields = gpu_fields,
    .count = G_N_ELEMENTS(gpu_fields),
    .size = sizeof(TopoGpu),
    .catalog = SCEN_CATALOG_GPU,
};

static void finish_node(ScenBinder *binder, const ScenNode *map, void *out)
{
    TopoNode *node = out;
    if (node->scale_up_gpus == 0)
        node->scale_up_gpus = node->gpus;
    const struct {
        const char *key;
        bool needed;
    } rows[] = {
        {"scale_up",           node->scale_up_gpus > 1},
        {"scale_up_bandwidth", node->scale_up_gpus > 1},
        {"scale_up_latency",   node->scale_up_gpus > 1},
        {"nic_bandwidth",      node->nics > 0         },
        {"nic_latency",        node->nics > 0         },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].needed && !scen_node_get(map, rows[i].key))
            scen_bind_fail(binder, map, rows[i].key, "missing key '%s' (%s)", rows[i].key,
                           scen_table_field(&scen_node_table, rows[i].key)->help);
}

#define NODE(key, member, of_kind, ...) SCEN_FIELD(key, TopoNode, member, of_kind, __VA_ARGS__)

static const ScenField node_fields[] = {
    NODE("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    NODE("source", source, SCEN_TEXT, .help = "where the figures come from"),
    NODE("gpu", gpu, SCEN_SECTION, .required = true, .table = &scen_gpu_table,
         .help = "the GPU of this node"),
    NODE("gpus", gpus, SCEN_INT, .required = true, .min = 1, .max = 1024, .help = "GPUs in a node"),
    NODE("scale_up", scale_up, SCEN_TEXT, .names = scale_ups, .help = "kind of scale-up network"),
    NODE("scale_up_gpus", scale_up_gpus, SCEN_INT, .min = 1, .max = 65536,
         .help = "GPUs of one scale-up domain, which may span nodes (default: gpus)"),
    NODE("scale_up_bandwidth", scale_up_bytes_per_s, SCEN_QUANTITY,
         .dimension = SCEN_RATE_BYTES_PER_S, .help = "per GPU and direction, in bytes/s"),
    NODE("scale_up_latency", scale_up_latency_s, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_TIME_S, .help = "one hop, hardware only, in s"),
    NODE("scale_up_protocols", scale_up_protocols, SCEN_SECTION, .fallback = "nvlink",
         .table = &scen_protocol_table, .help = "what collectives reach on the scale-up network"),
    NODE("scale_out_protocols", scale_out_protocols, SCEN_SECTION, .fallback = "rdma",
         .table = &scen_protocol_table, .help = "what collectives reach over the NICs"),
    NODE("nics", nics, SCEN_INT, .required = true, .max = 1024, .help = "scale-out NICs in a node"),
    NODE("nic_bandwidth", nic_bytes_per_s, SCEN_QUANTITY, .dimension = SCEN_RATE_BYTES_PER_S,
         .help = "per NIC and direction, in bytes/s"),
    NODE("nic_latency", nic_latency_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "one way, NIC to NIC, in s"),
    NODE("host_bandwidth", host_bytes_per_s, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_RATE_BYTES_PER_S, .help = "per GPU to the host, in bytes/s"),
    NODE("host_memory", host_memory_bytes, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_DATA_BYTES, .help = "DRAM of a node, in bytes"),
    NODE("host_memory_bandwidth", host_memory_bytes_per_s, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_RATE_BYTES_PER_S, .help = "of that DRAM, in bytes/s"),
    NODE("pageable_bandwidth", pageable_bytes_per_s, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_RATE_BYTES_PER_S,
         .help =
             "host memory that is not page-locked to a GPU, in bytes/s (default: host_bandwidth)"),
    NODE("pageable_write_bandwidth", pageable_write_bytes_per_s, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_RATE_BYTES_PER_S,
         .help = "a GPU into such memory, in bytes/s (default: host_bandwidth)"),
    NODE("host_attention_bandwidth", host_attention_bytes_per_s, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_RATE_BYTES_PER_S,
         .help = "16-bit KV cache that the CPU attends over, in bytes/s"),
    NODE("disk", disk_bytes, SCEN_QUANTITY, .zero = true, .dimension = SCEN_DATA_BYTES,
         .help = "of a node, in bytes"),
    NODE("disk_read", disk_read_bytes_per_s, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_RATE_BYTES_PER_S, .help = "of those disks together, in bytes/s"),
    NODE("disk_write", disk_write_bytes_per_s, SCEN_QUANTITY, .zero = true,
         .dimension = SCEN_RATE_BYTES_PER_S, .help = "of those disks together, in bytes/s"),
};

const ScenTable scen_node_table = {
    .what = "node",
    .fields = node_fields,
    .count = G_N_ELEMENTS(node_fields),
    .size = sizeof(TopoNode),
    .catalog = SCEN_CATALOG_NODE,
    .finish = finish_node,
};

static void finish_cluster(ScenBinder *binder, const ScenNode *map, void *out)
{
    TopoCluster *cluster = out;
    if (!scen_node_get(map, "nodes") && !scen_node_get(map, "gpus")) {
        scen_bind_fail(binder, map, "gpus", "missing key 'gpus' or 'nodes': how large is it?");
        return;
    }
    int64_t per_node = cluster->node.gpus;
    if (per_node == 0)
        return;
    if (cluster->gpu_count == 0)
        cluster->gpu_count = per_node * cluster->node_count;
    if (cluster->node_count == 0)
        cluster->node_count = (cluster->gpu_count + per_node - 1) / per_node;
}

#define MIXED(key, member, of_kind, ...) SCEN_FIELD(key, TopoMixed, member, of_kind, __VA_ARGS__)

static const ScenField mixed_fields[] = {
    MIXED("node", node, SCEN_SECTION, .required = true, .table = &scen_node_table,
          .help = "the other kind of node"),
    MIXED("gpus", gpus, SCEN_INT, .required = true, .min = 1, .max = 1e6,
          .help = "how many of the cluster's GPUs, the last ones, are in such nodes"),
};

static const ScenTable mixed_table = {
    .what = "mixed",
    .fields = mixed_fields,
    .count = G_N_ELEMENTS(mixed_fields),
    .size = sizeof(TopoMixed),
};

#define CLUSTER(key, member, of_kind, ...)                                                         \
    SCEN_FIELD(key, TopoCluster, member, of_kind, __VA_ARGS__)

static const ScenField cluster_fields[] = {
    CLUSTER("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    CLUSTER("source", source, SCEN_TEXT, .help = "where the figures come from"),
    CLUSTER("node", node, SCEN_SECTION, .required = true, .table = &scen_node_table,
            .help = "the node that the cluster repeats"),
    CLUSTER("nodes", node_count, SCEN_INT, .min = 1, .max = 1e6,
            .help = "nodes (default: as many as the GPUs need)"),
    CLUSTER("gpus", gpu_count, SCEN_INT, .min = 1, .max = 1e6,
            .help = "GPUs in use (default: all of the nodes)"),
    CLUSTER("mixed", mixed, SCEN_MAP, .table = &mixed_table,
            .help = "the last of them are in nodes of another kind"),
};

const ScenTable scen_cluster_table = {
    .what = "cluster",
    .fields = cluster_fields,
    .count = G_N_ELEMENTS(cluster_fields),
    .size = sizeof(TopoCluster),
    .catalog = SCEN_CATALOG_CLUSTER,
    .finish = finish_cluster,
};
