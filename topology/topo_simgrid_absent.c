/* Stands in for topo_simgrid.c in a build that found no SimGrid. */
#include "topo_simgrid.h"

SimRun *topo_simgrid_run(const SimProgram *p, const TopoTrafficSpec *spec, GArray **hot_links,
                         GError **error)
{
    (void)p;
    (void)spec;
    if (hot_links != NULL)
        *hot_links = NULL;
    g_set_error_literal(error, TOPO_ERROR, TOPO_ERROR_NO_SIMGRID,
                        "this build has no SimGrid: install libsimgrid-dev and build again");
    return NULL;
}
