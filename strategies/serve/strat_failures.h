/** What may go wrong with a deployment, and what is done about it. */
#ifndef STRAT_FAILURES_H
#define STRAT_FAILURES_H

#include "strat_digest.h"
#include "strat_fault.h"

#include <glib.h>

/** What becomes of the requests of a replica that has died: one row. */
typedef struct StratServeRecovery {
    const char *name;
    const char *source;
    bool fails;      /* they end in an error */
    bool reroutes;   /* they go to other replicas once it is known; else they wait for it */
    bool restores;   /* with their caches, from copies; else these are computed again */
    bool shrinks;    /* an expert group goes on without the ranks that it lost, if it can */
    bool takes_over; /* it needs a replica that stands by */
} StratServeRecovery;

const StratServeRecovery *strat_serve_recovery_all(size_t *count);

/** The row called @name (NULL: the first); NULL and @error (STRAT_ERROR_UNKNOWN_NAME). */
const StratServeRecovery *strat_serve_recovery_by_name(const char *name, GError **error);

/** How the replicas of one pool fail and come back. */
typedef struct StratPoolFailures {
    StratSpread restart;   /* processes, weights, graphs, warm-up: until a replica serves again */
    int64_t spares;        /* replicas that stand by, ready to serve */
    bool is_across;        /* its collectives pass NICs */
    bool is_tensor_across; /* those of its tensor groups too */
    int64_t ranks;         /* of attention, of a replica, */
    int64_t rank_gpus;     /* with so many GPUs each, */
    int64_t most_lost;     /* of which an expert group can do without so many */
} StratPoolFailures;

/** The failures of a run, of whose requests those with several samples or beams are refused.
 *  Everything is borrowed. */
typedef struct StratFailures {
    const StratServeRecovery *policy; /* NULL: nothing fails */
    StratFaultModel faults;           /* of the GPUs of all replicas, those of pool 0 first */
    StratPoolFailures pool[2];
    StratSpread stop_detection, hang_detection; /* until a dead replica is known to be */
    StratSpread repair;         /* of a node that a fault takes away; before the restart */
    double switch_s;            /* until a spare has taken over, or an expert group is another */
    double restore_bytes_per_s; /* of copies of caches to one replica; and their latency */
    double restore_latency_s;
    double nic_fraction; /* of the bandwidth of a node's NICs that a flap leaves */
    double flap_s;       /* a link may be away so long before the replica hangs */
} StratFailures;

/** One time that a replica was not there, or stood still. Instants that did not come are -1. */
typedef struct StratOutageRecord {
    SimTime at, known, back;
    SimTime due;          /* when it is back, or would have been had the run gone on */
    SimTime stands_until; /* until then all of it is gone, then @gone_fraction */
    int32_t replica;
    uint32_t class_index; /* of the fault */
    int64_t requests;     /* that were there when it began */
    int64_t tokens;       /* that it lost, of their caches */
    double gone_fraction; /* of the replica: below 1 where an expert group goes on without ranks, 0
                             of one that merely stood still */
} StratOutageRecord;

/** What failures did to a run. */
typedef struct StratFailureSums {
    int64_t faults;          /* that hit some replica which was there */
    int64_t hurt;            /* requests that were on a replica that died or stood still */
    int64_t lost_tokens;     /* of caches, that were in replicas which died */
    int64_t restored_tokens; /* of those, that came back from copies; others are computed again */
    double down_s;           /* GPU-seconds of replicas that were dead or started again */
    double cut_s;            /* GPU-seconds of iterations that broke off */
    double availability;     /* of the capacity over the run, time-weighted */
    StratDigest *stall_s;    /* time without a token of requests that had one before; owned */
    GArray *outages;         /* of StratOutageRecord, owned; NULL: nothing could fail */
} StratFailureSums;

/** GPU-seconds, of a replica of one GPU, that @record takes from the capacity until @end; its own
 *  end where that is sooner. */
double strat_outage_gone_s(const StratOutageRecord *record, SimTime end);

#endif
