/*
 * Random programs: the executor against a naive longest path (repeat until nothing changes), with a
 * net that answers at once, one that answers late, one past the event queue and one with a clock of
 * its own; the ledger's sums; and the trace of two runs, byte for byte.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "drawn_program.h"
#include "sim_ledger.h"
#include "sim_trace.h"

enum {
    PROGRAMS = 150,
};

static SimTime transfer_ns(uint32_t transfer)
{
    return transfer % 50;
}

static void begin_now(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    (void)net;
    sim_exec_finish_at(exec, token, now + transfer_ns(transfer));
}

/* Answers at the very end of each transfer, from an event. */
typedef struct LateNet {
    SimNet net;
    GPtrArray *answers;
    SimTime last;
    bool is_in_order;
} LateNet;

typedef struct Answer {
    SimExec *exec;
    uint32_t token;
} Answer;

static void answer_late(void *ctx, SimTime now)
{
    const Answer *answer = ctx;
    sim_exec_finish_at(answer->exec, answer->token, now);
}

static void begin_late(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    LateNet *late = (LateNet *)net;
    Answer *answer = g_new(Answer, 1);
    *answer = (Answer){.exec = exec, .token = token};
    g_ptr_array_add(late->answers, answer);
    late->is_in_order = late->is_in_order && now >= late->last;
    late->last = now;
    sim_exec_schedule(exec, now + transfer_ns(transfer), answer_late, answer);
}

/* Keeps a clock of its own and answers when that gets there. */
typedef struct ClockNet {
    SimNet net;
    GArray *pending; /* of PendingEnd */
    SimTime now;
    bool is_in_order;
} ClockNet;

typedef struct PendingEnd {
    SimTime at;
    uint32_t token;
} PendingEnd;

static void begin_pending(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token,
                          SimTime now)
{
    ClockNet *clock = (ClockNet *)net;
    PendingEnd end = {.at = now + transfer_ns(transfer), .token = token};
    clock->is_in_order = clock->is_in_order && now >= clock->now && sim_exec_now(exec) == now;
    g_array_append_val(clock->pending, end);
}

static bool advance_clock(SimNet *net, SimExec *exec, SimTime until)
{
    ClockNet *clock = (ClockNet *)net;
    guint first = 0;
    clock->is_in_order = clock->is_in_order && until >= clock->now;
    if (clock->pending->len == 0)
        return false;
    for (guint i = 1; i < clock->pending->len; i++) {
        if (g_array_index(clock->pending, PendingEnd, i).at <
            g_array_index(clock->pending, PendingEnd, first).at)
            first = i;
    }
    PendingEnd end = g_array_index(clock->pending, PendingEnd, first);
    clock->now = MIN(end.at, until);
    if (end.at > until)
        return false;
    g_array_remove_index_fast(clock->pending, first);
    sim_exec_finish_at(exec, end.token, end.at);
    return true;
}

static bool raise_to(SimTime *value, SimTime least)
{
    bool is_raised = *value < least;
    *value = MAX(*value, least);
    return is_raised;
}

static SimTime op_ns(const SimProgram *p, const SimOp *op)
{
    return sim_op_kind_is_transfer(op->kind) ? transfer_ns(op->transfer)
                                             : sim_program_block_total(p, op->block);
}

/* Raises what must be later because of @a: itself, its stream, its group. */
static bool relax_pairs(const SimProgram *p, SimTime *start, SimTime *end, uint32_t a)
{
    const SimOp *x = sim_program_op(p, a);
    bool changed = raise_to(&end[a], start[a] + op_ns(p, x));
    for (uint32_t b = 0; b < sim_program_op_count(p); b++) {
        const SimOp *y = sim_program_op(p, b);
        if (b > a && x->rank_class == y->rank_class && x->stream == y->stream)
            changed |= raise_to(&start[b], end[a]);
        if (x->group != SIM_GROUP_NONE && x->group == y->group) {
            changed |= raise_to(&start[b], start[a]);
            changed |= raise_to(&end[b], end[a]);
        }
    }
    return changed;
}

/* The least starts and ends that satisfy every rule, by raising them until nothing changes. */
static void naive_run(const DrawnProgram *drawn, SimTime *start, SimTime *end)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (uint32_t a = 0; a < sim_program_op_count(drawn->p); a++)
            changed |= relax_pairs(drawn->p, start, end, a);
        for (guint i = 0; i < drawn->deps->len; i += 2) {
            uint32_t op = g_array_index(drawn->deps, uint32_t, i);
            uint32_t on = g_array_index(drawn->deps, uint32_t, i + 1);
            changed |= raise_to(&start[op], end[on]);
        }
    }
}

static void expect_run(const SimRun *run, const SimTime *start, const SimTime *end, uint64_t seed,
                       const char *net)
{
    cr_assert(run != NULL, "seed %d, %s", (int)seed, net);
    size_t bytes = run->op_count * sizeof(SimTime);
    cr_expect(memcmp(run->start, start, bytes) == 0, "seed %d, %s: starts", (int)seed, net);
    cr_expect(memcmp(run->end, end, bytes) == 0, "seed %d, %s: ends", (int)seed, net);
}

Test(sim_exec_dag, every_net_agrees_with_the_naive_longest_path)
{
    for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
        DrawnProgram drawn = drawn_program(seed, 1);
        uint32_t ops = sim_program_op_count(drawn.p);
        g_autofree SimTime *start = g_new0(SimTime, ops);
        g_autofree SimTime *end = g_new0(SimTime, ops);
        naive_run(&drawn, start, end);
        SimNet net = {.begin = begin_now};
        g_autoptr(SimRun) queued = sim_exec_run(drawn.p, &net, NULL);
        expect_run(queued, start, end, seed, "at once");
        net.is_contention_free = true;
        g_autoptr(SimRun) direct = sim_exec_run(drawn.p, &net, NULL);
        expect_run(direct, start, end, seed, "contention-free");
        g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(g_free);
        LateNet late = {.net.begin = begin_late, .answers = answers, .is_in_order = true};
        g_autoptr(SimRun) slow = sim_exec_run(drawn.p, &late.net, NULL);
        expect_run(slow, start, end, seed, "late");
        cr_expect(late.is_in_order, "seed %d: the net saw time go back", (int)seed);
        g_autoptr(GArray) pending = g_array_new(FALSE, FALSE, sizeof(PendingEnd));
        ClockNet clock = {
            .net = {.begin = begin_pending, .advance = advance_clock},
            .pending = pending,
            .is_in_order = true
        };
        g_autoptr(SimRun) clocked = sim_exec_run(drawn.p, &clock.net, NULL);
        expect_run(clocked, start, end, seed, "by its own clock");
        cr_expect(clock.is_in_order, "seed %d: the clocks fell apart", (int)seed);
        drawn_program_clear(&drawn);
    }
}

Test(sim_exec_dag, ledger_sums_to_gpus_times_makespan)
{
    for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
        DrawnProgram drawn = drawn_program(seed, 1);
        SimNet net = {.begin = begin_now};
        g_autoptr(SimRun) run = sim_exec_run(drawn.p, &net, NULL);
        g_autoptr(SimLedger) ledger = sim_ledger_new(drawn.p, run, NULL);
        cr_assert(ledger != NULL);
        int64_t total = 0, gpus = 0;
        for (uint16_t i = 0; i < sim_program_bucket_count(drawn.p); i++) {
            cr_expect(sim_ledger_total_ns(ledger, i) >= 0);
            total += sim_ledger_total_ns(ledger, i);
        }
        for (uint32_t i = 0; i < DRAWN_CLASSES; i++)
            gpus += sim_program_class_multiplicity(drawn.p, i);
        cr_expect(total == gpus * run->makespan, "seed %d", (int)seed);
        drawn_program_clear(&drawn);
    }
}

static char *trace_of(uint64_t seed)
{
    DrawnProgram drawn = drawn_program(seed, 1);
    SimNet net = {.begin = begin_now};
    g_autoptr(SimRun) run = sim_exec_run(drawn.p, &net, NULL);
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    SimEvents *events = sim_events_new(file);
    sim_trace_write(&(SimTraceView){.program = drawn.p, .run = run}, events);
    cr_assert(sim_events_close(events, NULL));
    fclose(file);
    drawn_program_clear(&drawn);
    return text;
}

Test(sim_exec_dag, running_twice_gives_the_same_bytes)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        char *first = trace_of(seed);
        char *second = trace_of(seed);
        char *other = trace_of(seed + 1000);
        cr_expect(strcmp(first, second) == 0, "seed %d", (int)seed);
        cr_expect(strcmp(first, other) != 0, "the comparison notices a difference");
        free(first);
        free(second);
        free(other);
    }
}
