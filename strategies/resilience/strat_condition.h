/** What of a running job is worse than planned, for a time. */
#ifndef STRAT_CONDITION_H
#define STRAT_CONDITION_H

#include "sim_time.h"
#include "strat_job_state.h"

#include <glib.h>

/** Degradations that last, and the step that they make. */
typedef struct StratCondition {
    StratStepFunc *step; /* asked with step_ctx, borrowed */
    void *step_ctx;
    double healthy_s; /* of a step when all is well */
    GArray *slow;     /* of StratConditionGpu, by GPU; owned */
    GArray *weak;     /* of StratConditionNic, by node and NIC; owned */
    GArray *caps;     /* of StratConditionCap; owned */
    int64_t replicas_lost;
    bool is_known; /* the speed is that of the lists and of replicas_lost */
    double speed;
} StratCondition;

/** All is well with a job whose steps @step tells, asked with @step_ctx; @healthy_s is its step. */
StratCondition strat_condition_new(StratStepFunc *step, void *step_ctx, double healthy_s);
void strat_condition_clear(StratCondition *condition);

/** From here to @until a GPU has this clock, or a NIC this bandwidth; of several faults of one the
 *  worst counts. */
void strat_condition_slow(StratCondition *condition, SimTime until, StratSlowGpu slow);
void strat_condition_weak(StratCondition *condition, SimTime until, StratWeakNic weak);

/** From here to @until all GPUs are so much slower that steps have @speed, in (0, 1], of what they
 *  had; of several caps the worst counts. */
void strat_condition_cap(StratCondition *condition, SimTime until, double speed);

/** The speed of steps at @now without @replicas_lost replicas, over that of healthy ones; *@until
 * is lowered to when it changes by itself. What is over is forgotten. */
double strat_condition_speed(StratCondition *condition, SimTime now, int64_t replicas_lost,
                             SimTime *until);

/** Another node stands in the place of @node, of @gpus GPUs: its GPUs and NICs are as planned. */
void strat_condition_mend(StratCondition *condition, int64_t node, int64_t gpus);

#endif
