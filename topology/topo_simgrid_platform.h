/** Routes over a fabric as a platform that SimGrid can load. Knows SimGrid's file format and needs
 *  no SimGrid. */
#ifndef TOPO_SIMGRID_PLATFORM_H
#define TOPO_SIMGRID_PLATFORM_H

#include "topo_graph.h"

typedef struct TopoSimgridPlatform TopoSimgridPlatform;

/** A platform without routes on @graph (borrowed). Free with topo_simgrid_platform_free(). */
TopoSimgridPlatform *topo_simgrid_platform_new(const TopoGraph *graph);
void topo_simgrid_platform_free(TopoSimgridPlatform *platform);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoSimgridPlatform, topo_simgrid_platform_free)

/** The number, from 0 on, of the route over @count @links, on which no flow is faster than
 *  @bound_bytes_per_s (INFINITY: as fast as the links are); flows share the links but not the
 *  bound. Equal routes have one number. The links are up: SimGrid takes a rate of 0 for no limit.
 */
uint32_t topo_simgrid_platform_route(TopoSimgridPlatform *platform, const uint32_t *links,
                                     guint count, double bound_bytes_per_s);

/** Whether a route uses @link, which is then called "l" and its number. */
bool topo_simgrid_platform_has_link(const TopoSimgridPlatform *platform, uint32_t link);

/** How many routes there are. */
uint32_t topo_simgrid_platform_route_count(const TopoSimgridPlatform *platform);

/** How many hosts carry the routes that there are. */
uint32_t topo_simgrid_platform_host_count(const TopoSimgridPlatform *platform);

/** The numbers of the hosts that @route leads @from and @to, among that many; host 7 is called
 *  "h7". Another route may change them. */
void topo_simgrid_platform_ends(const TopoSimgridPlatform *platform, uint32_t route, uint32_t *from,
                                uint32_t *to);

/** Writes the platform file. False when @out took an error. */
bool topo_simgrid_platform_write(const TopoSimgridPlatform *platform, FILE *out);

#endif
