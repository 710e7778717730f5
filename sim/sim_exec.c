/*
 * The executor. An operation is ready when all that it follows have ended (its dependencies and the
 * one before it in its stream); it starts then, or, as a member of a group, when the last member is
 * ready:
 *
 *     start = max over predecessors of end;   group: start = max over members
 *     end   = start + length of its block;    gang:  start + longest of the members' blocks
 *     end   = what the net answers;           group: asked once
 *
 * As soon as an end is known, even one in the future, it is passed on to the successors: the end of
 * a block is known when it starts, so computation never goes through the event queue. Only what
 * must happen in order of time does: the start of a transfer (SIM_PHASE_CHANGE) and the net's own
 * events (SIM_PHASE_DECIDE), in the queue's order (at, phase, seq). An operation becomes ready when
 * its last predecessor's end gets known, so never before the current instant, and time only goes
 * forward. The result is the same as with an event for every operation: starts and ends are
 * maxima and sums over the same graph, and the net sees the same calls at the same instants. With
 * a net that is free of contention even the transfers need no queue, and the run is one pass over
 * the graph. A net with a clock of its own, another simulator, goes on for itself from one event to
 * the next and stops where it has an answer.
 *
 * What is left out: preemption, priorities between streams, and durations that change while an
 * operation runs; a strategy expresses these by another Program.
 */
#include "sim_exec.h"

#include <string.h>

#include "sim_error.h"
#include "sim_exec_private.h"
#include "sim_stuck.h"

enum {
    UNKNOWN = -1,
};

void sim_run_free(SimRun *run)
{
    if (run == NULL)
        return;
    g_free(run->start);
    g_free(run->end);
    g_free(run);
}

static SimTime later(SimExec *exec, SimTime start, SimTime duration)
{
    SimTime end;
    if (G_LIKELY(!__builtin_add_overflow(start, duration, &end)))
        return end;
    exec->is_too_late = true;
    return SIM_TIME_MAX;
}

static void end_op(SimExec *exec, uint32_t op, SimTime at)
{
    exec->run->end[op] = at;
    exec->ended[exec->ended_count++] = op;
}

/* Marks the event of a transfer that begins; the loop sees it and never calls it. */
static void transfer_begins(void *ctx, SimTime now)
{
    (void)ctx;
    (void)now;
    g_assert_not_reached();
}

static void begin_transfer(SimExec *exec, uint32_t op, SimTime at)
{
    g_assert(exec->net != NULL);
    if (!exec->net->is_contention_free) {
        sim_event_queue_push(exec->queue, at, SIM_PHASE_CHANGE, transfer_begins,
                             GUINT_TO_POINTER(op));
        return;
    }
    exec->now = at;
    exec->net->begin(exec->net, exec, exec->ops[op].transfer, op, at);
}

/* One more member of a group is ready; the last one starts them all. */
static void join_group(SimExec *exec, uint32_t op)
{
    const SimProgram *p = exec->program;
    uint32_t group = exec->ops[op].group;
    if (--exec->absent[group] > 0)
        return;
    const uint32_t *members = p->members + p->first_member[group];
    uint32_t count = p->first_member[group + 1] - p->first_member[group];
    bool is_gang = !sim_op_kind_is_transfer(exec->ops[op].kind);
    SimTime start = 0, longest = 0;
    for (uint32_t i = 0; i < count; i++) {
        start = MAX(start, exec->run->start[members[i]]);
        if (is_gang)
            longest = MAX(longest, exec->blocks[exec->ops[members[i]].block].total);
    }
    for (uint32_t i = 0; i < count; i++)
        exec->run->start[members[i]] = start;
    if (!is_gang) {
        begin_transfer(exec, members[0], start);
        return;
    }
    SimTime end = later(exec, start, longest);
    for (uint32_t i = 0; i < count; i++)
        end_op(exec, members[i], end);
}

static void make_ready(SimExec *exec, uint32_t op)
{
    const SimOp *what = &exec->ops[op];
    SimTime start = exec->run->start[op];
    if (what->group != SIM_GROUP_NONE)
        join_group(exec, op);
    else if (sim_op_kind_is_transfer(what->kind))
        begin_transfer(exec, op, start);
    else
        end_op(exec, op, later(exec, start, exec->blocks[what->block].total));
}

/* Passes on every end that is known, and those that follow from it. */
static void settle(SimExec *exec)
{
    SimTime *start = exec->run->start;
    while (exec->ended_count > 0) {
        uint32_t op = exec->ended[--exec->ended_count];
        SimTime end = exec->run->end[op];
        exec->finished++;
        for (uint32_t i = exec->first_edge[op]; i < exec->first_edge[op + 1]; i++) {
            uint32_t next = exec->edges[i];
            start[next] = MAX(start[next], end);
            if (--exec->waits[next] == 0)
                make_ready(exec, next);
        }
    }
}

void sim_exec_finish_at(SimExec *exec, uint32_t token, SimTime at)
{
    if (exec->live) {
        sim_live_finish_at(exec->live, token, at);
        return;
    }
    g_assert(token < exec->run->op_count && at >= exec->now && exec->run->end[token] == UNKNOWN);
    uint32_t group = exec->ops[token].group;
    if (group == SIM_GROUP_NONE) {
        end_op(exec, token, at);
        return;
    }
    const SimProgram *p = exec->program;
    for (uint32_t i = p->first_member[group]; i < p->first_member[group + 1]; i++)
        end_op(exec, p->members[i], at);
}

SimTime sim_exec_now(const SimExec *exec)
{
    return exec->now;
}

uint64_t sim_exec_schedule(SimExec *exec, SimTime at, SimEventFunc run, void *ctx)
{
    return sim_event_queue_push(exec->queue, at, SIM_PHASE_DECIDE, run, ctx);
}

bool sim_exec_cancel(SimExec *exec, uint64_t scheduled)
{
    return sim_event_queue_cancel(exec->queue, scheduled);
}

static void exec_init(SimExec *exec, const SimProgram *p, SimNet *net)
{
    size_t ops = p->op_count;
    size_t groups = p->groups->len;
    *exec = (SimExec){
        .program = p,
        .ops = p->ops,
        .blocks = (const SimBlock *)(void *)p->blocks->data,
        .first_edge = p->first_edge,
        .edges = p->edges,
        .net = net,
        .queue = sim_event_queue_new(),
        .run = g_new0(SimRun, 1),
        .waits = g_memdup2(p->waits, ops * sizeof(uint32_t)),
        .absent = g_memdup2(p->groups->data, groups * sizeof(uint32_t)),
        .ended = g_new(uint32_t, ops),
    };
    exec->run->op_count = p->op_count;
    exec->run->start = g_new0(SimTime, ops);
    exec->run->end = g_new(SimTime, ops);
    if (ops > 0)
        memset(exec->run->end, 0xff, ops * sizeof(SimTime));
}

static void exec_clear(SimExec *exec)
{
    sim_event_queue_free(exec->queue);
    sim_run_free(exec->run);
    g_free(exec->waits);
    g_free(exec->absent);
    g_free(exec->ended);
}

/* Lets a net with a clock of its own go on until the next event is due. True if it had an answer
 * before that. */
static bool advance_net(SimExec *exec)
{
    SimEvent next;
    if (exec->net == NULL || exec->net->advance == NULL)
        return false;
    SimTime until = sim_event_queue_peek(exec->queue, &next) ? next.at : SIM_TIME_MAX;
    return exec->net->advance(exec->net, exec, until);
}

/* What comes next, an answer or an event; false when there is neither. */
static bool run_next(SimExec *exec)
{
    SimEvent event;
    if (advance_net(exec))
        return true;
    if (!sim_event_queue_pop(exec->queue, &event))
        return false;
    exec->now = event.at;
    if (event.run == transfer_begins) {
        uint32_t op = GPOINTER_TO_UINT(event.ctx);
        exec->net->begin(exec->net, exec, exec->ops[op].transfer, op, event.at);
    } else {
        event.run(event.ctx, event.at);
    }
    return true;
}

static void run_all(SimExec *exec)
{
    for (uint32_t i = 0; i < exec->program->op_count; i++) {
        if (exec->program->waits[i] == 0) {
            make_ready(exec, i);
            settle(exec);
        }
    }
    while (run_next(exec))
        settle(exec);
}

SimRun *sim_exec_run(const SimProgram *p, SimNet *net, GError **error)
{
    g_assert(p->is_sealed);
    SimExec exec;
    exec_init(&exec, p, net);
    run_all(&exec);
    SimRun *run = NULL;
    if (exec.is_too_late) {
        g_set_error(error, SIM_ERROR, SIM_ERROR_RANGE, "the run lasts longer than %.0f years",
                    sim_time_to_seconds(SIM_TIME_MAX) / (365.25 * 24 * 3600));
    } else if (exec.finished < p->op_count) {
        sim_stuck_set_error(p, exec.run->end, exec.waits, exec.absent, error);
    } else {
        run = g_steal_pointer(&exec.run);
        for (uint32_t i = 0; i < p->op_count; i++)
            run->makespan = MAX(run->makespan, run->end[i]);
    }
    exec_clear(&exec);
    return run;
}
