/* Memory of a stage.
 *
 *   weights    2 P bytes, or 4 P where they are kept in fp32; quantised: strat_recipe.c
 *   gradients  P * bytes of the gradient type
 *   optimizer  12 P bytes: fp32 weight and two moments; without the weight where that is kept
 *
 * of P parameters on a rank. Over the S ranks that share a copy ZeRO-1 divides the optimizer,
 * ZeRO-2 the gradients too, ZeRO-3 the weights as well (Rajbhandari 2020, section 5); of routed
 * experts ZeRO-1 divides it over the ranks with the same ones. Where a schedule
 * holds the model twice (DualPipe), P counts both chunks of a rank, and S or those ranks count
 * twice, since both copies' optimizers are one. With ZeRO-2 and 3
 *
 *   gradients  are kept in the wider of their own and the weights' type; whole, in their own,
 *              without synchronisation
 *
 * FSDP keeps fp32 weights: (4 + 4 + 8) P / S (Zhao 2023, section 4.4); DeepSpeed 16-bit weights and
 * gradients and an fp32 master: (2 + 2 + 12) P / S. Besides:
 *
 *   activations  the most that the schedule holds at once: each forward adds what its chunk keeps,
 *              each backward releases it (Korthikanti 2022, section 4), or what is not kept for
 *              the weights' gradients, where they come later
 *   workspace  what lives only for a moment: a recomputed layer or group of layers, copies of the
 *              logits (strat_footprint.c); keys and values gathered over a context group and their
 *              gradients; 16-bit copies of weights kept in fp32; units that
 *              ZeRO-3 gathers and stand-ins of gradients (strat_held.c); under ZeRO-2 and 3 the
 *              gradients of a unit as it is computed (2 bytes) and of one as it is reduced, which
 *              without synchronisation FSDP copies too and others reduce where they are; under a
 *              breadth-first schedule of a whole chunk instead of a unit
 *   reserved   CUDA context, library handles and communicator buffers
 *
 * Replicas that agree otherwise (plan.data_parallel) also keep: gradients twice where buckets are
 * copies; 4 bytes of error a parameter where compression feeds it back; a peer's weights where they
 * gossip; no optimizer where servers have it; the outer optimizer of an island, and a fragment of
 * differences on its way (strat_outer.c).
 *
 * Left out: fragmentation of the allocator, which a plan that fits can do without; see
 * strat_memory_cached_bytes(). */
#include "strat_memory.h"

#include "strat_agree.h"
#include "strat_deal.h"
#include "strat_distill.h"
#include "strat_expert.h"
#include "strat_footprint.h"
#include "strat_held.h"
#include "strat_layout.h"
#include "strat_memory_levers.h"
#include "strat_outer.h"
#include "strat_pipe.h"
#include "strat_places.h"

/* CUDA context, cuBLAS and cuDNN workspaces and NCCL buffers of a process: SimuMax's and Megatron's
 * memory reports put them between 1 and 3 GB on 80 GB devices. */
static const double RESERVED_BYTES = 2e9;

/* What PyTorch's allocator takes beyond what it gives out at its peak: 4.4 % in the mean of
 * SimuMax's 24 B200 rows, which print both (2.8 to 7 %). It gives it back before it fails, so a
 * plan fits without. */
static const double CACHED_FRACTION = 0.044;

double strat_memory_workspace_bytes(const StratCosting *costing, const StratModelChunk *chunk)
{
    const StratPlan *plan = costing->plan;
    double bytes = 0.0;
    bool repeats =
        plan->recompute == STRAT_RECOMPUTE_FULL || plan->recompute == STRAT_RECOMPUTE_PER_OP;
    if (repeats && chunk->spared < chunk->layers) {
        StratPlan keep = *plan;
        keep.recompute = STRAT_RECOMPUTE_NONE;
        StratCosting all = *costing;
        all.plan = &keep;
        int64_t group = strat_recompute_group(&plan->recompute_layers);
        int64_t many = MIN(group, chunk->layers);
        StratModelChunk dense = {.layers = many}, sparse = {.layers = many, .moe_layers = many};
        if (chunk->moe_layers < chunk->layers)
            bytes = strat_chunk_saved_bytes(&all, &dense);
        if (chunk->moe_layers > 0)
            bytes = MAX(bytes, strat_chunk_saved_bytes(&all, &sparse));
    }
    if (chunk->head && costing->model->vocab > 0) {
        ModelShard shard = strat_shard(plan);
        double tokens = (double)(shard.micro_batch * shard.sequence / shard.context);
        int64_t vocab = model_vocab_padded(costing->model, shard.tensor);
        bool cut = shard.tensor > 1 && !shard.gathers_logits;
        if (cut)
            vocab /= shard.tensor;
        const StratLoss *loss = strat_footprint_loss(&plan->footprint);
        double peak = cut ? loss->peak_sharded_bytes : loss->peak_bytes;
        bytes = MAX(bytes, tokens * (double)vocab * (peak - loss->kept_bytes));
    }
    if (strat_distill_is_on(plan))
        bytes = MAX(bytes, strat_distill_workspace_bytes(costing, chunk));
    if (chunk->layers > 0)
        bytes = MAX(bytes, strat_context_gathered_bytes(costing));
    if (chunk->layers > 0) { /* one layer's on their way out, another's on their way in */
        StratModelChunk all = {.layers = chunk->layers, .moe_layers = chunk->moe_layers};
        bytes += 2.0 * strat_chunk_host_bytes(costing, &all) / (double)chunk->layers;
    }
    return bytes;
}

double strat_memory_kept(StratTaskKind kind, double saved, double weight)
{
    switch (kind) {
    case STRAT_TASK_FORWARD:
    case STRAT_TASK_PAIRED_FORWARD:
        return saved;
    case STRAT_TASK_INPUT:
        return weight - saved;
    case STRAT_TASK_WEIGHT:
        return -weight;
    default:
        return -saved;
    }
}

void strat_memory_walk(const GArray *tasks, const double *saved, const double *weight,
                       StratMemory *memory)
{
    double held = 0.0, count = 0.0;
    for (guint i = 0; i < tasks->len; i++) {
        const StratTask *task = &g_array_index(tasks, StratTask, i);
        held += strat_memory_kept(task->kind, saved[task->chunk], weight[task->chunk]);
        count += strat_memory_kept(task->kind, 1.0, 0.0);
        if (held > memory->activations_bytes) {
            memory->activations_bytes = held;
            memory->in_flight = count;
        }
    }
}

static double params_of(const StratCosting *costing, const StratModelChunk *chunk)
{
    return strat_chunk_params(costing->model, costing->plan, chunk);
}

/* What agreeing otherwise than by an all-reduce keeps, for @held parameters of @kept_bytes each. */
static void add_data_parallel(const StratPlan *plan, double held, double kept_bytes,
                              StratMemory *memory)
{
    const StratDataParallel *dp = &plan->data_parallel;
    bool replicated = plan->data * plan->context > 1;
    if (dp->buckets.copied && replicated)
        memory->gradients_bytes += held * topo_dtype_bytes(plan->gradients);
    if (strat_data_is_plain(dp) || !replicated)
        return;
    if (strat_compressor_by_name(dp->compression.kind, NULL)->keeps_error)
        memory->gradients_bytes += 4.0 * held;
    memory->workspace_bytes +=
        strat_agree_by_name(dp->exchange, NULL)->kept_weights * kept_bytes * held;
    if (strat_data_is_served(dp))
        memory->optimizer_bytes = 0.0;
    memory->optimizer_bytes += strat_outer_state_bytes(plan, held);
    memory->workspace_bytes += strat_outer_flight_bytes(plan, held);
}

/* Bytes that quantised weights of the layers of @stage take, less those in 16 bits that they
 * replace. */
static double quantised_bytes(const StratCosting *costing, int64_t stage)
{
    const StratPlan *plan = costing->plan;
    double each =
        strat_recipe_weight_bytes(&plan->quantise, plan->precision, &costing->cluster->node.gpu) -
        2.0;
    double bytes = 0.0;
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        double wide = (double)(chunk.wide_first + chunk.wide_last);
        chunk.embedding = chunk.head = false;
        double params =
            params_of(costing, &chunk) + strat_chunk_expert_params(costing->model, plan, &chunk);
        if (chunk.layers > 0)
            bytes += each * params * (1.0 - wide / (double)chunk.layers);
    }
    return bytes;
}

void strat_memory_states(const StratCosting *costing, int64_t stage, double params, double experts,
                         StratMemory *memory)
{
    const StratPlan *plan = costing->plan;
    double shards = (double)strat_shard_ranks(plan);
    bool wide = plan->precision == TOPO_DTYPE_FP32 || plan->precision == TOPO_DTYPE_TF32;
    bool kept_wide = wide || plan->fp32_parameters;
    double kept = kept_wide ? 4.0 : 2.0, working = wide ? 4.0 : 2.0;
    double gradient = topo_dtype_bytes(plan->gradients);
    StratHeldUnits units = strat_held_units(costing, stage);
    memory->capacity_bytes = costing->cluster->node.gpu.memory_bytes;
    memory->reserved_bytes = RESERVED_BYTES;
    g_assert(experts <= 0.0 || plan->zero_stage < 2); /* the loader refuses these */
    double held = params + experts, mirrors = (double)strat_mirror_group(plan, 0).count;
    double copies = (double)strat_expert_data_group(plan, 0).count * mirrors;
    memory->weights_bytes = held * kept;
    if (plan->zero_stage < 3 && plan->precision > TOPO_DTYPE_BF16)
        memory->weights_bytes += quantised_bytes(costing, stage);
    memory->gradients_bytes = held * gradient;
    bool apart = plan->offload.parameters != STRAT_STORE_DEVICE;
    if (plan->zero_stage == 3 && (shards > 1.0 || apart)) {
        memory->weights_bytes /= shards;
        memory->workspace_bytes +=
            working * (plan->reshard_after_forward ? units.most + units.root : params);
    } else if (kept > working) {
        memory->workspace_bytes += held * working;
    }
    bool down = plan->offload.optimizer != STRAT_STORE_DEVICE;
    if (plan->zero_stage > 1 && (shards > 1.0 || down)) {
        bool in_place = plan->no_sync && !plan->footprint.root_unit;
        double bucket =
            plan->footprint.matrix_units ? MIN(strat_footprint_bucket(), params) : units.largest;
        memory->gradients_bytes = params / shards * MAX(gradient, kept);
        memory->gradients_bytes += plan->no_sync ? params * gradient : 0.0;
        memory->workspace_bytes += plan->no_sync ? 0.0 : units.largest * working;
        memory->workspace_bytes += in_place ? 0.0 : bucket * gradient;
    }
    memory->workspace_bytes += strat_held_stand_in_bytes(costing, stage);
    memory->optimizer_bytes =
        strat_memory_state_bytes(plan, (double)costing->model->hidden) *
        (plan->zero_stage > 0 ? params / (shards * mirrors) + experts / copies : held);
    strat_memory_levers(costing, stage, memory);
    add_data_parallel(plan, held, kept, memory);
    memory->peak_bytes = memory->weights_bytes + memory->gradients_bytes + memory->optimizer_bytes +
                         memory->activations_bytes + memory->workspace_bytes +
                         memory->reserved_bytes;
}

/* The most that the host has of a stage's activations at once. */
static double host_bytes(const StratCosting *costing, const GArray *tasks, int64_t stage)
{
    const StratPlan *plan = costing->plan;
    g_autofree double *saved = g_new0(double, plan->virtual_stages);
    g_autofree double *weight = g_new0(double, plan->virtual_stages);
    StratMemory host = {0};
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        saved[k] = strat_chunk_host_bytes(costing, &chunk);
    }
    strat_memory_walk(tasks, saved, weight, &host);
    return host.activations_bytes;
}

/* Where the GPUs of @stage are of two kinds, the smaller is what it has to fit. */
static void find_least(const StratCosting *costing, int64_t stage, StratMemory *memory)
{
    const TopoCluster *cluster = costing->cluster;
    StratPlaces places = strat_places_of(costing);
    int64_t ranks = strat_rank_count(costing->plan) / costing->plan->pipeline;
    if (cluster->mixed.gpus == 0)
        return;
    TopoKind kind = strat_places_group_kind(&places, &(StratGroup){stage * ranks, 1, ranks});
    const TopoGpu *first = &cluster->node.gpu, *second = &cluster->mixed.node.gpu;
    bool smaller = second->memory_bytes < first->memory_bytes;
    bool is_second = kind == TOPO_KIND_SECOND || (kind == TOPO_KIND_BETWEEN && smaller);
    memory->gpu = is_second ? second->name : first->name;
    memory->capacity_bytes = is_second ? second->memory_bytes : first->memory_bytes;
}

static StratMemory stage_memory(const StratCosting *costing, const GArray *tasks, int64_t stage)
{
    const StratPlan *plan = costing->plan;
    StratMemory memory = {0};
    g_autofree double *saved = g_new0(double, plan->virtual_stages);
    g_autofree double *weight = g_new0(double, plan->virtual_stages);
    double params = 0.0, experts = 0.0;
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        saved[k] = strat_chunk_saved_bytes(costing, &chunk);
        weight[k] = strat_chunk_weight_bytes(costing, &chunk);
        params += params_of(costing, &chunk);
        experts += strat_chunk_expert_params(costing->model, plan, &chunk);
        memory.workspace_bytes =
            MAX(memory.workspace_bytes, strat_memory_workspace_bytes(costing, &chunk));
    }
    strat_memory_walk(tasks, saved, weight, &memory);
    memory.host_bytes = host_bytes(costing, tasks, stage);
    strat_memory_states(costing, stage, params, experts, &memory);
    find_least(costing, stage, &memory);
    return memory;
}

GArray *strat_memory_stages(const StratCosting *costing)
{
    StratPipeline pipeline = strat_pipe(costing);
    g_autofree int64_t *dealt = strat_deal(costing);
    for (int64_t d = 0; dealt && d < costing->plan->data; d++)
        pipeline.microbatches = MAX(pipeline.microbatches, dealt[d]);
    g_autoptr(GPtrArray) orders =
        strat_schedule_orders(strat_plan_schedule(costing->plan), &pipeline);
    GArray *stages = g_array_new(FALSE, FALSE, sizeof(StratMemory));
    for (int64_t i = 0; i < costing->plan->pipeline; i++) {
        StratMemory memory = stage_memory(costing, orders->pdata[i], i);
        g_array_append_val(stages, memory);
    }
    return stages;
}

/* A change of the plan that saves memory, tried on its own. */
typedef struct Knob {
    const char *text;
    bool (*turn)(StratPlan *plan, const StratCosting *costing); /* false: nothing to turn */
} Knob;

static bool turn_recompute(StratPlan *plan, const StratCosting *costing)
{
    (void)costing;
    bool turned = plan->recompute != STRAT_RECOMPUTE_FULL;
    plan->recompute = STRAT_RECOMPUTE_FULL;
    return turned;
}

static bool turn_selective(StratPlan *plan, const StratCosting *costing)
{
    (void)costing;
    bool turned = plan->recompute == STRAT_RECOMPUTE_NONE;
    plan->recompute = STRAT_RECOMPUTE_SELECTIVE;
    return turned;
}

static bool turn_zero(StratPlan *plan, const StratCosting *costing)
{
    (void)costing;
    bool turned = plan->zero_stage == 0 && plan->data * plan->context > 1;
    plan->zero_stage = MAX(plan->zero_stage, 1);
    return turned;
}

static bool turn_sequence_parallel(StratPlan *plan, const StratCosting *costing)
{
    (void)costing;
    bool turned = !plan->sequence_parallel && plan->tensor > 1;
    plan->sequence_parallel = true;
    return turned;
}

static bool turn_micro_batch(StratPlan *plan, const StratCosting *costing)
{
    (void)costing;
    if (plan->micro_batch % 2 != 0)
        return false;
    plan->micro_batch /= 2;
    return true;
}

static bool turn_tensor(StratPlan *plan, const StratCosting *costing)
{
    if (plan->data % 2 != 0 || costing->model->heads % (plan->tensor * 2) != 0 ||
        plan->tensor * 2 > costing->cluster->node.scale_up_gpus)
        return false;
    plan->tensor *= 2;
    plan->data /= 2;
    return true;
}

static bool turn_pipeline(StratPlan *plan, const StratCosting *costing)
{
    int64_t stages = plan->pipeline * 2;
    if (plan->data % 2 != 0 || costing->model->layers % (stages * plan->virtual_stages) != 0)
        return false;
    plan->pipeline = stages;
    plan->data /= 2;
    if (g_str_equal(plan->schedule, "none"))
        plan->schedule = "1f1b";
    return true;
}

static const Knob knobs[] = {
    {"plan.recompute=selective",                turn_selective        },
    {"plan.sequence_parallel=true",             turn_sequence_parallel},
    {"plan.zero_stage=1",                       turn_zero             },
    {"plan.micro_batch halved",                 turn_micro_batch      },
    {"plan.recompute=full",                     turn_recompute        },
    {"plan.tensor doubled, plan.data halved",   turn_tensor           },
    {"plan.pipeline doubled, plan.data halved", turn_pipeline         },
};

double strat_memory_allocated_bytes(const StratMemory *memory)
{
    return memory->peak_bytes - memory->reserved_bytes;
}

double strat_memory_cached_bytes(const StratMemory *memory)
{
    return strat_memory_allocated_bytes(memory) * (1.0 + CACHED_FRACTION);
}

guint strat_memory_worst_stage(const GArray *stages)
{
    guint worst = 0;
    for (guint i = 1; i < stages->len; i++) {
        const StratMemory *a = &g_array_index(stages, StratMemory, i);
        const StratMemory *b = &g_array_index(stages, StratMemory, worst);
        if (a->peak_bytes - b->peak_bytes > a->capacity_bytes - b->capacity_bytes)
            worst = i;
    }
    return worst;
}

bool strat_memory_fits(const GArray *stages)
{
    const StratMemory *m = &g_array_index(stages, StratMemory, strat_memory_worst_stage(stages));
    return m->peak_bytes <= m->capacity_bytes;
}

/* Whether the ranks of @plan can share @model, and run its schedule. */
static bool is_sound(const StratCosting *costing, const StratPlan *plan)
{
    g_autofree char *tensor = NULL, *context = NULL;
    return strat_expert_fits(costing->model, plan, NULL) && strat_plan_schedule_fits(plan, NULL) &&
           strat_tensor_fits(costing->model, plan, &tensor) &&
           strat_context_fits(costing->model, plan, &context);
}

/* Lists the single knobs that make the plan fit; when none does, all that help together. */
static void suggest(const StratCosting *costing, GString *text)
{
    StratPlan together = *costing->plan;
    g_autoptr(GString) all = g_string_new(NULL);
    StratCosting trial = *costing;
    bool any = false;
    for (size_t i = 0; i < G_N_ELEMENTS(knobs); i++) {
        StratPlan plan = *costing->plan;
        if (!knobs[i].turn(&plan, costing) || !is_sound(costing, &plan))
            continue;
        trial.plan = &plan;
        g_autoptr(GArray) stages = strat_memory_stages(&trial);
        if (strat_memory_fits(stages)) {
            g_string_append_printf(text, "%s%s", any ? ", or " : "; would fit with ",
                                   knobs[i].text);
            any = true;
        }
        plan = together;
        if (knobs[i].turn(&plan, costing) && is_sound(costing, &plan)) {
            together = plan;
            g_string_append_printf(all, "%s%s", all->len > 0 ? " + " : "", knobs[i].text);
        }
    }
    if (any)
        return;
    trial.plan = &together;
    g_autoptr(GArray) stages = strat_memory_stages(&trial);
    if (strat_memory_fits(stages))
        g_string_append_printf(text, "; no single knob is enough, together they are: %s", all->str);
    else
        g_string_append_printf(text, "; even %s is not enough: use more GPUs or a smaller model",
                               all->len > 0 ? all->str : "every knob");
}

bool strat_memory_check(const StratCosting *costing, const GArray *stages, GError **error)
{
    guint worst = strat_memory_worst_stage(stages);
    const StratMemory *m = &g_array_index(stages, StratMemory, worst);
    g_autoptr(GString) text = g_string_new(NULL);
    if (strat_memory_fits(stages) && strat_memory_elsewhere_fits(costing, stages, text))
        return true;
    if (text->len > 0) {
        g_set_error_literal(error, STRAT_ERROR, STRAT_ERROR_NO_FIT, text->str);
        return false;
    }
    g_string_append_printf(
        text,
        "does not fit: stage %d needs %.1f GB of %.1f GB%s%s, %.1f GB too much (weights %.1f, "
        "gradients %.1f, optimizer %.1f, activations %.1f of %.0f microbatch chunks, workspace "
        "%.1f, reserved %.1f)",
        (int)worst, m->peak_bytes / 1e9, m->capacity_bytes / 1e9, m->gpu ? " of GPU " : "",
        m->gpu ? m->gpu : "", (m->peak_bytes - m->capacity_bytes) / 1e9, m->weights_bytes / 1e9,
        m->gradients_bytes / 1e9, m->optimizer_bytes / 1e9, m->activations_bytes / 1e9,
        m->in_flight, m->workspace_bytes / 1e9, m->reserved_bytes / 1e9);
    suggest(costing, text);
    g_set_error_literal(error, STRAT_ERROR, STRAT_ERROR_NO_FIT, text->str);
    return false;
}
