/** Fits, printed as the catalogs and profiles hold them. */
#ifndef SCEN_FIT_YAML_H
#define SCEN_FIT_YAML_H

#include "scen_fit_table.h"
#include "topo_cluster.h"

/** Fits what @table holds of @node and prints it to stdout: gemm and attention for
 *  kernels/profiles, collectives for topology/catalog/protocols.yaml, and the all-reduces of
 *  @engine (NULL: none), whose limits stay, for engine_kernels.yaml. Kinds with fewer than twenty
 *  rows are left out. */
void scen_fit_yaml_print(const ScenFitTable *table, const TopoNode *node,
                         const TopoEngineFit *engine);

#endif
