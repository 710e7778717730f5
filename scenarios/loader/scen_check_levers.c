/* What levers of memory and options of the workload exclude, and why.
 *
 * recompute_layers: a method takes its own key; groups keep one input, which selective
 * recomputation has no use for; under zero_stage 3 a group's weights would be gathered for its
 * recomputation and, by then thrown away, again for its backward.
 *
 * offload: what is moved needs a link, a store that is large enough, and a CPU of known speed to
 * update there. Weights live elsewhere only where they are gathered unit by unit; with a pipeline
 * every microbatch would fetch them again, which DeepSpeed's engine refuses.
 *
 * recompute per-op: of dense layers with fused attention alone. owner_hop needs an optimizer that is
 * sharded and nothing else that is. adapters, distill, sparsity: see each rule. */
#include "scen_check_levers.h"

#include "strat_agree.h"
#include "strat_layout.h"

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

/* The schedule cuts backwards in two. */
static bool cuts_backwards(const StratPlan *plan)
{
    const StratSchedule *schedule =
        plan->schedule ? strat_schedule_by_name(plan->schedule, NULL) : NULL;
    return schedule && schedule->kinds & 1U << STRAT_TASK_WEIGHT;
}

static void check_stores(const ScenScenario *scenario, const struct Check *check,
                         ScenCheckFail fail)
{
    const StratStores *offload = &scenario->plan.offload;
    const TopoNode *node = &scenario->cluster.node;
    bool disk = offload->optimizer == STRAT_STORE_DISK || offload->parameters == STRAT_STORE_DISK;
    if (node->host_bytes_per_s <= 0.0 || node->host_memory_bytes <= 0.0)
        fail(check, "plan.offload", "offload: the node has no host_bandwidth or no host_memory");
    if (offload->optimizer != STRAT_STORE_DEVICE && node->host_memory_bytes_per_s <= 0.0)
        fail(check, "plan.offload.optimizer",
             "the host updates, but the node has no host_memory_bandwidth: nobody said how fast");
    if (disk && (node->disk_bytes <= 0.0 || node->disk_read_bytes_per_s <= 0.0 ||
                 node->disk_write_bytes_per_s <= 0.0))
        fail(check, "plan.offload",
             "offload to disk: the node has no disk, disk_read or disk_write");
}

static void check_activations(const ScenScenario *scenario, const struct Check *check,
                              ScenCheckFail fail)
{
    const StratStores *offload = &scenario->plan.offload;
    bool any = offload->activations > 0.0 || offload->activation_layers > 0;
    if (offload->activations > 0.0 && offload->activation_layers > 0)
        fail(check, "plan.offload.activations",
             "activations are a share of all layers, activation_layers whole ones: say one");
    if (offload->activation_layers > scenario->model.layers)
        fail(check, "plan.offload.activation_layers", "the model has " I64 " layers, not " I64,
             scenario->model.layers, offload->activation_layers);
    if (any && cuts_backwards(&scenario->plan))
        fail(check, "plan.offload.activations",
             "schedule %s keeps inputs for its second backward: offload of activations is for "
             "whole ones",
             scenario->plan.schedule);
}

static void check_offload(const ScenScenario *scenario, const struct Check *check,
                          ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    const StratStores *offload = &plan->offload;
    bool updates = offload->optimizer != STRAT_STORE_DEVICE;
    bool fetches = offload->parameters != STRAT_STORE_DEVICE;
    if (offload->delayed_update && !updates)
        fail(check, "plan.offload.delayed_update",
             "delayed_update needs offload.optimizer: the GPU's update has nothing to hide under");
    if (offload->tiles > 1 && plan->zero_stage < 3)
        fail(check, "plan.offload.tiles", "tiles need zero_stage 3: weights are never gathered");
    if (!strat_stores_any(offload))
        return;
    check_stores(scenario, check, fail);
    check_activations(scenario, check, fail);
    if (updates && plan->optimizer != STRAT_OPTIMIZER_ADAM &&
        plan->optimizer != STRAT_OPTIMIZER_ADAM_BF16)
        fail(check, "plan.offload.optimizer",
             "the host's update is Adam's: optimizer must be adam");
    if (updates && (plan->no_master || plan->fp32_parameters))
        fail(check, "plan.offload.optimizer",
             "the host has the fp32 weights beside 16-bit ones: no_master and fp32_parameters "
             "leave none");
    if (fetches && plan->zero_stage < 3)
        fail(check, "plan.offload.parameters",
             "weights of zero_stage " I64 " are whole on the GPU: offload.parameters needs 3",
             plan->zero_stage);
    if (fetches && plan->pipeline > 1)
        fail(check, "plan.offload.parameters",
             "offload.parameters with a pipeline of " I64
             ": every microbatch would fetch every layer again; use pipeline 1",
             plan->pipeline);
    if ((updates || fetches) && plan->schedule && g_str_has_prefix(plan->schedule, "dualpipe"))
        fail(check, "plan.offload", "%s shares its optimizer with another stage: no offload of it",
             plan->schedule);
    if ((updates || fetches) && scenario->model.experts > 0)
        fail(check, "plan.offload", "offload of weights and optimizer is for dense models");
}

static void check_optimizer(const ScenScenario *scenario, const struct Check *check,
                            ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    if (plan->optimizer == STRAT_OPTIMIZER_MUON && (plan->zero_stage > 0 || plan->tensor > 1))
        fail(check, "plan.optimizer",
             "muon multiplies whole matrices: zero_stage and tensor would cut them, and gathering "
             "them first is not modelled");
    if (plan->no_master && (plan->fp32_parameters || plan->precision == TOPO_DTYPE_FP32))
        fail(check, "plan.no_master", "no_master: weights in fp32 have no copy to leave out");
}

static void check_adapters(const ScenScenario *scenario, const struct Check *check,
                           ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    const ModelAdapters *adapters = &plan->adapters;
    if (adapters->rank == 0)
        return;
    if (scenario->model.experts > 0 || scenario->model.kv_lora_rank > 0)
        fail(check, "plan.adapters", "adapters are for dense layers with ordinary attention");
    if (adapters->rank > MIN(scenario->model.hidden, scenario->model.ffn))
        fail(check, "plan.adapters.rank", "rank " I64 " is wider than the layers: no low rank",
             adapters->rank);
    if (adapters->double_quantisation && !adapters->nf4)
        fail(check, "plan.adapters.double_quantisation",
             "double_quantisation is of nf4's maxima: it needs nf4");
    if (adapters->nf4 && plan->zero_stage == 3)
        fail(check, "plan.adapters.nf4",
             "nf4 with zero_stage 3: gathers of packed 4-bit weights are not modelled");
    if (adapters->nf4 && plan->offload.parameters != STRAT_STORE_DEVICE)
        fail(check, "plan.adapters.nf4", "nf4 weights stay on the GPU: no offload.parameters");
    if (cuts_backwards(plan))
        fail(check, "plan.adapters",
             "schedule %s hides bubbles under the gradients of weights, which frozen layers do "
             "not have",
             plan->schedule);
}

static void check_teacher(const ScenScenario *scenario, const struct Check *check,
                          ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    const ModelSpec *teacher = &plan->distill.teacher;
    int64_t cut = plan->distill.tensor > 0 ? plan->distill.tensor : plan->tensor;
    if (teacher->layers == 0)
        return;
    if (teacher->experts > 0 || teacher->kv_lora_rank > 0)
        fail(check, "plan.distill.teacher",
             "a teacher with experts or latent attention is not modelled");
    if (teacher->heads % cut != 0 || teacher->ffn % cut != 0)
        fail(check, "plan.distill.tensor",
             "tensor " I64 " does not divide the teacher's heads " I64 " and ffn " I64, cut,
             teacher->heads, teacher->ffn);
    if (cut % plan->tensor != 0 && plan->tensor % cut != 0)
        fail(check, "plan.distill.tensor",
             "the teacher's tensor " I64 " and the plan's " I64 " must divide one another", cut,
             plan->tensor);
    else if (plan->micro_batch * cut % plan->tensor != 0 ||
             (plan->data > 0 && plan->data * plan->tensor % cut != 0))
        fail(check, "plan.distill.tensor",
             "micro_batch " I64 " and data " I64 " do not share out over a teacher on " I64 " GPUs",
             plan->micro_batch, plan->data, cut);
    if (plan->distill.top_logits > teacher->vocab)
        fail(check, "plan.distill.top_logits", "the teacher has " I64 " logits", teacher->vocab);
    if (cuts_backwards(plan) || plan->profiled.forward_s > 0.0)
        fail(check, "plan.distill",
             "distill: measured stage times and schedules of cut backwards have no room for a "
             "teacher");
}

/* Levers of weights know one way to cut a layer and one for replicas to agree. */
static void check_neighbours(const ScenScenario *scenario, const struct Check *check,
                             ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    bool moves = plan->offload.optimizer != STRAT_STORE_DEVICE ||
                 plan->offload.parameters != STRAT_STORE_DEVICE;
    bool any = moves || plan->adapters.rank > 0 || plan->distill.teacher.layers > 0;
    if (any && !strat_data_is_plain(&plan->data_parallel))
        fail(check, "plan.data_parallel",
             "offload of weights, adapters and teachers are for replicas that reduce all "
             "gradients, without compression and local steps");
    if ((any || plan->sparsity.gain > 0.0) && plan->tensor_parallel.kind != STRAT_TENSOR_1D)
        fail(check, "plan.tensor_parallel",
             "offload of weights, adapters, teachers and sparse weights are for layers cut by "
             "columns and rows (1d), not over grids");
}

static void check_sparsity(const ScenScenario *scenario, const struct Check *check,
                           ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    if (plan->sparsity.gain <= 0.0)
        return;
    if (plan->precision == TOPO_DTYPE_FP32)
        fail(check, "plan.sparsity", "2:4 sparse products need a tensor core type, not fp32");
    if (plan->adapters.rank > 0)
        fail(check, "plan.sparsity", "sparse weights beside adapters are not modelled");
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

static void check_owners(const ScenScenario *scenario, const struct Check *check,
                         ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    if (plan->owner_hop_s > 0.0 && plan->zero_stage != 1)
        fail(
            check, "plan.owner_hop",
            "owner_hop needs zero_stage 1, where the owner of a tensor updates it: zero_stage " I64,
            plan->zero_stage);
}

void scen_check_levers(const ScenScenario *scenario, const struct Check *check, ScenCheckFail fail)
{
    check_recompute(scenario, check, fail);
    check_offload(scenario, check, fail);
    check_optimizer(scenario, check, fail);
    check_adapters(scenario, check, fail);
    check_teacher(scenario, check, fail);
    check_sparsity(scenario, check, fail);
    check_neighbours(scenario, check, fail);
    check_per_op(scenario, check, fail);
    check_owners(scenario, check, fail);
}
