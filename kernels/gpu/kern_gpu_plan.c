/* The measurement plan: the shapes that transformers use.
 *
 * Products: m is the number of tokens of a step, from the one of a lone decoding sequence to a
 * large prefill; (n, k) are the weight matrices of known models, whole or cut by tensor
 * parallelism. Batched products are the two of unfused attention and small groups of experts.
 * Passes: rows of a model's width. Decode attention: the head layouts of known models over batch
 * and context.
 *
 * All sizes are multiples of 16, which fp8 products ask for (cuBLAS documentation, cublasLtMatmul),
 * except m, which may be any. A plan lists operation by operation, type by type; the quick one is a
 * subset of the thorough one. */
#include "kern_gpu_plan.h"

/* A weight matrix W[n,k]. */
typedef struct Weight {
    int64_t n;
    int64_t k;
    bool quick;
    const char *of; /* the model and layer; /8 is a share of tensor parallelism 8 */
} Weight;

/* Widths from the models' published configurations (models/catalog). */
static const Weight weights[] = {
    {6144,   4096,  true,  "Llama 3.1 8B, q k v"      },
    {4096,   4096,  true,  "Llama 3.1 8B, out"        },
    {28672,  4096,  true,  "Llama 3.1 8B, gate and up"},
    {4096,   14336, true,  "Llama 3.1 8B, down"       },
    {128256, 4096,  false, "Llama 3.1 8B, logits"     },
    {10240,  8192,  false, "Llama 3.1 70B, q k v"     },
    {8192,   8192,  true,  "Llama 3.1 70B, out"       },
    {57344,  8192,  false, "Llama 3.1 70B, gate, up"  },
    {8192,   28672, false, "Llama 3.1 70B, down"      },
    {1280,   8192,  true,  "Llama 3.1 70B /8, q k v"  },
    {8192,   1024,  true,  "Llama 3.1 70B /8, out"    },
    {7168,   8192,  false, "Llama 3.1 70B /8, gate up"},
    {8192,   3584,  true,  "Llama 3.1 70B /8, down"   },
    {2304,   16384, false, "Llama 3.1 405B /8, q k v" },
    {16384,  2048,  false, "Llama 3.1 405B /8, out"   },
    {13312,  16384, false, "Llama 3.1 405B /8, gate"  },
    {16384,  6656,  false, "Llama 3.1 405B /8, down"  },
    {4608,   12288, false, "GPT-3 175B /8, q k v"     },
    {12288,  1536,  false, "GPT-3 175B /8, out"       },
    {6144,   12288, false, "GPT-3 175B /8, up"        },
    {12288,  6144,  false, "GPT-3 175B /8, down"      },
    {2112,   7168,  true,  "DeepSeek-V3, q a, kv a"   },
    {24576,  1536,  false, "DeepSeek-V3, q b"         },
    {32768,  512,   true,  "DeepSeek-V3, kv b"        },
    {7168,   16384, false, "DeepSeek-V3, out"         },
    {4096,   7168,  false, "DeepSeek-V3, expert up"   },
    {7168,   2048,  false, "DeepSeek-V3, expert down" },
    {3584,   4096,  false, "Mixtral 8x7B /8, gate up" },
    {4096,   1792,  false, "Mixtral 8x7B /8, down"    },
    {1536,   2048,  true,  "Qwen3 30B-A3B, expert up" },
    {2048,   768,   true,  "Qwen3 30B-A3B, down"      },
    {4800,   1600,  false, "GPT-2 1.5B, q k v"        },
    {1600,   6400,  false, "GPT-2 1.5B, down"         },
};

/* A step of a ladder of sizes; @quick: in the quick plan too. */
typedef struct Step {
    int64_t size;
    bool quick;
} Step;

/* clang-format off */
static const Step tokens[] = {
    {1, true}, {2, false}, {4, false}, {8, true}, {16, false}, {32, true}, {48, false}, {64, false},
    {96, false}, {128, true}, {192, false}, {256, false}, {384, false}, {512, true}, {768, false},
    {1024, false}, {1536, false}, {2048, true}, {3072, false}, {4096, false}, {6144, false},
    {8192, true}, {12288, false}, {16384, false},
};
static const Step sequences[] = {
    {128, false}, {256, true}, {512, false}, {1024, true}, {2048, false}, {4096, true}, {8192, false},
};
static const Step rows[] = {
    {1, true}, {16, false}, {128, true}, {1024, false}, {4096, true}, {16384, false}, {65536, false},
};
static const Step widths[] = {
    {1024, false}, {2048, false}, {4096, true}, {8192, false}, {16384, true},
};
static const Step batches[] = {
    {1, true}, {4, false}, {16, true}, {64, true}, {256, false},
};
static const Step contexts[] = {
    {128, false}, {512, false}, {1024, true}, {4096, true}, {16384, true}, {65536, false},
    {131072, false},
};
/* clang-format on */

static const struct {
    int64_t heads;
    int64_t kv_heads;
    int64_t head_dim;
    bool quick;
} head_layouts[] = {
    {32, 8,  128, true }, /* Llama 3.1 8B */
    {64, 8,  128, false}, /* Llama 3.1 70B */
    {8,  1,  128, true }, /* the same over tensor parallelism 8 */
    {32, 32, 128, false}, /* Llama 2 7B */
    {32, 8,  64,  false}, /* Llama 3.2 1B */
};

enum {
    HEAD_DIM = 128,
    LEAST_ELEMENT_BITS = 12,
    MOST_ELEMENT_BITS = 30,
    MOST_CACHED_TOKENS = 1 << 22
};

/* Where shapes go while the plan is laid out. */
typedef struct Sink {
    const KernGpuOptions *options;
    KernGpuShape *shapes;
    size_t room;
    size_t count;
} Sink;

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static bool is_wanted(const Sink *sink, bool quick)
{
    return quick || sink->options->thorough;
}

static void put(Sink *sink, KernGpuShape shape)
{
    if (!sink->options->ops[shape.op] || !sink->options->types[shape.type])
        return;
    if (sink->count < sink->room)
        sink->shapes[sink->count] = shape;
    sink->count++;
}

static void put_gemm(Sink *sink, KernGpuType type, int64_t batch, int64_t m, int64_t n, int64_t k)
{
    put(sink,
        (KernGpuShape){.op = KERN_GPU_GEMM, .type = type, .batch = batch, .m = m, .n = n, .k = k});
}

/* The two products of 32 heads of attention, and 8 experts that share a small step. */
static void put_batched(Sink *sink, KernGpuType type)
{
    for (size_t i = 0; i < LENGTH(sequences); i++) {
        int64_t s = sequences[i].size;
        if (!is_wanted(sink, sequences[i].quick))
            continue;
        put_gemm(sink, type, 32, s, s, HEAD_DIM);
        if (s != HEAD_DIM) /* there the two are one */
            put_gemm(sink, type, 32, s, HEAD_DIM, s);
    }
    for (size_t i = 0; i < LENGTH(tokens) && tokens[i].size <= 512; i++)
        if (is_wanted(sink, tokens[i].quick))
            put_gemm(sink, type, 8, tokens[i].size, 4096, 7168);
}

static void put_gemms(Sink *sink)
{
    for (int t = 0; t < KERN_GPU_TYPE_COUNT; t++) {
        for (size_t w = 0; w < LENGTH(weights); w++)
            for (size_t i = 0; i < LENGTH(tokens); i++)
                if (is_wanted(sink, weights[w].quick && tokens[i].quick))
                    put_gemm(sink, (KernGpuType)t, 1, tokens[i].size, weights[w].n, weights[w].k);
        if (t == KERN_GPU_FP16 || t == KERN_GPU_BF16)
            put_batched(sink, (KernGpuType)t);
    }
}

static void put_streams(Sink *sink, KernGpuOp op)
{
    for (int bits = LEAST_ELEMENT_BITS; bits <= MOST_ELEMENT_BITS; bits++)
        if (is_wanted(sink, bits % 3 == 0))
            put(sink,
                (KernGpuShape){.op = op, .type = KERN_GPU_BF16, .m = 1, .n = (int64_t)1 << bits});
}

static void put_row_passes(Sink *sink, KernGpuOp op)
{
    for (size_t w = 0; w < LENGTH(widths); w++)
        for (size_t r = 0; r < LENGTH(rows); r++)
            if (is_wanted(sink, widths[w].quick && rows[r].quick))
                put(sink,
                    (KernGpuShape){
                        .op = op, .type = KERN_GPU_BF16, .m = rows[r].size, .n = widths[w].size});
}

static void put_decodes(Sink *sink)
{
    for (size_t h = 0; h < LENGTH(head_layouts); h++)
        for (size_t b = 0; b < LENGTH(batches); b++)
            for (size_t c = 0; c < LENGTH(contexts); c++)
                if (is_wanted(sink,
                              head_layouts[h].quick && batches[b].quick && contexts[c].quick) &&
                    batches[b].size * contexts[c].size <= MOST_CACHED_TOKENS)
                    put(sink, (KernGpuShape){.op = KERN_GPU_ATTENTION_DECODE,
                                             .type = KERN_GPU_BF16,
                                             .batch = batches[b].size,
                                             .m = 1,
                                             .heads = head_layouts[h].heads,
                                             .kv_heads = head_layouts[h].kv_heads,
                                             .head_dim = head_layouts[h].head_dim,
                                             .context = contexts[c].size});
}

static void put_unfused(Sink *sink)
{
    for (size_t i = 0; i < LENGTH(sequences); i++)
        if (is_wanted(sink, sequences[i].quick))
            put(sink, (KernGpuShape){.op = KERN_GPU_ATTENTION_UNFUSED,
                                     .type = KERN_GPU_BF16,
                                     .batch = 1,
                                     .m = sequences[i].size,
                                     .heads = 32,
                                     .kv_heads = 32,
                                     .head_dim = HEAD_DIM,
                                     .context = sequences[i].size});
}

size_t kern_gpu_plan(const KernGpuOptions *options, KernGpuShape *shapes, size_t room)
{
    Sink sink = {.options = options, .shapes = shapes, .room = room};
    put_streams(&sink, KERN_GPU_COPY);
    put_streams(&sink, KERN_GPU_ADD);
    put_row_passes(&sink, KERN_GPU_SOFTMAX);
    put_row_passes(&sink, KERN_GPU_RMSNORM);
    put_decodes(&sink);
    put_unfused(&sink);
    put_gemms(&sink);
    return sink.count;
}
