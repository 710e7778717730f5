/* Incidents as a table, and the dearest of them as text: those of the first history, since a mean
 * has none. */
#include "scen_fields.h"
#include "scen_incidents.h"
#include "scen_text.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

enum { WORST_SHOWN = 3 };

static const double MINUTE_S = 60.0, DAY_S = 86400.0;

/* The word for the effect of @class as scenarios write it. */
static const char *effect_of(const StratFaultClass *class)
{
    const ScenField *classes = scen_table_field(&scen_faults_table, "classes");
    const ScenName *name = scen_table_field(classes->table, "effect")->names;
    while (name->text && name->value != (int)class->effect)
        name++;
    return name->text;
}

static const StratFaultClass *class_of(const ScenScenario *scenario, const StratIncident *incident)
{
    return &g_array_index(scenario->campaign.faults.classes, StratFaultClass,
                          incident->class_index);
}

/* A cell, in quotes where it needs them. */
static void add_cell(GString *out, const char *text)
{
    if (text && strpbrk(text, ",\"\n")) {
        g_auto(GStrv) parts = g_strsplit(text, "\"", -1);
        g_autofree char *doubled = g_strjoinv("\"\"", parts);
        g_string_append_printf(out, ",\"%s\"", doubled);
    } else {
        g_string_append_printf(out, ",%s", text ? text : "");
    }
}

static void add_line(GString *out, const ScenScenario *scenario, const StratIncident *incident)
{
    const StratFaultClass *class = class_of(scenario, incident);
    g_string_append_printf(out, "%.3f", sim_time_to_seconds(incident->at));
    add_cell(out, class->name);
    add_cell(out, class->component);
    add_cell(out, effect_of(class));
    g_string_append_printf(out, "," I64 "," I64 ",%.3f,%.3f,%.3f", incident->node, incident->nodes,
                           sim_time_to_seconds(strat_incident_detected_at(incident)),
                           sim_time_to_seconds(incident->running_at),
                           sim_time_to_seconds(strat_incident_lost(incident)));
    for (int b = STRAT_LOST_NOTHING + 1; b < STRAT_LOST_COUNT; b++)
        g_string_append_printf(out, ",%.3f", sim_time_to_seconds(incident->span[b]));
    g_string_append_c(out, '\n');
}

char *scen_incidents_csv(const ScenScenario *scenario, const StratCampaignResult *result)
{
    GString *out = g_string_new("at_s,class,component,effect,node,nodes,detected_at_s,"
                                "running_at_s,lost_s");
    for (int b = STRAT_LOST_NOTHING + 1; b < STRAT_LOST_COUNT; b++)
        g_string_append_printf(out, ",%s_s", strat_lost_key((StratLost)b));
    g_string_append_c(out, '\n');
    for (guint i = 0; i < result->incidents->len; i++)
        add_line(out, scenario, &g_array_index(result->incidents, StratIncident, i));
    return g_string_free(out, FALSE);
}

/* "day 12.31: faulty GPU, node 1034: 43.1 min, most of it rework (30.1)" */
static void add_worst(GString *out, const ScenScenario *scenario, const StratIncident *incident)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "day %.2f: %s", sim_time_to_seconds(incident->at) / DAY_S,
                           class_of(scenario, incident)->name);
    if (incident->nodes > 0)
        g_string_append_printf(text, ", node " I64, incident->node);
    g_string_append_printf(text, ": %.1f min",
                           sim_time_to_seconds(strat_incident_lost(incident)) / MINUTE_S);
    StratLost most = STRAT_LOST_DEGRADED;
    for (int b = (int)most + 1; b < STRAT_LOST_COUNT; b++)
        if (incident->span[b] > incident->span[most])
            most = (StratLost)b;
    g_string_append_printf(text, ", most of it %s (%.1f)", strat_lost_name(most),
                           sim_time_to_seconds(incident->span[most]) / MINUTE_S);
    g_string_append(out, "  ");
    scen_text_wrap(out, text->str, 2, 4);
}

void scen_incidents_text(GString *out, const ScenScenario *scenario,
                         const StratCampaignResult *result)
{
    g_autoptr(GArray) worst = strat_incident_worst(result->incidents, WORST_SHOWN);
    if (worst->len == 0)
        return;
    g_string_append_printf(out,
                           "\nDearest of the first history's %u incidents (--out writes all)\n",
                           result->incidents->len);
    for (guint i = 0; i < worst->len; i++)
        add_worst(out, scenario,
                  &g_array_index(result->incidents, StratIncident, g_array_index(worst, guint, i)));
}
