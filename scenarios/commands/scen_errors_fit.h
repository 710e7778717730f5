/** Standard errors of costs, fitted on predictions of published figures. */
#ifndef SCEN_ERRORS_FIT_H
#define SCEN_ERRORS_FIT_H

#include "scen_validate.h"

/** What fits of @validation's rows come to, as YAML with its coverage in comments: the errors of
 * the kinds, and the model_error of each plan that has one. The errors that the rows were loaded
 * with are the start and what the fit is pulled towards. @miss_price is what a row outside costs,
 * in relative half-width of one row: more gives wider intervals. The caller owns the text. */
char *scen_errors_fit(const ScenValidation *validation, double miss_price);

#endif
