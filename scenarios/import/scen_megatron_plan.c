/* The plan of a Megatron-LM command line.
 *
 * A flag that is there, and one whose absence says something (no --sequence-parallel: none), is
 * written out; `base` names the rest, which no flag tells: speed of that year's kernels, the host,
 * the error of the model. Defaults are those of megatron/training/arguments.py:
 *
 *   gradients  kept and reduced in fp32 under --bf16, in fp16 under --fp16, unless
 *              --grad-reduce-in-bf16 or --accumulate-allreduce-grads-in-fp32
 *   overlap    tensor_backward: on, unless --no-async-tensor-model-parallel-allreduce; pipeline: on
 *              with chunks, unless --no-overlap-p2p-communication; data: --overlap-grad-reduce
 *   experts    cut over as many tensor ranks as layers are, unless --expert-tensor-parallel-size
 *   batch      --global-batch-size, else one microbatch a replica */
#include "scen_megatron.h"
#include "scen_note.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

/* A value of a flag, and ours. */
typedef struct Pair {
    const char *theirs, *ours;
} Pair;

static const Pair fp8_recipes[] = {
    {"delayed",    "fp8-delayed"},
    {"tensorwise", "fp8-current"},
    {"blockwise",  "fp8-block"  },
    {"mxfp8",      "mxfp8"      },
};
static const Pair optimizers[] = {
    {"adam",      "adam"        },
    {"sgd",       "sgd-momentum"},
    {"muon",      "muon"        },
    {"dist_muon", "muon"        },
};
static const Pair context_kinds[] = {
    {"p2p",        "ring"      },
    {"a2a",        "ulysses"   },
    {"allgather",  "all-gather"},
    {"all_gather", "all-gather"},
    {"a2a+p2p",    "hybrid"    },
};
static const Pair attentions[] = {
    {"flash",   "flash"  },
    {"fused",   "flash"  },
    {"auto",    "flash"  },
    {"unfused", "unfused"},
    {"local",   "unfused"},
};
static const Pair shardings[] = {
    {"no_shard",           "0"},
    {"optim",              "1"},
    {"optim_grads",        "2"},
    {"optim_grads_params", "3"},
};

/* Ours for the value of @name among @pairs, or fails. */
static const char *translate(ScenMegatron *m, const char *name, const Pair *pairs, size_t count,
                             const char *absent)
{
    const char *value = scen_megatron_text(m, name, absent);
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < count; i++) {
        if (g_ascii_strcasecmp(pairs[i].theirs, value) == 0)
            return pairs[i].ours;
        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", pairs[i].theirs);
    }
    scen_megatron_fail(m, scen_megatron_flag(m, name), "'%s' is not known; known: %s", value,
                       known->str);
    return "";
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void write_precision(ScenMegatron *m, GString *out)
{
    bool fp8 = scen_megatron_has(m, "--fp8-format") || scen_megatron_has(m, "--fp8");
    bool fp4 = scen_megatron_has(m, "--fp4-format"), bf16 = scen_megatron_has(m, "--bf16");
    bool fp16 = scen_megatron_has(m, "--fp16");
    g_string_append_printf(out, "  precision: %s\n",
                           fp4    ? "fp4"
                           : fp8  ? "fp8"
                           : bf16 ? "bf16"
                           : fp16 ? "fp16"
                                  : "fp32");
    bool wide = scen_megatron_has(m, "--accumulate-allreduce-grads-in-fp32");
    g_string_append_printf(out, "  gradients: %s\n",
                           scen_megatron_has(m, "--grad-reduce-in-bf16") ? "bf16"
                           : fp16 && !wide                               ? "fp16"
                                                                         : "fp32");
    if (!fp8 && !fp4)
        return;
    bool ends = scen_megatron_has(m, "--first-last-layers-bf16");
    g_string_append_printf(
        out, "  quantise: {recipe: %s, parameters: %s, wide_first: " I64 ", wide_last: " I64 "}\n",
        fp4 ? "nvfp4"
            : translate(m, "--fp8-recipe", fp8_recipes, G_N_ELEMENTS(fp8_recipes), "delayed"),
        truth(scen_megatron_has(m, "--fp8-param-gather")),
        ends ? scen_megatron_integer(m, "--num-layers-at-start-in-bf16", 0, 1) : 0,
        ends ? scen_megatron_integer(m, "--num-layers-at-end-in-bf16", 0, 1) : 0);
}

/* What --recompute-modules names, selectively. */
static void write_modules(ScenMegatron *m, GString *out)
{
    static const Pair parts[] = {
        {"layernorm",   "norms"        },
        {"mla_up_proj", "up_projection"},
        {"moe_act",     "activations"  },
    };
    const ScenMegatronFlag *flag = scen_megatron_flag(m, "--recompute-modules");
    g_autoptr(GString) list = g_string_new(NULL);
    bool core = !flag;
    for (guint v = 0; flag && v < flag->values->len; v++) {
        const char *text = ((const ScenShellWord *)flag->values->pdata[v])->text;
        bool known = g_str_equal(text, "core_attn");
        core = core || known;
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
            if (g_str_equal(parts[i].theirs, text)) {
                g_string_append_printf(list, "%s%s: true", list->len > 0 ? ", " : "",
                                       parts[i].ours);
                known = true;
            }
        if (!known)
            scen_note(m->notes, "--recompute-modules %s: that part is kept here, not recomputed",
                      text);
    }
    g_string_append_printf(out, "  recompute: %s\n", core ? "selective" : "none");
    if (list->len > 0)
        g_string_append_printf(out, "  recompute_parts: {%s}\n", list->str);
}

static void write_recompute(ScenMegatron *m, GString *out)
{
    static const Pair methods[] = {
        {"uniform", "uniform"},
        {"block",   "block"  },
    };
    bool old = scen_megatron_has(m, "--checkpoint-activations");
    const char *what =
        scen_megatron_text(m, "--recompute-granularity",
                           old                                               ? "full"
                           : scen_megatron_has(m, "--recompute-activations") ? "selective"
                                                                             : "none");
    if (g_str_equal(what, "selective")) {
        write_modules(m, out);
        return;
    }
    if (!g_str_equal(what, "full") && !g_str_equal(what, "none"))
        scen_megatron_fail(m, scen_megatron_flag(m, "--recompute-granularity"),
                           "'%s' is not known; known: full, selective", what);
    g_string_append_printf(out, "  recompute: %s\n", what);
    if (g_str_equal(what, "none") || !scen_megatron_has(m, "--recompute-method"))
        return;
    g_string_append_printf(
        out, "  recompute_layers: {method: %s, layers: " I64 "}\n",
        translate(m, "--recompute-method", methods, G_N_ELEMENTS(methods), "uniform"),
        scen_megatron_integer(m, "--recompute-num-layers", 1, 1));
}

static void write_sharding(ScenMegatron *m, const ScenMegatronShape *shape, GString *out)
{
    bool fsdp = scen_megatron_has(m, "--use-megatron-fsdp") ||
                scen_megatron_has(m, "--use-custom-fsdp") ||
                scen_megatron_has(m, "--use-torch-fsdp2");
    const char *stage = fsdp ? translate(m, "--data-parallel-sharding-strategy", shardings,
                                         G_N_ELEMENTS(shardings), "optim_grads_params")
                        : scen_megatron_has(m, "--use-distributed-optimizer") ? "1"
                                                                              : "0";
    g_string_append_printf(out, "  zero_stage: %s\n", stage);
    int64_t copies = scen_megatron_integer(m, "--num-distributed-optimizer-instances", 1, 1);
    if (copies > 1 && shape->data % copies == 0)
        g_string_append_printf(out, "  shard: " I64 "\n", shape->data / copies);
    else if (copies > 1)
        scen_megatron_fail(m, scen_megatron_flag(m, "--num-distributed-optimizer-instances"),
                           I64 " replicas do not divide into " I64 " instances", shape->data,
                           copies);
}

static void write_overlap(ScenMegatron *m, const ScenMegatronShape *shape, GString *out)
{
    bool gradients = scen_megatron_has(m, "--overlap-grad-reduce");
    bool weights = scen_megatron_has(m, "--overlap-param-gather");
    bool sends = shape->chunks > 1 && !scen_megatron_has(m, "--no-overlap-p2p-communication");
    bool tensor = scen_megatron_has(m, "--tp-comm-overlap");
    bool backward = tensor || !scen_megatron_has(m, "--no-async-tensor-model-parallel-allreduce");
    g_string_append_printf(
        out, "  overlap: {data: %s, tensor: %s, tensor_backward: %s, expert: %s, pipeline: %s}\n",
        truth(gradients), truth(tensor), truth(backward),
        truth(scen_megatron_has(m, "--overlap-moe-expert-parallel-comm")), truth(sends));
    if (gradients != weights && scen_megatron_has(m, "--use-distributed-optimizer"))
        scen_note(m->notes, "overlap.data is of gradients and weights; only --overlap-%s is there",
                  gradients ? "grad-reduce" : "param-gather");
}

static void write_context(ScenMegatron *m, const ScenMegatronShape *shape, GString *out)
{
    if (shape->context == 1)
        return;
    const char *kind =
        translate(m, "--cp-comm-type", context_kinds, G_N_ELEMENTS(context_kinds), "p2p");
    int64_t heads = scen_megatron_integer(m, "--hierarchical-context-parallel-sizes", 1, 1);
    if (g_str_equal(kind, "hybrid"))
        g_string_append_printf(out, "  context_parallel: {kind: hybrid, heads: " I64 "}\n", heads);
    else
        g_string_append_printf(out, "  context_parallel: {kind: %s}\n", kind);
}

static void write_offload(ScenMegatron *m, GString *out)
{
    bool optimizer = scen_megatron_has(m, "--optimizer-cpu-offload");
    bool activations = scen_megatron_has(m, "--cpu-offloading");
    if (!optimizer && !activations)
        return;
    g_string_append_printf(out, "  offload: {optimizer: %s", optimizer ? "host" : "device");
    if (activations)
        g_string_append_printf(out, ", activation_layers: " I64,
                               scen_megatron_integer(m, "--cpu-offloading-num-layers", 0, 0));
    g_string_append(out, "}\n");
}

static void write_experts(ScenMegatron *m, const ScenMegatronShape *shape, GString *out)
{
    if (shape->experts == 0)
        return;
    double capacity = scen_megatron_number(m, "--moe-expert-capacity-factor", 0.0);
    g_string_append_printf(
        out, "  expert: " I64 "\n  expert_tensor: " I64 "\n", shape->expert,
        scen_megatron_integer(m, "--expert-tensor-parallel-size", 1, shape->tensor));
    if (capacity > 0.0)
        g_string_append_printf(out, "  expert_capacity: %g\n", capacity);
}

static void write_kernels(ScenMegatron *m, GString *out)
{
    if (scen_megatron_has(m, "--attention-backend"))
        g_string_append_printf(
            out, "  attention: %s\n",
            translate(m, "--attention-backend", attentions, G_N_ELEMENTS(attentions), "auto"));
    else if (scen_megatron_has(m, "--use-flash-attn"))
        g_string_append(out, "  attention: flash\n");
    else if (g_str_equal(scen_megatron_text(m, "--transformer-impl", ""), "local"))
        g_string_append(out, "  attention: unfused\n");
    bool dropout = scen_megatron_number(m, "--attention-dropout", 0.1) > 0.0 ||
                   scen_megatron_number(m, "--hidden-dropout", 0.1) > 0.0;
    g_string_append_printf(out, "  dropout: %s\n", truth(dropout));
}

void scen_megatron_plan(ScenMegatron *m, const ScenMegatronShape *shape, GString *out)
{
    int64_t micro = scen_megatron_required(m, "--micro-batch-size");
    g_string_append_printf(out,
                           "  tensor: " I64 "\n  context: " I64 "\n  pipeline: " I64
                           "\n  virtual_stages: " I64 "\n",
                           shape->tensor, shape->context, shape->pipeline, shape->chunks);
    write_experts(m, shape, out);
    scen_megatron_layout(m, shape, out);
    g_string_append_printf(out,
                           "  micro_batch: " I64 "\n  global_batch: " I64
                           "\n  sequence_length: " I64 "\n  sequence_parallel: %s\n",
                           micro,
                           scen_megatron_integer(m, "--global-batch-size", 1, micro * shape->data),
                           scen_megatron_required(m, "--seq-length"),
                           truth(scen_megatron_has(m, "--sequence-parallel") && shape->tensor > 1));
    write_context(m, shape, out);
    write_precision(m, out);
    g_string_append_printf(
        out, "  optimizer: %s\n",
        translate(m, "--optimizer", optimizers, G_N_ELEMENTS(optimizers), "adam"));
    write_sharding(m, shape, out);
    write_recompute(m, out);
    write_overlap(m, shape, out);
    write_kernels(m, out);
    write_offload(m, out);
}
