/* The table of a CPU's costs, as `orrery calibrate` writes them: part of a kernel profile.
 *
 *   host:
 *     threads: 1
 *     weights: {fp32: {call: 1 us, rate: 90 GFLOP/s, ...}}
 *     activations: {fp32: {...}}
 *     levels: [16 kB, 128 kB, ...]
 *     passes: {norm: {forward: [20 GB/s, ...], backward: [...]}, ...}
 *
 * Rates of passes are kept as their inverse, because seconds per byte are what is interpolated. */
#include "kern_profile.h"
#include "scen_fields.h"

#define GEMM(key, member, of_kind, ...)                                                            \
    SCEN_FIELD(key, KernHostGemmFit, member, of_kind, .required = true, __VA_ARGS__)
#define SECONDS .zero = true, .dimension = SCEN_TIME_S

static const ScenField gemm_fields[] = {
    GEMM("call", call_s, SCEN_QUANTITY, SECONDS, .help = "of one product, in s"),
    GEMM("rate", flop_per_s, SCEN_QUANTITY, .dimension = SCEN_COMPUTE_FLOP_PER_S,
         .help = "steady rate, in FLOP/s"),
    GEMM("left", left_s, SCEN_QUANTITY, SECONDS, .help = "per element of the left matrix, in s"),
    GEMM("right", right_s, SCEN_QUANTITY, SECONDS, .help = "per element of the right matrix, in s"),
    GEMM("right_exponent", right_exponent, SCEN_NUMBER, .max = 2.0,
         .help = "growth of that with its columns"),
    GEMM("output", output_s, SCEN_QUANTITY, SECONDS, .help = "per element of the output, in s"),
    GEMM("edge", edge_fraction, SCEN_NUMBER, .max = 10.0,
         .help = "lost where the rows do not fill the kernel's"),
    GEMM("vector_call", vector_call_s, SCEN_QUANTITY, SECONDS,
         .help = "of a matrix-vector product, in s"),
    GEMM("vector_right", vector_right_s, SCEN_QUANTITY, SECONDS,
         .help = "per element of its matrix, in s"),
    GEMM("rows", rows, SCEN_INT, .min = 1, .max = 1e9, .help = "measurements fitted"),
    GEMM("median_error", median_error_fraction, SCEN_NUMBER, .max = 10.0,
         .help = "of the fit, as a fraction"),
    GEMM("p90_error", p90_error_fraction, SCEN_NUMBER, .max = 10.0,
         .help = "of the fit, as a fraction"),
};

static const ScenTable gemm_table = {
    .what = "product",
    .fields = gemm_fields,
    .count = G_N_ELEMENTS(gemm_fields),
    .size = sizeof(KernHostGemmFit),
};

#define DTYPES(member)                                                                             \
    {                                                                                              \
        SCEN_FIELD("fp32", KernHostFit, member[TOPO_DTYPE_FP32], SCEN_MAP, .required = true,       \
                   .table = &gemm_table, .help = "products of that type"),                         \
            SCEN_FIELD("bf16", KernHostFit, member[TOPO_DTYPE_BF16], SCEN_MAP,                     \
                       .table = &gemm_table, .help = "products of that type"),                     \
    }

static const ScenField weights_fields[] = DTYPES(weights);
static const ScenField activations_fields[] = DTYPES(activations);

static const ScenTable weights_table = {
    .what = "weights",
    .fields = weights_fields,
    .count = G_N_ELEMENTS(weights_fields),
    .size = sizeof(KernHostFit),
};

static const ScenTable activations_table = {
    .what = "activations",
    .fields = activations_fields,
    .count = G_N_ELEMENTS(activations_fields),
    .size = sizeof(KernHostFit),
};

/* A list of KERN_HOST_LEVELS positive quantities of @dimension. */
static bool bind_list(const ScenNode *node, ScenDimension dimension, double *values)
{
    if (node->kind != SCEN_NODE_LIST || node->items->len != KERN_HOST_LEVELS)
        return false;
    for (guint i = 0; i < KERN_HOST_LEVELS; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        if (item->kind != SCEN_NODE_TEXT ||
            !scen_quantity_parse(item->text, dimension, &values[i], NULL) || !(values[i] > 0.0))
            return false;
    }
    return true;
}

static bool bind_levels(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                        void *slot)
{
    (void)binder;
    (void)field;
    double *bytes = slot;
    bool sound = bind_list(node, SCEN_DATA_BYTES, bytes);
    for (size_t i = 1; sound && i < KERN_HOST_LEVELS; i++)
        sound = bytes[i] > bytes[i - 1];
    return sound;
}

static bool bind_rates(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)binder;
    (void)field;
    double *seconds = slot;
    if (!bind_list(node, SCEN_RATE_BYTES_PER_S, seconds))
        return false;
    for (size_t i = 0; i < KERN_HOST_LEVELS; i++)
        seconds[i] = 1.0 / seconds[i];
    return true;
}

static const ScenForm level_forms[] = {
    {.value = {.kind = SCEN_QUANTITY, .dimension = SCEN_DATA_BYTES, .help = "a size"},
     .least = KERN_HOST_LEVELS,
     .most = KERN_HOST_LEVELS},
    {.value = {.help = NULL}                                                        },
};

static const ScenForm rate_forms[] = {
    {.value = {.kind = SCEN_QUANTITY, .dimension = SCEN_RATE_BYTES_PER_S, .help = "a rate"},
     .least = KERN_HOST_LEVELS,
     .most = KERN_HOST_LEVELS},
    {.value = {.help = NULL}                                                              },
};

#define RATES(key, member)                                                                         \
    SCEN_FIELD(key, KernHostPassFit, member, SCEN_CUSTOM, .required = true, .bind = bind_rates,    \
               .expected = "a list of 6 rates", .forms = rate_forms,                               \
               .help = "bytes/s at each level")

static const ScenField pass_fields[] = {
    RATES("forward", forward_s),
    RATES("backward", backward_s),
};

static const ScenTable pass_table = {
    .what = "pass",
    .fields = pass_fields,
    .count = G_N_ELEMENTS(pass_fields),
    .size = sizeof(KernHostPassFit),
};

#define PASS(key, of)                                                                              \
    SCEN_FIELD(key, KernHostFit, pass[of], SCEN_MAP, .required = true, .table = &pass_table,       \
               .help = "a family of loops")

static const ScenField passes_fields[] = {
    PASS("add", KERN_HOST_PASS_ADD),         PASS("norm", KERN_HOST_PASS_NORM),
    PASS("softmax", KERN_HOST_PASS_SOFTMAX), PASS("activation", KERN_HOST_PASS_ACTIVATION),
    PASS("rotary", KERN_HOST_PASS_ROTARY),   PASS("transpose", KERN_HOST_PASS_TRANSPOSE),
};
_Static_assert(G_N_ELEMENTS(passes_fields) == KERN_HOST_PASS_COUNT, "a key for each family");
_Static_assert(KERN_HOST_LEVELS == 6, "the texts of .expected say six");

static const ScenTable passes_table = {
    .what = "passes",
    .fields = passes_fields,
    .count = G_N_ELEMENTS(passes_fields),
    .size = sizeof(KernHostFit),
};

static const ScenField host_fields[] = {
    SCEN_FIELD("threads", KernHostFit, threads, SCEN_INT, .required = true, .min = 1, .max = 1024,
               .help = "threads that were measured together"),
    SCEN_GROUP("weights", &weights_table, .required = true, .help = "products with weights"),
    SCEN_GROUP("activations", &activations_table, .required = true,
               .help = "products of activations"),
    SCEN_FIELD("levels", KernHostFit, level_bytes, SCEN_CUSTOM, .required = true,
               .bind = bind_levels, .expected = "a list of 6 growing sizes", .forms = level_forms,
               .help = "bytes that the loops moved"),
    SCEN_GROUP("passes", &passes_table, .required = true, .help = "loops over memory"),
    SCEN_FIELD("pass_spread", KernHostFit, pass_spread_fraction, SCEN_NUMBER, .max = 100.0,
               .help = "of the loops' samples, as a fraction"),
};

const ScenTable scen_host_table = {
    .what = "host",
    .fields = host_fields,
    .count = G_N_ELEMENTS(host_fields),
    .size = sizeof(KernHostFit),
};
