/* The HTML page of a queue: who waits, where the nodes' time goes, how runs end. Means are over
 * histories; curves over time and distributions of waiting are of the first one, whose jobs are known
 * one by one. The figures are those of scen_queue_text.c. */
#include "scen_queue_page.h"

#include "scen_money.h"

#include <math.h>
#include <stdlib.h>

#define I64 "%" G_GINT64_FORMAT

static const double DAY_S = 86400.0, HOUR_S = 3600.0;

enum { POINTS = 600 };

static void add_cards(ScenPage *page, const ScenScenario *scenario, const StratQueueResult *r)
{
    double usd = scen_money_usd_per_gpu_hour(&scenario->cost);
    double all_h = r->duration_s / HOUR_S *
                   (double)(scenario->cluster.node_count * scenario->cluster.node.gpus);
    double kept = r->spent[STRAT_QUEUE_PRODUCTIVE].mean;
    if (isfinite(r->utilisation.mean))
        scen_page_card_take(
            page, SCEN_PAGE_PLAIN, "Utilisation",
            g_strdup_printf("%.1f %%", 100.0 * r->utilisation.mean),
            g_strdup_printf("of the nodes have a job; %.2f to %.2f %% with 90 %% confidence",
                            100.0 * r->utilisation.low, 100.0 * r->utilisation.high));
    scen_page_card_take(page, SCEN_PAGE_PLAIN, "Goodput", g_strdup_printf("%.1f %%", 100.0 * kept),
                        g_strdup("of the nodes' time is work that was kept"));
    if (isfinite(r->wait_mean_s.mean))
        scen_page_card_take(
            page, SCEN_PAGE_PLAIN, "Wait", g_strdup_printf("%.3g h", r->wait_mean_s.mean / HOUR_S),
            g_strdup_printf("until the first run, on average; half below %.3g h, 90 %% below "
                            "%.3g h",
                            r->wait_s[0].mean / HOUR_S, r->wait_s[1].mean / HOUR_S));
    if (isfinite(r->slowdown_mean.mean))
        scen_page_card_take(page, SCEN_PAGE_PLAIN, "Slowdown",
                            g_strdup_printf("%.2f", r->slowdown_mean.mean),
                            g_strdup("time in the system over work, of jobs of 10 s or more"));
    if (usd > 0.0)
        scen_page_card_take(page, SCEN_PAGE_PLAIN, "Lost",
                            g_strdup_printf("$%.0f", all_h * (1.0 - kept) * usd),
                            g_strdup_printf("of $%.0f (%s)", all_h * usd, scenario->cost.name));
}

static void add_ledger(ScenPage *page, const StratQueueResult *r)
{
    scen_page_section(page, "Where the nodes' time goes", NULL);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "ledger", "Nodes x time by what it went to", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Account", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share of nodes x time", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "90 % from", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "90 % to", NULL);
    for (int b = 0; b < STRAT_QUEUE_SPENT_COUNT; b++) {
        if (!(r->spent[b].mean > 0.0))
            continue;
        scen_page_cell_text(figure, strat_queue_spent_name((StratQueueSpent)b));
        scen_page_cell(figure, r->spent[b].mean);
        scen_page_cell(figure, r->spent[b].low);
        scen_page_cell(figure, r->spent[b].high);
    }
}

/* Jobs in the system at equal distances in time, and nodes of those that have begun. */
typedef struct Census {
    double waiting[POINTS + 2], begun[POINTS + 2], nodes[POINTS + 2];
} Census;

/* The first point at or after @at; past the last one when it never comes. */
static int point_of(SimTime at, double duration_s)
{
    double point = ceil(sim_time_to_seconds(at) / duration_s * POINTS);
    return at < 0 || point > POINTS ? POINTS + 1 : (int)point;
}

/* Changes at the points are added up, then sums are run over them. */
static void take_census(const GArray *rows, double duration_s, Census *census)
{
    for (guint i = 0; i < rows->len; i++) {
        const StratQueueJobRow *row = &g_array_index(rows, StratQueueJobRow, i);
        int left = point_of(row->left, duration_s);
        int begins = MIN(point_of(row->first_start, duration_s), left);
        census->waiting[point_of(row->arrival, duration_s)] += 1.0;
        census->waiting[begins] -= 1.0;
        census->begun[begins] += 1.0;
        census->begun[left] -= 1.0;
        census->nodes[begins] += (double)row->nodes;
        census->nodes[left] -= (double)row->nodes;
    }
    for (int i = 1; i <= POINTS; i++) {
        census->waiting[i] += census->waiting[i - 1];
        census->begun[i] += census->begun[i - 1];
        census->nodes[i] += census->nodes[i - 1];
    }
}

static void add_curves(ScenPage *page, const ScenScenario *scenario, const StratQueueResult *r,
                       const GArray *rows)
{
    double nodes = (double)scenario->cluster.node_count;
    Census census = {0};
    take_census(rows, r->duration_s, &census);
    scen_page_section(page, "Over time", "Of the first history.");
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_STEPS, "jobs", "Jobs in the system",
                         "Those before their first run, and those that have begun: they run, or "
                         "wait anew after a preemption or a failure.");
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Time", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_Y, "before their first run", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_Y, "begun", NULL);
    for (int i = 0; i <= POINTS; i++) {
        scen_page_cell(figure, r->duration_s * i / POINTS);
        scen_page_cell(figure, census.waiting[i]);
        scen_page_cell(figure, census.begun[i]);
    }
    figure = scen_page_figure(page, SCEN_PAGE_STEPS, "nodes", "Nodes of jobs that have begun",
                              "Over all nodes; above 100 % where jobs that have begun wait anew.");
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Time", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Nodes that they take", NULL);
    for (int i = 0; i <= POINTS; i++) {
        scen_page_cell(figure, r->duration_s * i / POINTS);
        scen_page_cell(figure, census.nodes[i] / nodes);
    }
    scen_page_guide(figure, "all nodes", NAN, 1.0, NAN, 1.0);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* How long the jobs of class @index, or of all (negative), waited for their first run. */
static void add_waits_of(ScenPageFigure *figure, const char *name, int index, const GArray *rows)
{
    g_autoptr(GArray) waits = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint i = 0; i < rows->len; i++) {
        const StratQueueJobRow *row = &g_array_index(rows, StratQueueJobRow, i);
        double wait_s = sim_time_to_seconds(row->first_start - row->arrival);
        if (row->first_start >= 0 && (index < 0 || (int)row->class_index == index))
            g_array_append_val(waits, wait_s);
    }
    if (waits->len == 0)
        return;
    qsort(waits->data, waits->len, sizeof(double), by_value);
    guint points = MIN(waits->len, 100);
    for (guint i = 1; i <= points; i++) {
        guint at = (guint)((guint64)i * waits->len / points);
        scen_page_cell(figure, g_array_index(waits, double, at - 1));
        scen_page_cell(figure, (double)at / waits->len);
        scen_page_cell_text(figure, name);
    }
}

static void add_waits(ScenPage *page, const GArray *classes, const GArray *rows)
{
    enum { CLASSES_SHOWN = 6 };
    scen_page_section(page, "Waiting", NULL);
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_STEPS, "waits", "How long jobs wait for their first run",
        "Share of the jobs that started that waited no longer; of the first history.");
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Wait", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share at most as long", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "Jobs", NULL);
    add_waits_of(figure, "all jobs", -1, rows);
    for (guint i = 0; classes->len > 1 && i < MIN(classes->len, CLASSES_SHOWN); i++)
        add_waits_of(figure, g_array_index(classes, StratQueueClass, i).name, (int)i, rows);
    if (classes->len > CLASSES_SHOWN)
        scen_page_remark(figure, "The first six kinds of jobs are shown; the table below has all.");
}

static void add_classes(ScenPage *page, const GArray *classes, const StratQueueResult *r)
{
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "kinds", "Kinds of jobs",
                         "Mean wait until the first run; means over the histories.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Jobs", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "Wait", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Nodes", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Number", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Runs of one", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Preempted", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Requeued", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "ETTR", NULL);
    for (guint i = 0; i < classes->len; i++) {
        const StratQueueClass *c = &g_array_index(classes, StratQueueClass, i);
        const StratQueueClassResult *x = &r->classes[i];
        scen_page_cell_text(figure, c->name);
        scen_page_cell(figure, x->wait_s);
        scen_page_cell(figure, (double)c->nodes);
        scen_page_cell(figure, x->jobs);
        scen_page_cell(figure, x->jobs > 0.0 ? x->runs / x->jobs : NAN);
        scen_page_cell(figure, x->preemptions);
        scen_page_cell(figure, x->requeues);
        scen_page_cell(figure, x->ettr);
    }
}

static void add_ends(ScenPage *page, const ScenQueuePublished *published, const StratQueueResult *r)
{
    double all = 0.0;
    for (int e = 0; e < STRAT_QUEUE_ENDS; e++)
        all += r->runs[e];
    if (all <= 0.0)
        return;
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "ends", "How runs end", published->source);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "End", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "simulated", NULL);
    if (published->source)
        scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "published", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Runs", NULL);
    for (int e = 0; e < STRAT_QUEUE_ENDS; e++) {
        scen_page_cell_text(figure, strat_queue_end_key((StratQueueEnd)e));
        scen_page_cell(figure, r->runs[e] / all);
        if (published->source)
            scen_page_cell(figure, published->ended[e] > 0.0 ? published->ended[e] : NAN);
        scen_page_cell(figure, r->runs[e]);
    }
}

static void add_beside(ScenPage *page, const GArray *classes, const double *beside)
{
    if (!beside)
        return;
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_HEAT, "beside", "Who slows whom",
                         "How much longer steps are of a job that shares its leaves with another: "
                         "simulated.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_LANE, "Job", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Beside", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Longer by", NULL);
    for (guint i = 0; i < classes->len; i++) {
        for (guint j = 0; j < classes->len; j++) {
            double longer = beside[i * classes->len + j];
            scen_page_cell_text(figure, g_array_index(classes, StratQueueClass, i).name);
            scen_page_cell_text(figure, g_array_index(classes, StratQueueClass, j).name);
            scen_page_cell(figure, longer >= 0.0 ? longer : NAN);
        }
    }
}

ScenPage *scen_queue_page(const ScenScenario *scenario, const StratQueueResult *r,
                          const GArray *rows)
{
    const ScenQueue *queue = &scenario->queue;
    g_autofree char *about = g_strdup_printf(
        "%.4g days of " I64 " nodes of " I64 " GPUs, policy %s, placement %s, " I64
        " histor%s, faults %s.",
        r->duration_s / DAY_S, scenario->cluster.node_count, scenario->cluster.node.gpus,
        queue->spec.policy->name, queue->spec.placement->name, r->replications,
        r->replications == 1 ? "y" : "ies", queue->has_faults ? queue->faults.name : "none");
    ScenPage *page = scen_page_new(scenario->name, about);
    add_cards(page, scenario, r);
    add_ledger(page, r);
    add_curves(page, scenario, r, rows);
    add_waits(page, queue->classes, rows);
    add_classes(page, queue->classes, r);
    add_ends(page, &queue->published, r);
    add_beside(page, queue->classes, r->beside);
    if (scenario->description)
        scen_page_section(page, "Notes", scenario->description);
    return page;
}
