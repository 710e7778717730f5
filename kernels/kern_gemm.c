/* A matrix product on a GPU: tiles, waves, steps of k, memory, launch.
 *
 * The output of b products of m x n is cut into tiles of tm x tn; each SM works on one tile at a
 * time, so ceil(tiles / SMs) waves follow one another, the last one perhaps half empty:
 *
 *   tiles   = b * ceil(m / tm) * ceil(n / tn) * splits
 *   waves   = q * ceil(tiles / SMs) + (1 - q) * max(1, tiles / SMs)
 *   math    = 2 tm tn * 32 / (f * peak / SMs)                of 32 steps of k, in seconds
 *   feed    = (tm + tn) * 32 * bytes / (feed rate of an SM)  of the same steps
 *   step    = max(math, feed, least) + o * min(math, feed)
 *   compute = waves * (prologue + epilogue * tm tn / 128^2 + ceil(k / (32 splits)) * step)
 *   memory  = ((m k + k n) bytes + m n (output bytes + 8 splits, if any)) / (f_mem * HBM bandwidth)
 *   time    = launch + max(compute, memory) + o * min(compute, memory) + split kernel, if any
 *
 * (output in 16 bits at least), minimised over the tiles and over splits of k (split-K writes and
 * reads fp32 partial sums, and a second kernel adds them up). A tile's rate follows from its shape:
 * a small one is bound by what the caches feed into its SM, a tiny one by the latency of a step
 * (a wave of loads, a barrier), which is also why few tiles cannot saturate HBM: an SM takes in
 * (tm + tn) * 32 operands in that time, no more. o is what two pipes fail to hide of each other.
 *
 * A library that tries its kernels (cuBLAS) takes the fastest tile. An engine that converts its
 * activations has its own kernels, a table by m and n, and does not split: vLLM's fp8 kernels of
 * CUTLASS for Hopper and Blackwell
 * (csrc/quantization/w8a8/cutlass/c3x/scaled_mm_sm90_fp8_dispatch.cuh and sm100, 2025). Above 64
 * rows their SMs work in pairs along m (clusters of Hopper, two-SM products of Blackwell, whose
 * tile is given here for one SM): a tile row without a partner is paid twice, and pairs that wait
 * for one another lose a share of the waves after the first:
 *
 *   compute *= 1 + unpaired * (1 - SMs / tiles)   where the tile rows are odd and tiles > SMs
 *
 * Integer weights (int8, int4) are widened to 16 bits on their way into a product of 16 bits, by
 * every tile anew. They take fewer bytes of memory and of feed, and their tiles more math:
 *
 *   feed = (tm * bytes + tn * weight bytes) * 32 / (feed rate of an SM)
 *   math = (2 tm tn / (f * peak / SMs) + tn / (dequantised weights a second of an SM)) * 32
 *
 * so that few rows wait for a half or a quarter of the bytes, and many rows for a little more than
 * in 16 bits. TensorRT-LLM's plugin (WeightOnlyQuantMatmul) has a kernel without tensor cores for
 * at most four rows, which does not split k and takes steps of its own; its others split k by at
 * most seven, here four (weightOnlyQuantMatmulPlugin.h, fpA_intB_gemm.h). int4 has a scale of 16
 * bits for 128 weights, as GPTQ and AWQ have it; the plugin that was measured has one for each
 * column, which its fit absorbs. A GPU whose integers were not measured prices them by its own fit
 * of 16 bits and the A100's weights a clock: on the A100 itself that recipe is 7 to 9 % off above
 * 50 us (median; p90 19 to 25 %), and low below, by the plugin's launch.
 *
 * fp8 with scales of blocks (128 x 128 weights, 128 activations: DeepSeek-V3, arXiv 2412.19437,
 * section 3.3) runs on kernels that vLLM 0.24 calls one by one: unless a CUDA graph holds them,
 * the host is what a product of less than about 0.1 ms waits for. Whose kernels they are depends on
 * the shape (fp8_utils.py: CUTLASS unless n is a multiple of 64 and k of 128, FlashInfer on Hopper
 * below 32 rows, else DeepGEMM, whose scales are padded to rows of 16 bytes, 4 of them):
 *
 *   time = max(time, host + (m % 4 != 0) * unaligned)
 *
 * with a host time for each of the three. None of them splits k.
 *
 * An operand that arrives wider is converted by a kernel of its own, one block a row:
 *
 *   passes  = ceil(k / 2048)
 *   convert = launch + max(m * (row + (passes - 1) * pass), (passes - 1) * latency, bytes / memory)
 *
 * Source of the tile and wave quantisation: NVIDIA, "Matrix Multiplication Background User's
 * Guide" (DA-09799), sections "Tile Quantization" and "Wave Quantization". The rest was chosen by
 * its error on the rows that nvidia.yaml names; a search over four fifths of the shapes predicts
 * the last fifth as well (median, five folds: bf16 on A100 6.0 %, H100 4.6, B200 5.5; fp8 on
 * H100 4.5, B200 4.7; block scales on H100 3.9, B200 2.7; int8 and int4 on A100 5.0 and 5.7). Tried
 * and dropped, because no GPU's median fell by 0.3 points: a second bandwidth for operands that fit
 * into L2, reading a panel again once it has left L2, and more tiles. Left out: transposition, the
 * odd kernel that a library picks against its interest. */
#include "kern_gemm.h"

#include "kern_host_gemm.h"
#include "kern_table.h"

#include <math.h>

/* Logarithms of a tile's rows and columns, and of those of the next smaller tile as wide, as high
 * (NONE: there is none). */
typedef struct Tile {
    int rows, columns, fewer_rows, fewer_columns;
} Tile;

enum { NONE = -1 };

static const Tile tiles[] = {
    {7, 7, 6,    6   },
    {8, 7, 7,    NONE},
    {7, 8, NONE, 7   },
    {7, 6, 6,    NONE},
    {6, 7, 5,    6   },
    {6, 6, 5,    5   },
    {5, 7, 4,    6   },
    {5, 6, 4,    NONE},
    {4, 7, 3,    6   },
    {4, 6, 3,    NONE},
    {3, 7, NONE, 6   },
    {3, 6, NONE, NONE},
    {6, 5, NONE, 4   },
    {6, 4, NONE, NONE},
};
enum { SMALLEST_THAT_FILLS = 5 }; /* the first tile that is too small where the GPU is full */

/* An engine's kernel for products of at most that many rows and columns; the first that fits. */
typedef struct Kernel {
    int64_t rows_most, columns_most;
    Tile tile;
} Kernel;

static const Kernel engines[KERN_GEMM_KERNELS][5] = {
    [KERN_GEMM_VLLM_SM90] = {{16, INT64_MAX, {4, 6, NONE, NONE}},
                             {64, 1280, {4, 6, NONE, NONE}},
                             {64, INT64_MAX, {6, 6, NONE, NONE}},
                             {128, INT64_MAX, {6, 7, NONE, NONE}},
                             {INT64_MAX, INT64_MAX, {7, 7, NONE, NONE}}},
    [KERN_GEMM_VLLM_SM100] = {{16, INT64_MAX, {5, 6, NONE, NONE}},
                             {64, INT64_MAX, {6, 6, NONE, NONE}},
                             {256, INT64_MAX, {6, 7, NONE, NONE}},
                             {INT64_MAX, INT64_MAX, {7, 7, NONE, NONE}}},
};
enum {
    STEP_K = 32,
    FEW_ROWS = 32,
    ALIGNED_ROWS = 4,
    DEEP_GEMM_N = 64,
    DEEP_GEMM_K = 128,
    PAIRED_ABOVE_ROWS = 64,
    SPLITS_MOST_LOG = 5,
    WIDENED_SPLITS_LOG = 2,
    VECTOR_ROWS = 4,
    SPLIT_STEPS_LEAST = 4,
    SPLIT_WAVES_MOST = 4,
    PASS_ELEMENTS = 2048
};

/* What does not depend on the tile, in the units that a query multiplies. */
typedef struct Query {
    const KernGemmFit *fit;
    const KernGemmShape *shape;
    double sms, per_sm;          /* SMs, and 1 / SMs */
    double math_s;               /* of one output over STEP_K steps of k */
    double row_feed_s;           /* of one row of A over as many */
    double column_feed_s;        /* of one column of B, likewise */
    double dequantise_s;         /* of the same column, from integers */
    double least_s;              /* of as many steps */
    double prologue_s, output_s; /* of a tile; of one of its outputs */
    double memory_s, partial_s;  /* of the operands and the output; of one split's partial sums */
    int64_t steps;
} Query;

double kern_gemm_flop(const KernGemmShape *shape)
{
    return 2.0 * (double)shape->batch * (double)shape->m * (double)shape->n * (double)shape->k;
}

KernGemmType kern_gemm_type(const KernGemmShape *s)
{
    return (KernGemmType)(s->weights == KERN_WEIGHTS_PLAIN
                              ? (int)s->dtype
                              : KERN_GEMM_FP8_BLOCK + (int)s->weights - 1);
}

const char *kern_gemm_type_name(KernGemmType type)
{
    static const char *const names[KERN_GEMM_TYPES] = {
        [TOPO_DTYPE_FP32] = "fp32",
        [TOPO_DTYPE_TF32] = "tf32",
        [TOPO_DTYPE_FP16] = "fp16",
        [TOPO_DTYPE_BF16] = "bf16",
        [TOPO_DTYPE_FP8] = "fp8",
        [TOPO_DTYPE_FP4] = "fp4",
        [KERN_GEMM_FP8_BLOCK] = "fp8_block",
        [KERN_GEMM_INT8_WO] = "int8_wo",
        [KERN_GEMM_INT4_WO] = "int4_wo",
    };
    return names[type];
}

double kern_gemm_weight_bytes(const KernGemmShape *s)
{
    static const double bytes[] = {
        [KERN_WEIGHTS_BLOCK_SCALED] = 1.0,
        [KERN_WEIGHTS_INT8] = 1.0,
        [KERN_WEIGHTS_INT4] = 0.5 + 2.0 / 128.0,
    };
    return s->weights == KERN_WEIGHTS_PLAIN ? topo_dtype_bytes(s->dtype) : bytes[s->weights];
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Tensor cores want rows of 16 bytes; operands whose rows are no multiple of that fall back to the
 * ordinary fp32 pipes (NVIDIA DA-09799, section "Tensor Core Shape Constraints"). Weights of a type
 * that the GPU does not multiply are widened to 16 bits. */
static double gemm_peak_flop_per_s(const TopoGpu *gpu, const KernGemmShape *s, double bytes)
{
    int64_t ragged = (s->n | s->k) & ((int64_t)(16.0 / bytes) - 1); /* a power of two less one */
    double plain = gpu->peak_flop_per_s[TOPO_DTYPE_FP32], tensor = gpu->peak_flop_per_s[s->dtype];
    if (tensor <= 0.0 && s->weights != KERN_WEIGHTS_PLAIN)
        tensor =
            larger(gpu->peak_flop_per_s[TOPO_DTYPE_FP16], gpu->peak_flop_per_s[TOPO_DTYPE_BF16]);
    return ragged == 0 || plain <= 0.0 ? tensor : plain;
}

static bool is_widened(const KernGemmShape *s)
{
    return s->weights >= KERN_WEIGHTS_INT8;
}

static bool is_vector(const KernGemmFit *fit, const KernGemmShape *s)
{
    return is_widened(s) && s->m <= VECTOR_ROWS && fit->vector_step_s > 0.0;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double bandwidth_bytes_per_s(const TopoGpu *gpu, const KernGemmFit *fit)
{
    return gpu->memory_bytes_per_s * fit->memory_fraction;
}

static Query query_of(const KernDevice *device, const KernGemmFit *fit, const KernGemmShape *s)
{
    const TopoGpu *gpu = device->gpu;
    double bytes = topo_dtype_bytes(s->dtype), sms = (double)gpu->multiprocessors;
    double slower = 1.0 / device->clock_fraction, per_byte = 1.0 / bandwidth_bytes_per_s(gpu, fit);
    double m = (double)s->m, n = (double)s->n, k = (double)s->k, b = (double)s->batch;
    double feed = fit->feed_bytes_per_clock * gpu->boost_clock_hz;
    double widened = fit->dequantise_per_clock * gpu->boost_clock_hz;
    double weight_bytes = kern_gemm_weight_bytes(s);
    return (Query){
        .fit = fit,
        .shape = s,
        .sms = sms,
        .per_sm = 1.0 / sms,
        .math_s = 2.0 * STEP_K * sms * slower /
                  (gemm_peak_flop_per_s(gpu, s, bytes) * fit->compute_fraction),
        .row_feed_s = feed > 0.0 ? STEP_K * bytes * slower / feed : 0.0,
        .column_feed_s = feed > 0.0 ? STEP_K * weight_bytes * slower / feed : 0.0,
        .dequantise_s = widened > 0.0 && is_widened(s) ? STEP_K * slower / widened : 0.0,
        .least_s = (is_vector(fit, s) ? fit->vector_step_s : fit->step_s) * slower,
        .prologue_s = fit->prologue_s * slower,
        .output_s = fit->epilogue_s * slower * (1.0 / (128.0 * 128.0)),
        .memory_s =
            b * (m * k * bytes + n * k * weight_bytes + m * n * larger(bytes, 2.0)) * per_byte,
        .partial_s = b * m * n * 8.0 * per_byte,
        .steps = (s->k + STEP_K - 1) / STEP_K,
    };
}

/* A whole number of waves costs itself; of a last, partial one a share is lost. */
static double waves(double full, double quantisation)
{
    double least = larger(1.0, full);
    double whole = (double)(int64_t)least;
    whole += whole < least ? 1.0 : 0.0;
    return least + quantisation * (whole - least);
}

static double joined(double a, double b, double loss)
{
    return larger(a, b) + loss * smaller(a, b);
}

static int64_t tiles_over(int64_t extent, int log)
{
    return (extent + ((int64_t)1 << log) - 1) >> log;
}

/* Seconds of the kernel, its launch left out, with @tile and @rows rows of tiles, or @best where
 * that is less. No split is looked at that cannot beat @best: it moves the operands and runs a
 * second kernel at least. @loss: of the waves after the first. */
static double tile_s(const Query *q, const Tile *tile, int64_t rows, int splits, double loss,
                     double best)
{
    const KernGemmFit *fit = q->fit;
    double count = (double)(q->shape->batch * rows * tiles_over(q->shape->n, tile->columns));
    double high = (double)((int64_t)1 << tile->rows), wide = (double)((int64_t)1 << tile->columns);
    double area = high * wide, math = area * q->math_s + wide * q->dequantise_s;
    double feed = high * q->row_feed_s + wide * q->column_feed_s;
    double step = larger(joined(math, feed, fit->overlap_loss), q->least_s);
    double fixed = q->prologue_s + area * q->output_s, full = count * q->per_sm;
    double compute = waves(full, fit->wave_quantisation) * (fixed + (double)q->steps * step);
    if (loss > 0.0 && full > 1.0)
        compute *= 1.0 + loss * (1.0 - 1.0 / full);
    best = smaller(best, joined(compute, q->memory_s, fit->overlap_loss));
    for (int log = 1; log <= splits; log++) {
        double split = (double)(1 << log);
        double memory = q->memory_s + q->partial_s * split;
        if (full * split > SPLIT_WAVES_MOST || q->steps < ((int64_t)SPLIT_STEPS_LEAST << log) ||
            memory + fit->split_s >= best)
            break;
        compute = waves(full * split, fit->wave_quantisation) *
                  (fixed + (double)tiles_over(q->steps, log) * step);
        best = smaller(best, fit->split_s + joined(compute, memory, fit->overlap_loss));
    }
    return best;
}

/* Tiles that cannot be the fastest are not looked at: one that sticks out where a smaller one does
 * too, small ones where the outputs fill the GPU with middle ones, large ones where the middle ones
 * take one wave, and strips
 * along an edge more than eight times as long. */
static double fastest_s(const Query *q)
{
    int64_t m = q->shape->m, n = q->shape->n;
    double middle = (double)(q->shape->batch * tiles_over(m, 7) * tiles_over(n, 7));
    bool fills =
        m > 64 && n > 64 && (double)q->shape->batch * (double)m * (double)n > 16384.0 * q->sms;
    int splits = q->shape->weights == KERN_WEIGHTS_PLAIN                ? SPLITS_MOST_LOG
                 : is_widened(q->shape) && !is_vector(q->fit, q->shape) ? WIDENED_SPLITS_LOG
                                                                        : 0;
    size_t tried = fills ? SMALLEST_THAT_FILLS : G_N_ELEMENTS(tiles);
    double best = INFINITY;
    for (size_t t = 0; t < tried; t++) {
        const Tile *tile = &tiles[t];
        bool large = tile->rows + tile->columns > 14;
        bool sticks_out = (tile->fewer_rows != NONE && m <= (int64_t)1 << tile->fewer_rows) ||
                          (tile->fewer_columns != NONE && n <= (int64_t)1 << tile->fewer_columns);
        bool strip = (tile->rows < 6 && m > (int64_t)8 << tile->rows) ||
                     (tile->columns < 6 && n > (int64_t)8 << tile->columns);
        if (sticks_out || strip || (large && middle <= q->sms))
            continue;
        best = tile_s(q, tile, tiles_over(m, tile->rows), splits, 0.0, best);
    }
    return best;
}

static double engine_s(const Query *q)
{
    const Kernel *kernel = engines[q->fit->kernels];
    while (kernel->rows_most < q->shape->m || kernel->columns_most < q->shape->n)
        kernel++;
    int64_t rows = tiles_over(q->shape->m, kernel->tile.rows);
    bool alone = q->shape->m > PAIRED_ABOVE_ROWS && rows % 2 == 1;
    double loss = alone ? q->fit->unpaired_fraction : 0.0;
    return tile_s(q, &kernel->tile, rows + alone, 0, loss, INFINITY);
}

static double quantise_s(const KernDevice *device, const KernGemmFit *fit, const KernGemmShape *s)
{
    double further = (double)((s->k + PASS_ELEMENTS - 1) / PASS_ELEMENTS - 1);
    double rows = (double)(s->batch * s->m);
    double moved = (2.0 + topo_dtype_bytes(s->dtype)) * rows * (double)s->k;
    double work = larger(rows * (fit->quantise_row_s + further * fit->quantise_pass_s),
                         further * fit->quantise_latency_s);
    double launch = fit->quantise_row_s > 0.0 ? fit->quantise_launch_s : fit->launch_s;
    return launch + larger(work, moved / bandwidth_bytes_per_s(device->gpu, fit));
}

/* Least time of a call that the host issues kernel by kernel. */
static double host_s(const KernGemmFit *fit, const KernGemmShape *s)
{
    if (s->weights != KERN_WEIGHTS_BLOCK_SCALED || s->captured)
        return 0.0;
    if (s->n % DEEP_GEMM_N != 0 || s->k % DEEP_GEMM_K != 0)
        return fit->host_ragged_s;
    if (s->m < FEW_ROWS && fit->host_few_s > 0.0)
        return fit->host_few_s;
    return fit->host_s + (s->m % ALIGNED_ROWS != 0 ? fit->host_unaligned_s : 0.0);
}

double kern_gemm_form_s(const KernDevice *device, const KernGemmFit *fit, const KernGemmShape *s)
{
    Query query = query_of(device, fit, s);
    double seconds =
        fit->kernels == KERN_GEMM_FASTEST || !s->quantised ? fastest_s(&query) : engine_s(&query);
    if (s->quantised)
        seconds += quantise_s(device, fit, s);
    return larger(fit->launch_s + seconds, host_s(fit, s));
}

const KernGemmFit *kern_gemm_fit(const KernProfile *profile, KernGemmType type)
{
    static const int nearest[KERN_GEMM_TYPES] = {
        [KERN_GEMM_FP8_BLOCK] = TOPO_DTYPE_FP8,
        [KERN_GEMM_INT8_WO] = KERN_GEMM_INT4_WO,
        [KERN_GEMM_INT4_WO] = KERN_GEMM_INT8_WO,
    };
    if (profile->gemm[type].rows > 0)
        return &profile->gemm[type];
    const int order[] = {(int)type < TOPO_DTYPE_COUNT ? (int)type : nearest[type], TOPO_DTYPE_BF16,
                         TOPO_DTYPE_FP16, TOPO_DTYPE_FP8};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        if (profile->gemm[order[i]].rows > 0)
            return &profile->gemm[order[i]];
    }
    g_assert_not_reached();
}

double kern_gemm_s(const KernDevice *device, const KernGemmShape *shape)
{
    double measured = 0.0;
    if (kern_table_gemm_s(device, shape, &measured))
        return measured;
    if (device->profile->host.threads > 0)
        return kern_host_gemm_s(&device->profile->host, shape);
    return kern_gemm_form_s(device, kern_gemm_fit(device->profile, kern_gemm_type(shape)), shape);
}
