/** Parameter servers: what a plan asks of them, and what becomes of it. */
#ifndef STRAT_PUSH_H
#define STRAT_PUSH_H

#include "strat_cost.h"

enum { STRAT_PUSH_UPDATES = 200 }; /* of each worker, where the plan does not say */

/** The workers of one lane (ranks with the same part of the model) and the share of the servers
 *  that is theirs. */
typedef struct StratPush {
    int64_t workers;
    double bytes;              /* that a worker sends over the network, and that come back */
    double worker_bytes_per_s; /* of one worker, each direction */
    double server_bytes_per_s; /* of all servers together, each direction */
    bool shares_ports;         /* servers and workers send through the same NICs */
    bool pipelined;
    double local_s; /* GPUs of a domain sum among themselves, and hand the result round */
} StratPush;

/** @ranks ranks, @per_domain of them to a scale-up domain, with gradients of @bytes each. Pure. */
StratPush strat_push(const StratCosting *costing, int64_t ranks, int64_t per_domain, double bytes);

/** Seconds in which all workers push and then pull, when they do so together. Pure. */
double strat_push_sync_s(const StratPush *served);

/** What workers do between exchanges, and how far they may drift apart. */
typedef struct StratPushRun {
    StratPush served;
    double compute_s;  /* mean of a step */
    double variation;  /* its standard deviation over the mean */
    int64_t staleness; /* steps ahead of the slowest; below 0: any number */
    int64_t updates;   /* of each worker, 10 or more */
    uint64_t seed;
} StratPushRun;

/** Quantiles of the staleness that are told, in percent. */
enum { STRAT_STALENESS_QUANTILES = 5 };
extern const int strat_staleness_percent[STRAT_STALENESS_QUANTILES];

/** What came of it, after the first fifth. Staleness: updates by others between the parameters that
 *  a gradient was computed with and the ones it was added to; 0 where all sum before anybody pulls.
 */
typedef struct StratPushResult {
    int64_t workers;
    double cycle_s;       /* mean time between two updates of a worker */
    double updates_per_s; /* of all workers */
    double transfer_s;    /* of a cycle: pushing and pulling */
    double wait_s;        /* of a cycle: for workers too far behind */
    double staleness_mean;
    int64_t staleness[STRAT_STALENESS_QUANTILES];
    int64_t staleness_most;
    int64_t lead_most; /* steps that a worker began ahead of the slowest */
} StratPushResult;

/** Runs the workers; see strat_push_run.c. */
StratPushResult strat_push_run(const StratPushRun *run);

#endif
