/** Ranges of a struct in memory, by the table that would have bound it. */
#ifndef SCEN_VERIFY_H
#define SCEN_VERIFY_H

#include "scen_bind.h"

/** True when each field of the struct @in is in its range; else errors placed by dotted path. */
bool scen_verify(const ScenTable *table, const void *in, ScenErrors *errors);

#endif
