/* A matrix product on a GPU: tiles, waves, memory, launch.
 *
 * The output of b products of m x n is cut into tiles of tm x tn; each SM works on one tile at a
 * time, so ceil(tiles / SMs) waves follow one another, the last one perhaps half empty:
 *
 *   tiles   = b * ceil(m / tm) * ceil(n / tn) * splits
 *   waves   = q * ceil(tiles / SMs) + (1 - q) * max(1, tiles / SMs)
 *   compute = waves * 2 tm tn (k / splits + k0) / (f_tile * peak / SMs)
 *   memory  = (m k + k n + splits' m n) bytes / (f_mem * HBM bandwidth)
 *   time    = launch + (compute^p + memory^p)^(1/p)
 *
 * (output in 16 bits at least), minimised over the tiles and over splits of k (split-K writes and
 * reads fp32 partial sums). k0 is the prologue and epilogue of a tile in steps of k, q says how
 * much of the partial wave is lost, p joins the two pipes (p = 1: nothing overlaps, p large: the
 * slower one hides the other). The libraries choose their kernel in the same way: by trying, or by
 * a model of trying.
 *
 * Source of the tile and wave quantisation: NVIDIA, "Matrix Multiplication Background User's
 * Guide" (DA-09799), sections "Tile Quantization" and "Wave Quantization".
 * Left out: clusters and multicast of Hopper, transposition. */
#include "kern_gemm.h"

#include "kern_host_gemm.h"
#include "kern_table.h"

#include <math.h>

static const struct {
    int64_t rows, columns;
    KernTile tile;
} tiles[] = {
    {256, 128, KERN_TILE_256X128},
    {128, 256, KERN_TILE_256X128},
    {128, 128, KERN_TILE_128X128},
    {128, 64,  KERN_TILE_128X64 },
    {64,  128, KERN_TILE_128X64 },
    {64,  64,  KERN_TILE_64X64  },
    {64,  16,  KERN_TILE_64X16  },
    {16,  64,  KERN_TILE_64X16  },
};

static const int64_t splits[] = {1, 2, 4, 8, 16};

double kern_gemm_flop(const KernGemmShape *shape)
{
    return 2.0 * (double)shape->batch * (double)shape->m * (double)shape->n * (double)shape->k;
}

static double ceil_div(int64_t a, int64_t b)
{
    return (double)((a + b - 1) / b);
}

/* Bytes that must cross HBM when k is split @split ways. */
static double gemm_bytes(const KernGemmShape *s, double split)
{
    double in = topo_dtype_bytes(s->dtype);
    double out = fmax(in, 2.0);
    double partial = split > 1 ? 2.0 * 4.0 * split : 0.0;
    double m = (double)s->m, n = (double)s->n, k = (double)s->k;
    return (double)s->batch * ((m * k + k * n) * in + m * n * (out + partial));
}

/* Tensor cores want rows of 16 bytes; operands whose rows are no multiple of that fall back to the
 * ordinary fp32 pipes (NVIDIA DA-09799, section "Tensor Core Shape Constraints"). */
static double gemm_peak_flop_per_s(const TopoGpu *gpu, const KernGemmShape *s)
{
    int64_t elements = (int64_t)(16.0 / topo_dtype_bytes(s->dtype));
    bool aligned = s->n % elements == 0 && s->k % elements == 0;
    double plain = gpu->peak_flop_per_s[TOPO_DTYPE_FP32];
    return aligned || plain <= 0.0 ? gpu->peak_flop_per_s[s->dtype] : plain;
}

static double p_norm(double a, double b, double p)
{
    double high = fmax(a, b), low = fmin(a, b);
    return high * pow(1.0 + pow(low / high, p), 1.0 / p);
}

double kern_gemm_form_s(const KernDevice *device, const KernGemmFit *fit, const KernGemmShape *s)
{
    const TopoGpu *gpu = device->gpu;
    double sms = (double)gpu->multiprocessors;
    double sm_flop_per_s = gemm_peak_flop_per_s(gpu, s) * device->clock_fraction / sms;
    double bandwidth = gpu->memory_bytes_per_s * fit->memory_fraction;
    double best = INFINITY;
    for (size_t t = 0; t < G_N_ELEMENTS(tiles); t++) {
        double rows = (double)tiles[t].rows, columns = (double)tiles[t].columns;
        double count =
            (double)s->batch * ceil_div(s->m, tiles[t].rows) * ceil_div(s->n, tiles[t].columns);
        double rate = sm_flop_per_s * fit->tile_fraction[tiles[t].tile];
        for (size_t i = 0; i < G_N_ELEMENTS(splits); i++) {
            double split = (double)splits[i];
            if (i > 0 && (count * split > 2 * sms || s->k < 128 * splits[i]))
                break;
            double full = count * split / sms;
            double waves = fit->wave_quantisation * ceil(full) +
                           (1.0 - fit->wave_quantisation) * fmax(1.0, full);
            double compute =
                waves * 2.0 * rows * columns * ((double)s->k / split + fit->tile_overhead_k) / rate;
            double memory = gemm_bytes(s, split) / bandwidth;
            best = fmin(best, p_norm(compute, memory, fit->overlap_exponent));
        }
    }
    if (s->quantised) {
        double moved =
            (2.0 + topo_dtype_bytes(s->dtype)) * (double)s->batch * (double)(s->m * s->k);
        best += fit->launch_s + moved / bandwidth;
    }
    return fit->launch_s + best;
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
    if (device->profile->host.threads > 0)
        return kern_host_gemm_s(&device->profile->host, shape);
    return kern_gemm_form_s(device, gemm_fit(device->profile, shape->dtype), shape);
}
