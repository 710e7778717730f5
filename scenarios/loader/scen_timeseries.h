/** Curves that an engine logged: how many requests ran and waited, how full its cache was. */
#ifndef SCEN_TIMESERIES_H
#define SCEN_TIMESERIES_H

#include "strat_serve.h"

/** Reads the CSV file @path: columns `t` or `at_s` (seconds since the first request), `running`,
 *  `waiting`, and `kv_fraction` or `kv_cache_pct`. An array of StratServeSample (its rates are 0),
 *  which the caller owns; NULL and @error (file:line) when it is no such table. */
GArray *scen_timeseries_read(const char *path, GError **error);

#endif
