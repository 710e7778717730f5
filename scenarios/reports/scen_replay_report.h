/** What `orrery replay` says, as text for a person and as JSON for a program: the same figures. */
#ifndef SCEN_REPLAY_REPORT_H
#define SCEN_REPLAY_REPORT_H

#include "strat_replay_study.h"

/** A what-if and its answer. */
typedef struct ScenReplayAnswer {
    char *name; /* "compute ideal" */
    double step_s;
} ScenReplayAnswer;

/** One replay. Everything is borrowed. */
typedef struct ScenReplayReport {
    const char *path;
    const StratReplay *replay;
    StratReplayTotals totals;
    const GArray *answers; /* of ScenReplayAnswer */
    const GArray
        *workers; /* of StratReplayCause, the dearest first; NULL: not asked, as the next */
    const GArray *stages;
    const GArray *kinds;
} ScenReplayReport;

/** T(all) / T(none): the slowdown of the job. */
double scen_replay_slowdown(const ScenReplayReport *report);

/** One screen of text. The caller owns it. */
char *scen_replay_text(const ScenReplayReport *report);

/** The result as JSON (schema 1). The caller owns it. */
char *scen_replay_json(const ScenReplayReport *report);

#endif
