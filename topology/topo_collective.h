/** Collectives as schedules: who sends what to whom, in which order. An algorithm is a row of one
 *  table; every network model prices the same phases. See topo_collective.c. */
#ifndef TOPO_COLLECTIVE_H
#define TOPO_COLLECTIVE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TopoCollectiveOp {
    TOPO_OP_ALL_REDUCE,
    TOPO_OP_ALL_GATHER,
    TOPO_OP_REDUCE_SCATTER,
    TOPO_OP_BROADCAST,  /* from rank 0 */
    TOPO_OP_ALL_TO_ALL, /* every rank has a share for every rank */
    TOPO_OP_SEND,       /* rank 0 to rank 1 */
    TOPO_OP_PUSH,       /* gradients: workers to parameter servers */
    TOPO_OP_PULL,       /* parameters: servers to workers */
    TOPO_OP_DISPATCH,   /* tokens to their experts */
    TOPO_OP_COMBINE,    /* expert outputs back, summed per token */
    TOPO_OP_COUNT
} TopoCollectiveOp;

/** One message: @bytes from one rank to another, sent once a repetition from @start on. Ranks are
 *  indices in the group; switches that reduce are the indices from the group's size on. @block and
 *  @blocks say which of the schedule's blocks it carries. */
typedef struct TopoMessage {
    uint32_t from, to;
    uint32_t start;
    uint32_t block, blocks;
    bool reduces; /* adds to what the receiver holds; otherwise replaces it */
    double bytes;
} TopoMessage;

/** How an index moves from one sending to the next: by @shift, round the aligned run of @span
 *  indices that it lies in. @span 0: it stays. */
typedef struct TopoTurn {
    uint32_t span;
    int32_t shift;
} TopoTurn;

/** Messages that run at once, for @repeat steps one after another (at once too when @at_once).
 *  A message is sent @active times, from its own start on; before each sending after the first its
 *  indices turn. */
typedef struct TopoPhase {
    uint32_t first, count; /* messages of the schedule */
    uint32_t repeat, active;
    bool at_once;
    TopoTurn from, to, block;
} TopoPhase;

/** The phases of one collective, in order. Reusable: building into it again keeps its memory. */
typedef struct TopoSchedule {
    GArray *messages; /* of TopoMessage */
    GArray *phases;   /* of TopoPhase */
    uint32_t ranks;
    uint32_t switches; /* reducing switches that messages name */
    uint32_t blocks;   /* pieces of the tensor */
    uint32_t stripe;   /* block b belongs to rank (b % m) * stripe + b / m, m = ranks / stripe */
} TopoSchedule;

/** Where the tokens of an expert layer go: every rank routes @tokens, each to @topk of @experts,
 *  which lie in equal runs on the ranks. */
typedef struct TopoRouting {
    double tokens;
    double token_bytes; /* of one token on the wire, scales included */
    uint32_t experts, topk;
    uint32_t domain_limit;       /* domains that one token may visit; 0: any */
    const double *expert_weight; /* popularity of each expert, any scale; NULL: uniform. Borrowed */
} TopoRouting;

/** One collective to run. Fields that its operation does not need may be 0. */
typedef struct TopoCollectiveCall {
    TopoCollectiveOp op;
    uint32_t ranks;
    uint32_t ranks_per_domain; /* ranks fill scale-up domains in order, so many in each */
    double bytes; /* of the whole reduced, gathered, scattered, sent or pushed tensor; ALL_TO_ALL:
                     of what one rank holds for all ranks, itself included */
    uint32_t chunks;       /* pieces that a pipeline cuts its tensor into; 0: one */
    uint32_t servers;      /* PUSH, PULL: ranks below this one serve */
    uint32_t switch_radix; /* ranks or switches below one reducing switch of the fabric; 0: none */
    bool domain_reduces;   /* the switch inside a domain reduces and multicasts this dtype (NVLS) */
    const TopoRouting *routing; /* DISPATCH, COMBINE */
} TopoCollectiveCall;

/** What a schedule costs, in closed form. */
typedef struct TopoCollectiveCost {
    double port_bytes;       /* sent or received by the busiest rank, the larger */
    double inside_bytes;     /* likewise, over the wires inside its domain */
    double domain_out_bytes; /* sent to or received from others by the busiest domain */
    double steps;            /* one after another; a pipeline counts its chunks too */
    double steps_across;     /* of the steps that one piece of data takes, those between domains */
} TopoCollectiveCost;

/** An algorithm. */
typedef struct TopoAlgorithm {
    const char *name;
    const char *source;
    uint32_t serves; /* bit 1 << TopoCollectiveOp */
    bool rotates;    /* leaves a domain by one rank; libraries run one instance a rank, rotated */
    bool in_fabric;  /* its switches are the fabric's, not the NVSwitches of domains */
    /** Whether the group of @call suits; NULL: every group does. */
    bool (*applies)(const TopoCollectiveCall *call, GError **error);
    void (*build)(const TopoCollectiveCall *call, TopoSchedule *schedule);
    void (*cost)(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
} TopoAlgorithm;

/** Seconds and rates by which algorithms compete. */
typedef struct TopoCollectiveRates {
    double inside_hop_s, across_hop_s;
    double inside_bytes_per_s; /* of one rank, one direction */
    double domain_bytes_per_s; /* of all NICs of one domain that the group may use */
} TopoCollectiveRates;

/** All algorithms; @count receives how many. */
const TopoAlgorithm *topo_collective_all(size_t *count);

/** The algorithm called @name. NULL and @error with the known names when there is none. */
const TopoAlgorithm *topo_collective_by_name(const char *name, GError **error);

/** "all_reduce" and so on. */
const char *topo_collective_op_name(TopoCollectiveOp op);

/** Whether @call makes sense and @algorithm can run it; @error says why not. */
bool topo_collective_check(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                           GError **error);

/** The phases of @call by @algorithm into @schedule, replacing what it held. Groups of one rank
 *  have none. Errors as topo_collective_check(). O(ranks) messages for rings, trees, pairwise and
 *  hierarchical; O(ranks log ranks) for halving. */
bool topo_collective_phases(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                            TopoSchedule *schedule, GError **error);

/** The closed forms of @call by @algorithm. Errors as topo_collective_check(). */
bool topo_collective_cost(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                          TopoCollectiveCost *cost, GError **error);

/** Seconds of @cost when its inside and its outside part overlap chunk by chunk. */
double topo_collective_rate_s(const TopoCollectiveCost *cost, const TopoCollectiveRates *rates);

/** The algorithm with the least topo_collective_rate_s() that can run @call; the earlier row wins
 *  a tie. @seconds may be NULL. NULL and @error when none can. */
const TopoAlgorithm *topo_collective_cheapest(const TopoCollectiveCall *call,
                                              const TopoCollectiveRates *rates, double *seconds,
                                              GError **error);

/** Bus bandwidth over algorithm bandwidth as nccl-tests defines them: algbw = bytes / time. */
double topo_collective_bus_factor(TopoCollectiveOp op, uint32_t ranks);

/** bytes * bus factor: what a perfect ring would put on every link. */
double topo_collective_bus_bytes(TopoCollectiveOp op, uint32_t ranks, double bytes);

/** Message @index of @phase at its sending number @sending (below phase->active), turned. */
TopoMessage topo_schedule_message(const TopoSchedule *schedule, const TopoPhase *phase,
                                  uint32_t index, uint32_t sending);

/** The rank that block @block belongs to after a reduce-scatter, before an all-gather. */
uint32_t topo_schedule_home(const TopoSchedule *schedule, uint32_t block);

/** Chance that one token of uniform or weighted @routing visits at least one expert in
 *  [@first, @first + @count), which lie inside one domain of @domain_experts experts. */
double topo_routing_visit(const TopoRouting *routing, uint32_t first, uint32_t count,
                          uint32_t domain_experts);

TopoSchedule *topo_schedule_new(void);
void topo_schedule_free(TopoSchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoSchedule, topo_schedule_free)

#define TOPO_COLLECTIVE_ERROR (topo_collective_error_quark())
GQuark topo_collective_error_quark(void);

typedef enum TopoCollectiveError {
    TOPO_COLLECTIVE_ERROR_UNKNOWN_NAME,
    TOPO_COLLECTIVE_ERROR_BAD_CALL,       /* no algorithm could run it */
    TOPO_COLLECTIVE_ERROR_NOT_APPLICABLE, /* another algorithm might */
} TopoCollectiveError;

#endif
