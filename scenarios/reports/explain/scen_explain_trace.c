/* Figures of an execution trace that is replayed on a fabric. */
#include "scen_explain.h"

#define LEDGER "the accounts sum to ranks x total time; those of 0 are left out"
#define CHAKRA "Sridharan et al. 2023, Chakra (arXiv 2305.14516): the trace's nodes"

/* clang-format off */
static const ScenExplained rows[] = {
    {"execution_trace.ranks", NULL, "ranks of the trace, a file each", NULL, CHAKRA},
    {"execution_trace.nodes", NULL, "nodes of the traces, over all ranks", NULL, CHAKRA},
    {"execution_trace.collectives", NULL, "collectives, each counted once for all that take part", NULL, NULL},
    {"execution_trace.sends", NULL, "sends from rank to rank", NULL, NULL},
    {"execution_trace.total_time_s", "Total time", "from the start until the last node of the last rank has ended", NULL, NULL},
    {"execution_trace.ledger_gpu_s.compute", "compute", "time in which a rank computes", LEDGER, NULL},
    {"execution_trace.ledger_gpu_s.*", "Where the GPUs' time goes", "time of this kind: transfers that nothing hides (exposed), memory, waiting at a rendezvous for ranks that are not there, the host, and nothing to do", LEDGER, NULL},
    {"execution_trace.rank_times.*.rank", NULL, "which rank", NULL, NULL},
    {"execution_trace.rank_times.*.end_s", "Ranks that others wait for", "when its last node ended", NULL, NULL},
    {"execution_trace.rank_times.*.compute_s", "Ranks that others wait for", "time in which it computed", NULL, NULL},
    {"execution_trace.rank_times.*.exposed_s", "Ranks that others wait for", "time in which it did nothing but transfer", NULL, NULL},
    {"execution_trace.rank_times.*.waited_s", "Ranks that others wait for", "time in which it waited at a rendezvous for ranks that were not there", NULL, NULL},
    {"execution_trace.rank_times.*.others_waited_s", "Ranks that others wait for", "time that others waited for it where it came last", NULL, NULL},
    {"execution_trace.hot_links.*", "Links that held transfers back, summed over these", "as links (orrery explain links.*.waited_s)", NULL, NULL},
};
/* clang-format on */

const ScenExplainedTable scen_explain_trace = {
    .of = "orrery run of a scenario with execution_trace:",
    .rows = rows,
    .count = G_N_ELEMENTS(rows),
};
