/** Tables in other columns than AIConfigurator's, for `orrery fit`. */
#ifndef SCEN_FIT_FOREIGN_H
#define SCEN_FIT_FOREIGN_H

#include "scen_fit_table.h"

/** Adds the rows of the file @path when its columns are of another known kind, else sets @taken to
 *  false and reads nothing. False and @error when the file is wrong. */
bool scen_fit_foreign_read(ScenFitTable *table, const char *path, bool *taken, GError **error);

#endif
