/** Independent tasks on whatever hands there are: threads here; other processes where a backend
 *  brings them. */
#ifndef SIM_FARM_H
#define SIM_FARM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** Does task @task and returns what came of it, for the job's take; NULL: nothing to hand over.
 *  Runs on any thread of any process, several at a time; it must depend on @task and on what every
 *  process knows, and on nothing else. */
typedef GBytes *(*SimFarmWork)(int64_t task, void *ctx);

/** Takes over what came of @task (@bytes: borrowed, NULL as work returned it). Called one at a
 *  time, by the thread that called sim_farm_run(). False: enough, hand out no more tasks. */
typedef bool (*SimFarmTake)(int64_t task, GBytes *bytes, void *ctx);

/** Tasks 0 .. @count - 1. All is borrowed. Task 0 is done by the leader's process. */
typedef struct SimFarmJob {
    int64_t count;
    SimFarmWork work;
    SimFarmTake take; /* NULL: work leaves its results in @ctx, so every process does all tasks */
    void *ctx;
    /** Takes go in the order of the tasks. */
    bool ordered;
    /** All processes take all results, in the order of the tasks, and so go on knowing the same;
     *  else the leader alone does. */
    bool everywhere;
} SimFarmJob;

/** Hands that do tasks. A value: copy it freely. */
typedef struct SimFarm {
    /** See sim_farm_run(). @job has at least one task. */
    bool (*run)(const struct SimFarm *farm, const SimFarmJob *job, GError **error);
    int64_t threads; /* of this process */
    int64_t hands;   /* of all processes: tasks that can be under way at a time */
    bool is_worker;  /* a process that is not the leader: nobody sees what it prints or writes */
    void *ctx;       /* the backend's, borrowed */
} SimFarm;

/** @threads threads of this process; 0: one a processor. */
SimFarm sim_farm_threads(int64_t threads);

/** Does all tasks of @job. Each is taken once, in any order but where the job asks for one, so
 *  what follows must not depend on the order. True when all is done or take has said that it is
 *  enough; what is under way then is awaited and dropped. False and @error: a backend cannot go
 *  on; threads and the ranks of MPI always do, since the leader does what others leave. Every process calls it for the same jobs in the same
 *  order. */
bool sim_farm_run(const SimFarm *farm, const SimFarmJob *job, GError **error);

#endif
