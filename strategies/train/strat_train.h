/** One training step, from plan to figures. */
#ifndef STRAT_TRAIN_H
#define STRAT_TRAIN_H

#include "sim_exec.h"
#include "strat_compile.h"
#include "strat_memory.h"
#include "strat_memory_time.h"
#include "strat_outer.h"
#include "strat_push.h"

/** What a step came to. */
typedef struct StratTrainResult {
    SimTime step_ns;
    int64_t gpus;
    int64_t classes;      /* simulated rank classes */
    int64_t operations;   /* of the program */
    int64_t microbatches; /* of a replica, in the mean */
    int64_t *dealt;       /* of each, in order of replicas, where they are dealt; NULL: as many */
    int64_t dealt_count;
    double tokens;                         /* of one step */
    double model_flop;                     /* of one step: no recomputation, attention in full */
    double hardware_flop;                  /* recomputation counted */
    double peak_flop_per_s;                /* one GPU, at the plan's precision, dense */
    int64_t ledger_ns[STRAT_BUCKET_COUNT]; /* GPU-nanoseconds; they sum to gpus x step_ns */
    GArray *memory;                        /* of StratMemory, by stage */
    GArray *moments;                       /* of StratMoment, of the fullest stage */
    StratStep *step;                       /* the program */
    SimRun *run;                           /* and when everything in it happened */
    StratPushResult served; /* of servers that workers do not wait for; no workers: none */
    StratOuter outer;       /* of islands; round_bytes 0: none */
    GArray *hot_links;      /* of TopoHotLink, worst first; NULL when the net shares no links */
} StratTrainResult;

/** Simulates one step. NULL and @error when the plan is not modelled. Memory is reported, not
 *  enforced: see strat_memory_check(). Free with strat_train_result_free(). */
StratTrainResult *strat_train_run(const StratCosting *costing, bool fold, GError **error);

/** Runs the program of @result->step, whose transfers @costing's network carries: fills in run and
 *  hot_links. Ranks of the transfers are those of @costing's gpu_of_rank. */
bool strat_train_simulate(const StratCosting *costing, StratTrainResult *result, GError **error);

/** Runs the program of @result, that of @costing, once more to look at its network: every link that
 *  carried something (of TopoHotLink, as hot_links), with its curve; the caller frees. NULL without
 *  @error when the network shares no links. */
GArray *strat_train_links(const StratCosting *costing, const StratTrainResult *result,
                          GError **error);

void strat_train_result_free(StratTrainResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratTrainResult, strat_train_result_free)

/** Model FLOPs utilisation: model FLOPs over peak (PaLM, appendix B), and hardware FLOPs
 *  utilisation, which counts recomputation (Korthikanti 2022, section 6.3). */
double strat_train_mfu_fraction(const StratTrainResult *result);
double strat_train_hfu_fraction(const StratTrainResult *result);

#endif
