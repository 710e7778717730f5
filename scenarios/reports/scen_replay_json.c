/* A replay as JSON: every worker, stage and operation, not only the dearest. */
#include "scen_replay_report.h"

#include "scen_json.h"

static void add_totals(JsonBuilder *json, const ScenReplayReport *report)
{
    json_builder_set_member_name(json, "step_s");
    json_builder_begin_object(json);
    scen_json_number(json, "measured", report->replay->measured_mean_s);
    scen_json_number(json, "replayed", report->totals.replayed_s);
    scen_json_number(json, "without_gaps", report->totals.without_gaps_s);
    scen_json_number(json, "no_stragglers", report->totals.no_stragglers_s);
    json_builder_end_object(json);
    scen_json_number(json, "slowdown", scen_replay_slowdown(report));
    scen_json_number(json, "lost_fraction", 1.0 - 1.0 / scen_replay_slowdown(report));
}

static void add_ideal(JsonBuilder *json, const StratReplay *replay)
{
    json_builder_set_member_name(json, "ideal_s");
    json_builder_begin_object(json);
    for (StratReplayKind kind = 0; kind < STRAT_REPLAY_KINDS; kind++)
        scen_json_number(json, strat_replay_kind(kind)->name,
                         sim_time_to_seconds(replay->ideal_ns[kind]));
    json_builder_end_object(json);
}

static void add_answers(JsonBuilder *json, const GArray *answers)
{
    json_builder_set_member_name(json, "what_ifs");
    json_builder_begin_array(json);
    for (guint i = 0; i < answers->len; i++) {
        const ScenReplayAnswer *answer = &g_array_index(answers, ScenReplayAnswer, i);
        json_builder_begin_object(json);
        scen_json_text(json, "what_if", answer->name);
        scen_json_number(json, "step_s", answer->step_s);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void add_causes(JsonBuilder *json, const char *key, const GArray *causes)
{
    if (!causes)
        return;
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
    for (guint i = 0; i < causes->len; i++) {
        const StratReplayCause *cause = &g_array_index(causes, StratReplayCause, i);
        json_builder_begin_object(json);
        if (cause->pick.kind != STRAT_REPLAY_ANY)
            scen_json_text(json, "operation",
                           strat_replay_kind((StratReplayKind)cause->pick.kind)->cause);
        if (cause->pick.dp != STRAT_REPLAY_ANY)
            scen_json_integer(json, "dp", cause->pick.dp);
        if (cause->pick.pp != STRAT_REPLAY_ANY)
            scen_json_integer(json, "pp", cause->pick.pp);
        scen_json_number(json, "slowdown", cause->slowdown);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

char *scen_replay_json(const ScenReplayReport *report)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "trace", report->path);
    scen_json_integer(json, "steps", report->replay->step_count);
    scen_json_integer(json, "data_parallel", report->replay->dps);
    scen_json_integer(json, "pipeline", report->replay->pps);
    scen_json_integer(json, "operations", report->replay->op_count);
    add_totals(json, report);
    add_ideal(json, report->replay);
    add_answers(json, report->answers);
    add_causes(json, "by_worker", report->workers);
    add_causes(json, "by_stage", report->stages);
    add_causes(json, "by_operation", report->kinds);
    json_builder_end_object(json);
    return scen_json_finish(json);
}
