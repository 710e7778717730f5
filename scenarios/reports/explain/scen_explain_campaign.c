/* Figures of months under failures. Estimates are over histories: the same job with other failures. */
#include "scen_explain.h"

#define LEDGER "the buckets sum to (GPUs + spare GPUs) x duration; mean over histories"
#define KOKOLIS "Kokolis et al. 2025 (arXiv 2410.21680), effective training time ratio"
#define GOOGLE "Google, ml-goodput-measurement: names of its ledger, shares of the job's time"
#define DALY "Daly 2006, A higher order estimate of the optimum checkpoint interval"

/* clang-format off */
static const ScenExplained rows[] = {
    {"campaign.duration_s", "Campaign", "time that is simulated: campaign.duration", NULL, NULL},
    {"campaign.replications", "Campaign", "histories that were simulated", NULL, NULL},
    {"campaign.gpus", "Campaign", "GPUs of the job", NULL, NULL},
    {"campaign.spare_gpus", "Campaign", "GPUs of the spare nodes, which are paid for", NULL, NULL},
    {"campaign.step_time_s", "Campaign", "step of the healthy job, given or simulated", NULL, NULL},
    {"campaign.checkpoint_interval_s", "Campaign", "training between two checkpoints: given, by Young's or Daly's formula, or found by simulation", NULL, DALY},
    {"campaign.interruptions", "Interrupted", "stops of the job, planned ones counted", NULL, NULL},
    {"campaign.unplanned_interruptions", "Interrupted", "stops of the job that nobody planned", NULL, NULL},
    {"campaign.mttf_s", "MTTF", "mean time to failure of the running job", "running time / unplanned stops that hit a running job", KOKOLIS},
    {"campaign.slow_faults_noticed", NULL, "slow parts that the monitor of steps told of, mean over histories", NULL, NULL},
    {"campaign.ettr_fraction", "ETTR", "effective training time ratio: productive time over all time", "steps that count x healthy step time / duration", KOKOLIS},
    {"campaign.uptime_fraction", "Uptime", "time in which steps run or are saved, rework counted, over all time", NULL, NULL},
    {"campaign.goodput_fraction", "Goodput", "productive GPU time over that of GPUs and spares", "productive GPU-seconds / ((GPUs + spare GPUs) x duration)", NULL},
    {"campaign.ledger_gpu_s.productive", "productive steps", "steps that count, at the speed of healthy ones", LEDGER, NULL},
    {"campaign.ledger_gpu_s.degraded", "slow steps and stalls", "by how much steps take longer than healthy ones, and stalls", LEDGER, NULL},
    {"campaign.ledger_gpu_s.missing_replicas", "missing replicas", "replicas and nodes that are away while the others go on", LEDGER, NULL},
    {"campaign.ledger_gpu_s.checkpoint", "saving", "saving, where training stands still", LEDGER, NULL},
    {"campaign.ledger_gpu_s.detection", "detection", "from a failure until somebody knows of it", LEDGER, NULL},
    {"campaign.ledger_gpu_s.wait", "waiting for nodes", "waiting for nodes in place of those that are away", LEDGER, NULL},
    {"campaign.ledger_gpu_s.restart", "restart and load", "processes, communicators, reading state back", LEDGER, NULL},
    {"campaign.ledger_gpu_s.rework", "rework", "work that was done and lost, because no checkpoint had it", LEDGER, NULL},
    {"campaign.ledger_gpu_s.spares", "spares standing by", "spare nodes, all of the time", LEDGER, NULL},
    {"campaign.google_goodput.GOODPUT", NULL, "share of the job's time that is productive", "productive / (GPUs x duration)", GOOGLE},
    {"campaign.google_goodput.PROGRAM_STARTUP", NULL, "share of the bucket restart", NULL, GOOGLE},
    {"campaign.google_goodput.UNPRODUCTIVE_CHECKPOINT_SAVE_TIME", NULL, "share of the bucket checkpoint", NULL, GOOGLE},
    {"campaign.google_goodput.WASTED_PROGRESS_FROM_DISRUPTION", NULL, "share of the bucket rework", NULL, GOOGLE},
    {"campaign.google_goodput.INFRASTRUCTURE_RECOVERY_FROM_DISRUPTION", NULL, "share of the buckets detection and wait", NULL, GOOGLE},
    {"campaign.google_goodput.ELASTIC_SLICE_DOWN", NULL, "share of the bucket missing_replicas", NULL, GOOGLE},
    {"campaign.google_goodput.OTHER", NULL, "share of the bucket degraded", NULL, GOOGLE},
    {"campaign.interruptions_by_cause.*", "What stops the job", "stops by this class of faults, mean over histories", NULL, NULL},
    {"campaign.states.met", NULL, "states of the job, not as planned, whose step was asked for", NULL, NULL},
    {"campaign.states.simulated", NULL, "of those, simulated; a state that came before is remembered", NULL, NULL},
    {"campaign.states.bounded", NULL, "of those, taken as a state that is no better", NULL, NULL},
    {"campaign.storage.write.bytes", "Checkpoint", "bytes that a checkpoint writes", NULL, NULL},
    {"campaign.storage.write.host_copy_s", "Checkpoint", "from the GPUs to host memory", NULL, NULL},
    {"campaign.storage.write.total_s", "Checkpoint", "from the start until all is in storage", NULL, NULL},
    {"campaign.storage.read.bytes", "Restart", "bytes that a restart reads", NULL, NULL},
    {"campaign.storage.read.host_copy_s", "Restart", "from host memory to the GPUs", NULL, NULL},
    {"campaign.storage.read.total_s", "Restart", "from the start of reading until all is read", NULL, NULL},
    {"campaign.storage.block_s", "Checkpoint", "time for which a checkpoint stops training", NULL, NULL},
    {"campaign.storage.save_s", "Checkpoint", "time until it is safe in storage", NULL, NULL},
    {"campaign.storage.slowed_s", "Checkpoint", "by how much steps beside the flush of one checkpoint are longer, in all", NULL, NULL},
    {"campaign.storage.hand_round_s", "Restart", "weights that were read once, handed round the data groups", NULL, NULL},
    {"campaign.storage.load_s", "Restart", "of a restart: reading, to the GPUs, round the data groups", NULL, NULL},
    {"campaign.storage.copy_bytes", NULL, "bytes of a copy in a peer's memory, of the busiest node", NULL, "Wang et al. 2023, GEMINI (SOSP 2023)"},
    {"campaign.storage.copy_s", NULL, "one round of copies to peers", NULL, NULL},
    {"campaign.storage.network_idle_s", NULL, "time in which the network is idle between two rounds", NULL, NULL},
    {"campaign.storage.copy_block_s", NULL, "time that a round costs training", NULL, NULL},
    {"campaign.storage.peer_load_s", NULL, "state read back from peers", NULL, NULL},
    {"campaign.storage.host_bytes", "Checkpoint", "host memory of the busiest node that is on its way to storage, and copies", NULL, NULL},
    {"cost.gpu_hours", "Cost", "GPU-hours that are paid, idle time and spares counted", "GPUs x time", NULL},
    {"cost.lost_gpu_hours", "Lost", "GPU-hours that were not productive", "GPU-hours x (1 - goodput)", NULL},
    {"cost.usd_total", "Cost", "GPU-hours at their price, and energy where it is paid beside", "GPU-hours x price of one + energy", NULL},
    {"cost.usd_lost", "Lost", "price of the GPU-hours that were not productive", "lost GPU-hours x price of one", NULL},
    {"recoveries.*.ettr_fraction", "Policies on the same failures", "ETTR with this policy, on the same failures (orrery explain campaign.ettr_fraction)", NULL, KOKOLIS},
    {"recoveries.*.ettr_low_fraction", "Policies on the same failures", "lower end of its 90 % confidence interval", NULL, NULL},
    {"recoveries.*.ettr_high_fraction", "Policies on the same failures", "upper end of its 90 % confidence interval", NULL, NULL},
    {"recoveries.*.goodput_fraction", "Policies on the same failures", "goodput with this policy", NULL, NULL},
    {"recoveries.*.lost_gpu_hours", "Policies on the same failures", "GPU-hours that were not productive, with this policy", NULL, NULL},
    {"recoveries.*.usd_lost", "Policies on the same failures", "their price", NULL, NULL},
};
/* clang-format on */

const ScenExplainedTable scen_explain_campaign = {
    .of = "orrery run of a scenario with campaign:",
    .rows = rows,
    .count = G_N_ELEMENTS(rows),
};
