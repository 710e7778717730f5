/* Figures of many jobs in a queue. */
#include "scen_explain.h"

#define LEDGER "shares of nodes x time; they sum to 1"
#define KOKOLIS "Kokolis et al., HPCA 2025 (arXiv 2410.21680), section 2"
#define SLOWDOWN "Feitelson and Rudolph, JSSPP 1998: bounded slowdown"

/* clang-format off */
static const ScenExplained rows[] = {
    {"queue.nodes", NULL, "nodes of the cluster", NULL, NULL},
    {"queue.duration_s", NULL, "time that is simulated", NULL, NULL},
    {"queue.replications", NULL, "histories that were simulated", NULL, NULL},
    {"queue.arrived", NULL, "jobs that arrived, mean over histories", NULL, NULL},
    {"queue.waiting", NULL, "jobs that wait when all ends", NULL, NULL},
    {"queue.running", NULL, "jobs that run when all ends", NULL, NULL},
    {"queue.utilisation", "Utilisation", "nodes with a job over all nodes", "node-seconds with a job / (nodes x time)", NULL},
    {"queue.goodput", "Goodput", "share of nodes x time that is productive", NULL, NULL},
    {"queue.ettr", "ETTR", "work kept over the time since arrival, over all jobs that left, weighted by nodes", NULL, KOKOLIS},
    {"queue.wait_s", "Wait", "from the arrival of a job to its first run", NULL, NULL},
    {"queue.slowdown", "Slowdown", "time in the system over the work of the job, of completed jobs; short jobs count as 10 s", "(wait + run) / max(work, 10 s), at least 1", SLOWDOWN},
    {"queue.scattered_starts", "Fragments", "share of the starts of jobs of several nodes that are on more leaf switches than it takes", NULL, NULL},
    {"queue.leaves_over_fewest", "Fragments", "leaf switches of those starts over the fewest that it takes", NULL, NULL},
    {"queue.runs.completed", "How runs end", "runs that ended with all work done, mean over histories", NULL, NULL},
    {"queue.runs.failed", "How runs end", "runs whose job failed of itself, for good", NULL, NULL},
    {"queue.runs.preempted", "How runs end", "runs that gave way to another job and went back to the queue", NULL, NULL},
    {"queue.runs.requeued", "How runs end", "runs that went back to the queue after a failure, their own or a node's", NULL, NULL},
    {"queue.runs.timeout", "How runs end", "runs that reached the lifetime, for good", NULL, NULL},
    {"queue.runs.node_fail", "How runs end", "runs whose node failed, for good", NULL, NULL},
    {"queue.secondary_preemptions", NULL, "preemptions for jobs that came back after failures, mean over histories", NULL, KOKOLIS},
    {"queue.preempted_nodes", NULL, "nodes x preemptions, mean over histories", NULL, NULL},
    {"queue.secondary_share", NULL, "of the work that failures cost, what others lost to preemption by jobs that came back", "lost by such preemptions / (that + lost by failures themselves)", KOKOLIS},
    {"queue.published.share_of_runs.*", "Published", "share of the runs that ended so, as the source has it", NULL, NULL},
    {"queue.published.utilisation", "Published", "utilisation as the source has it", NULL, NULL},
    {"queue.published.secondary_share", "Published", "secondary share as the source has it", NULL, NULL},
    {"queue.ledger.productive", "Where the nodes' time goes", "work that was kept", LEDGER, NULL},
    {"queue.ledger.slowed", "Where the nodes' time goes", "by how much jobs on the same leaf switches slow each other down", LEDGER, NULL},
    {"queue.ledger.restart", "Where the nodes' time goes", "starts, until runs compute", LEDGER, NULL},
    {"queue.ledger.lost_node", "Where the nodes' time goes", "work lost by failures of nodes: no checkpoint had it", LEDGER, NULL},
    {"queue.ledger.lost_own", "Where the nodes' time goes", "work lost by failures of the jobs themselves", LEDGER, NULL},
    {"queue.ledger.lost_timeout", "Where the nodes' time goes", "work lost at the end of the lifetime", LEDGER, NULL},
    {"queue.ledger.lost_preempted", "Where the nodes' time goes", "work lost by preemption", LEDGER, NULL},
    {"queue.ledger.lost_secondary", "Where the nodes' time goes", "work lost by preemption for a job that came back after a failure", LEDGER, NULL},
    {"queue.ledger.repair", "Where the nodes' time goes", "nodes that are away", LEDGER, NULL},
    {"queue.ledger.idle", "Where the nodes' time goes", "nodes without a job", LEDGER, NULL},
    {"queue.jobs.*.nodes", "Jobs", "nodes of a job of this kind", NULL, NULL},
    {"queue.jobs.*.jobs", "Jobs", "jobs of this kind that arrived, mean over histories", NULL, NULL},
    {"queue.jobs.*.completed", "Jobs", "of those, completed", NULL, NULL},
    {"queue.jobs.*.runs", "Jobs", "runs of them", NULL, NULL},
    {"queue.jobs.*.preemptions", "Jobs", "times that they gave way", NULL, NULL},
    {"queue.jobs.*.requeues", "Jobs", "times that they went back to the queue after a failure", NULL, NULL},
    {"queue.jobs.*.secondary_preemptions_caused", "Jobs", "preemptions for them when they came back", NULL, KOKOLIS},
    {"queue.jobs.*.secondary_nodes_caused", "Jobs", "nodes of those preemptions", NULL, NULL},
    {"queue.jobs.*.wait_s", "Jobs", "until the first run, mean of the jobs that started", NULL, NULL},
    {"queue.jobs.*.ettr", "Jobs", "work kept over the time since arrival, of jobs that left", NULL, KOKOLIS},
    {"queue.longer_beside_fraction.*", "Longer beside", "by how much a job of the row's kind takes longer beside one of the column's; null where the scenario gives it", NULL, NULL},
    {"cost.usd", "Lost", "GPU-hours of the cluster at their price", "GPU-hours x price of one", NULL},
    {"cost.lost_usd", "Lost", "price of those that were not productive", "GPU-hours x (1 - goodput) x price of one", NULL},
};
/* clang-format on */

const ScenExplainedTable scen_explain_queue = {
    .of = "orrery run of a scenario with queue:",
    .rows = rows,
    .count = G_N_ELEMENTS(rows),
};
