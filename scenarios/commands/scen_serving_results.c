/* Figures of a row, by the names that the tables use.
 *
 * Latencies are in ms or s, throughput in tokens/s of the instance, the node or the GPU; each
 * becomes the figure of scen_metric.h with that definition, or is left out with the reason. Where
 * only decoding was measured (a batch of B sequences that are all there), throughput X of the
 * instance is B over the time of a step, and TPOT is what a run of such a batch is held to. */
#include "scen_serving_results.h"

#include <string.h>

static const struct {
    const char *name, *unit; /* unit NULL: any */
    ScenMetric metric;
} figures[] = {
    {"ttft",                       NULL,        SCEN_METRIC_TTFT               },
    {"ttft_mean",                  NULL,        SCEN_METRIC_TTFT               },
    {"prompt_time",                NULL,        SCEN_METRIC_TTFT               },
    {"tpot",                       NULL,        SCEN_METRIC_TPOT               },
    {"tpot_mean",                  NULL,        SCEN_METRIC_TPOT               },
    {"token_time",                 NULL,        SCEN_METRIC_TPOT               },
    {"per_step_latency",           NULL,        SCEN_METRIC_TPOT               },
    {"itl_mean",                   NULL,        SCEN_METRIC_ITL                },
    {"e2e_time",                   NULL,        SCEN_METRIC_E2E                },
    {"request_latency_mean",       NULL,        SCEN_METRIC_E2E                },
    {"speedup",                    "x",         SCEN_METRIC_SPEEDUP            },
    {"speedup_medusa2",            "x",         SCEN_METRIC_SPEEDUP            },
    {"output_throughput",          "tok/s",     SCEN_METRIC_OUTPUT_RATE        },
    {"output_throughput",          "tok/s/GPU", SCEN_METRIC_OUTPUT_RATE_PER_GPU},
    {"generation_throughput",      NULL,        SCEN_METRIC_OUTPUT_RATE        },
    {"total_token_throughput",     NULL,        SCEN_METRIC_TOTAL_RATE         },
    {"request_throughput",         NULL,        SCEN_METRIC_REQUEST_RATE       },
    {"decode_tokens_per_s",        NULL,        SCEN_METRIC_USER_RATE          },
    {"output_throughput_per_node", NULL,        SCEN_METRIC_OUTPUT_RATE_PER_GPU},
    {"output_throughput_per_gpu",  NULL,        SCEN_METRIC_OUTPUT_RATE_PER_GPU},
    {"input_throughput_per_node",  NULL,        SCEN_METRIC_INPUT_RATE_PER_GPU },
    {"input_throughput_per_gpu",   NULL,        SCEN_METRIC_INPUT_RATE_PER_GPU },
};

/* Why others are left out; "" for those that only prefix others. */
static const struct {
    const char *prefix, *reason;
} others[] = {
    {"output_throughput_derived",            "follows from other figures of the row"           },
    {"input_throughput_per_node_excl_cache", "follows from another figure of the row"          },
    {"output_throughput_per_node_with_TBO",  "is of another setting than the row's"            },
    {"achieved_weight_bandwidth",            "follows from another figure of the row"          },
    {"latency",                              "follows from the time of a step, or is of a prompt "
                "phase that the row does not set apart"                         },
    {"peak_power_norm",                      "power is not simulated"                          },
    {"average_power_norm",                   "power is not simulated"                          },
    {"mfu",                                  "follows from the latency of the row"             },
    {"prefill_mfu",                          "is of another setting than the row's"            },
    {"chat_turn",                            "is of another setting than the row's"            },
    {"speedup_medusa1",                      "needs an acceptance that its source does not say"},
    {"speedup",                              "compares two settings, of which the row has one" },
    {"tbo",                                  "compares two settings, of which the row has one" },
    {"eplb",                                 "compares two settings, of which the row has one" },
    {"tpot_autoregressive",                  "needs a model that is not published"             },
    {"tpot_speculative",                     "needs a model that is not published"             },
    {"price",                                "is a price, not a run"                           },
    {"alpha",                                "is an input of speculation"                      },
    {"gamma",                                "is an input of speculation"                      },
};

static void leave_out(GPtrArray *left_out, const char *name)
{
    const char *reason = "no such figure in a run";
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        if (g_str_has_prefix(name, others[i].prefix)) {
            reason = others[i].reason;
            break;
        }
    }
    g_ptr_array_add(left_out, g_strdup_printf("%s: %s", name, reason));
}

static bool find(const char *name, const char *unit, ScenMetric *metric)
{
    for (size_t i = 0; i < G_N_ELEMENTS(figures); i++) {
        if (!g_str_equal(figures[i].name, name) ||
            (figures[i].unit && g_strcmp0(figures[i].unit, unit) != 0))
            continue;
        *metric = figures[i].metric;
        return true;
    }
    return false;
}

/* The rate of one GPU, from @value of what @name counts by. */
static double per_gpu(const char *name, double value, const ScenResultSetup *setup)
{
    if (strstr(name, "_per_node"))
        return value / (double)MIN(setup->gpus_per_node, setup->gpus);
    return value;
}

static void put_one(ScenRowWriter *w, const char *name, const char *unit, ScenMetric metric,
                    double value, const ScenResultSetup *setup)
{
    if (scen_metric_is_time(metric)) {
        scen_row_put(w, "  %s: %.9g %s\n", scen_metric_key(metric), value,
                     g_strcmp0(unit, "s") == 0 ? "s" : "ms");
        return;
    }
    double rate = per_gpu(name, value, setup);
    bool is_output = metric == SCEN_METRIC_OUTPUT_RATE_PER_GPU;
    if (setup->decodes_only && is_output)
        scen_row_put(w, "  %s: %.9g ms\n", scen_metric_key(SCEN_METRIC_TPOT),
                     1e3 * (double)setup->batch / (rate * (double)setup->gpus));
    else
        scen_row_put(w, "  %s: %.9g\n", scen_metric_key(metric), rate);
}

int scen_serving_results_put(ScenRowWriter *w, const ScenResultSetup *setup, GPtrArray *left_out)
{
    JsonArray *results = json_object_get_array_member(w->row, "results");
    bool taken[SCEN_METRIC_COUNT] = {false};
    int count = 0;
    scen_row_put(w, "\nexpect:\n");
    for (guint i = 0; i < json_array_get_length(results); i++) {
        JsonNode *node = json_array_get_element(results, i);
        if (!JSON_NODE_HOLDS_OBJECT(node))
            continue;
        JsonObject *result = json_node_get_object(node);
        g_autofree char *fault = NULL;
        const char *name = scen_row_text(result, "metric", "unnamed", &fault);
        const char *unit = scen_row_text(result, "unit", NULL, &fault);
        double value = scen_row_number(result, "value", 0.0, &fault);
        ScenMetric metric = SCEN_METRIC_COUNT;
        if (fault || value <= 0.0 || !find(name, unit, &metric) || taken[metric]) {
            leave_out(left_out, name);
            continue;
        }
        taken[metric] = true;
        put_one(w, name, unit, metric, value, setup);
        count++;
    }
    const char *id = scen_row_text(w->row, "id", "unnamed", &w->fault);
    g_autofree char *group = g_strndup(id, strcspn(id, "/"));
    scen_row_put_string(w, "  group", group);
    scen_row_put_string(w, "  source", scen_row_text(w->row, "source", "unknown", &w->fault));
    return count;
}
