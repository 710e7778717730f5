/* Dragonfly+: groups that are small leaf-spine networks, all groups joined to all.
 *
 * Shpiner et al. 2017 (HiPINEB, section 2): with switches of radix k a group has k/2 leaves with
 * k/2 hosts each, k/2 spines, every leaf joined to every spine, and each spine k/2 global ports, so
 * a group has (k/2)^2 hosts and G = (k/2)^2 global ports. With g groups, g <= G + 1, each pair of
 * groups gets
 *
 *   c = floor(G / (g - 1))
 *
 * links; port q of a group is on spine q mod (k/2), and ports m c .. m c + c - 1 of group i lead to
 * group (i + m + 1) mod g, so the links of a pair lie on different spines. A shortest path takes
 * leaf, spine, spine, leaf. Left out: groups of unequal size, links that c leaves over, and routes
 * through a third group, unless links are dead. */
#include "topo_fabric_build.h"

typedef struct Groups {
    int64_t half;   /* k/2 */
    int64_t count;  /* groups */
    int64_t bundle; /* c: links of a pair of groups */
} Groups;

static bool plan_groups(const TopoFabricSpec *spec, Groups *groups, GError **error)
{
    int64_t half = spec->radix / 2, ports = half * half;
    int64_t hosts = spec->cluster->node_count * spec->cluster->node.nics;
    if (hosts == 0)
        return topo_fabric_fail(error, "cluster.node.nics 0: dragonfly+ joins NICs; at least 1");
    int64_t least = (hosts + ports - 1) / ports, most = ports + 1;
    *groups = (Groups){half, spec->pods > 0 ? spec->pods : least, 0};
    if (least > most) {
        int64_t fit = half;
        while (fit * fit * (fit * fit + 1) < hosts)
            fit++;
        return topo_fabric_fail(error,
                                "radix %" G_GINT64_FORMAT ": dragonfly+ holds %" G_GINT64_FORMAT
                                " NICs, the cluster has %" G_GINT64_FORMAT "; %" G_GINT64_FORMAT
                                " would fit",
                                spec->radix, ports * most, hosts, 2 * fit);
    }
    if (groups->count < least || groups->count > most)
        return topo_fabric_fail(error,
                                "pods %" G_GINT64_FORMAT
                                ": dragonfly+ of this radix and cluster has from %" G_GINT64_FORMAT
                                " to %" G_GINT64_FORMAT " groups",
                                spec->pods, least, most);
    groups->bundle = groups->count > 1 ? ports / (groups->count - 1) : 0;
    return true;
}

static void join_groups(const TopoFabricSpec *spec, TopoFabric *fabric, const Groups *groups,
                        uint32_t first_spine)
{
    int64_t half = groups->half, g = groups->count;
    double rate = spec->cluster->node.nic_bytes_per_s;
    for (int64_t i = 0; i < g; i++) {
        for (int64_t j = i + 1; j < g; j++) {
            int64_t there = (j - i - 1) * groups->bundle, back = (g - (j - i) - 1) * groups->bundle;
            for (int64_t t = 0; t < groups->bundle; t++)
                topo_fabric_join(spec, fabric,
                                 first_spine + (uint32_t)(i * half + (there + t) % half),
                                 first_spine + (uint32_t)(j * half + (back + t) % half), rate,
                                 spec->core_length_m);
        }
    }
}

bool topo_fabric_build_dragonfly_plus(const TopoFabricSpec *spec, TopoFabric *fabric,
                                      GError **error)
{
    Groups groups = {0};
    if (!plan_groups(spec, &groups, error) || !topo_fabric_add_nodes(spec, fabric, true, error))
        return false;
    int64_t half = groups.half, nics = spec->cluster->node.nics;
    int64_t hosts = spec->cluster->node_count * nics;
    int64_t hosts_per_group = (hosts + groups.count - 1) / groups.count;
    double rate = spec->cluster->node.nic_bytes_per_s;
    uint32_t first_leaf = topo_graph_vertex_count(fabric->graph);
    for (int64_t i = 0; i < groups.count; i++)
        topo_fabric_add_switches(fabric, TOPO_VERTEX_LEAF, 1, (int32_t)i, half);
    for (int64_t h = 0; h < hosts; h++) {
        int64_t group = h / hosts_per_group, leaf = h % hosts_per_group / half;
        uint32_t nic = topo_graph_find(fabric->graph, TOPO_VERTEX_NIC, (uint32_t)h);
        topo_fabric_join_nic(spec, fabric, nic, first_leaf + (uint32_t)(group * half + leaf), rate);
        if (h % nics == 0)
            topo_fabric_set_node_pod(spec, fabric, h / nics, (int32_t)group);
    }
    uint32_t first_spine = topo_graph_vertex_count(fabric->graph);
    for (int64_t i = 0; i < groups.count; i++)
        topo_fabric_add_switches(fabric, TOPO_VERTEX_SPINE, 2, (int32_t)i, half);
    for (int64_t leaf = 0; leaf < groups.count * half; leaf++) {
        for (int64_t s = 0; s < half; s++)
            topo_fabric_join(spec, fabric, first_leaf + (uint32_t)leaf,
                             first_spine + (uint32_t)(leaf / half * half + s), rate,
                             spec->spine_length_m);
    }
    join_groups(spec, fabric, &groups, first_spine);
    return true;
}
