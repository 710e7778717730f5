/* Local SGD and DiLoCo: islands of replicas that average every H steps.
 *
 * Within an island replicas sum gradients every step. Every H inner steps each of F fragments of
 * the P parameters is exchanged among I islands as differences of c bytes, by a ring over links of
 * W bytes/s out of each island:
 *
 *   fragment  t = 2 (I - 1) / I  c P / F / W + 2 (I - 1) latency
 *   exposed   max(F max(0, t - hidden), F t - H step) a round of H inner steps: each exchange may
 *             hide under some steps, and all together take the link for no longer than the round
 *   utilisation  H step / (H step + exposed + outer optimizer)
 *
 * (Douillard 2023, DiLoCo, arXiv 2311.08105: F = 1, hidden = 0; 2025, Streaming DiLoCo, arXiv
 * 2501.18512: fragments in turn, hidden under inner steps, differences in 4 bits.) The outer
 * optimizer, Nesterov momentum, reads and writes 36 bytes a parameter once a round: the difference
 * (8 read, 4 written), momentum (8), old weights (8), difference and new weights (8). It keeps the
 * weights of the last exchange and the momentum, 8 bytes a parameter; offloaded (OpenDiLoCo 2024,
 * INTELLECT-1 2024) they are in host memory, and differences go there and back.
 *
 * Left out: what quantising costs, islands of unlike speed, and loss by larger H. */
#include "strat_outer.h"

#include "kern_pass.h"
#include "strat_layout.h"

static const double OUTER_PASS_BYTES = 36.0;
static const double OUTER_STATE_BYTES = 8.0;
static const double DIFFERENCE_BYTES = 4.0;

double strat_outer_exposed_s(int64_t fragments, double fragment_s, double hidden_s, double round_s)
{
    double count = (double)fragments;
    double waits = count * MAX(0.0, fragment_s - hidden_s);
    return hidden_s > 0.0 ? MAX(waits, count * fragment_s - round_s) : waits;
}

/* Parameters of the whole model, and those of the rank that holds the most. */
static double params_of(const StratCosting *costing, double *most)
{
    const StratPlan *plan = costing->plan;
    double sum = 0.0;
    for (int64_t stage = 0; stage < plan->pipeline; stage++) {
        double held = strat_stage_params(costing->model, plan, stage);
        *most = MAX(*most, held);
        sum += held * (double)plan->tensor;
    }
    return sum;
}

static double passes_s(const StratCosting *costing, double params)
{
    const StratIslands *islands = &costing->plan->data_parallel.islands;
    double host = costing->cluster->node.host_bytes_per_s;
    if (islands->offload)
        return host > 0.0 ? 2.0 * DIFFERENCE_BYTES * params / host : 0.0;
    return kern_pass_s(&costing->device, OUTER_PASS_BYTES * params, 4);
}

/* Ranks that share one copy of the weights. */
static double holders(const StratPlan *plan)
{
    return plan->zero_stage == 3 ? (double)strat_shard_ranks(plan) : 1.0;
}

StratOuter strat_outer(const StratCosting *costing, double inner_s)
{
    const StratPlan *plan = costing->plan;
    const StratIslands *islands = &plan->data_parallel.islands;
    double count = (double)islands->count, steps = (double)islands->inner_steps, most = 0.0;
    double params = params_of(costing, &most), round_s = steps * inner_s;
    double ring = 2.0 * (count - 1.0) / count;
    StratOuter outer = {
        .round_bytes = ring * params * topo_dtype_bytes(islands->outer),
        .passes_s = passes_s(costing, most / holders(plan)) / steps,
        .reduction = steps * topo_dtype_bytes(plan->gradients) / topo_dtype_bytes(islands->outer),
    };
    outer.fragment_s = outer.round_bytes / (double)islands->fragments / islands->bytes_per_s +
                       2.0 * (count - 1.0) * islands->latency_s;
    outer.exposed_s = strat_outer_exposed_s(islands->fragments, outer.fragment_s,
                                            islands->hidden_steps * inner_s, round_s) /
                      steps;
    double cycle_s = inner_s + outer.passes_s + outer.exposed_s;
    outer.mean_bytes_per_s = outer.round_bytes / (steps * cycle_s);
    outer.utilisation = inner_s / cycle_s;
    return outer;
}

double strat_outer_state_bytes(const StratPlan *plan, double params)
{
    const StratIslands *islands = &plan->data_parallel.islands;
    bool none = islands->count < 2 || islands->offload;
    return none ? 0.0 : OUTER_STATE_BYTES * params / holders(plan);
}

double strat_outer_flight_bytes(const StratPlan *plan, double params)
{
    const StratIslands *islands = &plan->data_parallel.islands;
    return islands->count < 2 ? 0.0
                              : topo_dtype_bytes(islands->outer) * params /
                                    (double)islands->fragments / holders(plan);
}
