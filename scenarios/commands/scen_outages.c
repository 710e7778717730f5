/* Failures of a deployment, between a scenario, its run and the months that nobody simulates token
 * by token.
 *
 * Faults are rare against requests: a replica of 8 GPUs fails every few months and a run is
 * minutes. A run into which a fault is put (a recorded one, or a rate scaled up) measures what a
 * fault costs; in the long run that is paid at the true rate. With a requests a second, of which
 * the share A meets every objective when nothing fails, and D of them that miss one for each fault,
 * the renewal theorem for rewards (one cycle from fault to fault, mean length 1 / lambda) says
 *
 *     share in the long run = A - lambda D / a,      D = (met without - met with faults) / faults
 *
 * and likewise for capacity with the GPU-seconds that a fault takes away. Both runs meet the same
 * requests; those that come after the end of the run, while the replica is still away, are not in
 * D, so a run should outlast what its outages do to requests. It holds while dips do not meet:
 * lambda times the length of a dip well below 1. */
#include "scen_outages.h"

#include "strat_spare_sizing.h"

#include <math.h>

/* Three nines: what Cui et al. (SC 2025, arXiv 2503.11901) size spares for. */
static const double SPARES_TARGET = 0.999;

double scen_outages_load_s(const ScenScenario *scenario, const StratServeMemory *memory, int from,
                           double given_bytes_per_s)
{
    const TopoNode *node = &scenario->cluster.node;
    double bytes_per_s = given_bytes_per_s;
    if (bytes_per_s <= 0.0 && from == SCEN_LOAD_FROM_HOST)
        bytes_per_s = node->host_bytes_per_s;
    else if (bytes_per_s <= 0.0)
        bytes_per_s = (double)node->nics * node->nic_bytes_per_s / (double)node->gpus;
    return bytes_per_s > 0.0 ? memory->weights_bytes / bytes_per_s : 0.0;
}

static StratFaultModel model_of(const ScenScenario *scenario)
{
    const ScenServeFailures *failures = &scenario->serving.failures;
    const StratDeployment *deployment = &scenario->serving.deployment;
    int64_t gpus = 0;
    for (size_t p = 0; p < deployment->pools; p++)
        gpus += deployment->pool[p].replicas * strat_pool_gpus(&deployment->pool[p]);
    StratFaultSite site = {gpus, scenario->cluster.node.gpus, failures->nodes_per_leaf,
                           failures->nodes_per_rack};
    return scen_faults_model(&failures->faults, site, scenario->seed);
}

/* Ranks of attention that an expert group can do without: the experts that remain have room on the
 * ranks that remain. */
static int64_t most_lost(const ScenScenario *scenario, const StratPool *pool)
{
    int64_t copies = scenario->serving.deployment.redundant_experts;
    int64_t slots = (scenario->model.experts + copies) / pool->expert; /* of a GPU */
    if (pool->data == 1 || pool->pipeline > 1 || pool->expert != pool->tensor * pool->data)
        return 0;
    return MIN(copies / (slots * pool->tensor), pool->data - 1);
}

static StratPoolFailures pool_of(const ScenScenario *scenario, size_t index,
                                 const StratServeMemory *memory)
{
    const ScenServeFailures *failures = &scenario->serving.failures;
    const StratDeployment *deployment = &scenario->serving.deployment;
    const StratPool *pool = &deployment->pool[index];
    int64_t scale_up = scenario->cluster.node.scale_up_gpus;
    bool prefills = deployment->pools == 2 && index == 0;
    double load_s =
        scen_outages_load_s(scenario, memory, failures->load_from, failures->load_bytes_per_s);
    StratSpread start = {.kind = STRAT_SPREAD_FIXED, .mean_s = load_s + failures->engine_start_s};
    return (StratPoolFailures){
        .restart = failures->has_restart ? failures->restart : start,
        .spares = prefills ? failures->prefill_spares : failures->spares,
        .is_across = strat_pool_gpus(pool) > scale_up,
        .is_tensor_across = pool->tensor > scale_up,
        .ranks = pool->data,
        .rank_gpus = pool->tensor,
        .most_lost = most_lost(scenario, pool),
    };
}

StratFailures scen_outages_of(const ScenScenario *scenario, const StratServeMemory *memory)
{
    const ScenServeFailures *failures = &scenario->serving.failures;
    const StratDeployment *deployment = &scenario->serving.deployment;
    const TopoNode *node = &scenario->cluster.node;
    StratFailures spec = failures->spec;
    if (!failures->is_on)
        return (StratFailures){0};
    spec.faults = model_of(scenario);
    for (size_t p = 0; p < deployment->pools; p++)
        spec.pool[p] = pool_of(scenario, p, &memory[p]);
    double gpus = (double)strat_pool_gpus(&deployment->pool[deployment->pools - 1]);
    double nics = gpus * (double)node->nics * node->nic_bytes_per_s / (double)node->gpus;
    bool is_given = failures->restore_bytes_per_s > 0.0;
    spec.restore_bytes_per_s = is_given ? failures->restore_bytes_per_s : nics;
    spec.restore_latency_s = node->nic_latency_s;
    return spec;
}

double scen_outages_wasted_gpu_s(const StratServeResult *result)
{
    const StratFailureSums *sums = &result->failures;
    double again = (double)(sums->lost_tokens - sums->restored_tokens);
    double prompts = (double)(result->input_tokens - result->cached_tokens) + again;
    double prompt_s = prompts > 0.0 ? result->prompt_s * again / prompts : 0.0;
    return sums->down_s + sums->cut_s + prompt_s;
}

/* Faults of all classes a second. */
static double rate_of(const StratFaultModel *model)
{
    double sum = 0.0;
    for (size_t i = 0; i < model->count; i++)
        sum += strat_fault_rate(model, &model->classes[i]);
    return sum;
}

static double mean_of(const StratSpread *spread)
{
    return (1.0 - spread->slow_fraction) * spread->mean_s +
           spread->slow_fraction * spread->slow_mean_s;
}

/* Faults of class @c a second that hit one replica of @gpus GPUs among @replicas. */
static double rate_on_one(const StratFaultModel *model, const StratFaultClass *c, int64_t gpus,
                          int64_t replicas)
{
    StratFaultModel one = *model;
    one.site.gpus = gpus;
    StratFaultClass own = *c, common = *c; /* what each unit has, what all have together */
    own.per_job_s = own.every_s = 0.0;
    common.per_unit_s = 0.0;
    bool is_job = c->unit == STRAT_FAULT_JOB;
    return strat_fault_rate(&one, &own) / (is_job ? (double)replicas : 1.0) +
           strat_fault_rate(&one, &common) / (double)replicas;
}

/* Replicas of @pool that are needed together: how often one dies, for how long it is away. */
static StratSpareNeed need_of(const StratFailures *failures, const StratPool *pool, size_t index,
                              int64_t replicas)
{
    double rate = 0.0, away = 0.0;
    for (size_t i = 0; i < failures->faults.count; i++) {
        const StratFaultClass *c = &failures->faults.classes[i];
        bool hangs = c->effect == STRAT_FAULT_HANG;
        if (!hangs && c->effect != STRAT_FAULT_STOP)
            continue;
        double mine = rate_on_one(&failures->faults, c, strat_pool_gpus(pool), replicas);
        rate += mine;
        away += mine * (mean_of(hangs ? &failures->hang_detection : &failures->stop_detection) +
                        c->swap_fraction * mean_of(&failures->repair));
    }
    StratSpareNeed need = {.units = pool->replicas, .mtbf_s = INFINITY};
    if (rate <= 0.0)
        return need;
    need.mtbf_s = 1.0 / rate;
    need.away_s = away / rate + mean_of(&failures->pool[index].restart);
    return need;
}

/* GPU-seconds that the outages of @result take from the capacity, those after its end too. */
static double gone_gpu_s(const ScenScenario *scenario, const StratServeResult *result)
{
    const StratDeployment *deployment = &scenario->serving.deployment;
    double sum = 0.0;
    for (guint i = 0; i < result->failures.outages->len; i++) {
        const StratOutageRecord *o = &g_array_index(result->failures.outages, StratOutageRecord, i);
        bool second = o->replica >= deployment->pool[0].replicas;
        SimTime end = MAX(o->due, result->end_ns);
        sum += (double)strat_pool_gpus(&deployment->pool[second]) * strat_outage_gone_s(o, end);
    }
    return sum;
}

ScenOutlook scen_outages_outlook(const ScenScenario *scenario, const StratServeMemory *memory,
                                 const StratServeResult *result, const StratServeResult *calm)
{
    const StratFailures failures = scen_outages_of(scenario, memory);
    const StratDeployment *deployment = &scenario->serving.deployment;
    double faults = (double)result->failures.faults;
    double end_s = sim_time_to_seconds(calm->end_ns);
    int64_t replicas = deployment->pool[0].replicas;
    replicas += deployment->pools == 2 ? deployment->pool[1].replicas : 0;
    ScenOutlook outlook = {
        .faults_per_s = rate_of(&failures.faults),
        .attainment = strat_serve_attainment(calm),
        .availability = 1.0,
        .spares_target = SPARES_TARGET,
    };
    for (size_t p = 0; p < deployment->pools; p++) {
        StratSpareNeed need = need_of(&failures, &deployment->pool[p], p, replicas);
        outlook.spares[p] = strat_spares_for_time(&need, SPARES_TARGET);
    }
    if (faults == 0.0 || end_s <= 0.0 || calm->asked == 0)
        return outlook;
    double gone_s = gone_gpu_s(scenario, result) / (double)failures.faults.site.gpus;
    double asked_per_s = (double)calm->asked / end_s;
    outlook.missed_per_fault = (double)(calm->within_slo - result->within_slo) / faults;
    outlook.attainment -= outlook.faults_per_s * outlook.missed_per_fault / asked_per_s;
    outlook.attainment = CLAMP(outlook.attainment, 0.0, 1.0);
    outlook.availability = fmax(1.0 - outlook.faults_per_s * gone_s / faults, 0.0);
    return outlook;
}
