/* The one place where a scenario's parts meet: model, plan, cluster, kernel profile, network. */
#include "scen_simulate.h"

/* Where a scenario says nothing of its network: NVIDIA's reference design, and NCCL with PXN. */
static const char *const default_fabric = "rail-optimised";
static const char *const default_routing = "rail";

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

/* The fabric's defaults on the cluster, with what the scenario gives. */
static TopoFabricSpec fabric_spec(const ScenScenario *scenario)
{
    const ScenFabric *f = &scenario->fabric;
    TopoFabricSpec spec =
        topo_fabric_spec_default(f->kind ? f->kind : default_fabric, &scenario->cluster);
    set_int(&spec.radix, f->radix);
    set_double(&spec.leaf_oversubscription, f->leaf_oversubscription);
    set_double(&spec.spine_oversubscription, f->spine_oversubscription);
    set_int(&spec.nics_per_leaf, f->nics_per_leaf);
    set_int(&spec.leaves_per_pod, f->leaves_per_pod);
    set_int(&spec.pods, f->pods);
    set_double(&spec.leaf_length_m, f->leaf_length_m);
    set_double(&spec.spine_length_m, f->spine_length_m);
    set_double(&spec.core_length_m, f->core_length_m);
    return spec;
}

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
        .fabric = fabric_spec(scenario),
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
