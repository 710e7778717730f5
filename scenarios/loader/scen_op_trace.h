/** Operation traces of training jobs, for a replay. */
#ifndef SCEN_OP_TRACE_H
#define SCEN_OP_TRACE_H

#include "strat_replay.h"

/** Reads the CSV file @path, gzip or not, with the columns step, dp, pp, op, start_us and dur_us
 *  (others are left alone) and links its operations. NULL and @error ("file:line: ", or the file
 * and the step where operations are missing). Free with strat_replay_free(). */
StratReplay *scen_op_trace_read(const char *path, GError **error);

#endif
