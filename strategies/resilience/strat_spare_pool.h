/** Nodes that stand by, nodes in repair, and nodes that do not come back. */
#ifndef STRAT_SPARE_POOL_H
#define STRAT_SPARE_POOL_H

#include "sim_time.h"
#include "strat_campaign.h"

/** The pool of one history. */
typedef struct StratSparePool {
    const StratCampaign *campaign; /* borrowed */
    int64_t spares;                /* that stand by */
    GArray *repairs;               /* of SimTime: nodes that come back, soonest first; owned */
    GHashTable *strikes;           /* failures by node; only looked up; owned */
} StratSparePool;

StratSparePool strat_spare_pool_new(const StratCampaign *campaign);
void strat_spare_pool_clear(StratSparePool *pool);

/** Whether @nodes are there at once. */
bool strat_spare_pool_has(const StratSparePool *pool, int64_t nodes);

/** Takes @nodes that @fault hit at @now out for repair; returns how long the job waits for as many
 *  others: those that stand by, else the first that come back. */
SimTime strat_spare_pool_replace(StratSparePool *pool, const StratFault *fault, SimTime now,
                                 int64_t nodes);

/** Counts @fault against its node. True when that node is gone for good and the sound one in its
 *  place does not have this fault. */
bool strat_spare_pool_is_quarantined(StratSparePool *pool, const StratFault *fault);

#endif
