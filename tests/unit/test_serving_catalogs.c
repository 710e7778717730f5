/* Every serving engine, price and expert kernel of the catalogs binds, has a source, names what is
 * there, and fits a small scenario. */
#include "scen_cost.h"
#include "scen_load.h"
#include "scen_named.h"
#include "scen_serving_engine.h"
#include "strat_scheduler.h"

#include <criterion/criterion.h>
#include <string.h>

static void load_engine(const char *name, const char *source, void *data)
{
    size_t *serving = data;
    g_autofree char *text = g_strdup_printf("model: llama-3.1-8b\n"
                                            "cluster: {node: dgx-h100, gpus: 1, nodes: 1}\n"
                                            "serve: {engine: %s}\n"
                                            "traffic: {arrivals: all-at-once, requests: 2, "
                                            "input: 10, output: 5}\n",
                                            name);
    g_autoptr(GError) error = NULL;
    ScenLoadOptions options = {0};
    g_autoptr(ScenScenario) s = scen_scenario_parse(name, text, strlen(text), &options, &error);
    cr_expect(*source != '\0', "%s: no source", name);
    /* An engine may be described before its scheduler is written; nothing else may be wrong. */
    cr_expect(s || strstr(error->message, "unknown scheduler"), "%s: %s", name,
              error ? error->message : "");
    if (!s)
        return;
    (*serving)++;
    const StratEngine *engine = &s->serving.engine.row;
    cr_expect_str_eq(engine->name, name);
    cr_expect(engine->max_sequences > 0 && engine->max_tokens > 0, "%s", name);
    cr_expect(!engine->graphs || engine->graph_sequences > 0, "%s: graphs of no size", name);
    cr_expect_eq(s->serving.deployment.engine, engine);
}

Test(serving_catalogs, every_engine_serves)
{
    size_t serving = 0;
    g_autoptr(GError) error = NULL;
    cr_assert(scen_named_foreach(SCEN_CATALOG_SERVING_ENGINE, NULL, load_engine, &serving, &error));
    cr_expect_geq(serving, 15);
}

Test(serving_catalogs, limits_follow_the_memory_of_the_gpu_unless_they_are_written)
{
    static const struct {
        const char *name;
        double memory_bytes;
        int64_t written, sequences, tokens;
    } cases[] = {
        {"h100-sxm",      80.0 * 0x1p30, 0,  1024, 8192},
        {"a100-sxm-80gb", 80.0 * 0x1p30, 0,  256,  2048},
        {"l40s",          48e9,          0,  256,  2048},
        {"h100-sxm",      80.0 * 0x1p30, 64, 64,   8192},
    };
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ScenServingEngine engine = {0};
        cr_assert(
            scen_named_bind(SCEN_CATALOG_SERVING_ENGINE, "vllm-v1", NULL, strings, &engine, NULL));
        TopoGpu gpu = {.name = cases[i].name, .memory_bytes = cases[i].memory_bytes};
        engine.row.max_sequences = cases[i].written;
        scen_serving_engine_settle(&engine, &gpu);
        cr_expect_eq(engine.row.max_sequences, cases[i].sequences, "case %zu", i);
        cr_expect_eq(engine.row.max_tokens, cases[i].tokens, "case %zu", i);
    }
}

static void bind_price(const char *name, const char *source, void *data)
{
    GStringChunk *strings = data;
    ScenCost cost = {0};
    g_autoptr(GError) error = NULL;
    bool bound = scen_named_bind(SCEN_CATALOG_PRICE, name, NULL, strings, &cost, &error);
    cr_assert(bound, "%s: %s", name, error ? error->message : "");
    cr_expect(*source != '\0' && cost.date && cost.terms, "%s: when, and on which terms?", name);
    cr_expect(cost.gpu_usd_per_h > 0.2 && cost.gpu_usd_per_h < 20.0, "%s: $%g a GPU-hour", name,
              cost.gpu_usd_per_h);
}

Test(serving_catalogs, every_price_is_of_a_gpu_hour)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    cr_assert(scen_named_foreach(SCEN_CATALOG_PRICE, NULL, bind_price, strings, NULL));
    ScenCost cost = {0};
    cr_assert(scen_named_bind(SCEN_CATALOG_PRICE, "aws-p5", NULL, strings, &cost, NULL));
    cr_expect_float_eq(cost.gpu_usd_per_h, 98.32 / 8.0, 1e-12);
}

static void bind_expert(const char *name, const char *source, void *data)
{
    GStringChunk *strings = data;
    TopoExpertFit fit = {0};
    g_autoptr(GError) error = NULL;
    bool bound = scen_named_bind(SCEN_CATALOG_EXPERT_KERNELS, name, NULL, strings, &fit, &error);
    cr_expect(bound && *source != '\0', "%s: %s", name, error ? error->message : "");
    cr_expect(fit.dispatch.inside_fraction > 0.1 && fit.combine.inside_fraction > 0.1, "%s", name);
}

Test(serving_catalogs, expert_kernels_bind)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    cr_expect(scen_named_foreach(SCEN_CATALOG_EXPERT_KERNELS, NULL, bind_expert, strings, NULL));
}
