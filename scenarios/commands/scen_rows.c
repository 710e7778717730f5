/* A measured row becomes a scenario.
 *
 * The row's own words come in many dialects; its machine-readable fields (sizes, `setup`, `model`)
 * are what is read here. What a row does not say (null) is left to the plan preset of its software,
 * which is found by the first words of `framework`. Everything that was assumed is written into the
 * scenario's description, so that no default is silent. */
#include "scen_rows.h"

#include "scen_memory_rows.h"
#include "scen_row_values.h"
#include "scen_row_writer.h"
#include "scen_rows_expert.h"
#include "scen_rows_layout.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

/* Sizes that a row may have; the loader says the rest. Products of two stay far below int64. */
static const int64_t SIZE_MAX_ALLOWED = 1 << 24;

#define BRIDGE "NVIDIA Megatron-Bridge performance summary, "

/* First words of `framework` (and of `source`, where that matters), and the plan of the catalog
 * that stands for it. First match wins. */
static const struct {
    const char *framework, *preset, *source;
} presets[] = {
    {"Megatron-LM fork (sail-sg/zero-bubble)", "zero-bubble",             NULL                       },
    {"Megatron-LM / Megatron-Core",            "megatron-core-2024",      NULL                       },
    {"Megatron-LM (Core) + TE 2",              "megatron-core-te-2025",   NULL                       },
    {"Megatron-LM (Core)",                     "megatron-core-2024",      NULL                       },
    {"Megatron-LM (commit",                    "megatron-lm-2023",        NULL                       },
    {"megatron",                               "megatron-lm-2023",        NULL                       },
    {"MegaScale",                              "megascale-2024",          NULL                       },
    {"Megatron-Kwai",                          "megatron-lm-2023",        NULL                       },
    {"Megatron-LM 2022",                       "megatron-lm-2022",        NULL                       },
    {"Megatron-LM 2020",                       "megatron-lm-2020",        NULL                       },
    {"Megatron-LM Jan 2021",                   "megatron-lm-2020",        NULL                       },
    {"Megatron-LM",                            "megatron-lm-2020",        "OneFlow"                  },
    {"Megatron-DeepSpeed",                     "bigscience-2022",         "BigScience"               },
    {"Megatron-DeepSpeed",                     "bigscience-2022",         "BLOOM"                    },
    {"Megatron-DeepSpeed",                     "megatron-deepspeed-2022", NULL                       },
    {"Megatron-LM",                            "megatron-lm-2021",        NULL                       },
    {"Megatron-Bridge",                        "megatron-bridge-2026",    BRIDGE "26.06"             },
    {"Megatron-Bridge",                        "megatron-bridge-2026",    BRIDGE "26.08"             },
    {"Megatron-Bridge",                        "megatron-bridge-2025",    NULL                       },
    {"JAX Pax",                                "pax-2024",                NULL                       },
    {"MaxText",                                "maxtext-2025",            NULL                       },
    {"Composer + PyTorch FSDP",                "llm-foundry-2023",        NULL                       },
    {"PyTorch FSDP + torch.compile",           "ibm-fms-2024",            NULL                       },
    {"PyTorch torchtitan",                     "torchtitan-2024",         NULL                       },
    {"DeepSpeed",                              "deepspeed-zero-3-2021",   NULL                       },
    {"NeMo 24.07",                             "nemo-2024",               NULL                       },
    {"NeMo",                                   "nemo-2024",               "NVIDIA NeMo long-sequence"},
    {"NeMo",                                   "nemo-2025",               NULL                       },
    {"Meta internal",                          "meta-llama3",             NULL                       },
    {"HAI-LLM",                                "hai-llm-2024",            NULL                       },
    {"OneFlow",                                "oneflow-2021",            NULL                       },
    {"InternEvo",                              "internevo-2023",          NULL                       },
    {"nanotron",                               "nanotron-2024",           NULL                       },
};

static const char *const DEFAULT_PRESET = "megatron-core-2024";

typedef ScenRowWriter Writer;

#define has scen_row_has
#define put scen_row_put
#define assume scen_row_assume
#define guess scen_row_guess
#define refuse scen_row_refuse
#define put_string scen_row_put_string
#define number(w, object, key, fallback) scen_row_number(object, key, fallback, &(w)->fault)
#define integer(w, object, key, fallback) scen_row_integer(object, key, fallback, &(w)->fault)
#define flag(w, object, key, fallback) scen_row_flag(object, key, fallback, &(w)->fault)
#define text(w, object, key, fallback) scen_row_text(object, key, fallback, &(w)->fault)

/* A remark: of another type, it says nothing. */
static const char *remark(JsonObject *object, const char *key)
{
    g_autofree char *ignored = NULL;
    return scen_row_text(object, key, "", &ignored);
}

static JsonObject *child(Writer *w, JsonObject *object, const char *key)
{
    return scen_row_object(object, key, &w->fault);
}

static const char *yes_no(bool value)
{
    return value ? "true" : "false";
}

static const char *preset_of(Writer *w)
{
    const char *framework = text(w, w->row, "framework", ""), *source = remark(w->row, "source");
    bool gated = flag(w, w->model, "gated_mlp", false);
    for (size_t i = 0; i < G_N_ELEMENTS(presets); i++) {
        if (!g_str_has_prefix(framework, presets[i].framework) ||
            (presets[i].source && !g_str_has_prefix(source, presets[i].source)))
            continue;
        /* Recipes of 2026 that still hold parts of a layer in graphs. */
        if (g_str_equal(presets[i].preset, "megatron-bridge-2026") &&
            strstr(remark(w->row, "notes"), "graphs: transformer_engine"))
            return "megatron-bridge-2025";
        if (w->pipeline > 1 && g_str_equal(presets[i].preset, "torchtitan-2024"))
            return "torchtitan-pipeline-2024";
        if (integer(w, w->row, "tp", 1) > 1 && integer(w, w->row, "dp", 1) > 1 &&
            g_str_equal(presets[i].preset, "oneflow-2021"))
            return "oneflow-2021-2d";
        /* LLaMA-like models (2023) are younger than the software of 2021. */
        bool younger = gated && g_str_equal(presets[i].preset, "megatron-lm-2021");
        return younger ? "megatron-lm-2023" : presets[i].preset;
    }
    guess(w, "software '%s' is not in the catalog, %s stands for it", framework, DEFAULT_PRESET);
    return DEFAULT_PRESET;
}

/* "MLA q_lora1536 kv_lora512 nope128 rope64 v128": the ranks and the widths of a head; widths that
 * are not said are DeepSeek's. */
static void put_latent(Writer *w)
{
    static const struct {
        const char *word, *key;
        int64_t fallback;
    } parts[] = {
        {"q_lora",  "q_lora_rank",    0  },
        {"kv_lora", "kv_lora_rank",   512},
        {" nope",   "head_dim",       128},
        {" rope",   "rope_head_dim",  64 },
        {" v",      "value_head_dim", 128},
    };
    const char *said = text(w, w->model, "attention", "");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *at = strstr(said, parts[i].word);
        const char *digits = at ? at + strlen(parts[i].word) : "";
        bool told = g_ascii_isdigit(*digits);
        put(w, "  %s: " I64 "\n", parts[i].key,
            told ? g_ascii_strtoll(digits, NULL, 10) : parts[i].fallback);
        if (!told)
            assume(w, "%s of DeepSeek-V3", parts[i].key);
    }
}

static void put_shape(Writer *w)
{
    JsonObject *m = w->model;
    int64_t heads = integer(w, m, "heads", 0);
    put(w, "  layers: " I64 "\n  hidden: " I64 "\n  heads: " I64 "\n  kv_heads: " I64 "\n",
        w->layers, integer(w, m, "hidden", 0), heads, integer(w, m, "kv_heads", heads));
    bool latent = g_str_has_prefix(text(w, m, "attention", ""), "MLA");
    if (latent)
        put_latent(w);
    else if (has(m, "head_dim"))
        put(w, "  head_dim: " I64 "\n", integer(w, m, "head_dim", 0));
    if (has(m, "ffn"))
        put(w, "  ffn: " I64 "\n", integer(w, m, "ffn", 0));
    if (integer(w, m, "experts", 0) > 0)
        put(w,
            "  experts: " I64 "\n  experts_per_token: " I64 "\n  expert_ffn: " I64
            "\n  shared_experts: " I64 "\n",
            integer(w, m, "experts", 0), integer(w, m, "top_k", 1),
            integer(w, m, "moe_ffn", integer(w, m, "ffn", 1)), integer(w, m, "shared_experts", 0));
    if (has(m, "dense_layers"))
        put(w, "  dense_layers: " I64 "\n", integer(w, m, "dense_layers", 0));
    else if (g_str_has_prefix(text(w, m, "name", ""), "deepseekv2")) {
        put(w, "  dense_layers: 1\n");
        assume(w, "one dense layer, as DeepSeek-V2 has");
    }
}

static void put_model(Writer *w)
{
    JsonObject *m = w->model;
    const char *position = text(w, m, "position", "");
    bool gated = flag(w, m, "gated_mlp", false);
    bool rotary = g_str_has_prefix(position, "RoPE") || (*position == '\0' && gated);
    bool alibi = g_str_equal(position, "ALiBi");
    int64_t vocab = integer(w, m, "vocab", -1);
    if (vocab < 0) {
        vocab = gated ? 32000 : 51200;
        assume(w, "vocabulary " I64, vocab);
    }
    put(w, "\nmodel:\n");
    put_string(w, "  name", text(w, m, "name", "unnamed"));
    put_shape(w);
    if (g_str_has_prefix(text(w, m, "name", ""), "Qwen3"))
        put(w, "  qk_norm: true\n");
    put(w, "  vocab: " I64 "\n  max_sequence: " I64 "\n  gated_mlp: %s\n  tied_embeddings: %s\n",
        vocab, integer(w, m, "seq_len", 0), yes_no(gated),
        yes_no(flag(w, m, "tied_embeddings", !rotary)));
    bool biased = g_str_has_prefix(text(w, m, "name", ""), "GPT OSS");
    const char *learned = rotary ? "rotary" : "learned";
    put(w, "  position: %s\n  norm: %s\n  bias: %s\n", alibi ? "alibi" : learned,
        gated ? "rmsnorm" : "layernorm", rotary && !biased ? "none" : "all");
}

/* What the row says of its scale-out network, and what that is in the catalog. */
static const struct {
    const char *text, *protocols;
} wires[] = {
    {"Omni-Path",        "omni-path"},
    {"4x 100 Gb/s RoCE", "roce-100g"},
};

static void put_scale_out(Writer *w, const char *node, int64_t gpus)
{
    if (!has(w->setup, "nic_gbps_per_gpu") || gpus <= 0) {
        assume(w, "NIC rate of %s", node);
        return;
    }
    const char *said = text(w, w->row, "inter_node", "");
    int64_t nics = scen_row_nics(said, gpus);
    put(w, "    nics: " I64 "\n    nic_bandwidth: %g Gbps\n", nics,
        number(w, w->setup, "nic_gbps_per_gpu", 0.0) * (double)gpus / (double)nics);
    for (size_t i = 0; i < G_N_ELEMENTS(wires); i++) {
        if (strstr(said, wires[i].text))
            put(w, "    scale_out_protocols: %s\n", wires[i].protocols);
    }
}

/* GPUs that a job uses of a scale-up domain. Where domains are not made of whole expert groups (72
 * GPUs of NVL72, groups of 32), schedulers give out segments that are (Slurm, topology/block,
 * --segment). */
static int64_t domain_of(Writer *w)
{
    int64_t domain = integer(w, w->setup, "scale_up_gpus", 8);
    int64_t ranks = integer(w, w->row, "ep", 1), whole = ranks > 0 ? domain / ranks * ranks : 0;
    if (whole == 0 || whole == domain || integer(w, w->row, "num_gpus", 0) <= domain)
        return domain;
    assume(w, "segments of " I64 " GPUs in domains of " I64 ", as expert groups are", whole,
           domain);
    return whole;
}

static void put_cluster(Writer *w)
{
    const char *gpu = text(w, w->setup, "gpu", "");
    const char *node = scen_row_node(w, gpu);
    if (!node)
        return;
    put(w, "\ncluster:\n  gpus: " I64 "\n  node:\n    base: %s\n    gpu: %s\n",
        integer(w, w->row, "num_gpus", 0), node, gpu);
    int64_t gpus = integer(w, w->row, "gpus_per_node", 0);
    if (gpus > 0)
        put(w, "    gpus: " I64 "\n", gpus);
    if (gpus > 0 && !has(w->setup, "nic_gbps_per_gpu"))
        put(w, "    nics: " I64 "\n", gpus);
    if (has(w->setup, "scale_up_gpus"))
        put(w, "    scale_up_gpus: " I64 "\n", domain_of(w));
    put_scale_out(w, node, gpus);
}

/* Recipes of less than 16 bits: what `setup.dtype` says, and what the row says in words. First
 * match wins. Megatron-Bridge keeps no quantised weights with nvfp4. */
static const struct {
    const char *dtype, *words, *yaml;
} recipes[] = {
    {"fp8",   "block scaling",   "fp8\n  quantise: {recipe: fp8-block}"               },
    {"fp8",   "rowwise",         "fp8\n  quantise: {recipe: fp8-row}"                 },
    {"fp8",   "fp8 linear",      "fp8\n  quantise: {recipe: fp8-current}"             },
    {"fp8",   "tensorwise",      "fp8\n  quantise: {recipe: fp8-current}"             },
    {"fp8",   "current scaling", "fp8\n  quantise: {recipe: fp8-current}"             },
    {"fp8",   "block/MX",        "fp8\n  quantise: {recipe: mxfp8}"                   },
    {"fp8",   "",                "fp8"                                                },
    {"mxfp8", "",                "fp8\n  quantise: {recipe: mxfp8}"                   },
    {"nvfp4", "",                "fp4\n  quantise: {recipe: nvfp4, parameters: false}"},
    {"bf16",  "",                "bf16"                                               },
    {"fp16",  "",                "fp16"                                               },
};

static void put_precision(Writer *w, const char *preset)
{
    const char *dtype = text(w, w->setup, "dtype", NULL);
    const char *said = remark(w->row, "dtype"), *notes = remark(w->row, "notes");
    if (!dtype) {
        assume(w, "precision of %s", preset);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(recipes); i++) {
        if (g_str_equal(dtype, recipes[i].dtype) &&
            (strstr(said, recipes[i].words) || strstr(notes, recipes[i].words))) {
            put(w, "  precision: %s\n", recipes[i].yaml);
            return;
        }
    }
    refuse(w, "precision '%s' is not modelled", dtype);
}

static void put_recompute(Writer *w, const char *preset)
{
    const char *recompute = text(w, w->setup, "recompute", NULL);
    if (!recompute)
        guess(w, "recomputation of %s", preset);
    else if (strstr(remark(w->row, "recompute"), "per-op"))
        put(w, "  recompute: per-op\n");
    else if (g_str_equal(recompute, "custom"))
        refuse(w, "custom recomputation cannot be expressed");
    else
        put_string(w, "  recompute", recompute);
}

/* "activation CPU offloading of 40 layers", or "activation offload ratio alpha=0.41", as the notes of
 * rows say. */
static void put_offload(Writer *w)
{
    static const char by_layers[] = "activation CPU offloading of ";
    static const char by_share[] = "activation offload ratio alpha=";
    const char *notes = remark(w->row, "notes");
    const char *layers = strstr(notes, by_layers), *share = strstr(notes, by_share);
    gint64 count = layers ? g_ascii_strtoll(layers + strlen(by_layers), NULL, 10) : 0;
    double alpha = share ? g_ascii_strtod(share + strlen(by_share), NULL) : 0.0;
    if (count > 0)
        put(w, "  offload: {activation_layers: " I64 "}\n", (int64_t)count);
    else if (alpha > 0.0 && alpha <= 1.0)
        put(w, "  offload: {activations: %g}\n", alpha);
}

static void put_overlap(Writer *w, const char *preset)
{
    JsonObject *overlap = child(w, w->setup, "overlap");
    static const struct {
        const char *short_name, *key;
    } keys[] = {
        {"dp", "data"    },
        {"tp", "tensor"  },
        {"pp", "pipeline"},
    };
    /* Products with scales of rows and their gathers are not chunked: torchtitan's issue 866
     * measures them as fast with asynchronous tensor parallelism as without, pytorch's 149990 says
     * why. */
    bool is_bare = strstr(remark(w->row, "dtype"), "rowwise");
    g_autoptr(GString) list = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (has(overlap, keys[i].short_name))
            g_string_append_printf(list, "%s%s: %s", list->len > 0 ? ", " : "", keys[i].key,
                                   yes_no(flag(w, overlap, keys[i].short_name, false) &&
                                          !(is_bare && g_str_equal(keys[i].key, "tensor"))));
    }
    if (scen_rows_exchange_beside(w, preset)) {
        g_string_append_printf(list, "%sexpert: true", list->len > 0 ? ", " : "");
        guess(w, "the exchange with experts beside compute");
    }
    if (list->len > 0)
        put(w, "  overlap: {%s}\n", list->str);
}

static void put_profiled(Writer *w)
{
    JsonObject *ms = child(w, child(w, w->row, "measured"), "profiled_ms");
    if (!ms)
        return;
    put(w,
        "  profiled: {forward: %g ms, backward_input: %g ms, backward_weight: %g ms, "
        "send: %g ms}\n",
        number(w, ms, "T_F", 0), number(w, ms, "T_B", 0), number(w, ms, "T_W", 0),
        number(w, ms, "T_comm", 0));
}

static void put_batch(Writer *w)
{
    if (has(w->row, "micro_batch"))
        put(w, "  micro_batch: " I64 "\n", integer(w, w->row, "micro_batch", 1));
    else
        guess(w, "micro_batch 1");
    put(w, "  global_batch: " I64 "\n  sequence_length: " I64 "\n",
        integer(w, w->row, "global_batch", 0), integer(w, w->model, "seq_len", 0));
}

static const char *const HYBRID = "hybrid ZeRO-1 within ";

/* What ranks shard. FSDP's SHARD_GRAD_OP, which rows call stage 2, shards weights between steps as
 * well and gathers them once. */
static void put_sharding(Writer *w, const char *preset)
{
    const char *framework = text(w, w->row, "framework", "");
    const char *overlap = remark(w->row, "overlap");
    int64_t stage = integer(w, w->row, "zero_stage", 0);
    bool gathers_once = stage == 2 && strstr(framework, "FSDP");
    if (has(w->row, "zero_stage"))
        put(w, "  zero_stage: " I64 "\n%s", gathers_once ? 3 : stage,
            gathers_once ? "  reshard_after_forward: false\n" : "");
    else
        guess(w, "ZeRO stage of %s", preset);
    if (g_str_has_prefix(overlap, "HSDP"))
        put(w, "  shard: " I64 "\n", integer(w, w->row, "gpus_per_node", 0));
    else if (g_str_has_prefix(overlap, HYBRID))
        put(w, "  shard: " I64 "\n", g_ascii_strtoll(overlap + strlen(HYBRID), NULL, 10));
    if (strstr(overlap, "MP Mode PURE"))
        put(w, "  gradients: bf16\n");
}

static void put_plan(Writer *w)
{
    const char *preset = preset_of(w);
    put(w, "\nplan:\n  base: %s\n", preset);
    scen_rows_put_layout(w, preset);
    scen_rows_put_schedule(w);
    put_batch(w);
    if (has(w->row, "sp"))
        put(w, "  sequence_parallel: %s\n", yes_no(flag(w, w->row, "sp", false)));
    else
        guess(w, "sequence parallelism of %s", preset);
    put_sharding(w, preset);
    put_precision(w, preset);
    put_recompute(w, preset);
    put_offload(w);
    put_overlap(w, preset);
    if (w->layers == 1 && integer(w, w->model, "vocab", -1) == 0)
        put(w, "  optimizer: none\n");
    put_profiled(w);
}

/* What `target_kind` means. */
static const struct {
    const char *kind, *words;
} definitions[] = {
    {"measured",       "measured: time of a step as printed"                       },
    {"converted",      "converted exactly from the printed throughput"             },
    {"inverted_flops", "inverted from the printed FLOP/s with the source's formula"},
};

static void put_expect(Writer *w)
{
    const char *kind = text(w, w->row, "target_kind", "measured");
    for (size_t i = 0; i < G_N_ELEMENTS(definitions); i++) {
        if (g_str_equal(definitions[i].kind, kind))
            kind = definitions[i].words;
    }
    put(w, "\nexpect:\n  step_time: %.9g s\n", number(w, w->row, "target_iteration_time_s", 0.0));
    scen_row_put_peaks(w);
    put_string(w, "  source", text(w, w->row, "source", "unknown"));
    put_string(w, "  definition", kind);
}

/* Sizes that other sizes are divided by. */
static void read_sizes(Writer *w)
{
    w->layers = integer(w, w->model, "layers", 0);
    w->pipeline = integer(w, w->row, "pp", 1);
    if (w->layers < 1 || w->layers > SIZE_MAX_ALLOWED)
        refuse(w, "a model of " I64 " layers", w->layers);
    else if (w->pipeline < 1 || w->pipeline > SIZE_MAX_ALLOWED)
        refuse(w, "a pipeline of " I64 " stages", w->pipeline);
    else
        w->chunks = scen_rows_chunks(w);
    if (w->chunks > SIZE_MAX_ALLOWED)
        refuse(w, I64 " virtual stages", w->chunks);
}

static char *write_row(Writer *w)
{
    if (number(w, w->row, "target_iteration_time_s", 0.0) <= 0.0)
        refuse(w, "the row has no target_iteration_time_s");
    read_sizes(w);
    if (w->failed)
        return NULL;
    put_model(w);
    put_cluster(w);
    put_plan(w);
    put_expect(w);
    return w->failed ? NULL : scen_row_document(w);
}

char *scen_row_to_yaml(JsonObject *row, GError **error)
{
    Writer w;
    scen_row_writer_init(&w, row, error);
    w.model = child(&w, row, "model");
    char *yaml = NULL;
    if (w.model && w.setup)
        yaml = write_row(&w);
    else
        refuse(&w, "%s", w.fault ? w.fault : "the row has no 'model' or no 'setup' block");
    scen_row_writer_clear(&w);
    return yaml;
}
