/** SimGrid as a second opinion on flows that share links. For tests and benches; built only where
 *  SimGrid is installed. */
#ifndef SIMGRID_REFEREE_H
#define SIMGRID_REFEREE_H

#include "route_flows.h"

/** When each flow of @flows ends as SimGrid computes it, in seconds; the caller frees the array.
 * All links are up: SimGrid takes a rate of 0 for no limit.
 *  @took_s, if not NULL, receives the seconds on the wall of its run, without loading the platform
 *  and creating the actors. Runs in a child process of its own; NULL and @error as those of
 *  topo_child_ask() and topo_simgrid_engine_new(). */
double *simgrid_referee_ends_s(const RouteFlows *flows, double *took_s, GError **error);

#endif
