/* The HTML page of a training step: the answer in cards, then where the time goes, when, how fast
 * the operations run, memory, how sure it is, what would help and what to beware of. The figures are
 * those of scen_run_text.c.
 */
#include "scen_run_page.h"

#include "scen_money.h"
#include "scen_text.h"

#define I64 "%" G_GINT64_FORMAT

static void add_step_card(ScenPage *page, const ScenRunReport *report, double step_s)
{
    g_autofree char *low = scen_text_seconds(report->interval->low_s);
    g_autofree char *high = scen_text_seconds(report->interval->high_s);
    scen_page_card_take(page, SCEN_PAGE_PLAIN, "Step time", scen_text_seconds(step_s),
                        g_strdup_printf("%s to %s with 90 %% confidence", low, high));
}

static void add_fit_card(ScenPage *page, const ScenRunReport *report)
{
    const GArray *memory = report->result->memory;
    guint worst = strat_memory_worst_stage(memory);
    const StratMemory *m = &g_array_index(memory, StratMemory, worst);
    char *used =
        g_strdup_printf("%.1f of %.1f GB at the fullest stage (%u), %.1f %%", m->peak_bytes * 1e-9,
                        m->capacity_bytes * 1e-9, worst, 100.0 * m->peak_bytes / m->capacity_bytes);
    scen_page_card_take(page, report->no_fit ? SCEN_PAGE_BAD : SCEN_PAGE_GOOD, "Memory",
                        g_strdup(report->no_fit ? "Does not fit" : "Fits"), used);
}

static void add_published_card(ScenPage *page, const ScenRunReport *report, double step_s)
{
    const ScenExpect *expect = &report->scenario->expect;
    const StratInterval *interval = report->interval;
    if (expect->step_time_s <= 0.0)
        return;
    g_autofree char *published = scen_text_seconds(expect->step_time_s);
    gboolean inside =
        expect->step_time_s >= interval->low_s && expect->step_time_s <= interval->high_s;
    scen_page_card_take(page, inside ? SCEN_PAGE_PLAIN : SCEN_PAGE_BAD, "Against published",
                        g_strdup_printf("%+.1f %%", 100.0 * (step_s / expect->step_time_s - 1.0)),
                        g_strdup_printf("%s published, %s the interval (%s%s%s)", published,
                                        inside ? "inside" : "outside",
                                        expect->source ? expect->source : "no source given",
                                        expect->definition ? "; " : "",
                                        expect->definition ? expect->definition : ""));
}

static void add_rate_cards(ScenPage *page, const StratTrainResult *result, double step_s)
{
    double gpus = (double)result->gpus, tokens_per_s = result->tokens / step_s;
    int decimals = result->peak_flop_per_s < 1e13 ? 3 : 0;
    scen_page_card_take(page, SCEN_PAGE_PLAIN, "Throughput",
                        g_strdup_printf("%.0f tokens/s", tokens_per_s),
                        g_strdup_printf("%.1f tokens/s per GPU", tokens_per_s / gpus));
    scen_page_card_take(
        page, SCEN_PAGE_PLAIN, "Model FLOPs utilisation",
        g_strdup_printf("%.1f %%", 100.0 * strat_train_mfu_fraction(result)),
        g_strdup_printf("%.*f of %.*f TFLOP/s per GPU; %.1f %% with recomputation counted",
                        MAX(decimals, 1), result->model_flop / step_s / gpus * 1e-12, decimals,
                        result->peak_flop_per_s * 1e-12, 100.0 * strat_train_hfu_fraction(result)));
}

/* Rent, or the purchase written off; power is not in it, as in the text of a campaign. */
static void add_cost_card(ScenPage *page, const ScenRunReport *report, double step_s)
{
    const ScenCost *cost = &report->scenario->cost;
    double usd_per_h = scen_money_usd_per_gpu_hour(cost), hour_s = 3600.0;
    if (usd_per_h <= 0.0)
        return;
    double usd = usd_per_h * (double)report->result->gpus * step_s / hour_s;
    scen_page_card_take(page, SCEN_PAGE_PLAIN, "Cost of a million tokens",
                        g_strdup_printf("$%.4g", usd / report->result->tokens * 1e6),
                        g_strdup_printf("$%.4g a step at $%.4g a GPU-hour%s%s", usd, usd_per_h,
                                        cost->name ? ", " : "", cost->name ? cost->name : ""));
}

static void add_faults_card(ScenPage *page, const ScenRunReport *report)
{
    if (!report->healthy)
        return;
    g_autofree char *healthy = scen_text_seconds((double)report->healthy->step_ns * 1e-9);
    scen_page_card_take(page, SCEN_PAGE_PLAIN, "Cost of the faults",
                        g_strdup_printf("%+.2f %%", 100.0 * scen_faults_slowdown(report)),
                        g_strdup_printf("the step takes %s without them", healthy));
}

static void add_cards(ScenPage *page, const ScenRunReport *report)
{
    double step_s = (double)report->result->step_ns * 1e-9;
    if (!report->no_fit)
        add_step_card(page, report, step_s);
    add_fit_card(page, report);
    if (report->no_fit)
        return;
    add_published_card(page, report, step_s);
    if (report->campaign)
        scen_campaign_page_cards(page, report);
    add_rate_cards(page, report->result, step_s);
    add_faults_card(page, report);
    add_cost_card(page, report, step_s);
}

static void add_interval(ScenPage *page, const ScenRunReport *report)
{
    const StratInterval *interval = report->interval;
    StratKind kinds[STRAT_KIND_COUNT];
    size_t count = strat_interval_rank(interval, kinds);
    g_autofree char *low = scen_text_seconds(interval->low_s);
    g_autofree char *high = scen_text_seconds(interval->high_s);
    g_autofree char *about = g_strdup_printf(
        "The step takes %s to %s with 90 %% confidence. Weakest evidence of what "
        "matters: %s (%s).",
        low, high, kern_evidence_name(interval->evidence), strat_kind_title(interval->evidence_of));
    scen_page_section(page, "How sure it is", about);
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_BARS, "uncertainty", "What the interval comes from",
        "Share of the variance of the step time by kind of cost: measuring the first better would "
        "narrow the interval most.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Kind of cost", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share of the variance", NULL);
    for (size_t i = 0; i < count; i++) {
        scen_page_cell_text(figure, strat_kind_title(kinds[i]));
        scen_page_cell(figure, interval->share[kinds[i]]);
    }
}

static void add_notes(ScenPage *page, const ScenRunReport *report)
{
    if (report->notes->len == 0 && !report->scenario->description)
        return;
    scen_page_section(page, "Notes", report->scenario->description);
    scen_page_list(page, report->notes);
}

ScenPage *scen_run_page(const ScenRunReport *report, const StratCosting *costing)
{
    const StratTrainResult *result = report->result;
    g_autofree char *what = NULL, *how = NULL;
    scen_run_title(report->scenario, &what, &how);
    g_autofree char *about = g_strdup_printf("%s. %s.", what, how);
    ScenPage *page = scen_page_new(report->scenario->name, about);
    add_cards(page, report);
    if (report->no_fit) {
        scen_page_section(page, "Why it does not fit", report->no_fit);
        scen_run_page_memory(page, result);
        add_notes(page, report);
        return page;
    }
    scen_campaign_page(page, report);
    scen_page_section(
        page, report->campaign ? "Where the time of a step goes" : "Where the time goes", NULL);
    scen_run_page_ledger(page, result);
    scen_page_section(page, "The step over time", NULL);
    scen_run_page_timeline(page, result);
    scen_page_section(page, "Memory", NULL);
    scen_run_page_memory(page, result);
    scen_run_page_roofline(page, costing, (double)result->step_ns * 1e-9,
                           (double)result->microbatches);
    scen_run_page_network(page, costing, result);
    scen_run_page_more(page, report);
    add_interval(page, report);
    add_notes(page, report);
    return page;
}
