/** The traffic of a program on a fabric: every transfer, of all the groups that run it at once,
 * laid over the links that it crosses, for the fluid network to share out. */
#ifndef TOPO_TRAFFIC_H
#define TOPO_TRAFFIC_H

#include "topo_hot_link.h"
#include "topo_lay.h"

/** The fluid network's TopoNetRun. @hot_links receives TopoHotLink by waited_s, then by load. */
SimRun *topo_traffic_run(const SimProgram *p, const TopoTrafficSpec *spec, GArray **hot_links,
                         GError **error);

#endif
