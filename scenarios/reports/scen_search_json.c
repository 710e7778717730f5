/* The JSON of `orrery search`, schema 1: scen_search_report.h says what is in it. */
#include "scen_search_report.h"

#include "scen_json.h"

static void add_pool(JsonBuilder *json, const StratPool *pool, int64_t replicas)
{
    scen_json_integer(json, "replicas", replicas);
    scen_json_integer(json, "tensor", pool->tensor);
    scen_json_integer(json, "pipeline", pool->pipeline);
    scen_json_integer(json, "data", pool->data);
    scen_json_integer(json, "expert", pool->expert);
}

static void add_sizes(JsonBuilder *json, const ScenDeployments *all, const ScenDeployment *one)
{
    const ScenShape *shape = &g_array_index(all->shapes, ScenShape, one->shape);
    scen_json_integer(json, "gpus", one->gpus);
    add_pool(json, &shape->pool, one->replicas);
    if (shape->max_tokens > 0)
        scen_json_integer(json, "max_tokens", shape->max_tokens);
    if (shape->max_sequences > 0)
        scen_json_integer(json, "max_sequences", shape->max_sequences);
    json_builder_set_member_name(json, "prefill");
    if (one->prefill < 0) {
        json_builder_add_null_value(json);
        return;
    }
    json_builder_begin_object(json);
    add_pool(json, &g_array_index(all->shapes, ScenShape, one->prefill).pool,
             one->prefill_replicas);
    json_builder_end_object(json);
}

static void add_deployment(JsonBuilder *json, const ScenSearched *searched, gint index)
{
    const ScenDeployments *all = searched->all;
    const ScenDeployment *one = scen_searched_at(searched, index);
    if (!one) {
        json_builder_add_null_value(json);
        return;
    }
    const ScenFigures *f = &one->figures;
    g_autofree char *text = scen_deployment_text(all, one);
    g_autofree char *settings = scen_deployment_settings(all, one);
    json_builder_begin_object(json);
    scen_json_text(json, "text", text);
    scen_json_text(json, "settings", settings);
    scen_json_text(json, "family", scen_deployment_family(all, one)->name);
    add_sizes(json, all, one);
    scen_json_number(json, "usd_total", f->usd);
    scen_json_number(json, "usd_per_million_output_tokens", f->usd_per_output);
    scen_json_number(json, "ttft_p99_s", f->ttft_p99_s);
    scen_json_number(json, "tpot_p99_s", f->tpot_p99_s);
    scen_json_number(json, "slo_attainment_fraction", f->attainment);
    scen_json_number(json, "output_tokens_per_s", f->output_tokens_per_s);
    json_builder_set_member_name(json, "ledger_gpu_s");
    json_builder_begin_object(json);
    for (int p = 0; p < STRAT_SERVE_PARTS; p++)
        scen_json_number(json, strat_serve_part_name((StratServePart)p), f->busy_s[p]);
    scen_json_number(json, "idle", f->idle_s);
    json_builder_end_object(json);
    json_builder_end_object(json);
}

static void add_rejected(JsonBuilder *json, const ScenSearched *searched)
{
    g_autoptr(GArray) rows = scen_search_rejected(searched);
    json_builder_set_member_name(json, "rejected");
    json_builder_begin_array(json);
    for (guint i = 0; i < rows->len; i++) {
        const ScenRejected *row = &g_array_index(rows, ScenRejected, i);
        const ScenDeployments *all = searched->all;
        g_autofree char *text = scen_deployment_text(all, scen_searched_at(searched, row->example));
        g_autofree char *why = scen_search_why(searched, row->example);
        json_builder_begin_object(json);
        scen_json_text(json, "family", g_array_index(all->families, ScenFamily, row->family).name);
        scen_json_text(json, "reason", scen_fate_name(row->fate));
        scen_json_integer(json, "count", row->count);
        scen_json_text(json, "example", text);
        scen_json_text(json, "example_why", why);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

char *scen_search_json(const ScenScenario *scenario, const ScenSearched *searched)
{
    static const char *const objectives[] = {
        [SCEN_OBJECTIVE_USD] = "usd",
        [SCEN_OBJECTIVE_USD_OUTPUT] = "usd_per_million_output_tokens",
        [SCEN_OBJECTIVE_GPUS] = "gpus",
    };
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(GArray) pareto = scen_search_pareto(searched);
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "scenario", scenario->name);
    scen_json_text(json, "objective", objectives[scenario->search.objective]);
    scen_json_integer(json, "deployments", searched->all->list->len);
    scen_json_integer(json, "simulated", (gint64)searched->tried);
    scen_json_boolean(json, "stopped", searched->stopped);
    json_builder_set_member_name(json, "best");
    add_deployment(json, searched, searched->best);
    json_builder_set_member_name(json, "next");
    add_deployment(json, searched, searched->next);
    json_builder_set_member_name(json, "pareto");
    json_builder_begin_array(json);
    for (guint i = 0; i < pareto->len; i++)
        add_deployment(json, searched, g_array_index(pareto, gint, i));
    json_builder_end_array(json);
    add_rejected(json, searched);
    json_builder_end_object(json);
    return scen_json_finish(json);
}
