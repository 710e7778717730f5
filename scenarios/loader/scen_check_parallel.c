/* Whether tensor and context ranks can share a layer; sizes are known to be sound one by one.
 *
 * Tensor ranks cut heads and the MLP's width, key/value heads as far as there are any, and share or
 * repeat the rest. What the kinds ask for is with the kinds (strat_tensor.c, strat_context.c). On a
 * network that shares links their traffic is laid over them as one collective of the whole group,
 * which grids and hybrids are not. */
#include "scen_check_parallel.h"

#include "topo_net.h"

#define I64 "%" G_GINT64_FORMAT

void scen_check_tensor(const ScenScenario *scenario, const struct Check *check, ScenCheckFail fail)
{
    const ModelSpec *model = &scenario->model;
    int64_t tensor = scenario->plan.tensor;
    if (model->heads % tensor != 0)
        fail(check, "plan.tensor", "tensor " I64 " does not divide the model's " I64 " heads",
             tensor, model->heads);
    else if (model->kv_heads > 0 && model->kv_heads % tensor != 0 && tensor % model->kv_heads != 0)
        fail(check, "plan.tensor",
             "tensor " I64 " and the model's " I64 " kv_heads: neither divides the other", tensor,
             model->kv_heads);
    if (model->ffn % tensor != 0)
        fail(check, "plan.tensor", "tensor " I64 " does not divide the model's ffn " I64, tensor,
             model->ffn);
}

void scen_check_parallel(const ScenScenario *scenario, const struct Check *check,
                         ScenCheckFail fail)
{
    g_autofree char *tensor = NULL, *context = NULL;
    if (!strat_tensor_fits(&scenario->model, &scenario->plan, &tensor))
        fail(check, "plan.tensor_parallel", "%s", tensor);
    if (!strat_context_fits(&scenario->model, &scenario->plan, &context))
        fail(check, "plan.context_parallel", "%s", context);
    const TopoNet *net = topo_net_by_name(scenario->network, NULL);
    if (!net || !net->shares_links)
        return;
    if (strat_tensor_side(&scenario->plan) > 0)
        fail(check, "plan.tensor_parallel",
             "network %s lays tensor traffic over links as rings of all tensor ranks, which rows "
             "and columns of a grid are not: use alpha-beta",
             net->name);
    if (scenario->plan.context_parallel.kind == STRAT_CONTEXT_HYBRID)
        fail(check, "plan.context_parallel",
             "network %s lays context traffic over links as one collective of all context ranks, "
             "which hybrid has not: use alpha-beta",
             net->name);
}
