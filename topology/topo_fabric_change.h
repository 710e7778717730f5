/** A fabric that is not as it was ordered: links that are down or degraded, from the start or for a
 *  while, and racks that stand elsewhere. */
#ifndef TOPO_FABRIC_CHANGE_H
#define TOPO_FABRIC_CHANGE_H

#include "sim_time.h"
#include "topo_fabric.h"

/** Links that are not whole from the start. */
typedef struct TopoLinkHealth {
    const char *link; /* "leaf/0 -> spine/1", sets as in topo_devices.h; "spine/1": all links of
                         the device, both ways */
    bool both_ways;
    double health_fraction; /* of the rate that is left: 0 (down) to 1 */
} TopoLinkHealth;

/** Links that are not whole for a while. */
typedef struct TopoLinkFault {
    const char *link;
    bool both_ways;
    double health_fraction;
    double at_s;    /* from the start of the run */
    double until_s; /* after at_s; INFINITY: to the end of the run, for a link that is not down */
} TopoLinkFault;

/** A rack whose cables to the outside are longer. */
typedef struct TopoRackMove {
    int64_t rack;
    double length_m;
} TopoRackMove;

/** All of it; arrays are borrowed, and NULL when empty. */
typedef struct TopoFabricChanges {
    const TopoLinkHealth *health;
    size_t health_count;
    const TopoRackMove *moves;
    size_t move_count;
    const TopoLinkFault *faults;
    size_t fault_count;
} TopoFabricChanges;

/** From @at on @link has this health. */
typedef struct TopoLinkChange {
    SimTime at;
    uint32_t link; /* of the graph */
    double health_fraction;
} TopoLinkChange;

/** Sets the health of the links that @change names. False and @error when there are none. */
bool topo_fabric_set_health(TopoFabric *fabric, const TopoLinkHealth *change, GError **error);

/** Moves a rack. False and @error when there is no such rack. */
bool topo_fabric_move_rack(TopoFabric *fabric, const TopoRackMove *change, GError **error);

/** Does what @changes say from the start: health and racks. Routers notice. False and @error as
 *  above. */
bool topo_fabric_apply(TopoFabric *fabric, const TopoFabricChanges *changes, GError **error);

/** Whether @fault names links and times that make sense on @fabric. False and @error otherwise. */
bool topo_fabric_check_fault(const TopoFabric *fabric, const TopoLinkFault *fault, GError **error);

/** The faults of @changes link by link (of TopoLinkChange), by time, then link. @fabric is as
 *  topo_fabric_apply() left it. Of faults that overlap the worst holds; after the last the link has
 *  its health from the start. NULL and @error when a fault makes no sense; the caller frees. */
GArray *topo_fabric_link_changes(const TopoFabric *fabric, const TopoFabricChanges *changes,
                                 GError **error);

#endif
