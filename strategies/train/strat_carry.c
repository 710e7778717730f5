/* From a program to a run: the fabric is built, changed and routed over, the transfers are carried,
 * and the links that were worst get the names of those who waited for them. */
#include "strat_carry.h"

#include "topo_lay.h"
#include "topo_traffic.h"

enum { HOT_LINKS_MAX = 8 };

/* What @transfer is to the program: the label and the class of the first operation that runs it. */
static char *transfer_name(const SimProgram *program, uint32_t transfer)
{
    for (uint32_t i = 0; i < sim_program_op_count(program); i++) {
        const SimOp *op = sim_program_op(program, i);
        if (sim_op_kind_is_transfer(op->kind) && op->transfer == transfer)
            return g_strdup_printf("%s, %s", sim_program_label_name(program, op->label),
                                   sim_program_class_name(program, op->rank_class));
    }
    return g_strdup("nobody");
}

static void name_waiters(const SimProgram *program, GArray *links)
{
    for (guint i = 0; i < links->len; i++) {
        TopoHotLink *link = &g_array_index(links, TopoHotLink, i);
        for (uint32_t w = 0; w < link->waiter_count; w++)
            link->waiters[w].name = transfer_name(program, link->waiters[w].who);
    }
}

/* Gives the links of weak NICs their health, whatever the changes of the fabric left them. */
static bool weaken_nics(TopoFabric *fabric, const StratCosting *costing, GError **error)
{
    const StratJobState *state = costing->state;
    for (size_t i = 0; state && i < state->weak_count; i++) {
        const StratWeakNic *weak = &state->weak[i];
        int64_t nics = costing->cluster->node.nics, nic = weak->node * nics + weak->nic;
        g_autofree char *name = weak->node < 0
                                    ? g_strdup_printf("nic/0..%" G_GINT64_FORMAT,
                                                      costing->cluster->node_count * nics - 1)
                                    : g_strdup_printf("nic/%" G_GINT64_FORMAT, nic);
        TopoLinkHealth health = {.link = name, .health_fraction = weak->fraction};
        if (!topo_fabric_set_health(fabric, &health, error))
            return false;
    }
    return true;
}

static const void *rows(const GArray *array)
{
    return array->data;
}

static SimRun *run_on(const StratCosting *costing, const TopoFabric *fabric, TopoRouter *router,
                      const SimProgram *program, const StratCarried *carried, GArray **hot_links,
                      GError **error)
{
    g_autoptr(GArray) changes =
        fabric ? topo_fabric_link_changes(fabric, &costing->changes, error) : NULL;
    if (fabric && !changes)
        return NULL;
    TopoTrafficSpec spec = {
        .cluster = costing->cluster,
        .fabric = fabric,
        .router = router,
        .gpu_of_rank = costing->gpu_of_rank,
        .transfers = rows(carried->transfers),
        .transfer_count = carried->transfers->len,
        .groups = rows(carried->groups),
        .group_ends = rows(carried->group_ends),
        .changes = changes ? (const TopoLinkChange *)changes->data : NULL,
        .change_count = changes ? changes->len : 0,
        .keeps_curves = costing->keeps_links,
    };
    SimRun *run = topo_net_run(costing->net, program, &spec, hot_links, error);
    if (*hot_links && !costing->keeps_links && (*hot_links)->len > HOT_LINKS_MAX)
        g_array_set_size(*hot_links, HOT_LINKS_MAX);
    if (*hot_links)
        name_waiters(program, *hot_links);
    return run;
}

SimRun *strat_carry(const StratCosting *costing, const SimProgram *program,
                    const StratCarried *carried, GArray **hot_links, GError **error)
{
    if (!strat_costing_reads_fabric(costing))
        return run_on(costing, NULL, NULL, program, carried, hot_links, error);
    const TopoRoutePolicy *policy = topo_route_by_name(costing->routing, error);
    g_autoptr(TopoFabric) fabric = policy ? topo_fabric_new(&costing->fabric, error) : NULL;
    if (!fabric || !topo_fabric_apply(fabric, &costing->changes, error) ||
        !weaken_nics(fabric, costing, error))
        return NULL;
    g_autoptr(TopoRouter) router = topo_router_new(fabric, policy, costing->seed);
    return run_on(costing, fabric, router, program, carried, hot_links, error);
}
