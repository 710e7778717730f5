/* The table of a serving engine.
 *
 * Defaults are those of an engine that does nothing special: no chunks, no prefix cache, no graphs,
 * a host that costs nothing. A row of the catalog says what its version does. */
#include "scen_fields.h"
#include "scen_serving_engine.h"

#include <string.h>

enum { MOST_PREFERRED = 1000000 };

/* A list of sizes; those of a base that it replaces go. */
static bool bind_preferred(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                           void *slot)
{
    (void)binder;
    (void)field;
    int64_t *sizes = slot;
    if (node->kind != SCEN_NODE_LIST || node->items->len == 0 || node->items->len > STRAT_PREFERRED)
        return false;
    memset(sizes, 0, STRAT_PREFERRED * sizeof *sizes);
    for (size_t i = 0; i < node->items->len; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        guint64 size;
        if (item->kind != SCEN_NODE_TEXT || item->quoted ||
            !g_ascii_string_to_unsigned(item->text, 10, 1, MOST_PREFERRED, &size, NULL))
            return false;
        sizes[i] = (int64_t)size;
    }
    return true;
}

static const ScenForm preferred_forms[] = {
    {.value = {.kind = SCEN_INT, .min = 1, .max = MOST_PREFERRED, .help = "requests"},
     .least = 1,
     .most = STRAT_PREFERRED},
    {.value = {.help = NULL}                                                         },
};

#define PREFERRED_EXPECTED "a list of 1 to 8 whole numbers from 1 to 1000000"

#define HOST(key, member, of_kind, ...) SCEN_FIELD(key, StratHost, member, of_kind, __VA_ARGS__)
#define SECONDS(key, member, ...)                                                                  \
    HOST(key, member, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S, __VA_ARGS__)

static const ScenField host_fields[] = {
    SECONDS("step", step_s, .help = "of every iteration, in s (default: 0)"),
    SECONDS("sequence", sequence_s, .help = "of each sequence in it, in s"),
    SECONDS("prompt", prompt_s, .help = "of each prompt that starts, in s"),
    SECONDS("token", token_s, .help = "of each token of such a prompt, in s"),
    SECONDS("kernel", kernel_s, .help = "launch of a kernel outside CUDA graphs, in s"),
    HOST("overlapped", overlapped, SCEN_BOOL, .fallback = "false",
         .help = "prepared while the GPU runs the iteration before"),
    HOST("detokenise_inline", detokenise_inline, SCEN_BOOL, .fallback = "false",
         .help = "turning tokens into text holds the next iteration up"),
    SECONDS("detokenise", detokenise_s, .help = "of each token, in s"),
};

static const ScenTable host_table = {
    .what = "host",
    .fields = host_fields,
    .count = G_N_ELEMENTS(host_fields),
    .size = sizeof(StratHost),
};

#define LIMIT(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, ScenGpuLimits, member, of_kind, __VA_ARGS__)
#define LIMITS                                                                                     \
    LIMIT("max_sequences", max_sequences, SCEN_INT, .required = true, .min = 1, .max = 1e6,        \
          .help = "in one batch"),                                                                 \
        LIMIT("max_tokens", max_tokens, SCEN_INT, .required = true, .min = 1, .max = 1e8,          \
              .help = "of one iteration")

static const ScenField small_fields[] = {LIMITS};

static const ScenTable small_table = {
    .what = "small_gpus",
    .fields = small_fields,
    .count = G_N_ELEMENTS(small_fields),
    .size = sizeof(ScenGpuLimits),
};

static const ScenField large_fields[] = {
    LIMIT("memory", memory_bytes, SCEN_QUANTITY, .required = true, .dimension = SCEN_DATA_BYTES,
          .help = "of a GPU that counts as large, in bytes"),
    LIMIT("except", except, SCEN_TEXT, .help = "GPUs with this in their name stay small"),
    LIMITS,
};

static const ScenTable large_table = {
    .what = "large_gpus",
    .fields = large_fields,
    .count = G_N_ELEMENTS(large_fields),
    .size = sizeof(ScenGpuLimits),
};

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, ScenServingEngine, row.member, of_kind, __VA_ARGS__)

#define OWN(key, member, of_kind, ...)                                                             \
    SCEN_FIELD(key, ScenServingEngine, member, of_kind, __VA_ARGS__)

static const ScenName families[] = {
    {"triton",         KERN_MOE_TRITON        },
    {"cutlass",        KERN_MOE_CUTLASS       },
    {"trtllm",         KERN_MOE_TRTLLM        },
    {"trtllm-modular", KERN_MOE_TRTLLM_MODULAR},
    {"marlin",         KERN_MOE_MARLIN        },
    {NULL,             0                      },
};

#define VECTOR(key, member, ...)                                                                   \
    SCEN_FIELD(key, StratVectorAttention, member, SCEN_NUMBER, .required = true, .min = 0.01,      \
               .max = 1.0, __VA_ARGS__)

static const ScenField vector_fields[] = {
    VECTOR("memory_fraction", memory_fraction, .help = "of HBM bandwidth"),
    VECTOR("cache_fraction", cache_fraction, .help = "of L2 bandwidth, 64 bytes a clock and SM"),
};

static const ScenTable vector_table = {
    .what = "vector_attention",
    .fields = vector_fields,
    .count = G_N_ELEMENTS(vector_fields),
    .size = sizeof(StratVectorAttention),
};

static const ScenName copies[] = {
    {"hidden",        STRAT_COPIES_HIDDEN       },
    {"weights-first", STRAT_COPIES_WEIGHTS_FIRST},
    {"in-turn",       STRAT_COPIES_IN_TURN      },
    {NULL,            0                         },
};

static const ScenField fields[] = {
    FIELD("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    FIELD("source", source, SCEN_TEXT, .help = "code or documentation of that version"),
    FIELD("scheduler", scheduler, SCEN_TEXT, .required = true,
          .help = "who decides what runs next (orrery list schedulers)"),
    FIELD("max_sequences", max_sequences, SCEN_INT, .min = 1, .max = 1e6,
          .help = "in one batch (default: by the GPU, below)"),
    FIELD("max_tokens", max_tokens, SCEN_INT, .min = 1, .max = 1e8,
          .help = "of one iteration (default: by the GPU, below)"),
    OWN("small_gpus", small, SCEN_MAP, .table = &small_table,
        .help = "limits on other GPUs than large ones"),
    OWN("large_gpus", large, SCEN_MAP, .table = &large_table,
        .help = "limits on GPUs with much memory"),
    FIELD("max_length", max_length, SCEN_INT, .min = 1, .max = 1e8,
          .help = "prompt and output of one sequence (default: the model's max_sequence)"),
    FIELD("long_prefill_tokens", long_prefill_tokens, SCEN_INT, .min = 1, .max = 1e8,
          .help = "of one prompt in one iteration (default: no such limit)"),
    FIELD("block_tokens", block_tokens, SCEN_INT, .min = 1, .max = 65536, .fallback = "16",
          .help = "of a block of the KV cache"),
    FIELD("memory_fraction", memory_fraction, SCEN_NUMBER, .min = 0.01, .max = 1.0,
          .fallback = "0.9", .help = "of the GPU's memory that the engine takes"),
    FIELD("memory_of_rest", memory_of_rest, SCEN_BOOL, .fallback = "false",
          .help = "that fraction is of what weights and the largest iteration leave"),
    FIELD("watermark", watermark_fraction, SCEN_NUMBER, .max = 0.9, .fallback = "0",
          .help = "share of the blocks that admission leaves free"),
    FIELD("activations", activation_bytes, SCEN_QUANTITY, .zero = true,
          .dimension = SCEN_DATA_BYTES, .help = "graphs and workspaces, in bytes (default: 0)"),
    FIELD("chunked_prefill", chunked_prefill, SCEN_BOOL, .fallback = "false",
          .help = "a prompt may be cut to what is left of the tokens"),
    FIELD("reserve_prompt", reserve_prompt, SCEN_BOOL, .fallback = "false",
          .help = "a prompt is admitted only when all of it fits into the cache"),
    FIELD("prefix_cache", prefix_cache, SCEN_BOOL, .fallback = "false",
          .help = "blocks of equal prefixes are shared"),
    FIELD("graphs", graphs, SCEN_BOOL, .fallback = "false",
          .help = "iterations of decodes replay a CUDA graph"),
    FIELD("graph_sequences", graph_sequences, SCEN_INT, .min = 1, .max = 1e6,
          .help = "largest batch that has a graph"),
    FIELD("graphs_mixed", graphs_mixed, SCEN_BOOL, .fallback = "false",
          .help = "iterations with prompts replay graphs too, up to as many tokens"),
    FIELD("gathers_experts", gathers_experts, SCEN_BOOL, .fallback = "false",
          .help = "experts that few tokens choose are products of their own"),
    FIELD("fused_kernels", fused_kernels, SCEN_BOOL, .fallback = "true",
          .help = "norms, activation, rotary and residual share passes"),
    FIELD("fused_quantisation", fused_quantisation, SCEN_BOOL, .fallback = "false",
          .help = "norms and activations write the narrow type that the next product reads"),
    FIELD("vector_attention", vector_attention, SCEN_MAP, .table = &vector_table,
          .help = "decode attention with a block for each query head (default: the profile's)"),
    FIELD("attention_fraction", attention_fraction, SCEN_NUMBER, .max = 10.0,
          .help = "of the profile's rate of decode attention (default: 1)"),
    FIELD("copies", copies, SCEN_ENUM, .names = copies, .fallback = "hidden",
          .help = "what of the copies from the host runs under the computation"),
    FIELD("link_fraction", link_fraction, SCEN_NUMBER, .max = 1.0,
          .help = "of the host link that its copies reach (default: 1)"),
    FIELD("unpack_bytes", unpack_bytes, SCEN_NUMBER, .max = 1000.0,
          .help = "of GPU memory moved to widen a 4-bit element (default: 0, products widen it)"),
    FIELD("new_token_ratio", new_token_ratio, SCEN_NUMBER, .max = 1.0,
          .help = "SGLang: share of the outputs to come that admission reserves"),
    FIELD("waiting_served_ratio", waiting_served_ratio, SCEN_NUMBER, .max = 100.0,
          .help = "TGI: prompts that are worth a pause of the decodes"),
    FIELD("max_waiting_tokens", max_waiting_tokens, SCEN_INT, .min = 1, .max = 1e6,
          .help = "TGI: decodes before waiting prompts are let in"),
    FIELD("batch_wait_iterations", batch_wait_iterations, SCEN_INT, .min = 1, .max = 1e6,
          .help = "TensorRT-LLM: decodes before waiting prompts are let in (default: none)"),
    FIELD("batch_wait_fraction", batch_wait_fraction, SCEN_NUMBER, .max = 1.0,
          .help = "TensorRT-LLM: share of max_tokens that ends that wait"),
    FIELD("preferred_sequences", preferred_sequences, SCEN_CUSTOM, .bind = bind_preferred,
          .expected = PREFERRED_EXPECTED, .forms = preferred_forms,
          .help = "Triton: sizes of a batch that goes at once (default: max_sequences)"),
    FIELD("max_queue_delay", max_queue_delay_s, SCEN_QUANTITY, .zero = true,
          .dimension = SCEN_TIME_S, .help = "Triton: how long a batch may wait to fill, in s"),
    FIELD("max_total_tokens", max_total_tokens, SCEN_INT, .min = 1, .max = 1e9,
          .help = "TGI: prompts and outputs to come of a batch (default: what the cache holds)"),
    FIELD("padded_prompts", padded_prompts, SCEN_BOOL, .fallback = "false",
          .help = "vLLM up to 0.2: prompts count as long as the longest"),
    FIELD("chunk_stages", chunk_stages, SCEN_INT, .min = 2, .max = 1e4,
          .help = "Sarathi: steps in which the chunk shrinks (default: it does not)"),
    FIELD("chunk_low_tokens", chunk_low_tokens, SCEN_INT, .min = 1, .max = 1e8,
          .help = "Sarathi: the last chunk"),
    FIELD("chunk_schedule_tokens", chunk_schedule_tokens, SCEN_INT, .min = 1, .max = 1e8,
          .help = "Sarathi: of a prompt, over which it shrinks"),
    FIELD("max_adapters", max_adapters, SCEN_INT, .min = 1, .max = 1e6,
          .help = "LoRA adapters in one batch (default: no limit)"),
    FIELD("adapter_load", adapter_load_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "to bring an adapter in, in s"),
    FIELD("swap", swap_bytes, SCEN_QUANTITY, .zero = true, .dimension = SCEN_DATA_BYTES,
          .help = "vLLM V0: host memory per GPU for the caches of the preempted, in bytes"),
    FIELD("host_cache", host_cache_bytes, SCEN_QUANTITY, .zero = true, .dimension = SCEN_DATA_BYTES,
          .help = "host memory per GPU for prefixes that the GPU evicts, in bytes"),
    FIELD("disk_cache", disk_cache_bytes, SCEN_QUANTITY, .zero = true, .dimension = SCEN_DATA_BYTES,
          .help = "a disk per GPU behind that, in bytes"),
    FIELD("disk_rate", disk_bytes_per_s, SCEN_QUANTITY, .zero = true,
          .dimension = SCEN_RATE_BYTES_PER_S, .help = "of that disk, in bytes per s"),
    FIELD("order", order, SCEN_TEXT, .help = "of waiting requests (default: fcfs)"),
    OWN("all_reduce", all_reduce, SCEN_TEXT,
        .help = "its own all-reduces: engine kernels called this-GPU, as vllm-h100"),
    OWN("expert_prompts", expert_prompts, SCEN_SECTION, .table = &scen_expert_table,
        .help = "dispatch and combine of iterations with prompts (default: the library's)"),
    OWN("expert_decodes", expert_decodes, SCEN_SECTION, .table = &scen_expert_table,
        .help = "the same of decodes alone"),
    OWN("expert_family", expert_family, SCEN_ENUM, .names = families, .fallback = "triton",
        .help = "kernels of the experts' products"),
    FIELD("host", host, SCEN_MAP, .table = &host_table, .help = "its CPU side"),
};

const ScenTable scen_serving_engine_table = {
    .what = "serving engine",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenServingEngine),
    .catalog = SCEN_CATALOG_SERVING_ENGINE,
};

void scen_serving_engine_settle(ScenServingEngine *engine, const TopoGpu *gpu)
{
    const ScenGpuLimits *large = &engine->large;
    bool is_large = large->memory_bytes > 0.0 && gpu->memory_bytes >= large->memory_bytes;
    if (is_large && large->except && gpu->name && strstr(gpu->name, large->except))
        is_large = false;
    const ScenGpuLimits *limits = is_large ? large : &engine->small;
    if (engine->row.max_sequences == 0)
        engine->row.max_sequences = limits->max_sequences;
    if (engine->row.max_tokens == 0)
        engine->row.max_tokens = limits->max_tokens;
}
