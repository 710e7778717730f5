/** SimGrid, loaded into this process. It has one engine a process and ends the process on any
 * error: for use in a child (topo_child.h). */
#ifndef TOPO_SIMGRID_ENGINE_H
#define TOPO_SIMGRID_ENGINE_H

#include "topo_simgrid_platform.h"

typedef struct TopoSimgridEngine TopoSimgridEngine;

/** What is told that something happened. */
typedef void (*TopoSimgridFunc)(void *ctx);

/** Loads SimGrid and gives it @platform (borrowed). NULL and @error (TOPO_ERROR_NO_SIMGRID) when
 *  the library cannot be loaded or the platform cannot be written. Free with
 *  topo_simgrid_engine_free(), which leaves SimGrid as it is. */
TopoSimgridEngine *topo_simgrid_engine_new(const TopoSimgridPlatform *platform, GError **error);
void topo_simgrid_engine_free(TopoSimgridEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoSimgridEngine, topo_simgrid_engine_free)

/** Sends @bytes over @route from @start_s on, or from now on if that has passed, and calls
 *  @arrived(@ctx) when they are there. */
void topo_simgrid_engine_carry(TopoSimgridEngine *engine, uint32_t route, double bytes,
                               double start_s, TopoSimgridFunc arrived, void *ctx);

/** From @at_s on @link, of the platform's graph, carries @bytes_per_s; 0: next to nothing. Before
 *  the run. */
void topo_simgrid_engine_change(TopoSimgridEngine *engine, uint32_t link, double at_s,
                                double bytes_per_s);

/** Runs all that was asked for, and what @guide(@ctx) asks for, which is called first unless it is
 *  NULL. @guide runs on a stack of 256 KiB, while nothing else does, and lets time pass by
 *  topo_simgrid_engine_wait(). Once. */
void topo_simgrid_engine_run(TopoSimgridEngine *engine, TopoSimgridFunc guide, void *ctx);

/** Has the guide wait until @until_s (INFINITY: without end) or until it is woken. It may also
 *  return earlier. */
void topo_simgrid_engine_wait(TopoSimgridEngine *engine, double until_s);

/** Wakes the guide. */
void topo_simgrid_engine_wake(TopoSimgridEngine *engine);

/** Seconds on SimGrid's clock. */
double topo_simgrid_engine_now_s(const TopoSimgridEngine *engine);

#endif
