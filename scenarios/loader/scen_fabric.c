/* From what a scenario says of its network to what the fabric is built from. */
#include "scen_fabric.h"

/* Where a scenario says nothing of its network: NVIDIA's reference design. */
static const char *const default_fabric = "rail-optimised";

static void set_int(int64_t *value, int64_t given)
{
    if (given > 0)
        *value = given;
}

static void set_double(double *value, double given)
{
    if (given > 0.0)
        *value = given;
}

static const void *rows(const GArray *array)
{
    return array ? array->data : NULL;
}

static size_t row_count(const GArray *array)
{
    return array ? array->len : 0;
}

TopoFabricSpec scen_fabric_spec(const ScenFabric *fabric, const TopoCluster *cluster)
{
    const ScenFabric *f = fabric;
    TopoFabricSpec spec = topo_fabric_spec_default(f->kind ? f->kind : default_fabric, cluster);
    set_int(&spec.radix, f->radix);
    set_double(&spec.leaf_oversubscription, f->leaf_oversubscription);
    set_double(&spec.spine_oversubscription, f->spine_oversubscription);
    set_int(&spec.nics_per_leaf, f->nics_per_leaf);
    set_int(&spec.leaves_per_pod, f->leaves_per_pod);
    set_int(&spec.pods, f->pods);
    set_int(&spec.flows_per_pair, f->flows_per_pair);
    for (size_t i = 0; i < G_N_ELEMENTS(spec.torus_dims); i++)
        set_int(&spec.torus_dims[i], f->torus_dims[i]);
    set_int(&spec.nvlink_generation, f->nvlink_generation);
    set_int(&spec.gpus_per_pcie_switch, f->gpus_per_pcie_switch);
    set_int(&spec.sockets_per_node, f->sockets_per_node);
    set_int(&spec.nodes_per_rack, f->nodes_per_rack);
    set_double(&spec.nic_latency_s, f->nic_latency_s);
    set_double(&spec.switch_latency_s, f->switch_latency_s);
    set_double(&spec.fec_latency_s, f->fec_latency_s);
    set_double(&spec.pcie_switch_latency_s, f->pcie_switch_latency_s);
    set_double(&spec.cpu_latency_s, f->cpu_latency_s);
    set_double(&spec.socket_bytes_per_s, f->socket_bytes_per_s);
    set_double(&spec.node_length_m, f->node_length_m);
    set_double(&spec.leaf_length_m, f->leaf_length_m);
    set_double(&spec.spine_length_m, f->spine_length_m);
    set_double(&spec.core_length_m, f->core_length_m);
    spec.links = rows(f->links);
    spec.link_count = row_count(f->links);
    return spec;
}

TopoFabricChanges scen_fabric_changes(const ScenFabric *fabric)
{
    return (TopoFabricChanges){
        .health = rows(fabric->health),
        .health_count = row_count(fabric->health),
        .moves = rows(fabric->moved_racks),
        .move_count = row_count(fabric->moved_racks),
        .faults = rows(fabric->faults),
        .fault_count = row_count(fabric->faults),
    };
}

void scen_fabric_clear(ScenFabric *fabric)
{
    g_clear_pointer(&fabric->links, g_array_unref);
    g_clear_pointer(&fabric->health, g_array_unref);
    g_clear_pointer(&fabric->faults, g_array_unref);
    g_clear_pointer(&fabric->moved_racks, g_array_unref);
}
