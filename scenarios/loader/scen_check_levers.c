/* What levers of memory exclude, and why.
 *
 * recompute_layers: a method takes its own key; groups keep one input, which selective
 * recomputation has no use for; under zero_stage 3 a group's weights would be gathered for its
 * recomputation and, by then thrown away, again for its backward.
 *
 * recompute per-op: of dense layers with fused attention alone. attention_kernels need one that is
 * fused, owner_hop an optimizer that is sharded and nothing else that is. */
#include "scen_check_levers.h"

#define I64 "%" G_GINT64_FORMAT

/* Layers of the largest model chunk. */
static int64_t chunk_layers(const ScenScenario *scenario)
{
    int64_t chunks = scenario->plan.pipeline * scenario->plan.virtual_stages;
    return (scenario->model.layers + chunks - 1) / chunks;
}

static void check_recompute(const ScenScenario *scenario, const struct Check *check,
                            ScenCheckFail fail)
{
    static const char path[] = "plan.recompute_layers";
    const StratPlan *plan = &scenario->plan;
    const StratRecomputeLayers *which = &plan->recompute_layers;
    bool share = which->method == STRAT_RECOMPUTE_FRACTION;
    if (which->method == STRAT_RECOMPUTE_EACH)
        return;
    if (plan->recompute == STRAT_RECOMPUTE_NONE)
        fail(check, path,
             "recompute_layers needs recompute full or selective: nothing is recomputed");
    if (share ? which->fraction <= 0.0 || which->layers > 0
              : which->layers == 0 || which->fraction > 0.0)
        fail(check, path,
             "recompute_layers takes `layers` with uniform and block, `fraction` (above 0) with "
             "fraction, and not the other");
    if (!share && which->layers > chunk_layers(scenario))
        fail(check, path, "a model chunk has " I64 " layers, not " I64, chunk_layers(scenario),
             which->layers);
    if (which->method != STRAT_RECOMPUTE_UNIFORM)
        return;
    if (plan->recompute == STRAT_RECOMPUTE_SELECTIVE || plan->recompute == STRAT_RECOMPUTE_PER_OP)
        fail(check, path,
             "uniform groups keep the input of a group alone: they need recompute full");
    if (which->layers > 1 && plan->zero_stage == 3)
        fail(check, path,
             "uniform groups of " I64 " with zero_stage 3: a group's weights would be gathered "
             "once more than the layers are; use layers: 1, block or fraction",
             which->layers);
}

/* What is kept operation by operation was read off a dense Llama with fused attention. */
static void check_per_op(const ScenScenario *scenario, const struct Check *check,
                         ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    if (plan->recompute != STRAT_RECOMPUTE_PER_OP)
        return;
    if (plan->attention == STRAT_ATTENTION_UNFUSED)
        fail(check, "plan.recompute",
             "recompute per-op keeps the output of fused attention: it needs attention flash");
    if (scenario->model.experts > 0 || scenario->model.kv_lora_rank > 0)
        fail(check, "plan.recompute",
             "recompute per-op keeps every other product of a dense layer: which it keeps of "
             "experts and of latent attention is not known");
}

static void check_kernels(const ScenScenario *scenario, const struct Check *check,
                          ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    if (plan->attention == STRAT_ATTENTION_UNFUSED &&
        plan->attention_kernels != KERN_ATTENTION_FITTED)
        fail(check, "plan.attention_kernels",
             "attention_kernels name a generation of fused attention: they need attention flash");
    if (plan->owner_hop_s > 0.0 && plan->zero_stage != 1)
        fail(
            check, "plan.owner_hop",
            "owner_hop needs zero_stage 1, where the owner of a tensor updates it: zero_stage " I64,
            plan->zero_stage);
}

void scen_check_levers(const ScenScenario *scenario, const struct Check *check, ScenCheckFail fail)
{
    check_recompute(scenario, check, fail);
    check_per_op(scenario, check, fail);
    check_kernels(scenario, check, fail);
}
