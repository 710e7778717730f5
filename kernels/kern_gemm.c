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
 * An operand that arrives wider is converted by a kernel of its own, one block a row:
 *
 *   passes  = ceil(k / 2048)
 *   convert = launch + max(m * (row + (passes - 1) * pass), (passes - 1) * latency, bytes / memory)
 *
 * Source of the tile and wave quantisation: NVIDIA, "Matrix Multiplication Background User's
 * Guide" (DA-09799), sections "Tile Quantization" and "Wave Quantization". The rest was chosen on
 * four fifths of the measurements and judged on the last fifth (nvidia.yaml has the errors). Tried
 * there and dropped, because no GPU's error fell by 0.3 points: a second bandwidth for operands
 * that fit into L2, reading a panel again once it has left L2, and twice as many tiles.
 * Left out: transposition, the odd kernel that a library picks against its interest. */
#include "kern_gemm.h"

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
    PAIRED_ABOVE_ROWS = 64,
    SPLITS_MOST_LOG = 5,
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
    double feed_s;               /* of one row or column of operands over as many */
    double least_s;              /* of as many steps */
    double prologue_s, output_s; /* of a tile; of one of its outputs */
    double memory_s, partial_s;  /* of the operands and the output; of one split's partial sums */
    int64_t steps;
} Query;

double kern_gemm_flop(const KernGemmShape *shape)
{
    return 2.0 * (double)shape->batch * (double)shape->m * (double)shape->n * (double)shape->k;
}

/* Tensor cores want rows of 16 bytes; operands whose rows are no multiple of that fall back to the
 * ordinary fp32 pipes (NVIDIA DA-09799, section "Tensor Core Shape Constraints"). */
static double gemm_peak_flop_per_s(const TopoGpu *gpu, const KernGemmShape *s, double bytes)
{
    int64_t ragged = (s->n | s->k) & ((int64_t)(16.0 / bytes) - 1); /* a power of two less one */
    double plain = gpu->peak_flop_per_s[TOPO_DTYPE_FP32];
    return ragged == 0 || plain <= 0.0 ? gpu->peak_flop_per_s[s->dtype] : plain;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
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
    return (Query){
        .fit = fit,
        .shape = s,
        .sms = sms,
        .per_sm = 1.0 / sms,
        .math_s = 2.0 * STEP_K * sms * slower /
                  (gemm_peak_flop_per_s(gpu, s, bytes) * fit->compute_fraction),
        .feed_s = feed > 0.0 ? STEP_K * bytes * slower / feed : 0.0,
        .least_s = fit->step_s * slower,
        .prologue_s = fit->prologue_s * slower,
        .output_s = fit->epilogue_s * slower * (1.0 / (128.0 * 128.0)),
        .memory_s = b * ((m + n) * k * bytes + m * n * larger(bytes, 2.0)) * per_byte,
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
static double tile_s(const Query *q, const Tile *tile, int64_t rows, bool splits, double loss,
                     double best)
{
    const KernGemmFit *fit = q->fit;
    double count = (double)(q->shape->batch * rows * tiles_over(q->shape->n, tile->columns));
    double area = (double)((int64_t)1 << (tile->rows + tile->columns));
    double side = (double)(((int64_t)1 << tile->rows) + ((int64_t)1 << tile->columns));
    double step = larger(joined(area * q->math_s, side * q->feed_s, fit->overlap_loss), q->least_s);
    double fixed = q->prologue_s + area * q->output_s, full = count * q->per_sm;
    double compute = waves(full, fit->wave_quantisation) * (fixed + (double)q->steps * step);
    if (loss > 0.0 && full > 1.0)
        compute *= 1.0 + loss * (1.0 - 1.0 / full);
    best = smaller(best, joined(compute, q->memory_s, fit->overlap_loss));
    for (int log = 1; splits && log <= SPLITS_MOST_LOG; log++) {
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
    bool fills = (double)q->shape->batch * (double)m * (double)n > 16384.0 * q->sms;
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
        best = tile_s(q, tile, tiles_over(m, tile->rows), true, 0.0, best);
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
    return tile_s(q, &kernel->tile, rows + alone, false, loss, INFINITY);
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

double kern_gemm_form_s(const KernDevice *device, const KernGemmFit *fit, const KernGemmShape *s)
{
    Query query = query_of(device, fit, s);
    double seconds =
        fit->kernels == KERN_GEMM_FASTEST || !s->quantised ? fastest_s(&query) : engine_s(&query);
    if (s->quantised)
        seconds += quantise_s(device, fit, s);
    return fit->launch_s + seconds;
}

/* The fit to use for @dtype: its own, else that of the nearest type that has one. */
static const KernGemmFit *gemm_fit(const KernProfile *profile, TopoDtype dtype)
{
    static const TopoDtype order[] = {TOPO_DTYPE_BF16, TOPO_DTYPE_FP16, TOPO_DTYPE_FP8};
    if (profile->gemm[dtype].rows > 0)
        return &profile->gemm[dtype];
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
    return kern_gemm_form_s(device, gemm_fit(device->profile, shape->dtype), shape);
}
