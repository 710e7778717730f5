/** Random programs with everything in them: streams, dependencies, groups, gangs and transfers. */
#ifndef DRAWN_PROGRAM_H
#define DRAWN_PROGRAM_H

#include "sim_program.h"

enum {
    DRAWN_CLASSES = 5,
    DRAWN_STREAMS = 3,
    DRAWN_TRANSFERS = 20, /* their numbers are 0 to 19 */
    DRAWN_OPS = 120,      /* at least */
};

/** A sealed program, and what a naive reference wants to know of it. */
typedef struct DrawnProgram {
    SimProgram *p;
    GArray *deps; /* pairs of uint32_t: operation, what it follows */
} DrawnProgram;

/** The program of @seed, whose blocks have up to four segments of less than 30 times @tick_ns each.
 *  It can end. Clear with drawn_program_clear(). */
DrawnProgram drawn_program(uint64_t seed, SimTime tick_ns);

void drawn_program_clear(DrawnProgram *drawn);

#endif
