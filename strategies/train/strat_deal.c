/* Microbatches by speed.
 *
 * All replicas meet at the reduction of the gradients, so the step is that of the last to come. A
 * pipeline of p stages whose slowest takes t seconds for the passes of a microbatch ends m of them
 * after (m + p - 1) t. Replicas d with t_d end together when
 *
 *   m_d = T / t_d - (p - 1),   T = (M + D (p - 1)) / sum of 1 / t_d
 *
 * for the M microbatches of the step over D replicas: at p = 1 in proportion to 1 / t. Counts are
 * whole: each takes the whole part of its share, 1 at least, and what is left goes one by one to
 * the replica that would then end first, the lowest number among equals, which leaves the latest end
 * as early as whole counts can.
 *
 * The sum of gradients weighs microbatches, not replicas, so the update is that of even counts.
 *
 * Left out: what replicas pay besides their passes (sends, optimizer), and slow GPUs of one kind. */
#include "strat_deal.h"

#include "strat_fold.h"
#include "strat_layout.h"
#include "strat_places.h"

#include <math.h>

/* Seconds of a microbatch's passes on @stage, on a GPU of @kind. */
static double passes_s(const StratCosting *costing, int64_t stage, int64_t rank, TopoKind kind)
{
    const StratPlan *plan = costing->plan;
    StratPlaces places = strat_places_of(costing);
    StratPosition position = strat_position(&places, plan, rank);
    StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, 0);
    chunk.tensor_per_domain = position.tensor_per_domain;
    chunk.context_per_domain = position.context_per_domain;
    chunk.expert_per_domain = position.expert_per_domain;
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    StratOwnCosting room;
    const StratCosting *own = strat_costing_of_kind(costing, kind, &room);
    strat_cost_forward(own, &chunk, spans);
    strat_cost_backward(own, &chunk, STRAT_BACKWARD_WHOLE, spans);
    double sum = 0.0;
    for (guint i = 0; i < spans->len; i++)
        sum += g_array_index(spans, StratSpan, i).seconds;
    return sum;
}

/* Of every replica, the passes of its slowest stage; stages of one kind are priced once. */
static double *replicas_s(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    StratPlaces places = strat_places_of(costing);
    double *seconds = g_new0(double, plan->data);
    for (int64_t stage = 0; stage < plan->pipeline; stage++) {
        double known[] = {[TOPO_KIND_FIRST] = 0.0, [TOPO_KIND_SECOND] = 0.0};
        for (int64_t d = 0; d < plan->data; d++) {
            int64_t rank = strat_rank_index(plan, (StratRank){.data = d, .stage = stage});
            TopoKind kind = strat_places_kind(&places, rank);
            if (known[kind] <= 0.0)
                known[kind] = passes_s(costing, stage, rank, kind);
            seconds[d] = fmax(seconds[d], known[kind]);
        }
    }
    return seconds;
}

void strat_deal_out(const double *seconds, int64_t count, int64_t stages, int64_t total,
                    int64_t *dealt)
{
    double fill = (double)(stages - 1), rates = 0.0;
    int64_t left = total;
    for (int64_t d = 0; d < count; d++)
        rates += 1.0 / seconds[d];
    double end_s = ((double)total + (double)count * fill) / rates;
    for (int64_t d = 0; d < count; d++) {
        dealt[d] = (int64_t)fmax(1.0, floor(end_s / seconds[d] - fill));
        left -= dealt[d];
    }
    for (; left != 0; left += left > 0 ? -1 : 1) {
        int64_t best = -1, change = left > 0 ? 1 : -1;
        double best_s = 0.0;
        for (int64_t d = 0; d < count; d++) {
            double own_s = ((double)(dealt[d] + MAX(change, 0)) + fill) * seconds[d];
            bool better = best < 0 || (change > 0 ? own_s < best_s : own_s > best_s);
            if (better && dealt[d] + change >= 1) {
                best = d;
                best_s = own_s;
            }
        }
        dealt[best] += change;
    }
}

int64_t *strat_deal(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    if (plan->replica_microbatches == STRAT_DEAL_EVEN || plan->data < 2)
        return NULL;
    int64_t *dealt = g_new(int64_t, plan->data);
    g_autofree double *seconds = replicas_s(costing);
    strat_deal_out(seconds, plan->data, plan->pipeline, plan->global_batch / plan->micro_batch,
                   dealt);
    return dealt;
}
