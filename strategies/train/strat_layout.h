/** Which layers stand on which stage, and which ranks form which group. */
#ifndef STRAT_LAYOUT_H
#define STRAT_LAYOUT_H

#include "model_spec.h"
#include "strat_cost.h"
#include "strat_plan.h"
#include "strat_schedule.h"
#include "topo_traffic.h"

/** Ranks are numbered tensor fastest, then context, data, pipeline (Megatron-LM's default order),
 *  and, packed, fill the nodes in that order. */
typedef struct StratRank {
    int64_t tensor;
    int64_t context;
    int64_t data;
    int64_t stage;
} StratRank;

/** Members of a group. */
typedef TopoRanks StratGroup;

int64_t strat_rank_count(const StratPlan *plan);
StratRank strat_rank_at(const StratPlan *plan, int64_t index);
int64_t strat_rank_index(const StratPlan *plan, StratRank rank);

StratGroup strat_tensor_group(const StratPlan *plan, int64_t rank);
StratGroup strat_context_group(const StratPlan *plan, int64_t rank);

/** The ranks that share the experts of one layer out; expert_tensor of them cut each expert. */
StratGroup strat_expert_group(const StratPlan *plan, int64_t rank);

/** The ranks that reduce the gradients of the same experts together. */
StratGroup strat_expert_data_group(const StratPlan *plan, int64_t rank);

/** The ranks of one stage that run in step: those that share a microbatch (tensor x context) and
 *  those that exchange tokens with any of them. */
StratGroup strat_gang(const StratPlan *plan, int64_t rank);

/** The ranks that reduce gradients together: context x data. */
StratGroup strat_data_group(const StratPlan *plan, int64_t rank);

/** Ranks of a data group that agree every step: all of it, or those of one island. */
int64_t strat_inner_ranks(const StratPlan *plan);

/** Ranks that share one copy of what the plan shards: all of these, or plan.shard. */
int64_t strat_shard_ranks(const StratPlan *plan);

/** The ranks of @rank's data group that share one such copy with it: neighbours in the group. */
StratGroup strat_shard_group(const StratPlan *plan, int64_t rank);

/** The ranks among those that hold the same shard of other copies. */
StratGroup strat_copies_group(const StratPlan *plan, int64_t rank);

/** The ranks that hold the same chunks as @rank where a schedule holds the model twice: @rank's and
 *  that of the stage as far from the other end; else @rank alone. */
StratGroup strat_mirror_group(const StratPlan *plan, int64_t rank);

/** Chunks that the model of @plan is cut into. */
int64_t strat_chunk_count(const StratPlan *plan);

/** The least number of members of @group that share a scale-up domain, where rank r runs on GPU
 *  @gpu_of_rank[r], or on GPU r when that is NULL. */
int64_t strat_group_per_domain(const TopoCluster *cluster, const int64_t *gpu_of_rank,
                               const StratGroup *group);

/** The layers, embedding and head of chunk @chunk of @stage, whose place in the model the schedule
 *  gives (strat_schedule_index()). Layers that do not divide go to the first stages, one each. */
StratModelChunk strat_chunk_at(const ModelSpec *model, const StratPlan *plan, int64_t stage,
                               int64_t chunk);

/** The schedule of @plan, which is known. */
const StratSchedule *strat_plan_schedule(const StratPlan *plan);

/** Whether the schedule of @plan can run its pipeline and microbatches; else @reason (may be NULL),
 *  for the caller to free. */
bool strat_plan_schedule_fits(const StratPlan *plan, char **reason);

/** Whether the first and the last chunk of the model stand on one stage. */
bool strat_ends_meet(const StratPlan *plan);

/** Whether layer @layer of @chunk keeps all although the plan recomputes. */
bool strat_chunk_spares(const StratModelChunk *chunk, int64_t layer);

/** How many units @chunk has: layers, and the embedding and the head as one each. */
int64_t strat_chunk_unit_count(const StratModelChunk *chunk);

/** @chunk cut into its units, in order. */
void strat_chunk_units(const StratPlan *plan, const StratModelChunk *chunk, StratModelChunk *units);

/** @chunk cut into @count pieces of @layers each, in order; the embedding goes with the first, the
 *  head with the last. */
void strat_chunk_cut(const StratPlan *plan, const StratModelChunk *chunk, const int64_t *layers,
                     int64_t count, StratModelChunk *pieces);

/** @chunk cut into at most @most pieces of whole layers, in order; returns how many. */
int64_t strat_chunk_split(const StratPlan *plan, const StratModelChunk *chunk, int64_t most,
                          StratModelChunk *pieces);

/** Parameters of @chunk on one rank, the embedding's and the head's included (a tied head on
 *  another stage than the embedding holds a copy), routed experts not. */
double strat_chunk_params(const ModelSpec *model, const StratPlan *plan,
                          const StratModelChunk *chunk);

/** Those of all chunks of @stage on one rank. */
double strat_stage_params(const ModelSpec *model, const StratPlan *plan, int64_t stage);

/** Parameters of the routed experts of @chunk on one rank. */
double strat_chunk_expert_params(const ModelSpec *model, const StratPlan *plan,
                                 const StratModelChunk *chunk);

#endif
