/* The screen of a campaign: what is left of the time, how often the job stopped, what that cost,
 * where the time went, and what stopped it. */
#include "scen_incidents.h"
#include "scen_judged.h"
#include "scen_money.h"
#include "scen_run_report.h"
#include "scen_text.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

enum { LABEL = 13, BAR_WIDTH = 44, CAUSES_SHOWN = 8 };

static const double DAY_S = 86400.0;

static void add_share(GString *out, const char *label, const StratEstimate *e, const char *what)
{
    scen_text_line(out, LABEL, label, "%.1f %% %s (%.2f to %.2f with 90 %% confidence)",
                   100.0 * e->mean, what, 100.0 * e->low, 100.0 * e->high);
}

static void add_money(GString *out, const ScenScenario *scenario, const StratCampaignResult *r)
{
    double all_h = r->duration_s * (double)(r->gpus + r->spare_gpus) / 3600.0;
    double lost_h = all_h * (1.0 - r->goodput.mean);
    double usd = scen_money_usd_per_gpu_hour(&scenario->cost);
    if (usd > 0.0)
        scen_text_line(out, LABEL, "Lost", "%.0f of %.0f GPU-hours, $%.0f of $%.0f (%s)", lost_h,
                       all_h, lost_h * usd, all_h * usd, scenario->cost.name);
    else
        scen_text_line(out, LABEL, "Lost", "%.0f of %.0f GPU-hours", lost_h, all_h);
}

static void add_ledger(GString *out, const StratCampaignResult *r)
{
    double all = r->duration_s * (double)(r->gpus + r->spare_gpus);
    g_string_append_printf(out, "\nWhere the GPU time goes (" I64 " GPUs", r->gpus);
    if (r->spare_gpus > 0)
        g_string_append_printf(out, " and " I64 " spare ones", r->spare_gpus);
    g_string_append_printf(out, " x %.4g days)\n", r->duration_s / DAY_S);
    for (int b = 0; b <= STRAT_LOST_COUNT; b++) {
        bool is_spare = b == STRAT_LOST_COUNT;
        double share = (is_spare ? r->spare_gpu_s : r->mean_gpu_s[b]) / all;
        if (share <= 0.0)
            continue;
        g_string_append_printf(out, "  %-28s %5.1f %%",
                               is_spare ? "spares standing by" : strat_lost_name((StratLost)b),
                               100.0 * share);
        if (lround(share * BAR_WIDTH) > 0)
            g_string_append(out, "  ");
        scen_text_bar(out, share, BAR_WIDTH);
        g_string_append_c(out, '\n');
    }
}

/* Causes by how often they stopped the job, most first. */
static void add_causes(GString *out, const GArray *classes, const StratCampaignResult *r)
{
    g_autofree bool *is_told = g_new0(bool, classes->len + 1);
    double rest = 0.0;
    g_string_append(out, "\nWhat stops the job, times on average\n");
    for (guint shown = 0; shown < classes->len; shown++) {
        guint best = classes->len;
        for (guint i = 0; i < classes->len; i++)
            if (!is_told[i] && (best == classes->len || r->class_mean[i] > r->class_mean[best]))
                best = i;
        is_told[best] = true;
        if (shown >= CAUSES_SHOWN)
            rest += r->class_mean[best];
        else if (r->class_mean[best] > 0.0)
            g_string_append_printf(out, "  %-28s %7.1f\n",
                                   g_array_index(classes, StratFaultClass, best).name,
                                   r->class_mean[best]);
    }
    if (rest > 0.0)
        g_string_append_printf(out, "  %-28s %7.1f\n", "others", rest);
}

void scen_campaign_text(GString *out, const ScenRunReport *report)
{
    const ScenScenario *scenario = report->scenario;
    const StratCampaignResult *r = report->campaign;
    g_autofree char *interval = scen_text_seconds(r->interval_s);
    g_autofree char *step = scen_text_seconds(r->step_s);
    g_string_append_c(out, '\n');
    scen_text_line(out, LABEL, "Campaign",
                   "%.4g days of steps of %s%s, " I64 " histor%s; faults %s; a checkpoint "
                   "every %s; policy %s",
                   r->duration_s / DAY_S, step, scenario->campaign.step_s > 0.0 ? " (given)" : "",
                   r->replications, r->replications == 1 ? "y" : "ies",
                   scenario->campaign.faults.name, interval,
                   scenario->campaign.spec.recovery.policy->name);
    add_share(out, "ETTR", &r->ettr, "productive time over all time");
    add_share(out, "Uptime", &r->uptime, "time in which steps run or are saved, over all time");
    if (r->spare_gpus > 0)
        add_share(out, "Goodput", &r->goodput, "productive GPU time, spares paid for");
    scen_text_line(out, LABEL, "Interrupted",
                   "%.1f times unplanned, %.0f to %.0f in 95 %% of the histories; %.1f "
                   "times in all",
                   r->unplanned.mean, r->unplanned.least, r->unplanned.most, r->interruptions.mean);
    if (isfinite(r->mttf_s.mean))
        scen_text_line(out, LABEL, "MTTF", "%.2f h of running between unplanned interruptions",
                       r->mttf_s.mean / 3600.0);
    if (r->steps.asked > 0)
        scen_text_line(out, LABEL, "States",
                       I64 " met in which something was slow, weak or missing, " I64
                           " steps simulated for them; " I64 " answered by an upper bound",
                       r->steps.asked, r->steps.simulated, r->steps.bounded);
    if (report->saves)
        scen_saves_text(out, report);
    if (report->judged)
        scen_judged_run_text(out, report->judged);
    add_money(out, scenario, r);
    add_ledger(out, r);
    add_causes(out, scenario->campaign.faults.classes, r);
    scen_incidents_text(out, scenario, r);
}
