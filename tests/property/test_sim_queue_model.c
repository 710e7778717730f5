/*
 * The heap against the obvious: an unsorted array searched for its least event. Random pushes, pops
 * and cancellations, many equal times; both must tell the same story. A second test breaks the
 * reference on purpose, by forgetting the phase, to show that the comparison would notice.
 */
#include <criterion/criterion.h>

#include "sim_queue.h"
#include "sim_random.h"

enum {
    ROUNDS = 40,
    STEPS = 3000,
};

static void nothing(void *ctx, SimTime now)
{
    (void)ctx;
    (void)now;
}

static bool is_before(const SimEvent *a, const SimEvent *b, bool forgets_phase)
{
    if (a->at != b->at)
        return a->at < b->at;
    if (!forgets_phase && a->phase != b->phase)
        return a->phase < b->phase;
    return a->seq < b->seq;
}

static bool naive_pop(GArray *events, SimEvent *out, bool forgets_phase)
{
    if (events->len == 0)
        return false;
    guint least = 0;
    for (guint i = 1; i < events->len; i++) {
        if (is_before(&g_array_index(events, SimEvent, i), &g_array_index(events, SimEvent, least),
                      forgets_phase))
            least = i;
    }
    *out = g_array_index(events, SimEvent, least);
    g_array_remove_index_fast(events, least);
    return true;
}

static bool naive_cancel(GArray *events, uint64_t seq)
{
    for (guint i = 0; i < events->len; i++) {
        if (g_array_index(events, SimEvent, i).seq == seq) {
            g_array_remove_index_fast(events, i);
            return true;
        }
    }
    return false;
}

static bool step_agrees(SimEventQueue *queue, GArray *naive, GArray *known, SimRandom *random_bits,
                        SimTime *now, bool forgets_phase)
{
    uint64_t choice = sim_random_below(random_bits, 10);
    if (choice < 5) {
        SimEvent event = {
            .at = *now + (SimTime)sim_random_below(random_bits, 8),
            .phase = (SimPhase)sim_random_below(random_bits, 3),
            .run = nothing,
        };
        event.seq = sim_event_queue_push(queue, event.at, event.phase, event.run, NULL);
        g_array_append_val(naive, event);
        g_array_append_val(known, event.seq);
    } else if (choice < 7 && known->len > 0) {
        uint64_t seq = g_array_index(known, uint64_t, sim_random_below(random_bits, known->len));
        if (sim_event_queue_cancel(queue, seq) != naive_cancel(naive, seq))
            return false;
    } else {
        SimEvent got, want;
        bool has = sim_event_queue_pop(queue, &got);
        if (has != naive_pop(naive, &want, forgets_phase))
            return false;
        if (has && (got.seq != want.seq || got.at != want.at || got.phase != want.phase))
            return false;
        *now = has ? got.at : *now;
    }
    return sim_event_queue_length(queue) == naive->len;
}

/* Whether heap and reference agree through one random life. */
static bool life_agrees(uint64_t seed, bool forgets_phase)
{
    g_autoptr(SimEventQueue) queue = sim_event_queue_new();
    g_autoptr(GArray) naive = g_array_new(FALSE, FALSE, sizeof(SimEvent));
    g_autoptr(GArray) known = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    SimRandom random_bits = sim_random_stream(seed, "queue");
    SimTime now = 0;
    for (int i = 0; i < STEPS; i++) {
        if (!step_agrees(queue, naive, known, &random_bits, &now, forgets_phase))
            return false;
    }
    return true;
}

Test(sim_queue_model, heap_agrees_with_a_naive_array)
{
    for (uint64_t seed = 0; seed < ROUNDS; seed++)
        cr_expect(life_agrees(seed, false), "seed %d", (int)seed);
}

Test(sim_queue_model, the_check_notices_a_wrong_order)
{
    for (uint64_t seed = 0; seed < ROUNDS; seed++)
        cr_expect(!life_agrees(seed, true), "seed %d", (int)seed);
}
