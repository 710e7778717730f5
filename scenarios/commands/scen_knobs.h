/** Which single change of a plan would make its step shorter: asked by simulating each. */
#ifndef SCEN_KNOBS_H
#define SCEN_KNOBS_H

#include "scen_scenario.h"
#include "strat_train.h"

/** One knob of a plan. */
typedef struct ScenKnob {
    const char *text;              /* in words: "recompute nothing" */
    bool (*turn)(StratPlan *plan); /* false: nothing to turn, and @plan is spoilt */
} ScenKnob;

/** All knobs; @count receives how many. */
const ScenKnob *scen_knob_all(size_t *count);

/** A change that is sound, fits in memory and helps. */
typedef struct ScenKnobGain {
    const char *text;       /* in words: "recompute less" */
    char *setting;          /* for --set: "plan.recompute=selective" */
    double step_s;          /* of the changed plan, simulated */
    double gain_fraction;   /* of the step's time that is saved */
    double memory_fraction; /* of the worst stage's capacity */
} ScenKnobGain;

/** Whether scen_knobs() answers for @scenario in about the time of a report: stage times are
 * priced, there is one job, and transfers are priced alone, or the plan is of at most 1,024 GPUs on
 * a network that is no referee. */
bool scen_knobs_are_cheap(const ScenScenario *scenario);

/** The best @most changes (ScenKnobGain) of @scenario, whose own step is @result, shortest step
 *  first; empty when none helps. The stage times must be priced, not measured. */
GArray *scen_knobs(const ScenScenario *scenario, const StratTrainResult *result, guint most);

#endif
