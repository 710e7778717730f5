/* The member "campaign" of the JSON of a run. Its ledger sums to (gpus + spare_gpus) x duration_s.
 */
#include "scen_json.h"
#include "scen_money.h"
#include "scen_run_report.h"

static void open_object(JsonBuilder *json, const char *key)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_object(json);
}

static void add_estimate(JsonBuilder *json, const char *key, const StratEstimate *e)
{
    open_object(json, key);
    scen_json_number(json, "mean", e->mean);
    json_builder_set_member_name(json, "interval");
    json_builder_begin_array(json);
    json_builder_add_double_value(json, e->low);
    json_builder_add_double_value(json, e->high);
    json_builder_end_array(json);
    json_builder_set_member_name(json, "range_95");
    json_builder_begin_array(json);
    json_builder_add_double_value(json, e->least);
    json_builder_add_double_value(json, e->most);
    json_builder_end_array(json);
    json_builder_end_object(json);
}

static void add_ledger(JsonBuilder *json, const StratCampaignResult *r)
{
    open_object(json, "ledger_gpu_s");
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        scen_json_number(json, strat_lost_key((StratLost)b), r->mean_gpu_s[b]);
    scen_json_number(json, "spares", r->spare_gpu_s);
    json_builder_end_object(json);
}

/* The ledger in the words of Google's ml-goodput-measurement: shares of the job's time. Its names
 * for parts of a start (TPU_INITIALIZATION, TRAINING_PREP, PROGRAM_STARTUP, and reading state back)
 * are one bucket here. Spares are outside of it. */
static void add_google(JsonBuilder *json, const StratCampaignResult *r)
{
    static const struct {
        const char *name;
        StratLost buckets[2];
    } rows[] = {
        {"GOODPUT",                                 {STRAT_LOST_NOTHING, STRAT_LOST_NOTHING}      },
        {"PROGRAM_STARTUP",                         {STRAT_LOST_RESTART, STRAT_LOST_RESTART}      },
        {"UNPRODUCTIVE_CHECKPOINT_SAVE_TIME",       {STRAT_LOST_CHECKPOINT, STRAT_LOST_CHECKPOINT}},
        {"WASTED_PROGRESS_FROM_DISRUPTION",         {STRAT_LOST_REWORK, STRAT_LOST_REWORK}        },
        {"INFRASTRUCTURE_RECOVERY_FROM_DISRUPTION", {STRAT_LOST_DETECTION, STRAT_LOST_WAIT}       },
        {"ELASTIC_SLICE_DOWN",                      {STRAT_LOST_MISSING, STRAT_LOST_MISSING}      },
        {"OTHER",                                   {STRAT_LOST_DEGRADED, STRAT_LOST_DEGRADED}    },
    };
    open_object(json, "google_goodput");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        double sum = 0.0;
        for (int b = (int)rows[i].buckets[0]; b <= (int)rows[i].buckets[1]; b++)
            sum += r->lost[b].mean;
        scen_json_number(json, rows[i].name, sum);
    }
    json_builder_end_object(json);
}

static void add_causes(JsonBuilder *json, const GArray *classes, const StratCampaignResult *r)
{
    open_object(json, "interruptions_by_cause");
    for (guint i = 0; i < classes->len; i++)
        scen_json_number(json, g_array_index(classes, StratFaultClass, i).name, r->class_mean[i]);
    json_builder_end_object(json);
}

/* States of the job that were not as planned, and how their steps were known. */
static void add_states(JsonBuilder *json, const StratStepCounts *steps)
{
    if (steps->asked == 0)
        return;
    open_object(json, "states");
    scen_json_integer(json, "met", steps->asked);
    scen_json_integer(json, "simulated", steps->simulated);
    scen_json_integer(json, "bounded", steps->bounded);
    json_builder_end_object(json);
}

static void add_cost(JsonBuilder *json, const ScenScenario *scenario, const StratCampaignResult *r)
{
    double usd = scen_money_usd_per_gpu_hour(&scenario->cost);
    double all_h = r->duration_s * (double)(r->gpus + r->spare_gpus) / 3600.0;
    open_object(json, "cost");
    scen_json_number(json, "gpu_hours", all_h);
    scen_json_number(json, "lost_gpu_hours", all_h * (1.0 - r->goodput.mean));
    if (usd > 0.0) {
        scen_json_number(json, "usd_total", all_h * usd);
        scen_json_number(json, "usd_lost", all_h * (1.0 - r->goodput.mean) * usd);
    }
    json_builder_end_object(json);
}

void scen_campaign_json(JsonBuilder *json, const ScenRunReport *report)
{
    const ScenScenario *scenario = report->scenario;
    const StratCampaignResult *r = report->campaign;
    if (!r)
        return;
    open_object(json, "campaign");
    scen_json_text(json, "faults", scenario->campaign.faults.name);
    scen_json_text(json, "policy", scenario->campaign.spec.recovery.policy->name);
    scen_json_number(json, "duration_s", r->duration_s);
    scen_json_integer(json, "replications", r->replications);
    scen_json_integer(json, "gpus", r->gpus);
    scen_json_integer(json, "spare_gpus", r->spare_gpus);
    scen_json_number(json, "step_time_s", r->step_s);
    scen_json_number(json, "checkpoint_interval_s", r->interval_s);
    add_estimate(json, "interruptions", &r->interruptions);
    add_estimate(json, "unplanned_interruptions", &r->unplanned);
    scen_json_number(json, "mttf_s", r->mttf_s.mean);
    scen_json_number(json, "slow_faults_noticed", r->noticed);
    add_estimate(json, "ettr_fraction", &r->ettr);
    add_estimate(json, "uptime_fraction", &r->uptime);
    add_estimate(json, "goodput_fraction", &r->goodput);
    add_ledger(json, r);
    add_google(json, r);
    add_causes(json, scenario->campaign.faults.classes, r);
    add_states(json, &r->steps);
    if (report->saves)
        scen_saves_json(json, report);
    json_builder_end_object(json);
    add_cost(json, scenario, r);
}
