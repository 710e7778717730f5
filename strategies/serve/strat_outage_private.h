/** The state of a run's failures: between strat_outage.c, which lets them happen, and
 * strat_outage_requests.c, which finds new places for requests. */
#ifndef STRAT_OUTAGE_PRIVATE_H
#define STRAT_OUTAGE_PRIVATE_H

#include "strat_outage.h"
#include "strat_pace.h"

typedef enum StratOutageState {
    STRAT_OUTAGE_UP,
    STRAT_OUTAGE_DEAD,   /* and nobody knows */
    STRAT_OUTAGE_AWAY,   /* known, until it is back */
    STRAT_OUTAGE_DRAINS, /* takes no more requests and starts again when it has none */
} StratOutageState;

/** A replica's place. */
typedef struct StratOutageSlot {
    StratOutageState state;
    size_t pool;
    int64_t first_gpu, gpus;
    int64_t life;         /* what began in a life before this one is void */
    StratFine resume;     /* no lane decides before */
    StratFine link;       /* until when copies come to it */
    StratFine blocked;    /* no cache sets out from it or for it before */
    StratPaces *paces;    /* NULL: always healthy in this life */
    double wire;          /* how much longer its NICs take */
    int64_t lost;         /* ranks that it does without, */
    int64_t withheld;     /* and blocks */
    int64_t sequences;    /* that it runs at most with all of its ranks */
    guint record;         /* of the last time that it was away */
    double away_s;        /* until it would be back, once it is known to be away */
    uint32_t class_index; /* of the fault for which it drains */
} StratOutageSlot;

typedef enum StratOutageKind {
    STRAT_OUTAGE_KNOWN,  /* a dead replica is known to be */
    STRAT_OUTAGE_BACK,   /* a replica serves again */
    STRAT_OUTAGE_RANKS,  /* lost ranks of a group are back */
    STRAT_OUTAGE_FASTER, /* a slow time is over */
    STRAT_OUTAGE_SPARE,  /* one more replica of a pool stands by */
    STRAT_OUTAGE_CACHE,  /* a copy has come */
} StratOutageKind;

/** What will happen to a replica (of SPARE: to a pool). */
typedef struct StratOutageEvent {
    StratOutageKind kind;
    size_t replica;
    int64_t life;            /* of that, in which it counts */
    StratSequence *sequence; /* of CACHE; owned */
    int64_t ranks, blocks;   /* of RANKS */
    guint record;            /* of RANKS */
    size_t place;
} StratOutageEvent;

/** A slow time that lasts. */
typedef struct StratOutageSlow {
    size_t replica;
    int64_t life;
    StratFine until;
    StratPace pace;
    double wire;
} StratOutageSlow;

/** Purposes of a fault's random numbers. */
typedef enum StratOutageDraw {
    STRAT_OUTAGE_DRAW_DETECTION,
    STRAT_OUTAGE_DRAW_SWAP,
    STRAT_OUTAGE_DRAW_REPAIR,
    STRAT_OUTAGE_DRAW_RESTART,
    STRAT_OUTAGE_DRAW_LASTS,
    STRAT_OUTAGE_DRAW_WHERE,
} StratOutageDraw;

struct StratOutage {
    StratServeState *run;
    const StratFailures *how;
    StratFailureSums *sums; /* of the run's result */
    StratFaultHistory *history;
    StratFault fault; /* the next */
    bool has_fault;
    StratHeap events; /* of StratOutageEvent, owned */
    uint64_t pushed;
    int64_t caches; /* that are under way */
    int64_t spares[2];
    StratOutageSlot *slot; /* of all replicas, those of pool 0 first */
    size_t count;
    GArray *slow; /* of StratOutageSlow */
};

StratReplica *strat_outage_replica(const StratOutage *outage, size_t index);

/** Puts @event (copied) down for @at. */
void strat_outage_push(StratOutage *outage, StratFine at, StratOutageEvent event);

/** A duration by @fault's numbers, in s. */
double strat_outage_draw(const StratFault *fault, StratOutageDraw purpose,
                         const StratSpread *spread);

/** How long what @fault hit of @pool is away once that is known, in s. */
double strat_outage_away_s(const StratOutage *outage, const StratFault *fault, size_t pool);

/** Notes that @gone_fraction of @replica is gone from @now on, with @requests and @tokens in their
 *  caches. Returns the number of the record. */
guint strat_outage_record(StratOutage *outage, size_t replica, uint32_t class_index, StratFine now,
                          int64_t requests, int64_t tokens, double gone_fraction);

/** Replica @index dies; nobody knows for @detection_s. */
void strat_outage_die(StratOutage *outage, size_t index, const StratFault *fault, StratFine now,
                      double detection_s);

/** Replica @index is slow for a time; its NICs lose bandwidth for a time. */
void strat_outage_slow(StratOutage *outage, size_t index, const StratFault *fault, StratFine now);
void strat_outage_flap(StratOutage *outage, size_t index, const StratFault *fault, StratFine now);

/** A slow time of @event's replica is over at @now. */
void strat_outage_faster(StratOutage *outage, const StratOutageEvent *event, StratFine now);

/** Replica @index goes on without its GPUs @from .. @to - 1. False, and nothing done, where it
 *  cannot or the policy does not. */
bool strat_outage_shrink(StratOutage *outage, size_t index, const StratFault *fault, int64_t from,
                         int64_t to, StratFine now, double detection_s);

/** Ranks of @event's replica are back. */
void strat_outage_regrow(StratOutage *outage, const StratOutageEvent *event, StratFine now);

/** Replica @index has no lost ranks any more: blocks and places are as they were. */
void strat_outage_give_back(StratOutage *outage, size_t index);

/** Whether a replica of @pool is up. */
bool strat_outage_has_up(const StratOutage *outage, size_t pool);

/** All requests that wait at dead @replica find new places, or stay with it, by the policy. */
void strat_outage_reroute(StratOutage *outage, size_t replica, StratFine now);

/** Requests that wait at @replica and can never be computed again, which they would have to be, end
 *  in an error. */
void strat_outage_fail_unfit(StratOutage *outage, size_t replica, StratFine now);

/** Those that waited for @replica, which is back, begin again. */
void strat_outage_resume(StratOutage *outage, size_t replica, StratFine now);

/** The copy of @event has come. */
void strat_outage_deliver(StratOutage *outage, const StratOutageEvent *event, StratFine now);

/** Counts @sequence as hurt; the next gap between its tokens is a stall. */
void strat_outage_hurt(StratOutage *outage, StratSequence *sequence);

#endif
