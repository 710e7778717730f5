/* The JSON of `orrery run`, schema 1. Units stand in the keys; seconds come from whole nanoseconds,
 * bytes are rounded to whole ones. ledger_gpu_s sums to gpus x training.step_time_s. A plan that
 * does not fit has "fits": false, the reason among the warnings, and the figures that it would
 * have if memory were no matter. */
#include "scen_run_report.h"

#include "scen_json.h"
#include "scen_judged.h"
#include "scen_links.h"

#include <math.h>

/* Beside the step time: its interval, what the variance comes from (shares that sum to 1), and the
 * weakest evidence of what matters. */
static void add_interval(JsonBuilder *json, const StratInterval *interval)
{
    json_builder_set_member_name(json, "step_time_interval_s");
    json_builder_begin_array(json);
    json_builder_add_double_value(json, interval->low_s);
    json_builder_add_double_value(json, interval->high_s);
    json_builder_end_array(json);
    scen_json_number(json, "interval_confidence_fraction", 0.9);
    scen_json_number(json, "interval_half_width_fraction", interval->half_width_fraction);
    scen_json_number(json, "standard_error_fraction", interval->standard_error_fraction);
    scen_json_text(json, "evidence", kern_evidence_name(interval->evidence));
    scen_json_text(json, "evidence_of", strat_kind_key(interval->evidence_of));
    json_builder_set_member_name(json, "variance_fraction");
    json_builder_begin_object(json);
    for (int k = 0; k < STRAT_KIND_COUNT; k++)
        scen_json_number(json, strat_kind_key((StratKind)k), interval->share[k]);
    json_builder_end_object(json);
}

static void add_training(JsonBuilder *json, const StratTrainResult *result,
                         const StratInterval *interval)
{
    double step_s = (double)result->step_ns * 1e-9, gpus = (double)result->gpus;
    json_builder_set_member_name(json, "training");
    json_builder_begin_object(json);
    scen_json_number(json, "step_time_s", step_s);
    add_interval(json, interval);
    scen_json_number(json, "tokens_per_s", result->tokens / step_s);
    scen_json_number(json, "tokens_per_s_per_gpu", result->tokens / step_s / gpus);
    scen_json_number(json, "model_flop_per_s_per_gpu", result->model_flop / step_s / gpus);
    scen_json_number(json, "hardware_flop_per_s_per_gpu", result->hardware_flop / step_s / gpus);
    scen_json_number(json, "mfu_fraction", strat_train_mfu_fraction(result));
    scen_json_number(json, "hfu_fraction", strat_train_hfu_fraction(result));
    scen_json_number(json, "tokens_per_step", result->tokens);
    scen_json_integer(json, "microbatches", result->microbatches);
    if (result->dealt) {
        json_builder_set_member_name(json, "replica_microbatches");
        json_builder_begin_array(json);
        for (int64_t d = 0; d < result->dealt_count; d++)
            json_builder_add_int_value(json, result->dealt[d]);
        json_builder_end_array(json);
    }
    json_builder_end_object(json);
}

static void add_ledger(JsonBuilder *json, const StratTrainResult *result)
{
    json_builder_set_member_name(json, "ledger_gpu_s");
    json_builder_begin_object(json);
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        scen_json_number(json, strat_bucket_key((StratBucket)b),
                         (double)result->ledger_ns[b] * 1e-9);
    json_builder_end_object(json);
}

static void add_bytes(JsonBuilder *json, const char *key, double bytes)
{
    scen_json_integer(json, key, (gint64)llround(bytes));
}

static void add_memory(JsonBuilder *json, const GArray *memory)
{
    json_builder_set_member_name(json, "memory");
    json_builder_begin_array(json);
    for (guint i = 0; i < memory->len; i++) {
        const StratMemory *m = &g_array_index(memory, StratMemory, i);
        json_builder_begin_object(json);
        scen_json_integer(json, "stage", i);
        add_bytes(json, "weights_bytes", m->weights_bytes);
        add_bytes(json, "gradients_bytes", m->gradients_bytes);
        add_bytes(json, "optimizer_bytes", m->optimizer_bytes);
        add_bytes(json, "activations_bytes", m->activations_bytes);
        add_bytes(json, "workspace_bytes", m->workspace_bytes);
        add_bytes(json, "reserved_bytes", m->reserved_bytes);
        add_bytes(json, "peak_bytes", m->peak_bytes);
        add_bytes(json, "capacity_bytes", m->capacity_bytes);
        add_bytes(json, "host_bytes", m->host_bytes);
        add_bytes(json, "disk_bytes", m->disk_bytes);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void add_jobs(JsonBuilder *json, const StratJobs *jobs)
{
    if (!jobs)
        return;
    json_builder_set_member_name(json, "jobs");
    json_builder_begin_array(json);
    for (guint i = 0; i < jobs->jobs->len; i++) {
        const StratJobResult *job = &g_array_index(jobs->jobs, StratJobResult, i);
        json_builder_begin_object(json);
        scen_json_text(json, "name", job->name);
        scen_json_integer(json, "gpus", job->gpus);
        scen_json_number(json, "step_time_alone_s", sim_time_to_seconds(job->alone_ns));
        scen_json_number(json, "step_time_together_s", job->together_ns * 1e-9);
        scen_json_number(json, "slowdown", job->together_ns / (double)job->alone_ns);
        scen_json_integer(json, "steps", job->steps);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    scen_links_json(json, "jobs_links", jobs->hot_links);
}

static void add_expected(JsonBuilder *json, const ScenExpect *expect, double step_s)
{
    if (expect->step_time_s <= 0.0)
        return;
    json_builder_set_member_name(json, "expected");
    json_builder_begin_object(json);
    scen_json_number(json, "step_time_s", expect->step_time_s);
    scen_json_number(json, "error_fraction", step_s / expect->step_time_s - 1.0);
    scen_json_text(json, "source", expect->source);
    scen_json_text(json, "definition", expect->definition);
    json_builder_end_object(json);
}

static void add_warnings(JsonBuilder *json, const ScenRunReport *report)
{
    json_builder_set_member_name(json, "warnings");
    json_builder_begin_array(json);
    if (report->no_fit)
        json_builder_add_string_value(json, report->no_fit);
    for (guint i = 0; i < report->notes->len; i++)
        json_builder_add_string_value(json, report->notes->pdata[i]);
    json_builder_end_array(json);
}

char *scen_run_json(const ScenRunReport *report)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    const ScenScenario *scenario = report->scenario;
    const StratTrainResult *result = report->result;
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "scenario", scenario->name);
    scen_json_text(json, "description", scenario->description);
    scen_json_integer(json, "seed", (gint64)scenario->seed);
    scen_json_integer(json, "gpus", result->gpus);
    if (scenario->placement.kind)
        scen_json_text(json, "placement", scenario->placement.kind);
    scen_json_integer(json, "simulated_rank_classes", result->classes);
    scen_json_integer(json, "operations", result->operations);
    scen_json_boolean(json, "fits", report->no_fit == NULL);
    add_training(json, result, report->interval);
    add_ledger(json, result);
    scen_faults_json(json, report);
    add_memory(json, result->memory);
    scen_memory_time_json(json, result);
    scen_data_json(json, report);
    scen_training_run_json(json, report);
    scen_links_json(json, "links", result->hot_links);
    add_jobs(json, report->jobs);
    scen_campaign_json(json, report);
    scen_recoveries_json(json, report->scenario, report->campaigns);
    scen_judged_member_json(json, report->judged);
    scen_table_json(json, report);
    add_expected(json, &scenario->expect, (double)result->step_ns * 1e-9);
    add_warnings(json, report);
    json_builder_end_object(json);
    return scen_json_finish(json);
}
