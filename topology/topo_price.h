/** What one transfer costs alone: the collective library's choice and its closed form. */
#ifndef TOPO_PRICE_H
#define TOPO_PRICE_H

#include "topo_net.h"

/** Who else may be at work in the nodes of a transfer. */
typedef enum TopoCrowd {
    TOPO_CROWD_NONE, /* nobody, or somebody whose traffic the network model sees itself */
    TOPO_CROWD_NODE, /* every GPU of the node, in a group of its own: NICs are shared evenly */
} TopoCrowd;

/** The call that @transfer is to the collective library of @cluster. */
TopoCollectiveCall topo_price_call(const TopoCluster *cluster, const TopoTransfer *transfer);

/** The algorithm, protocol and times of @transfer, without the flights between domains. Errors: a
 *  group that the algorithm, or the library, cannot run. */
bool topo_price(const TopoCluster *cluster, const TopoTransfer *transfer, TopoCrowd crowd,
                TopoProtocolChoice *choice, GError **error);

/** Seconds of @choice when each step between domains takes @flight_s to get there. */
double topo_price_s(const TopoProtocolChoice *choice, double flight_s);

#endif
