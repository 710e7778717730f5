/** SimGrid as the network of a whole program. */
#ifndef TOPO_SIMGRID_H
#define TOPO_SIMGRID_H

#include "sim_exec.h"
#include "topo_lay.h"

/** A TopoNetRun: runs @p, sealed, with SimGrid moving the bytes of @spec's transfers, in a child
 *  process of its own. It keeps no books of links. Errors are those of sim_exec_run() and
 *  topo_lay_transfer(); TOPO_ERROR_NO_SIMGRID where there is no SimGrid; TOPO_ERROR_TOO_MUCH for
 * more flows than it can carry in sensible time; G_SPAWN_ERROR when the child died. */
SimRun *topo_simgrid_run(const SimProgram *p, const TopoTrafficSpec *spec, GArray **hot_links,
                         GError **error);

#endif
