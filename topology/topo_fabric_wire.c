/* Switches and the cables between them, common to all fabrics.
 *
 * A link leaves a device after that device's latency and, between devices of the scale-out network,
 * forward error correction (Sella, Moore, Zilberman 2018):
 *
 *   NIC -> leaf     nic + fec        leaf -> NIC     switch + fec
 *   switch -> switch   switch + fec
 *
 * The receiving NIC's passage is charged where the bytes leave it towards PCIe
 * (topo_fabric_node.c). Left out: different switch models in different tiers. */
#include "topo_fabric_build.h"

uint32_t topo_fabric_add_switches(TopoFabric *fabric, TopoVertexKind kind, uint8_t level,
                                  int32_t pod, int64_t count)
{
    uint32_t first = topo_graph_vertex_count(fabric->graph);
    for (int64_t i = 0; i < count; i++)
        topo_graph_add_vertex(
            fabric->graph,
            (TopoVertex){.kind = (uint8_t)kind, .level = level, .pod = pod, .rack = -1});
    return first;
}

void topo_fabric_join(const TopoFabricSpec *spec, TopoFabric *fabric, uint32_t a, uint32_t b,
                      double bytes_per_s, double length_m)
{
    double latency_s = spec->switch_latency_s + spec->fec_latency_s;
    topo_graph_add_duplex(fabric->graph,
                          (TopoLink){.from = a,
                                     .to = b,
                                     .bytes_per_s = bytes_per_s,
                                     .latency_s = latency_s,
                                     .length_m = length_m,
                                     .health_fraction = 1.0},
                          latency_s);
}

void topo_fabric_join_nic(const TopoFabricSpec *spec, TopoFabric *fabric, uint32_t nic,
                          uint32_t leaf, double bytes_per_s)
{
    topo_graph_add_duplex(fabric->graph,
                          (TopoLink){.from = nic,
                                     .to = leaf,
                                     .bytes_per_s = bytes_per_s,
                                     .latency_s = spec->nic_latency_s + spec->fec_latency_s,
                                     .length_m = spec->leaf_length_m,
                                     .health_fraction = 1.0},
                          spec->switch_latency_s + spec->fec_latency_s);
}

void topo_fabric_set_node_pod(const TopoFabricSpec *spec, TopoFabric *fabric, int64_t node,
                              int32_t pod)
{
    for (int kind = TOPO_VERTEX_GPU; kind <= TOPO_VERTEX_NIC; kind++) {
        int64_t count = topo_graph_kind_count(fabric->graph, (TopoVertexKind)kind);
        int64_t share = count / spec->cluster->node_count; /* 0: domains that span nodes */
        for (int64_t i = node * share; i < (node + 1) * share; i++)
            topo_graph_set_pod(fabric->graph,
                               topo_graph_find(fabric->graph, (TopoVertexKind)kind, (uint32_t)i),
                               pod);
    }
}
