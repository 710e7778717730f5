/** Running an execution trace again, on a cluster of one's choice. */
#ifndef STRAT_ET_REPLAY_H
#define STRAT_ET_REPLAY_H

#include "sim_exec.h"
#include "strat_cost.h"
#include "strat_et.h"

/** What computation takes. */
typedef enum StratEtCompute {
    STRAT_ET_MEASURED, /* as recorded */
    STRAT_ET_ROOFLINE, /* what num_ops and tensor_size take on the cluster's GPU */
} StratEtCompute;

/** What communication takes. */
typedef enum StratEtCommunication {
    STRAT_ET_SIMULATED,   /* what the network makes of it */
    STRAT_ET_AS_RECORDED, /* the least that a member recorded, where one did */
} StratEtCommunication;

/** How a trace is replayed. */
typedef struct StratEtPlan {
    StratEtCompute compute;
    double speed;              /* of GPU computation; 1: as it is priced */
    TopoDtype precision;       /* ROOFLINE: whose peak counts */
    double peak_flop_per_s;    /* likewise, 0: the GPU's */
    double memory_bytes_per_s; /* likewise, 0: the GPU's */
    double remote_bytes_per_s; /* of memory nodes, 0: a GPU's link to its host */
    StratEtCommunication communication;
    const TopoAlgorithm *algorithm; /* of collectives that it serves; NULL: the library chooses */
} StratEtPlan;

/** Where a rank's time goes. At each instant the first of these that it is in. */
typedef enum StratEtAccount {
    STRAT_ET_ACCOUNT_COMPUTE,
    STRAT_ET_ACCOUNT_COLLECTIVE, /* and so on, by StratEtCollective: the transfer is under way */
    STRAT_ET_ACCOUNT_SEND = STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_COLLECTIVES,
    STRAT_ET_ACCOUNT_MEMORY,
    STRAT_ET_ACCOUNT_WAIT, /* at a rendezvous, for ranks that are not there */
    STRAT_ET_ACCOUNT_HOST, /* the CPU, storage */
    STRAT_ET_ACCOUNT_IDLE, /* nothing: after its last node */
    STRAT_ET_ACCOUNTS
} StratEtAccount;

/** "compute", "exposed all-reduce" and so on. */
const char *strat_et_account_name(StratEtAccount account);

/** One rank's part. */
typedef struct StratEtRankTime {
    int64_t ns[STRAT_ET_ACCOUNTS]; /* they sum to the makespan */
    SimTime end;                   /* of its last node */
    int64_t late_ns;               /* what others waited for it at rendezvous where it came last */
} StratEtRankTime;

/** What a replay came to. */
typedef struct StratEtResult {
    SimTime makespan;
    uint32_t ranks;
    uint64_t nodes;
    uint64_t collectives, sends; /* rendezvous */
    uint64_t unpriced;           /* GPU computation without num_ops, as recorded (ROOFLINE) */
    int64_t total_ns[STRAT_ET_ACCOUNTS];
    StratEtRankTime *rank; /* of each */
    SimProgram *program;
    SimRun *run;
    GArray *hot_links; /* of TopoHotLink, worst first; NULL when the net shares no links */
} StratEtResult;

/** Replays @et, as it was read (its groups are found), on the cluster, places and network of
 *  @costing, whose plan and model are not looked at. NULL and @error on a trace that makes no sense
 *  or whose ranks wait for each other. Free with strat_et_result_free(). */
StratEtResult *strat_et_replay(StratEt *et, const StratEtPlan *plan, const StratCosting *costing,
                               GError **error);

void strat_et_result_free(StratEtResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratEtResult, strat_et_result_free)

#endif
