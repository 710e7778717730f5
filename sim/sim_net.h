/** What the executor asks a network: when does this transfer end? */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "sim_queue.h"

typedef struct SimExec SimExec;
typedef struct SimNet SimNet;

/** A network model: embed it first in a struct of your own. It may answer at once (a closed form)
 *  or later, from an event of its own, having re-planned as often as it likes (a fluid model). */
struct SimNet {
    /** Transfer @transfer may start at @now: answer, now or later, with exactly one
     *  sim_exec_finish_at(@exec, @token, ...). Calls come in order of time; a group asks once.
     *  @exec is the same throughout a run, and gone after it. */
    void (*begin)(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now);
    /** NULL unless the net keeps a clock of its own. Called before every event, which is due at
     *  @until (SIM_TIME_MAX: there is none): time passes in the net. True as soon as transfers have
     *  ended, at @until or before it, and the net has answered for them; false when its clock is at
     *  @until and none has, or when none is under way. */
    bool (*advance)(SimNet *net, SimExec *exec, SimTime until);
    /** The end depends on the transfer and its start alone, not on what else is under way: begin
     *  may then be called in any order of time, must answer at once, and the event queue is saved.
     */
    bool is_contention_free;
};

/** The transfer behind @token ends at @at, which is not before sim_exec_now(). Final: call it once,
 *  when the end can no longer change. */
void sim_exec_finish_at(SimExec *exec, uint32_t token, SimTime at);

/** The instant that the executor is at. */
SimTime sim_exec_now(const SimExec *exec);

/** Has @run(@ctx, @at) called at @at, after all transfers that begin at that instant as far as is
 *  known by then; @ctx is borrowed. Returns a number for sim_exec_cancel(), never 0. */
uint64_t sim_exec_schedule(SimExec *exec, SimTime at, SimEventFunc run, void *ctx);

/** Takes back a call; false when it was made or taken back before. */
bool sim_exec_cancel(SimExec *exec, uint64_t scheduled);

#endif
