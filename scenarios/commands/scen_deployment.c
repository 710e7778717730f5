/* Enumeration of deployments.
 *
 *   family  node kind x weights x cache: the scenario loaded again with these laid over it, so
 * names and defaults that depend on the node (kernels, limits of the engine) are found as ever
 *   shape   family x tensor x pipeline x data x expert x max_tokens x max_sequences: checked,
 *           measured for memory and priced once (scen_deployment_shape.c)
 *   one     shape x replicas up to max_gpus; disaggregated: prefill shape x decode shape x both
 *           numbers of replicas, the limits and types of the two the same
 *
 * What a shape lacks, all deployments of it lack; each is counted. */
#include "scen_deployment.h"

#include "scen_deployment_shape.h"
#include "scen_errors.h"
#include "strat_search.h"

#define I64 "%" G_GINT64_FORMAT

enum { DEPLOYMENTS_MAX = 1000000 };

static void family_clear(ScenFamily *family)
{
    scen_scenario_free(family->scenario);
    g_free(family->name);
    g_free(family->fault);
    g_free(family->settings);
}

static void shape_clear(ScenShape *shape)
{
    g_free(shape->why);
}

static void deployment_clear(ScenDeployment *one)
{
    g_free(one->why);
}

static GArray *array_new(guint size, GDestroyNotify clear)
{
    GArray *array = g_array_new(FALSE, TRUE, size);
    g_array_set_clear_func(array, clear);
    return array;
}

void scen_deployments_free(ScenDeployments *all)
{
    if (!all)
        return;
    g_array_unref(all->list);
    g_array_unref(all->shapes);
    g_array_unref(all->families);
    g_free(all);
}

static const char *name_at(const GArray *names, size_t i)
{
    return names ? g_array_index(names, const char *, i) : NULL;
}

/* The choices of a family, as keys of the scenario and their values; NULL: the scenario's own. */
typedef struct Choice {
    const char *key[4], *value[4];
} Choice;

static Choice choice_of(const ScenSearch *search, const size_t at[3])
{
    return (Choice){
        {"cluster.node",          "cost", "serve.weights",    "serve.kv"},
        { name_at(search->nodes, at[0]), name_at(search->costs, at[0]),
         name_at(search->weights, at[1]), name_at(search->kv, at[2])},
    };
}

static char *settings_of(const Choice *choice)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(choice->key); i++)
        if (choice->value[i])
            g_string_append_printf(text, "%s--set %s=%s", text->len ? " " : "", choice->key[i],
                                   choice->value[i]);
    return g_strdup(text->str);
}

/* Overrides under which @choice is one small deployment, after @sets. */
static char **overrides_of(const ScenScenario *scenario, const char *const *sets,
                           const Choice *choice)
{
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    bool splits = scenario->serving.prefill.replicas > 0;
    const char *const small[] = {"replicas", "tensor", "pipeline", "data", "expert"};
    for (size_t i = 0; sets && sets[i]; i++)
        g_strv_builder_add(all, sets[i]);
    g_strv_builder_add(all, splits ? "cluster.gpus=2" : "cluster.gpus=1");
    g_strv_builder_add(all, "cluster.nodes=2");
    for (size_t i = 0; i < G_N_ELEMENTS(small); i++) {
        g_autofree char *own = g_strdup_printf("serve.%s=1", small[i]);
        g_autofree char *prefill = g_strdup_printf("serve.prefill.%s=1", small[i]);
        g_strv_builder_add(all, own);
        if (splits)
            g_strv_builder_add(all, prefill);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(choice->key); i++) {
        g_autofree char *text = g_strdup_printf("%s=%s", choice->key[i], choice->value[i]);
        if (choice->value[i])
            g_strv_builder_add(all, text);
    }
    return g_strv_builder_end(all);
}

static char *family_name(const ScenScenario *scenario, const Choice *choice)
{
    const char *node = choice->value[0], *weights = choice->value[2], *kv = choice->value[3];
    return g_strconcat(node ? node : scenario->cluster.node.name, weights ? ", weights " : "",
                       weights ? weights : "", kv ? ", cache " : "", kv, NULL);
}

static void add_family(ScenDeployments *all, const ScenScenario *scenario, const char *path,
                       const char *const *sets, const size_t at[3])
{
    Choice choice = choice_of(&scenario->search, at);
    g_auto(GStrv) overrides = overrides_of(scenario, sets, &choice);
    g_autoptr(GError) fault = NULL;
    ScenFamily family = {
        .name = family_name(scenario, &choice),
        .settings = settings_of(&choice),
        .scenario = scen_scenario_load(path, (const char *const *)overrides, &fault),
    };
    if (fault)
        family.fault = g_strdup(fault->message);
    g_array_append_val(all->families, family);
}

static size_t length_of(const GArray *list)
{
    return list ? list->len : 1;
}

static bool add_families(ScenDeployments *all, const ScenScenario *scenario, const char *path,
                         const char *const *sets, GError **error)
{
    const ScenSearch *search = &scenario->search;
    const size_t sizes[] = {length_of(search->nodes), length_of(search->weights),
                            length_of(search->kv)};
    size_t choice[3] = {0};
    bool any = false;
    do {
        add_family(all, scenario, path, sets, choice);
        any = any || g_array_index(all->families, ScenFamily, all->families->len - 1).scenario;
    } while (strat_search_next(choice, sizes, G_N_ELEMENTS(sizes)));
    if (!any)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "no node of `search:` can run it: %s",
                    g_array_index(all->families, ScenFamily, 0).fault);
    return any;
}

static int64_t gpus_of(const ScenDeployments *all, gint shape)
{
    return strat_pool_gpus(&g_array_index(all->shapes, ScenShape, shape).pool);
}

/* @replicas of @shape decode, or do both; the others do prompts alone. */
static void add_one(ScenDeployments *all, gint shape, int64_t replicas, gint prefill,
                    int64_t prefill_replicas)
{
    const ScenShape *own = &g_array_index(all->shapes, ScenShape, shape);
    const ScenShape *other = prefill < 0 ? own : &g_array_index(all->shapes, ScenShape, prefill);
    const ScenShape *worse = own->fate != SCEN_FATE_MEETS ? own : other;
    ScenDeployment one = {
        .shape = shape,
        .prefill = prefill,
        .replicas = replicas,
        .prefill_replicas = prefill < 0 ? 0 : prefill_replicas,
        .gpus = replicas * gpus_of(all, shape),
        .fate = worse->fate,
    };
    if (prefill >= 0)
        one.gpus += prefill_replicas * gpus_of(all, prefill);
    g_array_append_val(all->list, one);
}

/* Deployments whose replicas of @shape decode and those of @prefill do the prompts. */
static void add_split(ScenDeployments *all, gint shape, gint prefill, int64_t max_gpus)
{
    int64_t own = gpus_of(all, shape);
    int64_t other = gpus_of(all, prefill);
    for (int64_t n = 1; n * own + other <= max_gpus; n++)
        for (int64_t m = 1; n * own + m * other <= max_gpus && all->list->len <= DEPLOYMENTS_MAX;
             m++)
            add_one(all, shape, n, prefill, m);
}

static bool goes_with(const ScenShape *decode, const ScenShape *prefill)
{
    return prefill->pool.role == STRAT_ROLE_PREFILL && decode->family == prefill->family &&
           decode->max_tokens == prefill->max_tokens &&
           decode->max_sequences == prefill->max_sequences;
}

static bool add_all(ScenDeployments *all, int64_t max_gpus, GError **error)
{
    for (gint i = 0; i < (gint)all->shapes->len; i++) {
        const ScenShape *shape = &g_array_index(all->shapes, ScenShape, i);
        int64_t gpus = gpus_of(all, i);
        if (shape->pool.role == STRAT_ROLE_BOTH)
            for (int64_t n = 1; n * gpus <= max_gpus; n++)
                add_one(all, i, n, SCEN_SHAPE_NONE, 0);
        for (gint j = 0; shape->pool.role == STRAT_ROLE_DECODE && j < (gint)all->shapes->len; j++)
            if (goes_with(shape, &g_array_index(all->shapes, ScenShape, j)))
                add_split(all, i, j, max_gpus);
    }
    if (all->list->len > DEPLOYMENTS_MAX)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "more than %d deployments: shorten the lists of `search:` or max_gpus",
                    DEPLOYMENTS_MAX);
    else if (all->list->len == 0)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "no deployment has at most search.max_gpus = " I64 " GPUs", max_gpus);
    return all->list->len > 0 && all->list->len <= DEPLOYMENTS_MAX;
}

/* The traffic as it will be asked, whoever serves it. */
static bool read_demand(StratDemand *demand, const ScenScenario *scenario, GError **error)
{
    const ScenServing *serving = &scenario->serving;
    const ScenTraffic *traffic = &scenario->traffic;
    double share = scen_serving_promises(serving) ? serving->slo_attainment : 1.0;
    bool waits = !traffic->trace && (traffic->spec.sessions ||
                                     traffic->spec.arrivals.kind == STRAT_ARRIVALS_CLOSED_LOOP);
    g_autoptr(StratSource) source = scen_traffic_source(traffic, scenario->seed, error);
    if (!source)
        return false;
    bool has_prefixes = serving->engine.row.prefix_cache && source->page_tokens > 0;
    return strat_demand_read(demand, source, share, serving->warm_up_requests, has_prefixes, waits,
                             error);
}

ScenDeployments *scen_deployments_new(const ScenScenario *scenario, const char *path,
                                      const char *const *sets, GError **error)
{
    g_autoptr(ScenDeployments) all = g_new0(ScenDeployments, 1);
    int64_t max_gpus = scenario->search.max_gpus;
    all->families = array_new(sizeof(ScenFamily), (GDestroyNotify)family_clear);
    all->shapes = array_new(sizeof(ScenShape), (GDestroyNotify)shape_clear);
    all->list = array_new(sizeof(ScenDeployment), (GDestroyNotify)deployment_clear);
    if (max_gpus == 0)
        max_gpus = scenario->cluster.gpu_count;
    if (!read_demand(&all->demand, scenario, error) ||
        !add_families(all, scenario, path, sets, error))
        return NULL;
    for (guint i = 0; i < all->families->len; i++)
        scen_shapes_add(all, i, scenario, max_gpus);
    return add_all(all, max_gpus, error) ? g_steal_pointer(&all) : NULL;
}

const ScenFamily *scen_deployment_family(const ScenDeployments *all, const ScenDeployment *one)
{
    const ScenShape *shape = &g_array_index(all->shapes, ScenShape, one->shape);
    return &g_array_index(all->families, ScenFamily, shape->family);
}

ScenScenario *scen_deployment_scenario(const ScenDeployments *all, const ScenDeployment *one,
                                       GError **error)
{
    const ScenShape *shape = &g_array_index(all->shapes, ScenShape, one->shape);
    const ScenShape *prefill =
        one->prefill < 0 ? NULL : &g_array_index(all->shapes, ScenShape, one->prefill);
    StratPool pools[] = {shape->pool, prefill ? prefill->pool : (StratPool){0}};
    pools[0].replicas = one->replicas;
    pools[1].replicas = one->prefill_replicas;
    return scen_shape_scenario(scen_deployment_family(all, one)->scenario, shape, pools, one->gpus,
                               error);
}
