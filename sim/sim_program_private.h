/** The arrays of a Program, for the files that build it, seal it and run it in tight loops. Nobody
 *  outside sim/ includes this. */
#ifndef SIM_PROGRAM_PRIVATE_H
#define SIM_PROGRAM_PRIVATE_H

#include "sim_program.h"

/** @op follows @on. */
typedef struct SimProgramDep {
    uint32_t op, on;
} SimProgramDep;

/** Names and their numbers. */
typedef struct SimNames {
    GHashTable *numbers; /* name to number + 1; looked up, never iterated */
    GPtrArray *names;    /* owns the strings */
} SimNames;

typedef struct SimClass {
    char *name;
    int64_t multiplicity;
    GPtrArray *streams;    /* their names */
    uint32_t first_stream; /* of the class, among the streams of all classes; sealed */
} SimClass;

typedef struct SimBlock {
    SimTime total;
    uint32_t first, count; /* its segments */
} SimBlock;

struct SimProgram {
    SimNames buckets, labels;
    GArray *classes;  /* SimClass */
    GArray *segments; /* SimSegment */
    GArray *blocks;   /* SimBlock */
    GArray *groups;   /* uint32_t: members that must arrive */
    uint16_t wait_bucket;
    bool has_wait_bucket;
    bool is_sealed;
    const char *overflow; /* the first thing that there was too much of, or NULL */

    SimOp *ops;
    uint32_t op_count, op_capacity;
    SimProgramDep *deps; /* until sealed */
    uint32_t dep_count, dep_capacity;

    /* Made by sim_program_seal(). Successors of op i: edges[first_edge[i]] .. [first_edge[i+1]]. */
    uint32_t *first_edge;
    uint32_t *edges;
    uint32_t *waits; /* how many operations each one follows */
    uint32_t
        *first_member; /* members of group g: members[first_member[g]] .. [first_member[g+1]] */
    uint32_t *members;
};

#endif
