/** A scenario in the making: settings of dotted keys, which become YAML with a comment a key. */
#ifndef SCEN_DRAFT_H
#define SCEN_DRAFT_H

#include "model_spec.h"
#include "scen_scenario.h"

/** One value of a draft. */
typedef struct ScenDraftSetting {
    char *path, *value;
} ScenDraftSetting;

/** What is asked for. */
typedef struct ScenDraftAsk {
    const char *model_name, *node_name; /* rows of the catalogs, which are */
    ModelSpec model;                    /* this */
    TopoNode node;                      /* and that */
    int64_t gpus;
} ScenDraftAsk;

typedef struct ScenDraft {
    GArray *settings; /* of ScenDraftSetting, in the order in which they were put first */
} ScenDraft;

ScenDraft *scen_draft_new(void);
ScenDraft *scen_draft_copy(const ScenDraft *draft);
void scen_draft_free(ScenDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenDraft, scen_draft_free)

/** Sets @path, a key of a scenario, to the text, in place of what it was. */
void scen_draft_put(ScenDraft *draft, const char *path, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** The draft as YAML, each key with the help of its table as a comment. The caller owns it. */
char *scen_draft_text(const ScenDraft *draft);

/** The line that would set @key of a scenario to @value, commented out. The caller owns it. */
char *scen_draft_offer(const char *key, const char *value);

/** The scenario that the draft is; NULL and @error when it is none. */
ScenScenario *scen_draft_load(const ScenDraft *draft, GError **error);

/** A step of training: model, cluster and a plan that fits in memory and is quick among the plain
 *  ones. NULL and @error (STRAT_ERROR_NO_FIT when nothing fits). */
ScenDraft *scen_draft_train(const ScenDraftAsk *ask, GError **error);

/** The same in months under failures. */
ScenDraft *scen_draft_survive(const ScenDraftAsk *ask, GError **error);

/** A deployment and a traffic for which it keeps its objectives. NULL and @error likewise. */
ScenDraft *scen_draft_serve(const ScenDraftAsk *ask, GError **error);

#endif
