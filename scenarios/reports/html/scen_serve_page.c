/* The HTML page of a run of serving: the answer in cards, then latencies, the run over time, where
 * GPU-seconds go, memory, how close to saturation it ran, what it costs, how sure that is. The
 * figures are those of scen_serve_text.c. */
#include "scen_serve_page.h"

#include "scen_outages_report.h"
#include "scen_run_page.h"
#include "scen_text.h"

#include <math.h>
#include <stdlib.h>

#define I64 "%" G_GINT64_FORMAT

static void add_latency_card(ScenPage *page, const char *label, const StratDigest *digest,
                             double objective_s)
{
    double tail_s = strat_digest_quantile(digest, 0.99);
    g_autofree char *median = scen_text_seconds(strat_digest_quantile(digest, 0.5));
    g_autofree char *tail = scen_text_seconds(tail_s);
    g_autofree char *objective = scen_text_seconds(objective_s);
    bool promised = objective_s > 0.0;
    if (strat_digest_count(digest) == 0)
        return;
    scen_page_card_take(page, SCEN_PAGE_PLAIN, label, g_strdup(median),
                        g_strdup_printf("median; 99 %% within %s%s%s", tail,
                                        promised ? ", objective " : "", promised ? objective : ""));
}

static void add_cards(ScenPage *page, const ScenServeReport *report)
{
    const ScenServed *served = report->served;
    const StratServeResult *r = served->result;
    const ScenServing *serving = &report->scenario->serving;
    double end_s = MAX(sim_time_to_seconds(r->end_ns), 1e-9);
    double output_per_s = (double)r->output_tokens / end_s;
    add_latency_card(page, "Time to first token", r->ttft_s, serving->deployment.slo_ttft_s);
    add_latency_card(page, "Time per output token", r->tpot_s, serving->deployment.slo_tpot_s);
    scen_page_card_take(
        page, SCEN_PAGE_PLAIN, "Throughput", g_strdup_printf("%.0f output tokens/s", output_per_s),
        g_strdup_printf("%.1f per GPU; %.3g requests/s", output_per_s / (double)r->gpus,
                        (double)r->finished / end_s));
    if (scen_serving_promises(serving)) {
        bool missed = scen_served_misses(report->scenario, served);
        scen_page_card_take(page, missed ? SCEN_PAGE_BAD : SCEN_PAGE_GOOD, "Objectives",
                            g_strdup_printf("%.1f %% met", 100.0 * strat_serve_attainment(r)),
                            g_strdup_printf("%.0f %% are promised%s",
                                            100.0 * serving->slo_attainment,
                                            missed ? ": missed" : ""));
    }
    if (report->scenario->cost.name)
        scen_page_card_take(page, SCEN_PAGE_PLAIN, "A million output tokens",
                            g_strdup_printf("$%.4g", served->money.usd_per_output),
                            g_strdup_printf("$%.4g a million input tokens; %s",
                                            served->money.usd_per_input,
                                            report->scenario->cost.name));
    bool stable = scen_serve_is_stable(r);
    scen_page_card_take(
        page, stable ? SCEN_PAGE_GOOD : SCEN_PAGE_BAD, "Queue",
        g_strdup(stable ? "stable" : "grows"),
        g_strdup_printf("GPUs busy %.1f %% of the time", 100.0 * scen_serve_busy_fraction(r)));
}

typedef struct Share {
    const char *name;
    double gpu_s;
    size_t place;
} Share;

static int compare_shares(const void *left, const void *right)
{
    const Share *a = left, *b = right;
    if (a->gpu_s < b->gpu_s || a->gpu_s > b->gpu_s)
        return a->gpu_s < b->gpu_s ? 1 : -1;
    return a->place < b->place ? -1 : a->place > b->place;
}

static void add_ledger(ScenPage *page, const StratServeResult *r)
{
    Share shares[STRAT_SERVE_PARTS + 4] = {
        {"idle",               r->idle_s,          0},
        {"starting",           r->starting_s,      1},
        {"dead or restarting", r->failures.down_s, 2},
        {"broken off",         r->failures.cut_s,  3},
    };
    double all_s = 0.0;
    for (size_t p = 0; p < STRAT_SERVE_PARTS; p++)
        shares[p + 4] = (Share){strat_serve_part_name((StratServePart)p), r->busy_s[p], p + 4};
    for (size_t i = 0; i < G_N_ELEMENTS(shares); i++)
        all_s += shares[i].gpu_s;
    qsort(shares, G_N_ELEMENTS(shares), sizeof *shares, compare_shares);
    scen_page_section(page, "Where GPU-seconds go", NULL);
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_BARS, "ledger", "Iterations and idle time by what they are spent on",
        "Every GPU-second that is paid belongs to one account.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Account", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share of the GPU-seconds", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Time", "GPU-s");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "Kind", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(shares) && shares[i].gpu_s > 0.0; i++) {
        scen_page_cell_text(figure, shares[i].name);
        scen_page_cell(figure, shares[i].gpu_s / all_s);
        scen_page_cell(figure, shares[i].gpu_s);
        scen_page_cell_text(figure, shares[i].place >= 4 ? "in iterations" : "not in iterations");
    }
}

static void add_memory(ScenPage *page, const ScenServeReport *report)
{
    static const char *const pools[] = {"prompts", "decodes"};
    size_t count = report->scenario->serving.deployment.pools;
    ScenPageFigure *figure = scen_page_figure(page, SCEN_PAGE_STACKED, "memory", "Memory of a GPU",
                                              "What its bytes are set aside for.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Replicas", NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_Y, "weights", NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_Y, "activations", NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_Y, "KV cache", NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_ASIDE, "Capacity", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Blocks of a replica", NULL);
    for (size_t p = 0; p < count; p++) {
        const StratServeMemory *m = &report->served->memory[p];
        scen_page_cell_text(figure, count == 2 ? pools[p] : "all");
        scen_page_cell(figure, m->weights_bytes);
        scen_page_cell(figure, m->activations_bytes + m->engine_bytes);
        scen_page_cell(figure, m->kv_bytes);
        scen_page_cell(figure, m->capacity_bytes);
        scen_page_cell(figure, (double)m->blocks);
    }
    double capacity = report->served->memory[count - 1].capacity_bytes;
    scen_page_guide(figure, "capacity", capacity, NAN, capacity, NAN);
}

static void add_saturation(ScenPage *page, const ScenServeReport *report)
{
    const ScenServed *served = report->served;
    const StratServeResult *r = served->result;
    const struct {
        const char *name;
        double share;
    } rows[] = {
        {"GPUs busy",                                   scen_serve_busy_fraction(r)         },
        {"KV cache at its peak",                        r->peak_kv_fraction                 },
        {"tokens/s over those with everything at once", served->load_fraction               },
        {"requests that met every objective",
         scen_serving_promises(&report->scenario->serving) ? strat_serve_attainment(r) : 0.0},
    };
    g_autofree char *limit = scen_serve_limit(served);
    g_autofree char *about = g_strdup_printf(
        "Limited by %s. Over the second half of the arrivals the queue grew by "
        "%.2g requests/s, so it was %s.",
        limit, MAX(r->waiting_growth_per_s, 0.0),
        scen_serve_is_stable(r) ? "stable"
                                : "not stable: a longer run would have longer latencies");
    scen_page_section(page, "How close to saturation", about);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "saturation", "What is used of what there is", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Of what", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].share <= 0.0)
            continue;
        scen_page_cell_text(figure, rows[i].name);
        scen_page_cell(figure, rows[i].share);
    }
}

static void add_cost(ScenPage *page, const ScenServeReport *report)
{
    const ScenMoney *m = &report->served->money;
    const ScenCost *cost = &report->scenario->cost;
    if (!cost->name)
        return;
    const struct {
        const char *name;
        double usd;
    } rows[] = {
        {"input",                               m->usd_per_input     },
        {"input, cached",                       m->usd_per_cached    },
        {"output",                              m->usd_per_output    },
        {"output, all counted, within the SLO", m->usd_per_slo_output},
        {"output, if idle time cost nothing",   m->output_usd_on_busy},
    };
    g_autofree char *about = g_strdup_printf(
        "%.3g GPU-hours at $%.4g, %.0f %% of them idle, and %.3g kWh%s: $%.4g in all, $%.5g a day "
        "(%s%s%s).",
        m->gpu_hours, m->usd_per_gpu_hour, 100.0 * m->idle_fraction, m->energy_kwh,
        m->usd_energy > 0.0 ? "" : " in the rent", m->usd_total, m->usd_per_day, cost->name,
        cost->date ? ", " : "", cost->date ? cost->date : "");
    scen_page_section(page, "Cost", about);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "cost", "Cost of a million tokens", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Tokens", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_Y, "A million of them", "$");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].usd <= 0.0)
            continue;
        scen_page_cell_text(figure, rows[i].name);
        scen_page_cell(figure, rows[i].usd);
    }
}

static void add_interval(ScenPage *page, const ScenServed *served)
{
    const struct {
        const char *name;
        const StratServeResult *result;
    } runs[] = {
        {"1.64 errors faster", served->fast  },
        {"as priced",          served->result},
        {"1.64 errors slower", served->slow  },
    };
    if (!served->fast || !served->slow)
        return;
    g_autofree char *about =
        g_strdup_printf("The time of an iteration has a standard error of %.1f %%. The run is "
                        "repeated with all iterations 1.64 errors faster and slower: 90 %%.",
                        100.0 * served->error_fraction);
    scen_page_section(page, "How sure it is", about);
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_BARS, "uncertainty", "Latencies if iterations were faster or slower", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Iterations", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "TPOT, mean", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "TTFT, median", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "TTFT, p99", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "E2E, mean", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
        scen_page_cell_text(figure, runs[i].name);
        scen_page_cell(figure, strat_digest_mean(runs[i].result->tpot_s));
        scen_page_cell(figure, strat_digest_quantile(runs[i].result->ttft_s, 0.5));
        scen_page_cell(figure, strat_digest_quantile(runs[i].result->ttft_s, 0.99));
        scen_page_cell(figure, strat_digest_mean(runs[i].result->e2e_s));
    }
}

/* When which replica was not there. */
static void add_outages(ScenPage *page, const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result;
    g_autoptr(GPtrArray) texts = scen_outages_texts(report);
    if (!texts)
        return;
    scen_page_section(page, "Failures", NULL);
    scen_page_list(page, texts);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_SPANS, "outages", "Replicas that were not there", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_LANE, "Replica", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "From", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_END, "Until", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Requests there", NULL);
    for (guint i = 0; i < r->failures.outages->len; i++) {
        const StratOutageRecord *o = &g_array_index(r->failures.outages, StratOutageRecord, i);
        g_autofree char *name = g_strdup_printf("replica %d", (int)o->replica);
        scen_page_cell_text(figure, name);
        scen_page_cell(figure, sim_time_to_seconds(o->at));
        scen_page_cell(figure, sim_time_to_seconds(o->back >= 0 ? o->back : r->end_ns));
        scen_page_cell(figure, (double)o->requests);
    }
}

ScenPage *scen_serve_page(const ScenServeReport *report)
{
    const ScenScenario *scenario = report->scenario;
    const TopoCluster *cluster = &scenario->cluster;
    g_autofree char *about =
        g_strdup_printf("%s on " I64 " x %s, engine %s.", scenario->model.name, cluster->gpu_count,
                        cluster->node.gpu.name, scenario->serving.deployment.engine->name);
    ScenPage *page = scen_page_new(scenario->name, about);
    if (!report->served->result) {
        scen_page_card(page, SCEN_PAGE_BAD, "Memory", "Does not fit", NULL);
        scen_page_section(page, "Why it does not fit", report->served->no_fit);
        add_memory(page, report);
        return page;
    }
    add_cards(page, report);
    scen_serve_page_latencies(page, report);
    scen_serve_page_curves(page, report);
    add_ledger(page, report->served->result);
    add_memory(page, report);
    add_saturation(page, report);
    scen_links_page(page, "links", "Links that held caches back the longest",
                    report->served->result->hot_links);
    add_outages(page, report);
    add_cost(page, report);
    add_interval(page, report->served);
    if (scenario->description || report->notes->len > 0)
        scen_page_section(page, "Notes", scenario->description);
    scen_page_list(page, report->notes);
    return page;
}
