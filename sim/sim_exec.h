/** Runs a Program. */
#ifndef SIM_EXEC_H
#define SIM_EXEC_H

#include "sim_net.h"
#include "sim_program.h"

/** When everything happened. */
typedef struct SimRun {
    uint32_t op_count;
    SimTime makespan; /* the last end, 0 for an empty program */
    SimTime *start;   /* of each operation */
    SimTime *end;
} SimRun;

/** Runs @p, sealed, on @net (borrowed; NULL if @p has no transfers). Returns the run, owned by the
 *  caller. Fails on operations that wait for each other or for a net that never answers
 *  (SIM_ERROR_DEADLOCK, naming some), or a time past SIM_TIME_MAX (SIM_ERROR_RANGE). */
SimRun *sim_exec_run(const SimProgram *p, SimNet *net, GError **error);

/** Frees @run; NULL is fine. */
void sim_run_free(SimRun *run);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimRun, sim_run_free)

#endif
