/** One replica of an engine: its queue, its cache, its running batches, its clock. */
#ifndef STRAT_REPLICA_H
#define STRAT_REPLICA_H

#include "strat_batch.h"
#include "strat_decodes.h"
#include "strat_engine.h"
#include "strat_fine.h"
#include "strat_kv.h"
#include "strat_sequence.h"

typedef struct StratReplica StratReplica;
typedef struct StratLane StratLane;

/** A batch that goes round: with S pipeline stages S lanes share queue and cache. */
struct StratLane {
    StratReplica *replica;
    StratSequenceList running; /* in order of admission: prompts under way and decodes */
    StratDecodes decodes;      /* the sums over those that decode */
    StratFine now;             /* of the decision */
    /* What has been decided for the iteration. */
    GArray *chunk;    /* of StratChunk */
    GArray *chunk_of; /* of StratSequence *, whose each is */
    bool decoding;    /* the decodes run */
    bool preempted;   /* somebody had to go */
    double note[4];   /* the scheduler's own, 0 at the start */
};

struct StratReplica {
    const StratEngine *engine;
    int64_t max_sequences; /* the engine's, times the ranks of attention DP */
    int64_t max_tokens;
    int64_t watermark; /* blocks that admission leaves free */
    StratKv *kv;
    StratSequenceList waiting; /* in order of service */
    int64_t running;           /* sequences of all lanes */
};

/** Blocks that a run of decodes in the next iteration needs beyond what it has. */
int64_t strat_lane_growth(const StratLane *lane);

/** Lets the decodes run in this iteration and takes the blocks for it. False when they do not fit:
 *  nothing is taken then, preempt somebody. Call it before chunks and admissions where decodes have
 *  the first claim; true at once when there are none. */
bool strat_lane_decode(StratLane *lane);

/** Computes @tokens more of the prompt of @sequence, which runs, at least 1 and at most what is
 * left. False, and nothing done, when the cache has no room for them. */
bool strat_lane_chunk(StratLane *lane, StratSequence *sequence, int64_t tokens);

/** Tokens at the start of the prompt of @waiting that the cache holds: whole pages, and never all
 *  of the prompt. 0 without a prefix cache. */
int64_t strat_replica_hit(const StratReplica *replica, const StratSequence *waiting);

/** Blocks that @waiting has to find free in order to hold @tokens in the cache: prefix pages in use
 *  cost nothing, idle ones leave the list of the free. */
int64_t strat_replica_price(const StratReplica *replica, const StratSequence *waiting,
                            int64_t tokens);

/** Blocks that are free or hold nothing but unused prefixes. */
int64_t strat_replica_free(const StratReplica *replica);

/** Moves @waiting from the queue into the running list, with the prefix that the cache holds, and
 *  reserves blocks for @reserve_tokens for as long as it runs (0: blocks come as tokens do). False,
 *  and nothing done, when the blocks are not there. One whose prompt came from a prefill replica is
 *  a decode at once, its iteration included when the decodes run. Others need a chunk. */
bool strat_lane_admit(StratLane *lane, StratSequence *waiting, int64_t reserve_tokens);

/** Frees the cache of @sequence, which runs in @lane, and puts it back at the head of the queue (by
 *  priority: at its place), to be computed again. Not one that has a chunk in this iteration. */
void strat_lane_preempt(StratLane *lane, StratSequence *sequence);

/** Who goes when blocks run short: the last of the running, or by priority the least urgent and
 *  youngest. NULL when nobody runs. */
StratSequence *strat_lane_victim(const StratLane *lane);

#endif
