/** Ways inside a node or NVLink domain; for topo_route*.c only. */
#ifndef TOPO_ROUTE_LOCAL_H
#define TOPO_ROUTE_LOCAL_H

#include "topo_fabric.h"

/** Which devices a way may pass through: a bit for each TopoVertexKind. */
#define TOPO_ROUTE_VIA_SCALE_UP ((1u << TOPO_VERTEX_NVSWITCH) | (1u << TOPO_VERTEX_GPU))
#define TOPO_ROUTE_VIA_HOST ((1u << TOPO_VERTEX_PCIE_SWITCH) | (1u << TOPO_VERTEX_CPU))

/** Islands: devices that reach each other without the scale-out network. */
typedef struct TopoRouteLocal TopoRouteLocal;

/** Islands of @fabric (borrowed). Free with topo_route_local_free(). */
TopoRouteLocal *topo_route_local_new(const TopoFabric *fabric);
void topo_route_local_free(TopoRouteLocal *local);

/** Whether @a and @b are of one island. */
bool topo_route_local_is_near(const TopoRouteLocal *local, uint32_t a, uint32_t b);

/** GPUs of the island of @vertex, ascending, and in @position where @vertex stands among them
 *  (0 when it is no GPU). The span is empty when the island has none. */
TopoLinkSpan topo_route_local_gpus(const TopoRouteLocal *local, uint32_t vertex, size_t *position);

/** Where the bytes of @vertex enter the network: its nearest NIC, in turn where several are equally
 *  near; itself where it has no NIC. */
uint32_t topo_route_local_door(const TopoRouteLocal *local, uint32_t vertex);

/** Finds the live ways from @from to @to, passing devices of @via only (@to last): false when there
 *  is none. Then topo_route_local_next() leads along them. */
bool topo_route_local_search(TopoRouteLocal *local, uint32_t from, uint32_t to, uint32_t via);

/** Appends to @links the links of @vertex that lead closer to the end of the last search. */
void topo_route_local_next(const TopoRouteLocal *local, uint32_t vertex, GArray *links);

#endif
