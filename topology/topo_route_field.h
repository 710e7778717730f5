/** Distances between switches, one field for each target in use; for topo_route*.c only. */
#ifndef TOPO_ROUTE_FIELD_H
#define TOPO_ROUTE_FIELD_H

#include "topo_fabric.h"

/** No way to the target. */
#define TOPO_ROUTE_FAR UINT16_MAX

/** The switches of a fabric (and its GPUs, where they forward) with the live links among them. */
typedef struct TopoRouteField TopoRouteField;

/** Fields of @fabric (borrowed). Free with topo_route_field_free(). */
TopoRouteField *topo_route_field_new(const TopoFabric *fabric);
void topo_route_field_free(TopoRouteField *field);

/** Drops what a change of health made stale. Before any of the calls below. */
void topo_route_field_refresh(TopoRouteField *field);

/** Whether @vertex belongs to the network that fields cover. */
bool topo_route_field_has(const TopoRouteField *field, uint32_t vertex);

/** Hops from switch @from to switch @to over live links, or TOPO_ROUTE_FAR. */
uint16_t topo_route_field_hops(TopoRouteField *field, uint32_t from, uint32_t to);

/** Appends to @links, in ascending order, the live links of @from that lead closer to @to, which is
 *  not @from and can be reached. */
void topo_route_field_next(TopoRouteField *field, uint32_t from, uint32_t to, GArray *links);

#endif
