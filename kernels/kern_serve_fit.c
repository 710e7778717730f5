/* The lists of kern_serve_fit.h as rows of data, and the names of their classes. */
#include "kern_serve_fit.h"

#define KIND_TIME true
#define KIND_NUMBER false
#define ROW(type, of_key, member, kind, of_low, of_start, of_high)                                 \
    {                                                                                              \
        .key = (of_key), .offset = offsetof(type, member), .time = KIND_##kind, .low = (of_low),   \
        .start = (of_start), .high = (of_high)                                                     \
    }

#define PREFILL(key, member, kind, low, start, high, help)                                         \
    ROW(KernPrefillFit, key, member, kind, low, start, high),
#define DECODE(key, member, kind, low, start, high, help)                                          \
    ROW(KernDecodeFit, key, member, kind, low, start, high),
#define MOE(key, member, kind, low, start, high, help)                                             \
    ROW(KernMoeFit, key, member, kind, low, start, high),

static const KernCoefficient prefill[] = {KERN_PREFILL_COEFFICIENTS(PREFILL)};
static const KernCoefficient decode[] = {KERN_DECODE_COEFFICIENTS(DECODE)};
static const KernCoefficient moe[] = {KERN_MOE_COEFFICIENTS(MOE)};

const KernCoefficient *kern_prefill_coefficients(size_t *count)
{
    *count = sizeof prefill / sizeof *prefill;
    return prefill;
}

const KernCoefficient *kern_decode_coefficients(size_t *count)
{
    *count = sizeof decode / sizeof *decode;
    return decode;
}

const KernCoefficient *kern_moe_coefficients(size_t *count)
{
    *count = sizeof moe / sizeof *moe;
    return moe;
}

static const struct {
    const char *name;
    int64_t width;
} heads[] = {
    [KERN_HEAD_64] = {"head_64",  64 },
      [KERN_HEAD_128] = {"head_128", 128},
    [KERN_HEAD_192] = {"head_192", 192},
      [KERN_HEAD_256] = {"head_256", 256},
    [KERN_HEAD_512] = {"head_512", 512},
};

const char *kern_head_name(KernHead head)
{
    return head < KERN_HEAD_COUNT ? heads[head].name : NULL;
}

KernHead kern_head_class(int64_t head_dim)
{
    int head = 0;
    while (head < KERN_HEAD_COUNT - 1 && heads[head].width < head_dim)
        head++;
    return (KernHead)head;
}

const char *kern_decode_splits_name(KernDecodeSplits splits)
{
    static const char *const names[KERN_SPLITS_COUNT] = {"fill", "grouped", "all_32", "few_16"};
    return splits < KERN_SPLITS_COUNT ? names[splits] : NULL;
}

const char *kern_moe_type_name(KernMoeType type)
{
    static const char *const names[KERN_MOE_TYPES] = {"bf16",  "fp8",         "fp8_block", "int4",
                                                      "mxfp4", "mxfp4_mxfp8", "nvfp4"};
    return type < KERN_MOE_TYPES ? names[type] : NULL;
}

const char *kern_moe_family_name(KernMoeFamily family)
{
    static const char *const names[KERN_MOE_FAMILIES] = {"triton", "cutlass", "trtllm",
                                                         "trtllm_modular", "marlin"};
    return family < KERN_MOE_FAMILIES ? names[family] : NULL;
}
