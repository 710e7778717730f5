/** Threads that do tasks of a job as they are handed over: what farms are made of. */
#ifndef SIM_CREW_H
#define SIM_CREW_H

#include "sim_farm.h"

typedef struct SimCrew SimCrew;

/** A task that is done. */
typedef struct SimDone {
    int64_t task;
    GBytes *bytes;  /* NULL: nothing to take; owned */
    double spent_s; /* of a wall clock: for dealing out work, never for an answer */
} SimDone;

/** @threads threads for tasks of @job, borrowed. Free with sim_crew_free(), which awaits what is
 *  under way and drops it, and what has not begun. */
SimCrew *sim_crew_new(const SimFarmJob *job, int64_t threads);
void sim_crew_free(SimCrew *crew);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimCrew, sim_crew_free)

/** Hands over @task. Tasks begin in the order in which they are handed over. */
void sim_crew_push(SimCrew *crew, int64_t task);

/** Tasks that have not begun come back without a result from now on. */
void sim_crew_stop(SimCrew *crew);

/** A task that is done, in no order, waiting for it at most @wait_us microseconds (< 0: for ever);
 *  NULL: none. Free with sim_done_free(). */
SimDone *sim_crew_pop(SimCrew *crew, int64_t wait_us);
void sim_done_free(SimDone *done);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimDone, sim_done_free)

/** Results on their way to the job's take: at once, or in the order of the tasks. */
typedef struct SimYield {
    const SimFarmJob *job;
    SimDone **held; /* by task: those that wait for others before them; NULL: none waits; owned */
    int64_t next;   /* to be taken, of those that wait */
} SimYield;

/** Keeps order if @job asks for it. Free what it holds with sim_yield_clear(). */
SimYield sim_yield_of(const SimFarmJob *job);
void sim_yield_clear(SimYield *yield);

/** Takes @done, or keeps it until those before it came. False: enough. */
bool sim_yield_take(SimYield *yield, SimDone *done);

#endif
