/* The table of `search:`, what `orrery search` may choose from: deployments, or training plans.
 *
 *   search:
 *     nodes: [dgx-h100, dgx-a100-80gb]
 *     costs: [aws-p5-2025, $2.00/h ...]
 *     tensor: [1, 2, 4, 8]
 *     max_gpus: 32
 *
 * Names of nodes, prices and types are looked up when the search lays them over the scenario, so
 * they have one place each that knows them. */
#include "scen_search.h"

#include "scen_fields.h"

#include <math.h>

static const ScenName objectives[] = {
    {"usd",                           SCEN_OBJECTIVE_USD       },
    {"usd_per_million_output_tokens", SCEN_OBJECTIVE_USD_OUTPUT},
    {"gpus",                          SCEN_OBJECTIVE_GPUS      },
    {NULL,                            0                        },
};

/* A list of names, each once. */
static bool bind_names(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)field;
    if (node->kind != SCEN_NODE_LIST || node->items->len == 0)
        return false;
    GArray *names = g_array_new(FALSE, FALSE, sizeof(const char *));
    *(GArray **)slot = names;
    for (guint i = 0; i < node->items->len; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        if (item->kind != SCEN_NODE_TEXT || item->text[0] == '\0')
            return false;
        const char *name = g_string_chunk_insert_const(binder->strings, item->text);
        g_array_append_val(names, name);
    }
    return true;
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    const ScenSearch *search = out;
    const struct {
        const char *key;
        const GArray *numbers;
    } lists[] = {
        {"tensor",         search->tensor        },
        {"pipeline",       search->pipeline      },
        {"data",           search->data          },
        {"expert",         search->expert        },
        {"context",        search->context       },
        {"virtual_stages", search->virtual_stages},
        {"micro_batch",    search->micro_batch   },
        {"zero_stage",     search->zero_stage    },
        {"max_tokens",     search->max_tokens    },
        {"max_sequences",  search->max_sequences },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint j = 0; lists[i].numbers && j < lists[i].numbers->len; j++) {
            double number = g_array_index(lists[i].numbers, double, j);
            if (floor(number) < number)
                scen_bind_fail(binder, map, lists[i].key,
                               "'%s' must be a list of whole numbers, not %g", lists[i].key,
                               number);
        }
    if (search->costs && (!search->nodes || search->costs->len != search->nodes->len))
        scen_bind_fail(binder, map, "costs", "'costs' names a price for each of 'nodes', in order");
}

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenSearch, member, of_kind, __VA_ARGS__)
static const ScenForm name_forms[] = {
    {.value = {.kind = SCEN_TEXT, .help = "a name"}, .least = 1, .most = 1000},
    {.value = {.help = NULL}                                 },
};

#define NAMES(key, member, ...)                                                                    \
    FIELD(key, member, SCEN_CUSTOM, .bind = bind_names, .expected = "a list of names",             \
          .forms = name_forms, __VA_ARGS__)
#define NUMBERS(key, member, ...)                                                                  \
    FIELD(key, member, SCEN_NUMBERS, .min = 1, .max = 1048576, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("objective", objective, SCEN_ENUM, .names = objectives, .fallback = "usd",
          .help = "what is to be least (default: usd, of the whole run)"),
    NAMES("nodes", nodes, .help = "kinds of nodes (default: the cluster's)"),
    NAMES("costs", costs,
          .help = "price of each of them, a row of orrery list prices (default: "
                  "the scenario's)"),
    NAMES("weights", weights, .help = "types of weights (default: serve.weights)"),
    NAMES("kv", kv, .help = "types of the KV cache (default: serve.kv)"),
    NUMBERS("tensor", tensor, .help = "default: 1, 2, 4 ... in a scale-up domain"),
    NUMBERS("pipeline", pipeline, .help = "default: serve.pipeline"),
    NUMBERS("data", data, .help = "default: serve.data"),
    NUMBERS("expert", expert, .help = "default: serve.expert"),
    NUMBERS("context", context, .help = "of a training plan (default: plan.context)"),
    NUMBERS("virtual_stages", virtual_stages, .help = "of a training plan (default: all)"),
    NUMBERS("micro_batch", micro_batch, .help = "of a training plan (default: all)"),
    FIELD("zero_stage", zero_stage, SCEN_NUMBERS, .zero = true, .max = 3,
          .help = "of a training plan (default: 0, 1)"),
    NAMES("recompute", recompute, .help = "of a training plan (default: all)"),
    NAMES("schedule", schedule,
          .help = "of a training plan (default: none, 1f1b, interleaved-1f1b)"),
    NAMES("sequence_parallel", sequence_parallel,
          .help = "of a training plan: true, false (default: both)"),
    NAMES("context_kind", context_kind,
          .help = "of a training plan (default: the plan's own; hybrid is not searched)"),
    FIELD("headroom", headroom, SCEN_NUMBER, .max = 0.9,
          .help = "share of memory that a training plan leaves free (default: 0)"),
    NUMBERS("max_tokens", max_tokens, .help = "of an iteration (default: the engine's)"),
    NUMBERS("max_sequences", max_sequences, .help = "of a batch (default: the engine's)"),
    FIELD("max_gpus", max_gpus, SCEN_INT, .min = 1, .max = 65536,
          .help = "of a deployment (default: the cluster's)"),
    FIELD("disaggregated", disaggregated, SCEN_BOOL, .fallback = "false",
          .help = "also deployments with replicas for prompts alone"),
    FIELD("reach", reach, SCEN_NUMBER, .min = 1.0, .max = 1000.0, .fallback = "1.25",
          .help = "also simulates what may cost so many times the winner, for the Pareto set"),
};

const ScenTable scen_search_table = {
    .what = "search",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenSearch),
    .finish = finish,
};

void scen_search_clear(ScenSearch *search)
{
    GArray **lists[] = {
        &search->nodes,
        &search->costs,
        &search->weights,
        &search->kv,
        &search->tensor,
        &search->data,
        &search->pipeline,
        &search->expert,
        &search->max_tokens,
        &search->max_sequences,
        &search->context,
        &search->virtual_stages,
        &search->micro_batch,
        &search->zero_stage,
        &search->recompute,
        &search->schedule,
        &search->sequence_parallel,
        &search->context_kind,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        g_clear_pointer(lists[i], g_array_unref);
}
