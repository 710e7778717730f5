/* Rank arithmetic and the placement of layers.
 *
 * rank = tensor + T (context + C (data + D stage)). For experts the same ranks of a stage count as
 * expert_tensor + X (expert + E copy), X E dividing T C D (Megatron-Core, "parallel folding": Liu
 * et al. 2025, arXiv 2504.14960). Groups are arithmetic progressions of ranks; their price depends
 * on that and on the GPUs the ranks are placed on (topo_placement.c). */
#include "strat_layout.h"

#include <glib.h>
#include <stdlib.h>

int64_t strat_rank_count(const StratPlan *plan)
{
    return plan->tensor * plan->context * plan->data * plan->pipeline;
}

StratRank strat_rank_at(const StratPlan *plan, int64_t index)
{
    StratRank rank;
    rank.tensor = index % plan->tensor;
    index /= plan->tensor;
    rank.context = index % plan->context;
    index /= plan->context;
    rank.data = index % plan->data;
    rank.stage = index / plan->data;
    return rank;
}

int64_t strat_rank_index(const StratPlan *plan, StratRank rank)
{
    return rank.tensor +
           plan->tensor * (rank.context + plan->context * (rank.data + plan->data * rank.stage));
}

StratGroup strat_tensor_group(const StratPlan *plan, int64_t rank)
{
    StratRank at = strat_rank_at(plan, rank);
    at.tensor = 0;
    return (StratGroup){strat_rank_index(plan, at), 1, plan->tensor};
}

StratGroup strat_context_group(const StratPlan *plan, int64_t rank)
{
    StratRank at = strat_rank_at(plan, rank);
    at.context = 0;
    return (StratGroup){strat_rank_index(plan, at), plan->tensor, plan->context};
}

/* Ranks that hold all experts of a layer once, side by side. */
static int64_t expert_span(const StratPlan *plan)
{
    return plan->expert > 0 ? plan->expert * MAX(plan->expert_tensor, 1) : 1;
}

static int64_t stage_ranks(const StratPlan *plan)
{
    return plan->tensor * plan->context * plan->data;
}

StratGroup strat_expert_group(const StratPlan *plan, int64_t rank)
{
    int64_t cut = MAX(plan->expert_tensor, 1);
    return (StratGroup){rank - rank % expert_span(plan) + rank % cut, cut, MAX(plan->expert, 1)};
}

StratGroup strat_expert_data_group(const StratPlan *plan, int64_t rank)
{
    int64_t span = expert_span(plan), stage = stage_ranks(plan);
    return (StratGroup){rank - rank % stage + rank % span, span, stage / span};
}

/* The least run of ranks made of whole runs of both kinds. */
static int64_t gang_size(const StratPlan *plan)
{
    int64_t size = plan->tensor * plan->context, span = expert_span(plan), whole = size;
    while (whole % span != 0)
        whole += size;
    return whole;
}

StratGroup strat_gang(const StratPlan *plan, int64_t rank)
{
    int64_t size = gang_size(plan);
    return (StratGroup){rank - rank % size, 1, size};
}

StratGroup strat_data_group(const StratPlan *plan, int64_t rank)
{
    StratRank at = strat_rank_at(plan, rank);
    at.context = at.data = 0;
    return (StratGroup){strat_rank_index(plan, at), plan->tensor, plan->context * plan->data};
}

int64_t strat_inner_ranks(const StratPlan *plan)
{
    return strat_data_inner(&plan->data_parallel, plan->data * plan->context);
}

int64_t strat_shard_ranks(const StratPlan *plan)
{
    int64_t all = strat_inner_ranks(plan);
    return plan->zero_stage > 0 && plan->shard > 0 ? MIN(plan->shard, all) : all;
}

StratGroup strat_shard_group(const StratPlan *plan, int64_t rank)
{
    StratGroup data = strat_data_group(plan, rank);
    int64_t ranks = strat_shard_ranks(plan);
    int64_t member = (rank - data.first) / data.stride;
    return (StratGroup){data.first + member / ranks * ranks * data.stride, data.stride, ranks};
}

StratGroup strat_copies_group(const StratPlan *plan, int64_t rank)
{
    StratGroup data = strat_data_group(plan, rank);
    int64_t ranks = strat_shard_ranks(plan), inner = strat_inner_ranks(plan);
    int64_t member = (rank - data.first) / data.stride;
    int64_t first = member - member % inner + member % ranks;
    return (StratGroup){data.first + first * data.stride, ranks * data.stride, inner / ranks};
}

StratGroup strat_mirror_group(const StratPlan *plan, int64_t rank)
{
    StratRank near = strat_rank_at(plan, rank), far = near;
    if (!strat_plan_schedule(plan)->is_dual)
        return (StratGroup){rank, 1, 1};
    near.stage = MIN(near.stage, plan->pipeline - 1 - near.stage);
    far.stage = plan->pipeline - 1 - near.stage;
    int64_t first = strat_rank_index(plan, near);
    return (StratGroup){first, strat_rank_index(plan, far) - first, 2};
}

static gint compare_i64(gconstpointer left, gconstpointer right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Placed at will, members of a domain need not be neighbours in the group. */
static int64_t placed_per_domain(const TopoCluster *cluster, const int64_t *gpu_of_rank,
                                 const StratGroup *group)
{
    size_t count = (size_t)group->count, run = 0;
    int64_t least = group->count;
    g_autofree int64_t *domains = g_new(int64_t, count);
    for (size_t i = 0; i < count; i++)
        domains[i] =
            gpu_of_rank[group->first + (int64_t)i * group->stride] / cluster->node.scale_up_gpus;
    qsort(domains, count, sizeof *domains, compare_i64);
    for (size_t i = 0; i < count; i++) {
        run++;
        if (i + 1 < count && domains[i + 1] == domains[i])
            continue;
        least = MIN(least, (int64_t)run);
        run = 0;
    }
    return least;
}

int64_t strat_group_per_domain(const TopoCluster *cluster, const int64_t *gpu_of_rank,
                               const StratGroup *group)
{
    if (gpu_of_rank)
        return placed_per_domain(cluster, gpu_of_rank, group);
    int64_t least = group->count;
    for (int64_t i = 0; i < group->count;) {
        int64_t shared = topo_ranks_per_domain(cluster, group->first + i * group->stride,
                                               group->stride, group->count - i);
        least = MIN(least, shared);
        i += shared;
    }
    return least;
}

const StratSchedule *strat_plan_schedule(const StratPlan *plan)
{
    const StratSchedule *schedule = strat_schedule_by_name(plan->schedule, NULL);
    g_assert(schedule);
    return schedule;
}

bool strat_plan_schedule_fits(const StratPlan *plan, char **reason)
{
    return strat_schedule_fits(strat_plan_schedule(plan), plan->pipeline, plan->virtual_stages,
                               plan->global_batch / (plan->data * plan->micro_batch), reason);
}

int64_t strat_chunk_count(const StratPlan *plan)
{
    return strat_schedule_length(strat_plan_schedule(plan), plan->pipeline, plan->virtual_stages);
}

bool strat_ends_meet(const StratPlan *plan)
{
    StratSpot last = {0, plan->virtual_stages - 1};
    return strat_schedule_index(strat_plan_schedule(plan), plan->pipeline, last) ==
           strat_chunk_count(plan) - 1;
}

/* Counts the layers of @chunk that the plan does not recompute. */
static void count_spared(const StratPlan *plan, StratModelChunk *chunk)
{
    const StratRecomputeLayers *which = &plan->recompute_layers;
    int64_t dense = chunk->layers - chunk->moe_layers;
    chunk->spared_moe = strat_recompute_spared(which, chunk->in_chunk + dense,
                                               chunk->in_model + dense, chunk->moe_layers);
    chunk->spared =
        chunk->spared_moe + strat_recompute_spared(which, chunk->in_chunk, chunk->in_model, dense);
}

bool strat_chunk_spares(const StratModelChunk *chunk, int64_t layer)
{
    int64_t dense = chunk->layers - chunk->moe_layers;
    return layer < dense ? layer >= dense - (chunk->spared - chunk->spared_moe)
                         : layer >= chunk->layers - chunk->spared_moe;
}

StratModelChunk strat_chunk_at(const ModelSpec *model, const StratPlan *plan, int64_t stage,
                               int64_t chunk)
{
    int64_t chunks = strat_chunk_count(plan);
    const StratSchedule *schedule = strat_plan_schedule(plan);
    StratPipeline pipeline = {.stages = plan->pipeline, .chunks = plan->virtual_stages};
    StratSpot spot = {stage, chunk}, near = spot;
    int64_t index = strat_schedule_index(schedule, plan->pipeline, spot);
    int64_t slots = model->layers + (plan->count_embedding ? 1 : 0) + (plan->count_head ? 1 : 0);
    StratModelChunk at = {
        .layers = slots / chunks + (index < slots % chunks ? 1 : 0),
        .embedding = index == 0,
        .head = index == chunks - 1,
        .receives_forward =
            strat_schedule_near(schedule, &pipeline, spot, -1, &near) && near.stage != stage,
        .receives_backward =
            strat_schedule_near(schedule, &pipeline, spot, 1, &near) && near.stage != stage,
        .starts_forward = true,
        .starts_backward = true,
    };
    at.layers -= (at.embedding && plan->count_embedding) + (at.head && plan->count_head);
    int64_t before = index * (slots / chunks) + MIN(index, slots % chunks);
    before -= index > 0 && plan->count_embedding;
    int64_t dense = model->experts > 0 ? model->dense_layers - before : at.layers;
    at.moe_layers = at.layers - CLAMP(dense, 0, at.layers);
    g_assert(at.moe_layers == 0 || plan->expert > 0);
    int64_t after = model->layers - before - at.layers;
    at.wide_first = CLAMP(plan->quantise.wide_first - before, 0, at.layers);
    at.wide_last = CLAMP(plan->quantise.wide_last - after, 0, at.layers);
    at.in_model = before;
    count_spared(plan, &at);
    return at;
}

/* Which layers of @piece, which has those of @chunk from @before on, stay in 16 bits. */
static void cut_wide(const StratModelChunk *chunk, int64_t before, StratModelChunk *piece)
{
    int64_t after = chunk->layers - before - piece->layers;
    piece->wide_first = CLAMP(chunk->wide_first - before, 0, piece->layers);
    piece->wide_last = CLAMP(chunk->wide_last - after, 0, piece->layers);
}

/* Puts @piece, a copy of @chunk but for its layers, behind @before layers of it. */
static void place(const StratPlan *plan, const StratModelChunk *chunk, StratModelChunk *piece,
                  int64_t *before)
{
    cut_wide(chunk, *before, piece);
    piece->in_model += *before;
    piece->in_chunk += *before;
    *before += piece->layers;
    count_spared(plan, piece);
}

int64_t strat_chunk_unit_count(const StratModelChunk *chunk)
{
    return MAX(1, chunk->layers + chunk->embedding + chunk->head);
}

void strat_chunk_units(const StratPlan *plan, const StratModelChunk *chunk, StratModelChunk *units)
{
    int64_t count = strat_chunk_unit_count(chunk), before = 0;
    for (int64_t i = 0; i < count; i++) {
        bool first = i == 0, last = i == count - 1;
        units[i] = *chunk;
        units[i].embedding = chunk->embedding && first;
        units[i].head = chunk->head && last;
        units[i].layers = chunk->layers > 0 && !units[i].embedding && !units[i].head;
        place(plan, chunk, &units[i], &before);
        units[i].receives_forward = chunk->receives_forward && first;
        units[i].receives_backward = chunk->receives_backward && last;
        units[i].starts_forward = first;
        units[i].starts_backward = last;
    }
}

void strat_chunk_cut(const StratPlan *plan, const StratModelChunk *chunk, const int64_t *layers,
                     int64_t count, StratModelChunk *pieces)
{
    int64_t dense = chunk->layers - chunk->moe_layers, before = 0;
    for (int64_t i = 0; i < count; i++) {
        bool first = i == 0, last = i == count - 1;
        pieces[i] = *chunk;
        pieces[i].layers = layers[i];
        pieces[i].moe_layers = pieces[i].layers - MIN(dense, pieces[i].layers);
        dense -= pieces[i].layers - pieces[i].moe_layers;
        place(plan, chunk, &pieces[i], &before);
        pieces[i].embedding = chunk->embedding && first;
        pieces[i].head = chunk->head && last;
        pieces[i].receives_forward = chunk->receives_forward && first;
        pieces[i].receives_backward = chunk->receives_backward && last;
        pieces[i].starts_forward = first;
        pieces[i].starts_backward = last;
    }
}

int64_t strat_chunk_split(const StratPlan *plan, const StratModelChunk *chunk, int64_t most,
                          StratModelChunk *pieces)
{
    int64_t count = MAX(1, MIN(most, chunk->layers));
    g_autofree int64_t *layers = g_new(int64_t, count);
    for (int64_t i = 0; i < count; i++)
        layers[i] = chunk->layers / count + (i < chunk->layers % count ? 1 : 0);
    strat_chunk_cut(plan, chunk, layers, count, pieces);
    return count;
}

double strat_chunk_params(const ModelSpec *model, const StratPlan *plan,
                          const StratModelChunk *chunk)
{
    double params =
        (double)(chunk->layers - chunk->moe_layers) * strat_tensor_layer_params(model, plan, false);
    params += (double)chunk->moe_layers * strat_tensor_layer_params(model, plan, true);
    double vocab = strat_tensor_vocab_params(model, plan);
    bool tied_here = model->tied_embeddings && strat_ends_meet(plan);
    if (chunk->embedding) {
        params += vocab;
        if (model->position == MODEL_POSITION_LEARNED && model->vocab > 0)
            params += (double)model->max_sequence * (double)model->hidden;
    }
    if (chunk->head && !tied_here)
        params += vocab;
    return params;
}

double strat_chunk_expert_params(const ModelSpec *model, const StratPlan *plan,
                                 const StratModelChunk *chunk)
{
    ModelShard shard = strat_shard(plan);
    return chunk->moe_layers == 0
               ? 0.0
               : (double)chunk->moe_layers * model_expert_shard_params(model, &shard);
}

double strat_stage_params(const ModelSpec *model, const StratPlan *plan, int64_t stage)
{
    double params = 0.0;
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(model, plan, stage, k);
        params += strat_chunk_params(model, plan, &chunk);
    }
    return params;
}
