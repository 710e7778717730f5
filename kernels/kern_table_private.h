/** Shared by kern_table.c and kern_table_serve.c. */
#ifndef KERN_TABLE_PRIVATE_H
#define KERN_TABLE_PRIVATE_H

#include "kern_table.h"

struct KernTable {
    KernGrid *grid[KERN_TABLE_OPS];
    size_t shapes[KERN_TABLE_OPS];
};

/** A place in a grid. Families are packed exactly, so that two never meet. */
typedef struct KernTablePlace {
    uint64_t family;
    int64_t at[KERN_GRID_LEVELS];
} KernTablePlace;

/** Appends to @points, an array of KernGridPoint. */
void kern_table_add_point(GArray *points, const KernTablePlace *place, double seconds);

/** The type that may stand for @dtype; itself when there is none. */
TopoDtype kern_table_twin(TopoDtype dtype);

/** How much longer @flop beside @bytes take at the clock of @device than at boost clock. */
double kern_table_slowdown(const KernDevice *device, TopoDtype dtype, double flop, double bytes);

/** Tells the tally of @device; whether @hit is one. */
bool kern_table_told(const KernDevice *device, KernTableOp op, KernGridHit hit);

#endif
