/* A measured serving row becomes a scenario.
 *
 * The row's machine-readable fields (`setup`, sizes, lengths) are what is read; engines are found
 * by `setup.engine` and the version, and by the first words of `engine` where `setup` has none.
 * What a row does not say is left to the engine's row of the catalog, or assumed, and then written
 * into the scenario's description. Rows of kinds that no run here has (prices, ratios, production
 * averages) are refused with the reason. */
#include "scen_serving_rows.h"

#include "scen_serving_offload.h"
#include "scen_serving_results.h"
#include "scen_speculation_rows.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

/* Counts that a row may have; products of two stay far below int64. */
static const int64_t COUNT_MAX = 1 << 24;

/* Where a source does not say how long outputs are. gpt-fast generates 200 by default. */
static const int64_t OUTPUT_ASSUMED = 200;

/* Lengths where only the ratio of two runs was measured, which they hardly touch, and how many
 * requests make that ratio certain within half a per cent. */
static const int64_t COMPARED_INPUT = 64, COMPARED_OUTPUT = 512, COMPARED_REQUESTS = 100;

/* Requests where a closed or open loop does not say: as InferenceMAX does, ten for each user. */
static const int64_t REQUESTS_PER_USER = 10;
static const int64_t REQUESTS_ASSUMED = 500;

/* Tokens a GPU prefills at a time, where only that was measured (DeepSeek's profile and SGLang's
 * post both say 16,384), and how many such batches are run. */
static const int64_t PREFILL_TOKENS = 16384;
static const int64_t PREFILL_ROUNDS = 4;

/* Engines take at least so many tokens in an iteration, or cut prompts; longer prompts were run
 * with more. */
static const int64_t LEAST_TOKENS = 8192;

/* No length is drawn above it, where lengths vary: vLLM's benchmark_serving.py drops conversations
 * of ShareGPT with prompts above 1024 tokens, or above 2048 in all. */
static const int64_t VARIABLE_MAX = 1024;

/* max_num_seqs of the vLLM 0.6.0 post's servers, which it does not say: its bursts of 500 requests
 * decode together. The five TPOT of the tables are 7 % off then in the mean, and 32 % where 256,
 * the default, run at a time. */
static const int64_t POST_SEQUENCES = 512;

/* What SGLang's balancer leaves: the imbalance that costs prompts of 4096 tokens on 32 H100 what it
 * did there, 50,302 tokens/s a node instead of the 59,337 of experts that are loaded evenly
 * (lmsys.org, large-scale EP, 2025-05-05). */
static const double SGLANG_IMBALANCE = 1.34;

typedef ScenRowWriter Writer;

/* The engine of the catalog: by name in `setup`, by the start of the version, of `engine` and of
 * the id; NULL: any, but for `setup`. First match wins. */
static const struct {
    const char *setup, *version, *text, *id, *engine;
} engines[] = {
    {"trtllm-guaranteed-no-evict", "0.14",   NULL,                    NULL,        "trtllm-0.14"        },
    {"trtllm-guaranteed-no-evict", "0.17",   NULL,                    NULL,        "trtllm-0.17"        },
    {"trtllm-guaranteed-no-evict", "1.",     NULL,                    NULL,        "trtllm-1.x"         },
    {"trtllm-guaranteed-no-evict", "commit", NULL,                    NULL,        "trtllm-1.x"         },
    {"trtllm-guaranteed-no-evict", NULL,     "TensorRT-LLM (PyTorch", NULL,        "trtllm-1.x"         },
    {"fastertransformer",          "0.5",    NULL,                    NULL,        "trtllm-static-0.5"  },
    {"fastertransformer",          "0.6",    NULL,                    NULL,        "trtllm-static-0.6.1"},
    {"trtllm-guaranteed-no-evict", NULL,     "TRT-LLM",               "vllm-v0.6", "trtllm-0.14"        },
    {"sglang",                     NULL,     NULL,                    "vllm-v0.6", "sglang-0.3"         },
    {"vllm-v0",                    "0.6",    NULL,                    NULL,        "vllm-0.6"           },
    {"vllm-v1",                    "0.10",   NULL,                    NULL,        "vllm-0.10"          },
    {NULL,                         NULL,     "gpt-fast",              NULL,        "gpt-fast"           },
    {NULL,                         NULL,     "TinyChat",              NULL,        "tinychat"           },
    {NULL,                         NULL,     "HF Accelerate",         NULL,        "hf-accelerate"      },
    {NULL,                         NULL,     "DeepSeek in-house",     NULL,        "deepseek-2025"      },
    {NULL,                         NULL,     NULL,                    "splitwise", "splitwise-2023"     },
};

static const struct {
    const char *text, *weights, *kv;
} types[] = {
    {"bf16",             "bf16",  "bf16"},
    {"fp16",             "fp16",  "fp16"},
    {"fp8",              "fp8",   "fp8" },
    {"nvfp4",            "nvfp4", NULL  },
    {"int8",             "int8",  NULL  },
    {"int8-weight-only", "int8",  NULL  },
    {"int4-weight-only", "int4",  "int4"},
};

typedef struct Shape {
    int64_t gpus, tensor, pipeline, data, expert, replicas;
    int64_t input, output, batch, requests;
    bool decodes_only, prefills_only;
    const char *arrival;
    ScenRowSpeculation speculation;
} Shape;

static int64_t integer(Writer *w, const char *key, int64_t fallback)
{
    return scen_row_integer(w->row, key, fallback, &w->fault);
}

static const char *text(Writer *w, JsonObject *object, const char *key, const char *fallback)
{
    return scen_row_text(object, key, fallback, &w->fault);
}

bool scen_row_serves(JsonObject *row)
{
    JsonNode *node = json_object_get_member(row, "results");
    return node && JSON_NODE_HOLDS_ARRAY(node);
}

static const char *engine_of(Writer *w)
{
    const char *setup = text(w, w->setup, "engine", NULL);
    const char *version = text(w, w->row, "engine_version", "");
    const char *words = text(w, w->row, "engine", "");
    const char *id = text(w, w->row, "id", "");
    for (size_t i = 0; i < G_N_ELEMENTS(engines); i++) {
        bool same = g_strcmp0(engines[i].setup, setup) == 0;
        bool versioned = !engines[i].version || g_str_has_prefix(version, engines[i].version);
        bool said = !engines[i].text || g_str_has_prefix(words, engines[i].text);
        bool of = !engines[i].id || g_str_has_prefix(id, engines[i].id);
        if (same && versioned && said && of)
            return engines[i].engine;
    }
    if (setup)
        return setup;
    scen_row_guess(w, "software%s%s, plain batches stand for it", *words ? " " : "", words);
    return "static";
}

/* Sizes of a replica. An engine's "TP 8, DP 8" on 8 GPUs is attention by 8 ranks on their own. */
static void read_sizes(Writer *w, Shape *s)
{
    s->gpus = integer(w, "gpu_count", 1);
    s->pipeline = integer(w, "pp", 1);
    s->data = integer(w, "dp", 1);
    s->expert = integer(w, "ep", 1);
    s->replicas = integer(w, "replicas", 1);
    s->tensor = integer(w, "tp", s->gpus);
    const int64_t sizes[] = {s->gpus, s->tensor, s->pipeline, s->data, s->expert, s->replicas};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        if (sizes[i] < 1 || sizes[i] > COUNT_MAX)
            scen_row_refuse(w, "a size of " I64, sizes[i]);
    if (w->failed)
        return;
    int64_t others = s->pipeline * s->data * s->replicas;
    if (s->tensor * others != s->gpus && s->gpus % others == 0)
        s->tensor = s->gpus / others;
}

static void read_lengths(Writer *w, Shape *s)
{
    const char *kind = text(w, w->row, "kind", "");
    s->decodes_only = g_str_equal(kind, "decode_only");
    s->prefills_only = g_str_equal(kind, "prefill_only");
    s->input = integer(w, "input_len", 0);
    s->output = integer(w, "output_len", 0);
    s->batch = integer(w, "batch_size", integer(w, "concurrency", 1));
    s->arrival = text(w, w->setup, "arrival", NULL);
    bool compares = g_str_equal(kind, "spec_decode");
    if (compares && s->input < 1) {
        s->input = COMPARED_INPUT;
        s->output = COMPARED_OUTPUT;
        scen_row_assume(w, I64 " prompt and " I64 " output tokens", s->input, s->output);
    }
    if (s->input < 1)
        scen_row_refuse(w, "the row does not say how long prompts are");
    if (s->prefills_only)
        s->output = 1;
    if (s->output < 1 && !s->decodes_only) {
        s->output = OUTPUT_ASSUMED;
        scen_row_assume(w, I64 " output tokens", s->output);
    }
    const int64_t counts[] = {s->input, s->output, s->batch};
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        if (counts[i] > COUNT_MAX)
            scen_row_refuse(w, "a count of " I64, counts[i]);
}

/* Decoding alone, on a cache of so many tokens each: sequences that begin with one token and end
 * with twice as many attend to as many in the mean, and none has a prompt to speak of. Their cache
 * is as large as that takes, whatever fits. */
static void read_decodes(Writer *w, Shape *s)
{
    bool by_gpu = !g_str_has_prefix(text(w, w->row, "id", ""), "pope2022"); /* there: by all */
    if (s->batch <= 1)
        scen_row_refuse(w, "the row does not say how many sequences decode together");
    s->requests = s->batch *= by_gpu ? s->gpus : 1;
    s->output = 2 * s->input - 1;
    s->input = 1;
}

/* Prompts alone: batches of so many tokens a GPU. */
static void read_prefills(Writer *w, Shape *s)
{
    s->batch = MAX(PREFILL_TOKENS * s->gpus / s->input, 1);
    s->requests = s->batch * PREFILL_ROUNDS;
    scen_row_assume(w, I64 " prompt tokens a GPU at a time", PREFILL_TOKENS);
}

static void put_cluster(Writer *w, const Shape *s)
{
    const char *gpu = text(w, w->setup, "gpu", NULL);
    if (!gpu) {
        scen_row_refuse(w, "the row is about no GPU");
        return;
    }
    const char *node = scen_row_node(w, gpu);
    if (node)
        scen_row_put(w, "\ncluster:\n  gpus: " I64 "\n  node: {base: %s, gpu: %s}\n", s->gpus, node,
                     gpu);
}

static void put_types(Writer *w, const char *model)
{
    const char *weights = text(w, w->setup, "weights", NULL), *kv = text(w, w->setup, "kv", NULL);
    const char *as_weights = NULL, *as_kv = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_strcmp0(types[i].text, weights) == 0)
            as_weights = types[i].weights;
        if (g_strcmp0(types[i].text, kv) == 0)
            as_kv = types[i].kv;
    }
    if (weights && !as_weights)
        scen_row_refuse(w, "weights in %s are not modelled", weights);
    else if (!weights)
        scen_row_guess(w, "weights in bf16");
    else if (g_str_has_prefix(model, "deepseek") && g_str_equal(as_weights, "fp8"))
        as_weights = "fp8-block";
    else if (g_str_has_prefix(model, "deepseek") && g_str_equal(as_weights, "nvfp4") &&
             g_str_has_prefix(text(w, w->row, "engine", ""), "TensorRT-LLM"))
        as_weights = "nvfp4-experts"; /* NVIDIA's checkpoints, tech blog 1 of TensorRT-LLM (2025) */
    const char *other = scen_serving_offload_weights(w, model);
    if (other)
        as_weights = other;
    if (kv && !as_kv)
        scen_row_refuse(w, "a cache in %s is not modelled", kv);
    else if (!kv)
        scen_row_assume(w, "KV cache in bf16");
    scen_row_put(w, "  weights: %s\n  kv: %s\n", as_weights ? as_weights : "bf16",
                 as_kv ? as_kv : "bf16");
}

/* Tokens of one iteration: what the row's notes say, else whatever its batches need; 0: the
 * engine's default does. */
static int64_t max_tokens(Writer *w, const Shape *s)
{
    static const char key[] = "max_num_tokens ";
    const char *notes = text(w, w->row, "notes", "");
    const char *said = strstr(notes, key);
    bool alone = !s->arrival || g_str_equal(s->arrival, "single-stream");
    if (said)
        return CLAMP(g_ascii_strtoll(said + strlen(key), NULL, 10), 1, COUNT_MAX);
    if (s->prefills_only || s->decodes_only)
        return PREFILL_TOKENS * s->gpus;
    if (alone || g_str_equal(s->arrival, "static-batch"))
        return s->batch * s->input;
    return s->input > LEAST_TOKENS ? s->input : 0;
}

static bool is_about_constant(const char *spread)
{
    return !spread || strstr(spread, "onstant") || strstr(spread, "about");
}

/* Tokens of the longest sequence. */
static int64_t longest(Writer *w, const Shape *s)
{
    const char *spreads[] = {text(w, w->row, "input_len_dist", NULL),
                             text(w, w->row, "output_len_dist", NULL)};
    int64_t lengths[] = {s->input, s->output}, sum = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        bool varies = !is_about_constant(spreads[i]) && !g_str_has_prefix(spreads[i], "uniform");
        sum += varies ? VARIABLE_MAX : lengths[i];
    }
    return sum;
}

/* What InferenceMAX's scripts of 2025 for dense models set beside what the rows say: vLLM reduces
 * by FlashInfer (enable_fi_allreduce_fusion; README, server launch commands), and TensorRT-LLM lets
 * prompts wait for company where both lengths are 1024 and fewer than eight GPUs serve
 * (benchmarks/llama70b_fp4_b200_trt, llama-config.yml). */
static void put_inferencemax(Writer *w, const Shape *s, const char *engine)
{
    enum { LENGTH = 1024, RANKS = 8 };
    if (!g_str_has_prefix(text(w, w->row, "id", ""), "aic-silicon/"))
        return;
    if (g_str_has_prefix(engine, "vllm")) {
        scen_row_put(w, "    all_reduce: flashinfer\n");
    } else if (s->input == LENGTH && s->output == LENGTH && s->tensor < RANKS) {
        scen_row_put(w, "    batch_wait_iterations: 20\n    batch_wait_fraction: 0.9\n");
        scen_row_assume(w, "InferenceMAX's batch_wait_timeout_iters 20");
    }
}

static void put_engine(Writer *w, const Shape *s)
{
    const char *engine = engine_of(w);
    bool is_closed = g_strcmp0(s->arrival, "closed-loop") == 0;
    bool is_batch =
        g_strcmp0(s->arrival, "static-batch") == 0 || s->decodes_only || s->prefills_only;
    bool is_post = g_str_equal(engine, "vllm-0.6") &&
                   g_str_has_prefix(text(w, w->row, "id", ""), "vllm-v0.6/");
    int64_t sequences = is_post     ? POST_SEQUENCES
                        : is_closed ? integer(w, "concurrency", 0)
                        : is_batch  ? MAX(s->requests, s->batch)
                                    : 0;
    int64_t tokens = max_tokens(w, s);
    if (is_post)
        scen_row_assume(w, I64 " sequences at a time", sequences);
    scen_row_put(w, "\nserve:\n  engine:\n    base: %s\n    max_length: " I64 "\n", engine,
                 longest(w, s));
    if (sequences > 0)
        scen_row_put(w, "    max_sequences: " I64 "\n", sequences);
    if (tokens > 0)
        scen_row_put(w, "    max_tokens: " I64 "\n", tokens);
    if (s->decodes_only && s->data > 1) {
        scen_row_put(w, "    graph_sequences: " I64 "\n", s->batch / s->data);
        scen_row_assume(w, "CUDA graphs of the batch that was measured");
    }
    put_inferencemax(w, s, engine);
}

static void put_layout(Writer *w, const Shape *s, const char *model)
{
    scen_row_put(w,
                 "  tensor: " I64 "\n  pipeline: " I64 "\n  data: " I64 "\n  replicas: " I64 "\n",
                 s->tensor, s->pipeline, s->data, s->replicas);
    if (s->expert == 1)
        return;
    scen_row_put(w, "  expert: " I64 "\n", s->expert);
    enum { DEEPSEEK_EXPERTS = 256, DEEPSEEK_COPIES = 32 };
    if (g_str_has_prefix(model, "deepseek") && DEEPSEEK_EXPERTS % s->expert != 0)
        scen_row_put(w, "  redundant_experts: %d\n", DEEPSEEK_COPIES);
    if (s->expert > 8 && !strstr(text(w, w->setup, "gpu", ""), "nvl72")) {
        scen_row_put(w, "  two_batch_overlap: true\n");
        scen_row_assume(w, "two-batch overlap, as experts are in several NVLink domains");
    }
    if (s->expert > 8 && g_str_has_prefix(text(w, w->row, "engine", ""), "SGLang")) {
        scen_row_put(w, "  expert_imbalance: %g\n", SGLANG_IMBALANCE);
        scen_row_assume(w, "the fullest expert rank has %g of the mean", SGLANG_IMBALANCE);
    }
}

static void put_length(Writer *w, const char *key, int64_t length, const char *spread)
{
    if (is_about_constant(spread)) {
        scen_row_put(w, "  %s: " I64 "\n", key, length);
    } else if (g_str_has_prefix(spread, "uniform [0.8L, L]")) {
        scen_row_put(w, "  %s: {distribution: uniform, min: " I64 ", max: " I64 "}\n", key,
                     length * 8 / 10, length);
    } else {
        scen_row_put(w, "  %s: {distribution: lognormal, mean: " I64 ", cv: 1, max: " I64 "}\n",
                     key, length, VARIABLE_MAX);
        scen_row_guess(w, "%s lengths lognormal with a coefficient of variation of 1", key);
    }
}

/* How requests come, for each kind of arrivals that rows have. */
static void put_arrivals(Writer *w, const Shape *s)
{
    const char *arrival = s->arrival ? s->arrival : "single-stream";
    int64_t users = integer(w, "concurrency", s->batch);
    int64_t requests = integer(w, "num_requests", REQUESTS_ASSUMED);
    if (s->decodes_only || s->prefills_only)
        scen_row_put(w, "  arrivals: all-at-once\n  requests: " I64 "\n", s->requests);
    else if (g_str_equal(arrival, "static-batch"))
        scen_row_put(w, "  arrivals: all-at-once\n  requests: " I64 "\n", s->batch);
    else if (g_str_equal(arrival, "all-at-once"))
        scen_row_put(w, "  arrivals: all-at-once\n  requests: " I64 "\n", requests);
    else if (g_str_equal(arrival, "poisson"))
        scen_row_put(w, "  arrivals: poisson\n  rate: %.9g /s\n  requests: " I64 "\n",
                     scen_row_number(w->row, "request_rate_qps", 0.0, &w->fault), requests);
    else if (g_str_equal(arrival, "closed-loop"))
        scen_row_put(w, "  arrivals: closed-loop\n  concurrency: " I64 "\n  requests: " I64 "\n",
                     users, integer(w, "num_requests", users * REQUESTS_PER_USER));
    else if (g_str_equal(arrival, "single-stream"))
        scen_row_put(w, "  arrivals: single-stream\n  requests: " I64 "\n",
                     s->speculation.tokens > 0 ? COMPARED_REQUESTS : 1);
    else
        scen_row_refuse(w, "arrivals '%s' are not known", arrival);
}

static void put_traffic(Writer *w, const Shape *s)
{
    scen_row_put(w, "\ntraffic:\n");
    put_arrivals(w, s);
    put_length(w, "input", s->input, text(w, w->row, "input_len_dist", NULL));
    put_length(w, "output", s->output, text(w, w->row, "output_len_dist", NULL));
}

/* Kinds of rows that are no run of a deployment with requests. */
static const struct {
    const char *kind, *reason;
} refused[] = {
    {"price",      "is a price, not a run"                                                    },
    {"ratio",      "compares settings, of which the row says one"                             },
    {"production", "is an average of a day whose lengths of prompts and outputs are not known"},
};

static void refuse_kind(Writer *w, const ScenRowSpeculation *speculation)
{
    const char *kind = text(w, w->row, "kind", "");
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        if (g_str_equal(kind, refused[i].kind))
            scen_row_refuse(w, "%s", refused[i].reason);
    if (!w->failed && g_str_has_prefix(text(w, w->row, "engine", ""), "Google JAX"))
        scen_row_refuse(w, "weights cut in two dimensions and attention cut by sequences (Pope et "
                           "al. 2022) are not modelled");
    if (!w->failed && !speculation->model && !scen_row_has(w->setup, "model"))
        scen_row_refuse(w, "the row names no model of the catalog");
}

/* A batch that was measured had room, whatever is thought to fit; sequences that decode alone are a
 * token longer. */
static void put_blocks(Writer *w, const Shape *s)
{
    bool is_offloaded = g_str_equal(text(w, w->row, "kind", ""), "offload_batch");
    if (s->decodes_only)
        scen_row_put(w, "  blocks: " I64 "\n", s->requests * (s->output + 1));
    else if (g_strcmp0(s->arrival, "static-batch") == 0 && !is_offloaded && !s->prefills_only)
        scen_row_put(w, "  blocks: " I64 "\n", s->batch * (s->input + s->output));
}

static char *write_row(Writer *w, GPtrArray *left_out)
{
    Shape s = {0};
    scen_row_speculation(w, &s.speculation);
    refuse_kind(w, &s.speculation);
    if (!w->failed)
        read_sizes(w, &s);
    if (!w->failed)
        read_lengths(w, &s);
    if (!w->failed && s.decodes_only)
        read_decodes(w, &s);
    if (!w->failed && s.prefills_only)
        read_prefills(w, &s);
    if (w->failed)
        return NULL;
    const char *model = text(w, w->setup, "model", s.speculation.model);
    ScenResultSetup setup = {s.batch, s.gpus, integer(w, "gpus_per_node", 8), s.decodes_only};
    scen_row_put(w, "\nmodel: %s\n", model);
    put_cluster(w, &s);
    put_engine(w, &s);
    put_layout(w, &s, model);
    put_types(w, model);
    put_blocks(w, &s);
    scen_serving_offload_put(w, model);
    scen_row_put_speculation(w, &s.speculation);
    scen_row_put(w, "  interval: false\n");
    put_traffic(w, &s);
    if (scen_serving_results_put(w, &setup, left_out) == 0)
        scen_row_refuse(w, "none of its figures is one that a run has");
    return w->failed ? NULL : scen_row_document(w);
}

char *scen_serving_row_to_yaml(JsonObject *row, GPtrArray *left_out, GError **error)
{
    Writer w;
    scen_row_writer_init(&w, row, error);
    char *yaml = NULL;
    if (w.setup)
        yaml = write_row(&w, left_out);
    else
        scen_row_refuse(&w, "%s", w.fault ? w.fault : "the row has no 'setup' block");
    if (!yaml && w.fault)
        scen_row_refuse(&w, "%s", w.fault);
    scen_row_writer_clear(&w);
    return yaml;
}
