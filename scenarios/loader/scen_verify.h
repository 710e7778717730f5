/** Ranges of a struct in memory, by the table that would have bound it. */
#ifndef SCEN_VERIFY_H
#define SCEN_VERIFY_H

#include "scen_bind.h"

/** Notes in @unsound the path of each field of the struct @in that is out of its range, and adds an
 *  error placed by that path to @errors, unless it is NULL. */
void scen_verify(const ScenTable *table, const void *in, ScenMarks *unsound, ScenErrors *errors);

#endif
