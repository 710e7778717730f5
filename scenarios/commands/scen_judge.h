/** Judging: the published figures of a scenario beside the simulated ones. */
#ifndef SCEN_JUDGE_H
#define SCEN_JUDGE_H

#include "scen_outcome.h"

/** One figure that was simulated. */
typedef struct ScenJudgement {
    const ScenFigure *figure; /* borrowed from the scenario */
    double simulated;
    bool is_within; /* what the figure takes for met */
} ScenJudgement;

/** Judges the figures of @scenario, in order: an array of ScenJudgement that the caller owns.
 *  @known (may be NULL) is its outcome, if it has been run. @sets (may be NULL) were laid over it
 * when it was loaded, and are laid under the settings of figures as well. NULL and @error when a
 * variant cannot be loaded or run, or a figure is of something that the scenario does not have. */
GArray *scen_judge(const ScenScenario *scenario, const ScenOutcome *known, const char *const *sets,
                   GError **error);

/** The value of @figure in @outcome of @scenario; NAN when it has none. */
double scen_figure_value(const ScenFigure *figure, const ScenScenario *scenario,
                         const ScenOutcome *outcome);

#endif
