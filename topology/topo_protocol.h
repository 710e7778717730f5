/** How a collective library moves the bytes: protocols, channels, and the choice among them. See
 *  topo_protocol.c. */
#ifndef TOPO_PROTOCOL_H
#define TOPO_PROTOCOL_H

#include "topo_collective.h"

/** NCCL's protocols. */
typedef enum TopoProtocol {
    TOPO_PROTOCOL_LL,     /* a flag beside every 4 bytes: least latency, at most half the rate */
    TOPO_PROTOCOL_LL128,  /* a flag in every 128 bytes: 120/128 of the rate at most */
    TOPO_PROTOCOL_SIMPLE, /* whole chunks between fences: full rate */
    TOPO_PROTOCOL_COUNT
} TopoProtocol;

/** Operations that are measured apart; the others behave like one of them. */
typedef enum TopoProtocolOp {
    TOPO_PROTOCOL_ALL_REDUCE,
    TOPO_PROTOCOL_ALL_GATHER,
    TOPO_PROTOCOL_REDUCE_SCATTER,
    TOPO_PROTOCOL_ALL_TO_ALL,
    TOPO_PROTOCOL_OPS
} TopoProtocolOp;

/** One protocol over one kind of wire. */
typedef struct TopoProtocolTerm {
    double base_s;   /* launch, whatever the group */
    double hop_s;    /* of each step */
    double fraction; /* of the wire's rate that payload reaches; 0: the protocol is not there */
} TopoProtocolTerm;

/** One operation over one kind of wire, as fitted to measurements. */
typedef struct TopoProtocolFit {
    TopoProtocolTerm protocol[TOPO_PROTOCOL_COUNT];
    TopoProtocolTerm in_switch; /* Simple through a reducing switch */
    double copy_fraction; /* time to copy the tensor inside the GPU, of what the wire would take */
    double bulk_bias;     /* Simple is chosen when this times its time is the least: the library's
                             own tables, not the wires, say where it begins. 1: no bias */
    int64_t rows;         /* that were fitted, 0: taken from elsewhere; their median error */
    double median_error_fraction;
    int64_t large_rows; /* of those, from 64 kB to 1 GB; their median and 90 % error */
    double large_median_error_fraction;
    double large_p90_error_fraction;
} TopoProtocolFit;

/** All operations over one kind of wire. Strings are borrowed. */
typedef struct TopoProtocolFits {
    const char *name;
    const char *source;
    int64_t channels; /* parallel rings at most */
    bool in_node;     /* joins domains of one node (PCIe), where the library runs no trees */
    TopoProtocolFit op[TOPO_PROTOCOL_OPS];
} TopoProtocolFits;

/** The wires of a group. */
typedef struct TopoProtocolWires {
    const TopoProtocolFits *inside; /* a scale-up domain's */
    const TopoProtocolFits *across; /* between domains; NULL when the group lies within one */
    double inside_bytes_per_s;      /* of one rank, one direction, link rate */
    double domain_bytes_per_s;      /* of the NICs of one domain that the group may use */
} TopoProtocolWires;

/** What the library would run. */
typedef struct TopoProtocolChoice {
    const TopoAlgorithm *algorithm;
    TopoProtocol protocol;
    uint32_t channels;
    double seconds;      /* software_s + moving_s; flights between domains are not in it */
    double software_s;   /* launch, and the protocol's part of every step */
    double steps_across; /* steps between domains, of each of which a flight is still to be paid */
    double moving_s;     /* the bytes, at the rate of the narrowest wire */
} TopoProtocolChoice;

/** "LL", "LL128", "Simple". */
const char *topo_protocol_name(TopoProtocol protocol);

/** The measured operation that @op behaves like. */
TopoProtocolOp topo_protocol_op(TopoCollectiveOp op);

/** The algorithm and protocol that the library takes: the least predicted time, Simple's with its
 *  bias. Errors: a call that no algorithm of the library runs. */
bool topo_protocol_choose(const TopoCollectiveCall *call, const TopoProtocolWires *wires,
                          TopoProtocolChoice *choice, GError **error);

/** The best protocol of @algorithm for @call, whether the library would take that algorithm or not.
 *  Errors: the algorithm cannot run it, or the wires lack every protocol that it needs. */
bool topo_protocol_of(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                      const TopoProtocolWires *wires, TopoProtocolChoice *choice, GError **error);

/** Channels that carry @bytes: as many as have enough work for their threads. */
uint32_t topo_protocol_channels(TopoProtocol protocol, uint32_t ranks, double bytes, uint32_t most);

#endif
