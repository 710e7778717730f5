/** A net without a Program: transfers begin when the caller says so, and end one after another. */
#ifndef SIM_LIVE_H
#define SIM_LIVE_H

#include "sim_net.h"

#include <glib.h>

typedef struct SimLive SimLive;

/** Drives @net (borrowed, without a clock of its own) from time 0 on. Free with sim_live_free(). */
SimLive *sim_live_new(SimNet *net);
void sim_live_free(SimLive *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimLive, sim_live_free)

/** Transfer @transfer of the net, not under way, begins at @at, which is not before the last step.
 */
void sim_live_begin(SimLive *live, uint32_t transfer, SimTime at);

/** When something happens next, into @at; false when nothing ever will. O(1). */
bool sim_live_next(const SimLive *live, SimTime *at);

/** Does what happens next, which there is. True when that was the end of @transfer. */
bool sim_live_step(SimLive *live, uint32_t *transfer);

#endif
