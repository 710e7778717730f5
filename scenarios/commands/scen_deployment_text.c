/* Deployments in words and as settings, and what fates are called. */
#include "scen_deployment.h"

#define I64 "%" G_GINT64_FORMAT

/* clang-format off */
static const struct {
    const char *name, *text;
} fates[SCEN_FATE_COUNT] = {
    [SCEN_FATE_MEETS] = {"meets", "keeps the objectives"},
    [SCEN_FATE_TYPES] = {"types", "the node cannot run it"},
    [SCEN_FATE_SHAPE] = {"shape", "sizes do not divide the model"},
    [SCEN_FATE_MEMORY] = {"memory", "does not fit in memory"},
    [SCEN_FATE_ALONE] = {"alone", "one sequence alone is slower than an objective"},
    [SCEN_FATE_WORK] = {"work", "the tokens take longer than the objectives leave, at best"},
    [SCEN_FATE_DEARER] = {"dearer", "costs more than the winner, at best"},
    [SCEN_FATE_MISSES] = {"misses", "simulated, misses the objectives"},
    [SCEN_FATE_FAULT] = {"fault", "is not modelled"},
    [SCEN_FATE_STOPPED] = {"stopped", "not tried: the search was stopped"},
};
/* clang-format on */

const char *scen_fate_name(ScenFate fate)
{
    return fates[fate].name;
}

const char *scen_fate_text(ScenFate fate)
{
    return fates[fate].text;
}

static const ScenShape *shape_at(const ScenDeployments *all, gint index)
{
    return &g_array_index(all->shapes, ScenShape, index);
}

static void add_pool(GString *text, const StratPool *pool, int64_t replicas, const char *what)
{
    g_string_append_printf(text, I64 " %s%s of tensor " I64, replicas, what,
                           replicas == 1 ? "" : "s", pool->tensor);
    if (pool->pipeline > 1)
        g_string_append_printf(text, " x pipeline " I64, pool->pipeline);
    if (pool->data > 1)
        g_string_append_printf(text, " x data " I64, pool->data);
    if (pool->expert > 1)
        g_string_append_printf(text, ", experts over " I64, pool->expert);
}

char *scen_deployment_text(const ScenDeployments *all, const ScenDeployment *one)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const ScenShape *shape = shape_at(all, one->shape);
    if (one->prefill >= 0) {
        add_pool(text, &shape_at(all, one->prefill)->pool, one->prefill_replicas,
                 "prefill replica");
        g_string_append(text, " and ");
    }
    add_pool(text, &shape->pool, one->replicas, one->prefill >= 0 ? "decode replica" : "replica");
    if (shape->max_tokens > 0)
        g_string_append_printf(text, ", " I64 " tokens an iteration", shape->max_tokens);
    if (shape->max_sequences > 0)
        g_string_append_printf(text, ", " I64 " sequences", shape->max_sequences);
    g_string_append_printf(text, ", " I64 " GPU%s of %s", one->gpus, one->gpus == 1 ? "" : "s",
                           scen_deployment_family(all, one)->name);
    return g_strdup(text->str);
}

static void add_sizes(GString *text, const char *at, const StratPool *pool, int64_t replicas)
{
    g_string_append_printf(text,
                           " --set %s.replicas=" I64 " --set %s.tensor=" I64
                           " --set %s.pipeline=" I64 " --set %s.data=" I64 " --set %s.expert=" I64,
                           at, replicas, at, pool->tensor, at, pool->pipeline, at, pool->data, at,
                           pool->expert);
}

char *scen_deployment_settings(const ScenDeployments *all, const ScenDeployment *one)
{
    const ScenFamily *family = scen_deployment_family(all, one);
    const ScenShape *shape = shape_at(all, one->shape);
    g_autoptr(GString) text = g_string_new(family->settings);
    int64_t per_node = family->scenario ? family->scenario->cluster.node.gpus : 1;
    g_string_append_printf(text, "%s--set cluster.nodes=" I64 " --set cluster.gpus=" I64,
                           text->len ? " " : "", (one->gpus + per_node - 1) / per_node, one->gpus);
    add_sizes(text, "serve", &shape->pool, one->replicas);
    if (one->prefill >= 0)
        add_sizes(text, "serve.prefill", &shape_at(all, one->prefill)->pool, one->prefill_replicas);
    if (shape->max_tokens > 0)
        g_string_append_printf(text, " --set serve.engine.max_tokens=" I64, shape->max_tokens);
    if (shape->max_sequences > 0)
        g_string_append_printf(text, " --set serve.engine.max_sequences=" I64,
                               shape->max_sequences);
    return g_strdup(text->str);
}
