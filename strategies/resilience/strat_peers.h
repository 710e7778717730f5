/** State that GPUs get from, and keep for, each other. @memory is of StratMemory, by stage. False
 *  and @error as strat_train_simulate(). */
#ifndef STRAT_PEERS_H
#define STRAT_PEERS_H

#include "strat_sends.h"
#include "strat_state.h"

/** How a data group hands round what its ranks hold alike. */
typedef enum StratHanding {
    STRAT_HANDING_BROADCAST, /* the first one has it */
    STRAT_HANDING_GATHER,    /* each has an equal part */
} StratHanding;

/** Copies of every node's part of the state, by @share, in the memory of peers: @copies, at most
 *  the nodes, the node's own counted. Borrowed. */
typedef struct StratPeerCopies {
    const GArray *memory;
    StratShare share;
    int64_t copies;
} StratPeerCopies;

/** Seconds in which all data groups at once hand their ranks what these hold alike. */
bool strat_peers_hand_round(const StratCosting *costing, const GArray *memory, StratHanding handing,
                            double *seconds, GError **error);

/** The node that keeps copy @copy (from 1 on) of @node's state, among @nodes, when there are
 *  @copies, at most @nodes. */
int64_t strat_peers_node(int64_t nodes, int64_t copies, int64_t node, int64_t copy);

/** Seconds in which every node sends its part to the nodes that keep its copies. */
bool strat_peers_copy(const StratCosting *costing, const StratPeerCopies *of, double *seconds,
                      GError **error);

/** The same beside a step. */
bool strat_peers_copy_beside(const StratCosting *costing, const StratPeerCopies *of,
                             StratBeside *out, GError **error);

/** Seconds in which a replacement of the node with the most state gets all of that, not just the
 *  part by @share, from the node that keeps its first copy. */
bool strat_peers_load_node(const StratCosting *costing, const StratPeerCopies *of, double *seconds,
                           GError **error);

/** Seconds in which the ranks of a replica get their state from those of another one; 0 where there
 *  is none. */
bool strat_peers_load_replica(const StratCosting *costing, const GArray *memory, double *seconds,
                              GError **error);

/** Seconds of @step in which the class of ranks that has most to transfer is at it. */
double strat_peers_busy_s(const StratTrainResult *step);

#endif
