/** The pending events of a discrete-event simulation. */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stddef.h>

#include "sim_time.h"

/** What runs first among events of one instant: what changes the state (something ended, something
 *  failed), then what decides upon it (who goes next, new rates), then what only looks. */
typedef enum SimPhase {
    SIM_PHASE_CHANGE,
    SIM_PHASE_DECIDE,
    SIM_PHASE_OBSERVE,
} SimPhase;

/** What an event does: @ctx is what was pushed, @now the event's own time. */
typedef void (*SimEventFunc)(void *ctx, SimTime now);

/** One event, as it comes out. */
typedef struct SimEvent {
    SimTime at;
    SimPhase phase;
    uint64_t seq;
    SimEventFunc run;
    void *ctx;
} SimEvent;

/** Min-heap of pending events, ordered by (at, phase, seq): at one instant state changes run
 *  before decisions, and equals run in push order. Holds 2^24 events at once, 2^38 in its life. */
typedef struct SimEventQueue SimEventQueue;

/** A new empty queue, owned by the caller. */
SimEventQueue *sim_event_queue_new(void);

/** Frees @queue and forgets its events; NULL is fine. */
void sim_event_queue_free(SimEventQueue *queue);

/** Adds an event at absolute time @at (ns, not before the last pop). @run is not NULL; @ctx is
 *  borrowed and must outlive the event. Returns its seq, usable with sim_event_queue_cancel():
 *  never 0, greater than every seq before it, not consecutive. O(log n). */
uint64_t sim_event_queue_push(SimEventQueue *queue, SimTime at, SimPhase phase, SimEventFunc run,
                              void *ctx);

/** Takes back the event @seq. False when it has run or was cancelled before. O(1) amortised. */
bool sim_event_queue_cancel(SimEventQueue *queue, uint64_t seq);

/** Removes the first event into @out; false when there is none. O(log n). */
bool sim_event_queue_pop(SimEventQueue *queue, SimEvent *out);

/** Copies the first event into @out without removing it; false when there is none. O(1). */
bool sim_event_queue_peek(const SimEventQueue *queue, SimEvent *out);

/** Events pending, the cancelled ones not counted. */
size_t sim_event_queue_length(const SimEventQueue *queue);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimEventQueue, sim_event_queue_free)

#endif
