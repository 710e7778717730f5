/** A whole training run: time and money to a target, by the size of the batch. */
#ifndef SCEN_TRAINING_RUN_H
#define SCEN_TRAINING_RUN_H

#include "scen_scenario.h"
#include "strat_train.h"

/** One batch on the scenario's GPUs. */
typedef struct ScenBatchRow {
    int64_t sequences; /* of a batch */
    bool is_own;       /* the plan's */
    double batch_tokens, step_s;
    double tokens, steps; /* to the target */
    double days, gpu_hours, usd;
} ScenBatchRow;

typedef struct ScenTrainingRun {
    double critical_tokens;
    double usd_per_gpu_hour; /* 0: no price */
    StratBestBatch best;     /* in tokens, within 5 % */
    GArray *rows;            /* of ScenBatchRow, smallest first */
} ScenTrainingRun;

/** The run of @scenario, which has a target, whose step came to @result: simulates the step with
 *  batches of a quarter to four times its own, as far as the plan's rules and memory allow. NULL
 *  and @error as scen_simulate(). Free with scen_training_run_free(). */
ScenTrainingRun *scen_training_run(const ScenScenario *scenario, const StratTrainResult *result,
                                   GError **error);

void scen_training_run_free(ScenTrainingRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenTrainingRun, scen_training_run_free)

#endif
