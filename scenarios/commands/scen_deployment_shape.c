/* Shapes: what one replica is, judged once for all the deployments that are so many of it.
 *
 * In this order, each cheaper than what comes after: do the sizes divide the model (the checks of
 * every scenario), do the weights and a longest sequence fit into memory, is a sequence that has
 * the replica for itself within the objectives, and what does a token cost at best
 * (strat_search_serve.c). Where tokens are speculated, the last two say nothing. */
#include "scen_deployment_shape.h"

#include "scen_check.h"
#include "scen_serve.h"
#include "strat_offload.h"
#include "strat_search.h"
#include "strat_speculation.h"

#define I64 "%" G_GINT64_FORMAT

ScenScenario *scen_shape_scenario(const ScenScenario *family, const ScenShape *shape,
                                  const StratPool pools[2], int64_t gpus, GError **error)
{
    g_autofree ScenScenario *one = g_memdup2(family, sizeof *family);
    StratEngine *engine = &one->serving.engine.row;
    one->serving.pool = pools[0];
    one->serving.prefill = pools[1];
    one->serving.interval = false;
    one->cluster.gpu_count = gpus;
    one->gpu_of_rank = NULL; /* which is of another number of GPUs */
    one->cluster.node_count = (gpus + one->cluster.node.gpus - 1) / one->cluster.node.gpus;
    if (shape->max_tokens > 0)
        engine->max_tokens = shape->max_tokens;
    if (shape->max_sequences > 0)
        engine->max_sequences = shape->max_sequences;
    g_autoptr(ScenErrors) errors = scen_errors_new();
    scen_check_bound(one, NULL, errors);
    return scen_errors_report(errors, error) ? g_steal_pointer(&one) : NULL;
}

static void refuse(ScenShape *shape, ScenFate fate, const char *why)
{
    shape->fate = fate;
    shape->why = g_strdup(why);
}

/* Whether every request of @demand finds room in a replica. */
static bool serves_all(const ScenScenario *one, size_t pool, const StratServeMemory *memory,
                       const StratDemand *demand)
{
    const StratDeployment *d = &one->serving.deployment;
    const StratEngine *engine = d->engine;
    double blocks = (double)(d->blocks > 0 ? d->blocks : memory->blocks);
    double room = blocks * (1.0 - engine->watermark_fraction) / (double)d->pool[pool].data - 2.0;
    int64_t width = strat_speculation_width(&d->speculation);
    return engine->chunked_prefill &&
           (engine->max_length == 0 || demand->longest <= engine->max_length) &&
           (double)(demand->longest + width) <= room * (double)engine->block_tokens;
}

static void judge_speed(ScenShape *shape, const ScenScenario *one, size_t pool)
{
    const StratDeployment *d = &one->serving.deployment;
    g_autoptr(GError) fault = NULL;
    StratProfile *profile = NULL;
    StratPricer *pricer = scen_serve_pricer(one, pool, &profile, &fault);
    if (!pricer) {
        refuse(shape, SCEN_FATE_FAULT, fault->message);
        strat_profile_free(profile);
        return;
    }
    if (d->speculation.tokens == 0)
        shape->floor = strat_floor(d->engine, &d->pool[pool], pricer);
    strat_pricer_free(pricer);
    strat_profile_free(profile);
    bool prompts = d->pool[pool].role != STRAT_ROLE_DECODE;
    bool decodes = d->pool[pool].role != STRAT_ROLE_PREFILL;
    g_autofree char *why = NULL;
    if (prompts && d->slo_ttft_s > 0.0 && shape->floor.ttft_s > d->slo_ttft_s)
        why = g_strdup_printf("a token takes %.4g ms", shape->floor.ttft_s * 1e3);
    else if (decodes && d->slo_tpot_s > 0.0 && shape->floor.tpot_s > d->slo_tpot_s)
        why = g_strdup_printf("each token takes %.4g ms", shape->floor.tpot_s * 1e3);
    if (why)
        refuse(shape, SCEN_FATE_ALONE, why);
}

static void judge(ScenShape *shape, const ScenFamily *family, const StratDemand *demand)
{
    if (!family->scenario) {
        refuse(shape, SCEN_FATE_TYPES, family->fault);
        return;
    }
    bool splits = shape->pool.role != STRAT_ROLE_BOTH;
    size_t pool = shape->pool.role == STRAT_ROLE_DECODE;
    StratPool pools[] = {shape->pool, splits ? shape->pool : (StratPool){0}};
    g_autoptr(GError) fault = NULL;
    g_autofree ScenScenario *one = scen_shape_scenario(
        family->scenario, shape, pools, (splits ? 2 : 1) * strat_pool_gpus(&shape->pool), &fault);
    if (!one) {
        refuse(shape, SCEN_FATE_SHAPE, fault->message);
        return;
    }
    const StratDeployment *d = &one->serving.deployment;
    StratServeMemory memory = strat_serve_memory(&one->model, &one->cluster.node.gpu, d, pool, 0);
    g_autofree char *no_host = strat_offload_place(&memory, d, pool, &one->cluster.node);
    if (no_host) {
        refuse(shape, SCEN_FATE_MEMORY, no_host);
        return;
    }
    if (d->blocks == 0 && !strat_serve_memory_check(&memory, d, pool, &fault)) {
        refuse(shape, SCEN_FATE_MEMORY, fault->message);
        return;
    }
    shape->serves_all = serves_all(one, pool, &memory, demand);
    judge_speed(shape, one, pool);
}

/* Choice @i of @list; @own where there is no list. */
static int64_t number_at(const GArray *list, size_t i, int64_t own)
{
    return list ? (int64_t)g_array_index(list, double, i) : own;
}

static size_t length_of(const GArray *list)
{
    return list ? list->len : 1;
}

/* Powers of two that a scale-up domain of @family holds. */
static GArray *default_tensor(const ScenFamily *family)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(double));
    int64_t most = family->scenario ? family->scenario->cluster.node.scale_up_gpus : 1;
    for (double size = 1.0; size <= (double)most; size *= 2.0)
        g_array_append_val(list, size);
    return list;
}

static void add_shape(ScenDeployments *all, ScenShape shape, StratPoolRole role)
{
    shape.pool.role = role;
    judge(&shape, &g_array_index(all->families, ScenFamily, shape.family), &all->demand);
    g_array_append_val(all->shapes, shape);
}

void scen_shapes_add(ScenDeployments *all, guint family, const ScenScenario *scenario,
                     int64_t max_gpus)
{
    const ScenSearch *search = &scenario->search;
    const StratPool *own = &scenario->serving.pool;
    const ScenFamily *of = &g_array_index(all->families, ScenFamily, family);
    g_autoptr(GArray) tensor = search->tensor ? g_array_ref(search->tensor) : default_tensor(of);
    const GArray *const lists[] = {tensor,         search->pipeline,   search->data,
                                   search->expert, search->max_tokens, search->max_sequences};
    size_t sizes[G_N_ELEMENTS(lists)];
    size_t at[G_N_ELEMENTS(lists)] = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        sizes[i] = length_of(lists[i]);
    do {
        ScenShape shape = {
            .family = family,
            .pool = {.replicas = 1,
                     .tensor = number_at(lists[0], at[0], 1),
                     .pipeline = number_at(lists[1], at[1], own->pipeline),
                     .data = number_at(lists[2], at[2], own->data),
                     .expert = number_at(lists[3], at[3], own->expert)},
            .max_tokens = number_at(lists[4], at[4], 0),
            .max_sequences = number_at(lists[5], at[5], 0),
        };
        if (strat_pool_gpus(&shape.pool) > max_gpus)
            continue;
        add_shape(all, shape, STRAT_ROLE_BOTH);
        if (search->disaggregated) {
            add_shape(all, shape, STRAT_ROLE_PREFILL);
            add_shape(all, shape, STRAT_ROLE_DECODE);
        }
    } while (strat_search_next(at, sizes, G_N_ELEMENTS(sizes)));
}
