/* Failures in reports: counts and stalls, what of it is money, the same traffic without failures,
 * and what the dips are in months at the rate of the classes. Definitions are in scen_outages.c. */
#include "scen_outages_report.h"

#include "scen_json.h"
#include "scen_outages.h"
#include "scen_text.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

static const double MONTH_S = 30.44 * 86400.0; /* mean of a year's twelve */

static char *happened(const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result;
    const StratFailureSums *f = &r->failures;
    g_autofree char *mean = scen_text_seconds(strat_digest_mean(f->stall_s));
    g_autofree char *most = scen_text_seconds(strat_digest_max(f->stall_s));
    g_autofree char *stall =
        strat_digest_count(f->stall_s) > 0
            ? g_strdup_printf("; stalls of those that had tokens %s on average, %s at most", mean,
                              most)
            : g_strdup("");
    return g_strdup_printf(I64 " faults, %u outages, " I64 " requests hurt, " I64
                               " of them failed; " I64 " tokens of caches lost, " I64
                               " restored from copies, " I64 " to compute again%s",
                           f->faults, f->outages->len, f->hurt, r->failed, f->lost_tokens,
                           f->restored_tokens, f->lost_tokens - f->restored_tokens, stall);
}

static char *cost(const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result, *calm = report->served->calm;
    const ScenMoney *money = &report->served->money;
    double wasted_s = scen_outages_wasted_gpu_s(r);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "availability of the capacity %.3f %%, %.3g GPU-hours wasted",
                           100.0 * r->failures.availability, wasted_s / 3600.0);
    if (report->scenario->cost.name && r->up_s > 0.0)
        g_string_append_printf(text, " ($%.3g)", money->usd_total * wasted_s / r->up_s);
    g_autofree char *tpot = scen_text_seconds(strat_digest_mean(r->tpot_s));
    g_autofree char *calm_tpot = scen_text_seconds(strat_digest_mean(calm->tpot_s));
    g_string_append_printf(text, "; TPOT %s, without failures %s", tpot, calm_tpot);
    if (scen_serving_promises(&report->scenario->serving))
        g_string_append_printf(
            text, "; %.2f %% of the requests meet every objective, without failures %.2f %%",
            100.0 * strat_serve_attainment(r), 100.0 * strat_serve_attainment(calm));
    return g_strdup(text->str);
}

static char *months(const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result, *calm = report->served->calm;
    ScenOutlook outlook = scen_outages_outlook(report->scenario, report->served->memory, r, calm);
    size_t pools = report->scenario->serving.deployment.pools;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%.3g faults a month by the rates of the classes",
                           outlook.faults_per_s * MONTH_S);
    if (r->failures.faults == 0)
        return g_strdup_printf("%s; none hit this run: record one (faults.trace) or scale them",
                               text->str);
    if (scen_serving_promises(&report->scenario->serving))
        g_string_append_printf(text,
                               ", each costs %.3g requests their objectives: %.4f %% meet them in "
                               "the long run",
                               outlook.missed_per_fault, 100.0 * outlook.attainment);
    g_string_append_printf(text, "; %.5f %% of the capacity is there",
                           100.0 * outlook.availability);
    g_string_append_printf(text, "; all replicas are up %.4g %% of the time with " I64 " spares%s",
                           100.0 * outlook.spares_target, outlook.spares[pools - 1],
                           pools == 2 ? " that decode" : "");
    if (pools == 2)
        g_string_append_printf(text, " and " I64 " that do prompts", outlook.spares[0]);
    return g_strdup(text->str);
}

GPtrArray *scen_outages_texts(const ScenServeReport *report)
{
    if (!report->served->calm)
        return NULL;
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(texts, happened(report));
    g_ptr_array_add(texts, cost(report));
    g_ptr_array_add(texts, months(report));
    return texts;
}

static const char *class_of(const ScenServeReport *report, const StratOutageRecord *outage)
{
    const GArray *classes = report->scenario->serving.failures.faults.classes;
    return g_array_index(classes, StratFaultClass, outage->class_index).name;
}

void scen_outages_json(JsonBuilder *json, const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result, *calm = report->served->calm;
    if (!calm)
        return;
    const StratFailureSums *f = &r->failures;
    ScenOutlook outlook = scen_outages_outlook(report->scenario, report->served->memory, r, calm);
    bool stalls = strat_digest_count(f->stall_s) > 0;
    bool promises = scen_serving_promises(&report->scenario->serving);
    double wasted_s = scen_outages_wasted_gpu_s(r);
    bool priced = report->scenario->cost.name && r->up_s > 0.0;
    json_builder_set_member_name(json, "failures");
    json_builder_begin_object(json);
    scen_json_text(json, "recovery", report->scenario->serving.failures.policy);
    scen_json_integer(json, "faults", f->faults);
    scen_json_integer(json, "outages", f->outages->len);
    scen_json_integer(json, "hurt_requests", f->hurt);
    scen_json_integer(json, "failed_requests", r->failed);
    scen_json_integer(json, "lost_tokens", f->lost_tokens);
    scen_json_integer(json, "restored_tokens", f->restored_tokens);
    scen_json_number(json, "stall_mean_s", stalls ? strat_digest_mean(f->stall_s) : NAN);
    scen_json_number(json, "stall_max_s", stalls ? strat_digest_max(f->stall_s) : NAN);
    scen_json_number(json, "availability_fraction", f->availability);
    scen_json_number(json, "wasted_gpu_s", wasted_s);
    scen_json_number(json, "wasted_usd",
                     priced ? report->served->money.usd_total * wasted_s / r->up_s : NAN);
    scen_json_number(json, "calm_tpot_mean_s", strat_digest_mean(calm->tpot_s));
    scen_json_number(json, "calm_output_tokens_per_s",
                     (double)calm->output_tokens / sim_time_to_seconds(calm->end_ns));
    scen_json_number(json, "calm_slo_attainment_fraction",
                     promises ? strat_serve_attainment(calm) : NAN);
    scen_json_number(json, "faults_per_month", outlook.faults_per_s * MONTH_S);
    scen_json_number(json, "missed_requests_per_fault", promises ? outlook.missed_per_fault : NAN);
    scen_json_number(json, "long_run_slo_attainment_fraction", promises ? outlook.attainment : NAN);
    scen_json_number(json, "long_run_availability_fraction", outlook.availability);
    size_t pools = report->scenario->serving.deployment.pools;
    scen_json_number(json, "spares_target_fraction", outlook.spares_target);
    scen_json_integer(json, "spare_replicas", outlook.spares[pools - 1]);
    if (pools == 2)
        scen_json_integer(json, "spare_prefill_replicas", outlook.spares[0]);
    json_builder_end_object(json);
}

static void add_instant(GString *out, SimTime at)
{
    g_string_append_c(out, ',');
    if (at >= 0)
        g_string_append_printf(out, "%.9f", sim_time_to_seconds(at));
}

char *scen_outages_csv(const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result;
    GString *out = g_string_new(NULL);
    if (!r || !r->failures.outages)
        return g_string_free(out, FALSE);
    g_string_append(
        out,
        "replica,class,at_s,known_s,stands_until_s,back_s,requests,cache_tokens,gone_fraction\n");
    for (guint i = 0; i < r->failures.outages->len; i++) {
        const StratOutageRecord *o = &g_array_index(r->failures.outages, StratOutageRecord, i);
        g_string_append_printf(out, "%d,\"%s\"", (int)o->replica, class_of(report, o));
        add_instant(out, o->at);
        add_instant(out, o->known);
        add_instant(out, o->gone_fraction < 1.0 ? o->stands_until : o->back);
        add_instant(out, o->back);
        g_string_append_printf(out, "," I64 "," I64 ",%.9g\n", o->requests, o->tokens,
                               o->gone_fraction);
    }
    return g_string_free(out, FALSE);
}
