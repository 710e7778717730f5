/** The training plans that a `search:` allows, screened. */
#ifndef SCEN_PLAN_SPACE_H
#define SCEN_PLAN_SPACE_H

#include "scen_scenario.h"
#include "strat_bucket.h"
#include "strat_screen.h"

typedef enum ScenPlanFate {
    SCEN_PLAN_UNTRIED, /* slower than the winner and beaten in memory, at best; or stopped */
    SCEN_PLAN_FITS,    /* simulated */
    SCEN_PLAN_MEMORY,  /* looked at closely, it does not fit */
    SCEN_PLAN_FAULT,   /* is not modelled */
} ScenPlanFate;

/** One plan that the rules and the screen's memory let pass. */
typedef struct ScenPlanTrial {
    StratPlan plan;
    int64_t gpus;
    StratLeast least;
    ScenPlanFate fate;
    double step_s;                         /* these where it was simulated */
    double memory_bytes;                   /* of its worst stage */
    double usd_per_token;                  /* 0: no price */
    int64_t ledger_ns[STRAT_BUCKET_COUNT]; /* GPU-nanoseconds */
} ScenPlanTrial;

/** Combinations that were refused for one reason. */
typedef struct ScenRefusedPlans {
    const char *path; /* where the rule looks: "plan.tensor" */
    const char *rule; /* its text without numbers */
    int64_t count;
    char *example; /* the message of the first; owned */
} ScenRefusedPlans;

typedef struct ScenPlanSpace {
    int64_t combinations;
    GArray *trials;  /* of ScenPlanTrial, in the order of the lists */
    GArray *refused; /* of ScenRefusedPlans, the most first */
} ScenPlanSpace;

/** Bytes that a plan of @scenario may take on a GPU. */
double scen_plan_room_bytes(const ScenScenario *scenario);

/** @scenario with @trial's plan, on as many GPUs as that takes; borrows from both. */
ScenScenario scen_plan_scenario(const ScenScenario *scenario, const ScenPlanTrial *trial);

/** Makes and screens all combinations. @stops (may be NULL) is asked now and then; what there is by
 *  then is kept. NULL and @error: a list has a name that nothing has. */
ScenPlanSpace *scen_plan_space_new(const ScenScenario *scenario, bool (*stops)(void *ctx),
                                   void *ctx, GError **error);

void scen_plan_space_free(ScenPlanSpace *space);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenPlanSpace, scen_plan_space_free)

#endif
