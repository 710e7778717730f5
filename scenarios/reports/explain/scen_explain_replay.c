/* Figures of the replay of a real job's operation trace. */
#include "scen_explain.h"

#define LIN "Lin et al. 2025 (arXiv 2505.05713), section 3: what-if analysis of stragglers"

/* clang-format off */
static const ScenExplained rows[] = {
    {"replay.replayed_step_s", "As it was", "mean step of the trace, replayed as it was", NULL, LIN},
    {"replay.step_without_gaps_s", "Without gaps", "the same without the gaps between operations", NULL, LIN},
    {"replay.straggler_free_step_s", "No stragglers", "the same with every operation ideal", NULL, LIN},
    {"steps", NULL, "steps of the trace", NULL, NULL},
    {"data_parallel", NULL, "data-parallel ranks of the trace", NULL, NULL},
    {"pipeline", NULL, "pipeline stages of the trace", NULL, NULL},
    {"step_s.measured", "step, mean", "mean step of the trace, as it was recorded", NULL, NULL},
    {"step_s.replayed", "step, mean", "mean step of the trace, replayed as it was", NULL, LIN},
    {"step_s.without_gaps", "step, mean", "the same without the gaps between operations", NULL, LIN},
    {"step_s.no_stragglers", "no stragglers", "the same with every operation ideal", NULL, LIN},
    {"slowdown", "slowdown", "what stragglers cost", "step without gaps / straggler-free step", LIN},
    {"lost_fraction", "slowdown", "share of the time that stragglers cost", "1 - 1 / slowdown", LIN},
    {"ideal_s.*", NULL, "ideal time of an operation of this kind: of compute the mean, of communication the median over the trace", NULL, LIN},
    {"what_ifs.*.step_s", "What if", "mean step with what is named mended, the rest as it was", NULL, LIN},
    {"by_worker.*.dp", "By worker", "data-parallel rank of the worker", NULL, NULL},
    {"by_worker.*.pp", "By worker", "pipeline stage of the worker", NULL, NULL},
    {"by_worker.*.slowdown", "By worker", "slowdown where all but this worker are mended", NULL, LIN},
    {"by_stage.*.pp", "By stage", "pipeline stage", NULL, NULL},
    {"by_stage.*.slowdown", "By stage", "slowdown where all but this stage are mended", NULL, LIN},
    {"by_operation.*.slowdown", "By operation", "slowdown where all but this kind of operation are mended", NULL, LIN},
};
/* clang-format on */

const ScenExplainedTable scen_explain_replay = {
    .of = "orrery replay, or orrery run of a scenario with replay:",
    .rows = rows,
    .count = G_N_ELEMENTS(rows),
};
