/* NCCL's protocols, and its choice of (algorithm, protocol, channels).
 *
 * A collective that moves x bytes through a port in so many steps takes
 *
 *   time = base + steps inside * hop inside + steps across * hop across
 *        + max(x inside / (f inside * rate) + c * tensor / rate,
 *              x out of a domain / (f across * rate of its NICs))                         [s]
 *
 * base, hop and f belong to the protocol: LL writes a flag beside every 4 bytes of payload and
 * needs no fence, LL128 one in every 128 bytes, Simple moves whole chunks and fences them (Hu and
 * others 2025, "Demystifying NCCL", section III; NCCL, src/graph/tuning.cc, which has this form and
 * its own constants). c is the copy inside the GPU that a kernel makes of its own part; NICs do not
 * wait for it. Steps and bytes are closed forms of the algorithm's row (topo_collective.c).
 *
 * The library takes the least predicted time, by its own tables. They need not be right: on several
 * machines Simple begins where LL128 would still have been faster, and the measured time jumps.
 * bulk_bias below 1 says that: it multiplies Simple's time in the comparison only. And they count
 * twice the tensor out of every domain for a tree, whatever its place in it (ratio 0.5), and for a
 * tree over reducing domains unless these are two: so large tensors take the ring, also between two
 * domains, where a tree would send the tensor once.
 *
 * An all-to-all is grouped sends. With LL one warp serves one peer, so the largest message to one
 * peer counts and not the port.
 *
 * Channels: NCCL drops channels until each has at least threads * threshold bytes: 512 * 8 * ranks
 * for LL rings, 640 * 8 for LL128, 512 * 64 for Simple (src/enqueue.cc and comm.h,
 * NCCL_*_THREAD_THRESHOLD). They do not enter the time, which was fitted with them.
 *
 * Left out: several NICs of unlike rate, the chunk sizes of each protocol, user settings. */
#include "topo_protocol.h"

#include <math.h>

static const struct {
    const char *name;
    double bytes_per_channel; /* threads * bytes a thread */
    bool per_rank;            /* times the ranks of a ring */
} protocols[] = {
    [TOPO_PROTOCOL_LL] = {"LL",     512.0 * 8.0,  true },
    [TOPO_PROTOCOL_LL128] = {"LL128",  640.0 * 8.0,  false},
    [TOPO_PROTOCOL_SIMPLE] = {"Simple", 512.0 * 64.0, false},
};
_Static_assert(G_N_ELEMENTS(protocols) == TOPO_PROTOCOL_COUNT, "a row for each protocol");

/* What NCCL has, in order of preference among equals. Its tree is a chain inside each node and the
 * double binary tree between nodes, with the steps of our hierarchy and 0.92 of a ring's rate
 * (src/graph/tuning.cc). */
typedef struct Runs {
    const char *algorithm;
    bool in_switch;       /* Simple only, with the switch's own terms */
    bool between_nodes;   /* not between domains of one node */
    double rate_fraction; /* of what the protocol reaches in a ring */
    double counted;     /* tensors that its tables count out of a domain; 0: as many as leave it */
    double counted_two; /* likewise between two domains */
} Runs;

static const Runs library[] = {
    {"ring",               false, false, 1.0,  0.0, 0.0},
    {"nvls",               true,  false, 1.0,  0.0, 0.0},
    {"hierarchical-tree",  false, true,  0.92, 2.0, 2.0},
    {"nvls-tree",          true,  true,  1.0,  2.0, 1.0},
    {"hierarchical-sharp", false, true,  1.0,  0.0, 0.0},
    {"direct",             false, false, 1.0,  0.0, 0.0},
    {"send",               false, false, 1.0,  0.0, 0.0},
    {"parameter-server",   false, false, 1.0,  0.0, 0.0},
};

const char *topo_protocol_name(TopoProtocol protocol)
{
    return protocols[protocol].name;
}

TopoProtocolOp topo_protocol_op(TopoCollectiveOp op)
{
    static const TopoProtocolOp like[] = {
        [TOPO_OP_ALL_REDUCE] = TOPO_PROTOCOL_ALL_REDUCE,
        [TOPO_OP_ALL_GATHER] = TOPO_PROTOCOL_ALL_GATHER,
        [TOPO_OP_REDUCE_SCATTER] = TOPO_PROTOCOL_REDUCE_SCATTER,
        [TOPO_OP_BROADCAST] = TOPO_PROTOCOL_ALL_GATHER,
        [TOPO_OP_ALL_TO_ALL] = TOPO_PROTOCOL_ALL_TO_ALL,
        [TOPO_OP_SEND] = TOPO_PROTOCOL_ALL_TO_ALL,
        [TOPO_OP_PUSH] = TOPO_PROTOCOL_REDUCE_SCATTER,
        [TOPO_OP_PULL] = TOPO_PROTOCOL_ALL_GATHER,
        [TOPO_OP_DISPATCH] = TOPO_PROTOCOL_ALL_TO_ALL,
        [TOPO_OP_COMBINE] = TOPO_PROTOCOL_ALL_TO_ALL,
    };
    _Static_assert(G_N_ELEMENTS(like) == TOPO_OP_COUNT, "a likeness for each operation");
    return like[op];
}

/* What the library does not have is priced like a ring. */
static const Runs *runs_of(const TopoAlgorithm *algorithm)
{
    for (size_t i = 0; i < G_N_ELEMENTS(library); i++)
        if (g_str_equal(library[i].algorithm, algorithm->name))
            return &library[i];
    return &library[0];
}

static const TopoProtocolTerm *term_of(const TopoProtocolFit *fit, TopoProtocol protocol,
                                       bool switched)
{
    if (!switched)
        return &fit->protocol[protocol];
    return protocol == TOPO_PROTOCOL_SIMPLE && fit->in_switch.fraction > 0.0 ? &fit->in_switch
                                                                             : NULL;
}

/* The most that goes to one peer at a time. */
static double ll_bytes(const TopoCollectiveCall *call, double bytes)
{
    return call->op == TOPO_OP_ALL_TO_ALL ? call->bytes / call->ranks : bytes;
}

/* Fills the times of @choice for @call by @protocol once its bytes and steps are known; false where
 * the wires lack the protocol. */
static bool price(const TopoCollectiveCost *cost, const Runs *runs, TopoProtocol protocol,
                  const TopoCollectiveCall *call, const TopoProtocolWires *wires,
                  TopoProtocolChoice *choice)
{
    TopoProtocolOp op = topo_protocol_op(call->op);
    const TopoProtocolFit *fit = &wires->inside->op[op];
    const TopoProtocolTerm *in = term_of(fit, protocol, runs->in_switch), *out = in;
    bool spans = call->ranks > call->ranks_per_domain;
    if (spans)
        out = wires->across ? &wires->across->op[op].protocol[protocol] : NULL;
    if (!in || !out || in->fraction <= 0.0 || out->fraction <= 0.0 ||
        (spans && runs->between_nodes && wires->across->in_node))
        return false;
    double inside = cost->inside_bytes;
    if (protocol == TOPO_PROTOCOL_LL && !spans)
        inside = ll_bytes(call, inside);
    double copied = inside > 0.0 ? fit->copy_fraction * call->bytes : 0.0;
    double inside_s =
        (inside / (in->fraction * runs->rate_fraction) + copied) / wires->inside_bytes_per_s;
    double across_s = spans ? cost->domain_out_bytes /
                                  (out->fraction * runs->rate_fraction * wires->domain_bytes_per_s)
                            : 0.0;
    choice->protocol = protocol;
    choice->steps_across = cost->steps_across;
    choice->software_s = (spans ? out->base_s : in->base_s) +
                         (cost->steps - cost->steps_across) * in->hop_s +
                         cost->steps_across * out->hop_s;
    choice->moving_s = fmax(inside > 0.0 ? inside_s : 0.0, across_s);
    choice->seconds = choice->software_s + choice->moving_s;
    return true;
}

static bool is_nothing(const TopoCollectiveCall *call)
{
    return call->ranks <= 1 || call->bytes <= 0.0;
}

/* What decides between Simple and the others: the bias of the wire that the base comes from. */
static double bias_of(const TopoCollectiveCall *call, const TopoProtocolWires *wires,
                      TopoProtocol protocol)
{
    bool spans = call->ranks > call->ranks_per_domain && wires->across;
    const TopoProtocolFits *fits = spans ? wires->across : wires->inside;
    double bias = fits->op[topo_protocol_op(call->op)].bulk_bias;
    return protocol == TOPO_PROTOCOL_SIMPLE && bias > 0.0 ? bias : 1.0;
}

/* Seconds of @offer by the library's own tables. */
static double believed_s(const TopoCollectiveCost *cost, const Runs *runs,
                         const TopoCollectiveCall *call, const TopoProtocolWires *wires,
                         const TopoProtocolChoice *offer)
{
    if (runs->counted <= 0.0 || call->ranks <= call->ranks_per_domain)
        return offer->seconds;
    TopoProtocolChoice counted = *offer;
    TopoCollectiveCost tables = *cost;
    bool two = call->ranks <= 2 * call->ranks_per_domain;
    tables.domain_out_bytes = (two ? runs->counted_two : runs->counted) * call->bytes;
    price(&tables, runs, offer->protocol, call, wires, &counted);
    return counted.seconds;
}

/* Puts the best protocol of @algorithm into @choice when it beats @least, the biased seconds of
 * the best so far. False and @error when it cannot run the call at all. */
static bool compete(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                    const TopoProtocolWires *wires, double *least, TopoProtocolChoice *choice,
                    GError **error)
{
    TopoCollectiveCost cost;
    if (!topo_collective_cost(algorithm, call, &cost, error))
        return false;
    const Runs *runs = runs_of(algorithm);
    for (int p = 0; p < TOPO_PROTOCOL_COUNT; p++) {
        TopoProtocolChoice offer = {.algorithm = algorithm, .protocol = (TopoProtocol)p};
        if (!is_nothing(call) && !price(&cost, runs, offer.protocol, call, wires, &offer))
            continue;
        double biased =
            believed_s(&cost, runs, call, wires, &offer) * bias_of(call, wires, offer.protocol);
        if (biased >= *least)
            continue;
        *least = biased;
        *choice = offer;
    }
    return true;
}

static void count_channels(const TopoCollectiveCall *call, const TopoProtocolWires *wires,
                           TopoProtocolChoice *choice)
{
    choice->channels = topo_protocol_channels(choice->protocol, call->ranks, call->bytes,
                                              (uint32_t)wires->inside->channels);
}

bool topo_protocol_choose(const TopoCollectiveCall *call, const TopoProtocolWires *wires,
                          TopoProtocolChoice *choice, GError **error)
{
    *choice = (TopoProtocolChoice){0};
    double least = INFINITY;
    for (size_t i = 0; (unsigned)call->op < TOPO_OP_COUNT && i < G_N_ELEMENTS(library); i++) {
        const TopoAlgorithm *algorithm = topo_collective_by_name(library[i].algorithm, NULL);
        if (algorithm->serves & (1u << call->op))
            compete(algorithm, call, wires, &least, choice, NULL);
    }
    if (!choice->algorithm) {
        g_set_error(error, TOPO_COLLECTIVE_ERROR, TOPO_COLLECTIVE_ERROR_BAD_CALL,
                    "the collective library cannot run this on %u ranks, %u a domain", call->ranks,
                    call->ranks_per_domain);
        return false;
    }
    count_channels(call, wires, choice);
    return true;
}

bool topo_protocol_of(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                      const TopoProtocolWires *wires, TopoProtocolChoice *choice, GError **error)
{
    *choice = (TopoProtocolChoice){0};
    double least = INFINITY;
    if (!compete(algorithm, call, wires, &least, choice, error))
        return false;
    if (!choice->algorithm) {
        g_set_error(error, TOPO_COLLECTIVE_ERROR, TOPO_COLLECTIVE_ERROR_NOT_APPLICABLE,
                    "algorithm '%s': the wires have no protocol for it", algorithm->name);
        return false;
    }
    count_channels(call, wires, choice);
    return true;
}

uint32_t topo_protocol_channels(TopoProtocol protocol, uint32_t ranks, double bytes, uint32_t most)
{
    double each =
        protocols[protocol].bytes_per_channel * (protocols[protocol].per_rank ? ranks : 1);
    double channels = floor(bytes / each);
    return channels < 1.0 ? 1 : channels > MAX(most, 1) ? MAX(most, 1) : (uint32_t)channels;
}
