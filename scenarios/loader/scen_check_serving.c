/* Checks of a deployment.
 *
 * GPUs:    sum over pools of replicas * tensor * pipeline * data = GPUs of the cluster (replicas 0
 * is derived from this). Tensor:  divides the model's heads and its MLP; groups of it divide KV
 * heads, or the other way. Experts: the ranks that share them out divide tensor * data, and experts
 * with their copies are a multiple of them. Types:   products in a type need its matrix units;
 * weights that are only stored in a type do not. Offload: shares are at most all, and what they
 * need of the node is known. What memory says depends on the engine's cache and is asked by whoever
 * runs the scenario. */
#include "scen_check_serving.h"

#include "strat_offload.h"
#include "strat_router.h"
#include "strat_scheduler.h"
#include "topo_net.h"

#define I64 "%" G_GINT64_FORMAT

typedef struct Check {
    ScenScenario *scenario;
    ScenServing *serving;
    const ScenMarks *marks;
    ScenErrors *errors;
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
    scen_errors_add(check->errors, scen_marks_find(check->marks, path), "%s", message);
}

static void check_pool(const Check *check, const StratPool *pool, const char *at)
{
    const ModelSpec *model = &check->scenario->model;
    g_autofree char *tensor = g_strconcat(at, ".tensor", NULL);
    g_autofree char *pipeline = g_strconcat(at, ".pipeline", NULL);
    g_autofree char *expert = g_strconcat(at, ".expert", NULL);
    int64_t kv = model->kv_heads;
    if (model->heads % pool->tensor != 0)
        fail(check, tensor, "tensor " I64 " does not divide the model's " I64 " heads",
             pool->tensor, model->heads);
    else if (model->kv_lora_rank == 0 && kv % pool->tensor != 0 && pool->tensor % kv != 0)
        fail(check, tensor,
             "tensor " I64 " and the model's " I64 " kv_heads: neither divides the "
             "other",
             pool->tensor, kv);
    if (pool->pipeline > model->layers)
        fail(check, pipeline, "pipeline " I64 " is more than the model's " I64 " layers",
             pool->pipeline, model->layers);
    if (pool->expert == 1)
        return;
    int64_t ranks = pool->tensor * pool->data;
    int64_t copies = model->experts + check->serving->deployment.redundant_experts;
    if (model->experts == 0)
        fail(check, expert, "expert " I64 ": the model has no experts", pool->expert);
    else if (ranks % pool->expert != 0)
        fail(check, expert, "expert " I64 " does not divide tensor " I64 " x data " I64,
             pool->expert, pool->tensor, pool->data);
    else if (copies % pool->expert != 0)
        fail(check, expert,
             I64 " experts with redundant_experts " I64 " do not split over expert " I64,
             model->experts, check->serving->deployment.redundant_experts, pool->expert);
}

static void check_gpus(const Check *check)
{
    StratPool *pool = &check->serving->pool;
    const StratPool *prefill = &check->serving->prefill;
    int64_t gpus = check->scenario->cluster.gpu_count, once = strat_pool_gpus(pool);
    int64_t prompts = prefill->replicas > 0 ? prefill->replicas * strat_pool_gpus(prefill) : 0;
    const ScenServeFailures *failures = &check->serving->failures;
    int64_t spares = failures->spares * once + failures->prefill_spares * strat_pool_gpus(prefill);
    int64_t left = gpus - prompts - spares;
    if (pool->replicas == 0 && left >= once && left % once == 0)
        pool->replicas = left / once;
    else if (pool->replicas == 0)
        fail(check, "serve.tensor",
             "replicas of tensor " I64 " x pipeline " I64 " x data " I64 " = " I64
             " GPUs do not fill the " I64 " that are there",
             pool->tensor, pool->pipeline, pool->data, once, left);
    else if (pool->replicas * once != left)
        fail(check, "serve.replicas",
             I64 " replicas of " I64 " GPUs are " I64 ", but there are " I64, pool->replicas, once,
             pool->replicas * once, left);
}

static void check_engine(const Check *check)
{
    ScenServingEngine *engine = &check->serving->engine;
    g_autoptr(GError) no_scheduler = NULL;
    g_autoptr(GError) no_router = NULL;
    if (engine->row.scheduler && !strat_scheduler_by_name(engine->row.scheduler, &no_scheduler))
        fail(check, "serve.engine.scheduler", "%s", no_scheduler->message);
    if (!strat_router_by_name(check->serving->deployment.router, &no_router))
        fail(check, "serve.router", "%s", no_router->message);
    scen_serving_engine_settle(engine, &check->scenario->cluster.node.gpu);
    if (engine->row.max_sequences == 0 || engine->row.max_tokens == 0)
        fail(check, "serve.engine", "an engine needs max_sequences and max_tokens");
    for (size_t i = 0; i < STRAT_PREFERRED; i++)
        if (engine->row.preferred_sequences[i] > engine->row.max_sequences)
            fail(check, "serve.engine.preferred_sequences",
                 "a preferred size of " I64 " is more than max_sequences " I64,
                 engine->row.preferred_sequences[i], engine->row.max_sequences);
}

/* Whether the scheduler runs what the traffic asks for, as far as the scenario says it. */
static void check_forks(const Check *check)
{
    const StratTraffic *traffic = &check->scenario->traffic.spec;
    const StratEngine *engine = &check->serving->engine.row;
    const char *key = traffic->beams > 0 ? "traffic.beam_width" : "traffic.samples";
    bool several = traffic->forks &&
                   (traffic->samples.kind != STRAT_LENGTH_CONSTANT || traffic->samples.mean > 1.0);
    const StratScheduler *scheduler =
        engine->scheduler ? strat_scheduler_by_name(engine->scheduler, NULL) : NULL;
    g_autoptr(GError) error = NULL;
    if (!scheduler || (!several && traffic->beams == 0))
        return;
    if (check->serving->failures.is_on)
        fail(check, key, "requests with several answers are not modelled beside serve.failures");
    if (!strat_scheduler_forks(scheduler, several, traffic->beams > 0, &error)) {
        fail(check, key, "%s", error->message);
        return;
    }
    if (scheduler->forking != STRAT_FORKING_GROUP)
        return;
    double rows = traffic->beams > 0 ? (double)traffic->beams : traffic->samples.mean;
    if (engine->max_sequences > 0 && rows > (double)engine->max_sequences)
        fail(check, key, "%g sequences of a request are more than max_sequences " I64, rows,
             engine->max_sequences);
    if (check->serving->deployment.speculation.tokens > 0)
        fail(check, key, "scheduler %s: samples and beams with speculation are not modelled",
             scheduler->name);
}

/* Types whose products run on matrix units of the same type. */
static void check_types(const Check *check)
{
    static const struct {
        StratWeights weights;
        TopoDtype dtype;
        const char *name;
    } needs[] = {
        {STRAT_WEIGHTS_FP8,           TOPO_DTYPE_FP8, "fp8"          },
        {STRAT_WEIGHTS_FP8_BLOCK,     TOPO_DTYPE_FP8, "fp8-block"    },
        {STRAT_WEIGHTS_NVFP4,         TOPO_DTYPE_FP4, "nvfp4"        },
        {STRAT_WEIGHTS_NVFP4_EXPERTS, TOPO_DTYPE_FP4, "nvfp4-experts"},
    };
    const TopoGpu *gpu = &check->scenario->cluster.node.gpu;
    for (size_t i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (check->serving->deployment.weights == needs[i].weights &&
            gpu->peak_flop_per_s[needs[i].dtype] <= 0.0)
            fail(check, "serve.weights",
                 "weights %s need matrix units that GPU %s does not have: bf16, int8 and int4 (as "
                 "stored, products in 16 bits) need none",
                 needs[i].name, gpu->name ? gpu->name : "inline");
    }
}

static void check_speculation(const Check *check)
{
    StratSpeculation *speculation = &check->serving->deployment.speculation;
    bool has_draft = check->serving->draft.layers > 0;
    if (speculation->tokens == 0)
        return;
    if (speculation->positions == 0 && speculation->acceptance == 0.0)
        fail(check, "serve.speculation", "speculation needs acceptance, or a list by_position");
    if (speculation->positions > 0 && speculation->positions != (size_t)speculation->tokens)
        fail(check, "serve.speculation.by_position",
             "by_position has %zu entries for " I64 " tokens", speculation->positions,
             speculation->tokens);
    if (has_draft && speculation->draft_fraction > 0.0)
        fail(check, "serve.speculation.draft_fraction",
             "what proposes costs a draft model, or a draft_fraction, not both");
    speculation->draft = has_draft ? &check->serving->draft : NULL;
}

static void check_autoscale(const Check *check)
{
    const ScenServing *serving = check->serving;
    const TopoNode *node = &check->scenario->cluster.node;
    const StratAutoscale *how = &serving->autoscale;
    g_autoptr(GError) no_policy = NULL;
    if (how->least == 0)
        return;
    if (!strat_scale_policy_by_name(how->policy, &no_policy))
        fail(check, "serve.autoscale.policy", "%s", no_policy->message);
    if (serving->prefill.replicas > 0)
        fail(check, "serve.autoscale",
             "autoscaling is of replicas that do both, not of prefill and decode pools");
    if (how->least > serving->pool.replicas && serving->pool.replicas > 0)
        fail(check, "serve.autoscale.min", "min " I64 " is more than the " I64 " replicas",
             how->least, serving->pool.replicas);
    if (g_strcmp0(how->policy, "ttft") == 0 && serving->deployment.slo_ttft_s <= 0.0)
        fail(check, "serve.autoscale.policy", "policy ttft needs an objective: serve.slo.ttft");
    bool from_host = serving->load_from == SCEN_LOAD_FROM_HOST;
    if (serving->load_bytes_per_s <= 0.0 &&
        (from_host ? node->host_bytes_per_s <= 0.0 : node->nics == 0))
        fail(check, "serve.autoscale.weights_from", "node %s has no %s: give load_bandwidth",
             node->name, from_host ? "host_bandwidth" : "nics");
}

static void check_failures(const Check *check)
{
    const ScenServing *serving = check->serving;
    const ScenServeFailures *failures = &serving->failures;
    const TopoNode *node = &check->scenario->cluster.node;
    const StratPool *pool = &serving->pool;
    if (!failures->is_on)
        return;
    if (serving->autoscale.least > 0)
        fail(check, "serve.failures",
             "replicas either come and go with the load or fail, not both");
    if (failures->prefill_spares > 0 && serving->prefill.replicas == 0)
        fail(check, "serve.failures.prefill_spares", "there are no replicas that do prompts alone");
    bool from_host = failures->load_from == SCEN_LOAD_FROM_HOST;
    if (!failures->has_restart && failures->load_bytes_per_s <= 0.0 &&
        (from_host ? node->host_bytes_per_s <= 0.0 : node->nics == 0))
        fail(check, "serve.failures.weights_from", "node %s has no %s: give load_bandwidth",
             node->name, from_host ? "host_bandwidth" : "nics");
    if (failures->spec.policy && failures->spec.policy->restores &&
        failures->restore_bytes_per_s <= 0.0 && node->nics == 0)
        fail(check, "serve.failures.restore_bandwidth",
             "node %s has no nics by which copies could come: give restore_bandwidth", node->name);
    if (failures->spec.policy && failures->spec.policy->shrinks &&
        (pool->data == 1 || pool->pipeline > 1 || pool->expert != pool->tensor * pool->data))
        fail(check, "serve.failures.recovery",
             "only an expert group shrinks: replicas of one stage, with data above 1 and experts "
             "over all tensor x data ranks");
}

static void check_shares(const Check *check, const char *path, StratElsewhere share)
{
    const TopoNode *node = &check->scenario->cluster.node;
    if (share.host + share.disk > 1.0 + 1e-9)
        fail(check, path, "host %g and disk %g are more than all of it", share.host, share.disk);
    if (share.host + share.disk > 0.0 && node->host_bytes_per_s <= 0.0)
        fail(check, path,
             "the node says no host_bandwidth, by which to reach what is not on a GPU");
    if (share.disk > 0.0 && (node->disk_bytes <= 0.0 || node->disk_read_bytes_per_s <= 0.0 ||
                             node->disk_write_bytes_per_s <= 0.0))
        fail(check, path, "the node needs disk, disk_read and disk_write for what is on disks");
}

static void check_offload(const Check *check)
{
    const StratDeployment *deployment = &check->serving->deployment;
    const StratOffload *o = &deployment->offload;
    check_shares(check, "serve.offload.weights", o->weights);
    check_shares(check, "serve.offload.cache", o->cache);
    check_shares(check, "serve.offload.activations", o->activations);
    if (o->host_attention && check->scenario->cluster.node.host_attention_bytes_per_s <= 0.0)
        fail(check, "serve.offload.host_attention",
             "the node says no host_attention_bandwidth: nobody measured its CPU");
    if (o->host_attention && strat_off_gpu(o->cache) <= 0.0)
        fail(check, "serve.offload.host_attention",
             "the CPU attends over what of the cache is not on the GPU, which is nothing");
    if (o->gpu_batches > 1 && deployment->two_batch_overlap)
        fail(check, "serve.offload.gpu_batches",
             "two_batch_overlap cuts the batch in two: gpu_batches cannot cut it too");
}

static void check_transfer(const Check *check)
{
    const ScenServing *serving = check->serving;
    const char *network = check->scenario->network;
    bool splits = serving->prefill.replicas > 0;
    if (!splits && (serving->transfer_bytes_per_s > 0.0 || serving->overlap != SCEN_OVERLAP_NONE))
        fail(check, "serve.kv_transfer",
             "caches move where prompts have replicas of their own: give serve.prefill");
    if (splits && network && topo_net_by_name(network, NULL) &&
        topo_net_by_name(network, NULL)->is_referee)
        fail(check, "network",
             "network %s carries steps of training; caches of replicas move by alpha-beta or fluid",
             network);
    if (splits && serving->overlap == SCEN_OVERLAP_LAYERS &&
        !scen_serving_on_fabric(check->scenario))
        fail(check, "serve.kv_transfer.overlap",
             "layers need a network that shares its links: network: fluid, and no bandwidth");
}

static void complete(ScenServing *serving)
{
    StratDeployment *deployment = &serving->deployment;
    bool splits = serving->prefill.replicas > 0;
    serving->prefill.role = STRAT_ROLE_PREFILL;
    serving->pool.role = splits ? STRAT_ROLE_DECODE : STRAT_ROLE_BOTH;
    deployment->engine = &serving->engine.row;
    deployment->pools = splits ? 2 : 1;
    deployment->pool[0] = splits ? serving->prefill : serving->pool;
    deployment->pool[1] = serving->pool;
}

void scen_check_serving(ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors)
{
    ScenServing *serving = &scenario->serving;
    Check check = {scenario, serving, marks, errors};
    bool has_sizes = serving->pool.tensor > 0 && serving->pool.pipeline > 0 &&
                     serving->pool.data > 0 && serving->pool.expert > 0;
    bool has_prefill = serving->prefill.replicas == 0 ||
                       (serving->prefill.tensor > 0 && serving->prefill.pipeline > 0 &&
                        serving->prefill.data > 0 && serving->prefill.expert > 0);
    if (!serving->is_on)
        return;
    if (has_sizes && has_prefill && scenario->cluster.gpu_count > 0)
        check_gpus(&check);
    if (has_sizes && scenario->model.heads > 0 && scenario->model.kv_heads > 0)
        check_pool(&check, &serving->pool, "serve");
    if (serving->prefill.replicas > 0 && has_prefill && scenario->model.kv_heads > 0)
        check_pool(&check, &serving->prefill, "serve.prefill");
    check_engine(&check);
    check_forks(&check);
    check_types(&check);
    check_speculation(&check);
    check_autoscale(&check);
    check_failures(&check);
    check_offload(&check);
    check_transfer(&check);
    complete(serving);
}
