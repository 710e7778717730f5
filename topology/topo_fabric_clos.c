/* Folded Clos networks: every fabric of leaves, spines and cores is one plan.
 *
 * A switch of radix k whose ports split into d down and u up has oversubscription o = d / u, so
 * u = floor(k / (1 + o)) and d = floor(u o). A plan has planes that do not touch; in a plane, pods
 * of L leaves and u_leaf spines, each leaf with one link to each spine of its pod; above, u_leaf
 * groups of u_spine cores, core (a, b) with one link to spine a of each pod. At o = 1 everywhere
 * this is the k-ary fat tree of Al-Fares, Loukissas, Vahdat 2008 (section 3): k pods of k/2 leaves
 * and k/2 spines, (k/2)^2 cores, k^3/4 hosts. Its bisection in one direction is
 *
 *   hosts / 2 * rate / (o_leaf * o_spine).
 *
 * Fabrics differ in which leaf a NIC port meets. With n the node, r the rail (NIC in its node), p
 * the port and d the ports down of a leaf:
 *
 *   single-switch, leaf-spine, fat-tree   leaf (n rails + r) / d       nodes side by side
 *   rail-optimised, nvl72                 leaf (n / d) rails + r       a leaf for each rail
 *   rail-only                             plane r, leaf n / d          rails never meet
 *   dual-tor                              leaf ((n / d) rails + r) 2 + p
 *   dual-plane                            plane p, leaf (n / d) rails + r
 *
 * The dual ones split each NIC into two ports of half its rate, as HPN does with 2 x 200 Gb/s; one
 * plane for each port means that a flow cannot arrive on the other port (HPN section 6.1). HPN has
 * oversubscription 15 at its spines (section 7).
 * Left out: ports of different rates on one switch, spare ports, management. */
#include "topo_fabric_build.h"

typedef struct Place {
    int64_t plane, leaf; /* leaf: in its plane */
} Place;

typedef struct Plan Plan;
struct Plan {
    Place (*place)(const Plan *plan, int64_t node, int64_t rail, int64_t port);
    int64_t rails; /* NICs a node */
    int64_t ports; /* a NIC */
    int64_t planes;
    int64_t unit;  /* leaves that one group of nodes needs, all in one pod */
    int64_t tiers; /* 1 to 3 */
    int64_t leaf_down, leaf_up, spine_up;
    int64_t leaves; /* in a plane */
    int64_t leaves_per_pod;
    int64_t pods;
};

/* How a fabric makes its plan. */
typedef struct Style {
    Place (*place)(const Plan *plan, int64_t node, int64_t rail, int64_t port);
    int64_t ports;
    int64_t least_tiers, most_tiers;
    bool is_railed;       /* a group of nodes has a leaf for each rail */
    bool has_rail_planes; /* a plane for each rail */
    bool has_port_planes; /* a plane for each port */
} Style;

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static Place place_packed(const Plan *plan, int64_t node, int64_t rail, int64_t port)
{
    (void)port;
    return (Place){0, (node * plan->rails + rail) / plan->leaf_down};
}

static Place place_railed(const Plan *plan, int64_t node, int64_t rail, int64_t port)
{
    (void)port;
    return (Place){0, node / plan->leaf_down * plan->rails + rail};
}

static Place place_rail_only(const Plan *plan, int64_t node, int64_t rail, int64_t port)
{
    (void)port;
    return (Place){rail, node / plan->leaf_down};
}

static Place place_dual_tor(const Plan *plan, int64_t node, int64_t rail, int64_t port)
{
    return (Place){0, (node / plan->leaf_down * plan->rails + rail) * plan->ports + port};
}

static Place place_dual_plane(const Plan *plan, int64_t node, int64_t rail, int64_t port)
{
    return (Place){port, node / plan->leaf_down * plan->rails + rail};
}

static const Style single_switch = {place_packed, 1, 1, 1, false, false, false};
static const Style leaf_spine = {place_packed, 1, 2, 2, false, false, false};
static const Style fat_tree = {place_packed, 1, 3, 3, false, false, false};
static const Style rail_optimised = {place_railed, 1, 2, 3, true, false, false};
static const Style rail_only = {place_rail_only, 1, 1, 2, false, true, false};
static const Style dual_tor = {place_dual_tor, 2, 2, 3, true, false, false};
static const Style dual_plane = {place_dual_plane, 2, 2, 3, true, false, true};

/* Splits @radix ports; @down is given or 0. False when no port is left for one side. */
static bool split_ports(int64_t radix, double oversubscription, int64_t *down, int64_t *up)
{
    if (*down > 0) {
        *up = (int64_t)((double)*down / oversubscription);
    } else {
        *up = (int64_t)((double)radix / (1.0 + oversubscription));
        *down = MIN(radix - *up, (int64_t)((double)*up * oversubscription * (1.0 + 1e-12)));
    }
    return *up >= 1 && *down >= 1 && *up + *down <= radix;
}

/* Leaves of a plane once leaf_down is known. */
static void count_leaves(Plan *plan, const Style *style, int64_t nodes)
{
    plan->unit = style->is_railed ? plan->rails * plan->ports / plan->planes : 1;
    if (style->is_railed)
        plan->leaves = ceil_div(nodes, plan->leaf_down) * plan->unit;
    else
        plan->leaves =
            ceil_div(style->has_rail_planes ? nodes : nodes * plan->rails, plan->leaf_down);
}

/* Tries @tiers; false when it does not fit. */
static bool plan_tiers(const TopoFabricSpec *spec, const Style *style, int64_t tiers, Plan *plan)
{
    const TopoCluster *cluster = spec->cluster;
    *plan = (Plan){
        .place = style->place,
        .rails = cluster->node.nics,
        .ports = style->ports,
        .planes = style->has_rail_planes   ? cluster->node.nics
                  : style->has_port_planes ? 2
                                           : 1,
        .tiers = tiers,
        .leaf_down = tiers == 1 ? spec->radix : spec->nics_per_leaf,
        .pods = 1,
    };
    if (tiers > 1 &&
        !split_ports(spec->radix, spec->leaf_oversubscription, &plan->leaf_down, &plan->leaf_up))
        return false;
    count_leaves(plan, style, cluster->node_count);
    if (tiers == 1)
        return plan->leaves == 1;
    plan->leaves_per_pod = plan->leaves;
    if (tiers == 2)
        return spec->pods <= 1 && plan->leaves <= spec->radix;
    int64_t spine_down = spec->leaves_per_pod;
    if (!split_ports(spec->radix, spec->spine_oversubscription, &spine_down, &plan->spine_up))
        return false;
    int64_t most = spine_down / plan->unit * plan->unit;
    int64_t units = plan->leaves / plan->unit;
    if (most == 0)
        return false;
    plan->leaves_per_pod = spec->pods > 0 ? ceil_div(units, spec->pods) * plan->unit : most;
    plan->pods = ceil_div(plan->leaves, plan->leaves_per_pod);
    return plan->leaves_per_pod <= most && plan->pods <= spec->radix &&
           (spec->pods == 0 || plan->pods == spec->pods);
}

static bool find_plan(const TopoFabricSpec *spec, const Style *style, Plan *plan)
{
    for (int64_t tiers = style->least_tiers; tiers <= style->most_tiers; tiers++) {
        if (plan_tiers(spec, style, tiers, plan))
            return true;
    }
    return false;
}

/* Says what would fit: the least larger radix, all else alike. */
static bool fail_to_fit(const TopoFabricSpec *spec, const Style *style, GError **error)
{
    enum {
        MOST_PROBED = 65536,
    };
    TopoFabricSpec probe = *spec;
    Plan plan;
    for (probe.radix++; probe.radix <= MOST_PROBED; probe.radix++) {
        if (find_plan(&probe, style, &plan))
            return topo_fabric_fail(
                error,
                "radix %" G_GINT64_FORMAT ": too small for %s of %" G_GINT64_FORMAT
                " nodes with %" G_GINT64_FORMAT " NICs at this oversubscription; %" G_GINT64_FORMAT
                " would fit",
                spec->radix, spec->fabric, spec->cluster->node_count, spec->cluster->node.nics,
                probe.radix);
    }
    return topo_fabric_fail(error,
                            "pods %" G_GINT64_FORMAT ", nics_per_leaf %" G_GINT64_FORMAT
                            ", leaves_per_pod %" G_GINT64_FORMAT
                            ", leaf_oversubscription %g, spine_oversubscription %g: no radix fits "
                            "%s of %" G_GINT64_FORMAT " nodes with these; 0 lets the radix decide",
                            spec->pods, spec->nics_per_leaf, spec->leaves_per_pod,
                            spec->leaf_oversubscription, spec->spine_oversubscription, spec->fabric,
                            spec->cluster->node_count);
}

static double port_rate(const TopoFabricSpec *spec, const Plan *plan)
{
    return spec->cluster->node.nic_bytes_per_s / (double)plan->ports;
}

/* All leaves, plane by plane; returns the first. */
static uint32_t add_leaves(TopoFabric *fabric, const Plan *plan)
{
    uint32_t first = topo_graph_vertex_count(fabric->graph);
    for (int64_t i = 0; i < plan->planes * plan->leaves; i++) {
        int64_t leaf = i % plan->leaves;
        int64_t pod = plan->leaves_per_pod > 0 ? leaf / plan->leaves_per_pod : 0;
        int64_t rail = plan->planes == plan->rails && plan->unit == 1 ? i / plan->leaves
                       : plan->unit > 1 ? leaf % plan->unit / (plan->unit / plan->rails)
                                        : 0;
        topo_graph_add_vertex(fabric->graph, (TopoVertex){.kind = TOPO_VERTEX_LEAF,
                                                          .level = 1,
                                                          .rail = (uint16_t)rail,
                                                          .pod = (int32_t)pod,
                                                          .rack = -1});
    }
    return first;
}

static void join_nics(const TopoFabricSpec *spec, TopoFabric *fabric, const Plan *plan,
                      uint32_t first_leaf)
{
    for (int64_t n = 0; n < spec->cluster->node_count; n++) {
        int32_t pod = -1;
        for (int64_t r = 0; r < plan->rails; r++) {
            uint32_t nic =
                topo_graph_find(fabric->graph, TOPO_VERTEX_NIC, (uint32_t)(n * plan->rails + r));
            for (int64_t p = 0; p < plan->ports; p++) {
                Place place = plan->place(plan, n, r, p);
                uint32_t leaf = first_leaf + (uint32_t)(place.plane * plan->leaves + place.leaf);
                topo_fabric_join_nic(spec, fabric, nic, leaf, port_rate(spec, plan));
                pod = topo_graph_vertex(fabric->graph, leaf)->pod;
            }
        }
        topo_fabric_set_node_pod(spec, fabric, n, pod);
    }
}

/* Spines of one plane and, with three tiers, its cores. */
static void add_upper_tiers(const TopoFabricSpec *spec, TopoFabric *fabric, const Plan *plan,
                            uint32_t first_leaf)
{
    double rate = port_rate(spec, plan);
    uint32_t first_spine = topo_graph_vertex_count(fabric->graph);
    for (int64_t pod = 0; pod < plan->pods; pod++)
        topo_fabric_add_switches(fabric, TOPO_VERTEX_SPINE, 2, (int32_t)pod, plan->leaf_up);
    for (int64_t leaf = 0; leaf < plan->leaves; leaf++) {
        int64_t spine = first_spine + leaf / plan->leaves_per_pod * plan->leaf_up;
        for (int64_t a = 0; a < plan->leaf_up; a++)
            topo_fabric_join(spec, fabric, first_leaf + (uint32_t)leaf, (uint32_t)(spine + a), rate,
                             spec->spine_length_m);
    }
    if (plan->tiers < 3)
        return;
    uint32_t first_core =
        topo_fabric_add_switches(fabric, TOPO_VERTEX_CORE, 3, -1, plan->leaf_up * plan->spine_up);
    for (int64_t spine = 0; spine < plan->pods * plan->leaf_up; spine++) {
        int64_t core = first_core + spine % plan->leaf_up * plan->spine_up;
        for (int64_t b = 0; b < plan->spine_up; b++)
            topo_fabric_join(spec, fabric, first_spine + (uint32_t)spine, (uint32_t)(core + b),
                             rate, spec->core_length_m);
    }
}

static bool build_clos(const TopoFabricSpec *spec, TopoFabric *fabric, const Style *style,
                       GError **error)
{
    if (spec->cluster->node.nics == 0)
        return topo_fabric_fail(error, "cluster.node.nics 0: %s joins NICs; at least 1",
                                spec->fabric);
    Plan plan;
    if (!find_plan(spec, style, &plan))
        return fail_to_fit(spec, style, error);
    if (!topo_fabric_add_nodes(spec, fabric, true, error))
        return false;
    uint32_t first_leaf = add_leaves(fabric, &plan);
    join_nics(spec, fabric, &plan, first_leaf);
    for (int64_t plane = 0; plan.tiers > 1 && plane < plan.planes; plane++)
        add_upper_tiers(spec, fabric, &plan, first_leaf + (uint32_t)(plane * plan.leaves));
    return true;
}

bool topo_fabric_build_single_switch(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    return build_clos(spec, fabric, &single_switch, error);
}

bool topo_fabric_build_leaf_spine(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    return build_clos(spec, fabric, &leaf_spine, error);
}

bool topo_fabric_build_fat_tree(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    return build_clos(spec, fabric, &fat_tree, error);
}

bool topo_fabric_build_rail_optimised(const TopoFabricSpec *spec, TopoFabric *fabric,
                                      GError **error)
{
    return build_clos(spec, fabric, &rail_optimised, error);
}

bool topo_fabric_build_rail_only(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    return build_clos(spec, fabric, &rail_only, error);
}

bool topo_fabric_build_dual_tor(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    return build_clos(spec, fabric, &dual_tor, error);
}

bool topo_fabric_build_dual_plane(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    return build_clos(spec, fabric, &dual_plane, error);
}

bool topo_fabric_build_nvl72(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    const TopoNode *node = &spec->cluster->node;
    if (node->scale_up_gpus <= node->gpus)
        return topo_fabric_fail(error,
                                "cluster.node.scale_up_gpus %" G_GINT64_FORMAT
                                ": nvl72 joins NVSwitch domains of several nodes, such as 72 GPUs "
                                "in nodes of 4; more than the node's %" G_GINT64_FORMAT,
                                node->scale_up_gpus, node->gpus);
    return build_clos(spec, fabric, &rail_optimised, error);
}
