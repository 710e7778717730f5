/** The state of a run of serving: between strat_serve.c, which runs it, and strat_serve_open.c,
 * which sets it up. */
#ifndef STRAT_SERVE_PRIVATE_H
#define STRAT_SERVE_PRIVATE_H

#include "strat_autoscale.h"
#include "strat_heap.h"
#include "strat_router.h"
#include "strat_tally.h"

/* A lane and its entry in the heap. */
typedef struct StratSeat {
    StratLane *lane;
    bool pending; /* has an entry */
    bool ends;    /* of which kind */
    StratFine at;
    size_t place;
} StratSeat;

typedef struct StratOutage StratOutage;

typedef struct StratServePool {
    GPtrArray *replicas; /* of StratReplica */
    const StratRouter *router;
    size_t turn;
    size_t first; /* seat of its first lane */
    size_t lanes; /* of a replica */
    double token_s;
    StratReplicaSpec spec; /* that its replicas are made by */
    StratKvTier tier[2];   /* of that */
} StratServePool;

/* Until when a request waits for its first iteration. */
typedef struct StratServeWait {
    StratFine until;
    int64_t id;
    int32_t replica;
} StratServeWait;

typedef struct StratServeState {
    const StratServeSpec *spec;
    StratTally tally;
    StratServePool pool[2];
    size_t pools;
    StratSeat *seat;
    size_t seats;
    StratHeap heap;    /* of StratSeat */
    StratMoves *moves; /* NULL: one pool */
    StratFine now;
    StratFine next_sample;
    int64_t sampled_prompts, sampled_made;
    bool stopped; /* by the watch */
    bool scales;
    StratScaler scaler;   /* of the only pool, if it scales */
    StratOutage *outage;  /* NULL: nothing fails */
    StratReplica **open;  /* room for those that take requests */
    int64_t renewed_lost; /* blocks of replicas that have gone */
    GArray *wait;         /* of StratServeWait, in order of their ends; NULL: nobody gives up */
    guint waits;          /* of those, over */
} StratServeState;

/** Makes the replicas of all pools of @state->spec; @state is zero but for that and @state->pools.
 * All replicas report to @events, whose context is @state. False and @error: an unknown scheduler
 * or router, pages or roles that are not modelled. Clear @state either way. */
bool strat_serve_open(StratServeState *state, const StratReplicaEvents *events, GError **error);

/** The first seat of @replica. */
StratSeat *strat_serve_seats(const StratServeState *state, const StratReplica *replica);

/** A new replica, empty, in the place of @replica (freed), which has no sequences. */
StratReplica *strat_serve_renew(StratServeState *state, StratReplica *replica);

/** Brings @sequence (taken) to replica @to of @pool. */
void strat_serve_deliver(StratServeState *state, size_t pool, size_t to, StratSequence *sequence,
                         StratFine now);

/** The replica of @pool for @sequence, by the router. */
size_t strat_serve_choose(StratServeState *state, size_t pool, const StratSequence *sequence,
                          StratFine now);

/** The queue of @replica, or what holds it up, has changed: a run that this could matter to ends
 *  with the iteration under way. */
void strat_serve_requeued(StratServeState *state, StratReplica *replica, StratFine now);

/** Breaks off the moves of prompts that @from has under way. */
void strat_serve_break_parts(StratServeState *state, const StratReplica *from);

/** Breaks off a move of a whole cache from @from: its sequence, NULL when there is none. What flies
 *  of it arrives and is of no use. */
StratSequence *strat_serve_break_move(StratServeState *state, const StratReplica *from);

/** Takes the sample that is due. */
void strat_serve_look(StratServeState *state);

/** Whether the replicas of @pool can ever serve @request. */
bool strat_serve_can(const StratServeState *state, size_t pool, const StratRequest *request);

/** What @request is to the engine, with its hashes if the prefix cache looks at @pages: a sequence,
 *  and in *@others those that go with it, linked by next. */
StratSequence *strat_serve_sequence(const StratServeState *state, const StratRequest *request,
                                    bool pages, StratSequence **others);

/** Blocks of replicas without sequences that are not free, or all of one that is unsound. */
int64_t strat_serve_lost_blocks(const StratServeState *state);

/** Lanes of @replica that do nothing look again at @now. */
void strat_serve_wake(StratServeState *state, const StratReplica *replica, StratFine now);

/** @replica, which has fewer requests, goes if it drains and is empty. */
void strat_serve_settle(StratServeState *state, StratReplica *replica, StratFine now);

/** Events of prefill replicas; @ctx is the state. See StratReplicaEvents. */
void strat_serve_completes(void *ctx, StratReplica *replica, StratSequence *sequence,
                           const StratChunk *last, double takes_s, StratFine now);
void strat_serve_leaves(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now);

/** What happens next to caches on their way, which is due at @state->now. */
void strat_serve_step_moves(StratServeState *state);

void strat_serve_clear(StratServeState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StratServeState, strat_serve_clear)

#endif
