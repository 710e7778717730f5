/*
 * Random programs: the executor against a naive longest path (repeat until nothing changes), with a
 * net that answers at once, one that answers late, and one past the event queue; the ledger's sums;
 * and the trace of two runs, byte for byte.
 *
 * A program is drawn so that it can end: operations only depend on earlier ones, and the members of
 * a group come in a row, of different classes, depending on what is before the first of them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "sim_ledger.h"
#include "sim_random.h"
#include "sim_trace.h"

enum {
    PROGRAMS = 150,
    CLASSES = 5,
    STREAMS = 3,
    BLOCKS = 20,
    OPS = 120,
};

/* What the naive reference remembers of a program: all its dependencies. */
typedef struct Drawn {
    SimProgram *p;
    GArray *deps; /* pairs of uint32_t: operation, what it follows */
} Drawn;

static uint32_t draw_below(SimRandom *bits, uint64_t bound)
{
    return (uint32_t)sim_random_below(bits, bound);
}

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

static void draw_op(Drawn *drawn, SimRandom *bits, SimOp *op, uint32_t before)
{
    op->stream = (uint16_t)draw_below(bits, STREAMS);
    uint32_t id = sim_program_add_op(drawn->p, op);
    for (uint32_t i = draw_below(bits, 4); i > 0 && before > 0; i--) {
        uint32_t pair[] = {id, draw_below(bits, before)};
        sim_program_add_dep(drawn->p, pair[0], pair[1]);
        g_array_append_vals(drawn->deps, pair, 2);
    }
}

static Drawn draw_program(uint64_t seed)
{
    SimRandom bits = sim_random_stream(seed, "program");
    Drawn drawn = {.p = sim_program_new(), .deps = g_array_new(FALSE, FALSE, sizeof(uint32_t))};
    uint16_t label = sim_program_label(drawn.p, "op");
    uint16_t comm = sim_program_bucket(drawn.p, "comm");
    const char *names[] = {"a", "b", "c"};
    for (uint32_t i = 0; i < BLOCKS; i++) {
        SimSegment parts[4];
        uint32_t count = draw_below(&bits, 5);
        for (uint32_t j = 0; j < count; j++) {
            uint16_t bucket = sim_program_bucket(drawn.p, names[draw_below(&bits, 3)]);
            parts[j] = (SimSegment){draw_below(&bits, 30), bucket, label};
        }
        sim_program_add_block(drawn.p, parts, count);
    }
    for (uint32_t i = 0; i < CLASSES; i++) {
        sim_program_add_class(drawn.p, "class", 1 + draw_below(&bits, 100));
        for (int j = 1; j < STREAMS; j++)
            sim_program_add_stream(drawn.p, i, "side");
    }
    while (sim_program_op_count(drawn.p) < OPS) {
        uint32_t before = sim_program_op_count(drawn.p);
        uint32_t members = draw_below(&bits, 3) == 0 ? 1 + draw_below(&bits, CLASSES) : 0;
        SimOp op = {.label = label, .bucket = comm, .group = SIM_GROUP_NONE};
        op.kind = (uint8_t)draw_below(&bits, SIM_OP_KINDS);
        op.block = draw_below(&bits, BLOCKS);
        op.rank_class = draw_below(&bits, CLASSES);
        if (members > 0)
            op.group = sim_program_add_group(drawn.p, members);
        for (uint32_t i = 0; i < MAX(members, 1); i++) {
            draw_op(&drawn, &bits, &op, before);
            op.rank_class = (op.rank_class + 1) % CLASSES;
            if (!sim_op_kind_is_transfer(op.kind))
                op.block = draw_below(&bits, BLOCKS);
        }
    }
    cr_assert(sim_program_seal(drawn.p, NULL));
    return drawn;
}

static void drawn_clear(Drawn *drawn)
{
    sim_program_free(drawn->p);
    g_array_unref(drawn->deps);
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
static void naive_run(const Drawn *drawn, SimTime *start, SimTime *end)
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
        Drawn drawn = draw_program(seed);
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
        drawn_clear(&drawn);
    }
}

Test(sim_exec_dag, ledger_sums_to_gpus_times_makespan)
{
    for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
        Drawn drawn = draw_program(seed);
        SimNet net = {.begin = begin_now};
        g_autoptr(SimRun) run = sim_exec_run(drawn.p, &net, NULL);
        g_autoptr(SimLedger) ledger = sim_ledger_new(drawn.p, run, NULL);
        cr_assert(ledger != NULL);
        int64_t total = 0, gpus = 0;
        for (uint16_t i = 0; i < sim_program_bucket_count(drawn.p); i++) {
            cr_expect(sim_ledger_total_ns(ledger, i) >= 0);
            total += sim_ledger_total_ns(ledger, i);
        }
        for (uint32_t i = 0; i < CLASSES; i++)
            gpus += sim_program_class_multiplicity(drawn.p, i);
        cr_expect(total == gpus * run->makespan, "seed %d", (int)seed);
        drawn_clear(&drawn);
    }
}

static char *trace_of(uint64_t seed)
{
    Drawn drawn = draw_program(seed);
    SimNet net = {.begin = begin_now};
    g_autoptr(SimRun) run = sim_exec_run(drawn.p, &net, NULL);
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    cr_assert(sim_trace_write(drawn.p, run, file, NULL));
    fclose(file);
    drawn_clear(&drawn);
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
