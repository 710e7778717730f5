/* The screen of `orrery run` for a serving scenario: latencies and throughput first, each with its
 * definition, then where GPU-seconds go, the KV cache, money, how close to saturation the run was,
 * and what limits it. */
#include "scen_links.h"
#include "scen_outages_report.h"
#include "scen_serve_curves.h"
#include "scen_serve_report.h"
#include "scen_text.h"

#include <math.h>
#include <stdlib.h>

#define I64 "%" G_GINT64_FORMAT

enum { LABEL = 13, BAR_WIDTH = 40 };

static void add_pool(GString *title, const StratPool *pool, const char *what)
{
    g_string_append_printf(title, I64 " %s%s of tensor " I64, pool->replicas, what,
                           pool->replicas == 1 ? "" : "s", pool->tensor);
    if (pool->pipeline > 1)
        g_string_append_printf(title, " x pipeline " I64, pool->pipeline);
    if (pool->data > 1)
        g_string_append_printf(title, " x data " I64, pool->data);
    if (pool->expert > 1)
        g_string_append_printf(title, ", experts over " I64, pool->expert);
}

static void add_title(GString *out, const ScenScenario *scenario)
{
    const TopoCluster *cluster = &scenario->cluster;
    const StratDeployment *d = &scenario->serving.deployment;
    const StratEngine *engine = d->engine;
    g_autoptr(GString) title = g_string_new(NULL);
    g_string_append_printf(title, "%s: %s on " I64 " x %s, engine %s", scenario->name,
                           scenario->model.name, cluster->gpu_count, cluster->node.gpu.name,
                           engine->name);
    scen_text_wrap(out, title->str, 0, 2);
    g_string_assign(title, "");
    if (d->pools == 2) {
        add_pool(title, &d->pool[0], "prefill replica");
        g_string_append(title, ", ");
    }
    add_pool(title, &d->pool[d->pools - 1], d->pools == 2 ? "decode replica" : "replica");
    g_string_append_printf(title,
                           "; scheduler %s, " I64 " sequences and " I64 " tokens an iteration",
                           engine->scheduler, engine->max_sequences, engine->max_tokens);
    g_string_append(out, "  ");
    scen_text_wrap(out, title->str, 2, 2);
}

static void add_latency(GString *out, const char *label, const StratDigest *digest,
                        const char *definition)
{
    static const double quantiles[] = {0.50, 0.90, 0.95, 0.99};
    g_autofree char *mean = scen_text_seconds(strat_digest_mean(digest));
    g_string_append_printf(out, "%-*s%9s", LABEL - 5, label, mean);
    for (size_t i = 0; i < G_N_ELEMENTS(quantiles); i++) {
        g_autofree char *value = scen_text_seconds(strat_digest_quantile(digest, quantiles[i]));
        g_string_append_printf(out, " %9s", value);
    }
    g_string_append_printf(out, "  %s\n", definition);
}

static void add_latencies(GString *out, const StratServeResult *r)
{
    g_string_append_printf(out, "%-*s%9s %9s %9s %9s %9s\n", LABEL - 5, "", "mean", "p50", "p90",
                           "p95", "p99");
    add_latency(out, "TTFT", r->ttft_s, "arrival to first token");
    add_latency(out, "TPOT", r->tpot_s, "(E2E - TTFT) / (output - 1)");
    add_latency(out, "ITL", r->itl_s, "gaps between tokens");
    add_latency(out, "E2E", r->e2e_s, "arrival to last token");
    add_latency(out, "Queue", r->queue_s, "arrival to first iteration");
    if (strat_digest_count(r->move_s) > 0)
        add_latency(out, "Moves", r->move_s, "prompt done to its cache's arrival");
}

/* Long tails are jumpy: a run with other costs may well fall between the same two queues, so the
 * figure itself belongs to its range. */
static void add_interval(GString *out, const ScenServed *served)
{
    const StratServeResult *runs[] = {served->fast, served->result, served->slow};
    double tpot[2] = {INFINITY, 0.0}, ttft[2] = {INFINITY, 0.0};
    if (!served->fast || !served->slow)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
        double mean_s = strat_digest_mean(runs[i]->tpot_s);
        double tail_s = strat_digest_quantile(runs[i]->ttft_s, 0.99);
        tpot[0] = MIN(tpot[0], mean_s);
        tpot[1] = MAX(tpot[1], mean_s);
        ttft[0] = MIN(ttft[0], tail_s);
        ttft[1] = MAX(ttft[1], tail_s);
    }
    g_autofree char *first = scen_text_seconds(ttft[0]);
    g_autofree char *last = scen_text_seconds(ttft[1]);
    g_autofree char *least = scen_text_seconds(tpot[0]);
    g_autofree char *most = scen_text_seconds(tpot[1]);
    scen_text_line(
        out, LABEL, "Interval",
        "TPOT mean %s to %s, TTFT p99 %s to %s: 90 %% for the error of iteration times (%.1f %% "
        "standard error; the run repeated with all of them 1.64 errors lower and higher)",
        least, most, first, last, 100.0 * served->error_fraction);
}

static void add_published(GString *out, const ScenServeReport *report)
{
    const ScenExpect *expect = &report->scenario->expect;
    if (!scen_expect_serves(expect))
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    for (int m = 0; m < SCEN_METRIC_COUNT; m++) {
        if (expect->served[m] <= 0.0)
            continue;
        double got = scen_served_metric(report->scenario, report->served, (ScenMetric)m);
        double scale = scen_metric_scale((ScenMetric)m);
        g_string_append_printf(text, "%s%s %.5g %s (here %.5g, %+.1f %%)", text->len ? ", " : "",
                               scen_metric_key((ScenMetric)m), expect->served[m] / scale,
                               scen_metric_unit((ScenMetric)m), got / scale,
                               100.0 * (got / expect->served[m] - 1.0));
    }
    if (expect->source)
        g_string_append_printf(text, "; %s", expect->source);
    scen_text_line(out, LABEL, "Published", "%s", text->str);
}

/* Why requests were refused, where admission refuses any, and who left. */
static char *turned_away_text(const StratServeResult *r)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (r->refused_queue + r->refused_ttft > 0)
        g_string_append_printf(
            text, " (" I64 " found too long a queue, " I64 " too long a predicted TTFT)",
            r->refused_queue, r->refused_ttft);
    if (r->failed > 0)
        g_string_append_printf(text, ", " I64 " failed", r->failed);
    if (r->gave_up > 0)
        g_string_append_printf(text, ", " I64 " gave up waiting", r->gave_up);
    return g_strdup(text->str);
}

static void add_scaling(GString *out, const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result;
    const ScenServing *serving = &report->scenario->serving;
    const StratAutoscale *how = &serving->autoscale;
    if (r->peak_replicas == 0)
        return;
    double replica_s = (double)strat_pool_gpus(&serving->pool) * sim_time_to_seconds(r->end_ns);
    scen_text_line(out, LABEL, "Scaling",
                   "%.3g replicas up on average, " I64 " at the peak, of " I64 " to " I64 "; " I64
                   " starts, " I64
                   " stops; by %s, target %.4g; %.1f %% of the GPU-seconds were cold "
                   "starts",
                   replica_s > 0.0 ? r->up_s / replica_s : 0.0, r->peak_replicas, how->least,
                   serving->pool.replicas, r->scale_ups, r->scale_downs, how->policy, how->target,
                   r->up_s > 0.0 ? 100.0 * r->starting_s / r->up_s : 0.0);
}

static void add_failures(GString *out, const ScenServeReport *report)
{
    static const char *const labels[] = {"Failures", "", "In months"};
    g_autoptr(GPtrArray) texts = scen_outages_texts(report);
    for (guint i = 0; texts && i < texts->len; i++)
        scen_text_line(out, LABEL, labels[i], "%s", (const char *)texts->pdata[i]);
}

static void add_curves(GString *out, const ScenServeReport *report)
{
    if (!report->measured)
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < SCEN_CURVES; i++) {
        const ScenCurve *curve = scen_serve_curve(i);
        double most;
        double gap =
            scen_serve_curve_gap(curve, report->served->result->samples, report->measured, &most);
        g_string_append_printf(text, "%s%s off by %.3g (of %.4g %s at most)", i > 0 ? ", " : "",
                               curve->name, gap, most, curve->unit);
    }
    scen_text_line(out, LABEL, "Curves", "%s, on average over the measured instants", text->str);
}

static void add_throughput(GString *out, const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result;
    const ScenServing *serving = &report->scenario->serving;
    double end_s = sim_time_to_seconds(r->end_ns);
    double per_s = end_s > 0.0 ? 1.0 / end_s : 0.0;
    double output_per_s = (double)r->output_tokens * per_s;
    g_autofree char *end = scen_text_seconds(end_s);
    scen_text_line(
        out, LABEL, "Throughput",
        "%.1f output tokens/s (%.1f per GPU), %.1f prompt tokens/s, %.3g requests/s, over the "
        "%s from the start to the last token",
        output_per_s, output_per_s / (double)r->gpus, (double)r->input_tokens * per_s,
        (double)r->finished * per_s, end);
    g_autofree char *turned_away = turned_away_text(r);
    scen_text_line(out, LABEL, "Requests",
                   I64 " finished, " I64 " refused%s, " I64 " unfinished%s%s; " I64
                       " measured after a warm-up of " I64,
                   r->finished, r->refused, turned_away, r->unfinished, r->stuck ? ": " : "",
                   r->stuck ? r->stuck : "", r->measured, serving->warm_up_requests);
    if (!scen_serving_promises(serving))
        return;
    double attained = strat_serve_attainment(r);
    scen_text_line(
        out, LABEL, "Goodput",
        "%.3g requests/s meet every objective: %.1f %% of them, %.0f %% are promised%s",
        attained * (double)r->requests * per_s, 100.0 * attained, 100.0 * serving->slo_attainment,
        scen_served_misses(report->scenario, report->served) ? ", so the SLO is MISSED" : "");
}

typedef struct Share {
    int part; /* from STRAT_SERVE_PARTS on: no iteration */
    double gpu_s;
} Share;

static int compare_shares(const void *left, const void *right)
{
    const Share *a = left, *b = right;
    if (a->gpu_s < b->gpu_s)
        return 1;
    return a->gpu_s > b->gpu_s ? -1 : a->part - b->part;
}

static void add_ledger(GString *out, const StratServeResult *r)
{
    static const char *const others[] = {"idle", "starting", "dead or restarting", "broken off"};
    const double others_s[] = {r->idle_s, r->starting_s, r->failures.down_s, r->failures.cut_s};
    Share shares[STRAT_SERVE_PARTS + G_N_ELEMENTS(others_s)];
    double all_s = 0.0;
    for (size_t i = 0; i < G_N_ELEMENTS(others_s); i++) {
        shares[STRAT_SERVE_PARTS + i] = (Share){STRAT_SERVE_PARTS + (int)i, others_s[i]};
        all_s += others_s[i];
    }
    for (int p = 0; p < STRAT_SERVE_PARTS; p++) {
        shares[p] = (Share){p, r->busy_s[p]};
        all_s += r->busy_s[p];
    }
    qsort(shares, G_N_ELEMENTS(shares), sizeof shares[0], compare_shares);
    g_string_append(out, "\nWhere GPU-seconds go\n");
    for (size_t i = 0; i < G_N_ELEMENTS(shares); i++) {
        double fraction = all_s > 0.0 ? shares[i].gpu_s / all_s : 0.0;
        if (fraction < 5e-4)
            continue;
        g_string_append_printf(out, "  %-20s %5.1f %%  ",
                               shares[i].part < STRAT_SERVE_PARTS
                                   ? strat_serve_part_name((StratServePart)shares[i].part)
                                   : others[shares[i].part - STRAT_SERVE_PARTS],
                               100.0 * fraction);
        scen_text_bar(out, fraction, BAR_WIDTH);
        while (out->str[out->len - 1] == ' ')
            g_string_truncate(out, out->len - 1);
        g_string_append_c(out, '\n');
    }
}

static void add_memory(GString *out, const ScenServeReport *report)
{
    const ScenServed *served = report->served;
    static const char *const pools[] = {"prompts", "decodes"};
    size_t count = report->scenario->serving.deployment.pools;
    for (size_t p = 0; p < count; p++) {
        const StratServeMemory *m = &served->memory[p];
        g_autofree char *label = g_strdup(count == 2 ? pools[p] : "Memory");
        g_autofree char *offloaded =
            m->offloaded_bytes > 0.0
                ? g_strdup_printf(", %.1f GB of weights off the GPU", m->offloaded_bytes * 1e-9)
                : g_strdup("");
        scen_text_line(out, LABEL, label,
                       "of a GPU's %.1f GB: weights %.1f, activations %.1f, KV cache %.1f%s; " I64
                       " blocks of " I64 " tokens a replica, %.4g kB of a GPU a token",
                       m->capacity_bytes * 1e-9, m->weights_bytes * 1e-9,
                       (m->activations_bytes + m->engine_bytes) * 1e-9, m->kv_bytes * 1e-9,
                       offloaded, m->blocks, report->scenario->serving.engine.row.block_tokens,
                       m->kv_token_bytes * 1e-3);
    }
    const StratServeResult *r = served->result;
    if (!r)
        return;
    double hits = r->input_tokens > 0 ? (double)r->cached_tokens / (double)r->input_tokens : 0.0;
    scen_text_line(
        out, LABEL, "KV cache",
        "%.1f %% in use at the peak, %.1f %% of what was reserved held no token, %.1f %% of "
        "prompt tokens found in it, " I64 " preemptions",
        100.0 * r->peak_kv_fraction, 100.0 * r->wasted_kv_fraction, 100.0 * hits, r->preemptions);
    if (r->answers > r->finished)
        scen_text_line(out, LABEL, "Answers",
                       I64 " to " I64
                           " requests; shared blocks saved %.1f %% of the KV cache that they "
                           "would have held",
                       r->answers, r->finished, 100.0 * r->shared_kv_fraction);
}

static void add_cost(GString *out, const ScenServeReport *report)
{
    const ScenMoney *m = &report->served->money;
    const ScenCost *cost = &report->scenario->cost;
    if (!cost->name)
        return;
    scen_text_line(
        out, LABEL, "Cost",
        "$%.4g a million input tokens, $%.4g cached, $%.4g output%s (%.3g GPU-hours at $%.4g, "
        "%.0f %% of them idle, and %.3g kWh%s: $%.4g in all, $%.5g a day; %s%s%s)",
        m->usd_per_input, m->usd_per_cached, m->usd_per_output,
        report->served->result->cached_tokens > 0 ? "" : ", nothing was cached", m->gpu_hours,
        m->usd_per_gpu_hour, 100.0 * m->idle_fraction, m->energy_kwh,
        m->usd_energy > 0.0 ? "" : " in the rent", m->usd_total, m->usd_per_day, cost->name,
        cost->date ? ", " : "", cost->date ? cost->date : "");
    if (m->usd_per_slo_output > 0.0)
        scen_text_line(out, LABEL, "",
                       "$%.4g, all counted, a million output tokens of requests within the SLO",
                       m->usd_per_slo_output);
}

static void add_saturation(GString *out, const ScenServed *served)
{
    const StratServeResult *r = served->result;
    g_autofree char *load =
        served->load_fraction > 0.0
            ? g_strdup_printf(
                  "%.0f %% of the tokens/s that come out when everything arrives at once; ",
                  100.0 * served->load_fraction)
            : g_strdup("");
    scen_text_line(
        out, LABEL, "Saturation",
        "%sGPUs busy %.1f %% of the time; over the second half of the arrivals the queue grew by "
        "%.2g requests/s, so it was %s",
        load, 100.0 * scen_serve_busy_fraction(r), MAX(r->waiting_growth_per_s, 0.0),
        scen_serve_is_stable(r) ? "stable"
                                : "NOT stable: a longer run would have longer latencies");
}

static void add_notes(GString *out, const ScenServeReport *report)
{
    const char *about = report->scenario->description;
    if (!about && report->notes->len == 0)
        return;
    g_string_append(out, "\nNotes\n");
    for (guint i = 0; i < report->notes->len + (about ? 1 : 0); i++) {
        g_string_append(out, "  - ");
        scen_text_wrap(out, i < report->notes->len ? report->notes->pdata[i] : about, 4, 4);
    }
}

char *scen_serve_text(const ScenServeReport *report)
{
    GString *out = g_string_new(NULL);
    const ScenServed *served = report->served;
    add_title(out, report->scenario);
    g_string_append_c(out, '\n');
    if (!served->result) {
        scen_text_wrap(out, served->no_fit, 0, 2);
        g_string_append_c(out, '\n');
        add_memory(out, report);
        add_notes(out, report);
        return g_string_free(out, FALSE);
    }
    add_latencies(out, served->result);
    add_throughput(out, report);
    add_scaling(out, report);
    add_failures(out, report);
    add_interval(out, served);
    add_published(out, report);
    add_curves(out, report);
    add_ledger(out, served->result);
    g_string_append_c(out, '\n');
    add_memory(out, report);
    add_cost(out, report);
    add_saturation(out, served);
    g_autofree char *limit = scen_serve_limit(served);
    scen_text_line(out, LABEL, "Limited by", "%s", limit);
    scen_links_text(out, "\nLinks that held caches back the longest", served->result->hot_links);
    add_notes(out, report);
    return g_string_free(out, FALSE);
}
