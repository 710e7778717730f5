/** The deployments that `search:` allows: families of one kind of node and one set of types, shapes
 *  of replicas in them, and how many of each. */
#ifndef SCEN_DEPLOYMENT_H
#define SCEN_DEPLOYMENT_H

#include "scen_scenario.h"
#include "strat_search_serve.h"

/** What became of a deployment. */
typedef enum ScenFate {
    SCEN_FATE_MEETS,   /* simulated: it keeps the objectives */
    SCEN_FATE_TYPES,   /* the node cannot run the types */
    SCEN_FATE_SHAPE,   /* sizes that do not divide the model */
    SCEN_FATE_MEMORY,  /* does not fit */
    SCEN_FATE_ALONE,   /* one sequence alone is slower than an objective */
    SCEN_FATE_WORK,    /* the tokens take longer than the objectives leave */
    SCEN_FATE_DEARER,  /* not tried: its lower bound is above what the answer costs */
    SCEN_FATE_MISSES,  /* simulated: it misses the objectives */
    SCEN_FATE_FAULT,   /* what is not modelled */
    SCEN_FATE_STOPPED, /* not tried: the search was stopped */
    SCEN_FATE_COUNT
} ScenFate;

/** A kind of node with types of weights and cache. */
typedef struct ScenFamily {
    char *name;
    ScenScenario *scenario; /* of one small deployment; NULL: it cannot be */
    char *fault;            /* why it cannot */
    char *settings;         /* what lays it over the scenario, for --set */
} ScenFamily;

/** One replica under one set of limits, by its role. */
typedef struct ScenShape {
    guint family;
    StratPool pool;
    int64_t max_tokens, max_sequences; /* of the engine */
    ScenFate fate;                     /* MEETS: nothing is against it */
    char *why;
    StratFloor floor;
    bool serves_all; /* no request is too long for it */
} ScenShape;

enum { SCEN_SHAPE_NONE = -1 };

/** What a simulated deployment showed. */
typedef struct ScenFigures {
    double usd, usd_per_output; /* of the run, all counted; the second a million output tokens */
    double ttft_p99_s, tpot_p99_s;
    double attainment;
    double output_tokens_per_s;
    double busy_s[STRAT_SERVE_PARTS], idle_s; /* GPU-seconds */
    int64_t missed[3]; /* requests that miss the objective of TTFT, TPOT, E2E */
    int64_t looked_at; /* requests of which that is known */
} ScenFigures;

typedef struct ScenDeployment {
    gint shape, prefill; /* indices of shapes; prefill SCEN_SHAPE_NONE: prompts are not apart */
    int64_t replicas, prefill_replicas;
    int64_t gpus;
    ScenFate fate;
    char *why; /* NULL, or more of it */
    double least_usd;
    ScenFigures figures; /* of the simulated */
} ScenDeployment;

typedef struct ScenDeployments {
    GArray *families, *shapes, *list; /* of ScenFamily, ScenShape, ScenDeployment; owned */
    StratDemand demand;
} ScenDeployments;

/** All of @scenario, read from @path with @sets laid over, that are worth a simulation, and those
 *  that are not with the reason. NULL and @error: a list of `search:` names what does not exist,
 *  nothing to choose, too many. */
ScenDeployments *scen_deployments_new(const ScenScenario *scenario, const char *path,
                                      const char *const *sets, GError **error);

void scen_deployments_free(ScenDeployments *all);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenDeployments, scen_deployments_free)

const ScenFamily *scen_deployment_family(const ScenDeployments *all, const ScenDeployment *one);

/** @one as a scenario of its own, complete; it borrows from @all. NULL and @error: sizes that do
 *  not go together. g_free() it. */
ScenScenario *scen_deployment_scenario(const ScenDeployments *all, const ScenDeployment *one,
                                       GError **error);

/** @one in words: "4 replicas of tensor 2 on 8 x h100-sxm, fp8 weights". The caller owns it. */
char *scen_deployment_text(const ScenDeployments *all, const ScenDeployment *one);

/** What makes @one of the scenario, a --set each, with a space between. The caller owns it. */
char *scen_deployment_settings(const ScenDeployments *all, const ScenDeployment *one);

/** Name of @fate as a JSON key, and what it means in words. */
const char *scen_fate_name(ScenFate fate);
const char *scen_fate_text(ScenFate fate);

#endif
