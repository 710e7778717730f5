/** Storage servers that stand on the compute network, as nodes after those of the job. */
#ifndef STRAT_SERVERS_H
#define STRAT_SERVERS_H

#include "strat_sends.h"
#include "strat_state.h"

/** State, as much of it as ranks move by @share, that goes to @servers nodes, or comes from them.
 *  @memory is of StratMemory, by stage. Borrowed. */
typedef struct StratServed {
    const GArray *memory;
    StratShare share;
    int64_t servers;
    bool reads;
} StratServed;

/** Seconds of that over the network of @costing, its servers added, however fast these are. False
 *  and @error when a fabric has no place for them, and as strat_train_simulate(). */
bool strat_servers_run(const StratCosting *costing, const StratServed *served, double *seconds,
                       GError **error);

/** The same, evenly over @paced_s or longer, beside a step. */
bool strat_servers_beside(const StratCosting *costing, const StratServed *served, double paced_s,
                          StratBeside *out, GError **error);

#endif
