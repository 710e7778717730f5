/* A row of measured peak memory becomes a scenario.
 *
 * Such rows name a model and write the layout as "tp2cp4pp1" or "FSDP32,TP8,PP8-1F1B"; the rest is
 * what their two sources ran, and is said in the description:
 *
 *   SimuMax    Megatron-LM on a DGX B200, one sequence of 4096 tokens a microbatch unless the case
 *              says "seqN", ZeRO-1, sequence parallelism, 16 key/value heads for the 405B; what
 *              torch allocated at most
 *   torchtitan H100s of 96 GB; a local batch is one microbatch, or as many as there are stages
 *              (PyTorch's pipelining default in 2024); what torch reserved at most */
#include "scen_memory_rows.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

#define has scen_row_has
#define put scen_row_put
#define assume scen_row_assume
#define text(w, key) scen_row_text((w)->row, key, "", &(w)->fault)

typedef ScenRowWriter Writer;

/* Sizes of a layout; those not named are 1. */
typedef struct Layout {
    int64_t tensor, context, pipeline, expert, shard;
} Layout;

/* Names of rows, and of the catalog. */
static const struct {
    const char *row, *model;
} models[] = {
    {"llama3-70b",    "llama-3.1-70b" },
    {"llama3-405b",   "llama-3.1-405b"},
    {"deepseekv2",    "deepseek-v2"   },
    {"deepseekv3",    "deepseek-v3"   },
    {"llama3.1-8B",   "llama-3.1-8b"  },
    {"llama3.1-70B",  "llama-3.1-70b" },
    {"llama3.1-405B", "llama-3.1-405b"},
};

void scen_row_put_peaks(ScenRowWriter *w)
{
    static const struct {
        const char *key, *unit, *expected;
    } peaks[] = {
        {"peak_alloc_gib",  "GiB", "peak_allocated"},
        {"peak_memory_gib", "GiB", "peak_reserved" },
        {"peak_memory_gb",  "GB",  "peak_allocated"},
    };
    JsonObject *measured = scen_row_object(w->row, "measured", &w->fault);
    for (size_t i = 0; i < G_N_ELEMENTS(peaks); i++)
        if (has(measured, peaks[i].key))
            put(w, "  %s: %.9g %s\n", peaks[i].expected,
                scen_row_number(measured, peaks[i].key, 0.0, &w->fault), peaks[i].unit);
}

bool scen_row_is_of_memory(JsonObject *row)
{
    return has(row, "parallel") && !has(row, "setup");
}

/* The number behind @word in @said, or 1. */
static int64_t size_of(const char *said, const char *word)
{
    const char *at = strstr(said, word);
    int64_t size = at ? g_ascii_strtoll(at + strlen(word), NULL, 10) : 1;
    return CLAMP(size, 1, 1 << 16);
}

static Layout layout_of(const char *parallel)
{
    g_autofree char *said = g_ascii_strdown(parallel, -1);
    return (Layout){.tensor = size_of(said, "tp"),
                    .context = size_of(said, "cp"),
                    .pipeline = size_of(said, "pp"),
                    .expert = size_of(said, "ep"),
                    .shard = size_of(said, "fsdp")};
}

static void put_model(Writer *w)
{
    const char *name = text(w, "model"), *base = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
        if (g_str_equal(models[i].row, name))
            base = models[i].model;
    if (!base) {
        scen_row_refuse(w, "no model of the catalog stands for '%s'", name);
        return;
    }
    put(w, "\nmodel:\n  base: %s\n", base);
    int64_t layers = scen_row_integer(w->row, "layers_kept", 0, &w->fault);
    if (layers > 0)
        put(w, "  layers: " I64 "\n", layers);
    if (layers > 0 && g_str_equal(name, "llama3-405b"))
        put(w, "  kv_heads: 16\n");
    if (layers > 0 && g_str_equal(name, "deepseekv3"))
        put(w, "  dense_layers: 1\n");
}

static void put_megatron(Writer *w, const Layout *layout)
{
    int64_t length = size_of(text(w, "case"), "seq"), gpus = 8;
    int64_t data = gpus / (layout->tensor * layout->context * layout->pipeline);
    int64_t microbatches = scen_row_integer(w->row, "microbatches", 1, &w->fault);
    assume(w, "ZeRO-1 of Megatron-LM, experts evenly loaded");
    put(w, "  max_sequence: 131072\n\ncluster: {node: dgx-b200, gpus: 8}\n");
    put(w, "\nplan:\n  base: megatron-core-te-2025\n");
    if (strstr(text(w, "model"), "deepseek"))
        put(w, "  expert: " I64 "\n", layout->expert);
    put(w, "  global_batch: " I64 "\n  sequence_length: " I64 "\n", microbatches * data,
        length > 1 ? length : 4096);
    put(w, "  sequence_parallel: %s\n  overlap: {tensor: false, pipeline: false}\n",
        layout->tensor > 1 ? "true" : "false");
}

/* Returns the tokens of a step over the GPUs. */
static double put_torchtitan(Writer *w, const Layout *layout)
{
    int64_t gpus = scen_row_integer(w->row, "gpus", 8, &w->fault);
    int64_t local = g_ascii_strtoll(text(w, "micro_batch"), NULL, 10);
    int64_t length = scen_row_integer(w->row, "seq_len", 8192, &w->fault);
    int64_t micro = MAX(local / layout->pipeline, 1);
    bool staged = layout->pipeline > 1; /* selective: selective_ac_option is 'op' in its recipes */
    if (staged)
        assume(w, "as many microbatches as stages");
    put(w, "  max_sequence: 131072\n\ncluster: {node: grand-teton-h100-96gb, gpus: " I64 "}\n",
        gpus);
    put(w, "\nplan:\n  base: %s\n  zero_stage: 3\n",
        staged ? "torchtitan-pipeline-2024" : "torchtitan-2024");
    if (strstr(text(w, "parallel"), "interleaved")) {
        assume(w, "two chunks a stage");
        put(w, "  virtual_stages: 2\n  schedule: interleaved-1f1b\n");
    }
    put(w, "  micro_batch: " I64 "\n  global_batch: " I64 "\n  sequence_length: " I64 "\n", micro,
        local * layout->shard, length);
    put(w, "  sequence_parallel: %s\n  recompute: %s\n  precision: %s\n",
        layout->tensor > 1 ? "true" : "false",
        g_str_equal(text(w, "recompute"), "selective") ? "per-op" : text(w, "recompute"),
        strstr(text(w, "extras"), "fp8") ? "fp8" : "bf16");
    if (staged)
        put(w, "  count_embedding: true\n  count_head: true\n");
    return (double)(local * layout->shard) * (double)length / (double)gpus;
}

/* @tokens_per_gpu: of one step. */
static void put_expect(Writer *w, double tokens_per_gpu)
{
    JsonObject *measured = scen_row_object(w->row, "measured", &w->fault);
    bool allocated = has(measured, "peak_allocated_gib");
    const char *key = allocated ? "peak_allocated_gib" : "peak_memory_gib";
    put(w, "\nexpect:\n  %s: %.9g GiB\n", allocated ? "peak_allocated" : "peak_reserved",
        scen_row_number(measured, key, 0.0, &w->fault));
    double step_s = scen_row_number(measured, "step_ms", 0.0, &w->fault) * 1e-3;
    double rate = scen_row_number(measured, "tokens_per_s_per_gpu", 0.0, &w->fault);
    if (rate > 0.0)
        step_s = tokens_per_gpu / rate;
    put(w, "  step_time: %.9g s\n", step_s);
    scen_row_put_string(w, "  source", text(w, "source"));
}

char *scen_memory_row_to_yaml(JsonObject *row, GError **error)
{
    Writer w;
    scen_row_writer_init(&w, row, error);
    Layout layout = layout_of(text(&w, "parallel"));
    double tokens = 0.0;
    put_model(&w);
    if (has(row, "case"))
        put_megatron(&w, &layout);
    else
        tokens = put_torchtitan(&w, &layout);
    put(&w, "  tensor: " I64 "\n  context: " I64 "\n  pipeline: " I64 "\n", layout.tensor,
        layout.context, layout.pipeline);
    put_expect(&w, tokens);
    char *yaml = scen_row_document(&w);
    scen_row_writer_clear(&w);
    return yaml;
}
