/** Sets of devices by name, "nic/0..7", and how two sets are joined. */
#ifndef TOPO_DEVICES_H
#define TOPO_DEVICES_H

#include "topo_graph.h"

/** Devices of one kind: @count of them, @step apart, from @first. */
typedef struct TopoDevices {
    TopoVertexKind kind;
    uint32_t first, step, count; /* count at least 1 */
} TopoDevices;

/** Reads "leaf/3", "leaf/0..7" (both ends included) or "nic/2..26/8" (every eighth). False and
 *  @error, showing the forms, for anything else. */
bool topo_devices_parse(const char *text, TopoDevices *devices, GError **error);

/** Number of device @index of @devices among those of its kind. */
uint32_t topo_devices_at(const TopoDevices *devices, size_t index);

/** Which device of one set is joined with which of the other. */
typedef enum TopoPairing {
    TOPO_PAIRING_EACH,   /* the first with the first and so on; one device with all */
    TOPO_PAIRING_ALL,    /* every one with every other; of a set with itself, each pair once */
    TOPO_PAIRING_BLOCKS, /* the larger set in runs: 0 and 1 with 0, 2 and 3 with 1 */
    TOPO_PAIRING_TURNS,  /* the larger set in turn: 0 and 2 with 0, 1 and 3 with 1 */
} TopoPairing;

/** How many pairs @a and @b make by @pairing. 0 and @error when their sizes do not suit it. */
size_t topo_devices_pairs(const TopoDevices *a, const TopoDevices *b, TopoPairing pairing,
                          GError **error);

/** Pair @index of those: numbers of its devices into @from and @to. */
void topo_devices_pair_at(const TopoDevices *a, const TopoDevices *b, TopoPairing pairing,
                          size_t index, uint32_t *from, uint32_t *to);

#endif
