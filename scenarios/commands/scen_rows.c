/* A measured row becomes a scenario.
 *
 * The row's own words come in many dialects; its machine-readable fields (sizes, `setup`, `model`)
 * are what is read here. What a row does not say (null) is left to the plan preset of its software,
 * which is found by the first words of `framework`. Everything that was assumed is written into the
 * scenario's description, so that no default is silent. */
#include "scen_rows.h"

#include "strat_schedule.h"

#include <math.h>
#include <string.h>

/* First words of `framework` (and of `source`, where that matters), and the plan of the catalog
 * that stands for it. First match wins. */
static const struct {
    const char *framework, *preset, *source;
} presets[] = {
    {"Megatron-LM fork (sail-sg/zero-bubble)", "zero-bubble",             NULL        },
    {"Megatron-LM / Megatron-Core",            "megatron-core-2024",      NULL        },
    {"Megatron-LM (Core)",                     "megatron-core-2024",      NULL        },
    {"Megatron-LM (commit",                    "megatron-lm-2023",        NULL        },
    {"megatron",                               "megatron-lm-2023",        NULL        },
    {"MegaScale",                              "megatron-lm-2023",        NULL        },
    {"Megatron-Kwai",                          "megatron-lm-2023",        NULL        },
    {"Megatron-LM 2022",                       "megatron-lm-2022",        NULL        },
    {"Megatron-LM 2020",                       "megatron-lm-2021",        NULL        },
    {"Megatron-DeepSpeed",                     "bigscience-2022",         "BigScience"},
    {"Megatron-DeepSpeed",                     "bigscience-2022",         "BLOOM"     },
    {"Megatron-DeepSpeed",                     "megatron-deepspeed-2022", NULL        },
    {"Megatron-LM",                            "megatron-lm-2021",        NULL        },
    {"Megatron-Bridge",                        "nemo-2025",               NULL        },
    {"NeMo",                                   "nemo-2025",               NULL        },
    {"Meta internal",                          "meta-llama3",             NULL        },
    {"OneFlow",                                "megatron-lm-2021",        NULL        },
    {"InternEvo",                              "megatron-lm-2023",        NULL        },
    {"nanotron",                               "megatron-core-2024",      NULL        },
};

static const char *const DEFAULT_PRESET = "megatron-core-2024";

/* The node of the catalog around a GPU of that name. */
static const struct {
    const char *gpu, *node;
} nodes[] = {
    {"v100-sxm2-16gb",     "dgx-1-v100"           },
    {"v100-sxm3-32gb",     "dgx-2"                },
    {"a100-sxm-40gb",      "dgx-a100-40gb"        },
    {"a100-sxm-80gb",      "dgx-a100-80gb"        },
    {"a100-sxm-80gb-330w", "a100-330w-mesh"       },
    {"a800-sxm-80gb",      "hgx-a800"             },
    {"h100-sxm",           "dgx-h100"             },
    {"h100-sxm-96gb-500w", "grand-teton-h100-96gb"},
    {"h100-pcie",          "hgx-h100-pcie"        },
    {"h800-sxm",           "hgx-h800"             },
    {"h200-sxm",           "hgx-h200"             },
    {"h20",                "hgx-h20"              },
    {"b200-sxm",           "dgx-b200"             },
    {"b300-sxm",           "hgx-b300"             },
    {"gb200-nvl72",        "gb200-nvl72-tray"     },
    {"gb300-nvl72",        "gb300-nvl72-tray"     },
    {"l40s",               "l40s-server"          },
    {"rtx-4090",           "rtx-4090-server"      },
    {"rtx-pro-6000",       "rtx-pro-6000-server"  },
    {"mi300x",             "mi300x-platform"      },
};

typedef struct Writer {
    JsonObject *row, *model, *setup;
    GString *yaml;
    GString *assumed;
    GError **error;
    bool failed;
} Writer;

static bool has(JsonObject *object, const char *key)
{
    return object && json_object_has_member(object, key) &&
           !json_object_get_null_member(object, key);
}

static double number(JsonObject *object, const char *key, double fallback)
{
    return has(object, key) ? json_object_get_double_member(object, key) : fallback;
}

static gint64 integer(JsonObject *object, const char *key, gint64 fallback)
{
    return has(object, key) ? json_object_get_int_member(object, key) : fallback;
}

static const char *text(JsonObject *object, const char *key, const char *fallback)
{
    if (!has(object, key) ||
        json_node_get_value_type(json_object_get_member(object, key)) != G_TYPE_STRING)
        return fallback;
    return json_object_get_string_member(object, key);
}

static JsonObject *child(JsonObject *object, const char *key)
{
    if (!has(object, key) || !JSON_NODE_HOLDS_OBJECT(json_object_get_member(object, key)))
        return NULL;
    return json_object_get_object_member(object, key);
}

static void put(Writer *w, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void assume(Writer *w, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void refuse(Writer *w, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void put(Writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_string_append_vprintf(w->yaml, format, arguments);
    va_end(arguments);
}

static void assume(Writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_string_append(w->assumed, w->assumed->len > 0 ? "; " : "not said by the source: ");
    g_string_append_vprintf(w->assumed, format, arguments);
    va_end(arguments);
}

static void refuse(Writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (!w->failed)
        g_set_error_literal(w->error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED, message);
    w->failed = true;
}

/* A YAML string: JSON's quoting is YAML's. */
static void put_string(Writer *w, const char *key, const char *value)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), value);
    g_autofree char *quoted = json_to_string(node, FALSE);
    put(w, "%s: %s\n", key, quoted);
}

static const char *preset_of(Writer *w)
{
    const char *framework = text(w->row, "framework", ""), *source = text(w->row, "source", "");
    bool gated =
        has(w->model, "gated_mlp") && json_object_get_boolean_member(w->model, "gated_mlp");
    for (size_t i = 0; i < G_N_ELEMENTS(presets); i++) {
        if (!g_str_has_prefix(framework, presets[i].framework) ||
            (presets[i].source && !g_str_has_prefix(source, presets[i].source)))
            continue;
        /* LLaMA-like models (2023) are younger than the software of 2021. */
        bool younger = gated && g_str_equal(presets[i].preset, "megatron-lm-2021");
        return younger ? "megatron-lm-2023" : presets[i].preset;
    }
    assume(w, "software '%s' is not in the catalog, %s stands for it", framework, DEFAULT_PRESET);
    return DEFAULT_PRESET;
}

static void put_model(Writer *w)
{
    JsonObject *m = w->model;
    const char *position = text(m, "position", "");
    bool gated = has(m, "gated_mlp") && json_object_get_boolean_member(m, "gated_mlp");
    bool rotary = g_str_has_prefix(position, "RoPE") || (*position == '\0' && gated);
    gint64 hidden = integer(m, "hidden", 0), vocab = integer(m, "vocab", -1);
    if (vocab < 0) {
        vocab = gated ? 32000 : 51200;
        assume(w, "vocabulary %d", (int)vocab);
    }
    put(w, "model:\n");
    put_string(w, "  name", text(m, "name", "unnamed"));
    put(w, "  layers: %d\n  hidden: %d\n  heads: %d\n  kv_heads: %d\n  head_dim: %d\n",
        (int)integer(m, "layers", 0), (int)hidden, (int)integer(m, "heads", 0),
        (int)integer(m, "kv_heads", integer(m, "heads", 0)), (int)integer(m, "head_dim", 0));
    if (has(m, "ffn"))
        put(w, "  ffn: %d\n", (int)integer(m, "ffn", 0));
    put(w, "  vocab: %d\n  max_sequence: %d\n  gated_mlp: %s\n", (int)vocab,
        (int)integer(m, "seq_len", 0), gated ? "true" : "false");
    bool tied =
        has(m, "tied_embeddings") ? json_object_get_boolean_member(m, "tied_embeddings") : !rotary;
    put(w, "  tied_embeddings: %s\n  position: %s\n  norm: %s\n  bias: %s\n",
        tied ? "true" : "false",
        g_str_equal(position, "ALiBi") ? "alibi"
        : rotary                       ? "rotary"
                                       : "learned",
        gated ? "rmsnorm" : "layernorm", rotary ? "none" : "all");
    if (integer(m, "experts", 0) > 0)
        put(w, "  experts: %d\n  experts_per_token: %d\n  expert_ffn: %d\n  shared_experts: %d\n",
            (int)integer(m, "experts", 0), (int)integer(m, "top_k", 1),
            (int)integer(m, "moe_ffn", integer(m, "ffn", 1)), (int)integer(m, "shared_experts", 0));
}

static void put_cluster(Writer *w)
{
    const char *gpu = text(w->setup, "gpu", "");
    const char *node = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++) {
        if (g_str_equal(nodes[i].gpu, gpu))
            node = nodes[i].node;
    }
    if (!node) {
        refuse(w, "no node of the catalog holds GPU '%s'", gpu);
        return;
    }
    put(w, "cluster:\n  gpus: %d\n  node:\n    base: %s\n    gpu: %s\n",
        (int)integer(w->row, "num_gpus", 0), node, gpu);
    gint64 gpus = integer(w->row, "gpus_per_node", 0);
    if (gpus > 0)
        put(w, "    gpus: %d\n    nics: %d\n", (int)gpus, (int)gpus);
    if (has(w->setup, "scale_up_gpus"))
        put(w, "    scale_up_gpus: %d\n", (int)integer(w->setup, "scale_up_gpus", 8));
    if (has(w->setup, "nic_gbps_per_gpu") && gpus > 0)
        put(w, "    nic_bandwidth: %g Gbps\n", number(w->setup, "nic_gbps_per_gpu", 0.0));
    else
        assume(w, "NIC rate of %s", node);
}

/* Virtual stages of an interleaved schedule that does not say: two layers a chunk where that
 * divides, else one chunk. */
static gint64 virtual_stages(Writer *w, gint64 layers, gint64 pipeline)
{
    if (has(w->row, "vp") && integer(w->row, "vp", 1) > 0)
        return integer(w->row, "vp", 1);
    const char *schedule = text(w->setup, "schedule", "");
    if (!g_str_equal(schedule, "interleaved-1f1b"))
        return 1;
    gint64 slots = layers % pipeline == 0 ? layers : layers + 2;
    gint64 chunks = slots % (2 * pipeline) == 0 ? slots / (2 * pipeline) : slots / pipeline;
    assume(w, "%d virtual stages", (int)chunks);
    return chunks;
}

static void put_layout(Writer *w)
{
    gint64 layers = integer(w->model, "layers", 0), pp = integer(w->row, "pp", 1);
    gint64 vp = pp > 1 ? virtual_stages(w, layers, pp) : 1;
    const char *layout = text(w->row, "pipeline_layout", "");
    const char *notes = text(w->row, "notes", "");
    put(w, "  tensor: %d\n  context: %d\n  pipeline: %d\n  virtual_stages: %d\n",
        (int)integer(w->row, "tp", 1), (int)integer(w->row, "cp", 1), (int)pp, (int)vp);
    if (has(w->row, "dp"))
        put(w, "  data: %d\n", (int)integer(w->row, "dp", 1));
    if (pp == 1)
        return;
    bool uneven = layers % (pp * vp) != 0;
    bool ends = strstr(notes, "first and last stage") || strstr(notes, "first/last stage") ||
                strstr(layout, "embedding");
    if (uneven && (layers + 2) % (pp * vp) == 0)
        ends = true;
    put(w, "  count_embedding: %s\n  count_head: %s\n", ends ? "true" : "false",
        ends ? "true" : "false");
}

static void put_schedule(Writer *w)
{
    const char *schedule = text(w->setup, "schedule", NULL);
    gint64 pp = integer(w->row, "pp", 1);
    bool known = schedule && strat_schedule_by_name(schedule, NULL);
    if (schedule && !known)
        refuse(w, "pipeline schedule '%s' is not modelled", schedule);
    if (pp > 1 && schedule && !g_str_equal(schedule, "none"))
        put(w, "  schedule: %s\n",
            g_str_equal(schedule, "interleaved-1f1b") &&
                    virtual_stages(w, integer(w->model, "layers", 0), pp) == 1
                ? "1f1b"
                : schedule);
}

static void put_precision(Writer *w, const char *preset)
{
    const char *dtype = text(w->setup, "dtype", NULL);
    if (!dtype)
        assume(w, "precision of %s", preset);
    else if (!g_str_equal(dtype, "bf16") && !g_str_equal(dtype, "fp16") &&
             !g_str_equal(dtype, "fp8"))
        refuse(w, "precision '%s' is not modelled", dtype);
    else
        put(w, "  precision: %s\n", dtype);
}

static void put_recompute(Writer *w, const char *preset)
{
    const char *recompute = text(w->setup, "recompute", NULL);
    if (!recompute)
        assume(w, "recomputation of %s", preset);
    else if (g_str_equal(recompute, "custom"))
        refuse(w, "custom recomputation cannot be expressed");
    else
        put(w, "  recompute: %s\n", recompute);
}

static void put_overlap(Writer *w)
{
    JsonObject *overlap = child(w->setup, "overlap");
    static const char *const keys[][2] = {
        {"dp", "data"    },
        {"tp", "tensor"  },
        {"pp", "pipeline"}
    };
    g_autoptr(GString) list = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (has(overlap, keys[i][0]))
            g_string_append_printf(list, "%s%s: %s", list->len > 0 ? ", " : "", keys[i][1],
                                   json_object_get_boolean_member(overlap, keys[i][0]) ? "true"
                                                                                       : "false");
    }
    if (list->len > 0)
        put(w, "  overlap: {%s}\n", list->str);
}

static void put_profiled(Writer *w)
{
    JsonObject *ms = child(child(w->row, "measured"), "profiled_ms");
    if (!ms)
        return;
    put(w,
        "  profiled: {forward: %g ms, backward_input: %g ms, backward_weight: %g ms, send: %g "
        "ms}\n",
        number(ms, "T_F", 0), number(ms, "T_B", 0), number(ms, "T_W", 0), number(ms, "T_comm", 0));
}

static void put_plan(Writer *w)
{
    const char *preset = preset_of(w);
    put(w, "plan:\n  base: %s\n", preset);
    put_layout(w);
    put_schedule(w);
    if (has(w->row, "micro_batch"))
        put(w, "  micro_batch: %d\n", (int)integer(w->row, "micro_batch", 1));
    else
        assume(w, "micro_batch 1");
    put(w, "  global_batch: %d\n  sequence_length: %d\n", (int)integer(w->row, "global_batch", 0),
        (int)integer(w->model, "seq_len", 0));
    if (has(w->row, "sp"))
        put(w, "  sequence_parallel: %s\n",
            json_object_get_boolean_member(w->row, "sp") ? "true" : "false");
    else
        assume(w, "sequence parallelism of %s", preset);
    if (has(w->row, "zero_stage"))
        put(w, "  zero_stage: %d\n", (int)integer(w->row, "zero_stage", 0));
    else
        assume(w, "ZeRO stage of %s", preset);
    put_precision(w, preset);
    put_recompute(w, preset);
    put_overlap(w);
    if (integer(w->model, "layers", 0) == 1 && integer(w->model, "vocab", -1) == 0)
        put(w, "  optimizer: none\n");
    put_profiled(w);
}

char *scen_row_to_yaml(JsonObject *row, GError **error)
{
    g_autoptr(GString) yaml = g_string_new(NULL), assumed = g_string_new(NULL);
    Writer w = {.row = row,
                .model = child(row, "model"),
                .setup = child(row, "setup"),
                .yaml = yaml,
                .assumed = assumed,
                .error = error};
    if (!w.model || !w.setup) {
        refuse(&w, "the row has no 'model' or no 'setup' block");
        return NULL;
    }
    if (number(row, "target_iteration_time_s", 0.0) <= 0.0)
        refuse(&w, "the row has no target_iteration_time_s");
    put_string(&w, "name", text(row, "id", "unnamed"));
    put_model(&w);
    put_cluster(&w);
    put_plan(&w);
    put(&w, "expect:\n  step_time: %.9g s\n", number(row, "target_iteration_time_s", 0.0));
    put_string(&w, "  source", text(row, "source", "unknown"));
    put_string(&w, "  definition", text(row, "target_kind", "measured"));
    if (assumed->len > 0)
        put_string(&w, "description", assumed->str);
    return w.failed ? NULL : g_string_free(g_steal_pointer(&yaml), FALSE);
}
