/* Checks across the fields of a scenario.
 *
 * Binding has held each value to its own range; here they are held to each other. Every rule is one
 * small function, the list at the end is the whole of it, and all of them run, so one look shows
 * every fault. The order matters once: the first rules make sure that later ones can divide.
 *
 * Sizes:     tensor * context * pipeline * data = GPUs (plan.data 0 is derived from this).
 * Batch:     global_batch = micro_batch * data * microbatches, microbatches whole.
 * Layers:    layers (+ embedding, + head, when they are counted) = stages * chunks * k; without
 *            chunks the first stages may hold one more, if each stage has a layer.
 * Interleaving (Narayanan et al. 2021, section 2.2): chunks need microbatches in multiples of the
 *            pipeline's stages.
 * Products are taken in double, since a product of numbers in range may not fit an int64. */
#include "scen_check.h"

#include "scen_check_data.h"
#include "scen_check_expert.h"
#include "scen_check_fabric.h"
#include "scen_check_levers.h"
#include "scen_check_mixed.h"
#include "scen_check_parallel.h"
#include "scen_check_serving.h"
#include "scen_fields.h"
#include "scen_verify.h"
#include "strat_stages.h"

#include <math.h>
#include <string.h>

#define I64 "%" G_GINT64_FORMAT

#define PARAMETERS_MAX 1e16
#define ELEMENTS_MAX 1e17 /* of one activation, or tokens of a step */

typedef struct Check {
    ScenScenario *scenario;
    const ScenMarks *marks; /* NULL in memory */
    ScenErrors *errors;     /* or, of a plan alone: */
    ScenRefusal *refusal;
} Check;

static void fail(const Check *check, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void fail(const Check *check, const char *path, const char *format, ...)
{
    if (scen_marks_is_refused(check->marks, path))
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (check->refusal) {
        if (!check->refusal->rule)
            *check->refusal = (ScenRefusal){path, format, g_steal_pointer(&message)};
        return;
    }
    ScenMark mark = scen_marks_find(check->marks, path);
    if (!mark.file)
        mark.file = path;
    scen_errors_add(check->errors, mark, "%s", message);
}

static void check_shape(const Check *check)
{
    const ModelSpec *model = &check->scenario->model;
    if (model->kv_heads == 0 || model->head_dim == 0 || model->ffn == 0)
        fail(check, "model.heads", "kv_heads, head_dim and ffn must be set, and be 1 or more");
    else if (model->heads % model->kv_heads != 0)
        fail(check, "model.kv_heads", "kv_heads " I64 " does not divide heads " I64,
             model->kv_heads, model->heads);
    if (model->kv_lora_rank > 0 && (model->rope_head_dim == 0 || model->value_head_dim == 0))
        fail(check, "model.kv_lora_rank",
             "kv_lora_rank (MLA) also needs rope_head_dim and value_head_dim");
    if (model->linear_bias && model->qkv_bias)
        fail(check, "model.bias", "the bias is of all layers or of QKV, not both");
}

static void check_experts(const Check *check)
{
    const ModelSpec *model = &check->scenario->model;
    if (model->experts == 0)
        return;
    if (model->experts_per_token < 1 || model->experts_per_token > model->experts)
        fail(check, "model.experts_per_token",
             "experts_per_token must be from 1 to experts (" I64 "), not " I64, model->experts,
             model->experts_per_token);
    if (model->expert_ffn == 0)
        fail(check, "model.expert_ffn", "a model with experts needs expert_ffn");
}

/* Data is derived by now. */
static void check_expert_plan(const Check *check)
{
    scen_check_expert(check->scenario, check, fail);
    scen_check_recompute_parts(check->scenario, check, fail);
}

static void check_latent(const Check *check)
{
    if (check->scenario->model.kv_lora_rank > 0 &&
        check->scenario->plan.attention == STRAT_ATTENTION_UNFUSED)
        fail(check, "plan.attention", "latent attention (MLA) is modelled as flash, not unfused");
}

/** Keeps parameters, tokens and activations far below what int64 can count. */
static void check_products(const Check *check)
{
    const ModelSpec *model = &check->scenario->model;
    const StratPlan *plan = &check->scenario->plan;
    double hidden = (double)model->hidden;
    double heads = (double)model->heads * (double)(model->head_dim + model->rope_head_dim);
    double experts = (double)(model->experts + model->shared_experts) * (double)model->expert_ffn;
    double layer = 4.0 * hidden * heads + 3.0 * hidden * ((double)model->ffn + experts);
    double parameters = (double)model->layers * layer + 2.0 * hidden * (double)model->vocab;
    if (parameters > PARAMETERS_MAX)
        fail(check, "model", "a model of %.2g parameters: more than %.2g are taken for a mistake",
             parameters, PARAMETERS_MAX);
    double sequence = (double)plan->sequence_length;
    double widest = MAX(hidden, MAX((double)model->ffn, (double)model->vocab));
    double elements = (double)plan->micro_batch * sequence *
                      MAX(widest, (double)model->heads * sequence) * (double)model->layers;
    double tokens = (double)plan->global_batch * sequence;
    if (elements > ELEMENTS_MAX || tokens > ELEMENTS_MAX)
        fail(check, "plan.sequence_length",
             "micro_batch " I64 ", global_batch " I64 " and sequence_length " I64
             " make %.2g elements: more than %.2g are taken for a mistake",
             plan->micro_batch, plan->global_batch, plan->sequence_length, MAX(elements, tokens),
             ELEMENTS_MAX);
}

static void check_cluster(const Check *check)
{
    const TopoCluster *cluster = &check->scenario->cluster;
    const TopoNode *node = &cluster->node;
    if (cluster->gpu_count == 0 || cluster->node_count == 0)
        fail(check, "cluster.gpus", "a cluster needs gpus and nodes");
    else if (cluster->gpu_count > node->gpus * cluster->node_count)
        fail(check, "cluster.gpus", I64 " GPUs do not fit " I64 " nodes of " I64,
             cluster->gpu_count, cluster->node_count, node->gpus);
    if (cluster->node_count > 1 && node->nics == 0 && cluster->gpu_count > node->scale_up_gpus)
        fail(check, "cluster.nodes", I64 " nodes without nics cannot talk to each other",
             cluster->node_count);
    if (node->scale_up_gpus < node->gpus && node->scale_up_gpus > 0 &&
        node->gpus % node->scale_up_gpus != 0)
        fail(check, "cluster.node.scale_up_gpus",
             "scale_up_gpus " I64 " does not divide the node's " I64 " GPUs", node->scale_up_gpus,
             node->gpus);
    scen_check_mixed(check->scenario, check, fail);
}

static void check_sizes(const Check *check)
{
    StratPlan *plan = &check->scenario->plan;
    int64_t gpus = check->scenario->cluster.gpu_count;
    g_autofree char *sizes = g_strdup_printf("tensor " I64 " x context " I64 " x pipeline " I64,
                                             plan->tensor, plan->context, plan->pipeline);
    double product = (double)plan->tensor * (double)plan->context * (double)plan->pipeline;
    double all = product * (double)plan->data;
    if (gpus == 0)
        return;
    if (plan->data == 0 && product <= (double)gpus && gpus % (int64_t)product == 0)
        plan->data = gpus / (int64_t)product;
    else if (plan->data == 0)
        fail(check, "plan.tensor", "%s = %.0f does not divide the cluster's " I64 " GPUs", sizes,
             product, gpus);
    else if (all != (double)gpus)
        fail(check, "plan.data", "%s x data " I64 " = %.0f, but the cluster has " I64 " GPUs",
             sizes, plan->data, all, gpus);
}

static void check_batch(const Check *check)
{
    const StratPlan *plan = &check->scenario->plan;
    int64_t once = plan->micro_batch * plan->data;
    if (once > 0 && plan->global_batch % once != 0)
        fail(check, "plan.global_batch",
             "global_batch " I64 " is not a multiple of micro_batch " I64 " x data " I64 " = " I64,
             plan->global_batch, plan->micro_batch, plan->data, once);
}

static void check_tensor(const Check *check)
{
    scen_check_tensor(check->scenario, check, fail);
}

static void check_parallel(const Check *check)
{
    scen_check_parallel(check->scenario, check, fail);
}

/* NULL where there is none, or none of that name. */
static const StratSchedule *schedule_of(const StratPlan *plan)
{
    return plan->schedule ? strat_schedule_by_name(plan->schedule, NULL) : NULL;
}

static void check_layers(const Check *check)
{
    const ModelSpec *model = &check->scenario->model;
    const StratPlan *plan = &check->scenario->plan;
    int64_t places = model->layers + plan->count_embedding + plan->count_head;
    const StratSchedule *schedule = schedule_of(plan);
    int64_t chunks = schedule
                         ? strat_schedule_length(schedule, plan->pipeline, plan->virtual_stages)
                         : plan->pipeline * plan->virtual_stages;
    bool uneven = (chunks == plan->pipeline || plan->uneven_layers) && model->layers >= chunks;
    if (plan->stage_layers) {
        g_autofree char *reason = NULL;
        if (!strat_stages_fit(model, plan, &reason))
            fail(check, "plan.stage_layers", "stage_layers: %s", reason);
        return;
    }
    if (places % chunks == 0 || uneven)
        return;
    const char *counted = plan->count_embedding || plan->count_head
                              ? " layers (with what is counted as one)"
                              : " layers";
    fail(check, plan->virtual_stages > 1 ? "plan.virtual_stages" : "plan.pipeline",
         I64 "%s do not split over pipeline " I64 " x virtual_stages " I64 " = " I64 " chunks",
         places, counted, plan->pipeline, plan->virtual_stages, chunks);
}

/* What the schedule asks of the microbatches, and what it can shard. */
static void check_microbatches(const Check *check, const StratSchedule *schedule)
{
    const StratPlan *plan = &check->scenario->plan;
    int64_t once = plan->micro_batch * plan->data;
    g_autofree char *reason = NULL;
    if (once > 0 && plan->global_batch % once == 0 &&
        !strat_schedule_fits(schedule, plan->pipeline, plan->virtual_stages,
                             plan->global_batch / once, &reason))
        fail(check, schedule->is_dual && plan->pipeline % 2 ? "plan.pipeline" : "plan.global_batch",
             "%s", reason);
    if (schedule->is_dual && (plan->zero_stage > 1 || plan->shard > 0))
        fail(check, "plan.zero_stage",
             "schedule %s holds the model twice and adds its gradients over both copies once a "
             "step: use zero_stage 0 or 1, and no shard",
             plan->schedule);
    if (schedule->is_dual && check->scenario->campaign.is_on)
        fail(check, "campaign",
             "a campaign under schedule %s is not modelled: its checkpoints would hold the model "
             "once, its ranks hold it twice",
             plan->schedule);
}

static void check_schedule(const Check *check)
{
    const StratPlan *plan = &check->scenario->plan;
    if (!plan->schedule) {
        fail(check, "plan.schedule", "a plan needs a schedule");
        return;
    }
    const StratSchedule *schedule = schedule_of(plan);
    if (!schedule)
        return; /* the field has said so */
    bool two = schedule->is_v || schedule->is_dual;
    if (plan->pipeline > 1 && g_str_equal(plan->schedule, "none"))
        fail(check, "plan.schedule", "schedule none is for pipeline 1, not " I64, plan->pipeline);
    if (plan->pipeline == 1 && (schedule->plan || two))
        fail(check, "plan.schedule", "schedule %s needs a pipeline of 2 or more", plan->schedule);
    if (two && plan->virtual_stages != 2)
        fail(check, "plan.virtual_stages", "schedule %s has virtual_stages of 2, not " I64,
             plan->schedule, plan->virtual_stages);
    if (schedule->interleaves && plan->virtual_stages == 1)
        fail(check, "plan.schedule", "schedule %s needs virtual_stages of 2 or more",
             plan->schedule);
    check_microbatches(check, schedule);
    if (plan->virtual_stages == 1 || two)
        return;
    if (!schedule->interleaves)
        fail(check, "plan.virtual_stages",
             "virtual_stages " I64 " needs schedule interleaved-1f1b, not %s", plan->virtual_stages,
             plan->schedule);
    if (plan->pipeline == 1)
        fail(check, "plan.virtual_stages", "virtual_stages " I64 " needs a pipeline of 2 or more",
             plan->virtual_stages);
}

static void check_sequence(const Check *check)
{
    const ModelSpec *model = &check->scenario->model;
    const StratPlan *plan = &check->scenario->plan;
    int64_t parts = plan->context * (plan->sequence_parallel ? plan->tensor : 1);
    if (plan->sequence_length == 0)
        fail(check, "plan.sequence_length", "a plan needs sequence_length");
    if (plan->sequence_length % parts != 0)
        fail(check, "plan.sequence_length",
             "sequence_length " I64 " does not split over context " I64 "%s", plan->sequence_length,
             parts, plan->sequence_parallel ? " x tensor (sequence_parallel)" : "");
    if (model->position == MODEL_POSITION_LEARNED && model->max_sequence > 0 &&
        plan->sequence_length > model->max_sequence)
        fail(check, "plan.sequence_length",
             "sequence_length " I64 " exceeds the model's table of " I64 " learned positions",
             plan->sequence_length, model->max_sequence);
}

static void check_zero(const Check *check)
{
    const StratPlan *plan = &check->scenario->plan;
    int64_t all = plan->data * plan->context;
    if (plan->shard > 0 && plan->zero_stage == 0)
        fail(check, "plan.shard", "shard " I64 " needs zero_stage 1 or more: nothing is sharded",
             plan->shard);
    else if (plan->shard > 0 && all > 0 && all % plan->shard != 0)
        fail(check, "plan.shard", "shard " I64 " does not divide data x context = " I64 " ranks",
             plan->shard, all);
    if (!plan->reshard_after_forward && plan->zero_stage < 3)
        fail(check, "plan.reshard_after_forward",
             "reshard_after_forward false needs zero_stage 3: weights are never sharded");
    if (plan->no_sync && plan->zero_stage < 2)
        fail(check, "plan.no_sync",
             "no_sync needs zero_stage 2 or 3: zero_stage " I64
             " reduces gradients once a step anyway",
             plan->zero_stage);
    if (plan->zero_stage > 1 && plan->pipeline > 1 && plan->pipeline_shards_no_gradients)
        fail(check, "plan.zero_stage",
             "zero_stage " I64 " with a pipeline of " I64
             ": DeepSpeed's pipeline engine refuses it, since sharded gradients are reduced after "
             "every microbatch; use zero_stage 1, or pipeline 1, or FSDP (base: pytorch-fsdp)",
             plan->zero_stage, plan->pipeline);
}

static void check_levers(const Check *check)
{
    scen_check_levers(check->scenario, check, fail);
    scen_check_data_parallel(check->scenario, check, fail);
    scen_check_mixed_plan(check->scenario, check, fail);
}

static void check_peak(const Check *check)
{
    const TopoGpu *gpu = &check->scenario->cluster.node.gpu;
    TopoDtype precision = check->scenario->plan.precision;
    if (gpu->peak_flop_per_s[precision] > 0.0)
        return;
    g_autoptr(GString) has = g_string_new(NULL);
    for (const ScenName *name = scen_dtype_names; name->text; name++)
        if (gpu->peak_flop_per_s[name->value] > 0.0)
            g_string_append_printf(has, "%s%s", has->len ? ", " : "", name->text);
    fail(check, "plan.precision", "GPU %s has no peak for precision %s, it has: %s",
         gpu->name ? gpu->name : "inline", scen_dtype_names[precision].text,
         has->len ? has->str : "none");
}

static void check_quantise(const Check *check)
{
    const StratPlan *plan = &check->scenario->plan;
    g_autofree char *reason = NULL;
    if (!strat_recipe_fits(&plan->quantise, plan->precision, check->scenario->model.layers,
                           &check->scenario->cluster.node.gpu, &reason))
        fail(check, "plan.quantise", "%s", reason);
}

static void check_storage(const Check *check)
{
    const ScenCampaign *campaign = &check->scenario->campaign;
    const TopoNode *node = &check->scenario->cluster.node;
    if (!campaign->has_storage)
        return;
    if (campaign->storage.row.host_copy_bytes_per_s == 0.0 && node->host_bytes_per_s == 0.0)
        fail(check, "campaign.storage", "the node has no host_bandwidth: give host_copy");
    if (campaign->storage.network == SCEN_STORAGE_COMPUTE && node->nics == 0)
        fail(check, "campaign.storage.network", "the nodes have no NICs to a compute network");
}

typedef struct Rule {
    void (*run)(const Check *check);
    bool trains; /* only where there is a plan */
    const char *needs[8];
} Rule;

/* clang-format off */
static const Rule rules[] = {
    {check_shape, false, {"model.heads", "model.hidden"}},
    {check_experts, false, {"model.experts"}},
    {check_latent, true, {"plan.attention"}},
    {check_products, false, {NULL}},
    {check_cluster, false, {"cluster.node.gpus", "cluster.gpus", "cluster.nodes"}},
    {check_sizes, true,
     {"plan.tensor", "plan.context", "plan.pipeline", "plan.data", "cluster.gpus"}},
    {check_expert_plan, true,
     {"model.experts", "model.expert_ffn", "plan.expert", "plan.expert_tensor", "plan.tensor",
      "plan.data", "plan.zero_stage", "plan.shard"}},
    {check_batch, true, {"plan.micro_batch", "plan.global_batch", "plan.data"}},
    {check_tensor, true, {"plan.tensor", "model.heads", "model.ffn"}},
    {check_parallel, true,
     {"plan.tensor", "plan.context", "plan.tensor_parallel", "plan.context_parallel",
      "plan.sequence_length", "plan.micro_batch", "model.heads", "model.ffn"}},
    {check_layers, true, {"plan.pipeline", "plan.virtual_stages", "model.layers"}},
    {check_schedule, true,
     {"plan.schedule", "plan.pipeline", "plan.virtual_stages", "plan.micro_batch",
      "plan.global_batch", "plan.zero_stage"}},
    {check_sequence, true, {"plan.sequence_length", "plan.context", "plan.tensor", "model.layers"}},
    {check_zero, true,
     {"plan.zero_stage", "plan.shard", "plan.data", "plan.context", "plan.pipeline"}},
    {check_levers, true,
     {"plan.recompute", "plan.pipeline", "plan.virtual_stages", "model.layers", "plan.tensor",
      "plan.data", "plan.zero_stage", "plan.data_parallel"}},
    {check_peak, true, {"plan.precision", "cluster.node.gpu.peak", "cluster.node.gpu.memory"}},
    {check_quantise, true, {"plan.quantise", "plan.precision", "model.layers", "cluster.node.gpu"}},
    {check_storage, true, {"cluster.node.nics", "cluster.node.host_bandwidth"}},
};
/* clang-format on */

static bool is_ready(const Rule *rule, const ScenMarks *unsound, const ScenMarks *marks)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rule->needs) && rule->needs[i]; i++)
        if (scen_marks_is_refused(unsound, rule->needs[i]) ||
            scen_marks_is_refused(marks, rule->needs[i]))
            return false;
    return true;
}

static void check_all(const Check *check, const ScenMarks *unsound)
{
    if (check->scenario->replay)
        return;
    const ScenScenario *scenario = check->scenario;
    if (scenario->campaign.is_alone || scenario->queue.is_on || scenario->trace.is_on) {
        check_cluster(check);
        if (scenario->trace.is_on)
            scen_check_fabric(scenario, check->marks, check->errors);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (!(rules[i].trains && check->scenario->serving.is_on) &&
            is_ready(&rules[i], unsound, check->marks))
            rules[i].run(check);
    scen_check_serving(check->scenario, check->marks, check->errors);
    scen_check_fabric(check->scenario, check->marks, check->errors);
}

void scen_check_bound(ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors)
{
    g_autoptr(ScenMarks) unsound = scen_marks_new();
    Check check = {.scenario = scenario, .marks = marks, .errors = errors};
    scen_verify(&scen_scenario_table, scenario, unsound, NULL); /* binding has said why */
    check_all(&check, unsound);
}

bool scen_check_plan_refused(const ScenScenario *scenario, ScenRefusal *refusal)
{
    ScenScenario copy = *scenario;
    ScenRefusal first = {0};
    Check check = {.scenario = &copy, .refusal = &first};
    for (size_t i = 0; i < G_N_ELEMENTS(rules) && !first.rule; i++)
        if (rules[i].trains)
            rules[i].run(&check);
    if (refusal)
        *refusal = first;
    else
        g_free(first.message);
    return first.rule != NULL;
}

bool scen_scenario_check(ScenScenario *scenario, GError **error)
{
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(ScenMarks) unsound = scen_marks_new();
    Check check = {.scenario = scenario, .errors = errors};
    scen_verify(&scen_scenario_table, scenario, unsound, errors);
    check_all(&check, unsound);
    return scen_errors_report(errors, error);
}
