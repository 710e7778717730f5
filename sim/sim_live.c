/*
 * A net whose transfers are begun from outside, by a simulation with an event loop of its own. The
 * net sees what it sees under the executor: begins in order of time, first of all that happens at
 * their instant (SIM_PHASE_CHANGE), then its own calls (SIM_PHASE_DECIDE). Ends that it reports are
 * events too, so one that is foreseen does not overtake what happens before it.
 *
 * Left out: nets with a clock of their own (SimNet.advance).
 */
#include "sim_live.h"

#include "sim_exec_private.h"

struct SimLive {
    SimExec exec;
};

/* Marks the events that are not the net's own; the step sees them and never calls. */
static void moves(void *ctx, SimTime now)
{
    (void)ctx;
    (void)now;
    g_assert_not_reached();
}

static void push(SimLive *live, uint32_t transfer, bool ends, SimTime at)
{
    sim_event_queue_push(live->exec.queue, at, SIM_PHASE_CHANGE, moves,
                         GSIZE_TO_POINTER((gsize)transfer << 1 | ends));
}

SimLive *sim_live_new(SimNet *net)
{
    SimLive *live = g_new0(SimLive, 1);
    g_assert(!net->advance);
    live->exec = (SimExec){.net = net, .queue = sim_event_queue_new(), .live = live};
    return live;
}

void sim_live_free(SimLive *live)
{
    if (!live)
        return;
    sim_event_queue_free(live->exec.queue);
    g_free(live);
}

void sim_live_begin(SimLive *live, uint32_t transfer, SimTime at)
{
    push(live, transfer, false, at);
}

void sim_live_finish_at(SimLive *live, uint32_t token, SimTime at)
{
    push(live, token, true, at);
}

bool sim_live_next(const SimLive *live, SimTime *at)
{
    SimEvent next;
    if (!sim_event_queue_peek(live->exec.queue, &next))
        return false;
    *at = next.at;
    return true;
}

bool sim_live_step(SimLive *live, uint32_t *transfer)
{
    SimEvent event;
    SimExec *exec = &live->exec;
    bool popped = sim_event_queue_pop(exec->queue, &event);
    g_assert(popped);
    exec->now = event.at;
    if (event.run != moves) {
        event.run(event.ctx, event.at);
        return false;
    }
    *transfer = (uint32_t)(GPOINTER_TO_SIZE(event.ctx) >> 1);
    if (GPOINTER_TO_SIZE(event.ctx) & 1)
        return true;
    exec->net->begin(exec->net, exec, *transfer, *transfer, event.at);
    return false;
}
