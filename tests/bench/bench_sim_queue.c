/*
 * Events a second of the event queue under the hold model (Vaucher and Duval 1975): n events
 * pending, then pop one and push one at an exponential distance, over and over. One event is one
 * push and one pop. Prints one line for each n and fails nothing: rates belong to the machine. With
 * --quick, a tenth of the events.
 */
#include <stdio.h>
#include <string.h>

#include "sim_queue.h"
#include "sim_random.h"

enum {
    STEPS = 1021,
    EVENTS = 4000000,
};

static void nothing(void *ctx, SimTime now)
{
    (void)ctx;
    (void)now;
}

static double hold(size_t pending, const SimTime steps[STEPS], size_t events)
{
    g_autoptr(SimEventQueue) queue = sim_event_queue_new();
    for (size_t i = 0; i < pending; i++)
        sim_event_queue_push(queue, steps[i % STEPS], SIM_PHASE_CHANGE, nothing, NULL);
    int64_t began_us = g_get_monotonic_time();
    SimEvent event;
    for (size_t i = 0; i < events && sim_event_queue_pop(queue, &event); i++)
        sim_event_queue_push(queue, event.at + steps[i % STEPS], event.phase, event.run, event.ctx);
    return (double)events / ((double)(g_get_monotonic_time() - began_us) * 1e-6);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {16, 256, 1024, 4096, 16384, 65536, 1048576};
    size_t events = argc > 1 && strcmp(argv[1], "--quick") == 0 ? EVENTS / 10 : EVENTS;
    SimRandom stream = sim_random_stream(1, "bench/queue");
    g_autofree SimTime *steps = g_new(SimTime, STEPS);
    for (size_t i = 0; i < STEPS; i++)
        steps[i] = (SimTime)sim_random_exponential(&stream, 1e6);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        printf("sim_queue hold %7zu pending: %6.2f M events/s\n", sizes[i],
               hold(sizes[i], steps, events) * 1e-6);
    return 0;
}
