/* The table of a kernel profile: coefficients of the cost forms, as `orrery fit` prints them. */
#include "kern_profile.h"
#include "scen_fields.h"
#include "scen_fields_serve.h"
#include "scen_kernels.h"

#define GEMM(key, member, of_kind, ...) SCEN_FIELD(key, KernGemmFit, member, of_kind, __VA_ARGS__)
#define FRACTION .required = true, .min = 1e-4, .max = 1.5

static const ScenName gemm_kernels[] = {
    {"fastest",    KERN_GEMM_FASTEST   },
    {"vllm-sm90",  KERN_GEMM_VLLM_SM90 },
    {"vllm-sm100", KERN_GEMM_VLLM_SM100},
    {NULL,         0                   },
};

#define SHORT_TIME(key, member, text)                                                              \
    GEMM(key, member, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S, .help = text)

static const ScenField gemm_fields[] = {
    GEMM("source", source, SCEN_TEXT, .help = "software and measurements, where not the profile's"),
    GEMM("kernels", kernels, SCEN_ENUM, .names = gemm_kernels, .fallback = "fastest",
         .help = "which kernels run products whose activations are converted"),
    GEMM("compute_fraction", compute_fraction, SCEN_NUMBER, FRACTION,
         .help = "share of the peak inside a tile"),
    GEMM("feed_bytes_per_clock", feed_bytes_per_clock, SCEN_NUMBER, .max = 1e4,
         .help = "operands into one SM, at boost clock; 0: no limit"),
    SHORT_TIME("step", step_s, "least time of 32 steps of k"),
    SHORT_TIME("prologue", prologue_s, "of a tile, before and after its steps"),
    SHORT_TIME("epilogue", epilogue_s, "of a tile of 128 x 128 outputs, likewise"),
    GEMM("wave_quantisation", wave_quantisation, SCEN_NUMBER, .required = true, .max = 1.0,
         .help = "share of a partial last wave that is lost"),
    GEMM("memory_fraction", memory_fraction, SCEN_NUMBER, FRACTION,
         .help = "share of the HBM bandwidth"),
    GEMM("overlap_loss", overlap_loss, SCEN_NUMBER, .max = 1.0,
         .help = "share of the quicker of compute and memory that is not hidden"),
    SHORT_TIME("split", split_s, "of a product whose k is split: the second kernel"),
    GEMM("unpaired_fraction", unpaired_fraction, SCEN_NUMBER, .max = 1.0,
         .help = "lost where SMs work in pairs and a tile has no partner"),
    GEMM("launch", launch_s, SCEN_QUANTITY, .required = true, .zero = true,
         .dimension = SCEN_TIME_S, .help = "launch of the kernel, in s"),
    GEMM("dequantise_per_clock", dequantise_per_clock, SCEN_NUMBER, .max = 1e5,
         .help = "integer weights that an SM widens, at boost clock; 0: all"),
    SHORT_TIME("vector_step", vector_step_s, "least time of 32 steps of k, few rows of such"),
    SHORT_TIME("host", host_s, "least time of a call outside a CUDA graph, with block scales"),
    SHORT_TIME("host_few", host_few_s, "likewise below 32 rows; 0: the same"),
    SHORT_TIME("host_unaligned", host_unaligned_s, "more of it where rows are no multiple of 4"),
    SHORT_TIME("host_ragged", host_ragged_s, "likewise of widths that only CUTLASS takes"),
    SHORT_TIME("quantise_launch", quantise_launch_s, "of the kernel that converts the activations"),
    SHORT_TIME("quantise_row", quantise_row_s, "converting one row of them"),
    SHORT_TIME("quantise_pass", quantise_pass_s, "a row's every further 2048 elements"),
    SHORT_TIME("quantise_latency", quantise_latency_s, "likewise, of one row alone"),
    GEMM("rows", rows, SCEN_INT, .required = true, .min = 1, .max = 1e9,
         .help = "measurements fitted"),
    GEMM("median_error", median_error_fraction, SCEN_NUMBER, .required = true, .max = 10.0,
         .help = "of the fit, as a fraction"),
    GEMM("p90_error", p90_error_fraction, SCEN_NUMBER, .required = true, .max = 10.0,
         .help = "of the fit, as a fraction"),
};

static const ScenTable gemm_table = {
    .what = "gemm",
    .fields = gemm_fields,
    .count = G_N_ELEMENTS(gemm_fields),
    .size = sizeof(KernGemmFit),
};

#define TYPE(name, type)                                                                           \
    SCEN_FIELD(name, KernProfile, gemm[type], SCEN_MAP, .table = &gemm_table,                      \
               .help = "products of that type")

static const ScenField gemms_fields[] = {
    TYPE("fp32", TOPO_DTYPE_FP32),
    TYPE("tf32", TOPO_DTYPE_TF32),
    TYPE("fp16", TOPO_DTYPE_FP16),
    TYPE("bf16", TOPO_DTYPE_BF16),
    TYPE("fp8", TOPO_DTYPE_FP8),
    TYPE("fp4", TOPO_DTYPE_FP4),
    TYPE("fp8_block", KERN_GEMM_FP8_BLOCK),
    TYPE("int8_wo", KERN_GEMM_INT8_WO),
    TYPE("int4_wo", KERN_GEMM_INT4_WO),
};

static const ScenTable gemms_table = {
    .what = "gemm",
    .fields = gemms_fields,
    .count = G_N_ELEMENTS(gemms_fields),
    .size = sizeof(KernProfile),
};

#define ATTENTION(key, member, of_kind, ...)                                                       \
    SCEN_FIELD(key, KernAttentionFit, member, of_kind, __VA_ARGS__)

static const ScenField attention_fields[] = {
    ATTENTION("source", source, SCEN_TEXT, .help = "measurements behind the backward"),
    ATTENTION("forward_fraction", forward_fraction, SCEN_NUMBER, FRACTION,
              .help = "share of peak, wide heads and long sequences"),
    ATTENTION("backward_fraction", backward_fraction, SCEN_NUMBER, FRACTION,
              .help = "likewise of the backward"),
    ATTENTION("head_dim_half", head_dim_half, SCEN_NUMBER, .required = true, .max = 1e4,
              .help = "head width at which half is reached"),
    ATTENTION("sequence_half", sequence_half, SCEN_NUMBER, .required = true, .max = 1e6,
              .help = "keys at which half is reached"),
    ATTENTION("launch", launch_s, SCEN_QUANTITY, .required = true, .zero = true,
              .dimension = SCEN_TIME_S, .help = "launch of the kernel, in s"),
    ATTENTION("sustained_clock", sustained_clock_fraction, SCEN_NUMBER, .max = 1.5,
              .help = "clock of a long run over that of the measurements; absent: the profile's"),
    ATTENTION("flash_1", flash_1_fraction, SCEN_NUMBER, .max = 2.0,
              .help = "rate of FlashAttention-1 over these, at the same clock; absent: not known"),
    ATTENTION("flash_2_forward", flash_2_forward_fraction, SCEN_NUMBER, .max = 1.5,
              .help = "speed of FlashAttention-2 over this (absent: it is this)"),
    ATTENTION("flash_2_backward", flash_2_backward_fraction, SCEN_NUMBER, .max = 1.5,
              .help = "likewise of the backward"),
    ATTENTION("older_clock", older_clock_fraction, SCEN_NUMBER, .max = 1.5,
              .help =
                  "clock of a long run of FlashAttention-2 over boost; absent: that of products"),
    ATTENTION("rows", rows, SCEN_INT, .required = true, .min = 1, .max = 1e9,
              .help = "measurements fitted"),
    ATTENTION("median_error", median_error_fraction, SCEN_NUMBER, .required = true, .max = 10.0,
              .help = "of the fit, as a fraction"),
    ATTENTION("p90_error", p90_error_fraction, SCEN_NUMBER, .required = true, .max = 10.0,
              .help = "of the fit, as a fraction"),
};

static const ScenTable attention_table = {
    .what = "attention",
    .fields = attention_fields,
    .count = G_N_ELEMENTS(attention_fields),
    .size = sizeof(KernAttentionFit),
};

#define MEMORY(key, member, of_kind, ...)                                                          \
    SCEN_FIELD(key, KernMemoryFit, member, of_kind, __VA_ARGS__)

static const ScenField memory_fields[] = {
    MEMORY("source", source, SCEN_TEXT, .help = "where the figures come from"),
    MEMORY("fraction", fraction, SCEN_NUMBER, FRACTION, .help = "share of the HBM bandwidth"),
    MEMORY("half_size", half_bytes, SCEN_QUANTITY, .required = true, .zero = true,
           .dimension = SCEN_DATA_BYTES, .help = "bytes at which half of it is reached"),
    MEMORY("launch", launch_s, SCEN_QUANTITY, .required = true, .zero = true,
           .dimension = SCEN_TIME_S, .help = "launch of a kernel, in s"),
};

static const ScenTable memory_table = {
    .what = "memory",
    .fields = memory_fields,
    .count = G_N_ELEMENTS(memory_fields),
    .size = sizeof(KernMemoryFit),
};

static const ScenName grades[] = {
    {"fitted",    KERN_GRADE_FITTED   },
    {"datasheet", KERN_GRADE_DATASHEET},
    {NULL,        0                   },
};

#define PROFILE(key, member, of_kind, ...)                                                         \
    SCEN_FIELD(key, KernProfile, member, of_kind, __VA_ARGS__)

static const ScenField profile_fields[] = {
    PROFILE("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    PROFILE("source", source, SCEN_TEXT, .help = "which measurements it was fitted on"),
    PROFILE("grade", grade, SCEN_ENUM, .required = true, .names = grades, .help = "how sure it is"),
    SCEN_GROUP("gemm", &gemms_table, .help = "matrix products, by input type"),
    PROFILE("attention", attention, SCEN_MAP, .table = &attention_table, .help = "fused attention"),
    SCEN_GROUP("prefill", &scen_prefills_table, .help = "prefill attention, by head and cache"),
    SCEN_GROUP("decode", &scen_decodes_table, .help = "decode attention, by head and cache"),
    SCEN_GROUP("moe", &scen_moes_table, .help = "layers of experts, by type and kernels"),
    PROFILE("memory", memory, SCEN_MAP, .table = &memory_table, .help = "passes over memory"),
    PROFILE("host", host, SCEN_MAP, .table = &scen_host_table,
            .help = "a CPU, as orrery calibrate writes it, instead of gemm, attention and memory"),
    PROFILE("sustained_clock", sustained_clock_fraction, SCEN_NUMBER, FRACTION,
            .help = "clock of a long run under the power cap, over that of the measurements"),
    PROFILE("sustained_clock_source", sustained_clock_source, SCEN_TEXT, .required = true,
            .help = "where that comes from"),
    PROFILE("fitted_on", fitted_on, SCEN_MAP, .table = &scen_fitted_on_table,
            .help = "sizes of the shapes that were fitted"),
    PROFILE("table", table, SCEN_CUSTOM, .bind = scen_table_bind, .expected = SCEN_TABLE_EXPECTED,
            .forms = scen_table_forms,
            .help = "measurements that are asked before the coefficients"),
};

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    const KernProfile *profile = out;
    if (scen_node_get(map, "host"))
        return;
    static const char *const needed[] = {"gemm", "attention", "memory"};
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
        if (!scen_node_get(map, needed[i])) {
            scen_bind_fail(binder, map, needed[i], "missing key '%s' in profile (%s)", needed[i],
                           scen_table_field(&scen_profile_table, needed[i])->help);
            return;
        }
    if (profile->gemm[TOPO_DTYPE_BF16].rows == 0 && profile->gemm[TOPO_DTYPE_FP16].rows == 0)
        scen_bind_fail(binder, map, "gemm", "a profile needs products in bf16 or fp16");
}

const ScenTable scen_profile_table = {
    .what = "profile",
    .fields = profile_fields,
    .count = G_N_ELEMENTS(profile_fields),
    .size = sizeof(KernProfile),
    .catalog = SCEN_CATALOG_PROFILE,
    .finish = finish,
};
