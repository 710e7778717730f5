/* The HTML page of months under failures: what is left of the time, the incidents of the first
 * history, where the GPU time goes and what that costs, how histories differ, what stops the job.
 * The figures are those of scen_campaign_text.c. */
#include "scen_run_page.h"

#include "scen_judged.h"
#include "scen_money.h"
#include "scen_text.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

static const double DAY_S = 86400.0, HOUR_S = 3600.0;

static double all_gpu_s(const StratCampaignResult *r)
{
    return r->duration_s * (double)(r->gpus + r->spare_gpus);
}

void scen_campaign_page_cards(ScenPage *page, const ScenRunReport *report)
{
    const StratCampaignResult *r = report->campaign;
    double lost_h = all_gpu_s(r) / HOUR_S * (1.0 - r->goodput.mean);
    double usd = scen_money_usd_per_gpu_hour(&report->scenario->cost);
    scen_page_card_take(
        page, SCEN_PAGE_PLAIN, "ETTR", g_strdup_printf("%.1f %%", 100.0 * r->ettr.mean),
        g_strdup_printf("productive time over all time; %.2f to %.2f %% with 90 %% confidence",
                        100.0 * r->ettr.low, 100.0 * r->ettr.high));
    if (r->spare_gpus > 0)
        scen_page_card_take(page, SCEN_PAGE_PLAIN, "Goodput",
                            g_strdup_printf("%.1f %%", 100.0 * r->goodput.mean),
                            g_strdup("productive GPU time, spares paid for"));
    scen_page_card_take(page, SCEN_PAGE_PLAIN, "Interrupted",
                        g_strdup_printf("%.1f times unplanned", r->unplanned.mean),
                        g_strdup_printf("%.0f to %.0f in 95 %% of the histories; %.1f times in all",
                                        r->unplanned.least, r->unplanned.most,
                                        r->interruptions.mean));
    if (isfinite(r->mttf_s.mean))
        scen_page_card_take(page, SCEN_PAGE_PLAIN, "MTTF",
                            g_strdup_printf("%.2f h", r->mttf_s.mean / HOUR_S),
                            g_strdup("of running between unplanned interruptions"));
    scen_page_card_take(page, SCEN_PAGE_PLAIN, "Lost", g_strdup_printf("%.0f GPU-hours", lost_h),
                        usd > 0.0
                            ? g_strdup_printf("of %.0f; $%.0f of $%.0f (%s)", all_gpu_s(r) / HOUR_S,
                                              lost_h * usd, all_gpu_s(r) / HOUR_S * usd,
                                              report->scenario->cost.name)
                            : g_strdup_printf("of %.0f", all_gpu_s(r) / HOUR_S));
}

static const char *class_name(const ScenRunReport *report, uint32_t index)
{
    return g_array_index(report->scenario->campaign.faults.classes, StratFaultClass, index).name;
}

/* What took the most of @incident's time; "slow spell" when it took none. */
static const char *dearest(const StratIncident *incident)
{
    StratLost most = STRAT_LOST_NOTHING;
    for (int b = STRAT_LOST_NOTHING + 1; b < STRAT_LOST_COUNT; b++)
        if (incident->span[b] > 0 &&
            (most == STRAT_LOST_NOTHING || incident->span[b] > incident->span[most]))
            most = (StratLost)b;
    return most == STRAT_LOST_NOTHING ? "slow spell, or nothing lost" : strat_lost_name(most);
}

/* From the fault until steps run again, a lane for each class of faults. */
static void add_incidents(ScenPage *page, const ScenRunReport *report)
{
    const StratCampaignResult *r = report->campaign;
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_SPANS, "incidents", "Incidents of the first history",
        "From the fault until steps run again, or until a slow spell is over; a colour says what "
        "took most of the time that was lost.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_LANE, "Fault", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Came", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_END, "Runs again", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "Most lost to", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Lost", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Known after", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Node", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Nodes hit", NULL);
    for (guint i = 0; i < r->incidents->len; i++) {
        const StratIncident *incident = &g_array_index(r->incidents, StratIncident, i);
        double at_s = sim_time_to_seconds(incident->at);
        scen_page_cell_text(figure, class_name(report, incident->class_index));
        scen_page_cell(figure, at_s);
        scen_page_cell(figure,
                       CLAMP(sim_time_to_seconds(incident->running_at), at_s, r->duration_s));
        scen_page_cell_text(figure, dearest(incident));
        scen_page_cell(figure, sim_time_to_seconds(strat_incident_lost(incident)));
        scen_page_cell(figure, sim_time_to_seconds(incident->span[STRAT_LOST_DETECTION]));
        scen_page_cell(figure, incident->nodes > 0 ? (double)incident->node : NAN);
        scen_page_cell(figure, (double)incident->nodes);
    }
}

/* By bucket, what incidents took so far. */
static void add_lost_so_far(ScenPage *page, const StratCampaignResult *r)
{
    double lost_s = 0.0;
    ScenPageFigure *figure = scen_page_figure(page, SCEN_PAGE_STEPS, "lost-so-far",
                                              "Lost to incidents so far, first history", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Time", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "Lost so far", NULL);
    scen_page_cell(figure, 0.0);
    scen_page_cell(figure, 0.0);
    for (guint i = 0; i < r->incidents->len; i++) {
        const StratIncident *incident = &g_array_index(r->incidents, StratIncident, i);
        lost_s += sim_time_to_seconds(strat_incident_lost(incident));
        scen_page_cell(figure, sim_time_to_seconds(incident->at));
        scen_page_cell(figure, lost_s);
    }
    scen_page_cell(figure, r->duration_s);
    scen_page_cell(figure, lost_s);
}

static const char *bucket_name(int bucket)
{
    return bucket == STRAT_LOST_COUNT ? "spares standing by" : strat_lost_name((StratLost)bucket);
}

static double bucket_s(const StratCampaignResult *r, int bucket)
{
    return bucket == STRAT_LOST_COUNT ? r->spare_gpu_s : r->mean_gpu_s[bucket];
}

/* Whether any policy has time in @bucket. */
static bool is_used(const ScenRunReport *report, int bucket)
{
    bool used = bucket_s(report->campaign, bucket) > 0.0;
    for (guint i = 0; report->campaigns && i < report->campaigns->len; i++)
        used = used || bucket_s(g_ptr_array_index(report->campaigns, i), bucket) > 0.0;
    return used;
}

/* The policy of the scenario and, where others were asked for, these beside it. */
static void add_ledger(ScenPage *page, const ScenRunReport *report)
{
    const StratCampaignResult *own = report->campaign;
    const GPtrArray *others = report->campaigns;
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_STACKED, "months-ledger", "Where the GPU time goes",
                         "Mean over the histories; a bar for each recovery policy that was run.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Policy", NULL);
    for (int b = 0; b <= STRAT_LOST_COUNT; b++) {
        if (is_used(report, b))
            scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, bucket_name(b), NULL);
    }
    for (guint i = 0; i <= (others ? others->len : 0); i++) {
        const StratCampaignResult *r = i == 0 ? own : g_ptr_array_index(others, i - 1);
        const StratRecovery *policy =
            i == 0 ? report->scenario->campaign.spec.recovery.policy
                   : g_ptr_array_index(report->scenario->campaign.recoveries, i - 1);
        scen_page_cell_text(figure, policy->name);
        for (int b = 0; b <= STRAT_LOST_COUNT; b++) {
            if (is_used(report, b))
                scen_page_cell(figure, bucket_s(r, b) / all_gpu_s(r));
        }
    }
}

static void add_cost(ScenPage *page, const ScenRunReport *report)
{
    const StratCampaignResult *r = report->campaign;
    double usd = scen_money_usd_per_gpu_hour(&report->scenario->cost);
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_BARS, "cost", usd > 0.0 ? "What the lost time costs" : "Lost GPU-hours",
        "GPU-hours that are not productive, by what took them; mean over the histories.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Lost to", NULL);
    if (usd > 0.0)
        scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_Y, "Cost", "$");
    scen_page_column(figure, SCEN_PAGE_NUMBER, usd > 0.0 ? SCEN_PAGE_ASIDE : SCEN_PAGE_Y, "Time",
                     "GPU-hours");
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "Share of all GPU time", NULL);
    for (int b = STRAT_LOST_NOTHING + 1; b <= STRAT_LOST_COUNT; b++) {
        double hours = bucket_s(r, b) / HOUR_S;
        if (hours <= 0.0)
            continue;
        scen_page_cell_text(figure, bucket_name(b));
        if (usd > 0.0)
            scen_page_cell(figure, hours * usd);
        scen_page_cell(figure, hours);
        scen_page_cell(figure, bucket_s(r, b) / all_gpu_s(r));
    }
}

static int by_value(gconstpointer left, gconstpointer right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Points of a distribution that a line needs. */
enum { POINTS = 200 };

/* The share of the histories with at most so much. */
static void add_distribution(ScenPage *page, const char *id, const char *title, ScenPageKind kind,
                             const char *what, const double *each, const StratCampaignResult *r)
{
    g_autofree double *values = g_memdup2(each, (gsize)r->replications * sizeof *each);
    int64_t points = MIN(r->replications, POINTS);
    qsort(values, (size_t)r->replications, sizeof *values, by_value);
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_STEPS, id, title, "Share of the histories in which it is at most so much.");
    scen_page_column(figure, kind, SCEN_PAGE_X, what, NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share of the histories", NULL);
    scen_page_cell(figure, values[0]);
    scen_page_cell(figure, 0.0);
    for (int64_t i = 1; i <= points; i++) {
        int64_t at = i * r->replications / points;
        scen_page_cell(figure, values[at - 1]);
        scen_page_cell(figure, (double)at / (double)r->replications);
    }
}

static void add_estimate(ScenPageFigure *figure, const char *name, const StratEstimate *e)
{
    scen_page_cell_text(figure, name);
    scen_page_cell(figure, e->mean);
    scen_page_cell(figure, e->low);
    scen_page_cell(figure, e->high);
    scen_page_cell(figure, e->least);
    scen_page_cell(figure, e->most);
}

static void add_histories(ScenPage *page, const StratCampaignResult *r)
{
    g_autofree char *about = g_strdup_printf(I64 " histories of the same months with other "
                                                 "failures.",
                                             r->replications);
    if (r->replications < 2)
        return;
    scen_page_section(page, "How histories differ", about);
    add_distribution(page, "ettr", "ETTR over the histories", SCEN_PAGE_SHARE, "ETTR", r->each_ettr,
                     r);
    add_distribution(page, "interruptions", "Unplanned interruptions over the histories",
                     SCEN_PAGE_COUNT, "Unplanned interruptions", r->each_unplanned, r);
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_BARS, "months-uncertainty", "Shares of the time, and how sure they are",
        "The 90 % interval is that of the mean; 95 % of single histories lie in the range.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Share", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "mean", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "90 % from", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "90 % to", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "95 % of histories from", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "95 % of histories to", NULL);
    for (int b = STRAT_LOST_NOTHING + 1; b < STRAT_LOST_COUNT; b++)
        if (r->lost[b].mean > 0.0)
            add_estimate(figure, strat_lost_name((StratLost)b), &r->lost[b]);
}

static void add_causes(ScenPage *page, const ScenRunReport *report)
{
    const GArray *classes = report->scenario->campaign.faults.classes;
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "causes", "What stops the job",
                         "Interruptions by class of fault, mean over the histories.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Fault", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_Y, "Times", NULL);
    for (guint i = 0; i < classes->len; i++) {
        if (report->campaign->class_mean[i] <= 0.0)
            continue;
        scen_page_cell_text(figure, class_name(report, i));
        scen_page_cell(figure, report->campaign->class_mean[i]);
    }
}

static void add_saves(ScenPage *page, const ScenRunReport *report)
{
    const StratSaves *s = report->saves;
    if (!s)
        return;
    const struct {
        const char *name;
        double seconds;
    } rows[] = {
        {"checkpoint: to host memory",        s->write.copy_s},
        {"checkpoint: until it is safe",      s->save_s      },
        {"checkpoint: training stands still", s->block_s     },
        {"restart: loads its state",          s->load_s      },
        {"copies to peers: a round",          s->copy_s      },
        {"restart from peers",                s->peer_load_s },
    };
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "saves", "Checkpoints and restarts",
                         "Simulated; what the scenario gives comes first.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "What", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "Takes", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].seconds <= 0.0)
            continue;
        scen_page_cell_text(figure, rows[i].name);
        scen_page_cell(figure, rows[i].seconds);
    }
}

static void add_judged(ScenPage *page, const GArray *judged)
{
    if (!judged || judged->len == 0)
        return;
    scen_page_section(page, "Beside what was published", NULL);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_TABLE, "published", "Published and simulated", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Figure", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Published", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Tolerance", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Simulated", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Within", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Source", NULL);
    for (guint i = 0; i < judged->len; i++) {
        const ScenJudgedRow *row = &g_array_index(judged, ScenJudgedRow, i);
        scen_page_cell_text(figure, row->figure);
        scen_page_cell_text(figure, row->published);
        scen_page_cell_text(figure, row->tolerance);
        scen_page_cell_text(figure, row->said);
        scen_page_cell_text(figure, row->is_within ? "yes" : "no");
        scen_page_cell_text(figure, row->source);
    }
}

void scen_campaign_page(ScenPage *page, const ScenRunReport *report)
{
    const StratCampaignResult *r = report->campaign;
    const ScenCampaign *campaign = &report->scenario->campaign;
    if (!r)
        return;
    g_autofree char *interval = scen_text_seconds(r->interval_s);
    g_autofree char *step = scen_text_seconds(r->step_s);
    g_autofree char *about = g_strdup_printf(
        "%.4g days of steps of %s%s on " I64 " GPUs, faults %s, a checkpoint every %s, policy %s.",
        r->duration_s / DAY_S, step, campaign->step_s > 0.0 ? " (given)" : "", r->gpus,
        campaign->faults.name, interval, campaign->spec.recovery.policy->name);
    scen_page_section(page, "Months under failures", about);
    add_incidents(page, report);
    add_lost_so_far(page, r);
    scen_page_section(page, "Where the months go", NULL);
    add_ledger(page, report);
    add_cost(page, report);
    add_causes(page, report);
    add_saves(page, report);
    add_histories(page, r);
    add_judged(page, report->judged);
}

/* A replay: the step as it was and without what held it up. */
static void add_replay(ScenPage *page, const StratReplayTotals *t)
{
    const struct {
        const char *name;
        double seconds;
    } rows[] = {
        {"as it was",     t->replayed_s     },
        {"without gaps",  t->without_gaps_s },
        {"no stragglers", t->no_stragglers_s},
    };
    g_autofree char *slower = g_strdup_printf("%.3f", t->without_gaps_s / t->no_stragglers_s);
    scen_page_card(page, SCEN_PAGE_PLAIN, "Slowdown", slower,
                   "the step without gaps over the one without stragglers");
    scen_page_section(page, "The step", NULL);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "replay", "Mean step of the trace", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Step", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "Time", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        scen_page_cell_text(figure, rows[i].name);
        scen_page_cell(figure, rows[i].seconds);
    }
}

ScenPage *scen_alone_page(const ScenRunReport *report)
{
    const ScenScenario *scenario = report->scenario;
    const TopoCluster *cluster = &scenario->cluster;
    g_autofree char *about =
        report->totals ? g_strdup_printf("Replay of %s.", scenario->replay)
                       : g_strdup_printf(I64 " GPUs in " I64 " nodes (%s).", cluster->gpu_count,
                                         cluster->node_count, cluster->node.name);
    ScenPage *page = scen_page_new(scenario->name, about);
    if (report->totals) {
        add_replay(page, report->totals);
        add_judged(page, report->judged);
    } else {
        scen_campaign_page_cards(page, report);
        scen_campaign_page(page, report);
    }
    if (scenario->description)
        scen_page_section(page, "Notes", scenario->description);
    return page;
}
