/*
 * A net without a program: transfers begin when they are told to, in any order of telling, and end
 * when the net says so, in order of time.
 */
#include <criterion/criterion.h>

#include "sim_live.h"

/* Answers at once: transfer i takes 10 (i + 1) ns. */
static void begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    (void)net;
    cr_expect_eq(sim_exec_now(exec), now);
    sim_exec_finish_at(exec, token, now + 10 * ((SimTime)transfer + 1));
}

/* Answers from an event of its own, 5 ns later. */
typedef struct LateNet {
    SimNet base;
    SimExec *exec;
    uint32_t token;
} LateNet;

static void answer(void *ctx, SimTime now)
{
    LateNet *net = ctx;
    sim_exec_finish_at(net->exec, net->token, now);
}

static void begin_late(SimNet *base, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    LateNet *net = (LateNet *)base;
    (void)transfer;
    net->exec = exec;
    net->token = token;
    sim_exec_schedule(exec, now + 5, answer, net);
}

/* Steps until a transfer ends; its number, and when into @at. */
static uint32_t next_end(SimLive *live, SimTime *at)
{
    uint32_t transfer;
    do
        cr_assert(sim_live_next(live, at), "nothing happens");
    while (!sim_live_step(live, &transfer));
    return transfer;
}

Test(sim_live, transfers_end_in_order_of_time_and_may_begin_between_ends)
{
    SimNet net = {.begin = begin};
    SimTime at;
    g_autoptr(SimLive) live = sim_live_new(&net);
    cr_expect_not(sim_live_next(live, &at));
    sim_live_begin(live, 4, 0); /* until 50 */
    sim_live_begin(live, 1, 7); /* until 27 */
    sim_live_begin(live, 0, 3); /* until 13 */
    cr_expect_eq(next_end(live, &at), 0);
    cr_expect_eq(at, 13);
    sim_live_begin(live, 0, 13); /* again, until 23 */
    cr_expect_eq(next_end(live, &at), 0);
    cr_expect_eq(at, 23);
    cr_expect_eq(next_end(live, &at), 1);
    cr_expect_eq(at, 27);
    cr_expect_eq(next_end(live, &at), 4);
    cr_expect_eq(at, 50);
    cr_expect_not(sim_live_next(live, &at));
}

Test(sim_live, a_net_that_answers_later_is_called_when_it_asked_to_be)
{
    LateNet net = {.base = {.begin = begin_late}};
    SimTime at;
    g_autoptr(SimLive) live = sim_live_new(&net.base);
    sim_live_begin(live, 3, 100);
    cr_expect_eq(next_end(live, &at), 3);
    cr_expect_eq(at, 105);
}
