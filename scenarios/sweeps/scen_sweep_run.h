/** A sweep from start to end: which points, by whom, into which database. */
#ifndef SCEN_SWEEP_RUN_H
#define SCEN_SWEEP_RUN_H

#include "scen_sweep_store.h"
#include "sim_farm.h"

/** Which points a run takes: those from @first to @last (0: to the end) whose number leaves the
 *  remainder @shard - 1 by @shards (1 of 1: all), at most @limit (0: all) that are not in yet. */
typedef struct ScenSweepShare {
    int64_t first, last;
    int64_t shard, shards;
    int64_t limit;
} ScenSweepShare;

typedef struct ScenSweepOptions {
    ScenSweepShare share;
    const SimFarm *farm;
    /** Whether to break off, asked between points; NULL: never. */
    bool (*stops)(void *ctx);
    /** Told after each point how many of @all are done, how many of them not ok, and the seconds
     *  since the start; NULL: nobody asks. */
    void (*progress)(void *ctx, int64_t done, int64_t all, int64_t failed, double seconds);
    void *ctx;
} ScenSweepOptions;

/** What a run did. */
typedef struct ScenSweepTally {
    int64_t ran;    /* points that were run */
    int64_t left;   /* points of its share that are still missing */
    bool stopped;   /* broken off */
    double seconds; /* of wall clock */
} ScenSweepTally;

/** Runs the points of @options->share that @store has not, and puts them there. Another process of the
 *  same farm has no store (NULL) and helps. False and @error when the database cannot be written. */
bool scen_sweep_run(const ScenSweepPlan *plan, ScenSweepStore *store,
                    const ScenSweepOptions *options, ScenSweepTally *tally, GError **error);

#endif
