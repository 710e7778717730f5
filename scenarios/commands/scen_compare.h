/** Scenarios of one kind side by side: figures, accounts of GPU-seconds, and what differs. */
#ifndef SCEN_COMPARE_H
#define SCEN_COMPARE_H

#include "scen_scenario.h"

enum { SCEN_COMPARED_MOST = 8 };

/** A figure of all of them; NaN where one has none. */
typedef struct ScenComparedFigure {
    const char *key;  /* of JSON, with the unit */
    const char *text; /* with the unit that @scale makes of it */
    double scale;
    double values[SCEN_COMPARED_MOST];
} ScenComparedFigure;

/** An account, in GPU-seconds of a step, of a run or of a campaign. */
typedef struct ScenComparedAccount {
    const char *key, *text;
    double gpu_s[SCEN_COMPARED_MOST];
} ScenComparedAccount;

typedef struct ScenComparison {
    const char *kind; /* "training", "campaign" or "serving" */
    guint count;
    const char *names[SCEN_COMPARED_MOST];
    GArray *figures;  /* of ScenComparedFigure */
    GArray *accounts; /* of ScenComparedAccount, of their sum below */
    double total_gpu_s[SCEN_COMPARED_MOST];
    GArray *differences; /* of ScenDifference */
    GPtrArray *verdicts; /* of texts, one for each but the first, which they are held against */
} ScenComparison;

/** Runs the @count (2 to SCEN_COMPARED_MOST) @scenarios, which must outlive the answer. NULL and
 *  @error when they are of different kinds, or one does not run. */
ScenComparison *scen_compare(const ScenScenario *const *scenarios, guint count, GError **error);

void scen_comparison_free(ScenComparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenComparison, scen_comparison_free)

#endif
