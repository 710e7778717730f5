/** Transfers of state over the compute network: a program of these alone, or beside a step. */
#ifndef STRAT_SENDS_H
#define STRAT_SENDS_H

#include "strat_layout.h"
#include "strat_train.h"

/** A program that is being filled. Ranks are those of @costing, or the cluster's GPUs by number. */
typedef struct StratSends {
    StratCosting costing; /* its gpu_of_rank is owned where it was made for the sends */
    int64_t *gpu_of_rank;
    int64_t first_gpu; /* GPU 0 among the ranks */
    StratTrainResult *result;
} StratSends;

/** Every GPU of nodes @first to @end - 1 sends its @bytes to its like in other nodes. Borrowed. */
typedef struct StratExchange {
    const double *bytes; /* by number of the GPU */
    int64_t nodes;       /* of the job */
    int64_t first, end;
    int64_t way_of; /* @partner's: how many copies, or servers */
    /* The node that @node, of @nodes, sends to in @round. */
    int64_t (*partner)(int64_t nodes, int64_t way_of, int64_t node, int64_t round);
    int64_t rounds; /* one after another, counted from 1 */
    bool back;      /* the partner is the one that sends */
    double paced_s; /* above 0: evenly over so many seconds */
} StratExchange;

/** When a step and sends that began with it are over. */
typedef struct StratBeside {
    double step_s, sends_s;
} StratBeside;

/** An empty program for the ranks of @costing (borrowed); filled, it goes to strat_sends_run(). */
StratSends strat_sends_of_ranks(const StratCosting *costing);

/** Adds the groups of a transfer to come. */
void strat_sends_group(StratSends *sends, StratGroup group);

/** A lane: its transfers follow each other. */
uint32_t strat_sends_lane(StratSends *sends);

/** The groups that were added since the last transfer run @transfer (with op, bytes and paced_s) at
 *  once, after what @lane has; nothing when there are none. */
void strat_sends_transfer(StratSends *sends, uint32_t lane, TopoTransfer transfer);

/** Runs @sends and frees what they own. False and @error as strat_train_simulate(). */
bool strat_sends_run(StratSends *sends, double *seconds, GError **error);

/** Seconds of @exchange alone. */
bool strat_sends_exchange(const StratCosting *costing, const StratExchange *exchange,
                          double *seconds, GError **error);

/** A step of @costing's plan with @exchange beside it. They meet on networks that share links. */
bool strat_sends_beside(const StratCosting *costing, const StratExchange *exchange,
                        StratBeside *out, GError **error);

#endif
