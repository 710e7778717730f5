/** Many jobs on one cluster: a queue, a scheduler, nodes that fail, and what that leaves of the
 *  cluster's time. */
#ifndef STRAT_QUEUE_H
#define STRAT_QUEUE_H

#include "sim_farm.h"
#include "strat_fault.h"
#include "strat_queue_policy.h"
#include "strat_queue_pool.h"
#include "strat_replicate.h"

enum { STRAT_QUEUE_LEVELS = 8, STRAT_QUEUE_QUANTILES = 3 };

/** Node-nanoseconds: more than 64 bits hold in a year of a large cluster. */
__extension__ typedef __int128 StratNodeTime;

/** A kind of jobs. */
typedef struct StratQueueClass {
    const char *name;
    int64_t nodes;
    double share; /* of the jobs that are drawn, over the sum of all shares */
    StratSpread work;
    double checkpoint_s;   /* of work between two checkpoints, which cost nothing; 0: none */
    int64_t priority;      /* 0 to STRAT_QUEUE_LEVELS - 1, the highest first */
    double fail_fraction;  /* of the jobs fail of themselves, at an even point of their work */
    double crash_fraction; /* of the jobs die in every run, */
    double crash_after_s;  /* after so long, until they may not be requeued */
} StratQueueClass;

/** A job that is given. */
typedef struct StratQueueRecord {
    double at_s;
    uint32_t class_index; /* says what the record does not */
    int64_t nodes;        /* 0: of its class */
    double work_s;        /* below 0: drawn, of its class */
} StratQueueRecord;

/** Everything is borrowed. */
typedef struct StratQueue {
    int64_t nodes, nodes_per_leaf;
    double duration_s;
    int64_t replications;
    const SimFarm *farm; /* of replications; NULL: threads, one a processor */
    uint64_t seed;
    const StratQueuePolicy *policy;
    const StratQueuePlacement *placement;
    const StratQueueClass *classes;
    size_t class_count;
    double per_day; /* jobs that are drawn, Poisson */
    const StratQueueRecord *records;
    size_t record_count;        /* by time */
    int64_t depth;              /* jobs that backfill looks at, from the front of the queue */
    double estimate;            /* what the scheduler takes a run for, over its length: 1 or more */
    double preemptible_after_s; /* a run may be preempted once it is so old */
    double lifetime_s;          /* a run that is so old is ended; 0: none is */
    double restart_s;           /* until a run computes, of every run after a job's first */
    double restart_failure;     /* share of those runs that die when they should start to compute */
    double requeue_s;           /* until a job whose run failed is back in the queue */
    int64_t most_requeues;      /* of a job after failures; a further one ends it */
    double shared_leaf;     /* how much longer a run takes that shares a leaf: strat_queue_pool.h */
    const double *beside;   /* the same of a class (row) beside another (column); below 0, or NULL:
                               shared_leaf */
    StratFaultModel faults; /* count 0 and no records: nothing fails */
    StratSpread repair;     /* of a node that a fault takes away */
} StratQueue;

/** How a run ends. */
typedef enum StratQueueEnd {
    STRAT_QUEUE_COMPLETED,
    STRAT_QUEUE_FAILED,    /* of itself, and for good */
    STRAT_QUEUE_PREEMPTED, /* and back in the queue */
    STRAT_QUEUE_REQUEUED,  /* after a failure, its own or a node's: back in the queue */
    STRAT_QUEUE_TIMEOUT,   /* of the lifetime of a run, for good */
    STRAT_QUEUE_NODE_FAIL, /* of a node, for good */
    STRAT_QUEUE_ENDS
} StratQueueEnd;

/** Where the nodes' time goes. Work is lost that no checkpoint kept when its run ended. */
typedef enum StratQueueSpent {
    STRAT_QUEUE_PRODUCTIVE,
    STRAT_QUEUE_SLOWED,         /* by jobs on the same leaves */
    STRAT_QUEUE_RESTART,        /* until runs computed */
    STRAT_QUEUE_LOST_NODE,      /* work lost by failures of nodes */
    STRAT_QUEUE_LOST_OWN,       /* by failures of the jobs themselves */
    STRAT_QUEUE_LOST_TIMEOUT,   /* by the lifetime */
    STRAT_QUEUE_LOST_PREEMPTED, /* by preemption, */
    STRAT_QUEUE_LOST_SECONDARY, /* of that for a job that came back after a failure */
    STRAT_QUEUE_REPAIR,         /* nodes that are away */
    STRAT_QUEUE_IDLE,
    STRAT_QUEUE_SPENT_COUNT
} StratQueueSpent;

/** Key of a bucket or an end in JSON, and a bucket's name as text has it. */
const char *strat_queue_spent_key(StratQueueSpent spent);
const char *strat_queue_spent_name(StratQueueSpent spent);
const char *strat_queue_end_key(StratQueueEnd end);

/** A job that has left, or (end STRAT_QUEUE_ENDS) is still there when all ends. Times in ns. */
typedef struct StratQueueJobRow {
    int64_t number; /* by arrival, from 0 */
    uint32_t class_index;
    int64_t nodes;
    SimTime arrival, first_start, left; /* -1: never */
    SimTime queued, ran, work;          /* time in the queue, in runs, and what it had to do */
    SimTime done;                       /* of the work, and kept */
    int64_t runs, preemptions, requeues;
    StratQueueEnd end;
} StratQueueJobRow;

/** Called for each job of replication 0 as it leaves, in that order. */
typedef void StratQueueSink(const StratQueueJobRow *row, void *ctx);

/** Of one class. */
typedef struct StratQueueClassResult {
    double jobs, completed, runs, preemptions, requeues; /* means over replications */
    double caused, caused_nodes; /* secondary preemptions for its jobs, likewise, and their nodes */
    double wait_s;               /* until the first run, mean of the jobs that started */
    double ettr;                 /* work kept over time since arrival, of jobs that left */
} StratQueueClassResult;

typedef struct StratQueueResult {
    int64_t replications;
    double duration_s;
    double arrived, waiting, running; /* jobs; the latter two when all ends */
    double runs[STRAT_QUEUE_ENDS];    /* runs that ended so, on average */
    double secondary;       /* preemptions for jobs that came back after failures, on average */
    double preempted_nodes; /* nodes times preemptions, on average */
    StratEstimate spent[STRAT_QUEUE_SPENT_COUNT]; /* share of nodes x time; they sum to 1 */
    StratEstimate utilisation;                    /* nodes with a job, over all nodes */
    StratEstimate secondary_share; /* of the work that failures cost, see the essay */
    StratEstimate wait_mean_s, wait_s[STRAT_QUEUE_QUANTILES];     /* until the first run */
    StratEstimate slowdown_mean, slowdown[STRAT_QUEUE_QUANTILES]; /* bounded, of completed jobs */
    StratEstimate ettr;      /* over all jobs that left, weighted by nodes */
    StratEstimate scattered; /* share of starts of several nodes on more leaves than it takes */
    StratEstimate leaves;    /* of those starts, over the fewest that it takes */
    StratQueueClassResult *classes; /* owned */
    double *beside;                 /* as the queue's, or NULL; owned */
    size_t class_count;
} StratQueueResult;

/** The quantiles of wait_s and slowdown. */
extern const double strat_queue_quantiles[STRAT_QUEUE_QUANTILES];

/** Runs @queue. @sink may be NULL. Never fails: its numbers are checked by whoever wrote them, and
 *  every job fits the nodes. Free with strat_queue_result_free(). */
StratQueueResult *strat_queue_run(const StratQueue *queue, StratQueueSink *sink, void *ctx);
void strat_queue_result_free(StratQueueResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratQueueResult, strat_queue_result_free)

#endif
