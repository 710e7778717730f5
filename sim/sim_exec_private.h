/** What a net talks to: between sim_exec.c, which runs a Program, and sim_live.c, where transfers
 * come from elsewhere. */
#ifndef SIM_EXEC_PRIVATE_H
#define SIM_EXEC_PRIVATE_H

#include "sim_exec.h"
#include "sim_live.h"
#include "sim_program_private.h"

struct SimExec {
    const SimProgram *program;
    const SimOp *ops; /* these four are the program's, at hand for the inner loop */
    const SimBlock *blocks;
    const uint32_t *first_edge;
    const uint32_t *edges;
    SimNet *net;
    SimEventQueue *queue;
    SimTime now;
    SimRun *run;      /* start: latest end of predecessors so far; end: -1 until known */
    uint32_t *waits;  /* predecessors that have not ended, for each operation */
    uint32_t *absent; /* members that are not ready, for each group */
    uint32_t *ended;  /* stack of operations whose successors have not been told */
    uint32_t ended_count;
    uint32_t finished; /* operations whose end is known */
    bool is_too_late;
    SimLive *live; /* not NULL: no program, all else but the net, the queue and the clock is 0 */
};

/** The net's answer in @live: see sim_exec_finish_at(). */
void sim_live_finish_at(SimLive *live, uint32_t token, SimTime at);

#endif
