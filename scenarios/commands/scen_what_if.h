/** What would change if one figure of the hardware were 10 % larger, or one knob were turned by one
 *  notch: asked by simulating each. */
#ifndef SCEN_WHAT_IF_H
#define SCEN_WHAT_IF_H

#include "scen_scenario.h"

/** What the figures of the hardware are multiplied by. */
#define SCEN_WHAT_IF_FACTOR 1.1

/** One simulation. What a scenario has no such figure of is NaN. */
typedef struct ScenWhatIfFigures {
    double time_s;       /* of a training step; serving: TPOT, mean over requests */
    double tokens_per_s; /* trained; serving: output tokens */
    double ttft_s;       /* serving: mean */
    double
        memory_fraction; /* of capacity: the fullest stage, the cache of training; serving: NaN */
    double usd_per_mtok; /* a million trained, or output, tokens */
} ScenWhatIfFigures;

/** One change. */
typedef struct ScenWhatIfEntry {
    const char *text; /* "HBM bandwidth +10 %", "recompute nothing" */
    char *setting;    /* as --set takes it: "plan.recompute=none" */
    bool hardware;    /* a figure of the hardware, or its price; else a knob */
    char *why;        /* it cannot be: it does not fit, or is not modelled; NULL: it can */
    ScenWhatIfFigures figures;
    double
        effect_fraction; /* time_s over that of the scenario as it is, less 1; NaN: it cannot be */
} ScenWhatIfEntry;

typedef struct ScenWhatIf {
    bool serves;
    ScenWhatIfFigures own; /* of the scenario as it is */
    char *why;             /* it does not fit as it is; NULL: it does */
    GArray *entries;       /* of ScenWhatIfEntry, shortest time first, what cannot be last */
    GPtrArray *notes;      /* of texts: what the entries are not about */
} ScenWhatIf;

/** Simulates every change of @scenario, @threads at a time (0: one a processor; the answer does not
 *  depend on it). NULL and @error when the scenario as it is, is not modelled. */
ScenWhatIf *scen_what_if(const ScenScenario *scenario, int threads, GError **error);

void scen_what_if_free(ScenWhatIf *what_if);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenWhatIf, scen_what_if_free)

#endif
