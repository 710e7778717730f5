/* The one place where a scenario's parts meet: model, plan, cluster, kernel profile, network. */
#include "scen_simulate.h"

bool scen_costing(const ScenScenario *scenario, StratCosting *costing, GError **error)
{
    const TopoNet *net = topo_net_by_name(scenario->network, error);
    if (!net)
        return false;
    *costing = (StratCosting){
        .model = &scenario->model,
        .plan = &scenario->plan,
        .cluster = &scenario->cluster,
        .net = net,
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

guint scen_worst_stage(const GArray *memory)
{
    guint worst = 0;
    for (guint i = 1; i < memory->len; i++) {
        if (g_array_index(memory, StratMemory, i).peak_bytes >
            g_array_index(memory, StratMemory, worst).peak_bytes)
            worst = i;
    }
    return worst;
}

bool scen_fits(const GArray *memory)
{
    const StratMemory *worst = &g_array_index(memory, StratMemory, scen_worst_stage(memory));
    return worst->peak_bytes <= worst->capacity_bytes;
}
