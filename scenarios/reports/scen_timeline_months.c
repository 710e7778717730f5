/* The timeline of months under failures: the first history's, since a mean has none.
 *
 * One track says what the job does: it trains, or time is lost to an incident, and then within the
 * incident to what: detection, waiting for a node, restart. Spans of an incident are laid end to end
 * in the order in which they happen. What was undone, rework, is trained anew after the incident,
 * among steps that look like all others; it is an argument of the incident, like the time that slow
 * GPUs and missing replicas cost beside the steps. Slow spells, which go on beside others, are
 * asynchronous slices.
 *
 * Checkpoints are too many to draw: they are part of training here. Times are whole microseconds,
 * since viewers read them as floating point numbers, which hold no more over a year. */
#include "scen_timeline.h"

#define I64 "%" G_GINT64_FORMAT

enum { INCIDENTS_SHOWN = 50000 };

static SimTime whole_us(SimTime ns)
{
    return ns / 1000 * 1000;
}

static const char *name_of(const ScenScenario *scenario, const StratIncident *incident)
{
    return g_array_index(scenario->campaign.faults.classes, StratFaultClass, incident->class_index)
        .name;
}

static char *args_of(const StratIncident *incident)
{
    GString *args = g_string_new(NULL);
    g_string_append_printf(args, "\"node\":" I64 ",\"nodes\":" I64, incident->node,
                           incident->nodes);
    for (int b = STRAT_LOST_NOTHING + 1; b < STRAT_LOST_COUNT; b++)
        if (incident->span[b] > 0)
            g_string_append_printf(args, ",\"%s_s\":%.3f", strat_lost_key((StratLost)b),
                                   sim_time_to_seconds(incident->span[b]));
    return g_string_free(args, FALSE);
}

/* What an incident keeps the job from running for, in the order in which it comes. */
static const StratLost stops[] = {STRAT_LOST_DETECTION, STRAT_LOST_WAIT, STRAT_LOST_RESTART};

/* Draws @incident and its parts on @track, until @end at most. */
static void add_stop(SimEvents *events, SimTrack track, const char *name,
                     const StratIncident *incident, SimTime end)
{
    g_autofree char *args = args_of(incident);
    SimTime at = whole_us(incident->at);
    sim_events_slice(events, &(SimSlice){track, at, end - at, name, "incident", args});
    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        SimTime lasts = MIN(whole_us(incident->span[stops[i]]), end - at);
        if (lasts <= 0)
            continue;
        const char *part = strat_lost_name(stops[i]);
        sim_events_slice(events, &(SimSlice){track, at, lasts, part, "lost", NULL});
        at += lasts;
    }
}

/* Whether the job stood still, or lost work, for @incident; else it is a slow spell. */
static bool took_time(const StratIncident *incident)
{
    return strat_incident_lost(incident) > 0;
}

/* When the job runs again after incident @index, or another one stops it first, or the history is
 * over. */
static SimTime end_of(const GArray *incidents, guint index, SimTime over)
{
    const StratIncident *incident = &g_array_index(incidents, StratIncident, index);
    for (guint i = index + 1; i < incidents->len; i++) {
        const StratIncident *next = &g_array_index(incidents, StratIncident, i);
        if (took_time(next))
            return whole_us(MIN(MIN(incident->running_at, next->at), over));
    }
    return whole_us(MIN(incident->running_at, over));
}

static void add_slow(SimEvents *events, const char *name, guint id, const StratIncident *incident,
                     SimTime over)
{
    g_autofree char *args = args_of(incident);
    SimTime at = whole_us(incident->at);
    sim_events_begin(events, 0, "slow spell", id, name, at, args);
    sim_events_end(events, 0, "slow spell", id, name,
                   MAX(at, whole_us(MIN(incident->running_at, over))));
}

/* Draws the incidents and what lies between them; returns how many. */
static guint add_incidents(SimEvents *events, const ScenScenario *scenario, const GArray *incidents,
                           SimTime over)
{
    const SimTrack job = {0, 0};
    SimTime trained = 0, lost = 0;
    guint shown = MIN(incidents->len, INCIDENTS_SHOWN);
    for (guint i = 0; i < shown; i++) {
        const StratIncident *incident = &g_array_index(incidents, StratIncident, i);
        const char *name = name_of(scenario, incident);
        if (!took_time(incident)) {
            add_slow(events, name, i, incident, over);
            continue;
        }
        SimTime at = whole_us(incident->at);
        if (at > trained)
            sim_events_slice(events,
                             &(SimSlice){job, trained, at - trained, "training", "training", NULL});
        trained = MAX(at, end_of(incidents, i, over));
        add_stop(events, job, name, incident, trained);
        lost += strat_incident_lost(incident);
        sim_events_counter(events, 0, "lost so far, s", at, sim_time_to_seconds(lost));
    }
    if (shown == incidents->len && over > trained)
        sim_events_slice(events,
                         &(SimSlice){job, trained, over - trained, "training", "training", NULL});
    return shown;
}

char *scen_timeline_months(const ScenScenario *scenario, const StratCampaignResult *result)
{
    ScenTimeline timeline = {0};
    SimTime over = whole_us((SimTime)(result->duration_s * (double)SIM_TIME_SECOND));
    g_autofree char *name =
        g_strdup_printf("campaign, " I64 " GPUs and " I64 " spares: history 1 of " I64,
                        result->gpus, result->spare_gpus, result->replications);
    scen_timeline_open(&timeline, scenario);
    sim_events_process(timeline.events, 0, name, 0);
    sim_events_thread(timeline.events, (SimTrack){0, 0}, "job");
    guint shown = add_incidents(timeline.events, scenario, result->incidents, over);
    g_autofree char *text =
        g_strdup_printf("the first %u of %u of the first of " I64 " histories are drawn", shown,
                        result->incidents->len, result->replications);
    sim_events_note(timeline.events, "incidents", text);
    return scen_timeline_close(&timeline);
}
