/** Why a run could not finish, in words. */
#ifndef SIM_STUCK_H
#define SIM_STUCK_H

#include "sim_program.h"

/** Sets @error (SIM_ERROR_DEADLOCK) to a message that names the first few operations of @p without
 *  an end (@end < 0) and what each waits for: @waits counts the predecessors that have not ended,
 *  for each operation, @absent the members that are not ready, for each group. */
void sim_stuck_set_error(const SimProgram *p, const SimTime *end, const uint32_t *waits,
                         const uint32_t *absent, GError **error);

#endif
