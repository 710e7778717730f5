/* Runs a compiled step and reads its figures off the run: the step time is the program's makespan,
 * or the period of steps where stages roll on, the ledger says where every GPU-nanosecond went,
 * FLOPs are counted from the model. */
#include "strat_train.h"

#include "model_ops.h"
#include "sim_ledger.h"
#include "strat_agree.h"
#include "strat_carry.h"
#include "strat_deal.h"
#include "strat_distill.h"
#include "strat_layout.h"
#include "strat_repeat.h"

/* Share of the model's layers that the plan recomputes, whatever they are made of. */
static double recomputed_share(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    int64_t spared = 0;
    for (int64_t stage = 0; stage < plan->pipeline; stage++) {
        for (int64_t k = 0; k < plan->virtual_stages; k++)
            spared += strat_chunk_at(costing->model, plan, stage, k).spared;
    }
    return 1.0 - (double)spared / (double)costing->model->layers;
}

/* Frozen products have no gradient of their weights, a third of theirs; adapters are products of
 * their own. */
static double frozen_flop(const StratCosting *costing, double tokens, double attention)
{
    const StratPlan *plan = costing->plan;
    ModelShard whole = {.micro_batch = 1, .sequence = 1, .tensor = 1, .context = 1};
    double adapters = (double)costing->model->layers *
                      model_adapter_params(costing->model, &whole, &plan->adapters);
    double full = model_flop(costing->model, (double)plan->global_batch,
                             (double)plan->sequence_length, false);
    return (full - 3.0 * attention) * 2.0 / 3.0 + 3.0 * attention + 6.0 * tokens * adapters;
}

/* Of a GPU in the mean over the kinds of nodes. */
static double mean_peak(const TopoCluster *cluster, TopoDtype precision)
{
    const TopoMixed *mixed = &cluster->mixed;
    double first = cluster->node.gpu.peak_flop_per_s[precision];
    if (mixed->gpus == 0)
        return first;
    return first + (mixed->node.gpu.peak_flop_per_s[precision] - first) * (double)mixed->gpus /
                       (double)cluster->gpu_count;
}

static void count_flop(const StratCosting *costing, StratTrainResult *result)
{
    const StratPlan *plan = costing->plan;
    double sequences = (double)plan->global_batch, length = (double)plan->sequence_length;
    result->tokens = sequences * length;
    result->model_flop = model_flop(costing->model, sequences, length, false);
    double forward = result->model_flop / 3.0;
    double attention = model_attention_forward_flop(costing->model, sequences, length);
    double head = 2.0 * result->tokens * (double)(costing->model->hidden * costing->model->vocab);
    if (plan->adapters.rank > 0)
        result->model_flop = frozen_flop(costing, result->tokens, attention);
    if (strat_distill_is_on(plan))
        result->model_flop += strat_distill_flop(costing, sequences);
    result->hardware_flop = result->model_flop;
    if (plan->recompute == STRAT_RECOMPUTE_SELECTIVE)
        result->hardware_flop += attention * recomputed_share(costing);
    else if (plan->recompute != STRAT_RECOMPUTE_NONE)
        result->hardware_flop += (forward - head) * recomputed_share(costing) *
                                 strat_repeat_flop_fraction(plan, costing->model);
    result->peak_flop_per_s = mean_peak(costing->cluster, plan->precision);
}

bool strat_train_simulate(const StratCosting *costing, StratTrainResult *result, GError **error)
{
    const StratTransfers *t = result->step->transfers;
    StratCarried carried = {t->transfers, t->groups, t->group_ends};
    result->run = strat_carry(costing, result->step->program, &carried, &result->hot_links, error);
    return result->run != NULL;
}

GArray *strat_train_links(const StratCosting *costing, const StratTrainResult *result,
                          GError **error)
{
    StratCosting watching = *costing;
    watching.keeps_links = true;
    StratTrainResult again = {.step = result->step};
    if (!result->hot_links || !strat_train_simulate(&watching, &again, error))
        return NULL;
    sim_run_free(again.run);
    return again.hot_links;
}

/* Where stages roll from step to step, the period is the longest time from the first operation of a
 * class to its last: shifted by it, all of the next step fits behind this one. */
static SimTime period_of(const StratTrainResult *result)
{
    const SimProgram *program = result->step->program;
    const SimRun *run = result->run;
    uint32_t classes = sim_program_class_count(program);
    g_autofree SimTime *first = g_new(SimTime, classes);
    g_autofree SimTime *last = g_new0(SimTime, classes);
    for (uint32_t i = 0; i < classes; i++)
        first[i] = SIM_TIME_MAX;
    for (uint32_t i = 0; i < run->op_count; i++) {
        uint32_t class = sim_program_op(program, i)->rank_class;
        first[class] = MIN(first[class], run->start[i]);
        last[class] = MAX(last[class], run->end[i]);
    }
    SimTime longest = 0;
    for (uint32_t i = 0; i < classes; i++)
        longest = MAX(longest, last[i] - first[i]);
    return longest;
}

static SimTime whole_ns(double seconds)
{
    SimTime ns = 0;
    bool is_time = sim_time_from_seconds(seconds, &ns, NULL);
    g_assert(is_time); /* the loader bounds bytes and rates */
    return ns;
}

/* Makes every GPU's step @seconds longer, to the account @bucket. */
static void lengthen(StratTrainResult *result, double seconds, StratBucket bucket)
{
    SimTime ns = whole_ns(seconds);
    result->step_ns += ns;
    result->ledger_ns[bucket] += ns * result->gpus;
}

/* Workers that meet at servers whenever they are done: the step is the mean time between two
 * updates of a worker. */
static void run_servers(const StratCosting *costing, StratTrainResult *result)
{
    const StratPlan *plan = costing->plan;
    const StratServers *servers = &plan->data_parallel.servers;
    StratGroup group = strat_data_group(plan, 0);
    double most = 0.0;
    for (int64_t stage = 0; stage < plan->pipeline; stage++)
        most = MAX(most, strat_stage_params(costing->model, plan, stage));
    TopoTransfer whole = {
        .op = TOPO_OP_ALL_REDUCE,
        .ranks = group.count,
        .ranks_per_domain = strat_group_per_domain(costing->cluster, costing->gpu_of_rank, &group),
        .bytes = most * topo_dtype_bytes(plan->gradients),
    };
    strat_agree_apply(costing, most, &whole);
    StratPushRun run = {
        .served = strat_push(costing, whole.ranks, whole.ranks_per_domain, whole.bytes),
        .compute_s = sim_time_to_seconds(result->step_ns),
        .variation = servers->variation,
        .staleness = servers->unbounded ? -1 : servers->staleness,
        .updates = servers->updates > 0 ? servers->updates : STRAT_PUSH_UPDATES,
        .seed = costing->seed,
    };
    run.compute_s += run.served.local_s;
    result->served = strat_push_run(&run);
    lengthen(result, MAX(result->served.cycle_s - sim_time_to_seconds(result->step_ns), 0.0),
             STRAT_BUCKET_DATA_COMM);
}

/* What replicas do between steps, or instead of meeting in them. */
static void add_between(const StratCosting *costing, StratTrainResult *result)
{
    const StratDataParallel *dp = &costing->plan->data_parallel;
    if (strat_data_is_apart(dp) && costing->plan->data > 1)
        run_servers(costing, result);
    if (dp->islands.count < 2)
        return;
    result->outer = strat_outer(costing, sim_time_to_seconds(result->step_ns));
    lengthen(result, result->outer.exposed_s, STRAT_BUCKET_DATA_COMM);
    lengthen(result, result->outer.passes_s, STRAT_BUCKET_OPTIMIZER);
}

StratTrainResult *strat_train_run(const StratCosting *costing, bool fold, GError **error)
{
    const StratPlan *plan = costing->plan;
    g_autoptr(StratTrainResult) result = g_new0(StratTrainResult, 1);
    StratCosting dealt = *costing;
    dealt.dealt = result->dealt = strat_deal(costing);
    result->dealt_count = result->dealt ? plan->data : 0;
    result->step = strat_compile(&dealt, fold, error);
    if (!result->step || !strat_train_simulate(costing, result, error))
        return NULL;
    g_autoptr(SimLedger) ledger = sim_ledger_new(result->step->program, result->run, error);
    if (!ledger)
        return NULL;
    for (uint16_t b = 0; b < STRAT_BUCKET_COUNT; b++)
        result->ledger_ns[b] = sim_ledger_total_ns(ledger, b);
    result->gpus = strat_rank_count(plan);
    result->step_ns = result->run->makespan;
    if (strat_plan_schedule(plan)->rolls && !plan->synchronous_optimizer) {
        result->step_ns = period_of(result);
        result->ledger_ns[STRAT_BUCKET_BUBBLE] -=
            result->gpus * (result->run->makespan - result->step_ns);
    }
    add_between(costing, result);
    result->classes = result->step->fold->classes;
    result->operations = sim_program_op_count(result->step->program);
    result->microbatches = plan->global_batch / (plan->data * plan->micro_batch);
    result->memory = strat_memory_stages(costing);
    guint worst = strat_memory_worst_stage(result->memory);
    result->moments =
        strat_memory_moments(costing, result->step, result->run, worst,
                             g_array_index(result->memory, StratMemory, worst).workspace_bytes);
    count_flop(costing, result);
    return g_steal_pointer(&result);
}

void strat_train_result_free(StratTrainResult *result)
{
    if (!result)
        return;
    if (result->memory)
        g_array_unref(result->memory);
    if (result->moments)
        g_array_unref(result->moments);
    if (result->hot_links)
        g_array_unref(result->hot_links);
    sim_run_free(result->run);
    strat_step_free(result->step);
    g_free(result->dealt);
    g_free(result);
}

static double utilisation(const StratTrainResult *result, double flop)
{
    double seconds = (double)result->step_ns * 1e-9;
    if (result->step_ns == 0)
        return 0.0;
    return flop / (seconds * (double)result->gpus * result->peak_flop_per_s);
}

double strat_train_mfu_fraction(const StratTrainResult *result)
{
    return utilisation(result, result->model_flop);
}

double strat_train_hfu_fraction(const StratTrainResult *result)
{
    return utilisation(result, result->hardware_flop);
}
