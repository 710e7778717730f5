/** Measured layouts of one model held against each other: does the prediction pick the best? */
#ifndef SCEN_LAYOUT_STUDIES_H
#define SCEN_LAYOUT_STUDIES_H

#include "scen_validate.h"

/** Rows that differ in their plan alone; its texts are those of the rows. */
typedef struct ScenLayoutStudy {
    const char *name;
    guint rows, layouts;
    const char *chosen;      /* the row that is predicted to be fastest */
    const char *best;        /* the row that was measured to be */
    double lost_fraction;    /* measured step of the chosen over that of the best, less 1 */
    double rank_correlation; /* Spearman's, of predicted and measured steps; NaN: all are alike */
} ScenLayoutStudy;

/** What names the study of @scenario, which is from @group: the caller owns it. */
char *scen_layout_study_name(const ScenScenario *scenario, const char *group);

/** The studies of at least three rows in two layouts among those of @validation whose costs are
 *  priced, in order of first appearance. The caller owns the array of ScenLayoutStudy. */
GArray *scen_layout_studies(const ScenValidation *validation);

#endif
