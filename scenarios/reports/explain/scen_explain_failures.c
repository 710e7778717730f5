/* What failures do to a deployment. */
#include "scen_explain.h"

/* clang-format off */
static const ScenExplained rows[] = {
    {"serving.failures.faults", "Failures", "faults that hit a replica which was there", NULL, NULL},
    {"serving.failures.outages", "Failures", "times that a replica was away, whole or in part, or stood still", NULL, NULL},
    {"serving.failures.hurt_requests", "Failures", "requests that were on a replica which died or stood still", NULL, NULL},
    {"serving.failures.failed_requests", "Failures", "of those, ended in an error", NULL, NULL},
    {"serving.failures.lost_tokens", "Failures", "tokens of caches in replicas that died", NULL, NULL},
    {"serving.failures.restored_tokens", "Failures", "of those, that came back from copies; the others are computed again", NULL, NULL},
    {"serving.failures.stall_mean_s", "Failures", "time without a token of requests that had one before, mean over those hurt", NULL, NULL},
    {"serving.failures.stall_max_s", "Failures", "the longest of them", NULL, NULL},
    {"serving.failures.availability_fraction", "Failures", "capacity that was there, over the run", "1 - GPU-seconds away / all", NULL},
    {"serving.failures.wasted_gpu_s", "Failures", "GPU-seconds that came to nothing: dead and starting replicas, iterations that broke off, prompts computed again", NULL, NULL},
    {"serving.failures.wasted_usd", "Failures", "their price", "total cost x wasted / paid GPU-seconds", NULL},
    {"serving.failures.calm_tpot_mean_s", "Failures", "mean TPOT of the same traffic without failures", NULL, NULL},
    {"serving.failures.calm_output_tokens_per_s", "Failures", "output tokens a second of the same traffic without failures", NULL, NULL},
    {"serving.failures.calm_slo_attainment_fraction", "Failures", "share within all objectives of the same traffic without failures", NULL, NULL},
    {"serving.failures.faults_per_month", "In months", "faults of this deployment in a month of 30.44 days, by the rates of its classes", NULL, NULL},
    {"serving.failures.missed_requests_per_fault", "In months", "requests that one fault costs their objectives, in the mean of the run", "(within objectives without failures - with them) / faults", NULL},
    {"serving.failures.long_run_slo_attainment_fraction", "In months", "share within all objectives where faults are as rare as they are", "calm share - faults a second x requests missed by one / requests a second", NULL},
    {"serving.failures.long_run_availability_fraction", "In months", "capacity that is there in the long run", "1 - faults a second x GPU-seconds away for one / GPUs", NULL},
    {"serving.failures.spares_target_fraction", "In months", "share of the time in which all replicas are to be up", NULL, NULL},
    {"serving.failures.spare_replicas", "In months", "spare replicas with which they are (orrery spares)", "least spares with at most so many away, for the share of the time", NULL},
    {"serving.failures.spare_prefill_replicas", "In months", "the same of the replicas that do prompts", NULL, NULL},
};
/* clang-format on */

const ScenExplainedTable scen_explain_failures = {
    .of = "orrery run of a scenario with serve.failures:",
    .rows = rows,
    .count = G_N_ELEMENTS(rows),
};
