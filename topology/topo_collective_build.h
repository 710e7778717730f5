/** What the families of algorithms share, and the functions that the table names. Private to
 *  topo_collective*.c. */
#ifndef TOPO_COLLECTIVE_BUILD_H
#define TOPO_COLLECTIVE_BUILD_H

#include "topo_collective.h"

/** Begins a phase whose messages are sent @repeat times without turning; fields may be set. */
TopoPhase *topo_build_phase(TopoSchedule *schedule, uint32_t repeat);

/** Adds a message to the last phase. */
void topo_build_message(TopoSchedule *schedule, TopoMessage message);

/** Domains of the group; 1 when it lies within one. */
uint32_t topo_build_domains(const TopoCollectiveCall *call);

/** Pipeline chunks, at least 1. */
uint32_t topo_build_chunks(const TopoCollectiveCall *call);

/** Refuses a group, saying why. Always false. */
bool topo_build_refuse(GError **error, const char *why);

/** Refuses groups within one domain or that fill the domains unevenly. */
bool topo_build_spans_domains(const TopoCollectiveCall *call, GError **error);

/** Where rank @index of a strided sub-group stands: members first, first + stride, ... */
typedef struct TopoSubgroup {
    uint32_t first, stride, ranks;
    uint32_t block;  /* first block of the sub-group's tensor */
    uint32_t blocks; /* of its tensor; a multiple of @ranks for the ring */
    double bytes;    /* of its tensor */
} TopoSubgroup;

/** Appends to the last phase one step's messages of a ring over @group; the phase turns blocks by
 *  -blocks / ranks round @blocks. Rank i begins with part i (@lag 0) or the part before (@lag 1),
 *  and when @reduces adds. */
void topo_build_ring(TopoSchedule *schedule, const TopoSubgroup *group, uint32_t lag, bool reduces);

/** Appends to the last phase a pipelined all-reduce of @group over the two binary trees, halves
 *  of @chunks chunks each; the phase turns blocks by 1 round @chunks. */
void topo_build_double_tree(TopoSchedule *schedule, const TopoSubgroup *group, uint32_t chunks);

/** Steps of topo_build_double_tree() less those of its chunks: 2 * depth. */
uint32_t topo_build_double_tree_steps(uint32_t ranks);

/** The most that one rank sends in topo_build_double_tree(), in tensors. */
double topo_build_double_tree_share(uint32_t ranks);

/** Appends an all-reduce through a tree of switches of @radix ports down; switches number from
 *  @first_switch. Returns how many there are. The phase turns blocks by 1 round @chunks. */
uint32_t topo_build_switch_tree(TopoSchedule *schedule, const TopoSubgroup *group, uint32_t radix,
                                uint32_t first_switch, uint32_t chunks);

/** Levels of switches above @ranks. */
uint32_t topo_build_switch_levels(uint32_t ranks, uint32_t radix);

void topo_ring_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_ring_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

void topo_tree_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_tree_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

bool topo_halving_applies(const TopoCollectiveCall *call, GError **error);
void topo_halving_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_halving_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

void topo_hierarchical_ring_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_hierarchical_ring_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
void topo_hierarchical_tree_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_hierarchical_tree_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
bool topo_hierarchical_sharp_applies(const TopoCollectiveCall *call, GError **error);
void topo_hierarchical_sharp_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_hierarchical_sharp_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
bool topo_nvls_tree_applies(const TopoCollectiveCall *call, GError **error);
void topo_nvls_tree_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_nvls_tree_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

bool topo_nvls_applies(const TopoCollectiveCall *call, GError **error);
void topo_nvls_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_nvls_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
bool topo_sharp_applies(const TopoCollectiveCall *call, GError **error);
void topo_sharp_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_sharp_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

bool topo_shot_applies(const TopoCollectiveCall *call, GError **error);
void topo_one_shot_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_one_shot_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
void topo_two_shot_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_two_shot_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

void topo_direct_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_direct_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
void topo_pairwise_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_pairwise_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
void topo_two_level_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_two_level_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

void topo_expert_two_level_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_expert_two_level_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
void topo_expert_direct_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_expert_direct_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

void topo_send_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_send_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);
void topo_server_build(const TopoCollectiveCall *call, TopoSchedule *schedule);
void topo_server_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost);

#endif
