/** What the builders of fabrics share; for topo_fabric*.c only. */
#ifndef TOPO_FABRIC_BUILD_H
#define TOPO_FABRIC_BUILD_H

#include "topo_fabric.h"

/** Builds every node of the cluster: GPUs, scale-up network, PCIe, CPUs and NICs, without the
 *  scale-out network. @with_scale_up false leaves GPUs unjoined. */
bool topo_fabric_add_nodes(const TopoFabricSpec *spec, TopoFabric *fabric, bool with_scale_up,
                           GError **error);

/** Adds @count vertices of @kind at @level in @pod, in no rack; returns the first id. */
uint32_t topo_fabric_add_switches(TopoFabric *fabric, TopoVertexKind kind, uint8_t level,
                                  int32_t pod, int64_t count);

/** Joins switches @a and @b both ways. */
void topo_fabric_join(const TopoFabricSpec *spec, TopoFabric *fabric, uint32_t a, uint32_t b,
                      double bytes_per_s, double length_m);

/** Joins NIC @nic to leaf @leaf both ways with one port of @bytes_per_s. */
void topo_fabric_join_nic(const TopoFabricSpec *spec, TopoFabric *fabric, uint32_t nic,
                          uint32_t leaf, double bytes_per_s);

/** Puts node @node, all that is in it, into @pod. */
void topo_fabric_set_node_pod(const TopoFabricSpec *spec, TopoFabric *fabric, int64_t node,
                              int32_t pod);

/** Fails with a message about one parameter. */
bool topo_fabric_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Rows of the table, by file. */
bool topo_fabric_build_single_switch(const TopoFabricSpec *spec, TopoFabric *fabric,
                                     GError **error);
bool topo_fabric_build_leaf_spine(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
bool topo_fabric_build_fat_tree(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
bool topo_fabric_build_rail_optimised(const TopoFabricSpec *spec, TopoFabric *fabric,
                                      GError **error);
bool topo_fabric_build_rail_only(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
bool topo_fabric_build_dual_tor(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
bool topo_fabric_build_dual_plane(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
bool topo_fabric_build_nvl72(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
bool topo_fabric_build_dragonfly_plus(const TopoFabricSpec *spec, TopoFabric *fabric,
                                      GError **error);
bool topo_fabric_build_torus_2d(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
bool topo_fabric_build_torus_3d(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);
bool topo_fabric_build_custom(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error);

#endif
