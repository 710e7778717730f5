/*
 * The event queue by example: its order, which every result depends upon, and its cancelling.
 */
#include <criterion/criterion.h>

#include "sim_queue.h"

static void nothing(void *ctx, SimTime now)
{
    (void)ctx;
    (void)now;
}

static const struct {
    SimTime at;
    SimPhase phase;
    int rank; /* where it comes out */
} pinned[] = {
    {20, SIM_PHASE_CHANGE,  5},
    {10, SIM_PHASE_OBSERVE, 4},
    {10, SIM_PHASE_DECIDE,  2},
    {10, SIM_PHASE_CHANGE,  0},
    {10, SIM_PHASE_DECIDE,  3},
    {10, SIM_PHASE_CHANGE,  1},
    {20, SIM_PHASE_OBSERVE, 6},
};

Test(sim_queue, order_is_time_then_phase_then_push)
{
    g_autoptr(SimEventQueue) queue = sim_event_queue_new();
    uint64_t seq[G_N_ELEMENTS(pinned)];
    for (size_t i = 0; i < G_N_ELEMENTS(pinned); i++) {
        seq[i] =
            sim_event_queue_push(queue, pinned[i].at, pinned[i].phase, nothing, (void *)&pinned[i]);
        cr_expect(i == 0 || seq[i] > seq[i - 1], "seq rises");
    }
    SimEvent peeked, event;
    for (int i = 0; i < (int)G_N_ELEMENTS(pinned); i++) {
        cr_assert(sim_event_queue_peek(queue, &peeked));
        cr_assert(sim_event_queue_pop(queue, &event));
        size_t which = 0;
        while (event.ctx != &pinned[which])
            which++;
        cr_expect(pinned[which].rank == i, "event %zu came out as number %d", which, i);
        cr_expect(event.at == pinned[which].at && event.phase == pinned[which].phase);
        cr_expect(event.seq == seq[which] && event.run == nothing);
        cr_expect(peeked.seq == event.seq, "peek shows what pop takes");
    }
    cr_expect(!sim_event_queue_pop(queue, &event));
    cr_expect(!sim_event_queue_peek(queue, &event));
}

Test(sim_queue, equals_come_out_in_push_order_even_when_slots_are_reused)
{
    g_autoptr(SimEventQueue) queue = sim_event_queue_new();
    SimEvent event;
    uint64_t last = 0;
    for (int i = 0; i < 100; i++)
        sim_event_queue_push(queue, 5, SIM_PHASE_CHANGE, nothing, NULL);
    for (int i = 0; i < 1000; i++) {
        cr_assert(sim_event_queue_pop(queue, &event));
        cr_expect(event.seq > last);
        last = event.seq;
        sim_event_queue_push(queue, 5, SIM_PHASE_CHANGE, nothing, NULL);
    }
    cr_expect(sim_event_queue_length(queue) == 100);
}

Test(sim_queue, a_cancelled_event_never_comes_out)
{
    g_autoptr(SimEventQueue) queue = sim_event_queue_new();
    uint64_t first = sim_event_queue_push(queue, 1, SIM_PHASE_CHANGE, nothing, NULL);
    uint64_t second = sim_event_queue_push(queue, 2, SIM_PHASE_CHANGE, nothing, NULL);
    uint64_t third = sim_event_queue_push(queue, 3, SIM_PHASE_CHANGE, nothing, NULL);
    cr_expect(sim_event_queue_cancel(queue, first));
    cr_expect(!sim_event_queue_cancel(queue, first), "once only");
    cr_expect(sim_event_queue_length(queue) == 2);
    SimEvent event;
    cr_assert(sim_event_queue_peek(queue, &event));
    cr_expect(event.seq == second, "the top is never a cancelled one");
    cr_assert(sim_event_queue_pop(queue, &event));
    cr_expect(!sim_event_queue_cancel(queue, second), "it has run");
    cr_expect(sim_event_queue_cancel(queue, third));
    cr_expect(!sim_event_queue_pop(queue, &event));
    cr_expect(sim_event_queue_length(queue) == 0);
    cr_expect(!sim_event_queue_cancel(queue, 0));
    cr_expect(!sim_event_queue_cancel(queue, UINT64_MAX));
}

Test(sim_queue, cancelling_everything_leaves_it_usable)
{
    g_autoptr(SimEventQueue) queue = sim_event_queue_new();
    uint64_t seq[1000];
    for (int i = 0; i < 1000; i++)
        seq[i] = sim_event_queue_push(queue, 1000 - i, SIM_PHASE_CHANGE, nothing, NULL);
    for (int i = 0; i < 1000; i++)
        cr_expect(sim_event_queue_cancel(queue, seq[i]));
    SimEvent event;
    cr_expect(!sim_event_queue_pop(queue, &event));
    sim_event_queue_push(queue, 7, SIM_PHASE_CHANGE, nothing, NULL);
    cr_expect(sim_event_queue_pop(queue, &event) && event.at == 7);
    sim_event_queue_free(NULL);
}
