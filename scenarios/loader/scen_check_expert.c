/* What the plan of a model with experts excludes, and why: loads that no routing has, sharding that
 * experts have no part in, and parts that cannot be recomputed. */
#include "scen_check_expert.h"

#include "strat_expert.h"

#define I64 "%" G_GINT64_FORMAT

/* How full ranks and experts are. */
static void check_loads(const ModelSpec *model, const StratPlan *plan, const struct Check *check,
                        ScenCheckFail fail)
{
    int64_t ranks = MAX(plan->expert, 1);
    if ((plan->expert_imbalance > 0.0) + (plan->expert_zipf > 0.0) +
            (plan->expert_histogram != NULL) >
        1)
        fail(check, "plan.expert_imbalance",
             "expert_imbalance, expert_histogram and expert_zipf all say how full the busiest rank "
             "is: keep one");
    if (plan->expert_histogram && !strat_expert_reads_histogram(model, plan->expert_histogram))
        fail(check, "plan.expert_histogram",
             "expert_histogram '%s' is no list of whole numbers for " I64 " experts, not all 0",
             plan->expert_histogram, model->experts);
    if (plan->expert_imbalance > 0.0 &&
        (plan->expert_imbalance < 1.0 || plan->expert_imbalance > (double)ranks))
        fail(check, "plan.expert_imbalance",
             "expert_imbalance %g: the busiest of " I64 " ranks has from 1 to " I64
             " times the mean",
             plan->expert_imbalance, ranks, ranks);
    if (plan->expert_capacity > 0.0 && plan->expert_capacity < 1.0)
        fail(check, "plan.expert_capacity",
             "expert_capacity %g would drop tokens of even routing: 1 or more, or 0 for dropless",
             plan->expert_capacity);
}

void scen_check_expert(ScenScenario *scenario, const struct Check *check, ScenCheckFail fail)
{
    const ModelSpec *model = &scenario->model;
    StratPlan *plan = &scenario->plan;
    g_autofree char *reason = NULL;
    if (plan->expert == 0 && model->experts > 0)
        plan->expert = 1;
    if (plan->data > 0 && !strat_expert_fits(model, plan, &reason))
        fail(check, "plan.expert", "%s", reason);
    if (model->experts == 0)
        return;
    check_loads(model, plan, check, fail);
    if (plan->expert_nodes > 0 && !plan->expert_kernels.name)
        fail(check, "plan.expert_nodes",
             "expert_nodes needs expert_kernels: an all-to-all sends a copy an expert, wherever "
             "experts are");
    if (plan->zero_stage > 1)
        fail(check, "plan.zero_stage",
             "zero_stage " I64 " with experts: units are gathered and reduced over the ranks that "
             "share a layer, but experts are on others; use zero_stage 0 or 1",
             plan->zero_stage);
    if (plan->shard > 0)
        fail(check, "plan.shard",
             "shard " I64 " with experts: copies of experts are on other ranks than copies of the "
             "rest; leave it out",
             plan->shard);
    if (plan->precision > TOPO_DTYPE_FP8)
        fail(check, "plan.precision", "experts in less than 8 bits are not modelled in training");
    if (scenario->campaign.is_on)
        fail(check, "campaign",
             "a campaign of a model with experts is not modelled yet: its checkpoints hold experts "
             "that other ranks do not");
}

void scen_check_recompute_parts(const ScenScenario *scenario, const struct Check *check,
                                ScenCheckFail fail)
{
    const StratRecomputeParts *parts = &scenario->plan.recompute_parts;
    if (parts->up_projection && scenario->model.kv_lora_rank == 0)
        fail(check, "plan.recompute_parts.up_projection",
             "up_projection is of latent attention: the model has no kv_lora_rank");
    if (parts->quantised_inputs &&
        !strat_recipe_of(scenario->plan.quantise.recipe, scenario->plan.precision))
        fail(check, "plan.recompute_parts.quantised_inputs",
             "quantised_inputs needs a precision below 16 bits: nothing is quantised");
}
