/* Builds the fabric of a serving scenario, as that of a training step is: its kind and parameters,
 * what is not as ordered, and the GPUs that its ranks run on. Caches leave by the NIC of the GPU
 * that holds them, so without a word on routing it is ECMP, not NCCL's way over another GPU's rail.
 */
#include "scen_serve_fabric.h"

#include "scen_simulate.h"

static const char *const default_routing = "ecmp";

bool scen_serve_fabric_open(ScenServeFabric *out, const ScenScenario *scenario, GError **error)
{
    StratCosting costing;
    *out = (ScenServeFabric){0};
    if (!scen_serving_on_fabric(scenario))
        return true;
    if (!scen_costing(scenario, &costing, error))
        return false;
    const char *routing = scenario->fabric.routing ? scenario->fabric.routing : default_routing;
    const TopoRoutePolicy *policy = topo_route_by_name(routing, error);
    out->fabric = policy ? topo_fabric_new(&costing.fabric, error) : NULL;
    if (!out->fabric || !topo_fabric_apply(out->fabric, &costing.changes, error))
        return false;
    out->changes = topo_fabric_link_changes(out->fabric, &costing.changes, error);
    if (!out->changes)
        return false;
    out->router = topo_router_new(out->fabric, policy, scenario->seed);
    out->moves = (StratMoveFabric){
        .fabric = out->fabric,
        .router = out->router,
        .gpu_of_rank = scenario->gpu_of_rank,
        .changes = (const TopoLinkChange *)(const void *)out->changes->data,
        .change_count = out->changes->len,
        .kv_heads = scenario->model.kv_lora_rank > 0 ? 1 : scenario->model.kv_heads,
    };
    return true;
}

void scen_serve_fabric_clear(ScenServeFabric *out)
{
    topo_router_free(out->router);
    topo_fabric_free(out->fabric);
    if (out->changes)
        g_array_unref(out->changes);
}
