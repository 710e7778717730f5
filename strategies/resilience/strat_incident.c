/* A record of one history, for people to look at. Time is booked to the incident that is under way:
 *
 *     at ---- detection ---- wait ---- restart ---- running_at
 *          | another incident comes: from here on the time is its own
 *
 * so the spans of all incidents sum to the time in which the job stood, and to the work that was
 * undone. Slow spells are listed with their end and without spans: they overlap with the rest, and
 * the ledger books what they cost. */
#include "strat_incident.h"

static StratIncident *incident_of(const GArray *incidents, guint i)
{
    return &g_array_index(incidents, StratIncident, i);
}

SimTime strat_incident_detected_at(const StratIncident *incident)
{
    return incident->at + incident->span[STRAT_LOST_DETECTION];
}

SimTime strat_incident_lost(const StratIncident *incident)
{
    SimTime sum = 0;
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        sum += incident->span[b];
    return sum;
}

GArray *strat_incident_worst(const GArray *incidents, guint count)
{
    GArray *worst = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < incidents->len; i++) {
        SimTime lost = strat_incident_lost(incident_of(incidents, i));
        guint place = worst->len;
        while (place > 0 && strat_incident_lost(incident_of(
                                incidents, g_array_index(worst, guint, place - 1))) < lost)
            place--;
        if (place < count && lost > 0)
            g_array_insert_val(worst, place, i);
        if (worst->len > count)
            g_array_set_size(worst, count);
    }
    return worst;
}

/* Books the time since the last mark to the incident under way. */
static void settle(StratIncidentLog *log, const SimTime *ledger)
{
    StratIncident *last = incident_of(log->incidents, log->incidents->len - 1);
    for (guint i = log->incidents->len; i-- > log->first_open && last->running_at != SIM_TIME_MAX;)
        last = incident_of(log->incidents, i); /* past slow spells */
    for (int b = STRAT_LOST_NOTHING + 1; b < STRAT_LOST_COUNT; b++)
        last->span[b] = ledger[b] - log->before[b];
}

static void append(StratIncidentLog *log, const StratFault *fault, SimTime now, SimTime running_at)
{
    StratIncident incident = {
        .at = now,
        .running_at = running_at,
        .class_index = fault->class_index,
        .node = fault->node,
        .nodes = fault->nodes,
    };
    g_array_append_val(log->incidents, incident);
}

void strat_incident_note(StratIncidentLog *log, const StratFault *fault, SimTime now,
                         const SimTime *ledger)
{
    if (!log)
        return;
    const StratIncident *last =
        log->is_open ? incident_of(log->incidents, log->incidents->len - 1) : NULL;
    if (last && last->at == now && last->node == fault->node &&
        last->class_index == fault->class_index)
        return;
    if (log->is_open)
        settle(log, ledger);
    else
        log->first_open = log->incidents->len;
    log->is_open = true;
    append(log, fault, now, SIM_TIME_MAX);
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        log->before[b] = ledger[b];
}

void strat_incident_slow(StratIncidentLog *log, const StratFault *fault, SimTime now, SimTime until)
{
    if (log)
        append(log, fault, now, until);
}

void strat_incident_close(StratIncidentLog *log, SimTime now, const SimTime *ledger)
{
    if (!log || !log->is_open)
        return;
    settle(log, ledger);
    for (guint i = log->first_open; i < log->incidents->len; i++) {
        StratIncident *incident = incident_of(log->incidents, i);
        if (incident->running_at == SIM_TIME_MAX)
            incident->running_at = now;
    }
    log->is_open = false;
}
