/* `orrery list`: what there is to name in a scenario, each row with its source. */
#include "scen_cmd.h"

#include "scen_fields.h"
#include "scen_figure.h"
#include "scen_import.h"
#include "scen_json.h"
#include "scen_list.h"
#include "scen_named.h"
#include "scen_names.h"
#include "scen_options.h"
#include "scen_text.h"
#include "strat_agree.h"
#include "strat_autoscale.h"
#include "strat_context.h"
#include "strat_failures.h"
#include "strat_large_batch.h"
#include "strat_optimizer.h"
#include "strat_queue_policy.h"
#include "strat_queue_pool.h"
#include "strat_recipe.h"
#include "strat_recovery.h"
#include "strat_router.h"
#include "strat_schedule.h"
#include "strat_scheduler.h"
#include "strat_straggler.h"
#include "strat_tensor.h"
#include "topo_net.h"
#include "topo_placement.h"
#include "topo_route.h"

#include <stdio.h>
#include <string.h>

static const ScenUsage usage = {
    .command = "list",
    .arguments = "[KIND]",
    .summary =
        "Lists the rows of a kind (gpus, nodes, clusters, models, plans, protocols, "
        "engine-kernels,\n"
        "profiles, engines, prices, expert-kernels, uncertainty, recipes, schedules, optimizers,\n"
        "context-kinds, tensor-kinds, schedulers, routers, scaling, fabrics, routings, networks,\n"
        "placements, faults, storages, recoveries, stragglers,\n"
        "serve-recoveries, exchanges, compressions, batch-laws, figures,\n"
        "queue-policies, queue-placements, importers), each with its source;\n"
        "without a kind, how many there are.",
};

/* One name to choose. */
typedef struct Row {
    char *name, *source;
    char *parameters; /* keys that it reads, NULL where rows have none */
} Row;

static void row_clear(Row *row)
{
    g_free(row->name);
    g_free(row->source);
    g_free(row->parameters);
}

static void add_row(const char *name, const char *source, void *rows)
{
    Row row = {g_strdup(name), g_strdup(source ? source : ""), NULL};
    g_array_append_val((GArray *)rows, row);
}

/* @lister: adds the names and sources of all rows of @type, which @all_of has. */
#define LIST_ALL(lister, type, all_of)                                                             \
    static void lister(GArray *rows)                                                               \
    {                                                                                              \
        size_t count = 0;                                                                          \
        const type *all = all_of(&count);                                                          \
        for (size_t i = 0; i < count; i++)                                                         \
            add_row(all[i].name, all[i].source, rows);                                             \
    }

LIST_ALL(add_schedules, StratSchedule, strat_schedule_all)
LIST_ALL(add_optimizers, StratOptimizerRow, strat_optimizer_all)
LIST_ALL(add_exchanges, StratAgree, strat_agree_all)
LIST_ALL(add_compressions, StratCompressor, strat_compressor_all)
LIST_ALL(add_batch_laws, StratBatchLaw, strat_batch_law_all)
LIST_ALL(add_context_kinds, StratContextRow, strat_context_all)
LIST_ALL(add_tensor_kinds, StratTensorRow, strat_tensor_all)
LIST_ALL(add_recipes, StratRecipe, strat_recipe_all)
LIST_ALL(add_recoveries, StratRecovery, strat_recovery_all)
LIST_ALL(add_serve_recoveries, StratServeRecovery, strat_serve_recovery_all)
LIST_ALL(add_stragglers, StratStraggler, strat_straggler_all)
LIST_ALL(add_queue_policies, StratQueuePolicy, strat_queue_policy_all)
LIST_ALL(add_queue_placements, StratQueuePlacement, strat_queue_placement_all)
LIST_ALL(add_schedulers, StratScheduler, strat_scheduler_all)
LIST_ALL(add_routers, StratRouter, strat_router_all)
LIST_ALL(add_scaling, StratScalePolicy, strat_scale_policy_all)
LIST_ALL(add_networks, TopoNet, topo_net_all)
LIST_ALL(add_placements, TopoPlacement, topo_placement_all)
LIST_ALL(add_importers, ScenImporter, scen_import_all)
LIST_ALL(add_routings, TopoRoutePolicy, topo_route_all)

static void add_fabrics(GArray *rows)
{
    size_t count = 0;
    const TopoFabricKind *all = topo_fabric_all(&count);
    for (size_t i = 0; i < count; i++) {
        add_row(all[i].name, all[i].source, rows);
        g_array_index(rows, Row, i).parameters = g_strdup(all[i].parameters);
    }
}

/* Their definition stands for a source: they are ours. */
static void add_figures(GArray *rows)
{
    for (int k = 0; k < SCEN_FIGURE_COUNT; k++)
        add_row(scen_figure_key((ScenFigureKind)k), scen_figure_definition((ScenFigureKind)k),
                rows);
}

/* Is @key among the words of @parameters? */
static bool has_word(const char *parameters, const char *key)
{
    g_auto(GStrv) words = g_strsplit(parameters, " ", -1);
    return g_strv_contains((const char *const *)words, key);
}

/* Keys of a fabric that no kind has for itself. */
static void print_common_keys(const GArray *rows)
{
    g_autoptr(GString) out = g_string_new("All also read: ");
    g_autoptr(GString) keys = g_string_new(NULL);
    for (size_t i = 0; i < scen_fabric_table.count; i++) {
        const char *key = scen_fabric_table.fields[i].key;
        bool is_own = g_str_equal(key, "kind");
        for (guint r = 0; r < rows->len && !is_own; r++)
            is_own = has_word(g_array_index(rows, Row, r).parameters, key);
        if (!is_own)
            g_string_append_printf(keys, "%s%s", keys->len ? " " : "", key);
    }
    scen_text_wrap(out, keys->str, (int)out->len, 2);
    fputs(out->str, stdout);
}

/* A kind is a catalog, or a table of the code. */
typedef struct Kind {
    const char *name, *help;
    ScenCatalogKind catalog;
    void (*add)(GArray *rows);
} Kind;

static const Kind kinds[] = {
    {"gpus",             "accelerators",                             SCEN_CATALOG_GPU,            NULL                },
    {"nodes",            "GPUs, scale-up network and NICs together", SCEN_CATALOG_NODE,           NULL                },
    {"clusters",         "known clusters",                           SCEN_CATALOG_CLUSTER,        NULL                },
    {"models",           "transformers",                             SCEN_CATALOG_MODEL,          NULL                },
    {"plans",            "what a software of a year does",           SCEN_CATALOG_PLAN,           NULL                },
    {"protocols",        "what collectives reach on a wire",         SCEN_CATALOG_PROTOCOL,       NULL                },
    {"engine-kernels",   "all-reduces of serving engines",           SCEN_CATALOG_ENGINE_KERNELS, NULL                },
    {"profiles",         "fitted kernel costs",                      SCEN_CATALOG_PROFILE,        NULL                },
    {"engines",          "serving engines by version",               SCEN_CATALOG_SERVING_ENGINE, NULL                },
    {"expert-kernels",   "dispatch and combine of expert layers",    SCEN_CATALOG_EXPERT_KERNELS, NULL                },
    {"prices",           "of GPU-hours",                             SCEN_CATALOG_PRICE,          NULL                },
    {"uncertainty",      "standard errors of costs",                 SCEN_CATALOG_ERRORS,         NULL                },
    {"faults",           "what fails in a fleet, how often",         SCEN_CATALOG_FAULTS,         NULL                },
    {"storages",         "systems that checkpoints go to",           SCEN_CATALOG_STORAGE,        NULL                },
    {"recoveries",       "policies after a failure",                 SCEN_CATALOG_NONE,           add_recoveries      },
    {"stragglers",       "policies for slow parts",                  SCEN_CATALOG_NONE,           add_stragglers      },
    {"serve-recoveries", "requests of a replica that died",          SCEN_CATALOG_NONE,
     add_serve_recoveries                                                                                             },
    {"figures",          "of failures, that expect: may hold",       SCEN_CATALOG_NONE,           add_figures         },
    {"queue-policies",   "which of many jobs starts when",           SCEN_CATALOG_NONE,           add_queue_policies  },
    {"queue-placements", "which nodes a queued job gets",            SCEN_CATALOG_NONE,           add_queue_placements},
    {"recipes",          "of training in less than 16 bits",         SCEN_CATALOG_NONE,           add_recipes         },
    {"schedules",        "pipeline schedules",                       SCEN_CATALOG_NONE,           add_schedules       },
    {"optimizers",       "what updates the weights",                 SCEN_CATALOG_NONE,           add_optimizers      },
    {"exchanges",        "how data-parallel replicas agree",         SCEN_CATALOG_NONE,           add_exchanges       },
    {"compressions",     "of gradients",                             SCEN_CATALOG_NONE,           add_compressions    },
    {"batch-laws",       "of the critical batch",                    SCEN_CATALOG_NONE,           add_batch_laws      },
    {"context-kinds",    "how context ranks share a sequence",       SCEN_CATALOG_NONE,           add_context_kinds   },
    {"tensor-kinds",     "how tensor ranks share a layer",           SCEN_CATALOG_NONE,           add_tensor_kinds    },
    {"schedulers",       "of serving engines",                       SCEN_CATALOG_NONE,           add_schedulers      },
    {"routers",          "which replica gets a request",             SCEN_CATALOG_NONE,           add_routers         },
    {"scaling",          "policies of autoscaling",                  SCEN_CATALOG_NONE,           add_scaling         },
    {"fabrics",          "scale-out networks",                       SCEN_CATALOG_NONE,           add_fabrics         },
    {"routings",         "routing policies",                         SCEN_CATALOG_NONE,           add_routings        },
    {"networks",         "network models",                           SCEN_CATALOG_NONE,           add_networks        },
    {"placements",       "which GPU each rank runs on",              SCEN_CATALOG_NONE,           add_placements      },
    {"importers",        "kinds of orrery import",                   SCEN_CATALOG_NONE,           add_importers       },
};

static GArray *rows_of(const Kind *kind, GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(rows, (GDestroyNotify)row_clear);
    if (kind->add)
        kind->add(rows);
    else if (!scen_named_foreach(kind->catalog, NULL, add_row, rows, error))
        return NULL;
    return g_steal_pointer(&rows);
}

static bool print_counts(bool as_json, GError **error)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    json_builder_set_member_name(json, "kinds");
    json_builder_begin_object(json);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GArray) rows = rows_of(&kinds[i], error);
        if (!rows)
            return false;
        scen_json_integer(json, kinds[i].name, rows->len);
        if (!as_json)
            printf("%-16s %4u  %s\n", kinds[i].name, rows->len, kinds[i].help);
    }
    json_builder_end_object(json);
    json_builder_end_object(json);
    g_autofree char *text = scen_json_finish(json);
    if (as_json)
        fputs(text, stdout);
    return true;
}

static void print_rows(const GArray *rows)
{
    size_t width = 0;
    for (guint i = 0; i < rows->len; i++)
        width = MAX(width, strlen(g_array_index(rows, Row, i).name));
    int indent = (int)width + 2;
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        g_string_append_printf(out, "%-*s", indent, row->name);
        scen_text_wrap(out, row->source, indent, indent);
        if (!row->parameters)
            continue;
        g_autofree char *keys = g_strconcat("keys: ", row->parameters, NULL);
        g_string_append_printf(out, "%-*s", indent, "");
        scen_text_wrap(out, keys, indent, indent);
    }
    fputs(out->str, stdout);
}

static void print_rows_json(const Kind *kind, const GArray *rows)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "kind", kind->name);
    json_builder_set_member_name(json, "rows");
    json_builder_begin_array(json);
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        json_builder_begin_object(json);
        scen_json_text(json, "name", row->name);
        scen_json_text(json, "source", row->source);
        if (row->parameters)
            scen_json_text(json, "parameters", row->parameters);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
    g_autofree char *text = scen_json_finish(json);
    fputs(text, stdout);
}

static bool print_kind(const Kind *kind, bool as_json, GError **error)
{
    g_autoptr(GArray) rows = rows_of(kind, error);
    if (!rows)
        return false;
    if (as_json)
        print_rows_json(kind, rows);
    else
        print_rows(rows);
    if (!as_json && kind->add == add_fabrics)
        print_common_keys(rows);
    return true;
}

static const Kind *kind_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i].name, name))
            return &kinds[i];
    }
    return NULL;
}

static ScenExit unknown(const char *name)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_ptr_array_add(known, (void *)kinds[i].name);
    g_autofree char *advice = scen_names_advice(name, known);
    return scen_options_wrong(&usage, "unknown kind '%s'%s", name, advice);
}

GPtrArray *scen_list_kinds(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_ptr_array_add(names, g_strdup(kinds[i].name));
    return g_steal_pointer(&names);
}

GPtrArray *scen_list_names(const char *kind_name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const Kind *kind = kind_by_name(kind_name);
    g_autoptr(GArray) rows = kind ? rows_of(kind, error) : NULL;
    for (guint i = 0; rows && i < rows->len; i++)
        g_ptr_array_add(names, g_strdup(g_array_index(rows, Row, i).name));
    return rows || !kind ? g_steal_pointer(&names) : NULL;
}

ScenCatalogKind scen_list_catalog(const char *kind_name)
{
    const Kind *kind = kind_by_name(kind_name);
    return kind ? kind->catalog : SCEN_CATALOG_NONE;
}

const char *scen_list_kind_of(ScenCatalogKind catalog)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (catalog != SCEN_CATALOG_NONE && kinds[i].catalog == catalog)
            return kinds[i].name;
    return NULL;
}

char *scen_list_told_in(const char *text)
{
    static const char told[] = "orrery list ";
    const char *at = text ? strstr(text, told) : NULL;
    if (!at)
        return NULL;
    at += strlen(told);
    g_autofree char *word = g_strndup(at, strspn(at, "abcdefghijklmnopqrstuvwxyz-"));
    return kind_by_name(word) ? g_steal_pointer(&word) : NULL;
}

ScenExit scen_cmd_list(int argc, char **argv)
{
    (void)argc;
    g_auto(GStrv) names = NULL;
    gboolean json = FALSE;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text", NULL},
        {G_OPTION_REMAINING,     0, 0, G_OPTION_ARG_STRING_ARRAY, &names, NULL, NULL},
        {0},
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (names && names[1])
        return scen_options_wrong(&usage, "takes one kind, not %u", g_strv_length(names));
    const Kind *kind = names ? kind_by_name(names[0]) : NULL;
    if (names && !kind)
        return unknown(names[0]);
    bool done = kind ? print_kind(kind, json, &error) : print_counts(json, &error);
    return done ? SCEN_EXIT_OK : scen_fail(error);
}
