/*
 * The executor on programs small enough to run by hand: chains, diamonds, gangs, collectives, a
 * pipeline against its closed form, a network that shares bandwidth and re-plans, and deadlocks.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "sim_error.h"
#include "sim_exec.h"

/* A program under construction, with a block of each length from 0 to 99 ns. */
typedef struct Sketch {
    SimProgram *p;
    uint16_t bucket, label;
} Sketch;

static Sketch sketch_new(uint32_t classes)
{
    Sketch s = {.p = sim_program_new()};
    s.bucket = sim_program_bucket(s.p, "work");
    s.label = sim_program_label(s.p, "work");
    for (SimTime i = 0; i < 100; i++) {
        SimSegment segment = {.duration_ns = i, .bucket = s.bucket, .label = s.label};
        sim_program_add_block(s.p, &segment, 1);
    }
    for (uint32_t i = 0; i < classes; i++) {
        g_autofree char *name = g_strdup_printf("stage %u", i);
        sim_program_add_class(s.p, name, 1);
        sim_program_add_stream(s.p, i, "side");
    }
    return s;
}

static uint32_t add(Sketch *s, SimOpKind kind, uint32_t rank_class, uint16_t stream, uint32_t what,
                    uint32_t group)
{
    SimOp op = {
        .rank_class = rank_class,
        .group = group,
        .block = what,
        .stream = stream,
        .bucket = s->bucket,
        .label = s->label,
        .kind = (uint8_t)kind,
    };
    return sim_program_add_op(s->p, &op);
}

static uint32_t add_compute(Sketch *s, uint32_t rank_class, uint32_t duration_ns)
{
    return add(s, SIM_OP_COMPUTE, rank_class, SIM_STREAM_MAIN, duration_ns, SIM_GROUP_NONE);
}

/* A net whose transfer number is its length in ns; it counts its calls. */
typedef struct FixedNet {
    SimNet net;
    int calls;
} FixedNet;

static void fixed_begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    ((FixedNet *)net)->calls++;
    cr_expect(sim_exec_now(exec) == now);
    sim_exec_finish_at(exec, token, now + transfer);
}

static SimRun *run_fixed(Sketch *s, FixedNet *fixed)
{
    g_autoptr(GError) error = NULL;
    fixed->net.begin = fixed_begin;
    cr_assert(sim_program_seal(s->p, &error), "%s", error ? error->message : "");
    SimRun *run = sim_exec_run(s->p, &fixed->net, &error);
    cr_assert(run != NULL, "%s", error ? error->message : "");
    return run;
}

Test(sim_exec, an_empty_program_takes_no_time)
{
    g_autoptr(SimProgram) p = sim_program_new();
    cr_assert(sim_program_seal(p, NULL));
    g_autoptr(SimRun) run = sim_exec_run(p, NULL, NULL);
    cr_assert(run != NULL);
    cr_expect(run->makespan == 0 && run->op_count == 0);
}

Test(sim_exec, a_stream_is_a_chain)
{
    Sketch s = sketch_new(1);
    FixedNet fixed = {.calls = 0};
    add_compute(&s, 0, 10);
    add(&s, SIM_OP_COPY, 0, SIM_STREAM_MAIN, 7, SIM_GROUP_NONE);
    add(&s, SIM_OP_DELAY, 0, SIM_STREAM_MAIN, 0, SIM_GROUP_NONE);
    uint32_t last = add_compute(&s, 0, 5);
    g_autoptr(SimRun) run = run_fixed(&s, &fixed);
    cr_expect(run->start[last] == 17 && run->end[last] == 22 && run->makespan == 22);
    sim_program_free(s.p);
}

Test(sim_exec, a_diamond_waits_for_its_longer_arm)
{
    Sketch s = sketch_new(4);
    FixedNet fixed = {.calls = 0};
    uint32_t top = add_compute(&s, 0, 10);
    uint32_t left = add_compute(&s, 1, 20);
    uint32_t right = add(&s, SIM_OP_SEND, 2, 1, 35, SIM_GROUP_NONE);
    uint32_t bottom = add_compute(&s, 3, 1);
    sim_program_add_dep(s.p, left, top);
    sim_program_add_dep(s.p, right, top);
    sim_program_add_dep(s.p, bottom, left);
    sim_program_add_dep(s.p, bottom, right);
    g_autoptr(SimRun) run = run_fixed(&s, &fixed);
    cr_expect(run->start[left] == 10 && run->start[right] == 10);
    cr_expect(run->start[bottom] == 45 && run->makespan == 46);
    sim_program_free(s.p);
}

Test(sim_exec, streams_of_a_class_overlap_until_one_needs_the_other)
{
    Sketch s = sketch_new(1);
    FixedNet fixed = {.calls = 0};
    uint32_t first = add_compute(&s, 0, 10);
    uint32_t copy = add(&s, SIM_OP_COPY, 0, 1, 30, SIM_GROUP_NONE);
    uint32_t second = add_compute(&s, 0, 10);
    uint32_t third = add_compute(&s, 0, 10);
    sim_program_add_dep(s.p, copy, first);
    sim_program_add_dep(s.p, third, copy);
    g_autoptr(SimRun) run = run_fixed(&s, &fixed);
    cr_expect(run->start[copy] == 10 && run->start[second] == 10 && run->start[third] == 40);
    sim_program_free(s.p);
}

Test(sim_exec, a_collective_starts_with_its_last_member_and_asks_the_net_once)
{
    Sketch s = sketch_new(3);
    FixedNet fixed = {.calls = 0};
    uint32_t group = sim_program_add_group(s.p, 3);
    uint32_t member[3];
    for (uint32_t i = 0; i < 3; i++) {
        add_compute(&s, i, 10 * (i + 1));
        member[i] = add(&s, SIM_OP_COLLECTIVE, i, SIM_STREAM_MAIN, 50, group);
    }
    uint32_t after = add_compute(&s, 0, 1);
    g_autoptr(SimRun) run = run_fixed(&s, &fixed);
    for (int i = 0; i < 3; i++)
        cr_expect(run->start[member[i]] == 30 && run->end[member[i]] == 80);
    cr_expect(run->start[after] == 80 && fixed.calls == 1);
    sim_program_free(s.p);
}

Test(sim_exec, a_gang_runs_in_lockstep_with_its_slowest)
{
    Sketch s = sketch_new(2);
    add_compute(&s, 1, 5);
    uint32_t group = sim_program_add_group(s.p, 2);
    uint32_t fast = add(&s, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, 10, group);
    uint32_t slow = add(&s, SIM_OP_COMPUTE, 1, SIM_STREAM_MAIN, 25, group);
    cr_assert(sim_program_seal(s.p, NULL));
    g_autoptr(SimRun) run = sim_exec_run(s.p, NULL, NULL);
    cr_assert(run != NULL);
    cr_expect(run->start[fast] == 5 && run->start[slow] == 5);
    cr_expect(run->end[fast] == 30 && run->end[slow] == 30);
    sim_program_free(s.p);
}

static const struct {
    uint32_t stages, micro, forward_ns, backward_ns;
} pipelines[] = {
    {1, 1,  10, 20},
    {4, 1,  10, 20},
    {4, 12, 10, 20},
    {8, 32, 7,  13},
};

/* GPipe (Huang 2019): makespan (m + p - 1)(f + b), so a bubble of (p - 1) / (m + p - 1). */
Test(sim_exec, gpipe_takes_its_closed_form)
{
    for (size_t k = 0; k < G_N_ELEMENTS(pipelines); k++) {
        uint32_t p = pipelines[k].stages, m = pipelines[k].micro;
        uint32_t f = pipelines[k].forward_ns, b = pipelines[k].backward_ns;
        Sketch s = sketch_new(p);
        for (uint32_t i = 0; i < p * m; i++) {
            uint32_t op = add_compute(&s, i % p, f);
            if (i % p > 0)
                sim_program_add_dep(s.p, op, op - 1);
        }
        for (uint32_t i = 0; i < p * m; i++) {
            uint32_t op = add_compute(&s, p - 1 - i % p, b);
            if (i % p > 0)
                sim_program_add_dep(s.p, op, op - 1);
        }
        cr_assert(sim_program_seal(s.p, NULL));
        g_autoptr(SimRun) run = sim_exec_run(s.p, NULL, NULL);
        cr_assert(run != NULL);
        cr_expect(run->makespan == (SimTime)(m + p - 1) * (f + b), "case %zu", k);
        sim_program_free(s.p);
    }
}

/* One link of rate 1 byte/ns that its flows share equally; a flow is as many bytes as its transfer
 * number. Small enough to check by hand, and it does all that a fluid model does: it answers late,
 * and changes its mind whenever a flow comes or goes. */
typedef struct Shared {
    SimNet net;
    SimExec *exec;
    uint32_t token[4];
    double left[4];
    int flows, replans;
    SimTime since;
    uint64_t planned;
} Shared;

static void shared_advance(Shared *link, SimTime now)
{
    for (int i = 0; i < link->flows; i++)
        link->left[i] -= (double)(now - link->since) / link->flows;
    link->since = now;
}

static void shared_done(void *ctx, SimTime now);

static void shared_plan(Shared *link, SimTime now)
{
    double least = 1e9;
    if (link->planned != 0 && sim_exec_cancel(link->exec, link->planned))
        link->replans++;
    link->planned = 0;
    for (int i = 0; i < link->flows; i++)
        least = MIN(least, link->left[i]);
    if (link->flows > 0)
        link->planned =
            sim_exec_schedule(link->exec, now + (SimTime)(least * link->flows), shared_done, link);
}

static void shared_done(void *ctx, SimTime now)
{
    Shared *link = ctx;
    shared_advance(link, now);
    for (int i = link->flows - 1; i >= 0; i--) {
        if (link->left[i] > 1e-9)
            continue;
        sim_exec_finish_at(link->exec, link->token[i], now);
        link->flows--;
        link->token[i] = link->token[link->flows];
        link->left[i] = link->left[link->flows];
    }
    shared_plan(link, now);
}

static void shared_begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    Shared *link = (Shared *)net;
    link->exec = exec;
    shared_advance(link, now);
    link->token[link->flows] = token;
    link->left[link->flows++] = transfer;
    shared_plan(link, now);
}

Test(sim_exec, a_net_may_answer_late_and_change_its_mind)
{
    Sketch s = sketch_new(2);
    uint32_t early = add(&s, SIM_OP_SEND, 0, 1, 100, SIM_GROUP_NONE);
    add_compute(&s, 1, 50);
    uint32_t late = add(&s, SIM_OP_SEND, 1, SIM_STREAM_MAIN, 100, SIM_GROUP_NONE);
    uint32_t after = add_compute(&s, 0, 10);
    sim_program_add_dep(s.p, after, early);
    cr_assert(sim_program_seal(s.p, NULL));
    Shared link = {.net.begin = shared_begin};
    g_autoptr(SimRun) run = sim_exec_run(s.p, &link.net, NULL);
    cr_assert(run != NULL);
    /* 50 bytes alone, then 50 at half the rate; the other has 50 left and the link to itself. */
    cr_expect(run->end[early] == 150 && run->end[late] == 200 && link.replans == 1);
    cr_expect(run->start[after] == 150);
    sim_program_free(s.p);
}

Test(sim_exec, a_net_free_of_contention_gives_the_same_times)
{
    Sketch s = sketch_new(8);
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t compute = add_compute(&s, i % 8, i);
        if (last != UINT32_MAX)
            sim_program_add_dep(s.p, compute, last);
        last = add(&s, SIM_OP_SEND, i % 8, 1, i / 2, SIM_GROUP_NONE);
        sim_program_add_dep(s.p, last, compute);
    }
    FixedNet fixed = {.calls = 0};
    g_autoptr(SimRun) queued = run_fixed(&s, &fixed);
    fixed.net.is_contention_free = true;
    g_autoptr(SimRun) direct = sim_exec_run(s.p, &fixed.net, NULL);
    cr_assert(direct != NULL);
    cr_expect(memcmp(queued->end, direct->end, queued->op_count * sizeof(SimTime)) == 0);
    sim_program_free(s.p);
}

static void silent_begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    (void)net, (void)exec, (void)transfer, (void)token, (void)now;
}

static void expect_deadlock(Sketch *s, SimNet *net, const char *want)
{
    g_autoptr(GError) error = NULL;
    cr_assert(sim_program_seal(s->p, NULL));
    g_autoptr(SimRun) run = sim_exec_run(s->p, net, &error);
    cr_assert(run == NULL);
    cr_expect(g_error_matches(error, SIM_ERROR, SIM_ERROR_DEADLOCK));
    cr_expect(strstr(error->message, want) != NULL, "%s", error->message);
    sim_program_free(s->p);
}

Test(sim_exec, a_cycle_is_an_error_that_names_who_waits_for_whom)
{
    Sketch s = sketch_new(2);
    add_compute(&s, 0, 1);
    uint32_t a = add_compute(&s, 0, 1);
    uint32_t b = add_compute(&s, 1, 1);
    sim_program_add_dep(s.p, a, b);
    sim_program_add_dep(s.p, b, a);
    expect_deadlock(
        &s, NULL,
        "2 of 3 operations never ended; 1 'work' (class 'stage 0', stream 'main') waits "
        "for 2 'work' (class 'stage 1', stream 'main'); 2 'work'");
}

Test(sim_exec, a_group_that_never_gathers_is_an_error)
{
    Sketch s = sketch_new(1);
    uint32_t group = sim_program_add_group(s.p, 2);
    add(&s, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, 1, group);
    add(&s, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, 1, group);
    expect_deadlock(&s, NULL, "waits for 1 of the 2 members of group 0");
}

Test(sim_exec, a_net_that_never_answers_is_an_error)
{
    Sketch s = sketch_new(1);
    add(&s, SIM_OP_SEND, 0, 1, 3, SIM_GROUP_NONE);
    SimNet silent = {.begin = silent_begin};
    expect_deadlock(&s, &silent, "waits for the network to end transfer 3");
}

Test(sim_exec, an_error_names_five_at_most)
{
    Sketch s = sketch_new(1);
    uint32_t first = add_compute(&s, 0, 1);
    for (int i = 0; i < 9; i++)
        add_compute(&s, 0, 1);
    sim_program_add_dep(s.p, first, 9);
    expect_deadlock(&s, NULL, "waits for 3 'work' (class 'stage 0', stream 'main'); ...");
}

Test(sim_exec, time_that_runs_out_is_an_error)
{
    g_autoptr(GError) error = NULL;
    Sketch s = sketch_new(1);
    SimSegment age = {.duration_ns = SIM_TIME_MAX - 10, .bucket = s.bucket, .label = s.label};
    uint32_t block = sim_program_add_block(s.p, &age, 1);
    add_compute(&s, 0, block);
    add_compute(&s, 0, 11);
    cr_assert(sim_program_seal(s.p, NULL));
    g_autoptr(SimRun) run = sim_exec_run(s.p, NULL, &error);
    cr_expect(run == NULL && g_error_matches(error, SIM_ERROR, SIM_ERROR_RANGE));
    sim_program_free(s.p);
}
