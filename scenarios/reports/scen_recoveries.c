/* Recovery policies side by side: months of one job under the same failures, a line each. Lost is
 * all GPU time that is not productive, that of standing spares too; the interval is that of one
 * policy's mean over histories, and as all meet the same histories, differences are surer than
 * that. */
#include "scen_json.h"
#include "scen_money.h"
#include "scen_run_report.h"

typedef struct Lost {
    double gpu_h, usd; /* usd 0: no prices */
} Lost;

static Lost lost_of(const ScenScenario *scenario, const StratCampaignResult *r)
{
    double all_h = r->duration_s * (double)(r->gpus + r->spare_gpus) / 3600.0;
    double lost_h = all_h * (1.0 - r->goodput.mean);
    return (Lost){lost_h, lost_h * scen_money_usd_per_gpu_hour(&scenario->cost)};
}

static const StratRecovery *policy_of(const ScenScenario *scenario, guint i)
{
    return g_ptr_array_index(scenario->campaign.recoveries, i);
}

void scen_recoveries_text(GString *out, const ScenScenario *scenario, const GPtrArray *results)
{
    if (!results || results->len == 0)
        return;
    bool has_prices = scen_money_usd_per_gpu_hour(&scenario->cost) > 0.0;
    g_string_append_printf(out, "\nPolicies on the same failures\n  %-16s %8s  %15s  %8s %12s%s\n",
                           "policy", "ETTR", "90 %", "goodput", "lost GPU-h",
                           has_prices ? "       lost $" : "");
    for (guint i = 0; i < results->len; i++) {
        const StratCampaignResult *r = g_ptr_array_index(results, i);
        Lost lost = lost_of(scenario, r);
        g_string_append_printf(out, "  %-16s %6.2f %%  %6.2f to %5.2f  %6.2f %% %12.0f",
                               policy_of(scenario, i)->name, 100.0 * r->ettr.mean,
                               100.0 * r->ettr.low, 100.0 * r->ettr.high, 100.0 * r->goodput.mean,
                               lost.gpu_h);
        if (has_prices)
            g_string_append_printf(out, " %12.0f", lost.usd);
        g_string_append_c(out, '\n');
    }
}

void scen_recoveries_json(JsonBuilder *json, const ScenScenario *scenario, const GPtrArray *results)
{
    if (!results || results->len == 0)
        return;
    json_builder_set_member_name(json, "recoveries");
    json_builder_begin_array(json);
    for (guint i = 0; i < results->len; i++) {
        const StratCampaignResult *r = g_ptr_array_index(results, i);
        Lost lost = lost_of(scenario, r);
        json_builder_begin_object(json);
        scen_json_text(json, "policy", policy_of(scenario, i)->name);
        scen_json_number(json, "ettr_fraction", r->ettr.mean);
        scen_json_number(json, "ettr_low_fraction", r->ettr.low);
        scen_json_number(json, "ettr_high_fraction", r->ettr.high);
        scen_json_number(json, "goodput_fraction", r->goodput.mean);
        scen_json_number(json, "lost_gpu_hours", lost.gpu_h);
        if (lost.usd > 0.0)
            scen_json_number(json, "usd_lost", lost.usd);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}
