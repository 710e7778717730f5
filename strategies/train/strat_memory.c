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
 *   workspace  what lives only for a moment: a recomputed layer or group of layers, the logits in
 *              fp32 and their gradient; keys and values gathered over a context group and their
 *              gradients; 16-bit copies of weights kept in fp32; under ZeRO-3 the units gathered at
 *              once, one and those ahead of it, or all without resharding; under ZeRO-2 and 3 the
 *              gradients of a unit as it is computed (2 bytes) and of one as it is reduced
 *   reserved   CUDA context, library handles and communicator buffers
 *
 * Replicas that agree otherwise (plan.data_parallel) also keep: gradients twice where buckets are
 * copies; 4 bytes of error a parameter where compression feeds it back; a peer's weights where they
 * gossip; no optimizer where servers have it; the outer optimizer of an island, and a fragment of
 * differences on its way (strat_outer.c).
 *
 * Left out: fragmentation of the allocator. */
#include "strat_memory.h"

#include "strat_agree.h"
#include "strat_expert.h"
#include "strat_layout.h"
#include "strat_outer.h"
#include "strat_pipe.h"

/* CUDA context, cuBLAS and cuDNN workspaces and NCCL buffers of a process: SimuMax's and Megatron's
 * memory reports put them between 1 and 3 GB on 80 GB devices. */
static const double RESERVED_BYTES = 2e9;

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
        if (!shard.gathers_logits)
            vocab /= shard.tensor;
        bytes = MAX(bytes, tokens * (double)vocab * (2.0 + 4.0));
    }
    return chunk->layers > 0 ? MAX(bytes, strat_context_gathered_bytes(costing)) : bytes;
}

/* What a chunk's task leaves on the stage, of what its forward keeps and its W does. */
static double kept(StratTaskKind kind, double saved, double weight)
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
        held += kept(task->kind, saved[task->chunk], weight[task->chunk]);
        count += kept(task->kind, 1.0, 0.0);
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

/* Parameters of the units of @chunk: of the largest, and the most in @count neighbours. */
static void unit_params(const StratCosting *costing, const StratModelChunk *chunk, int64_t count,
                        double *largest, double *most)
{
    int64_t units = strat_chunk_unit_count(chunk);
    g_autofree StratModelChunk *unit = g_new(StratModelChunk, units);
    strat_chunk_units(costing->plan, chunk, unit);
    double window = 0.0;
    for (int64_t i = 0; i < units; i++) {
        double params = params_of(costing, &unit[i]);
        window += params - (i >= count ? params_of(costing, &unit[i - count]) : 0.0);
        *largest = MAX(*largest, params);
        *most = MAX(*most, window);
    }
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
    double shards = (double)strat_shard_ranks(plan), largest = 0.0, most = 0.0;
    bool wide = plan->precision == TOPO_DTYPE_FP32 || plan->precision == TOPO_DTYPE_TF32;
    bool kept_wide = wide || plan->fp32_parameters;
    double kept = kept_wide ? 4.0 : 2.0, working = wide ? 4.0 : 2.0;
    double gradient = topo_dtype_bytes(plan->gradients);
    int64_t at_once = 1 + (plan->overlap_data ? plan->prefetch : 0);
    for (int64_t k = 0; plan->zero_stage > 1 && k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        unit_params(costing, &chunk, at_once, &largest, &most);
    }
    memory->capacity_bytes = costing->cluster->node.gpu.memory_bytes;
    memory->reserved_bytes = RESERVED_BYTES;
    g_assert(experts <= 0.0 || plan->zero_stage < 2); /* the loader refuses these */
    double held = params + experts, mirrors = (double)strat_mirror_group(plan, 0).count;
    double copies = (double)strat_expert_data_group(plan, 0).count * mirrors;
    memory->weights_bytes = held * kept;
    if (plan->zero_stage < 3 && plan->precision > TOPO_DTYPE_BF16)
        memory->weights_bytes += quantised_bytes(costing, stage);
    memory->gradients_bytes = held * gradient;
    if (plan->zero_stage == 3 && shards > 1.0) {
        memory->weights_bytes /= shards;
        memory->workspace_bytes += working * (plan->reshard_after_forward ? most : params);
    } else if (kept > working) {
        memory->workspace_bytes += held * working;
    }
    if (plan->zero_stage > 1 && shards > 1.0) {
        memory->gradients_bytes = params / shards * MAX(gradient, kept);
        if (plan->no_sync)
            memory->gradients_bytes += params * gradient;
        else
            memory->workspace_bytes += largest * (working + gradient);
    }
    if (plan->optimizer == STRAT_OPTIMIZER_ADAM)
        memory->optimizer_bytes =
            (kept_wide ? 8.0 : 12.0) *
            (plan->zero_stage > 0 ? params / (shards * mirrors) + experts / copies : held);
    add_data_parallel(plan, held, kept, memory);
    memory->peak_bytes = memory->weights_bytes + memory->gradients_bytes + memory->optimizer_bytes +
                         memory->activations_bytes + memory->workspace_bytes +
                         memory->reserved_bytes;
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
    strat_memory_states(costing, stage, params, experts, &memory);
    return memory;
}

GArray *strat_memory_stages(const StratCosting *costing)
{
    StratPipeline pipeline = strat_pipe(costing);
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

guint strat_memory_worst_stage(const GArray *stages)
{
    guint worst = 0;
    for (guint i = 1; i < stages->len; i++) {
        if (g_array_index(stages, StratMemory, i).peak_bytes >
            g_array_index(stages, StratMemory, worst).peak_bytes)
            worst = i;
    }
    return worst;
}

bool strat_memory_fits(const GArray *stages)
{
    const StratMemory *m = &g_array_index(stages, StratMemory, strat_memory_worst_stage(stages));
    return m->peak_bytes <= m->capacity_bytes;
}

/* Whether the ranks of @plan can share @model. */
static bool fits_model(const ModelSpec *model, const StratPlan *plan)
{
    g_autofree char *tensor = NULL, *context = NULL;
    return strat_expert_fits(model, plan, NULL) && strat_plan_schedule_fits(plan, NULL) &&
           strat_tensor_fits(model, plan, &tensor) && strat_context_fits(model, plan, &context);
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
        if (!knobs[i].turn(&plan, costing) || !fits_model(costing->model, &plan))
            continue;
        trial.plan = &plan;
        g_autoptr(GArray) stages = strat_memory_stages(&trial);
        if (strat_memory_fits(stages)) {
            g_string_append_printf(text, "%s%s", any ? ", or " : "; would fit with ",
                                   knobs[i].text);
            any = true;
        }
        plan = together;
        if (knobs[i].turn(&plan, costing) && fits_model(costing->model, &plan)) {
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
    if (strat_memory_fits(stages))
        return true;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(
        text,
        "does not fit: stage %d needs %.1f GB of %.1f GB, %.1f GB too much (weights %.1f, "
        "gradients %.1f, optimizer %.1f, activations %.1f of %.0f microbatch chunks, workspace "
        "%.1f, reserved %.1f)",
        (int)worst, m->peak_bytes / 1e9, m->capacity_bytes / 1e9,
        (m->peak_bytes - m->capacity_bytes) / 1e9, m->weights_bytes / 1e9, m->gradients_bytes / 1e9,
        m->optimizer_bytes / 1e9, m->activations_bytes / 1e9, m->in_flight,
        m->workspace_bytes / 1e9, m->reserved_bytes / 1e9);
    suggest(costing, text);
    g_set_error_literal(error, STRAT_ERROR, STRAT_ERROR_NO_FIT, text->str);
    return false;
}
