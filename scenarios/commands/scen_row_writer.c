/* Writing a scenario from a row: the pieces that rows of training and of serving share. */
#include "scen_row_writer.h"

#include "strat_schedule.h"

/* The node of the catalog around a GPU of that name. */
static const struct {
    const char *gpu, *node;
} nodes[] = {
    {"v100-sxm2-16gb",       "dgx-1-v100"           },
    {"v100-sxm3-32gb",       "dgx-2"                },
    {"a100-sxm-40gb",        "dgx-a100-40gb"        },
    {"a100-sxm-80gb",        "dgx-a100-80gb"        },
    {"a100-sxm-80gb-330w",   "a100-330w-mesh"       },
    {"a800-sxm-80gb",        "hgx-a800"             },
    {"h100-sxm",             "dgx-h100"             },
    {"h100-sxm-96gb-500w",   "grand-teton-h100-96gb"},
    {"h100-pcie",            "hgx-h100-pcie"        },
    {"h800-sxm",             "hgx-h800"             },
    {"h200-sxm",             "hgx-h200"             },
    {"h20",                  "hgx-h20"              },
    {"b200-sxm",             "dgx-b200"             },
    {"b300-sxm",             "hgx-b300"             },
    {"gb200-nvl72",          "gb200-nvl72-tray"     },
    {"gb300-nvl72",          "gb300-nvl72-tray"     },
    {"l40s",                 "l40s-server"          },
    {"rtx-4090",             "rtx-4090-server"      },
    {"rtx-pro-6000",         "rtx-pro-6000-server"  },
    {"mi300x",               "mi300x-platform"      },
    {"t4",                   "t4-gcp"               },
    {"rtx-a6000",            "rtx-a6000-workstation"},
    {"jetson-agx-orin-64gb", "jetson-agx-orin"      },
    {"mi250x-gcd",           "mi250x-platform"      },
    {"tpu-v4",               "tpu-v4-slice"         },
};

/* Clusters that rows do not name, by the first words of `framework`. */
static const struct {
    const char *framework, *gpu, *node;
} clusters[] = {
    {"nanotron", "h100-sxm", "aws-p5"},
};

void scen_row_writer_init(ScenRowWriter *w, JsonObject *row, GError **error)
{
    *w = (ScenRowWriter){.row = row, .error = error};
    w->yaml = g_string_new(NULL);
    w->assumed = g_string_new(NULL);
    w->setup = scen_row_object(row, "setup", &w->fault);
}

void scen_row_writer_clear(ScenRowWriter *w)
{
    g_string_free(w->yaml, TRUE);
    g_string_free(w->assumed, TRUE);
    g_free(w->fault);
}

void scen_row_put(ScenRowWriter *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_string_append_vprintf(w->yaml, format, arguments);
    va_end(arguments);
}

void scen_row_assume(ScenRowWriter *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_string_append(w->assumed, w->assumed->len > 0 ? "; " : "not said by the source: ");
    g_string_append_vprintf(w->assumed, format, arguments);
    va_end(arguments);
}

void scen_row_refuse(ScenRowWriter *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (!w->failed) /* the first reason is enough */
        g_set_error_literal(w->error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED, message);
    w->failed = true;
}

void scen_row_put_string(ScenRowWriter *w, const char *key, const char *value)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), value);
    g_autofree char *quoted = json_to_string(node, FALSE);
    scen_row_put(w, "%s: %s\n", key, quoted);
}

const char *scen_row_node(ScenRowWriter *w, const char *gpu)
{
    const char *framework = scen_row_text(w->row, "framework", "", &w->fault);
    for (size_t i = 0; i < G_N_ELEMENTS(clusters); i++)
        if (g_str_equal(clusters[i].gpu, gpu) && g_str_has_prefix(framework, clusters[i].framework))
            return clusters[i].node;
    for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++)
        if (g_str_equal(nodes[i].gpu, gpu))
            return nodes[i].node;
    scen_row_refuse(w, "no node of the catalog holds GPU '%s'", gpu);
    return NULL;
}

char *scen_row_document(ScenRowWriter *w)
{
    g_autofree char *source =
        g_str_to_ascii(scen_row_text(w->row, "source", "unknown", &w->fault), "C");
    g_strdelimit(source, "\n\r\t", ' ');
    GString *body = g_steal_pointer(&w->yaml);
    w->yaml = g_string_new(NULL);
    scen_row_put(w, "# A published measurement, restated. Source: %s\n", source);
    scen_row_put_string(w, "name", scen_row_text(w->row, "id", "unnamed", &w->fault));
    if (w->assumed->len > 0)
        scen_row_put_string(w, "description", w->assumed->str);
    if (w->guesses > 0)
        scen_row_put(w, "guesses: %d\n", w->guesses);
    g_string_append_len(w->yaml, body->str, (gssize)body->len);
    g_string_free(body, TRUE);
    if (w->fault)
        scen_row_refuse(w, "%s", w->fault);
    return w->failed ? NULL : g_strdup(w->yaml->str);
}
