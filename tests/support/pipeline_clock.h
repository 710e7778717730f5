/** Orders of a pipeline schedule, evaluated by hand: knows nothing of the compiler or the engine.
 */
#ifndef PIPELINE_CLOCK_H
#define PIPELINE_CLOCK_H

#include "strat_schedule.h"

/** What came out, in the unit of the times. */
typedef struct PipelineClock {
    double makespan; /* until the last task ends */
    double longest;  /* from a stage's first task to its last, the most of any */
    double idle;     /* makespan without a stage's own tasks, the most of any */
} PipelineClock;

/** Runs @pipeline under @schedule with the times that it has; a pair takes @pair_s. Fails the test
 *  where the stages wait for each other for ever. */
PipelineClock pipeline_clock(const StratSchedule *schedule, const StratPipeline *pipeline,
                             double pair_s);

/** The most that any stage holds at once: what a forward keeps counts 1, what waits for the
 *  weights' gradient @waits. Fails the test where a stage keeps anything at the end. */
double pipeline_held(const StratSchedule *schedule, const StratPipeline *pipeline, double waits);

#endif
