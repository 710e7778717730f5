/** Campaigns: months of one job under failures, many times over. */
#ifndef STRAT_CAMPAIGN_H
#define STRAT_CAMPAIGN_H

#include "sim_farm.h"
#include "strat_detect.h"
#include "strat_failover.h"
#include "strat_fault.h"
#include "strat_incident.h"
#include "strat_job_state.h"
#include "strat_progress.h"
#include "strat_recovery.h"
#include "strat_replicate.h"
#include "strat_step_memo.h"
#include "strat_straggler.h"

/** How the time between checkpoints is chosen. */
typedef enum StratEvery {
    STRAT_EVERY_FIXED,
    STRAT_EVERY_YOUNG,
    STRAT_EVERY_DALY,
    STRAT_EVERY_OPTIMISED, /* by simulation */
    STRAT_EVERY_COUNT
} StratEvery;

typedef struct StratCampaignCheckpoint {
    StratEvery every;
    double interval_s;        /* of training, of FIXED; rounded to whole steps */
    double block_s;           /* in which training stands still */
    double save_s;            /* until it is safe; block_s or more */
    double memory_interval_s; /* between copies in memory of peers; 0: every step */
    double local_interval_s;  /* between copies on the nodes' disks; 0: none */
    double memory_block_s;    /* in which training stands still for one of these */
    int64_t copies;           /* in memory of peers, the node's own counted */
    int64_t keep;             /* in storage, the last ones; 0: all */
} StratCampaignCheckpoint;

typedef struct StratCampaignRecovery {
    const StratRecovery *policy;
    StratSpread stop_detection, hang_detection;
    StratSpread restart;      /* processes and communicators */
    StratSpread warm_restart; /* the same with spares that stand by */
    double load_s, peer_load_s, local_load_s;
    bool is_safe;                  /* nothing fails while the job recovers */
    const StratFailover *failover; /* of links that are gone; NULL: none */
    double failover_stall_s;       /* until traffic has found its other way */
    double flap_s;                 /* a link may be away so long before communicators give up */
    int64_t replicas, most_lost;   /* of data parallelism */
    double rejoin_s;               /* all stand still while members of the job leave or come back */
    double migrate_s;              /* or while a standby takes over */
    int64_t stages;                /* of pipelines; 0: as 1 */
    const StratStraggler *straggler; /* what is done about slow parts; NULL: nothing */
    double rebalance_s, swap_s;      /* all stand still for these */
} StratCampaignRecovery;

typedef struct StratCampaignSpares {
    int64_t nodes; /* that stand by; < 0: there is always one, after @allocation */
    StratSpread allocation;
    StratSpread repair; /* until a node that was taken away stands by */
    StratSpread check;  /* the same of one that was taken away for nothing */
    int64_t quarantine; /* failures after which a node does not come back; 0: it always does */
} StratCampaignSpares;

/** The fleet's speed over the day: between 1 and 1 - @fraction, a cosine. */
typedef struct StratCampaignSwing {
    double fraction; /* 0: none */
    double period_s, fastest_s;
} StratCampaignSwing;

/** A campaign. Everything is borrowed. */
typedef struct StratCampaign {
    StratFaultModel faults;
    int64_t nics_per_node; /* of the job's nodes */
    double duration_s;
    int64_t replications;
    const SimFarm *farm; /* of replications; NULL: threads, one a processor */
    StratStepFunc *step; /* NULL: that of @memo */
    void *step_ctx;
    StratStepMemo *memo; /* whose counts the result has; NULL: none */
    /* Seconds of a step with all GPUs at this fraction of their clock; NULL: in inverse proportion.
     */
    double (*capped)(double clock_fraction, void *ctx);
    void *capped_ctx;
    StratCampaignCheckpoint checkpoint;
    StratDetection detection;
    StratCampaignRecovery recovery;
    StratCampaignSpares spares;
    StratCampaignSwing swing;
} StratCampaign;

typedef struct StratCampaignResult {
    int64_t replications, gpus, spare_gpus;
    double duration_s, step_s, interval_s;
    StratEstimate interruptions; /* stops of the job, planned ones counted */
    StratEstimate unplanned;
    StratEstimate mttf_s;  /* running time over unplanned stops that hit a running job */
    StratEstimate ettr;    /* productive time over all time */
    StratEstimate uptime;  /* time in which steps run or are saved, over all time */
    StratEstimate goodput; /* productive GPU time over that of GPUs and spares */
    StratEstimate lost[STRAT_LOST_COUNT]; /* share of the job's time */
    double mean_gpu_s[STRAT_LOST_COUNT];  /* they and spare_gpu_s sum to all GPUs x duration */
    double spare_gpu_s;
    double noticed;     /* slow faults that the step monitor told of, on average */
    double *class_mean; /* interruptions by class of fault; owned */
    double *each_ettr;  /* of each replication; owned, like the next */
    double *each_unplanned;
    StratStepCounts steps; /* of the memo, until the end of the campaign */
    GArray *incidents;     /* of StratIncident: of the first replication; owned */
} StratCampaignResult;

/** What is left of a NIC's bandwidth when its link is gone; 0: the job stops. */
double strat_campaign_link_left(const StratCampaign *campaign);

/** Runs @campaign. Never fails: its numbers are checked by whoever wrote them. Free with
 *  strat_campaign_result_free(). */
StratCampaignResult *strat_campaign_run(const StratCampaign *campaign);
void strat_campaign_result_free(StratCampaignResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratCampaignResult, strat_campaign_result_free)

/** Name of a bucket as JSON has it, and as text has it. */
const char *strat_lost_key(StratLost lost);
const char *strat_lost_name(StratLost lost);

#endif
