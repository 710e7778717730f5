#include "toy_campaign.h"

static bool toy_line(int64_t stages, StratPipelineLine *line, void *ctx)
{
    (void)ctx;
    double each = 12.0 / (double)stages;
    *line = (StratPipelineLine){each * (double)(stages - 1), each};
    return stages > 1 && stages < 9;
}

StratAdaptJob toy_adapt_job(void)
{
    return (StratAdaptJob){
        .stages = 4,
        .replicas = 3,
        .microbatches = 6,
        .tensor = 8,
        .workers_per_node = 1,
        .bubble_s = 9.0,
        .forward_fraction = 1.0 / 3.0,
        .line = toy_line,
    };
}

double toy_step(const StratJobState *state, void *ctx)
{
    (void)ctx;
    double slowest = 1.0;
    for (size_t i = 0; i < state->slow_count; i++)
        slowest = MIN(slowest, state->slow[i].clock_fraction);
    for (size_t i = 0; i < state->weak_count; i++)
        slowest = MIN(slowest, state->weak[i].fraction);
    if (state->adaptation == STRAT_ADAPT_NONE)
        return 1.0 / slowest;
    StratAdaptJob job = toy_adapt_job();
    if (state->adaptation == STRAT_ADAPT_REBALANCE)
        return strat_adapt_rebalanced(&job, state->slow[0].clock_fraction) / 27.0;
    if (state->adaptation == STRAT_ADAPT_SWAP)
        return strat_adapt_swapped(&job, state->weak[0].fraction) / 27.0;
    return strat_adapt_step(&job, state->adaptation, (int64_t)state->lost_count) / 27.0 / slowest;
}

StratCampaign toy_campaign(StratFaultClass *faults, int64_t gpus, double per_node_day, double days,
                           double interval_s, double restart_s)
{
    *faults = (StratFaultClass){
        .name = "node",
        .unit = STRAT_FAULT_NODE,
        .effect = STRAT_FAULT_STOP,
        .per_unit_s = per_node_day / 86400.0,
        .shape = 1.0,
        .swap_fraction = 1.0,
        .clock_fraction = 1.0,
    };
    return (StratCampaign){
        .faults = {.classes = faults,
                   .count = 1,
                   .site = {gpus, 8, 32, 4},
                   .seed = 1,
                   .scale = 1.0,
                   .early_factor = 1.0,
                   .lemon_factor = 1.0},
        .duration_s = days * 86400.0,
        .replications = 200,
        .step = toy_step,
        .checkpoint = {.interval_s = interval_s, .copies = 2},
        .recovery = {.policy = strat_recovery_by_name("restart",             NULL),
                   .restart = {.mean_s = restart_s},
                   .replicas = 1},
        .spares = {.nodes = -1     },
    };
}
