/* A training run by batches.
 *
 * The step is simulated for a quarter, half, twice and four times the plan's batch on the same
 * GPUs, where the plan stays sound; strat_large_batch.c says how many steps each needs. The part of
 * a step that does not depend on the batch comes from the least and the largest of them, between
 * which it is taken to be a straight line. Failures and restarts are the campaign's. */
#include "scen_training_run.h"

#include "scen_check.h"
#include "scen_money.h"
#include "scen_simulate.h"

static const double SLACK = 0.05;
static const double SECONDS_PER_HOUR = 3600.0;
static const double HOURS_PER_DAY = 24.0;

static void add_row(ScenTrainingRun *run, const ScenScenario *scenario,
                    const StratTrainResult *result)
{
    const StratTarget *target = &scenario->training_run;
    ScenBatchRow row = {
        .sequences = scenario->plan.global_batch,
        .batch_tokens = result->tokens,
        .step_s = sim_time_to_seconds(result->step_ns),
        .tokens = strat_batch_tokens(target, run->critical_tokens, result->tokens),
        .steps = strat_batch_steps(target, run->critical_tokens, result->tokens),
    };
    double hours = row.steps * row.step_s / SECONDS_PER_HOUR;
    row.days = hours / HOURS_PER_DAY;
    row.gpu_hours = hours * (double)result->gpus;
    row.usd = row.gpu_hours * run->usd_per_gpu_hour;
    g_array_append_val(run->rows, row);
}

/* The row of @scenario with batches of @sequences, if that is a plan. */
static bool try_batch(ScenTrainingRun *run, const ScenScenario *scenario, int64_t sequences,
                      GError **error)
{
    ScenScenario other = *scenario;
    other.plan.global_batch = sequences;
    if (sequences < 1 || scen_check_plan_refused(&other, NULL))
        return true;
    g_autoptr(StratTrainResult) result = scen_simulate(&other, error);
    if (!result)
        return false;
    if (strat_memory_fits(result->memory))
        add_row(run, &other, result);
    return true;
}

static void find_best(ScenTrainingRun *run)
{
    const ScenBatchRow *first = &g_array_index(run->rows, ScenBatchRow, 0);
    const ScenBatchRow *last = &g_array_index(run->rows, ScenBatchRow, run->rows->len - 1);
    if (run->rows->len < 2)
        return;
    double token_s = (last->step_s - first->step_s) / (last->batch_tokens - first->batch_tokens);
    double fixed_s = first->step_s - token_s * first->batch_tokens;
    run->best = strat_batch_best(fixed_s, token_s, run->critical_tokens, SLACK);
}

ScenTrainingRun *scen_training_run(const ScenScenario *scenario, const StratTrainResult *result,
                                   GError **error)
{
    const StratBatchLaw *law = strat_batch_law_by_name(scenario->training_run.law, error);
    if (!law)
        return NULL;
    g_autoptr(ScenTrainingRun) run = g_new0(ScenTrainingRun, 1);
    run->critical_tokens = law->critical(&scenario->training_run);
    run->usd_per_gpu_hour = scen_money_usd_per_gpu_hour(&scenario->cost);
    run->rows = g_array_new(FALSE, FALSE, sizeof(ScenBatchRow));
    int64_t own = scenario->plan.global_batch;
    bool done = (own % 4 != 0 || try_batch(run, scenario, own / 4, error)) &&
                (own % 2 != 0 || try_batch(run, scenario, own / 2, error));
    add_row(run, scenario, result);
    g_array_index(run->rows, ScenBatchRow, run->rows->len - 1).is_own = true;
    done = done && try_batch(run, scenario, 2 * own, error) &&
           try_batch(run, scenario, 4 * own, error);
    find_best(run);
    return done ? g_steal_pointer(&run) : NULL;
}

void scen_training_run_free(ScenTrainingRun *run)
{
    if (!run)
        return;
    if (run->rows)
        g_array_unref(run->rows);
    g_free(run);
}
