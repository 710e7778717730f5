/* Latencies and curves of a run of serving. A distribution is drawn as the share of the requests (of
 * the tokens, for ITL) that took no longer, at whole percents, the axis of time logarithmic since
 * tails are long. Samples are instants: between two the value is that of the earlier one. */
#include "scen_serve_page.h"

#include "scen_serve_curves.h"

#include <math.h>

enum { QUANTILES = 200 };

static void add_quantiles(ScenPageFigure *figure, const char *name, const StratDigest *digest)
{
    if (strat_digest_count(digest) == 0)
        return;
    for (int i = 0; i <= QUANTILES; i++) {
        double share = (double)i / QUANTILES, value = strat_digest_quantile(digest, share);
        if (value <= 0.0) /* not on a logarithmic axis */
            continue;
        scen_page_cell(figure, value);
        scen_page_cell(figure, share);
        scen_page_cell_text(figure, name);
    }
}

static void add_objective(ScenPageFigure *figure, const char *name, double seconds)
{
    if (seconds > 0.0)
        scen_page_guide(figure, name, seconds, NAN, seconds, NAN);
}

static void add_distributions(ScenPage *page, const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result;
    const StratDeployment *d = &report->scenario->serving.deployment;
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_LINES, "latencies", "How long requests take",
        "Share of the requests (of the gaps between tokens, for ITL) that took no longer.");
    scen_page_axes(figure, SCEN_PAGE_LOG_X);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Latency", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share at most as long", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "Figure", NULL);
    add_quantiles(figure, "TTFT", r->ttft_s);
    add_quantiles(figure, "TPOT", r->tpot_s);
    add_quantiles(figure, "ITL", r->itl_s);
    add_quantiles(figure, "E2E", r->e2e_s);
    add_objective(figure, "objective of TTFT", d->slo_ttft_s);
    add_objective(figure, "objective of TPOT", d->slo_tpot_s);
    add_objective(figure, "objective of E2E", d->slo_e2e_s);
}

static void add_summary_row(ScenPageFigure *figure, const char *name, const StratDigest *digest,
                            const char *definition)
{
    static const double quantiles[] = {0.50, 0.90, 0.95, 0.99};
    if (strat_digest_count(digest) == 0)
        return;
    scen_page_cell_text(figure, name);
    for (size_t i = 0; i < G_N_ELEMENTS(quantiles); i++)
        scen_page_cell(figure, strat_digest_quantile(digest, quantiles[i]));
    scen_page_cell(figure, strat_digest_mean(digest));
    scen_page_cell(figure, strat_digest_max(digest));
    scen_page_cell_text(figure, definition);
}

static void add_summary(ScenPage *page, const StratServeResult *r)
{
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_TABLE, "latency-table", "Latencies in figures", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Figure", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "p50", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "p90", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "p95", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "p99", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Mean", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Longest", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "From what to what", NULL);
    add_summary_row(figure, "TTFT", r->ttft_s, "arrival to first token");
    add_summary_row(figure, "TPOT", r->tpot_s, "(E2E - TTFT) / (output - 1)");
    add_summary_row(figure, "ITL", r->itl_s, "gaps between tokens");
    add_summary_row(figure, "E2E", r->e2e_s, "arrival to last token");
    add_summary_row(figure, "Queue", r->queue_s, "arrival to first iteration");
    add_summary_row(figure, "Moves", r->move_s, "prompt done to its cache's arrival");
}

/* A point a request: bursts and warm-up show. */
static void add_arrivals(ScenPage *page, const ScenServeReport *report)
{
    const GArray *outcomes = report->served->result->outcomes;
    double objective = report->scenario->serving.deployment.slo_ttft_s;
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_SCATTER, "ttft-over-time", "TTFT over the run",
                         "A point a request, at its arrival.");
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Arrival", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "TTFT", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Request", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Input tokens", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Output tokens", NULL);
    guint every = 1 + outcomes->len / SCEN_PAGE_ROWS_MAX;
    for (guint i = 0; i < outcomes->len; i += every) {
        const StratOutcome *o = &g_array_index(outcomes, StratOutcome, i);
        if (o->first_token_ns < 0)
            continue;
        scen_page_cell(figure, sim_time_to_seconds(o->arrival_ns));
        scen_page_cell(figure, sim_time_to_seconds(o->first_token_ns - o->arrival_ns));
        scen_page_cell(figure, (double)o->id);
        scen_page_cell(figure, (double)o->input_tokens);
        scen_page_cell(figure, (double)o->output_tokens);
    }
    if (objective > 0.0)
        scen_page_guide(figure, "objective", NAN, objective, NAN, objective);
    g_autofree char *remark = g_strdup_printf("One of %u requests is shown.", every);
    if (every > 1)
        scen_page_remark(figure, remark);
}

void scen_serve_page_latencies(ScenPage *page, const ScenServeReport *report)
{
    scen_page_section(page, "Latencies", NULL);
    add_distributions(page, report);
    add_summary(page, report->served->result);
    add_arrivals(page, report);
}

/* The samples' value at @offset as steps called @name. */
static void add_steps(ScenPageFigure *figure, const GArray *samples, size_t offset,
                      const char *name)
{
    for (guint i = 0; samples && i < samples->len; i++) {
        const StratServeSample *s = &g_array_index(samples, StratServeSample, i);
        scen_page_cell(figure, s->at_s);
        scen_page_cell(figure, *(const double *)(const void *)((const char *)s + offset));
        scen_page_cell_text(figure, name);
    }
}

static ScenPageFigure *steps_figure(ScenPage *page, const char *id, const char *title,
                                    const char *about, ScenPageKind kind, const char *what)
{
    ScenPageFigure *figure = scen_page_figure(page, SCEN_PAGE_STEPS, id, title, about);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Time", NULL);
    scen_page_column(figure, kind, SCEN_PAGE_Y, what, NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "Curve", NULL);
    return figure;
}

void scen_serve_page_curves(ScenPage *page, const ScenServeReport *report)
{
    const GArray *samples = report->served->result->samples, *measured = report->measured;
    scen_page_section(page, "Over the run", NULL);
    ScenPageFigure *figure =
        steps_figure(page, "requests", "Running and waiting requests", "Of all replicas together.",
                     SCEN_PAGE_NUMBER, "Requests");
    add_steps(figure, samples, offsetof(StratServeSample, running), "running");
    add_steps(figure, samples, offsetof(StratServeSample, waiting), "in the queue");
    add_steps(figure, measured, offsetof(StratServeSample, running), "running, measured");
    add_steps(figure, measured, offsetof(StratServeSample, waiting), "in the queue, measured");
    figure = steps_figure(page, "cache", "KV cache in use", "Share of the blocks of all replicas.",
                          SCEN_PAGE_SHARE, "Blocks in use");
    add_steps(figure, samples, offsetof(StratServeSample, kv_fraction), "simulated");
    add_steps(figure, measured, offsetof(StratServeSample, kv_fraction), "measured");
    figure =
        steps_figure(page, "tokens", "Tokens per second", "Over the time since the sample before.",
                     SCEN_PAGE_NUMBER, "Tokens per second");
    add_steps(figure, samples, offsetof(StratServeSample, output_tokens_per_s), "output");
    add_steps(figure, samples, offsetof(StratServeSample, prompt_tokens_per_s), "prompts");
}
