/* The tables of a profile's prefill, decode and moe: classes of calls with the coefficients of
 * kern_serve_fit.h, as `orrery fit` prints them. */
#include "scen_fields_serve.h"
#include "kern_profile.h"
#include "scen_fields.h"

/* Rows of a coefficient list; bounds are those of the search, opened a little. */
#define NUMBER_FIELD(key, type, member, of_low, of_high, text)                                     \
    SCEN_FIELD(key, type, member, SCEN_NUMBER, .required = true, .min = (of_low) < 0 ? -1e4 : 0.0, \
               .max = 10.0 * (of_high), .help = text),
#define TIME_FIELD(key, type, member, of_low, of_high, text)                                       \
    SCEN_FIELD(key, type, member, SCEN_QUANTITY, .required = true, .zero = true,                   \
               .dimension = SCEN_TIME_S, .help = text ", in s"),
#define PREFILL(key, member, kind, low, start, high, text)                                         \
    kind##_FIELD(key, KernPrefillFit, member, low, high, text)
#define DECODE(key, member, kind, low, start, high, text)                                          \
    kind##_FIELD(key, KernDecodeFit, member, low, high, text)
#define MOE(key, member, kind, low, start, high, text)                                             \
    kind##_FIELD(key, KernMoeFit, member, low, high, text)

/* What every class says of its rows. */
#define FITTED(type)                                                                               \
    SCEN_FIELD("software", type, fitted.software, SCEN_TEXT,                                       \
               .help = "kernels that were measured"),                                              \
        SCEN_FIELD("rows", type, fitted.rows, SCEN_INT, .required = true, .min = 1, .max = 1e9,    \
                   .help = "measurements fitted"),                                                 \
        SCEN_FIELD("median_error", type, fitted.median_error_fraction, SCEN_NUMBER,                \
                   .required = true, .max = 10.0, .help = "of the fit, as a fraction"),            \
        SCEN_FIELD("p90_error", type, fitted.p90_error_fraction, SCEN_NUMBER, .required = true,    \
                   .max = 10.0, .help = "of the fit, as a fraction")

static const ScenField prefill_fields[] = {
    FITTED(KernPrefillFit),
    SCEN_FIELD("tile_rows", KernPrefillFit, tile_rows, SCEN_INT, .required = true, .min = 16,
               .max = 1024, .help = "rows of queries of a tile"),
    SCEN_FIELD("tile_keys", KernPrefillFit, tile_keys, SCEN_INT, .required = true, .min = 16,
               .max = 1024, .help = "keys of a tile"),
    SCEN_FIELD("tiles_per_sm", KernPrefillFit, tiles_per_sm, SCEN_INT, .required = true, .min = 1,
               .max = 8, .help = "tiles that share an SM"),
    SCEN_FIELD("packs_group", KernPrefillFit, packs_group, SCEN_BOOL, .required = true,
               .help = "heads of one KV head share tiles"),
    KERN_PREFILL_COEFFICIENTS(PREFILL)};

static const ScenName splits[] = {
    {"fill",    KERN_SPLITS_FILL   },
    {"grouped", KERN_SPLITS_GROUPED},
    {"all_32",  KERN_SPLITS_ALL_32 },
    {"few_16",  KERN_SPLITS_FEW_16 },
    {NULL,      0                  },
};

static const ScenField decode_fields[] = {FITTED(KernDecodeFit),
                                          SCEN_FIELD("splits", KernDecodeFit, splits, SCEN_ENUM,
                                                     .required = true, .names = splits,
                                                     .help = "how a sequence is cut"),
                                          KERN_DECODE_COEFFICIENTS(DECODE)};

static const ScenName tiles[] = {
    {"best",       KERN_MOE_BEST      },
    {"by_rank",    KERN_MOE_BY_RANK   },
    {"by_experts", KERN_MOE_BY_EXPERTS},
    {NULL,         0                  },
};

static const ScenField moe_fields[] = {
    FITTED(KernMoeFit),
    SCEN_FIELD("tiles", KernMoeFit, tiles, SCEN_ENUM, .required = true, .names = tiles,
               .help = "who picks the tile: a search, or tokens against experts"),
    SCEN_FIELD("whole_tokens", KernMoeFit, whole_tokens, SCEN_BOOL, .required = true,
               .help = "computes other ranks' choices of its tokens too"),
    KERN_MOE_COEFFICIENTS(MOE)};

static const ScenTable prefill_class_table = {
    .what = "prefill class",
    .fields = prefill_fields,
    .count = G_N_ELEMENTS(prefill_fields),
    .size = sizeof(KernPrefillFit),
};

static const ScenTable decode_class_table = {
    .what = "decode class",
    .fields = decode_fields,
    .count = G_N_ELEMENTS(decode_fields),
    .size = sizeof(KernDecodeFit),
};

static const ScenTable moe_class_table = {
    .what = "moe class",
    .fields = moe_fields,
    .count = G_N_ELEMENTS(moe_fields),
    .size = sizeof(KernMoeFit),
};

#define HEAD(member, of, width)                                                                    \
    SCEN_FIELD("head_" #width, KernProfile, member[KERN_HEAD_##width][KERN_CACHE_16_BIT],          \
               SCEN_MAP, .table = of, .help = "heads up to " #width " wide, 16 bit cache"),        \
        SCEN_FIELD("head_" #width "_fp8", KernProfile, member[KERN_HEAD_##width][KERN_CACHE_FP8],  \
                   SCEN_MAP, .table = of, .help = "heads up to " #width " wide, fp8 cache")
#define HEADS(member, of)                                                                          \
    HEAD(member, of, 64), HEAD(member, of, 128), HEAD(member, of, 192), HEAD(member, of, 256),     \
        HEAD(member, of, 512)

static const ScenField prefills_fields[] = {HEADS(prefill, &prefill_class_table)};
static const ScenField decodes_fields[] = {HEADS(decode, &decode_class_table)};

#define EXPERTS(type, of_type, family, of_family)                                                  \
    SCEN_FIELD(type "_" family, KernProfile, moe[of_type][of_family], SCEN_MAP,                    \
               .table = &moe_class_table, .help = "experts in " type ", kernels of " family)
#define FAMILIES(type, of_type)                                                                    \
    EXPERTS(type, of_type, "triton", KERN_MOE_TRITON),                                             \
        EXPERTS(type, of_type, "cutlass", KERN_MOE_CUTLASS),                                       \
        EXPERTS(type, of_type, "trtllm", KERN_MOE_TRTLLM),                                         \
        EXPERTS(type, of_type, "trtllm_modular", KERN_MOE_TRTLLM_MODULAR),                         \
        EXPERTS(type, of_type, "marlin", KERN_MOE_MARLIN)

static const ScenField moes_fields[] = {
    FAMILIES("bf16", KERN_MOE_BF16),           FAMILIES("fp8", KERN_MOE_FP8),
    FAMILIES("fp8_block", KERN_MOE_FP8_BLOCK), FAMILIES("int4", KERN_MOE_INT4),
    FAMILIES("mxfp4", KERN_MOE_MXFP4),         FAMILIES("mxfp4_mxfp8", KERN_MOE_MXFP4_MXFP8),
    FAMILIES("nvfp4", KERN_MOE_NVFP4),
};

const ScenTable scen_prefills_table = {
    .what = "prefill",
    .fields = prefills_fields,
    .count = G_N_ELEMENTS(prefills_fields),
    .size = sizeof(KernProfile),
};

const ScenTable scen_decodes_table = {
    .what = "decode",
    .fields = decodes_fields,
    .count = G_N_ELEMENTS(decodes_fields),
    .size = sizeof(KernProfile),
};

const ScenTable scen_moes_table = {
    .what = "moe",
    .fields = moes_fields,
    .count = G_N_ELEMENTS(moes_fields),
    .size = sizeof(KernProfile),
};
