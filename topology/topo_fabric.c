/* The table of fabrics, their defaults and the checks that all of them share.
 *
 * Latency of one way from NIC to NIC, without cables, is 2 NIC passages plus a hop for each switch.
 * The catalog gives that sum for a path of three tiers, five switches (topology/catalog/nodes.yaml,
 * nic_latency), so by default
 *
 *   nic = min(0.3 us, sum / 4)          half of 0.6 us, ConnectX-6 product brief
 *   switch = (sum - 2 nic) / 5          InfiniBand: 0.14 us (Quantum QM8700 brief: 0.13 us)
 *
 * which contains forward error correction; whoever knows the switch without it gives both. (Sella,
 * Moore, Zilberman 2018, "FEC killed the cut-through switch": some 0.1 us a link.)
 *
 * Left out: storage, management and other networks beside the one that the GPUs talk through. */
#include "topo_fabric_build.h"

#include "sim_row.h"

#include <math.h>
#include <stdarg.h>

static const double nic_latency_s = 0.3e-6;          /* ConnectX-6 product brief, half a round */
static const double nic_latency_share = 0.25;        /* of a short sum: assumed */
static const double catalog_switches = 5.0;          /* on the path that nic_latency stands for */
static const double pcie_switch_latency_s = 0.15e-6; /* PEX88000 brief: about 0.1 us; assumed */
static const double cpu_latency_s = 0.5e-6;          /* root complex and socket link; assumed */
static const double socket_bytes_per_s = 62.4e9;     /* three UPI of 10.4 GT/s, 2 B each: Intel */
static const double node_length_m = 0.0;             /* contained in the catalog's latencies */
static const double leaf_length_m = 5.0;             /* lengths: a hall of rows of racks, assumed */
static const double spine_length_m = 30.0;
static const double core_length_m = 100.0;
static const int64_t switch_radix = 64; /* Quantum-2 QM9700: 64 ports of 400 Gb/s */

/* Rows of unequal fields, which version 14 cannot align. */
/* clang-format off */
static const TopoFabricKind kinds[] = {
    {.name = "single-switch",
     .source = "one crossbar",
     .parameters = "radix",
     .build = topo_fabric_build_single_switch},
    {.name = "leaf-spine",
     .source = "Clos 1953; Alizadeh, Edsall 2013, On the data path performance of leaf-spine",
     .parameters = "radix leaf_oversubscription nics_per_leaf",
     .build = topo_fabric_build_leaf_spine},
    {.name = "fat-tree",
     .source = "Al-Fares, Loukissas, Vahdat 2008, section 3",
     .parameters = "radix leaf_oversubscription spine_oversubscription nics_per_leaf "
                   "leaves_per_pod pods",
     .build = topo_fabric_build_fat_tree},
    {.name = "rail-optimised",
     .source = "NVIDIA DGX SuperPOD H100 reference architecture (RA-11333), compute fabric",
     .parameters = "radix leaf_oversubscription spine_oversubscription nics_per_leaf "
                   "leaves_per_pod pods",
     .build = topo_fabric_build_rail_optimised},
    {.name = "rail-only",
     .source = "Wang et al. 2023 (arXiv 2307.12169), section 4",
     .parameters = "radix leaf_oversubscription nics_per_leaf",
     .build = topo_fabric_build_rail_only},
    {.name = "dual-tor",
     .source = "Qian et al., Alibaba HPN, SIGCOMM'24, section 5, with one plane",
     .parameters = "radix leaf_oversubscription spine_oversubscription nics_per_leaf "
                   "leaves_per_pod pods",
     .build = topo_fabric_build_dual_tor},
    {.name = "dual-plane",
     .source = "Qian et al., Alibaba HPN, SIGCOMM'24, section 6",
     .parameters = "radix leaf_oversubscription spine_oversubscription nics_per_leaf "
                   "leaves_per_pod pods",
     .build = topo_fabric_build_dual_plane},
    {.name = "nvl72",
     .source = "NVIDIA GB200 NVL72 data sheet; DGX SuperPOD GB200 reference architecture",
     .parameters = "radix leaf_oversubscription spine_oversubscription nics_per_leaf "
                   "leaves_per_pod pods",
     .build = topo_fabric_build_nvl72},
    {.name = "dragonfly+",
     .source = "Shpiner et al. 2017, Dragonfly+: low cost topology for scaling datacenters",
     .parameters = "radix pods",
     .build = topo_fabric_build_dragonfly_plus},
    {.name = "torus-2d",
     .source = "Jouppi et al. 2020, A domain-specific supercomputer (TPU v2 and v3)",
     .parameters = "torus_dims",
     .build = topo_fabric_build_torus_2d},
    {.name = "torus-3d",
     .source = "Jouppi et al. 2023 (arXiv 2304.01433), TPU v4, section 2",
     .parameters = "torus_dims",
     .build = topo_fabric_build_torus_3d},
    {.name = "custom",
     .source = "the scenario",
     .parameters = "links",
     .build = topo_fabric_build_custom},
};
/* clang-format on */

const TopoFabricKind *topo_fabric_all(size_t *count)
{
    *count = G_N_ELEMENTS(kinds);
    return kinds;
}

const TopoFabricKind *topo_fabric_by_name(const char *name, GError **error)
{
    return sim_row_by_name(kinds, G_N_ELEMENTS(kinds), sizeof kinds[0], name, "fabric",
                           TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_UNKNOWN_NAME, error);
}

TopoFabricSpec topo_fabric_spec_default(const char *fabric, const TopoCluster *cluster)
{
    const TopoNode *node = &cluster->node;
    bool is_rack_scale = node->scale_up_gpus > node->gpus && node->gpus > 0;
    double nic_s = fmin(nic_latency_s, nic_latency_share * node->nic_latency_s);
    return (TopoFabricSpec){
        .fabric = fabric,
        .cluster = cluster,
        .radix = switch_radix,
        .leaf_oversubscription = 1.0,
        .spine_oversubscription = 1.0,
        .gpus_per_pcie_switch = is_rack_scale ? 1 : 2, /* C2C to each GPU; DGX A100 user guide */
        .sockets_per_node = 2,
        .nodes_per_rack = is_rack_scale ? node->scale_up_gpus / node->gpus : 4, /* SuperPOD H100 */
        .nic_latency_s = nic_s,
        .switch_latency_s = (node->nic_latency_s - 2.0 * nic_s) / catalog_switches,
        .fec_latency_s = 0.0,
        .pcie_switch_latency_s = pcie_switch_latency_s,
        .cpu_latency_s = cpu_latency_s,
        .socket_bytes_per_s = socket_bytes_per_s,
        .node_length_m = node_length_m,
        .leaf_length_m = leaf_length_m,
        .spine_length_m = spine_length_m,
        .core_length_m = core_length_m,
    };
}

bool topo_fabric_fail(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_PARAMETER, "fabric.%s", text);
    return false;
}

static bool check_counts(const TopoFabricSpec *spec, GError **error)
{
    const TopoCluster *cluster = spec->cluster;
    const TopoNode *node = &cluster->node;
    const struct {
        const char *name;
        int64_t value, least, most;
    } counts[] = {
        {"radix",                spec->radix,                2, 65536     },
        {"nics_per_leaf",        spec->nics_per_leaf,        0, 65536     },
        {"leaves_per_pod",       spec->leaves_per_pod,       0, 65536     },
        {"pods",                 spec->pods,                 0, 65536     },
        {"flows_per_pair",       spec->flows_per_pair,       0, 64        },
        {"gpus_per_pcie_switch", spec->gpus_per_pcie_switch, 1, 1024      },
        {"sockets_per_node",     spec->sockets_per_node,     1, 64        },
        {"nodes_per_rack",       spec->nodes_per_rack,       1, G_MAXINT32},
        {"cluster.node_count",   cluster->node_count,        1, 1 << 20   },
        {"cluster.node.gpus",    node->gpus,                 1, 1024      },
        {"cluster.node.nics",    node->nics,                 0, 1024      },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        if (counts[i].value < counts[i].least || counts[i].value > counts[i].most)
            return topo_fabric_fail(
                error,
                "%s %" G_GINT64_FORMAT ": must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                counts[i].name, counts[i].value, counts[i].least, counts[i].most);
    }
    int64_t room = node->gpus * cluster->node_count;
    if (cluster->gpu_count < 1 || cluster->gpu_count > room)
        return topo_fabric_fail(error,
                                "cluster.gpu_count %" G_GINT64_FORMAT
                                ": the nodes hold %" G_GINT64_FORMAT " GPUs",
                                cluster->gpu_count, room);
    return true;
}

static bool check_quantities(const TopoFabricSpec *spec, GError **error)
{
    const struct {
        const char *name;
        double value;
        bool may_be_zero;
    } quantities[] = {
        {"leaf_oversubscription",  spec->leaf_oversubscription,  false},
        {"spine_oversubscription", spec->spine_oversubscription, false},
        {"nic_latency_s",          spec->nic_latency_s,          true },
        {"switch_latency_s",       spec->switch_latency_s,       true },
        {"fec_latency_s",          spec->fec_latency_s,          true },
        {"pcie_switch_latency_s",  spec->pcie_switch_latency_s,  true },
        {"cpu_latency_s",          spec->cpu_latency_s,          true },
        {"socket_bytes_per_s",     spec->socket_bytes_per_s,     false},
        {"node_length_m",          spec->node_length_m,          true },
        {"leaf_length_m",          spec->leaf_length_m,          true },
        {"spine_length_m",         spec->spine_length_m,         true },
        {"core_length_m",          spec->core_length_m,          true },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(quantities); i++) {
        double value = quantities[i].value;
        if (!isfinite(value) || value < 0.0 || (!quantities[i].may_be_zero && value <= 0.0))
            return topo_fabric_fail(error, "%s %g: must be %s", quantities[i].name, value,
                                    quantities[i].may_be_zero ? "at least 0" : "above 0");
    }
    return true;
}

/* The most ports that a NIC has towards the network; 1 where there is none. */
static int64_t ports_of_nics(const TopoGraph *graph)
{
    int64_t most = 1;
    for (uint32_t i = 0; i < topo_graph_kind_count(graph, TOPO_VERTEX_NIC); i++) {
        TopoLinkSpan out = topo_graph_out(graph, topo_graph_find(graph, TOPO_VERTEX_NIC, i));
        int64_t ports = 0;
        for (size_t e = 0; e < out.count; e++) {
            uint32_t to = topo_graph_link(graph, out.ids[e])->to;
            ports += topo_graph_vertex(graph, to)->kind >= TOPO_VERTEX_LEAF;
        }
        most = MAX(most, ports);
    }
    return most;
}

/* What payload reaches at best over the scale-out wires of @node. */
static double payload_fraction(const TopoNode *node)
{
    double best = 0.0;
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++)
        best = MAX(best, node->scale_out_protocols.op[op].protocol[TOPO_PROTOCOL_SIMPLE].fraction);
    return best > 0.0 && best < 1.0 ? best : 1.0;
}

/* Ports of NICs, and of GPUs that are switches of their own, carry no more payload than the library
 * reaches on them alone, whoever shares them; the wires between switches are all payload's. */
static void set_payload(const TopoFabricSpec *spec, TopoFabric *fabric)
{
    double fraction = payload_fraction(&spec->cluster->node);
    for (uint32_t i = 0; i < topo_graph_link_count(fabric->graph); i++) {
        const TopoLink *link = topo_graph_link(fabric->graph, i);
        int from = topo_graph_vertex(fabric->graph, link->from)->kind;
        int to = topo_graph_vertex(fabric->graph, link->to)->kind;
        bool port = (from == TOPO_VERTEX_NIC && to >= TOPO_VERTEX_NIC) ||
                    (to == TOPO_VERTEX_NIC && from >= TOPO_VERTEX_NIC);
        bool torus = fabric->gpus_forward && from == TOPO_VERTEX_GPU && to == TOPO_VERTEX_GPU;
        if (port || torus)
            topo_graph_set_payload(fabric->graph, i, fraction);
    }
}

TopoFabric *topo_fabric_new(const TopoFabricSpec *spec, GError **error)
{
    const TopoFabricKind *kind = topo_fabric_by_name(spec->fabric, error);
    if (!kind || !check_counts(spec, error) || !check_quantities(spec, error))
        return NULL;
    g_autoptr(TopoFabric) fabric = g_new0(TopoFabric, 1);
    fabric->graph = topo_graph_new();
    if (!kind->build(spec, fabric, error))
        return NULL;
    fabric->gpu_count = (size_t)(spec->cluster->node.gpus * spec->cluster->node_count);
    fabric->gpus = g_new(uint32_t, fabric->gpu_count);
    for (size_t i = 0; i < fabric->gpu_count; i++)
        fabric->gpus[i] = topo_graph_find(fabric->graph, TOPO_VERTEX_GPU, (uint32_t)i);
    topo_graph_seal(fabric->graph);
    set_payload(spec, fabric);
    fabric->flows_per_pair =
        spec->flows_per_pair > 0 ? spec->flows_per_pair : ports_of_nics(fabric->graph);
    return g_steal_pointer(&fabric);
}

void topo_fabric_free(TopoFabric *fabric)
{
    if (!fabric)
        return;
    topo_graph_free(fabric->graph);
    g_free(fabric->gpus);
    g_free(fabric);
}
