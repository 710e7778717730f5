/*
 * Every fabric against its closed forms: numbers of switches and cables, and the bisection, which
 * is computed here by a maximum flow (Dinic) that knows nothing of fabrics. Then parameters that do
 * not fit, each with the message that names what would.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "topo_fabric.h"

static bool is_near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance;
}

static TopoCluster cluster_of(int64_t nodes, int64_t gpus, int64_t nics)
{
    return (TopoCluster){
        .node = {.gpus = gpus,
                 .scale_up_gpus = gpus,
                 .scale_up = "nvswitch",
                 .scale_up_bytes_per_s = 600e9,
                 .scale_up_latency_s = 1e-6,
                 .nics = nics,
                 .nic_bytes_per_s = 50e9,
                 .nic_latency_s = 1.3e-6,
                 .host_bytes_per_s = 63e9},
        .node_count = nodes,
        .gpu_count = nodes * gpus,
    };
}

/* --- maximum flow from the first half of the ends to the second, through the network --- */

typedef struct Flow {
    const TopoGraph *graph;
    double *left_bytes_per_s; /* by link: residual */
    double *back_bytes_per_s; /* by link: what flows */
    int *level;               /* by vertex */
    TopoVertexKind ends;
    uint32_t half;
} Flow;

static bool is_end(const Flow *flow, uint32_t v, bool second)
{
    const TopoVertex *vertex = topo_graph_vertex(flow->graph, v);
    return vertex->kind == flow->ends && (vertex->ordinal >= flow->half) == second;
}

static bool is_usable(const Flow *flow, uint32_t v)
{
    return topo_graph_vertex(flow->graph, v)->kind >= TOPO_VERTEX_LEAF ||
           topo_graph_vertex(flow->graph, v)->kind == flow->ends;
}

static bool set_levels(Flow *flow)
{
    uint32_t count = topo_graph_vertex_count(flow->graph), tail = 0;
    g_autofree uint32_t *queue = g_new(uint32_t, count);
    bool reached = false;
    for (uint32_t v = 0; v < count; v++) {
        flow->level[v] = is_end(flow, v, false) ? 0 : -1;
        if (flow->level[v] == 0)
            queue[tail++] = v;
    }
    for (uint32_t head = 0; head < tail; head++) {
        uint32_t v = queue[head];
        TopoLinkSpan spans[2] = {topo_graph_out(flow->graph, v), topo_graph_in(flow->graph, v)};
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < spans[side].count; i++) {
                uint32_t id = spans[side].ids[i];
                const TopoLink *link = topo_graph_link(flow->graph, id);
                uint32_t w = side == 0 ? link->to : link->from;
                double room = side == 0 ? flow->left_bytes_per_s[id] : flow->back_bytes_per_s[id];
                if (room < 1.0 || flow->level[w] >= 0 || !is_usable(flow, w))
                    continue;
                flow->level[w] = flow->level[v] + 1;
                queue[tail++] = w;
                reached |= is_end(flow, w, true);
            }
        }
    }
    return reached;
}

static double push(Flow *flow, uint32_t v, double room)
{
    if (is_end(flow, v, true))
        return room;
    double sent = 0.0;
    TopoLinkSpan spans[2] = {topo_graph_out(flow->graph, v), topo_graph_in(flow->graph, v)};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < spans[side].count && room - sent >= 1.0; i++) {
            uint32_t id = spans[side].ids[i];
            const TopoLink *link = topo_graph_link(flow->graph, id);
            uint32_t w = side == 0 ? link->to : link->from;
            double *ahead = side == 0 ? flow->left_bytes_per_s : flow->back_bytes_per_s;
            double *behind = side == 0 ? flow->back_bytes_per_s : flow->left_bytes_per_s;
            if (flow->level[w] != flow->level[v] + 1 || ahead[id] < 1.0)
                continue;
            double got = push(flow, w, fmin(room - sent, ahead[id]));
            ahead[id] -= got;
            behind[id] += got;
            sent += got;
        }
    }
    if (sent < 1.0)
        flow->level[v] = -1;
    return sent;
}

static double bisection_bytes_per_s(const TopoFabric *fabric, TopoVertexKind ends)
{
    const TopoGraph *graph = fabric->graph;
    uint32_t links = topo_graph_link_count(graph), count = topo_graph_vertex_count(graph);
    g_autofree double *left = g_new(double, links);
    g_autofree double *back = g_new0(double, links);
    g_autofree int *level = g_new(int, count);
    for (uint32_t i = 0; i < links; i++)
        left[i] = topo_link_rate_bytes_per_s(topo_graph_link(graph, i));
    Flow flow = {graph, left, back, level, ends, topo_graph_kind_count(graph, ends) / 2};
    double sum = 0.0;
    while (set_levels(&flow)) {
        for (uint32_t v = 0; v < count; v++)
            sum += is_end(&flow, v, false) ? push(&flow, v, 1e30) : 0.0;
    }
    return sum;
}

/* Cables (duplex pairs) between the tiers. */
static uint32_t cables(const TopoGraph *graph, TopoVertexKind a, TopoVertexKind b)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < topo_graph_link_count(graph); i++) {
        const TopoLink *link = topo_graph_link(graph, i);
        count += topo_graph_vertex(graph, link->from)->kind == a &&
                 topo_graph_vertex(graph, link->to)->kind == b && (a != b || link->from < link->to);
    }
    return count;
}

/* Closed forms. fat-tree k=8: hosts k^3/4 = 128, leaves and spines k^2/2 = 32, cores k^2/4 = 16.
 * Bisection in NIC rates: hosts/2 over the product of oversubscriptions. */
static const struct {
    const char *fabric;
    int64_t nodes, gpus, nics, radix;
    double leaf_over, spine_over;
    int64_t pods;
    uint32_t leaves, spines, cores, nic_cables, leaf_cables, core_cables;
    double bisection_nics;
} cases[] = {
    {"single-switch",  8,  8, 8, 64, 1, 1, 0, 1,  0,  0,  64,  0,   0,   32},
    {"leaf-spine",     16, 8, 4, 16, 1, 1, 0, 8,  8,  0,  64,  64,  0,   32},
    {"leaf-spine",     16, 8, 4, 12, 2, 1, 0, 8,  4,  0,  64,  32,  0,   16},
    {"fat-tree",       32, 4, 4, 8,  1, 1, 0, 32, 32, 16, 128, 128, 128, 64},
    {"fat-tree",       32, 4, 4, 12, 2, 1, 0, 16, 12, 24, 128, 64,  72,  32},
    {"fat-tree",       32, 4, 4, 12, 2, 2, 2, 16, 8,  16, 128, 64,  32,  16},
    {"rail-optimised", 16, 4, 4, 8,  1, 1, 0, 16, 16, 16, 64,  64,  64,  32},
    {"rail-optimised", 8,  4, 4, 8,  1, 1, 0, 8,  4,  0,  32,  32,  0,   16},
    {"rail-only",      16, 4, 4, 16, 1, 1, 0, 4,  0,  0,  64,  0,   0,   0 },
    {"rail-only",      16, 4, 4, 8,  1, 1, 0, 16, 16, 0,  64,  64,  0,   32},
    {"dual-tor",       8,  4, 4, 16, 1, 1, 0, 8,  8,  0,  64,  64,  0,   16},
    {"dual-plane",     8,  4, 4, 8,  1, 1, 0, 16, 8,  0,  64,  64,  0,   16},
    {"dragonfly+",     5,  4, 4, 4,  1, 1, 0, 10, 10, 0,  20,  20,  10,  0 },
};

Test(topo_fabric, counts_and_bisection_are_the_closed_forms)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        TopoCluster cluster = cluster_of(cases[i].nodes, cases[i].gpus, cases[i].nics);
        TopoFabricSpec spec = topo_fabric_spec_default(cases[i].fabric, &cluster);
        spec.radix = cases[i].radix;
        spec.leaf_oversubscription = cases[i].leaf_over;
        spec.spine_oversubscription = cases[i].spine_over;
        spec.pods = cases[i].pods;
        GError *error = NULL;
        g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
        cr_assert(fabric != NULL, "case %zu: %s", i, error->message);
        const TopoGraph *graph = fabric->graph;
        uint32_t leaves = topo_graph_kind_count(graph, TOPO_VERTEX_LEAF);
        uint32_t spines = topo_graph_kind_count(graph, TOPO_VERTEX_SPINE);
        uint32_t cores = topo_graph_kind_count(graph, TOPO_VERTEX_CORE);
        cr_expect(leaves == cases[i].leaves, "case %zu: %u leaves", i, leaves);
        cr_expect(spines == cases[i].spines, "case %zu: %u spines", i, spines);
        cr_expect(cores == cases[i].cores, "case %zu: %u cores", i, cores);
        uint32_t nic = cables(graph, TOPO_VERTEX_NIC, TOPO_VERTEX_LEAF);
        uint32_t leaf = cables(graph, TOPO_VERTEX_LEAF, TOPO_VERTEX_SPINE);
        uint32_t core = cables(graph, TOPO_VERTEX_SPINE, TOPO_VERTEX_CORE) +
                        cables(graph, TOPO_VERTEX_SPINE, TOPO_VERTEX_SPINE);
        cr_expect(nic == cases[i].nic_cables, "case %zu: %u cables to NICs", i, nic);
        cr_expect(leaf == cases[i].leaf_cables, "case %zu: %u cables to leaves", i, leaf);
        cr_expect(core == cases[i].core_cables, "case %zu: %u cables above", i, core);
        for (uint32_t v = topo_graph_find(graph, TOPO_VERTEX_LEAF, 0);
             v < topo_graph_vertex_count(graph); v++)
            cr_expect(topo_graph_out(graph, v).count <= (size_t)cases[i].radix, "case %zu: ports",
                      i);
        double got = bisection_bytes_per_s(fabric, TOPO_VERTEX_NIC) / 50e9;
        cr_expect(cases[i].bisection_nics == 0 || is_near(got, cases[i].bisection_nics, 1e-6),
                  "case %zu: bisection %g NICs", i, got);
    }
}

Test(topo_fabric, rail_only_halves_meet_in_their_own_rails_alone)
{
    TopoCluster cluster = cluster_of(16, 4, 4);
    TopoFabricSpec spec = topo_fabric_spec_default("rail-only", &cluster);
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric != NULL);
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t nic = topo_graph_find(fabric->graph, TOPO_VERTEX_NIC, i);
        uint32_t leaf = topo_graph_find(fabric->graph, TOPO_VERTEX_LEAF, i % 4);
        cr_expect(topo_graph_link_between(fabric->graph, nic, leaf) != TOPO_NONE, "nic %u", i);
    }
    cr_expect(is_near(bisection_bytes_per_s(fabric, TOPO_VERTEX_NIC), 32 * 50e9, 1.0));
}

static const struct {
    const char *fabric;
    int64_t gpus;
    int64_t dims[3];
    uint32_t links;
    double bisection_links;
} tori[] = {
    {"torus-2d", 16, {0, 0, 0}, 64,  8 },
    {"torus-2d", 32, {8, 4, 0}, 128, 8 },
    {"torus-3d", 64, {0, 0, 0}, 384, 32},
    {"torus-3d", 32, {2, 4, 4}, 160, 16},
    {"torus-3d", 16, {1, 4, 4}, 64,  8 },
};

Test(topo_fabric, tori_have_a_link_a_direction_and_cut_in_the_middle)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tori); i++) {
        TopoCluster cluster = cluster_of(tori[i].gpus / 4, 4, 0);
        TopoFabricSpec spec = topo_fabric_spec_default(tori[i].fabric, &cluster);
        memcpy(spec.torus_dims, tori[i].dims, sizeof spec.torus_dims);
        GError *error = NULL;
        g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
        cr_assert(fabric != NULL, "case %zu: %s", i, error->message);
        uint32_t links = 2 * cables(fabric->graph, TOPO_VERTEX_GPU, TOPO_VERTEX_GPU);
        cr_expect(links == tori[i].links, "case %zu: %u links", i, links);
        double rate = 600e9 / (spec.fabric[6] == '2' ? 4.0 : 6.0);
        if (tori[i].dims[0] == 8 || tori[i].dims[0] == 1)
            continue; /* ranks of the first half are no half of the torus along x */
        double got = bisection_bytes_per_s(fabric, TOPO_VERTEX_GPU) / rate;
        cr_expect(is_near(got, tori[i].bisection_links, 1e-6), "case %zu: %g", i, got);
    }
}

/* NVSwitches and links from GPU to GPU of one node. */
static const struct {
    const char *scale_up;
    int64_t gpus, domain, nodes, generation;
    uint32_t nvswitches, nvswitch_links, gpu_links;
} insides[] = {
    {"nvswitch",        8, 8,  2,  0, 2,  32,   0  },
    {"nvswitch",        8, 8,  2,  4, 8,  128,  0  },
    {"nvswitch",        4, 72, 18, 0, 1,  144,  0  },
    {"nvswitch",        4, 72, 18, 5, 18, 2592, 0  },
    {"nvlink-mesh",     8, 8,  2,  0, 0,  0,    64 },
    {"infinity-fabric", 8, 8,  2,  0, 0,  0,    112},
    {"pcie",            8, 8,  2,  0, 0,  0,    0  },
};

Test(topo_fabric, nodes_have_the_scale_up_network_of_their_kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(insides); i++) {
        TopoCluster cluster = cluster_of(insides[i].nodes, insides[i].gpus, insides[i].gpus);
        cluster.node.scale_up = insides[i].scale_up;
        cluster.node.scale_up_gpus = insides[i].domain;
        TopoFabricSpec spec = topo_fabric_spec_default("rail-optimised", &cluster);
        spec.nvlink_generation = insides[i].generation;
        GError *error = NULL;
        g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
        cr_assert(fabric != NULL, "case %zu: %s", i, error->message);
        const TopoGraph *graph = fabric->graph;
        cr_expect(topo_graph_kind_count(graph, TOPO_VERTEX_NVSWITCH) == insides[i].nvswitches);
        cr_expect(2 * cables(graph, TOPO_VERTEX_GPU, TOPO_VERTEX_NVSWITCH) ==
                  insides[i].nvswitch_links);
        cr_expect(2 * cables(graph, TOPO_VERTEX_GPU, TOPO_VERTEX_GPU) == insides[i].gpu_links);
        double sum = 0.0;
        TopoLinkSpan out = topo_graph_out(graph, fabric->gpus[3]);
        for (size_t e = 0; e < out.count; e++) {
            const TopoLink *link = topo_graph_link(graph, out.ids[e]);
            TopoVertexKind kind = (TopoVertexKind)topo_graph_vertex(graph, link->to)->kind;
            sum += kind == TOPO_VERTEX_GPU || kind == TOPO_VERTEX_NVSWITCH ? link->bytes_per_s : 0;
        }
        bool has = strcmp(insides[i].scale_up, "pcie") != 0;
        cr_expect(is_near(sum, has ? 600e9 : 0.0, 1.0), "case %zu: %g B/s a GPU", i, sum);
    }
}

/* One field of a good spec spoiled, by its place in the struct. */
static const struct {
    const char *fabric;
    size_t offset;
    bool is_real;
    double value;
    const char *want;
} misfits[] = {
    {"fat-tree",      offsetof(TopoFabricSpec, leaf_oversubscription),  true,  0,
     "leaf_oversubscription 0: must be above 0"                                                                      },
    {"fat-tree",      offsetof(TopoFabricSpec, spine_oversubscription), true,  -1,
     "spine_oversubscription -1: must be above 0"                                                                    },
    {"fat-tree",      offsetof(TopoFabricSpec, leaf_length_m),          true,  -1,
     "leaf_length_m -1: must be at least 0"                                                                          },
    {"fat-tree",      offsetof(TopoFabricSpec, radix),                  false, 4,
     "with 8 NICs at this oversubscription; 8 would fit"                                                             },
    {"fat-tree",      offsetof(TopoFabricSpec, pods),                   false, 70,   "pods 70, nics_per_leaf 0"      },
    {"fat-tree",      offsetof(TopoFabricSpec, nvlink_generation),      false, 7,
     "nvlink_generation 7: must be 2, 3, 4 or 5"                                                                     },
    {"single-switch", offsetof(TopoFabricSpec, radix),                  false, 8,
     "radix 8: too small for single-switch of 16 nodes"                                                              },
    {"dragonfly+",    offsetof(TopoFabricSpec, radix),                  false, 4,
     "radix 4: dragonfly+ holds 20 NICs, the cluster has 128; 8"                                                     },
    {"dragonfly+",    offsetof(TopoFabricSpec, pods),                   false, 2000,
     "pods 2000: dragonfly+ of this radix"                                                                           },
    {"torus-3d",      offsetof(TopoFabricSpec, torus_dims),             false, 5,
     "torus_dims 5 x 0 x 0: torus-3d of 128 GPUs; 8 x 4 x 4"                                                         },
    {"nvl72",         offsetof(TopoFabricSpec, radix),                  false, 64,   "scale_up_gpus 8: nvl72"        },
    {"butterfly",     offsetof(TopoFabricSpec, radix),                  false, 64,
     "unknown fabric 'butterfly', known: single-switch"                                                              },
    {"custom",        offsetof(TopoFabricSpec, radix),                  false, 64,   "links: custom needs at least 1"},
};

static void expect_refusal(const TopoFabricSpec *spec, const char *want)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(spec, &error);
    cr_assert(fabric == NULL, "%s was built", want);
    cr_expect(strstr(error->message, want) != NULL, "%s", error->message);
}

Test(topo_fabric, what_does_not_fit_is_named_with_what_would)
{
    for (size_t i = 0; i < G_N_ELEMENTS(misfits); i++) {
        TopoCluster cluster = cluster_of(16, 8, 8);
        TopoFabricSpec spec = topo_fabric_spec_default(misfits[i].fabric, &cluster);
        char *field = (char *)&spec + misfits[i].offset;
        int64_t whole = (int64_t)misfits[i].value;
        if (misfits[i].is_real)
            memcpy(field, &misfits[i].value, sizeof misfits[i].value);
        else
            memcpy(field, &whole, sizeof whole);
        expect_refusal(&spec, misfits[i].want);
    }
}

Test(topo_fabric, clusters_that_make_no_sense_are_refused)
{
    TopoCluster crowded = cluster_of(16, 8, 8), unwired = crowded, odd = crowded;
    crowded.gpu_count = 1000;
    unwired.node.nics = 0;
    odd.node.scale_up = "carrier-pigeon";
    TopoFabricSpec spec = topo_fabric_spec_default("fat-tree", &crowded);
    expect_refusal(&spec, "gpu_count 1000: the nodes hold 128 GPUs");
    spec.cluster = &unwired;
    expect_refusal(&spec, "nics 0: fat-tree joins NICs");
    spec.cluster = &odd;
    expect_refusal(&spec, "scale_up 'carrier-pigeon': must be nvswitch");
}

Test(topo_fabric, a_list_of_links_is_a_fabric)
{
    static const TopoFabricLink links[] = {
        {"nic/0",  "leaf/0",    50e9, 1e-7, 2,  1, false, TOPO_PAIRING_EACH},
        {"nic/1",  "leaf/1",    50e9, 1e-7, 2,  1, false, TOPO_PAIRING_EACH},
        {"leaf/0", "leaf/1",    25e9, 2e-7, 30, 1, false, TOPO_PAIRING_EACH},
        {"leaf/0", "leaf/1",    25e9, 2e-7, 30, 0, true,  0                },
        {"leaf/1", "storage/0", 10e9, 2e-7, 9,  1, false, TOPO_PAIRING_EACH},
    };
    TopoCluster cluster = cluster_of(2, 1, 1);
    TopoFabricSpec spec = topo_fabric_spec_default("custom", &cluster);
    spec.links = links;
    spec.link_count = G_N_ELEMENTS(links);
    GError *error = NULL;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
    cr_assert(fabric != NULL, "%s", error->message);
    cr_expect(topo_graph_kind_count(fabric->graph, TOPO_VERTEX_LEAF) == 2);
    cr_expect(topo_graph_kind_count(fabric->graph, TOPO_VERTEX_STORAGE) == 1);
    uint32_t leaf = topo_graph_find(fabric->graph, TOPO_VERTEX_LEAF, 0);
    cr_expect(topo_graph_out(fabric->graph, leaf).count == 3);
    cr_expect(topo_graph_in(fabric->graph, leaf).count == 2);
}

Test(topo_fabric, wrong_links_are_named)
{
    static const struct {
        TopoFabricLink link;
        const char *want;
    } wrong[] = {
        {{"nic/9", "leaf/0", 50e9, 0, 0, 1, false, 0}, "links[0] names nic/9: the cluster has 2"    },
        {{"nic/0", "leaf/2", 50e9, 0, 0, 1, false, 0}, "leaf/2"                                     },
        {{"nic/0", "leaf/1", 50e9, 0, 0, 1, false, 0}, "leaf/1 but not leaf/0"                      },
        {{"nic/0", "nic/0", 50e9, 0, 0, 1, false, 0},  "from nic/0: must lead to another device"    },
        {{"nic/0", "leaf/0", 0, 0, 0, 1, false, 0},    "bytes_per_s 0: must be above 0"             },
        {{"nic/0", "leaf/0", 1, -1, 0, 1, false, 0},   "latency_s -1"                               },
        {{"nic/0", "leaf/0", 1, 0, 0, 2, false, 0},    "health_fraction 2: must be from 0 to 1"     },
        {{"nic/0", "hub", 1, 0, 0, 1, false, 0},       "links[0]: unknown device 'hub', want a kind"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        TopoCluster cluster = cluster_of(2, 1, 1);
        TopoFabricSpec spec = topo_fabric_spec_default("custom", &cluster);
        spec.links = &wrong[i].link;
        spec.link_count = 1;
        g_autoptr(GError) error = NULL;
        g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
        cr_assert(!fabric, "case %zu was built", i);
        cr_expect(strstr(error->message, wrong[i].want) != NULL, "case %zu: %s", i, error->message);
    }
}

Test(topo_fabric, every_row_has_a_source_and_builds_from_its_defaults)
{
    size_t count;
    const TopoFabricKind *kinds = topo_fabric_all(&count);
    for (size_t i = 0; i < count; i++) {
        cr_expect(kinds[i].source[0] != 0 && kinds[i].parameters != NULL);
        cr_expect(topo_fabric_by_name(kinds[i].name, NULL) == &kinds[i]);
        if (strcmp(kinds[i].name, "custom") == 0)
            continue;
        TopoCluster cluster = cluster_of(2, 8, 8);
        if (strcmp(kinds[i].name, "nvl72") == 0)
            cluster.node.scale_up_gpus = 16;
        TopoFabricSpec spec = topo_fabric_spec_default(kinds[i].name, &cluster);
        GError *error = NULL;
        g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
        cr_assert(fabric != NULL, "%s: %s", kinds[i].name, error->message);
        cr_expect(fabric->gpu_count == 16);
    }
}
