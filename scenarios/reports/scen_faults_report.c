/* What faults cost a step: how much longer it takes than without them, and who waits. */
#include "scen_json.h"
#include "scen_run_report.h"
#include "scen_text.h"

double scen_faults_slowdown(const ScenRunReport *report)
{
    return (double)report->result->step_ns / (double)report->healthy->step_ns - 1.0;
}

/* "1 slow GPU and 2 weak NICs" */
static void add_what(GString *out, const StratJobState *state)
{
    if (state->slow_count > 0)
        g_string_append_printf(out, "%zu slow GPU%s", state->slow_count,
                               state->slow_count == 1 ? "" : "s");
    if (state->slow_count > 0 && state->weak_count > 0)
        g_string_append(out, " and ");
    if (state->weak_count > 0)
        g_string_append_printf(out, "%zu weak NIC%s", state->weak_count,
                               state->weak_count == 1 ? "" : "s");
}

void scen_faults_text(GString *out, const ScenRunReport *report)
{
    if (!report->healthy)
        return;
    double slowdown = scen_faults_slowdown(report);
    g_autofree char *healthy = scen_text_seconds((double)report->healthy->step_ns * 1e-9);
    g_autoptr(GString) text = g_string_new(NULL);
    add_what(text, &report->scenario->degraded.state);
    g_string_append_printf(text, ": the step takes %.2f %% longer than the %s without",
                           100.0 * slowdown, healthy);
    const ScenExpect *expect = &report->scenario->expect;
    if (expect->slowdown_fraction > 0.0)
        g_string_append_printf(text, "; published %.2f %%, so the error is %+.2f points (%s)",
                               100.0 * expect->slowdown_fraction,
                               100.0 * (slowdown - expect->slowdown_fraction),
                               expect->source ? expect->source : "no source given");
    g_string_append_printf(out, "%-13s", "Faults");
    scen_text_wrap(out, text->str, 13, 13);
}

void scen_waits_text(GString *out, const ScenRunReport *report)
{
    if (!report->healthy)
        return;
    g_string_append(out, "\nWho waits, seconds of a step      GPUs      now  without faults\n");
    for (int i = 0; i < STRAT_WAIT_ROLES; i++) {
        const StratWait *wait = &report->waits[i];
        if (wait->ranks > 0)
            g_string_append_printf(out, "  %-28s %7" G_GINT64_FORMAT "  %8.3f  %8.3f\n",
                                   strat_wait_role_title((StratWaitRole)i), wait->ranks,
                                   wait->wait_s, wait->healthy_wait_s);
    }
}

void scen_faults_json(JsonBuilder *json, const ScenRunReport *report)
{
    if (!report->healthy)
        return;
    const ScenExpect *expect = &report->scenario->expect;
    double slowdown = scen_faults_slowdown(report);
    json_builder_set_member_name(json, "faults");
    json_builder_begin_object(json);
    scen_json_integer(json, "slow_gpus", (gint64)report->scenario->degraded.state.slow_count);
    scen_json_integer(json, "weak_nics", (gint64)report->scenario->degraded.state.weak_count);
    scen_json_number(json, "healthy_step_time_s", (double)report->healthy->step_ns * 1e-9);
    scen_json_number(json, "slowdown_fraction", slowdown);
    if (expect->slowdown_fraction > 0.0) {
        scen_json_number(json, "expected_slowdown_fraction", expect->slowdown_fraction);
        scen_json_number(json, "slowdown_error", slowdown - expect->slowdown_fraction);
    }
    json_builder_set_member_name(json, "waiting");
    json_builder_begin_object(json);
    for (int i = 0; i < STRAT_WAIT_ROLES; i++) {
        const StratWait *wait = &report->waits[i];
        json_builder_set_member_name(json, strat_wait_role_key((StratWaitRole)i));
        json_builder_begin_object(json);
        scen_json_integer(json, "gpus", wait->ranks);
        scen_json_number(json, "wait_s", wait->wait_s);
        scen_json_number(json, "healthy_wait_s", wait->healthy_wait_s);
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
    json_builder_end_object(json);
}
