/** What the files of a serving run share: its pools, its lanes and their places in the heap. */
#ifndef STRAT_SERVE_PRIVATE_H
#define STRAT_SERVE_PRIVATE_H

#include "strat_autoscale.h"
#include "strat_heap.h"
#include "strat_replica.h"
#include "strat_router.h"
#include "strat_serve.h"
#include "strat_tally.h"

/* A lane and its entry in the heap. */
typedef struct StratServeSeat {
    StratLane *lane;
    bool pending; /* has an entry */
    bool ends;    /* of which kind */
    StratFine at;
    size_t place;
} StratServeSeat;

typedef struct StratServePool {
    GPtrArray *replicas; /* of StratReplica */
    const StratRouter *router;
    size_t turn;
    size_t first; /* seat of its first lane */
    size_t lanes; /* of a replica */
    double token_s;
    StratReplicaSpec spec; /* that its replicas are made by */
    StratFine *link;       /* when each replica's way out or in is free */
} StratServePool;

/* A cache on its way. */
typedef struct StratServeMove {
    StratSequence *sequence;
    StratReplica *from;
    size_t to;
    size_t place;
} StratServeMove;

/* Until when a request waits for its first iteration. */
typedef struct StratServeWait {
    StratFine until;
    int64_t id;
    int32_t replica;
} StratServeWait;

typedef struct StratServeRun {
    const StratServeSpec *spec;
    StratTally tally;
    StratServePool pool[2];
    size_t pools;
    StratServeSeat *seat;
    size_t seats;
    StratHeap heap;  /* of StratServeSeat */
    StratHeap moves; /* of StratServeMove, by the end of the transfer */
    size_t moved;
    StratFine now;
    StratFine next_sample;
    int64_t sampled_prompts, sampled_made;
    bool stopped; /* by the watch */
    bool scales;
    StratScaler scaler;   /* of the only pool, if it scales */
    StratReplica **open;  /* room for those that take requests */
    GArray *wait;         /* of StratServeWait, in order of their ends */
    int64_t renewed_lost; /* blocks of replicas that have gone */
    guint waits;          /* of those, over */
} StratServeRun;

/** Makes the replicas of pool @index, who tell @events; false and @error: an unknown scheduler,
 *  router or order. */
bool strat_serve_open(StratServeRun *run, size_t index, const StratReplicaEvents *events,
                      GError **error);

/** Gives every lane its seat, once all pools are open. */
void strat_serve_seat(StratServeRun *run);

/** The seats of the lanes of @replica, which is of pool @pool. */
StratServeSeat *strat_serve_seats(StratServeRun *run, const StratReplica *replica, size_t pool);

/** Whether @spec is a deployment that a run can be made of. */
bool strat_serve_is_possible(const StratServeSpec *spec, GError **error);

/** A new replica, empty, in the place of @index of pool 0, which has no sequences. */
void strat_serve_renew(StratServeRun *run, size_t index);

/** Blocks of replicas without sequences that are not free, or all of one that is unsound. */
int64_t strat_serve_lost_blocks(const StratServeRun *run);

void strat_serve_run_clear(StratServeRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StratServeRun, strat_serve_run_clear)

#endif
