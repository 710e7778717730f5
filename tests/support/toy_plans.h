/** Plans that differ in everything a rank's time depends on, for laws that hold of all of them. */
#ifndef TOY_PLANS_H
#define TOY_PLANS_H

#include "sim_random.h"
#include "toy_world.h"

#include <stddef.h>

size_t toy_plan_count(void);

/** Plan @index, laid out on wires with latency and nodes of its own. */
ToyWorld toy_plan_at(size_t index);

/** What it is called, for messages: owned by the caller. */
char *toy_plan_describe(const ToyWorld *world);

/** Gives all layers of @world but the first 8 experts, 2 a token, over @ranks x @cut GPUs. */
void toy_make_experts(ToyWorld *world, int64_t ranks, int64_t cut);

/** A plan of sizes, overlaps and nodes that come from @stream, of at most some 300 ranks. */
ToyWorld toy_plan_random(SimRandom *stream);

enum { TOY_WORN_MAX = 5 };

/** Slow GPUs, some of one clock, and weak NICs, some of them dead. */
typedef struct ToyWorn {
    StratSlowGpu slow[TOY_WORN_MAX];
    StratWeakNic weak[TOY_WORN_MAX];
    StratJobState state; /* of these two: @worn stays where it is */
} ToyWorn;

/** Up to TOY_WORN_MAX of each of @world's, from @stream; every node keeps one NIC that is not dead.
 */
void toy_wear(const ToyWorld *world, SimRandom *stream, ToyWorn *worn);

#endif
