/* The report of what has no step to simulate: a campaign whose step time is given without a plan,
 * and a replay, of which `orrery replay` says more. */
#include "scen_json.h"
#include "scen_judged.h"
#include "scen_run_report.h"
#include "scen_text.h"

#define I64 "%" G_GINT64_FORMAT

static void add_replay_text(GString *out, const StratReplayTotals *t)
{
    const struct {
        const char *label;
        double seconds;
    } lines[] = {
        {"As it was",     t->replayed_s     },
        {"Without gaps",  t->without_gaps_s },
        {"No stragglers", t->no_stragglers_s},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *seconds = scen_text_seconds(lines[i].seconds);
        g_string_append_printf(out, "%-15s%s a step\n", lines[i].label, seconds);
    }
    g_string_append_printf(out, "%-15s%.3f\n", "Slowdown", t->without_gaps_s / t->no_stragglers_s);
}

char *scen_alone_text(const ScenRunReport *report)
{
    GString *out = g_string_new(NULL);
    const ScenScenario *scenario = report->scenario;
    const TopoCluster *cluster = &scenario->cluster;
    if (report->totals) {
        g_string_append_printf(out, "%s: replay of %s\n\n", scenario->name, scenario->replay);
        add_replay_text(out, report->totals);
        if (report->judged)
            scen_judged_run_text(out, report->judged);
    } else {
        g_string_append_printf(out, "%s: " I64 " GPUs in " I64 " nodes (%s)\n", scenario->name,
                               cluster->gpu_count, cluster->node_count, cluster->node.name);
        scen_campaign_text(out, report);
    }
    if (scenario->description) {
        g_string_append(out, "\nNotes\n  - ");
        scen_text_wrap(out, scenario->description, 4, 4);
    }
    return g_string_free(out, FALSE);
}

char *scen_alone_json(const ScenRunReport *report)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    const ScenScenario *scenario = report->scenario;
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "scenario", scenario->name);
    scen_json_text(json, "description", scenario->description);
    scen_json_integer(json, "seed", (gint64)scenario->seed);
    scen_campaign_json(json, report);
    if (report->totals) {
        json_builder_set_member_name(json, "replay");
        json_builder_begin_object(json);
        scen_json_text(json, "trace", scenario->replay);
        scen_json_number(json, "replayed_step_s", report->totals->replayed_s);
        scen_json_number(json, "step_without_gaps_s", report->totals->without_gaps_s);
        scen_json_number(json, "straggler_free_step_s", report->totals->no_stragglers_s);
        json_builder_end_object(json);
    }
    scen_judged_member_json(json, report->judged);
    json_builder_end_object(json);
    return scen_json_finish(json);
}
