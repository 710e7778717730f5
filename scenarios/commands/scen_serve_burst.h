/** The same requests, all at once: what a deployment does when it never waits for them. */
#ifndef SCEN_SERVE_BURST_H
#define SCEN_SERVE_BURST_H

#include "strat_request.h"

/** Requests of a burst, at most. */
enum { SCEN_SERVE_BURST = 4096 };

/** The first requests of @source (borrowed, and told of no answers), with their arrivals at 0. Free
 * with strat_source_free(). */
StratSource *scen_serve_burst_new(StratSource *source);

#endif
