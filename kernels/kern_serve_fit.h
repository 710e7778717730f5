/** Coefficients of the kernels that serving runs: prefill attention, decode attention, experts.
 *
 *  Each list names a coefficient once: its key in a profile, its member, its kind (TIME: seconds,
 *  written as a quantity; NUMBER: without a unit), where the fit searches it, and what it means.
 *  The structs, the fit, the YAML that the fit prints and the table that reads it all come from
 *  these lists. Fractions are of the datasheet's rates. See kern_prefill.c, kern_decode.c and
 *  kern_moe.c for the equations. */
#ifndef KERN_SERVE_FIT_H
#define KERN_SERVE_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define KERN_PREFILL_COEFFICIENTS(X)                                                                                    \
    X("launch",            launch_s,           TIME,   1e-6,  1e-5, 4e-5, "launch of the kernels of one call")          \
    X("rate_fraction",     rate_fraction,      NUMBER, 0.05,  0.6,  1.5,  "share of the peak inside a tile")            \
    X("tile",              tile_s,             TIME,   0.0,   1e-6, 2e-5, "prologue and epilogue of a tile")            \
    X("tail_loss",         tail_loss,          NUMBER, 0.0,   0.1,  1.0,  "share of the longest tile that is not hidden") \
    X("tail_key",          tail_key_s,         TIME,   1e-10, 5e-10, 1e-7, "one key of the longest tile, at least")     \
    X("diagonal_keys",     diagonal_keys,      NUMBER, -200.0, 0.0, 400.0, "keys that a tile does beyond its mask")     \
    X("wave_quantisation", wave_quantisation,  NUMBER, 0.0,   0.5,  1.0,  "share of a partial wave that is lost")       \
    X("memory_fraction",   memory_fraction,    NUMBER, 0.05,  0.7,  3.0,  "bandwidth of queries, keys and outputs")     \
    X("memory_loss",       memory_loss,        NUMBER, 0.0,   0.3,  1.0,  "share of the lesser of compute and memory, likewise") \
    X("cache_fraction",    cache_fraction,     NUMBER, 0.02,  0.8,  6.0,  "bandwidth of writing the cache")             \
    X("convert_fraction",  convert_fraction,   NUMBER, 0.02,  0.8,  6.0,  "bandwidth of converting queries to fp8")     \
    X("token",             token_s,            TIME,   0.0,   1e-9, 2e-8, "of each token, beyond its bytes")            \
    X("writer",            writer_s,           TIME,   0.0,   1e-9, 5e-8, "of the 512 threads that write a token's keys") \
    X("kv_head",           kv_head_s,          TIME,   0.0,   1e-8, 1e-6, "of each KV head")                            \
    X("sequence",          sequence_s,         TIME,   0.0,   1e-7, 1e-6, "of each sequence")                           \
    X("ramp",              ramp_s,             TIME,   0.0,   1e-6, 4e-5, "host and start-up that many tokens add")     \
    X("ramp_tokens",       ramp_tokens,        NUMBER, 1e3,   1e5,  1e8,  "tokens at which half of that is reached")

#define KERN_DECODE_COEFFICIENTS(X)                                                                                     \
    X("launch",            launch_s,           TIME,   1e-6,  1e-5, 4e-5, "launch of the kernels of one call")          \
    X("memory_fraction",   memory_fraction,    NUMBER, 0.3,   0.85, 1.1,  "share of the HBM bandwidth")                 \
    X("l2_fraction",       l2_fraction,        NUMBER, 0.5,   2.0,  8.0,  "of it, where the cache stayed in L2")        \
    X("l2_capacity",       l2_capacity,        NUMBER, 0.2,   0.8,  2.5,  "share of the L2 at which half of it misses") \
    X("l2_sharpness",      l2_sharpness,       NUMBER, 0.5,   2.0,  12.0, "how suddenly it misses")                     \
    X("overlap_loss",      overlap_loss,       NUMBER, 0.0,   0.2,  1.0,  "share of stream, blocks, products not hidden") \
    X("block",             block_s,            TIME,   0.0,   1e-6, 5e-5, "start and end of a thread block")            \
    X("window",            window_s,           TIME,   0.0,   0.0,  1e-5, "of a block whose window cuts the context")   \
    X("planned",           planned_s,          TIME,   0.0,   0.0,  1e-5, "of a block in a call whose splits are planned") \
    X("block_fraction",    block_fraction,     NUMBER, 0.02,  0.5,  5.0,  "bandwidth that one block an SM reaches")     \
    X("occupancy",         occupancy,          NUMBER, 0.5,   1.0,  8.0,  "blocks an SM that splitting aims at")        \
    X("combine",           combine_s,          TIME,   0.0,   2e-6, 2e-5, "kernel that joins the splits")               \
    X("split",             split_s,            TIME,   0.0,   0.0,  2e-7, "of each split of a sequence")                \
    X("rate_fraction",     rate_fraction,      NUMBER, 0.02,  0.5,  2.0,  "share of the peak, rows padded")             \
    X("pass_fraction",     pass_fraction,      NUMBER, 0.05,  0.5,  3.0,  "bandwidth of queries, outputs, new keys")    \
    X("sequence",          sequence_s,         TIME,   0.0,   0.0,  1e-7, "of each sequence")                           \
    X("copy",              copy_s,             TIME,   0.0,   0.0,  2e-5, "kernel that regroups the queries")           \
    X("copy_element",      copy_element_s,     TIME,   0.0,   0.0,  1e-10, "of each element that it moves")

#define KERN_MOE_COEFFICIENTS(X)                                                                                        \
    X("launch",            launch_s,           TIME,   1e-6,  3e-5, 3e-4, "launch of the kernels of one layer")         \
    X("ramp",              ramp_s,             TIME,   0.0,   0.0,  3e-5, "kernels that only 64 tokens and more need")  \
    X("expert",            expert_s,           TIME,   0.0,   1e-8, 2e-6, "of each expert of the rank")                 \
    X("touched",           touched_s,          TIME,   0.0,   0.0,  1e-5, "of each expert that has tokens")             \
    X("assignment",        assignment_s,       TIME,   0.0,   1e-9, 1e-7, "of each token and expert, sorted")           \
    X("token_passes",      token_passes,       NUMBER, 0.0,   0.5,  10.0, "passes over the tokens")                     \
    X("route_passes",      route_passes,       NUMBER, 0.0,   0.5,  10.0, "passes over all tokens, once an expert")     \
    X("expert_passes",     expert_passes,      NUMBER, 0.0,   1.0,  10.0, "passes over the rank's own activations")     \
    X("memory_fraction",   memory_fraction,    NUMBER, 0.1,   0.7,  1.2,  "bandwidth of the weights")                   \
    X("small_fraction",    small_fraction,     NUMBER, 0.1,   0.7,  1.2,  "likewise with tiles of 16 rows")             \
    X("l2_capacity",       l2_capacity,        NUMBER, 0.0,   0.5,  1.5,  "share of the L2 that keeps weights")         \
    X("rate_16",           rate_16,            NUMBER, 0.005, 0.1,  1.0,  "share of the peak, tiles of 16 rows")        \
    X("rate_64",           rate_64,            NUMBER, 0.02,  0.4,  1.2,  "share of the peak, tiles of 64 rows")        \
    X("rate_128",          rate_128,           NUMBER, 0.02,  0.6,  1.2,  "share of the peak, tiles of 128 rows")       \
    X("spill",             spill,              NUMBER, 0.0,   0.1,  3.0,  "rate lost where tokens exceed the L2")       \
    X("unaligned",         unaligned,          NUMBER, 0.0,   1.0,  4.0,  "lost where a cut expert is no multiple of 16 wide") \
    X("idle_loss",         idle_loss,          NUMBER, 0.0,   0.1,  1.0,  "what SMs without a tile cost the stream")    \
    X("overlap_loss",      overlap_loss,       NUMBER, 0.0,   0.2,  1.0,  "share of products and weights not hidden")   \
    X("step",              step_s,             TIME,   0.0,   1e-9, 2e-8, "one step of k of one tile, at least")        \
    X("imbalance",         imbalance,          NUMBER, 0.0,   0.3,  3.0,  "of the fullest rank")                        \
    X("spread",            spread,             NUMBER, 0.2,   1.0,  4.0,  "tokens that reach the fullest rank")         \
    X("foreign_fraction",  foreign_fraction,   NUMBER, 0.0,   0.9,  1.5,  "share of other ranks' choices computed")
/* clang-format on */

#define KERN_MEMBER(key, member, ...) double member;

/** Head widths that kernels are compiled for; others are padded to the next. */
typedef enum KernHead {
    KERN_HEAD_64,
    KERN_HEAD_128,
    KERN_HEAD_192,
    KERN_HEAD_256,
    KERN_HEAD_512,
    KERN_HEAD_COUNT
} KernHead;

/** Storage of the KV cache. */
typedef enum KernCache { KERN_CACHE_16_BIT, KERN_CACHE_FP8, KERN_CACHE_COUNT } KernCache;

/** How a kernel of decode attention cuts a sequence: see kern_decode.c. */
typedef enum KernDecodeSplits {
    KERN_SPLITS_FILL,    /* so that all SMs have blocks */
    KERN_SPLITS_GROUPED, /* likewise, only where heads share keys; copies these queries first */
    KERN_SPLITS_ALL_32,  /* into 32, in calls of up to 512 sequences */
    KERN_SPLITS_FEW_16,  /* into 16, in calls of up to 128 sequences times KV heads */
    KERN_SPLITS_COUNT
} KernDecodeSplits;

/** Types that expert layers are measured in. */
typedef enum KernMoeType {
    KERN_MOE_BF16,
    KERN_MOE_FP8,
    KERN_MOE_FP8_BLOCK,
    KERN_MOE_INT4,        /* weights only */
    KERN_MOE_MXFP4,       /* weights only */
    KERN_MOE_MXFP4_MXFP8, /* weights and activations */
    KERN_MOE_NVFP4,
    KERN_MOE_TYPES
} KernMoeType;

/** Where the kernels of an expert layer come from. */
typedef enum KernMoeFamily {
    KERN_MOE_TRITON,
    KERN_MOE_CUTLASS,
    KERN_MOE_TRTLLM,
    KERN_MOE_TRTLLM_MODULAR, /* routed outside */
    KERN_MOE_MARLIN,
    KERN_MOE_FAMILIES
} KernMoeFamily;

/** Who picks the tile of a grouped product. */
typedef enum KernMoeTiles {
    KERN_MOE_BEST,      /* a search: the fastest */
    KERN_MOE_BY_RANK,   /* 16 rows up to as many tokens as the rank has experts, then 64 */
    KERN_MOE_BY_EXPERTS /* likewise, as the layer has experts */
} KernMoeTiles;

/** What a class of rows was fitted to; rows == 0: not fitted. */
typedef struct KernFitted {
    const char *software; /* kernels that were measured, NULL: not said */
    int64_t rows;
    double median_error_fraction, p90_error_fraction;
} KernFitted;

typedef struct KernPrefillFit {
    KernFitted fitted;
    int64_t tile_rows, tile_keys, tiles_per_sm;
    bool packs_group; /* the query heads of a KV head share tiles */
    KERN_PREFILL_COEFFICIENTS(KERN_MEMBER)
} KernPrefillFit;

typedef struct KernDecodeFit {
    KernFitted fitted;
    KernDecodeSplits splits;
    KERN_DECODE_COEFFICIENTS(KERN_MEMBER)
} KernDecodeFit;

typedef struct KernMoeFit {
    KernFitted fitted;
    KernMoeTiles tiles;
    bool whole_tokens; /* computes all choices of the tokens that reach the rank */
    KERN_MOE_COEFFICIENTS(KERN_MEMBER)
} KernMoeFit;

/** One coefficient, as a row of data. */
typedef struct KernCoefficient {
    const char *key;
    size_t offset; /* of its double in the fit */
    bool time;
    double low, start, high;
} KernCoefficient;

/** The coefficients of each form, in the order of the lists above. */
const KernCoefficient *kern_prefill_coefficients(size_t *count);
const KernCoefficient *kern_decode_coefficients(size_t *count);
const KernCoefficient *kern_moe_coefficients(size_t *count);

/** Names as profiles and tables have them: head_128, grouped, fp8_block, triton. NULL past the end.
 */
const char *kern_head_name(KernHead head);
const char *kern_decode_splits_name(KernDecodeSplits splits);
const char *kern_moe_type_name(KernMoeType type);
const char *kern_moe_family_name(KernMoeFamily family);

/** The class of heads that are @head_dim wide: the next that is as wide, else the widest. */
KernHead kern_head_class(int64_t head_dim);

#endif
