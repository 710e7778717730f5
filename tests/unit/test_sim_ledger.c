/*
 * The ledger on timelines drawn by hand: busy, exposed, blocked, waiting, and their exact sum.
 */
#include <criterion/criterion.h>

#include "sim_error.h"
#include "sim_ledger.h"

/* Buckets and blocks that the cases share. */
typedef struct Books {
    SimProgram *p;
    uint16_t attention, mlp, comm, wait, label;
    uint32_t layer; /* 10 ns attention, 5 mlp, 10 attention */
    uint32_t brief; /* 4 ns mlp */
} Books;

static Books books_new(void)
{
    Books b = {.p = sim_program_new()};
    b.attention = sim_program_bucket(b.p, "attention");
    b.mlp = sim_program_bucket(b.p, "mlp");
    b.comm = sim_program_bucket(b.p, "comm");
    b.wait = sim_program_bucket(b.p, "bubble");
    b.label = sim_program_label(b.p, "op");
    sim_program_set_wait_bucket(b.p, b.wait);
    SimSegment layer[] = {
        {.duration_ns = 10, .bucket = b.attention, .label = b.label},
        {.duration_ns = 5,  .bucket = b.mlp,       .label = b.label},
        {.duration_ns = 10, .bucket = b.attention, .label = b.label},
    };
    b.layer = sim_program_add_block(b.p, layer, 3);
    SimSegment brief = {.duration_ns = 4, .bucket = b.mlp, .label = b.label};
    b.brief = sim_program_add_block(b.p, &brief, 1);
    return b;
}

static uint32_t add(Books *b, SimOpKind kind, uint32_t rank_class, uint16_t stream, uint32_t what,
                    uint32_t group)
{
    SimOp op = {
        .rank_class = rank_class,
        .group = group,
        .block = what,
        .stream = stream,
        .bucket = b->comm,
        .label = b->label,
        .kind = (uint8_t)kind,
    };
    return sim_program_add_op(b->p, &op);
}

static void begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    (void)net;
    sim_exec_finish_at(exec, token, now + transfer);
}

static SimLedger *account(Books *b)
{
    SimNet net = {.begin = begin};
    cr_assert(sim_program_seal(b->p, NULL));
    g_autoptr(SimRun) run = sim_exec_run(b->p, &net, NULL);
    cr_assert(run != NULL);
    SimLedger *ledger = sim_ledger_new(b->p, run, NULL);
    cr_assert(ledger != NULL);
    return ledger;
}

static void expect_class(const SimLedger *ledger, const Books *b, uint32_t rank_class,
                         const int64_t want[4])
{
    const uint16_t buckets[] = {b->attention, b->mlp, b->comm, b->wait};
    for (int i = 0; i < 4; i++) {
        int64_t got = sim_ledger_class_ns(ledger, rank_class, buckets[i]);
        cr_expect(got == want[i], "class %u, %s: %" G_GINT64_FORMAT, rank_class,
                  sim_program_bucket_name(b->p, buckets[i]), got);
    }
}

Test(sim_ledger, a_hidden_transfer_costs_nothing_and_an_exposed_one_what_sticks_out)
{
    Books b = books_new();
    sim_program_add_class(b.p, "rank", 8);
    uint16_t side = sim_program_add_stream(b.p, 0, "comm");
    uint32_t first = add(&b, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, b.layer, SIM_GROUP_NONE);
    uint32_t send = add(&b, SIM_OP_COLLECTIVE, 0, side, 40, SIM_GROUP_NONE);
    add(&b, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, b.layer, SIM_GROUP_NONE);
    uint32_t last = add(&b, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, b.brief, SIM_GROUP_NONE);
    sim_program_add_dep(b.p, send, first);
    sim_program_add_dep(b.p, last, send);
    g_autoptr(SimLedger) ledger = account(&b);
    /* 25 busy, 25 busy over the transfer of 40, 15 of it exposed, 4 busy. */
    cr_expect(ledger->makespan == 69);
    expect_class(ledger, &b, 0, (const int64_t[]){40, 14, 15, 0});
    cr_expect(sim_ledger_total_ns(ledger, b.comm) == 8 * 15);
    sim_program_free(b.p);
}

Test(sim_ledger, a_pipeline_stage_waits_then_sees_the_transfer)
{
    Books b = books_new();
    sim_program_add_class(b.p, "stage 0", 2);
    sim_program_add_class(b.p, "stage 1", 3);
    uint16_t side = sim_program_add_stream(b.p, 0, "down");
    uint32_t first = add(&b, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, b.layer, SIM_GROUP_NONE);
    uint32_t send = add(&b, SIM_OP_SEND, 0, side, 6, SIM_GROUP_NONE);
    uint32_t second = add(&b, SIM_OP_COMPUTE, 1, SIM_STREAM_MAIN, b.brief, SIM_GROUP_NONE);
    sim_program_add_dep(b.p, send, first);
    sim_program_add_dep(b.p, second, send);
    g_autoptr(SimLedger) ledger = account(&b);
    cr_expect(ledger->makespan == 35 && ledger->gpus == 5);
    expect_class(ledger, &b, 0, (const int64_t[]){20, 5, 0, 10});
    expect_class(ledger, &b, 1, (const int64_t[]){0, 4, 6, 25});
    cr_expect(sim_ledger_total_ns(ledger, b.wait) == 2 * 10 + 3 * 25);
    sim_program_free(b.p);
}

Test(sim_ledger, a_blocking_collective_is_communication_and_gathering_is_waiting)
{
    Books b = books_new();
    sim_program_add_class(b.p, "fast", 1);
    sim_program_add_class(b.p, "slow", 1);
    uint32_t group = sim_program_add_group(b.p, 2);
    add(&b, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, b.brief, SIM_GROUP_NONE);
    add(&b, SIM_OP_COLLECTIVE, 0, SIM_STREAM_MAIN, 30, group);
    add(&b, SIM_OP_COMPUTE, 1, SIM_STREAM_MAIN, b.layer, SIM_GROUP_NONE);
    add(&b, SIM_OP_COLLECTIVE, 1, SIM_STREAM_MAIN, 30, group);
    g_autoptr(SimLedger) ledger = account(&b);
    expect_class(ledger, &b, 0, (const int64_t[]){0, 4, 30, 21});
    expect_class(ledger, &b, 1, (const int64_t[]){20, 5, 30, 0});
    sim_program_free(b.p);
}

Test(sim_ledger, a_short_member_of_a_gang_waits_for_the_longest)
{
    Books b = books_new();
    sim_program_add_class(b.p, "short", 1);
    sim_program_add_class(b.p, "long", 1);
    sim_program_add_class(b.p, "idle", 1);
    uint32_t group = sim_program_add_group(b.p, 2);
    add(&b, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, b.brief, group);
    add(&b, SIM_OP_COMPUTE, 1, SIM_STREAM_MAIN, b.layer, group);
    g_autoptr(SimLedger) ledger = account(&b);
    expect_class(ledger, &b, 0, (const int64_t[]){0, 4, 0, 21});
    expect_class(ledger, &b, 1, (const int64_t[]){20, 5, 0, 0});
    expect_class(ledger, &b, 2, (const int64_t[]){0, 0, 0, 25});
    sim_program_free(b.p);
}

/* GPipe's bubble fraction (p - 1) / (m + p - 1), exactly: p (p - 1)(f + b) ns of waiting. */
Test(sim_ledger, gpipe_bubble_takes_its_closed_form)
{
    enum { STAGES = 4, MICRO = 12 };
    Books b = books_new();
    for (uint32_t i = 0; i < STAGES; i++)
        sim_program_add_class(b.p, "stage", 1);
    for (uint32_t i = 0; i < 2 * STAGES * MICRO; i++) {
        bool forward = i < STAGES * MICRO;
        uint32_t stage = forward ? i % STAGES : STAGES - 1 - i % STAGES;
        uint32_t op = add(&b, SIM_OP_COMPUTE, stage, SIM_STREAM_MAIN, forward ? b.brief : b.layer,
                          SIM_GROUP_NONE);
        if (i % STAGES > 0)
            sim_program_add_dep(b.p, op, op - 1);
    }
    g_autoptr(SimLedger) ledger = account(&b);
    cr_expect(sim_ledger_total_ns(ledger, b.wait) == STAGES * (STAGES - 1) * (4 + 25));
    cr_expect(ledger->makespan == (MICRO + STAGES - 1) * (4 + 25));
    sim_program_free(b.p);
}

Test(sim_ledger, more_gpu_time_than_fits_is_an_error)
{
    g_autoptr(GError) error = NULL;
    Books b = books_new();
    sim_program_add_class(b.p, "all", INT64_MAX);
    add(&b, SIM_OP_COMPUTE, 0, SIM_STREAM_MAIN, b.layer, SIM_GROUP_NONE);
    cr_assert(sim_program_seal(b.p, NULL));
    g_autoptr(SimRun) run = sim_exec_run(b.p, NULL, NULL);
    g_autoptr(SimLedger) ledger = sim_ledger_new(b.p, run, &error);
    cr_expect(ledger == NULL && g_error_matches(error, SIM_ERROR, SIM_ERROR_RANGE));
    sim_program_free(b.p);
}
