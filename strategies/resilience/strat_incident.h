/** What happened to a job in one history: its interruptions, stalls and slow spells, in order. */
#ifndef STRAT_INCIDENT_H
#define STRAT_INCIDENT_H

#include "strat_fault.h"
#include "strat_progress.h"

#include <glib.h>
#include <stdbool.h>

/** One incident. */
typedef struct StratIncident {
    SimTime at;
    SimTime running_at; /* when steps run again; of a slow spell: when it is over */
    uint32_t class_index;
    int64_t node, nodes; /* first and how many it hits; 0 nodes: none of them */
    /* Time that it took from the job, by bucket: rework is work that it undid. Of an incident that
     * another one interrupted, until then; of a slow spell none, since that goes on beside others.
     */
    SimTime span[STRAT_LOST_COUNT];
} StratIncident;

/** The incidents of a history. Zeroed but for @incidents. */
typedef struct StratIncidentLog {
    GArray *incidents; /* of StratIncident; the caller's */
    SimTime before[STRAT_LOST_COUNT];
    bool is_open;
    guint first_open; /* of those that the job has not run since */
} StratIncidentLog;

/** When it was known: after its detection. */
SimTime strat_incident_detected_at(const StratIncident *incident);

/** Time that it took in all. */
SimTime strat_incident_lost(const StratIncident *incident);

/** Indices of the @count dearest of @incidents, the dearest first, earlier ones first among equals:
 *  an array of guint that the caller owns. */
GArray *strat_incident_worst(const GArray *incidents, guint count);

/** @fault takes time of the job from @now on, whose ledger so far is @ledger; said twice, it counts
 *  once. @log may be NULL,
 * then nothing is kept. */
void strat_incident_note(StratIncidentLog *log, const StratFault *fault, SimTime now,
                         const SimTime *ledger);

/** @fault slows the job from @now until @until. */
void strat_incident_slow(StratIncidentLog *log, const StratFault *fault, SimTime now,
                         SimTime until);

/** At @now, with @ledger, the job runs again, or the history is over. */
void strat_incident_close(StratIncidentLog *log, SimTime now, const SimTime *ledger);

#endif
