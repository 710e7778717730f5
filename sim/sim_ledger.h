/** Where every GPU-nanosecond of a run went. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "sim_exec.h"

/** Nanoseconds by class and bucket. The buckets of a class sum to the makespan; the totals sum to
 *  GPUs x makespan; both exactly. */
typedef struct SimLedger {
    uint32_t class_count;
    uint16_t bucket_count;
    SimTime makespan;
    int64_t gpus;      /* sum of the classes' multiplicities */
    int64_t *class_ns; /* of one GPU: [rank_class * bucket_count + bucket] */
    int64_t *total_ns; /* of all GPUs: [bucket] */
} SimLedger;

/** Accounts the main streams of @p over [0, makespan) of @run. Owned by the caller; borrows
 *  nothing. Fails (SIM_ERROR_RANGE) when GPUs x makespan is more ns than int64 holds. */
SimLedger *sim_ledger_new(const SimProgram *p, const SimRun *run, GError **error);

/** Frees @ledger; NULL is fine. */
void sim_ledger_free(SimLedger *ledger);

/** What one GPU of @rank_class spent in @bucket. */
int64_t sim_ledger_class_ns(const SimLedger *ledger, uint32_t rank_class, uint16_t bucket);

/** What all GPUs together spent in @bucket. */
int64_t sim_ledger_total_ns(const SimLedger *ledger, uint16_t bucket);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimLedger, sim_ledger_free)

#endif
