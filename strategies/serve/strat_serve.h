/** Serves requests on a deployment: who waited how long, and what every GPU-second went to. */
#ifndef STRAT_SERVE_H
#define STRAT_SERVE_H

#include "strat_autoscale.h"
#include "strat_batch.h"
#include "strat_deployment.h"
#include "strat_digest.h"
#include "strat_failures.h"
#include "strat_moves.h"
#include "strat_request.h"

struct StratServeResult;
struct StratLane;

/** Who looks at a run under way. */
typedef struct StratServeWatch {
    void *ctx;
    /** Asked after each request that finishes, with the counts until then: true ends the run, whose
     *  other requests are then unfinished. NULL: it does not end. */
    bool (*stops)(void *ctx, const struct StratServeResult *so_far);
    /** Told when @lane has begun iterations, at @lane->now, and when they are over, at @lane->end,
     *  before their sequences move on. Those that a failure breaks off never end. NULL: nobody asks.
     */
    void (*begins)(void *ctx, const struct StratLane *lane);
    void (*ends)(void *ctx, const struct StratLane *lane);
} StratServeWatch;

/** Which requests are turned away, and when clients give up; 0: never. */
typedef struct StratAdmission {
    int64_t max_queue; /* requests that may wait at the replica that is chosen */
    double max_ttft_s; /* predicted by the router's estimate for that replica */
    double timeout_s;  /* a client whose request has waited so long without an iteration leaves */
} StratAdmission;

/** What a run needs; all is borrowed, and the source is consumed. */
typedef struct StratServeSpec {
    const StratDeployment *deployment;
    const StratPricer *pricer[2]; /* of the pools */
    int64_t blocks[2];            /* of KV on one replica of each pool */
    double kv_bytes_per_token;    /* of one sequence, in all the GPUs of a replica together */
    /* How caches move: over the fabric, or where there is none one after another over a link of
     * each replica at this rate and latency. */
    const StratMoveFabric *fabric;
    double transfer_bytes_per_s;
    double transfer_latency_s;
    double transfer_layers; /* above 1: caches move layer by layer, of so many, as they are computed
                               (fabric only) */
    double host_bytes_per_s; /* of one GPU to or from host memory; 0: none of that */
    StratSource *source;
    bool exact;               /* every iteration on its own, no closed forms */
    bool keep_requests;       /* fill StratServeResult.outcomes */
    double sample_s;          /* spacing of the samples; 0: none */
    int64_t warm_up_requests; /* the first so many are left out of the latencies */
    uint64_t seed;
    StratAutoscale autoscale; /* of a deployment with one pool */
    StratAdmission admission;
    StratFailures failures;       /* of a deployment whose replicas do not come and go */
    const StratServeWatch *watch; /* NULL: it runs to its end */
} StratServeSpec;

/** What became of one request. Times of things that did not happen are -1. */
typedef struct StratOutcome {
    int64_t id;
    int64_t input_tokens;
    int64_t output_tokens; /* of the longest sample */
    int64_t cached_tokens; /* of the first sample */
    SimTime arrival_ns, scheduled_ns, first_token_ns, last_token_ns;
    int32_t replica; /* that finished it */
    int32_t preemptions;
} StratOutcome;

/** State of all replicas at one instant; rates are over the time since the sample before. */
typedef struct StratServeSample {
    double at_s;
    double running, waiting;
    double kv_fraction; /* of the blocks, in use */
    double prompt_tokens_per_s, output_tokens_per_s;
} StratServeSample;

typedef struct StratServeResult {
    int64_t requests; /* that arrived: the five below sum to them */
    int64_t finished;
    int64_t refused;                     /* longer than the engine takes, or than its cache, or: */
    int64_t refused_queue, refused_ttft; /* of those, by admission, for the one or the other */
    int64_t gave_up;                     /* their clients had waited too long */
    int64_t failed;                      /* ended in an error: their replica died */
    int64_t unfinished;                  /* the scheduler could not go on with them: see stuck */
    const char *stuck;                   /* why, NULL: none is */
    SimTime end_ns;                      /* last token */
    int64_t gpus;
    int64_t input_tokens;    /* of finished requests */
    int64_t cached_tokens;   /* of those, found in the prefix cache */
    int64_t loaded_tokens;   /* of prompts, that came from tiers behind the GPU */
    int64_t answers;         /* of those requests: samples and beams count one by one */
    int64_t output_tokens;   /* of all answers */
    int64_t computed_tokens; /* by iterations: recomputation after preemption counted */
    int64_t preemptions;
    int64_t iterations;
    int64_t
        lost_blocks; /* held by nobody at the end and yet not free: 0, or the program is wrong */
    /* Over finished requests after the warm-up; ITL over their tokens. */
    StratDigest *ttft_s;  /* arrival to first token */
    StratDigest *tpot_s;  /* (last - first token) / (output - 1), of requests with two and more */
    StratDigest *itl_s;   /* gaps between tokens, or between the iterations that gave some where
                             one gives several; from the first token of a measured request on */
    StratDigest *e2e_s;   /* arrival to last token */
    StratDigest *queue_s; /* arrival to the first iteration */
    int64_t measured;     /* requests in these */
    int64_t asked;        /* after the warm-up, that arrived: those not measured got no answer */
    int64_t within_slo;   /* of those, that meet every objective */
    int64_t missed[3];    /* that miss the objective of TTFT, of TPOT, of the end to end time */
    int64_t within_slo_tokens;        /* their output */
    double busy_s[STRAT_SERVE_PARTS]; /* GPU-seconds by part */
    double prompt_s;   /* of those, of prompts: what they add to the decodes of their iterations */
    double idle_s;     /* GPU-seconds without an iteration; with busy_s, starting_s and what
                          failures took: up_s */
    double starting_s; /* GPU-seconds of replicas that start */
    double up_s;       /* GPU-seconds that are paid: gpus x end, unless replicas come and go */
    int64_t scale_ups, scale_downs, peak_replicas; /* of autoscaling, else 0 */
    double peak_kv_fraction;
    double wasted_kv_fraction;   /* of the reserved block-seconds, that held no token */
    double shared_kv_fraction;   /* of the block-seconds without sharing, that it saved */
    double waiting_growth_per_s; /* slope of the queue's length over the second half of the
                                    arrivals: above 0 for good, the queue is not stable */
    StratFailureSums failures;
    GArray *outcomes;    /* of StratOutcome by id, NULL unless asked for */
    GArray *samples;     /* of StratServeSample */
    StratDigest *move_s; /* from the end of a prompt to its cache's arrival elsewhere */
    GArray *hot_links;   /* of TopoHotLink: those that held caches back the longest, worst first;
                            NULL: no fabric carried them */
} StratServeResult;

/** Runs until every request has finished or none can. NULL and @error: an unknown scheduler or
 *  router, a source that broke off. Free with strat_serve_result_free(). */
StratServeResult *strat_serve_run(const StratServeSpec *spec, GError **error);

/** Share of the requests after the warm-up that met every objective; those without an answer did
 *  not. 0 when there are none. */
double strat_serve_attainment(const StratServeResult *result);

void strat_serve_result_free(StratServeResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratServeResult, strat_serve_result_free)

#endif
