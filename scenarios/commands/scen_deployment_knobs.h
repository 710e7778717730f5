/** Knobs of a deployment that serves: one change at a time. */
#ifndef SCEN_DEPLOYMENT_KNOBS_H
#define SCEN_DEPLOYMENT_KNOBS_H

#include "scen_scenario.h"

/** One knob of a deployment, turned by one notch. */
typedef struct ScenDeploymentKnob {
    const char *text;                   /* in words: "more tensor parallelism" */
    bool (*turn)(ScenServing *serving); /* false: nothing to turn, and @serving is spoilt */
} ScenDeploymentKnob;

/** All of them; @count receives how many. */
const ScenDeploymentKnob *scen_deployment_knob_all(size_t *count);

#endif
