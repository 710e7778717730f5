/* A layer of experts on one rank: tokens are sorted by expert, then grouped products.
 *
 * Loads. tokens * topk assignments over E experts: m = tokens topk / E each when balanced. Under a
 * power law of exponent a, loads x in [1, 0.8 tokens] have density x^-a (how AIConfigurator draws
 * them), scaled to mean m: in log x that is a geometric sequence, summed at 8 nodes. An expert with
 * load l < 1 is touched with chance l^t. The fullest of R expert ranks carries 1 + i cv
 * sqrt(2 ln R / local experts) of the mean (extremes of R sums; cv: of the loads).
 *
 *   weights  = touched * matrices * hidden * inter / tensor * bytes
 *   rows_T   = sum over touched experts of loads, rounded up to tiles of T = 16, 64, 128 rows
 *   products = 2 rows_T * matrices * hidden * inter / tensor / (rate_T peak)
 *   stream   = weights / bandwidth * max(1, SMs / tiles)^idle, less what the L2 keeps
 *   time     = launches + ramp min(1, tokens / 64) + local experts * e + assignments * s
 *            + passes over activations / bandwidth
 *            + |products, stream, (hidden + inter) step|_p
 *
 * T is the best of the three (searched kernels, CUTLASS, TensorRT-LLM) or follows the default of
 * the Triton kernel of SGLang and vLLM: 16 rows up to as many tokens as experts, then 64. Some
 * software computes every choice of a token that reaches the rank, other ranks' too: rows grow by
 * the choices of min(1, topk / R) of the tokens (balanced choices are strided over the ranks), or
 * under a power law of 1 - (1 - hottest expert's share) exp(-spread * rest).
 *
 * Sources: sorting and padding: vLLM's and SGLang's moe_align_block_size and get_default_config;
 * tiles and streams as in kern_gemm.c. Left out: communication (topo_protocol_expert.c), shared
 * experts (a dense product). */
#include "kern_moe.h"

#include "kern_join.h"
#include "kern_pass.h"

#include <math.h>

enum { NODES = 8, TILES = 3 };

static const double tile_rows[TILES] = {16.0, 64.0, 128.0};

/* Loads of an expert: @weight of them have @load. */
typedef struct Loads {
    int count;
    double load[NODES], weight[NODES], touched[NODES]; /* chance that one of them has a token */
    double imbalance;                                  /* of the fullest rank */
} Loads;

static double local_experts(const KernMoeShape *s)
{
    return kern_larger(1.0, (double)s->experts / (double)s->expert);
}

static Loads loads_of(const KernMoeFit *fit, const KernMoeShape *s)
{
    double tokens = (double)s->tokens, mean = tokens * (double)s->topk / (double)s->experts;
    Loads loads = {.count = 1,
                   .load = {mean},
                   .weight = {1.0},
                   .touched = {kern_smaller(1.0, mean)},
                   .imbalance = 1.0};
    if (s->power <= 0.0)
        return loads;
    loads.count = NODES;
    double octaves = log2(kern_larger(2.0, 0.8 * tokens)) / NODES; /* between nodes */
    double step = exp2(octaves), fewer = exp2(octaves * (1.0 - s->power));
    double x = exp2(0.5 * octaves), w = 1.0, sum_w = 0.0, sum_x = 0.0, sum_xx = 0.0;
    for (int i = 0; i < NODES; i++, x *= step, w *= fewer) {
        loads.load[i] = x;
        loads.weight[i] = w;
        sum_w += w;
        sum_x += w * x;
        sum_xx += w * x * x;
    }
    double average = sum_x / sum_w;
    if (s->expert > 1) {
        double variation = sqrt(kern_larger(0.0, sum_xx / sum_w / (average * average) - 1.0));
        loads.imbalance +=
            fit->imbalance * variation * sqrt(2.0 * log((double)s->expert) / local_experts(s));
        loads.imbalance = kern_smaller(loads.imbalance, (double)s->expert);
    }
    double scale = mean / average * loads.imbalance, share = 1.0 / sum_w;
    double chance = kern_power(loads.load[0] * scale, fit->touch_exponent);
    double likelier = exp2(octaves * fit->touch_exponent);
    for (int i = 0; i < NODES; i++, chance *= likelier) {
        loads.load[i] *= scale;
        loads.weight[i] *= share;
        loads.touched[i] = kern_smaller(1.0, chance);
    }
    return loads;
}

/* Fills @rows with the rows of the padded tiles of an expert, by tile. */
static KernMoeLoad pad(const KernMoeShape *s, const Loads *loads, double rows[TILES])
{
    static const double per_tile[TILES] = {1.0 / 16.0, 1.0 / 64.0, 1.0 / 128.0};
    KernMoeLoad sum = {0};
    for (int t = 0; t < TILES; t++)
        rows[t] = 0.0;
    for (int i = 0; i < loads->count; i++) {
        double load = kern_smaller(loads->load[i], (double)s->tokens);
        double touched = loads->weight[i] * loads->touched[i];
        sum.touched += touched;
        sum.assignments += loads->weight[i] * loads->load[i];
        for (int t = 0; t < TILES; t++) {
            double tiles = load * per_tile[t];
            /* loads around a node are spread: half a tile is lost on average */
            tiles = s->power > 0.0 ? kern_larger(1.0, tiles + 0.5) : ceil(tiles);
            rows[t] += touched * tiles * tile_rows[t];
        }
    }
    sum.touched *= local_experts(s);
    sum.assignments *= local_experts(s);
    sum.touched = kern_larger(sum.touched, kern_smaller(1.0, sum.assignments));
    return sum;
}

KernMoeLoad kern_moe_load(const KernMoeFit *fit, const KernMoeShape *shape)
{
    double rows[TILES];
    Loads loads = loads_of(fit, shape);
    return pad(shape, &loads, rows);
}

/* Choices of other ranks' experts by the tokens that reach this one. */
static double foreign_rows(const KernMoeFit *fit, const KernMoeShape *s, const Loads *loads,
                           double own)
{
    double tokens = (double)s->tokens, topk = (double)s->topk;
    if (!fit->whole_tokens || s->expert <= 1)
        return 0.0;
    double reach = kern_smaller(1.0, topk / (double)s->expert);
    if (s->power > 0.0) {
        double hottest = kern_smaller(1.0, loads->load[NODES - 1] / tokens);
        double others =
            fit->spread * loads->imbalance * (local_experts(s) - 1.0) * topk / (double)s->experts;
        reach = 1.0 - (1.0 - hottest) * exp(-others);
    }
    return fit->foreign_fraction * kern_larger(0.0, kern_larger(1.0, tokens * reach) * topk - own);
}

double kern_moe_weight_bytes(KernMoeType type)
{
    /* 4 bits: one scale of 16 bits for 128 weights, of 8 bits for 32 or for 16 */
    static const double bytes[KERN_MOE_TYPES] = {
        [KERN_MOE_BF16] = 2.0,
        [KERN_MOE_FP8] = 1.0,
        [KERN_MOE_FP8_BLOCK] = 1.0,
        [KERN_MOE_INT4] = 0.5 + 2.0 / 128.0,
        [KERN_MOE_MXFP4] = 0.5 + 1.0 / 32.0,
        [KERN_MOE_MXFP4_MXFP8] = 0.5 + 1.0 / 32.0,
        [KERN_MOE_NVFP4] = 0.5 + 1.0 / 16.0,
    };
    return bytes[type];
}

static double peak_of(const KernDevice *device, KernMoeType type)
{
    static const TopoDtype dtypes[KERN_MOE_TYPES] = {
        [KERN_MOE_BF16] = TOPO_DTYPE_BF16,     [KERN_MOE_FP8] = TOPO_DTYPE_FP8,
        [KERN_MOE_FP8_BLOCK] = TOPO_DTYPE_FP8, [KERN_MOE_INT4] = TOPO_DTYPE_BF16,
        [KERN_MOE_MXFP4] = TOPO_DTYPE_BF16,    [KERN_MOE_MXFP4_MXFP8] = TOPO_DTYPE_FP8,
        [KERN_MOE_NVFP4] = TOPO_DTYPE_FP4,
    };
    double peak = device->gpu->peak_flop_per_s[dtypes[type]];
    return (peak > 0.0 ? peak : device->gpu->peak_flop_per_s[TOPO_DTYPE_BF16]) *
           device->clock_fraction;
}

/* The grouped products of a rank whose experts hold @rows each, by tile, with @more of others'. */
static double products_s(const KernDevice *device, const KernMoeFit *fit, const KernMoeShape *s,
                         double weight_s, const double rows[TILES], double more)
{
    const double rate[TILES] = {fit->rate_16, fit->rate_64, fit->rate_128};
    double hidden = (double)s->hidden, inter = (double)s->inter / (double)s->tensor;
    double experts = local_experts(s), peak = peak_of(device, s->type), least = INFINITY;
    double row_flop = 2.0 * (s->ungated ? 2.0 : 3.0) * hidden * inter;
    double compute = 0.0, stream = 0.0;
    int best = 0;
    double limit = (double)(fit->tiles == KERN_MOE_BY_EXPERTS ? s->experts : (int64_t)experts);
    for (int t = 0; t < TILES; t++) {
        bool small = (double)s->tokens <= limit;
        if (fit->tiles != KERN_MOE_BEST && t != (small ? 0 : 1))
            continue;
        double c = row_flop * (rows[t] * experts + more) / (peak * rate[t]);
        double w = weight_s / (t == 0 ? fit->small_fraction : fit->memory_fraction);
        if (kern_larger(c, w) + 0.1 * (c + w) < least) {
            least = kern_larger(c, w) + 0.1 * (c + w);
            compute = c;
            stream = w;
            best = t;
        }
    }
    double blocks = rows[best] / tile_rows[best] * experts * (3.0 * inter + hidden) / 256.0;
    double idle = kern_smaller(
        8.0, kern_larger(1.0, (double)device->gpu->multiprocessors / kern_larger(blocks, 0.125)));
    if (idle > 1.0)
        stream *= kern_power(idle, fit->idle_exponent);
    double p = fit->overlap_exponent;
    return kern_join(kern_join(compute, stream, p), (hidden + inter) * fit->step_s, p);
}

double kern_moe_form_s(const KernDevice *device, const KernMoeFit *fit, const KernMoeShape *s)
{
    enum { ACTIVATION_BYTES = 2 };
    const TopoGpu *gpu = device->gpu;
    double rows[TILES];
    Loads loads = loads_of(fit, s);
    KernMoeLoad load = pad(s, &loads, rows);
    double hidden = (double)s->hidden, inter = (double)s->inter / (double)s->tensor;
    double tokens = (double)s->tokens, assigned = tokens * (double)s->topk;
    double weights =
        load.touched * (s->ungated ? 2.0 : 3.0) * hidden * inter * kern_moe_weight_bytes(s->type);
    double over = weights / (fit->l2_capacity * gpu->l2_bytes + 1.0);
    double kept = 0.6 / (1.0 + over * over * over);
    double products = products_s(device, fit, s, weights * (1.0 - kept) / gpu->memory_bytes_per_s,
                                 rows, foreign_rows(fit, s, &loads, load.assignments));
    double moved = fit->token_passes * tokens * hidden + fit->route_passes * assigned * hidden +
                   fit->expert_passes * load.assignments * (3.0 * inter + hidden);
    return fit->launch_s + fit->ramp_s * kern_smaller(1.0, tokens / 64.0) +
           local_experts(s) * fit->expert_s + assigned * fit->assignment_s +
           moved * ACTIVATION_BYTES / gpu->memory_bytes_per_s + products;
}

const KernMoeFit *kern_moe_fit(const KernProfile *profile, const KernMoeShape *shape)
{
    const KernMoeType types[] = {shape->type, KERN_MOE_BF16};
    if (profile->moe[shape->type][shape->family].fitted.rows > 0)
        return &profile->moe[shape->type][shape->family];
    for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
        const KernMoeFit *most = NULL;
        for (int family = 0; family < KERN_MOE_FAMILIES; family++) {
            const KernMoeFit *fit = &profile->moe[types[t]][family];
            if (fit->fitted.rows > (most ? most->fitted.rows : 0))
                most = fit;
        }
        if (most)
            return most;
    }
    return NULL;
}

double kern_moe_s(const KernDevice *device, const KernMoeShape *s)
{
    const KernMoeFit *fit = kern_moe_fit(device->profile, s);
    if (fit)
        return kern_moe_form_s(device, fit, s);
    const KernMoeFit plain = {.touch_exponent = 1.0};
    double touched = kern_moe_load(&plain, s).touched;
    return kern_pass_s(device,
                       touched * (s->ungated ? 2.0 : 3.0) * (double)s->hidden * (double)s->inter /
                           (double)s->tensor * kern_moe_weight_bytes(s->type),
                       2);
}
