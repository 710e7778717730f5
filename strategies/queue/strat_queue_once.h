/** One history of a queue: its state, and what policies do to it. */
#ifndef STRAT_QUEUE_ONCE_H
#define STRAT_QUEUE_ONCE_H

#include "strat_heap.h"
#include "strat_queue_line.h"
#include "strat_queue_profile.h"
#include "strat_queue_source.h"

/** A job that waits or runs. */
struct StratQueueJob {
    int64_t number;
    SimTime arrival, work, fail_at;
    uint32_t class_index;
    int level;
    bool crashes;
    int64_t nodes;
    SimTime done;        /* of the work, and kept */
    SimTime since;       /* in the queue, or running */
    SimTime first_start; /* -1: not yet */
    SimTime queued, ran; /* until @since */
    SimTime expected;    /* the run ends then or before */
    SimTime setup;       /* of the run, before it computes */
    SimTime reserved;    /* when it starts, at the latest; -1: nobody has said */
    int64_t slow_ppm;    /* how much longer the run takes, in millionths */
    int64_t runs, preemptions, requeues;
    StratQueueEnd ending; /* what the run comes to when nothing happens */
    int32_t first_node;
    bool is_old;                   /* enough to be preempted */
    StratQueueJob *before, *after; /* runs of the level, by their start */
    size_t place;                  /* in the heap of ends */
};

/** What one history amounts to; sums of jobs and nodes. */
typedef struct StratQueueTally {
    StratNodeTime spent[STRAT_QUEUE_SPENT_COUNT]; /* they sum to nodes x time, exactly */
    int64_t arrived, waiting, running;
    int64_t ended[STRAT_QUEUE_ENDS];
    int64_t secondary, preempted_nodes;
    int64_t spread_starts, scattered, leaves, fewest_leaves;
    double kept, elapsed;      /* of jobs that left, times their nodes; s */
    GArray *waits, *slowdowns; /* of double; owned */
    struct StratQueueClassTally {
        int64_t jobs, started, completed, runs, preemptions, requeues;
        int64_t caused, caused_nodes; /* preemptions for its jobs that came back */
        double wait_s, kept_s, elapsed_s;
    } * classes; /* owned */
} StratQueueTally;

/** A run, and when the scheduler expects its nodes back. */
typedef struct StratQueueRelease {
    SimTime at;
    int64_t nodes;
    StratQueueJob *job;
} StratQueueRelease;

/** A node in repair. */
typedef struct StratQueueAway {
    SimTime until;
    int32_t node;
} StratQueueAway;

/** Runs of a level by their start. */
typedef struct StratQueueRuns {
    StratQueueJob *first, *last;
    StratQueueJob *young; /* the first that is not old enough to be preempted */
    int64_t old_nodes;    /* of those before it */
} StratQueueRuns;

struct StratQueueOnce {
    const StratQueue *queue;
    uint64_t replication;
    SimTime now, end;
    StratQueuePool *pool;
    StratQueueSource source;
    StratQueueLine line;
    StratHeap ends; /* of runs */
    StratQueueRuns runs[STRAT_QUEUE_LEVELS];
    GArray *running;            /* of StratQueueRelease, by time; owned */
    StratQueueJob **at_node;    /* by node, NULL: none; owned */
    GArray *away;               /* of StratQueueAway, the first back first; owned */
    GQueue *later;              /* jobs whose run failed, back in the queue at @expected; owned */
    GPtrArray *unused;          /* jobs that have left, for further ones; owned */
    SimTime wake;               /* a run is old enough then; SIM_TIME_MAX: none */
    StratQueueProfile *profile; /* with reservations, of policies that make them */
    bool is_freed, is_early, is_less; /* since the last pass: nodes came free; before they
                                         were expected; were taken away */
    int64_t fresh;                    /* jobs that have arrived since the last pass, */
    int fresh_level;                  /* and the level of the last one */
    int64_t head;                     /* job that the reservation of EASY is for, -1: none */
    SimTime shadow;                   /* when it starts at the latest */
    int64_t extra;                    /* nodes that it leaves then */
    SimTime preemptible, lifetime, restart, requeue;
    int64_t *slow_ppm;      /* of a class beside another: classes x classes; owned */
    int64_t *most_slow_ppm; /* of a class; owned */
    StratQueueSink *sink;
    void *sink_ctx;
    StratQueueTally *tally;
};

/** Runs history @replication of @queue into @tally, zeroed by the caller but for its arrays. */
void strat_queue_once(const StratQueue *queue, uint64_t replication, StratQueueSink *sink,
                      void *ctx, StratQueueTally *tally);

/** Starts the job at @walk, whose nodes are free; the walk is then at the next one. */
void strat_queue_start(StratQueueOnce *once, StratQueueWalk *walk);

/** Preempts runs of lower levels than that of @job until its nodes are free. False, and nothing is
 *  preempted, when there are not enough; @once->wake is then when that may change. */
bool strat_queue_preempt(StratQueueOnce *once, const StratQueueJob *job);

/** What a run of @job takes at most, or what the scheduler thinks it does, if that is more. */
SimTime strat_queue_expect(const StratQueueOnce *once, const StratQueueJob *job);

/** Ends the run of @job as @end, its work since the checkpoint going to @lost; puts it back in the
 *  line or lets it leave. (strat_queue_run.c) */
void strat_queue_end_run(StratQueueOnce *once, StratQueueJob *job, StratQueueEnd end,
                         StratQueueSpent lost);

/** Ends the account of the run of @job at @once->now; of its work, @kept_all or what checkpoints
 *  keep is done. */
void strat_queue_book(StratQueueOnce *once, StratQueueJob *job, bool kept_all,
                      StratQueueSpent lost);

/** Tells what became of @job. */
void strat_queue_tell(StratQueueOnce *once, const StratQueueJob *job, StratQueueEnd end);

#endif
