/** One replica of an engine: its queue, its cache, its running batches, its clock. */
#ifndef STRAT_REPLICA_H
#define STRAT_REPLICA_H

#include "strat_adapters.h"
#include "strat_batch.h"
#include "strat_curve.h"
#include "strat_decodes.h"
#include "strat_engine.h"
#include "strat_fine.h"
#include "strat_kv.h"
#include "strat_kv_tiers.h"
#include "strat_sequence.h"

typedef struct StratReplica StratReplica;
typedef struct StratLane StratLane;

/** Who sampled their last token when, among those that decode. */
typedef struct StratGap {
    StratFine since;
    int64_t count;
    bool stalls; /* they had to wait for a replica that was not there */
} StratGap;

/** A batch that goes round: with S pipeline stages S lanes share queue and cache. */
struct StratLane {
    StratReplica *replica;
    StratSequenceList running; /* in order of admission: prompts under way and decodes */
    int64_t prompts;           /* of those, prompts under way */
    StratDecodes decodes;      /* the sums over those that decode */
    StratFine now;             /* of the decision */
    /* What has been decided for the iteration. */
    GArray *chunk;       /* of StratChunk */
    GPtrArray *chunk_of; /* the StratSequence of each */
    int64_t starts, start_tokens;
    bool decoding;  /* the decodes run */
    bool over;      /* they ran, and what dropped beams leave is not free yet */
    double wait_s;  /* before the iteration: caches to and from the host, adapters */
    double load_s;  /* pages of other tiers come, layer by layer beside the iteration */
    double note[4]; /* the scheduler's own, 0 at the start */
    /* The iterations under way: see strat_lane.h. */
    bool runs, deaf;
    int64_t iterations;
    StratFine end;        /* of the last of them; when nothing runs, when to ask again, or 0 */
    StratStretch stretch; /* of decodes alone; count 0: one iteration, at @price */
    StratDecodeLoad load;
    StratIteration price;
    double prompt_s;          /* of @price, what prompts add to the decodes beside them */
    StratSequenceList padded; /* finished, held in the batch */
    GArray *gap;              /* of StratGap: the first is of the last iteration with decodes */
    size_t place;
};

/** What a replica tells whoever runs it; @ctx is its own. */
typedef struct StratReplicaEvents {
    void *ctx;
    /** @sequence has all its tokens, at @now; it is freed after. */
    void (*finished)(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now);
    /** An iteration from @now on, which takes @takes_s, computes the @last chunk of the prompt of
     *  @sequence, whose decoding happens elsewhere. NULL: nobody wants to know. */
    void (*completes)(void *ctx, StratReplica *replica, StratSequence *sequence,
                      const StratChunk *last, double takes_s, StratFine now);
    /** The prompt of @sequence is done and its decoding happens elsewhere: its cache stays until
     *  strat_replica_forget(). NULL: decoding happens here. */
    void (*leaves)(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now);
} StratReplicaEvents;

struct StratReplica {
    const StratEngine *engine;
    int64_t max_sequences; /* the engine's, times the ranks of attention DP */
    int64_t max_tokens;
    int64_t watermark; /* blocks that admission leaves free */
    StratKv *kv;
    StratSequenceList waiting; /* in order of service */
    StratSequenceList swapped; /* preempted, their cache in host memory */
    int64_t host_blocks;       /* free there */
    double swap_block_s;       /* to move one block to or from it */
    StratAdapters *adapters;   /* NULL: no limit */
    StratKvTiers *tiers;       /* of the prefix cache behind the GPU; NULL: none */
    StratLane *lane;
    size_t lanes;
    int64_t running;        /* rows of all lanes: sequences, of a group each */
    int64_t groups;         /* running sequences that are groups */
    int64_t admissions;     /* so far */
    int64_t leaving_blocks; /* of caches on the way to other replicas, held pages counted */
    int64_t leaving_pages;
    int64_t outstanding;    /* waiting, running, leaving */
    int64_t pending_tokens; /* of prompts, to be computed */
    int64_t still_tokens;   /* in the cache, of those that do not decode */
    int32_t index;
    const struct StratScheduler *scheduler;
    const StratPricer *pricer;
    StratCurve *curve;
    StratFine gate;    /* no lane starts before */
    double gpus;       /* that one lane keeps busy */
    StratFine seen_at; /* the last look at how full the cache is */
    double seen_blocks, seen_tokens, seen_saved;
    StratReplicaEvents events;
    struct StratTally *tally;               /* borrowed */
    const struct StratSpeculation *guesses; /* borrowed */
    uint64_t seed;
    const char *stuck; /* why the engine gives up, NULL: it does not */
};

/** What makes a replica; all is borrowed. */
typedef struct StratReplicaSpec {
    const StratEngine *engine;
    const struct StratScheduler *scheduler;
    const StratPricer *pricer;
    int64_t ranks; /* of attention DP */
    size_t lanes;
    int64_t gpus;
    int64_t blocks;
    int64_t host_blocks; /* for the swapped */
    double swap_block_s;
    const StratKvTier *tier;
    size_t tiers;
    int64_t page_tokens;
    const struct StratSpeculation *guesses;
    uint64_t seed;
    struct StratTally *tally;
    StratReplicaEvents events;
    int32_t index;
} StratReplicaSpec;

StratReplica *strat_replica_new(const StratReplicaSpec *spec);
void strat_replica_free(StratReplica *replica);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratReplica, strat_replica_free)

/** Puts @sequence (taken) into the queue: at the end, or by priority at its place. */
void strat_replica_enqueue(StratReplica *replica, StratSequence *sequence);

/** Takes @sequence, which waits and never ran, out of the queue and frees it. */
void strat_replica_drop(StratReplica *replica, StratSequence *sequence);

/** Frees the cache that @sequence left behind. */
void strat_replica_forget(StratReplica *replica, StratSequence *sequence);

/** What the rows of its groups share. */
StratShared strat_replica_shared(const StratReplica *replica);

/** Tokens in held blocks, each counted once. */
int64_t strat_replica_tokens(const StratReplica *replica);

/** Whether every block is in one place, and what the sequences have is what is taken: private
 *  blocks, and holders of pages. False and @error if not. O(blocks + sequences). */
bool strat_replica_is_sound(const StratReplica *replica, GError **error);

/** Lets the decodes run in this iteration and takes the blocks for it. False when they do not fit:
 *  nothing is taken then, preempt somebody. Call it before chunks and admissions where decodes have
 *  the first claim; true at once when there are none. */
bool strat_lane_decode(StratLane *lane);

/** Computes @tokens more of the prompt of @sequence, which runs, at least 1 and at most what is
 * left. False, and nothing done, when the cache has no room for them. */
bool strat_lane_chunk(StratLane *lane, StratSequence *sequence, int64_t tokens);

/** The first of the prompts under way in @lane, in order of admission; NULL when there are none. */
StratSequence *strat_lane_first_prompt(const StratLane *lane);

/** Tokens at the start of the prompt of @waiting that the cache holds: whole pages, and never all
 *  of the prompt. 0 without a prefix cache. */
int64_t strat_replica_hit(const StratReplica *replica, const StratSequence *waiting);

/** Blocks that @waiting has to find free in order to hold @tokens in the cache: prefix pages in use
 *  cost nothing, idle ones leave the list of the free. */
int64_t strat_replica_price(const StratReplica *replica, const StratSequence *waiting,
                            int64_t tokens);

/** Blocks that are free or hold nothing but unused prefixes. */
int64_t strat_replica_free_blocks(const StratReplica *replica);

/** Blocks that @sequence, which runs in @lane, has. */
int64_t strat_lane_blocks(const StratLane *lane, const StratSequence *sequence);

/** Blocks that the decodes of @lane want for their next iteration beyond those they have. */
int64_t strat_lane_need(const StratLane *lane);

/** Moves @waiting from the queue into the running list, with the prefix that the cache holds, and
 *  reserves blocks for @reserve_tokens for as long as it runs (0: blocks come as tokens do). False,
 *  and nothing done, when blocks or a slot for its adapter are not there. One whose prompt came
 * from a prefill replica is a decode at once, its iteration included when the decodes run. Others
 * need a chunk. */
bool strat_lane_admit(StratLane *lane, StratSequence *waiting, int64_t reserve_tokens);

/** Whether the LoRA adapter of @waiting is there or may come, beside those that run. */
bool strat_replica_takes_adapter(const StratReplica *replica, const StratSequence *waiting);

/** Moves the cache of @sequence, which runs in @lane, to the host, and it to the swapped ones; the
 *  iteration waits for that. False, and nothing done, when there is no room or it does not decode.
 */
bool strat_lane_swap_out(StratLane *lane, StratSequence *sequence);

/** Brings @sequence, a swapped one, back: it decodes, in this iteration too when the decodes run or
 *  there are none, which waits for it. False, and nothing done, when blocks are not there. */
bool strat_lane_swap_in(StratLane *lane, StratSequence *sequence);

/** The swapped one that came first; NULL when there are none. */
StratSequence *strat_replica_swapped(const StratReplica *replica);

/** Frees the cache of @sequence, which runs in @lane, and puts it back at the head of the queue (by
 *  priority: at its place), to be computed again. Not one that has a chunk in this iteration. */
void strat_lane_preempt(StratLane *lane, StratSequence *sequence);

/** Whether waiting sequences are served by priority (engine->order), not first come first. */
bool strat_replica_is_by_priority(const StratReplica *replica);

/** Who goes when blocks run short: the last of the running, or by priority the least urgent and
 *  youngest, of those without a chunk in this iteration. NULL: nobody, what lacks blocks waits. So
 * it is when the only one left in @lane comes before some sequence of another lane, or two lanes
 * could throw themselves out in turn for ever. */
StratSequence *strat_lane_victim(const StratLane *lane);

/** What the iterations of @lane that ended at @now leave behind: blocks for those after the first
 * are taken, chunks whose prompt is complete sample, and who is finished leaves. */
void strat_lane_settle(StratLane *lane, StratFine now);

/** The longest context among the decodes of @lane, NULL when there are none. */
const StratSequence *strat_lane_longest(StratLane *lane);

#endif
