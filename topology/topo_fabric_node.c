/* The inside of a node: how its GPUs reach each other, the host and the NICs.
 *
 * Scale-up network, by TopoNode.scale_up:
 *   nvswitch         GPU - NVSwitch - GPU, non-blocking (Ishii, Foley 2018, Hot Chips 30). The
 *                    switches of a domain carry every pair's traffic in equal shares, so one vertex
 *                    stands for all, or each is drawn (nvlink_generation) to break one of them.
 *                    A domain may span nodes (NVL72).
 *   nvlink-mesh      pairs (topo_mesh.c)
 *   infinity-fabric  likewise
 *   pcie             nothing but PCIe.
 * Beside it, for all: GPUs and NICs on PCIe switches, these on CPU sockets, sockets joined. A PCIe
 * switch has one uplink of the host rate, as in DGX A100 (user guide, system topology). GPU and NIC
 * ports are at least as fast as the NICs, because GPUs that outgrow the host's PCIe bring NICs that
 * switch PCIe themselves (ConnectX-8).
 *
 * The whole latency of a scale-up hop is at the switch. Left out: the GPU's own share of it, host
 * memory as a vertex, NVLink between Grace CPUs. */
#include "topo_fabric_build.h"
#include "topo_mesh.h"

#include <math.h>

/* NVLink generations: how many switches stand between the GPUs of one domain. */
static const struct {
    int64_t generation;
    int64_t switches;            /* in a node */
    int64_t rack_scale_switches; /* in a domain that spans nodes; 0: there is none */
    const char *source;
} nvlinks[] = {
    {2, 6, 0,  "DGX-2: six NVSwitch a baseboard, one of 25 GB/s to each GPU (Hot Chips 30)" },
    {3, 6, 0,  "DGX A100: six NVSwitch, two of twelve links to each (A100 whitepaper)"      },
    {4, 4, 0,  "DGX H100: four NVSwitch, four or five of 18 links to each (H100 whitepaper)"},
    {5, 2, 18, "HGX B200: two NVSwitch; GB200 NVL72: 18, one link of each GPU to each"      },
};

/* First vertices and counts of what a build adds; ids of one kind are consecutive. */
typedef struct Parts {
    const TopoFabricSpec *spec;
    const TopoNode *node;
    TopoGraph *graph;
    int64_t nodes;
    int64_t pcie_switches, sockets; /* a node */
    uint32_t gpu, nic, pcie, cpu;   /* first of each */
    double port_bytes_per_s;        /* of a GPU or NIC on a PCIe switch */
} Parts;

static uint32_t add_kind(Parts *parts, TopoVertexKind kind, int64_t per_node)
{
    uint32_t first = topo_graph_vertex_count(parts->graph);
    for (int64_t n = 0; n < parts->nodes; n++) {
        for (int64_t i = 0; i < per_node; i++) {
            bool has_rail = kind == TOPO_VERTEX_GPU || kind == TOPO_VERTEX_NIC;
            topo_graph_add_vertex(parts->graph,
                                  (TopoVertex){
                                      .kind = (uint8_t)kind,
                                      .rail = (uint16_t)(has_rail ? i : 0),
                                      .pod = -1,
                                      .rack = (int32_t)(n / parts->spec->nodes_per_rack),
                                  });
        }
    }
    return first;
}

static void join(const Parts *parts, int64_t a, int64_t b, double bytes_per_s, double latency_s,
                 double back_latency_s)
{
    topo_graph_add_duplex(parts->graph,
                          (TopoLink){.from = (uint32_t)a,
                                     .to = (uint32_t)b,
                                     .bytes_per_s = bytes_per_s,
                                     .latency_s = latency_s,
                                     .length_m = parts->spec->node_length_m,
                                     .health_fraction = 1.0},
                          back_latency_s);
}

static bool switches_of_domain(const Parts *parts, int64_t *switches, GError **error)
{
    int64_t generation = parts->spec->nvlink_generation;
    bool is_rack_scale = parts->node->scale_up_gpus > parts->node->gpus;
    *switches = 1;
    if (generation == 0)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(nvlinks); i++) {
        if (nvlinks[i].generation != generation)
            continue;
        *switches = is_rack_scale ? nvlinks[i].rack_scale_switches : nvlinks[i].switches;
        if (*switches > 0)
            return true;
    }
    return topo_fabric_fail(error, "nvlink_generation %" G_GINT64_FORMAT ": must be %s", generation,
                            is_rack_scale ? "5 for a domain that spans nodes, or 0"
                                          : "2, 3, 4 or 5, or 0 for one switch a domain");
}

static bool add_nvswitches(Parts *parts, GError **error)
{
    int64_t size = parts->node->scale_up_gpus, gpus = parts->nodes * parts->node->gpus, per_domain;
    if (!switches_of_domain(parts, &per_domain, error))
        return false;
    for (int64_t first = 0; first < gpus; first += size) {
        for (int64_t s = 0; s < per_domain; s++) {
            uint32_t hub = topo_graph_add_vertex(
                parts->graph, (TopoVertex){.kind = TOPO_VERTEX_NVSWITCH,
                                           .pod = -1,
                                           .rack = (int32_t)(first / parts->node->gpus /
                                                             parts->spec->nodes_per_rack)});
            for (int64_t g = first; g < MIN(first + size, gpus); g++)
                join(parts, parts->gpu + g, hub,
                     parts->node->scale_up_bytes_per_s / (double)per_domain, 0.0,
                     parts->node->scale_up_latency_s);
        }
    }
    return true;
}

static void add_mesh(Parts *parts)
{
    int64_t size = parts->node->scale_up_gpus, gpus = parts->nodes * parts->node->gpus;
    double rate = parts->node->scale_up_bytes_per_s, latency_s = parts->node->scale_up_latency_s;
    for (int64_t first = 0; first < gpus; first += size) {
        for (int64_t a = 0; a < size; a++) {
            for (int64_t b = a + 1; b < size; b++) {
                double share = topo_mesh_share(parts->node, a, b);
                if (share > 0.0)
                    join(parts, parts->gpu + first + a, parts->gpu + first + b, share * rate,
                         latency_s, latency_s);
            }
        }
    }
}

static bool add_scale_up(Parts *parts, GError **error)
{
    const TopoNode *node = parts->node;
    int64_t size = node->scale_up_gpus;
    if (size <= 1 || g_strcmp0(node->scale_up, "pcie") == 0)
        return true;
    if (size % node->gpus != 0 && node->gpus % size != 0)
        return topo_fabric_fail(error,
                                "cluster.node.scale_up_gpus %" G_GINT64_FORMAT
                                ": must divide or be a multiple of the node's %" G_GINT64_FORMAT,
                                size, node->gpus);
    if (node->scale_up_bytes_per_s <= 0.0)
        return topo_fabric_fail(error, "cluster.node.scale_up_bytes_per_s %g: must be above 0",
                                node->scale_up_bytes_per_s);
    if (g_strcmp0(node->scale_up, "nvswitch") == 0)
        return add_nvswitches(parts, error);
    if (!topo_mesh_is(node))
        return topo_fabric_fail(error,
                                "cluster.node.scale_up '%s': must be nvswitch, nvlink-mesh, "
                                "infinity-fabric or pcie",
                                node->scale_up ? node->scale_up : "");
    if (size > node->gpus)
        return topo_fabric_fail(error,
                                "cluster.node.scale_up_gpus %" G_GINT64_FORMAT
                                ": a mesh does not leave the node of %" G_GINT64_FORMAT,
                                size, node->gpus);
    add_mesh(parts);
    return true;
}

static void add_host(Parts *parts)
{
    const TopoNode *node = parts->node;
    const TopoFabricSpec *spec = parts->spec;
    int64_t w = parts->pcie_switches, sockets = parts->sockets;
    double pcie_s = spec->pcie_switch_latency_s, cpu_s = spec->cpu_latency_s;
    double uplink = node->host_bytes_per_s > 0.0 ? node->host_bytes_per_s : parts->port_bytes_per_s;
    for (int64_t n = 0; n < parts->nodes; n++) {
        int64_t pcie = parts->pcie + n * w, cpu = parts->cpu + n * sockets;
        for (int64_t g = 0; g < node->gpus; g++)
            join(parts, parts->gpu + n * node->gpus + g, pcie + g / spec->gpus_per_pcie_switch,
                 parts->port_bytes_per_s, 0.0, pcie_s);
        for (int64_t j = 0; j < node->nics; j++)
            join(parts, parts->nic + n * node->nics + j, pcie + j * w / node->nics,
                 parts->port_bytes_per_s, spec->nic_latency_s, pcie_s);
        for (int64_t p = 0; p < w; p++)
            join(parts, pcie + p, cpu + p * sockets / w, uplink, pcie_s, cpu_s);
        for (int64_t a = 0; a < sockets; a++) {
            for (int64_t b = a + 1; b < sockets; b++)
                join(parts, cpu + a, cpu + b, spec->socket_bytes_per_s, cpu_s, cpu_s);
        }
    }
}

/* GPUs have to reach NICs and host at some rate. */
static double port_rate(const TopoNode *node)
{
    double rate = node->nics > 0 ? fmax(node->host_bytes_per_s, node->nic_bytes_per_s)
                                 : node->host_bytes_per_s;
    return g_strcmp0(node->scale_up, "pcie") == 0 ? fmax(rate, node->scale_up_bytes_per_s) : rate;
}

bool topo_fabric_add_nodes(const TopoFabricSpec *spec, TopoFabric *fabric, bool with_scale_up,
                           GError **error)
{
    const TopoNode *node = &spec->cluster->node;
    Parts parts = {
        .spec = spec,
        .node = node,
        .graph = fabric->graph,
        .nodes = spec->cluster->node_count,
        .port_bytes_per_s = port_rate(node),
    };
    bool has_host = parts.port_bytes_per_s > 0.0;
    if (node->nics > 0 && !(node->nic_bytes_per_s > 0.0))
        return topo_fabric_fail(error, "cluster.node.nic_bytes_per_s %g: must be above 0",
                                node->nic_bytes_per_s);
    parts.pcie_switches =
        (node->gpus + spec->gpus_per_pcie_switch - 1) / spec->gpus_per_pcie_switch;
    parts.sockets = MIN(spec->sockets_per_node, parts.pcie_switches);
    parts.gpu = add_kind(&parts, TOPO_VERTEX_GPU, node->gpus);
    parts.nic = add_kind(&parts, TOPO_VERTEX_NIC, node->nics);
    if (with_scale_up && !add_scale_up(&parts, error))
        return false;
    if (has_host) {
        parts.pcie = add_kind(&parts, TOPO_VERTEX_PCIE_SWITCH, parts.pcie_switches);
        parts.cpu = add_kind(&parts, TOPO_VERTEX_CPU, parts.sockets);
        add_host(&parts);
    }
    return true;
}
