/** What `orrery search` may choose from: the `search:` of a scenario. */
#ifndef SCEN_SEARCH_H
#define SCEN_SEARCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** What is to be least among the deployments that keep their promises. */
typedef enum ScenObjective {
    SCEN_OBJECTIVE_USD,        /* of the whole run */
    SCEN_OBJECTIVE_USD_OUTPUT, /* of the whole run, over a million output tokens */
    SCEN_OBJECTIVE_GPUS,
} ScenObjective;

/** Lists that are NULL were not written. Of a deployment, the scenario's own value is then the only
 *  choice, but for tensor (1, 2, 4 ... as far as a scale-up domain reaches); of a training plan
 *  see scen_plan_space.c. */
typedef struct ScenSearch {
    ScenObjective objective;
    GArray *nodes, *costs; /* of const char *: nodes, and the price of each */
    GArray *weights, *kv;  /* of const char * */
    GArray *tensor, *pipeline, *data, *expert, *max_tokens, *max_sequences; /* of double, whole */
    GArray *context, *virtual_stages, *micro_batch, *zero_stage; /* of double, whole: training */
    GArray *recompute, *schedule, *sequence_parallel;            /* of const char *: training */
    GArray *context_kind;                                        /* likewise */
    double headroom;    /* share of a GPU's memory that must stay free: training */
    int64_t max_gpus;   /* 0: the cluster's */
    bool disaggregated; /* also with replicas for prompts alone */
    double reach;       /* also tries what may cost so many times the winner */
} ScenSearch;

/** Frees the lists of @search. */
void scen_search_clear(ScenSearch *search);

#endif
