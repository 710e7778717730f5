/** Lower bounds for deployments: what no schedule can serve faster, from a few prices. */
#ifndef STRAT_SEARCH_SERVE_H
#define STRAT_SEARCH_SERVE_H

#include "strat_request.h"
#include "strat_serve.h"

/** Tokens that iterations must compute, and when the last request of a set comes. */
typedef struct StratWork {
    double prompts, decodes, both; /* each the least of any such set: both may be above their sum */
    double until_s;
} StratWork;

/** What traffic asks, whoever serves it. */
typedef struct StratDemand {
    int64_t requests, asked; /* all, and those after the warm-up */
    int64_t output_tokens;
    int64_t longest;        /* prompt and output */
    int64_t longest_output; /* of one request */
    StratWork all;          /* of all requests */
    StratWork least;        /* of any set of requests that is the share that must be served well */
    bool waits;             /* arrivals depend on answers: nothing above is known */
} StratDemand;

/** Reads @source to its end. @share of the requests after the first @warm_up must be served well.
 *  @has_prefixes: prompts may be found in a cache, of each only a token is sure to be computed.
 *  @waits: arrivals depend on answers (turns of conversations are found out). False and @error: the
 *  source broke off. */
bool strat_demand_read(StratDemand *demand, StratSource *source, double share, int64_t warm_up,
                       bool has_prefixes, bool waits, GError **error);

/** Seconds after the start within which the share must be served for @deployment's objectives to be
 *  met; infinite when they say nothing of it. */
double strat_demand_time_s(const StratDemand *demand, const StratDeployment *deployment);

/** What one replica cannot be faster than. */
typedef struct StratFloor {
    double token_s; /* replica-seconds of a token, at the best size of an iteration */
    double ttft_s;  /* of a prompt of one token alone */
    double tpot_s;  /* of one short sequence alone */
} StratFloor;

/** The floor of replicas of @pool under @engine, by @pricer. */
StratFloor strat_floor(const StratEngine *engine, const StratPool *pool, const StratPricer *pricer);

/** Least seconds that the pools of @deployment take for @work when nobody ever waits for a
 *  request; @floor is of each pool. */
double strat_floor_work_s(const StratFloor *floor, const StratDeployment *deployment,
                          const StratWork *work);

#endif
