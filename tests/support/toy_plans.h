/** Plans that differ in everything a rank's time depends on, for laws that hold of all of them. */
#ifndef TOY_PLANS_H
#define TOY_PLANS_H

#include "toy_world.h"

#include <stddef.h>

size_t toy_plan_count(void);

/** Plan @index, laid out on wires with latency and nodes of its own. */
ToyWorld toy_plan_at(size_t index);

/** What it is called, for messages: owned by the caller. */
char *toy_plan_describe(const ToyWorld *world);

#endif
