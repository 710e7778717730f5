/* Loading a scenario: read, override, bind, check.
 *
 *   YAML -> nodes (scen_doc) -> nodes with --set laid over (scen_override) -> structs, sections
 *   resolved against the catalogs (scen_bind, scen_section, scen_catalog) -> checks (scen_check)
 *        -> ranks on GPUs (scen_place)
 *
 * Each step adds its faults to one collection and hands on what is sound, so a single load reports
 * all that is wrong. Nodes and marks are gone when it returns; the scenario keeps copies of its
 * texts in a string chunk and is constant from then on. */
#include "scen_load.h"

#include "kern_table.h"
#include "scen_check.h"
#include "scen_doc.h"
#include "scen_fields.h"
#include "scen_override.h"
#include "scen_place.h"
#include "scen_sweep_fields.h"

static ScenScenario *scenario_new(const char *path)
{
    ScenScenario *scenario = g_new0(ScenScenario, 1);
    scenario->strings = g_string_chunk_new(1024);
    scenario->path = g_string_chunk_insert(scenario->strings, path);
    return scenario;
}

bool scen_serving_on_fabric(const ScenScenario *scenario)
{
    const ScenServing *serving = &scenario->serving;
    bool fluid =
        scenario->network ? g_str_equal(scenario->network, "fluid") : scenario->fabric.kind != NULL;
    return serving->prefill.replicas > 0 && serving->transfer_bytes_per_s <= 0.0 && fluid;
}

bool scen_has_plan_or_serves(const ScenScenario *scenario)
{
    return !scenario->queue.is_on && !scenario->replay && !scenario->campaign.is_alone &&
           !scenario->trace.is_on;
}

void scen_scenario_free(ScenScenario *scenario)
{
    if (!scenario)
        return;
    scen_fabric_clear(&scenario->fabric);
    scen_serving_clear(&scenario->serving);
    scen_traffic_clear(&scenario->traffic);
    scen_search_clear(&scenario->search);
    scen_sweep_clear(&scenario->sweep);
    scen_campaign_clear(&scenario->campaign);
    scen_queue_clear(&scenario->queue);
    scen_et_section_clear(&scenario->trace);
    scen_expect_clear(&scenario->expect);
    scen_degraded_clear(&scenario->degraded);
    kern_table_free(scenario->profile.table);
    if (scenario->strings)
        g_string_chunk_free(scenario->strings);
    scen_placement_clear(&scenario->placement);
    g_free(scenario->gpu_of_rank);
    for (guint i = 0; scenario->jobs && i < scenario->jobs->len; i++)
        scen_job_clear(&g_array_index(scenario->jobs, ScenJob, i));
    if (scenario->jobs)
        g_array_unref(scenario->jobs);
    g_free(scenario);
}

/* Rows of the file under `devices:`, which must be known before sections are looked up. */
static void add_devices(const ScenNode *root, const char *folder, ScenCatalogs *catalogs,
                        ScenErrors *errors)
{
    const ScenNode *devices = scen_node_get(root, "devices");
    if (!devices || devices->kind != SCEN_NODE_TEXT)
        return;
    g_autofree char *path = g_path_is_absolute(devices->text)
                                ? g_strdup(devices->text)
                                : g_build_filename(folder, devices->text, NULL);
    scen_catalogs_add(catalogs, scen_pool_text(scen_catalogs_pool(catalogs), path), errors);
}

static void fill(ScenScenario *scenario, const ScenNode *root, ScenCatalogs *catalogs,
                 ScenErrors *errors)
{
    g_autoptr(ScenMarks) marks = scen_marks_new();
    g_autoptr(GString) dotted = g_string_new(NULL);
    g_autofree char *folder = g_path_get_dirname(scenario->path);
    ScenBinder binder = {
        .errors = errors,
        .strings = scenario->strings,
        .catalogs = catalogs,
        .marks = marks,
        .folder = folder,
        .path = dotted,
    };
    scen_marks_set(marks, "", root->mark);
    add_devices(root, folder, catalogs, errors);
    scen_bind(&binder, &scen_scenario_table, root, scenario);
    if (!scenario->name) {
        g_autofree char *base = g_path_get_basename(scenario->path);
        if (g_str_has_suffix(base, ".yaml"))
            base[strlen(base) - strlen(".yaml")] = '\0';
        scenario->name = g_string_chunk_insert(scenario->strings, base);
    }
    scen_check_bound(scenario, marks, errors);
    if (scen_errors_count(errors) == 0)
        scen_check_jobs(scenario, errors);
    if (scen_errors_count(errors) == 0)
        scen_check_queued_jobs(scenario, errors);
    if (scen_errors_count(errors) == 0 && !scenario->replay)
        scen_place(scenario, marks, errors);
}

/* Standard errors that a scenario writes out are changes to the default ones, so it names only what
 * it knows better. */
static const ScenNode *complete_uncertainty(ScenPool *pool, const ScenNode *root)
{
    const ScenNode *map = scen_node_get(root, "uncertainty");
    if (!map || map->kind != SCEN_NODE_MAP || scen_node_get(map, "base"))
        return root;
    const ScenNode *name = scen_node_text(pool, map->mark, "default");
    return scen_node_with(pool, root, "uncertainty", map->mark,
                          scen_node_with(pool, map, "base", map->mark, name));
}

/* A scenario that is tried with one more override. */
typedef struct Trial {
    const char *path;
    ScenPool *pool;
    const ScenNode *root;
    ScenCatalogs *catalogs;
} Trial;

static char *refused(void *ctx, const char *override)
{
    const Trial *trial = ctx;
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = scenario_new(trial->path);
    const ScenNode *root =
        scen_override_apply(trial->pool, &scen_scenario_table, trial->root, override, errors);
    fill(scenario, complete_uncertainty(trial->pool, root), trial->catalogs, errors);
    return scen_errors_report(errors, &error) ? NULL : g_strdup(error->message);
}

ScenScenario *scen_scenario_load_tree(const char *path, ScenPool *pool, const ScenNode *root,
                                      const ScenLoadOptions *options, ScenErrors *errors,
                                      GError **error)
{
    g_autoptr(ScenCatalogs) catalogs = scen_catalogs_new(options->data_dir, options->shelf, pool);
    g_autoptr(ScenScenario) scenario = scenario_new(path);
    if (root && root->kind != SCEN_NODE_MAP)
        scen_errors_add(errors, root->mark,
                        "a scenario must be a map with model, cluster, and plan "
                        "or serve");
    if (root && root->kind == SCEN_NODE_MAP) {
        for (size_t i = 0; options->overrides && options->overrides[i]; i++)
            root = scen_override_apply(pool, &scen_scenario_table, root, options->overrides[i],
                                       errors);
        fill(scenario, complete_uncertainty(pool, root), catalogs, errors);
    }
    if (scenario->sweep.points > 0 && scen_errors_count(errors) == 0) {
        const ScenNode *bare = scen_node_with(pool, root, "sweep", root->mark, NULL);
        Trial trial = {path, pool, bare, catalogs};
        scen_sweep_check_names(&scenario->sweep, errors, refused, &trial);
    }
    return scen_errors_report(errors, error) ? g_steal_pointer(&scenario) : NULL;
}

ScenScenario *scen_scenario_load_with(const char *path, const ScenLoadOptions *options,
                                      GError **error)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    const ScenNode *root = scen_doc_read(pool, path, SCEN_ORIGIN_DOCUMENT, errors);
    return scen_scenario_load_tree(path, pool, root, options, errors, error);
}

ScenScenario *scen_scenario_parse(const char *name, const char *text, size_t length,
                                  const ScenLoadOptions *options, GError **error)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    const ScenNode *root = scen_doc_parse(pool, name, SCEN_ORIGIN_DOCUMENT, text, length, errors);
    return scen_scenario_load_tree(name, pool, root, options, errors, error);
}

ScenScenario *scen_scenario_load(const char *path, const char *const *overrides, GError **error)
{
    ScenLoadOptions options = {.overrides = overrides};
    return scen_scenario_load_with(path, &options, error);
}
