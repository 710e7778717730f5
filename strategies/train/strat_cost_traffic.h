/** Bytes that a block's tensor and context groups move while it runs. */
#ifndef STRAT_COST_TRAFFIC_H
#define STRAT_COST_TRAFFIC_H

#include "strat_cost.h"
#include "strat_schedule.h"

/** Both as what an all-gather of so many bytes over the group moves; of context ranks that exchange
 *  heads, an all-to-all. */
typedef struct StratTraffic {
    double tensor_bytes;
    double context_bytes;
    double expert_bytes; /* of an all-to-all */
} StratTraffic;

/** The traffic that the price of a task of @kind on @chunk contains. Nothing where stage times
 * are measured. */
StratTraffic strat_cost_traffic(const StratCosting *costing, const StratModelChunk *chunk,
                                StratTaskKind kind);

#endif
