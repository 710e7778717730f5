/** A file of trace events: what a viewer of timelines (Perfetto, chrome://tracing) opens. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdio.h>

#include "sim_time.h"

/** A row of slices: a thread of a process, both numbered from 0. */
typedef struct SimTrack {
    uint32_t process, thread;
} SimTrack;

/** A stretch of time on a track. Those of one track lie apart or one within the other, and then the
 *  outer one is written first. */
typedef struct SimSlice {
    SimTrack track;
    SimTime at, lasts;
    const char *name;
    const char *category;
    const char *args; /* members of a JSON object, without its braces; NULL: none */
} SimSlice;

typedef struct SimEvents SimEvents;

/** Begins a document in @file (borrowed, stays open). End and free it with sim_events_close(). */
SimEvents *sim_events_new(FILE *file);

/** Names a process and says where it stands among the others. */
void sim_events_process(SimEvents *events, uint32_t process, const char *name, uint32_t order);

/** Names a track; tracks of a process stand in the order of their numbers. */
void sim_events_thread(SimEvents *events, SimTrack track, const char *name);

void sim_events_slice(SimEvents *events, const SimSlice *slice);

/** The counter @name of @process is @value, not negative, from @at on. */
void sim_events_counter(SimEvents *events, uint32_t process, const char *name, SimTime at,
                        double value);

/** An arrow called @name between two slices, each of which covers its instant. */
void sim_events_arrow(SimEvents *events, const char *name, SimTrack from, SimTime leaves,
                      SimTrack to, SimTime arrives);

/** A stretch of time of something that has no track of its own: number @id of the things called
 *  @category. Stretches of one thing nest; the outer one begins first and ends last. */
void sim_events_begin(SimEvents *events, uint32_t process, const char *category, int64_t id,
                      const char *name, SimTime at, const char *args);
void sim_events_end(SimEvents *events, uint32_t process, const char *category, int64_t id,
                    const char *name, SimTime at);

/** Says @text, under @key, of the whole document ("otherData"). */
void sim_events_note(SimEvents *events, const char *key, const char *text);

/** @text as a JSON string with its quotes, owned by the caller. Bytes that are not UTF-8 become
 *  U+FFFD. */
char *sim_events_quote(const char *text);

/** Ends the document and frees @events. Fails (SIM_ERROR_WRITE) when its file did. */
bool sim_events_close(SimEvents *events, GError **error);

#endif
