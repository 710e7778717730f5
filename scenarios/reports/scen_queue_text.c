/* The screen of a queue: who waits, how runs end beside what was published, where the nodes' time
 * goes, and what that costs. */
#include "scen_money.h"
#include "scen_queue_report.h"
#include "scen_text.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

enum { LABEL = 13, BAR_WIDTH = 44 };

static const double DAY_S = 86400.0;

static void add_share(GString *out, const char *label, const StratEstimate *e, double published,
                      const char *what)
{
    g_autofree char *beside =
        published > 0.0 ? g_strdup_printf("; published %.1f %%", 100.0 * published) : g_strdup("");
    if (isfinite(e->mean))
        scen_text_line(out, LABEL, label, "%.1f %% %s (%.2f to %.2f with 90 %% confidence)%s",
                       100.0 * e->mean, what, 100.0 * e->low, 100.0 * e->high, beside);
}

static const double HOUR_S = 3600.0;

static void add_waits(GString *out, const StratQueueResult *r)
{
    if (isfinite(r->wait_mean_s.mean))
        scen_text_line(
            out, LABEL, "Wait",
            "%.3g h until the first run, median %.3g h, 90 %% below %.3g h, 99 %% below %.3g h",
            r->wait_mean_s.mean / HOUR_S, r->wait_s[0].mean / HOUR_S, r->wait_s[1].mean / HOUR_S,
            r->wait_s[2].mean / HOUR_S);
    if (isfinite(r->slowdown_mean.mean))
        scen_text_line(
            out, LABEL, "Slowdown",
            "%.2f (time in the system over work, of 10 s or more), median %.2f, 90 %% below "
            "%.2f, 99 %% below %.2f",
            r->slowdown_mean.mean, r->slowdown[0].mean, r->slowdown[1].mean, r->slowdown[2].mean);
}

static void add_money(GString *out, const ScenScenario *scenario, const StratQueueResult *r)
{
    double gpus = (double)(scenario->cluster.node_count * scenario->cluster.node.gpus);
    double all_h = r->duration_s * gpus / 3600.0;
    double lost_h = all_h * (1.0 - r->spent[STRAT_QUEUE_PRODUCTIVE].mean);
    double usd = scen_money_usd_per_gpu_hour(&scenario->cost);
    if (usd > 0.0)
        scen_text_line(out, LABEL, "Lost", "%.0f of %.0f GPU-hours, $%.0f of $%.0f (%s)", lost_h,
                       all_h, lost_h * usd, all_h * usd, scenario->cost.name);
    else
        scen_text_line(out, LABEL, "Lost", "%.0f of %.0f GPU-hours", lost_h, all_h);
}

static void add_secondary(GString *out, const ScenQueuePublished *published,
                          const StratQueueResult *r)
{
    if (r->secondary <= 0.0)
        return;
    scen_text_line(out, LABEL, "Secondary",
                   "%.1f preemptions for jobs that came back after a failure", r->secondary);
    add_share(out, "", &r->secondary_share, published->secondary_share,
              "of the work that failures cost was lost by them");
}

static void add_ends(GString *out, const ScenQueuePublished *published, const StratQueueResult *r)
{
    double all = 0.0;
    for (int e = 0; e < STRAT_QUEUE_ENDS; e++)
        all += r->runs[e];
    g_string_append_printf(out, "\nHow runs end, of %.0f on average%s\n", all,
                           published->source ? "                  published" : "");
    for (int e = 0; e < STRAT_QUEUE_ENDS && all > 0.0; e++) {
        g_string_append_printf(out, "  %-12s %12.1f  %6.2f %%",
                               strat_queue_end_key((StratQueueEnd)e), r->runs[e],
                               100.0 * r->runs[e] / all);
        if (published->ended[e] > 0.0)
            g_string_append_printf(out, "            %6.2f %%", 100.0 * published->ended[e]);
        g_string_append_c(out, '\n');
    }
    if (published->source)
        scen_text_line(out, LABEL, "  published:", "%s", published->source);
}

static void add_classes(GString *out, const GArray *classes, const StratQueueResult *r)
{
    g_string_append_printf(out, "\n%-16s %5s %9s %6s %10s %9s %10s %9s %6s\n", "Jobs", "nodes",
                           "jobs", "runs", "preempted", "requeued", "secondary", "wait, h", "ETTR");
    for (guint i = 0; i < classes->len; i++) {
        const StratQueueClass *c = &g_array_index(classes, StratQueueClass, i);
        const StratQueueClassResult *x = &r->classes[i];
        g_string_append_printf(out, "  %-14s %5d %9.1f %6.2f %10.1f %9.1f %10.1f", c->name,
                               (int)c->nodes, x->jobs, x->runs / MAX(x->jobs, 1e-9), x->preemptions,
                               x->requeues, x->caused);
        if (isfinite(x->wait_s))
            g_string_append_printf(out, " %9.3g", x->wait_s / HOUR_S);
        if (isfinite(x->wait_s) && isfinite(x->ettr))
            g_string_append_printf(out, " %6.3f", x->ettr);
        g_string_append_c(out, '\n');
    }
    g_string_append(out, "  (runs of a job; preemptions that it met; requeues after failures; "
                         "preemptions for it after those)\n");
}

/* Who slows whom down, in percent: a row for each kind that says what it trains. */
static void add_beside(GString *out, const GArray *classes, const double *beside)
{
    if (!beside)
        return;
    g_string_append_printf(out, "\n%-16s", "Longer beside");
    for (guint j = 0; j < classes->len; j++)
        g_string_append_printf(out, " %12.12s", g_array_index(classes, StratQueueClass, j).name);
    g_string_append_c(out, '\n');
    for (guint i = 0; i < classes->len; i++) {
        const double *row = &beside[i * classes->len];
        bool known = false;
        for (guint j = 0; j < classes->len; j++)
            known = known || row[j] >= 0.0;
        if (!known)
            continue;
        g_string_append_printf(out, "  %-14s", g_array_index(classes, StratQueueClass, i).name);
        for (guint j = 0; j < classes->len; j++) {
            g_autofree char *cell =
                row[j] >= 0.0 ? g_strdup_printf("%.1f %%", 100.0 * row[j]) : g_strdup("given");
            g_string_append_printf(out, " %12s", cell);
        }
        g_string_append_c(out, '\n');
    }
    g_string_append(
        out, "  (steps together over steps alone, two jobs that share every leaf: simulated)\n");
}

static void add_ledger(GString *out, const ScenScenario *scenario, const StratQueueResult *r)
{
    g_string_append_printf(out, "\nWhere the nodes' time goes (" I64 " nodes x %.4g days)\n",
                           scenario->cluster.node_count, r->duration_s / DAY_S);
    for (int b = 0; b < STRAT_QUEUE_SPENT_COUNT; b++) {
        double share = r->spent[b].mean;
        if (share <= 0.0)
            continue;
        g_string_append_printf(out, "  %-28s %6.2f %%", strat_queue_spent_name((StratQueueSpent)b),
                               100.0 * share);
        if (lround(share * BAR_WIDTH) > 0)
            g_string_append(out, "  ");
        scen_text_bar(out, share, BAR_WIDTH);
        g_string_append_c(out, '\n');
    }
}

static void add_note(GString *out, const char *text)
{
    g_string_append(out, "  - ");
    scen_text_wrap(out, text, 4, 4);
}

/* Whether any fault does other than stop a job. */
static bool has_others(const ScenQueue *queue)
{
    for (guint i = 0; queue->has_faults && i < queue->faults.classes->len; i++) {
        StratFaultEffect e = g_array_index(queue->faults.classes, StratFaultClass, i).effect;
        if (e != STRAT_FAULT_STOP && e != STRAT_FAULT_HANG && e != STRAT_FAULT_LINK)
            return true;
    }
    return false;
}

/* What a reader must know of the model. */
static void add_notes(GString *out, const ScenQueue *queue)
{
    g_autofree char *shared =
        g_strdup_printf("a run on several leaves, one of them shared with another such run when it "
                        "starts, takes %.3g %% longer: given, not simulated",
                        100.0 * queue->spec.shared_leaf);
    g_string_append(out, "\nNotes\n");
    add_note(out, "jobs get whole nodes and share none; checkpoints cost nothing; failures are "
                  "noticed at once");
    if (has_others(queue))
        add_note(out, "faults that do not stop a job (slow, flap, degrade, cap, sdc, planned, "
                      "preempt, alarm) are left out");
    if (queue->spec.shared_leaf > 0.0)
        add_note(out, shared);
}

char *scen_queue_text(const ScenScenario *scenario, const StratQueueResult *r)
{
    const ScenQueue *queue = &scenario->queue;
    const ScenQueuePublished *published = &queue->published;
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%s\n\n", scenario->name);
    scen_text_line(out, LABEL, "Queue",
                   "%.4g days of " I64 " nodes of " I64 " GPUs, policy %s, placement %s; " I64
                   " histor%s; faults %s",
                   r->duration_s / DAY_S, scenario->cluster.node_count, scenario->cluster.node.gpus,
                   queue->spec.policy->name, queue->spec.placement->name, r->replications,
                   r->replications == 1 ? "y" : "ies",
                   queue->has_faults ? queue->faults.name : "none");
    scen_text_line(out, LABEL, "Jobs", "%.1f arrived; %.1f wait and %.1f run when time is up",
                   r->arrived, r->waiting, r->running);
    add_share(out, "Utilisation", &r->utilisation, published->utilisation,
              "of the nodes have a job");
    add_share(out, "Goodput", &r->spent[STRAT_QUEUE_PRODUCTIVE], 0.0,
              "of the nodes' time is work that was kept");
    add_share(out, "ETTR", &r->ettr, 0.0, "work kept over time since arrival, by nodes");
    add_waits(out, r);
    if (isfinite(r->scattered.mean))
        scen_text_line(out, LABEL, "Fragments",
                       "%.1f %% of the starts on several nodes took more leaves than "
                       "they need, all together %.3f times the fewest",
                       100.0 * r->scattered.mean, r->leaves.mean);
    add_secondary(out, published, r);
    add_money(out, scenario, r);
    add_ends(out, published, r);
    add_classes(out, queue->classes, r);
    add_beside(out, queue->classes, r->beside);
    add_ledger(out, scenario, r);
    add_notes(out, queue);
    return g_string_free(out, FALSE);
}
