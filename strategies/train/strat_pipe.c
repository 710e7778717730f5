/* Times of a stage in the middle of the pipeline stand for all: the first and the last have an
 * embedding and a head more, and often a layer less. */
#include "strat_pipe.h"

#include "strat_fold.h"
#include "strat_layout.h"

static double seconds_of(const GArray *spans)
{
    double sum = 0.0;
    for (guint i = 0; i < spans->len; i++)
        sum += g_array_index(spans, StratSpan, i).seconds;
    return sum;
}

static double backward_s(const StratCosting *costing, const StratModelChunk *chunk,
                         StratBackward parts)
{
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_backward(costing, chunk, parts, spans);
    return seconds_of(spans);
}

static StratTaskTimes times_of(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    int64_t stage = plan->pipeline / 2;
    int64_t rank = strat_rank_index(plan, (StratRank){.stage = stage});
    StratPlaces places = strat_places_of(costing);
    StratPosition position = strat_position(&places, plan, rank);
    StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, 0);
    chunk.tensor_per_domain = position.tensor_per_domain;
    chunk.context_per_domain = position.context_per_domain;
    chunk.expert_per_domain = position.expert_per_domain;
    g_autoptr(GArray) forward = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(costing, &chunk, forward);
    TopoTransfer send = {.op = TOPO_OP_SEND,
                         .ranks = 2,
                         .ranks_per_domain = position.send_next_per_domain,
                         .bytes = strat_send_bytes(costing)};
    double send_s = plan->profiled.send_s;
    double saved = strat_chunk_saved_bytes(costing, &chunk);
    return (StratTaskTimes){
        .forward = seconds_of(forward),
        .input = backward_s(costing, &chunk, STRAT_BACKWARD_INPUT),
        .weight = backward_s(costing, &chunk, STRAT_BACKWARD_WEIGHT),
        .send = send_s > 0.0 ? send_s : costing->net->seconds(costing->cluster, &send),
        .sends_block = !plan->overlap_pipeline,
        .weight_bytes = MIN(strat_chunk_weight_bytes(costing, &chunk) / saved, 1.0),
    };
}

StratPipeline strat_pipe(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    const StratSchedule *schedule = strat_plan_schedule(plan);
    int64_t microbatches = plan->global_batch / (plan->data * plan->micro_batch);
    StratPipeline pipeline = {
        .stages = plan->pipeline,
        .chunks = plan->virtual_stages,
        .microbatches = schedule->is_dual ? microbatches / 2 : microbatches,
    };
    if (schedule->plan)
        pipeline.times = times_of(costing);
    return pipeline;
}
