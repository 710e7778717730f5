/** What a job does about a part that is slow and goes on. */
#ifndef STRAT_STRAGGLER_H
#define STRAT_STRAGGLER_H

#include <glib.h>
#include <stdbool.h>

/** From what costs nothing to what costs most. */
typedef enum StratStragglerAction {
    STRAT_STRAGGLER_IGNORE,
    STRAT_STRAGGLER_REBALANCE, /* its replica is dealt fewer microbatches */
    STRAT_STRAGGLER_SWAP,      /* a slow link carries pipeline traffic instead of gradients */
    STRAT_STRAGGLER_EVICT,     /* a checkpoint, and a restart without it */
    STRAT_STRAGGLER_ACTIONS
} StratStragglerAction;

/** An action against one straggler. */
typedef struct StratStragglerLevel {
    double speed;  /* of the job under it, over that of a healthy one */
    double cost_s; /* in which all stand still */
} StratStragglerLevel;

/** A policy: one row. */
typedef struct StratStraggler {
    const char *name;
    const char *source;
    StratStragglerAction action; /* that is taken at once */
    bool escalates;              /* takes one after the other instead, when each has paid off */
} StratStraggler;

/** All rows. */
const StratStraggler *strat_straggler_all(size_t *count);

/** The row called @name (NULL: the first); NULL and @error (STRAT_ERROR_UNKNOWN_NAME). */
const StratStraggler *strat_straggler_by_name(const char *name, GError **error);

/** The action that @policy takes next after @now of @levels (one an action), when @lost_s of work
 * has been lost to this straggler so far, and in how many seconds of running into @after_s. IGNORE:
 * none any more. */
StratStragglerAction strat_straggler_next(const StratStraggler *policy,
                                          const StratStragglerLevel *levels,
                                          StratStragglerAction now, double lost_s, double *after_s);

#endif
