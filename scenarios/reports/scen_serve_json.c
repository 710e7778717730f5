/* The JSON of `orrery run` for a serving scenario, schema 1, as of training: units stand in the
 * keys, ledger_gpu_s sums to GPUs x the run. Percentiles are of finished requests after the
 * warm-up; those of "itl_s" are of tokens. An interval is [low, high] with 90 % confidence for the
 * error of iteration times alone, null where it was not asked for. A deployment that does not fit
 * has "fits": false and no "serving". */
#include "scen_outages_report.h"
#include "scen_serve_report.h"

#include "scen_json.h"
#include "scen_links.h"

#include <math.h>

static void open_object(JsonBuilder *json, const char *key)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_object(json);
}

/* The range of a figure and of what it is with other costs. */
static void add_range(JsonBuilder *json, const char *key, double a, double b, double c)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
    json_builder_add_double_value(json, MIN(a, MIN(b, c)));
    json_builder_add_double_value(json, MAX(a, MAX(b, c)));
    json_builder_end_array(json);
}

typedef const StratDigest *(*DigestFunc)(const StratServeResult *result);

static const StratDigest *ttft_of(const StratServeResult *result)
{
    return result->ttft_s;
}

static const StratDigest *tpot_of(const StratServeResult *result)
{
    return result->tpot_s;
}

static const StratDigest *itl_of(const StratServeResult *result)
{
    return result->itl_s;
}

static const StratDigest *e2e_of(const StratServeResult *result)
{
    return result->e2e_s;
}

static const StratDigest *queue_of(const StratServeResult *result)
{
    return result->queue_s;
}

static const StratDigest *move_of(const StratServeResult *result)
{
    return result->move_s;
}

static void add_latency(JsonBuilder *json, const char *key, const ScenServed *served, DigestFunc of)
{
    static const struct {
        const char *key, *interval;
        double fraction;
    } quantiles[] = {
        {"p50", "p50_interval", 0.50},
        {"p90", "p90_interval", 0.90},
        {"p95", "p95_interval", 0.95},
        {"p99", "p99_interval", 0.99},
    };
    const StratDigest *digest = of(served->result);
    bool has_interval = served->fast && served->slow;
    open_object(json, key);
    scen_json_number(json, "mean", strat_digest_mean(digest));
    if (has_interval)
        add_range(json, "mean_interval", strat_digest_mean(of(served->fast)),
                  strat_digest_mean(digest), strat_digest_mean(of(served->slow)));
    for (size_t i = 0; i < G_N_ELEMENTS(quantiles); i++) {
        double f = quantiles[i].fraction, figure = strat_digest_quantile(digest, f);
        scen_json_number(json, quantiles[i].key, figure);
        if (has_interval)
            add_range(json, quantiles[i].interval, strat_digest_quantile(of(served->fast), f),
                      figure, strat_digest_quantile(of(served->slow), f));
    }
    scen_json_number(json, "max", strat_digest_max(digest));
    json_builder_end_object(json);
}

static void add_counts(JsonBuilder *json, const StratServeResult *r)
{
    scen_json_integer(json, "requests", r->requests);
    scen_json_integer(json, "finished", r->finished);
    scen_json_integer(json, "refused", r->refused);
    scen_json_integer(json, "refused_for_queue", r->refused_queue);
    scen_json_integer(json, "refused_for_ttft", r->refused_ttft);
    scen_json_integer(json, "gave_up", r->gave_up);
    scen_json_integer(json, "failed", r->failed);
    scen_json_integer(json, "unfinished", r->unfinished);
    scen_json_text(json, "unfinished_because", r->stuck);
    scen_json_integer(json, "measured", r->measured);
    scen_json_number(json, "duration_s", sim_time_to_seconds(r->end_ns));
    scen_json_integer(json, "input_tokens", r->input_tokens);
    scen_json_integer(json, "cached_tokens", r->cached_tokens);
    scen_json_integer(json, "output_tokens", r->output_tokens);
    scen_json_integer(json, "computed_tokens", r->computed_tokens);
    scen_json_integer(json, "iterations", r->iterations);
    scen_json_integer(json, "preemptions", r->preemptions);
    scen_json_integer(json, "answers", r->answers);
}

static void add_rates(JsonBuilder *json, const ScenServeReport *report)
{
    static const ScenMetric rates[] = {
        SCEN_METRIC_OUTPUT_RATE,  SCEN_METRIC_INPUT_RATE,          SCEN_METRIC_TOTAL_RATE,
        SCEN_METRIC_REQUEST_RATE, SCEN_METRIC_OUTPUT_RATE_PER_GPU, SCEN_METRIC_INPUT_RATE_PER_GPU,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++)
        scen_json_number(json, scen_metric_key(rates[i]),
                         scen_served_metric(report->scenario, report->served, rates[i]));
}

static void add_objectives(JsonBuilder *json, const ScenServeReport *report)
{
    const StratServeResult *r = report->served->result;
    double end_s = sim_time_to_seconds(r->end_ns);
    if (!scen_serving_promises(&report->scenario->serving))
        return;
    double attained = strat_serve_attainment(r);
    scen_json_number(json, "slo_attainment_fraction", attained);
    scen_json_number(json, "slo_required_fraction", report->scenario->serving.slo_attainment);
    scen_json_number(json, "goodput_requests_per_s",
                     end_s > 0.0 ? attained * (double)r->requests / end_s : 0.0);
}

static void add_serving(JsonBuilder *json, const ScenServeReport *report)
{
    const ScenServed *served = report->served;
    const StratServeResult *r = served->result;
    open_object(json, "serving");
    add_counts(json, r);
    add_rates(json, report);
    add_latency(json, "ttft_s", served, ttft_of);
    add_latency(json, "tpot_s", served, tpot_of);
    add_latency(json, "itl_s", served, itl_of);
    add_latency(json, "e2e_s", served, e2e_of);
    add_latency(json, "queue_s", served, queue_of);
    if (strat_digest_count(r->move_s) > 0)
        add_latency(json, "move_s", served, move_of);
    scen_links_json(json, "links", r->hot_links);
    add_objectives(json, report);
    if (r->peak_replicas > 0) {
        open_object(json, "autoscaling");
        scen_json_integer(json, "starts", r->scale_ups);
        scen_json_integer(json, "stops", r->scale_downs);
        scen_json_integer(json, "peak_replicas", r->peak_replicas);
        scen_json_number(json, "up_gpu_s", r->up_s);
        json_builder_end_object(json);
    }
    scen_outages_json(json, report);
    scen_json_number(json, "busy_fraction", scen_serve_busy_fraction(r));
    scen_json_number(json, "load_fraction",
                     served->load_fraction > 0.0 ? served->load_fraction : NAN);
    scen_json_number(json, "waiting_growth_per_s", r->waiting_growth_per_s);
    scen_json_boolean(json, "queue_is_stable", scen_serve_is_stable(r));
    scen_json_integer(json, "warm_up_requests", report->scenario->serving.warm_up_requests);
    scen_json_number(json, "iteration_standard_error_fraction",
                     served->fast ? served->error_fraction : NAN);
    json_builder_end_object(json);
}

static void add_ledger(JsonBuilder *json, const StratServeResult *r)
{
    open_object(json, "ledger_gpu_s");
    for (int p = 0; p < STRAT_SERVE_PARTS; p++)
        scen_json_number(json, strat_serve_part_name((StratServePart)p), r->busy_s[p]);
    scen_json_number(json, "idle", r->idle_s);
    if (r->peak_replicas > 0)
        scen_json_number(json, "starting", r->starting_s);
    if (r->failures.outages) {
        scen_json_number(json, "down", r->failures.down_s);
        scen_json_number(json, "broken_off", r->failures.cut_s);
    }
    json_builder_end_object(json);
}

static void add_memory(JsonBuilder *json, const ScenServeReport *report)
{
    const ScenServed *served = report->served;
    json_builder_set_member_name(json, "memory");
    json_builder_begin_array(json);
    for (size_t p = 0; p < report->scenario->serving.deployment.pools; p++) {
        const StratServeMemory *m = &served->memory[p];
        json_builder_begin_object(json);
        scen_json_integer(json, "pool", (gint64)p);
        scen_json_integer(json, "weights_bytes", llround(m->weights_bytes));
        scen_json_integer(json, "activations_bytes", llround(m->activations_bytes));
        scen_json_integer(json, "engine_bytes", llround(m->engine_bytes));
        scen_json_integer(json, "offloaded_bytes", llround(m->offloaded_bytes));
        scen_json_integer(json, "cache_bytes", llround(m->kv_bytes));
        scen_json_integer(json, "capacity_bytes", llround(m->capacity_bytes));
        scen_json_integer(json, "blocks", m->blocks);
        scen_json_integer(json, "block_tokens", report->scenario->serving.engine.row.block_tokens);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    if (!served->result)
        return;
    open_object(json, "cache");
    scen_json_number(json, "peak_fraction", served->result->peak_kv_fraction);
    scen_json_number(json, "wasted_fraction", served->result->wasted_kv_fraction);
    scen_json_number(json, "shared_fraction", served->result->shared_kv_fraction);
    scen_json_number(json, "hit_fraction",
                     served->result->input_tokens > 0 ? (double)served->result->cached_tokens /
                                                            (double)served->result->input_tokens
                                                      : 0.0);
    json_builder_end_object(json);
}

static void add_cost(JsonBuilder *json, const ScenServeReport *report)
{
    const ScenMoney *m = &report->served->money;
    open_object(json, "cost");
    scen_json_number(json, "gpu_hours", m->gpu_hours);
    scen_json_number(json, "energy_kwh", m->energy_kwh);
    if (report->scenario->cost.name) {
        scen_json_text(json, "price", report->scenario->cost.name);
        scen_json_text(json, "price_source", report->scenario->cost.source);
        scen_json_number(json, "usd_per_gpu_hour", m->usd_per_gpu_hour);
        scen_json_number(json, "usd_total", m->usd_total);
        scen_json_number(json, "usd_per_day", m->usd_per_day);
        scen_json_number(json, "usd_energy", m->usd_energy);
        scen_json_number(json, "usd_per_million_input_tokens", m->usd_per_input);
        scen_json_number(json, "usd_per_million_cached_tokens", m->usd_per_cached);
        scen_json_number(json, "usd_per_million_output_tokens", m->usd_per_output);
        scen_json_number(json, "usd_per_million_output_tokens_within_slo", m->usd_per_slo_output);
        scen_json_number(json, "idle_fraction", m->idle_fraction);
    }
    json_builder_end_object(json);
}

static void add_expected(JsonBuilder *json, const ScenServeReport *report)
{
    const ScenExpect *expect = &report->scenario->expect;
    if (!scen_expect_serves(expect))
        return;
    open_object(json, "expected");
    for (int m = 0; m < SCEN_METRIC_COUNT; m++) {
        if (expect->served[m] <= 0.0)
            continue;
        double got = scen_served_metric(report->scenario, report->served, (ScenMetric)m);
        open_object(json, scen_metric_key((ScenMetric)m));
        scen_json_number(json, "published", expect->served[m]);
        scen_json_number(json, "predicted", got);
        scen_json_number(json, "error_fraction", got / expect->served[m] - 1.0);
        json_builder_end_object(json);
    }
    scen_json_text(json, "source", expect->source);
    json_builder_end_object(json);
}

static void add_warnings(JsonBuilder *json, const ScenServeReport *report)
{
    json_builder_set_member_name(json, "warnings");
    json_builder_begin_array(json);
    if (report->served->no_fit)
        json_builder_add_string_value(json, report->served->no_fit);
    for (guint i = 0; i < report->notes->len; i++)
        json_builder_add_string_value(json, report->notes->pdata[i]);
    json_builder_end_array(json);
}

char *scen_serve_json(const ScenServeReport *report)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    const ScenScenario *scenario = report->scenario;
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "scenario", scenario->name);
    scen_json_text(json, "description", scenario->description);
    scen_json_integer(json, "seed", (gint64)scenario->seed);
    scen_json_integer(json, "gpus", scenario->cluster.gpu_count);
    scen_json_text(json, "engine", scenario->serving.engine.row.name);
    scen_json_boolean(json, "fits", report->served->no_fit == NULL);
    if (report->served->result) {
        add_serving(json, report);
        add_ledger(json, report->served->result);
    }
    add_memory(json, report);
    if (report->served->result) {
        add_cost(json, report);
        add_expected(json, report);
    }
    add_warnings(json, report);
    json_builder_end_object(json);
    return scen_json_finish(json);
}
