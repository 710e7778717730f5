/* The JSON of a queue. Its ledger is shares of nodes x time and sums to 1. */
#include "scen_json.h"
#include "scen_money.h"
#include "scen_queue_report.h"

static void open_object(JsonBuilder *json, const char *key)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_object(json);
}

static void add_estimate(JsonBuilder *json, const char *key, const StratEstimate *e)
{
    open_object(json, key);
    scen_json_number(json, "mean", e->mean);
    scen_json_number(json, "low", e->low);
    scen_json_number(json, "high", e->high);
    json_builder_end_object(json);
}

static void add_quantiles(JsonBuilder *json, const char *key, const StratEstimate *mean,
                          const StratEstimate *quantiles)
{
    open_object(json, key);
    add_estimate(json, "mean", mean);
    for (int q = 0; q < STRAT_QUEUE_QUANTILES; q++) {
        g_autofree char *name = g_strdup_printf("p%.0f", 100.0 * strat_queue_quantiles[q]);
        add_estimate(json, name, &quantiles[q]);
    }
    json_builder_end_object(json);
}

static void add_ends(JsonBuilder *json, const char *key, const double *ended)
{
    open_object(json, key);
    for (int e = 0; e < STRAT_QUEUE_ENDS; e++)
        scen_json_number(json, strat_queue_end_key((StratQueueEnd)e), ended[e]);
    json_builder_end_object(json);
}

static void add_published(JsonBuilder *json, const ScenQueuePublished *published)
{
    if (!published->source)
        return;
    open_object(json, "published");
    add_ends(json, "share_of_runs", published->ended);
    scen_json_number(json, "utilisation", published->utilisation);
    scen_json_number(json, "secondary_share", published->secondary_share);
    scen_json_text(json, "source", published->source);
    json_builder_end_object(json);
}

static void add_classes(JsonBuilder *json, const GArray *classes, const StratQueueResult *r)
{
    json_builder_set_member_name(json, "jobs");
    json_builder_begin_array(json);
    for (guint i = 0; i < classes->len; i++) {
        const StratQueueClass *c = &g_array_index(classes, StratQueueClass, i);
        const StratQueueClassResult *x = &r->classes[i];
        json_builder_begin_object(json);
        scen_json_text(json, "name", c->name);
        scen_json_integer(json, "nodes", c->nodes);
        scen_json_number(json, "jobs", x->jobs);
        scen_json_number(json, "completed", x->completed);
        scen_json_number(json, "runs", x->runs);
        scen_json_number(json, "preemptions", x->preemptions);
        scen_json_number(json, "requeues", x->requeues);
        scen_json_number(json, "secondary_preemptions_caused", x->caused);
        scen_json_number(json, "secondary_nodes_caused", x->caused_nodes);
        scen_json_number(json, "wait_s", x->wait_s);
        scen_json_number(json, "ettr", x->ettr);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

/* Row by row: by how much a kind of jobs takes longer beside each; null where that is given. */
static void add_beside(JsonBuilder *json, guint count, const double *beside)
{
    if (!beside)
        return;
    json_builder_set_member_name(json, "longer_beside_fraction");
    json_builder_begin_array(json);
    for (guint i = 0; i < count; i++) {
        json_builder_begin_array(json);
        for (guint j = 0; j < count; j++)
            if (beside[i * count + j] >= 0.0)
                json_builder_add_double_value(json, beside[i * count + j]);
            else
                json_builder_add_null_value(json);
        json_builder_end_array(json);
    }
    json_builder_end_array(json);
}

static void add_money(JsonBuilder *json, const ScenScenario *scenario, const StratQueueResult *r)
{
    double gpus = (double)(scenario->cluster.node_count * scenario->cluster.node.gpus);
    double all_h = r->duration_s * gpus / 3600.0;
    double lost_h = all_h * (1.0 - r->spent[STRAT_QUEUE_PRODUCTIVE].mean);
    double usd = scen_money_usd_per_gpu_hour(&scenario->cost);
    open_object(json, "cost");
    scen_json_number(json, "gpu_hours", all_h);
    scen_json_number(json, "lost_gpu_hours", lost_h);
    if (usd > 0.0) {
        scen_json_number(json, "usd", all_h * usd);
        scen_json_number(json, "lost_usd", lost_h * usd);
    }
    json_builder_end_object(json);
}

char *scen_queue_json(const ScenScenario *scenario, const StratQueueResult *r)
{
    const ScenQueue *queue = &scenario->queue;
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "scenario", scenario->name);
    open_object(json, "queue");
    scen_json_text(json, "policy", queue->spec.policy->name);
    scen_json_text(json, "placement", queue->spec.placement->name);
    scen_json_integer(json, "nodes", scenario->cluster.node_count);
    scen_json_number(json, "duration_s", r->duration_s);
    scen_json_integer(json, "replications", r->replications);
    scen_json_number(json, "arrived", r->arrived);
    scen_json_number(json, "waiting", r->waiting);
    scen_json_number(json, "running", r->running);
    add_estimate(json, "utilisation", &r->utilisation);
    add_estimate(json, "goodput", &r->spent[STRAT_QUEUE_PRODUCTIVE]);
    add_estimate(json, "ettr", &r->ettr);
    add_quantiles(json, "wait_s", &r->wait_mean_s, r->wait_s);
    add_quantiles(json, "slowdown", &r->slowdown_mean, r->slowdown);
    add_estimate(json, "scattered_starts", &r->scattered);
    add_estimate(json, "leaves_over_fewest", &r->leaves);
    add_ends(json, "runs", r->runs);
    scen_json_number(json, "secondary_preemptions", r->secondary);
    scen_json_number(json, "preempted_nodes", r->preempted_nodes);
    add_estimate(json, "secondary_share", &r->secondary_share);
    add_published(json, &queue->published);
    open_object(json, "ledger");
    for (int b = 0; b < STRAT_QUEUE_SPENT_COUNT; b++)
        scen_json_number(json, strat_queue_spent_key((StratQueueSpent)b), r->spent[b].mean);
    json_builder_end_object(json);
    add_classes(json, queue->classes, r);
    add_beside(json, queue->classes->len, r->beside);
    json_builder_end_object(json);
    add_money(json, scenario, r);
    json_builder_end_object(json);
    return scen_json_finish(json);
}
