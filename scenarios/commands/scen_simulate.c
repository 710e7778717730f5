/* The one place where a scenario's parts meet: model, plan, cluster, kernel profile, network. */
#include "scen_simulate.h"

/* Where a scenario says nothing of its network: NCCL with PXN. */
static const char *const default_routing = "rail";

bool scen_costing(const ScenScenario *scenario, StratCosting *costing, GError **error)
{
    const TopoNet *net = topo_net_by_name(scenario->network, error);
    if (!net)
        return false;
    *costing = (StratCosting){
        .model = &scenario->model,
        .plan = &scenario->plan,
        .cluster = &scenario->cluster,
        .gpu_of_rank = scenario->gpu_of_rank,
        .net = net,
        .has_fabric = scenario->fabric.kind != NULL,
        .fabric = scen_fabric_spec(&scenario->fabric, &scenario->cluster),
        .changes = scen_fabric_changes(&scenario->fabric),
        .routing = scenario->fabric.routing ? scenario->fabric.routing : default_routing,
        .seed = scenario->seed,
        .device = {.gpu = &scenario->cluster.node.gpu,
                   .profile = &scenario->profile,
                   .clock_fraction = scenario->profile.sustained_clock_fraction *
                                     scenario->plan.library_fraction},
    };
    return true;
}

StratTrainResult *scen_simulate(const ScenScenario *scenario, GError **error)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return NULL;
    return strat_train_run(&costing, scenario->fold, error);
}
