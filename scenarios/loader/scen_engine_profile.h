/** Kernel profiles of engines, as LLMServingSim's profiler writes them. */
#ifndef SCEN_ENGINE_PROFILE_H
#define SCEN_ENGINE_PROFILE_H

#include "strat_profile_price.h"

/** Reads the tables of the folder @path that were measured with @tensor ranks: tp<N>/dense.csv,
 *  per_sequence.csv, attention.csv, and moe.csv and skew_fit.csv where they exist; a folder that
 *  holds dense.csv itself is taken as it is. Times in microseconds. The caller frees it. NULL and
 *  @error (file:line): a file that is missing or malformed, layers that no model has. */
StratProfile *scen_engine_profile_read(const char *path, int64_t tensor, GError **error);

#endif
