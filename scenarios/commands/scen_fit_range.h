/** Prints the sizes that a fit stands on. */
#ifndef SCEN_FIT_RANGE_H
#define SCEN_FIT_RANGE_H

#include "scen_fit_table.h"

/** The block `fitted_on:` of a profile, of the products and the attention of @table; nothing when
 * it has neither. */
void scen_fit_range_print(const ScenFitTable *table);

#endif
