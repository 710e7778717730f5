/** Routers: which replica a request goes to. */
#ifndef STRAT_ROUTER_H
#define STRAT_ROUTER_H

#include "strat_replica.h"

/** What a router sees. */
typedef struct StratRouting {
    StratReplica *const *replica; /* equal ones; at least one */
    size_t count;
    size_t turn; /* requests routed so far */
    StratFine now;
    double token_s; /* of a prompt, on a replica that does nothing else */
} StratRouting;

typedef struct StratRouter {
    const char *name;
    const char *source;
    /** Index of the replica for @sequence. Ties go to the lowest. */
    size_t (*choose)(const StratRouting *routing, const StratSequence *sequence);
} StratRouter;

/** Seconds until the first token of @sequence on @replica, as slo-aware estimates it. */
double strat_router_ttft_s(const StratRouting *routing, const StratReplica *replica,
                           const StratSequence *sequence);

const StratRouter *strat_router_all(size_t *count);

/** The row called @name (NULL: the first); NULL and @error (STRAT_ERROR_UNKNOWN_NAME). */
const StratRouter *strat_router_by_name(const char *name, GError **error);

#endif
