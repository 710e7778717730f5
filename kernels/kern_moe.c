/* A layer of experts on one rank: tokens are sorted by expert, then grouped products.
 *
 * Loads. tokens * topk assignments over E experts: m = tokens topk / E each when balanced. Under a
 * power law of exponent a, loads x in [1, 0.8 tokens] have density x^-a (how AIConfigurator draws
 * them), scaled to mean m: in log x that is a geometric sequence, summed at 4 nodes. An expert with
 * load l < 1 is touched with chance l. The fullest of R expert ranks carries 1 + i cv
 * sqrt(2 ln R / local experts) of the mean (extremes of R sums; cv: of the loads).
 *
 *   weights  = touched * matrices * hidden * inter / tensor * bytes
 *   rows_T   = sum over touched experts of loads, rounded up to tiles of T = 16, 64, 128 rows
 *   products = 2 rows_T * matrices * hidden * width / (rate_T peak) * (1 + spill A / (A + L2))
 *   stream   = weights / bandwidth * (1 + idle (max(1, SMs / tiles) - 1)), less what L2 keeps
 *   time     = launches + ramp min(1, tokens / 64) + local experts * e + touched * t
 *            + assignments * s + passes over activations / bandwidth
 *            + |products, stream, (hidden + inter) step| (1 + unaligned)
 *
 * with |..| as in kern_join.h, width = inter / tensor rounded up to 64, the columns of a tile, and
 * A the bytes of the tokens, which every column of tiles reads again. unaligned counts where inter
 * / tensor is no multiple of 16: the compiler of Triton loads vectors only of such rows.
 *
 * T is the best of the three (searched kernels, CUTLASS, TensorRT-LLM) or follows the default of
 * the Triton kernel of SGLang and vLLM: 16 rows up to as many tokens as experts, then 64. Some
 * software sees only the tokens that reach the rank, and computes all their choices, other ranks'
 * too: min(1, topk / R) of the tokens (balanced choices are strided over the ranks), or under a
 * power law 1 - (1 - hottest expert's share) exp(-spread * rest).
 *
 * Sources: sorting and padding: vLLM's and SGLang's moe_align_block_size and get_default_config;
 * divisibility by 16: Triton's specialisation of arguments; tiles and streams as in kern_gemm.c.
 * Left out: communication (topo_protocol_expert.c), shared experts (a dense product). */
#include "kern_moe.h"

#include "kern_join.h"
#include "kern_pass.h"
#include "kern_table_serve.h"

#include <math.h>

enum { NODES = 4, TILES = 3 };

#define LN_2 0.69314718055994531

static const double tile_rows[TILES] = {16.0, 64.0, 128.0};
static const double tiles_per_row[TILES] = {1.0 / 16.0, 1.0 / 64.0, 1.0 / 128.0};

/* What the routing leaves on the fullest rank, an expert on average. */
typedef struct Loads {
    double share;       /* of a token, for one expert, mean */
    double local;       /* experts of the rank */
    double per_local;   /* one over them */
    double touched;     /* chance that it has a token */
    double rows[TILES]; /* each load rounded up to tiles of so many rows */
    double imbalance;   /* of the rank, over the mean */
    double hottest;     /* load of the fullest expert */
} Loads;

/* The tile that a rule picks: 16 rows for few tokens, else 64. */
static int ruled_tile(const KernMoeFit *fit, const KernMoeShape *s)
{
    int64_t ranks = fit->tiles == KERN_MOE_BY_EXPERTS ? 1 : s->expert;
    return s->tokens == 1 || s->tokens * ranks <= s->experts ? 0 : 1;
}

/* 1 + r + r^2 + ... of NODES terms. */
static double geometric_sum(double r)
{
    _Static_assert(NODES == 4, "two doublings");
    double rr = r * r;
    return (1.0 + r) * (1.0 + rr);
}

static void balanced_loads(const KernMoeShape *s, Loads *loads)
{
    double mean = (double)s->tokens * loads->share;
    loads->touched = kern_smaller(1.0, mean);
    loads->imbalance = 1.0;
    loads->hottest = mean;
    for (int t = 0; t < TILES; t++)
        loads->rows[t] = loads->touched * tile_rows[t] * kern_whole_up(mean * tiles_per_row[t]);
}

/* Rows of the fullest rank's experts but for the half tile that each loses as loads around a node
 * spread, for @count sizes of tiles from @first on; @load and @weight of the first node. */
static inline void sum_nodes(Loads *loads, double load, double step, double weight, double fewer,
                             double tokens, int first, int count)
{
    double more[TILES] = {0.0}, touched = 0.0;
    for (int i = 0; i < NODES; i++, load *= step, weight *= fewer) {
        loads->hottest = load;
        double used = kern_smaller(weight, weight * load), rows = kern_smaller(load, tokens);
        touched += used;
        for (int t = 0; t < count; t++)
            more[t] += used * kern_larger(0.5 * tile_rows[first + t], rows);
    }
    for (int t = 0; t < count; t++)
        loads->rows[first + t] = more[t] + 0.5 * tile_rows[first + t] * touched;
    loads->touched = touched;
}

/* Binary logarithm, straight between powers of two: at most 0.087 too small, which no load and no
 * extreme of one shows, and quick. */
static double about_log2(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (double)bits * 0x1p-52 - 1023.0;
}

static void skewed_loads(const KernMoeFit *fit, const KernMoeShape *s, Loads *loads)
{
    double tokens = (double)s->tokens, ranks = (double)s->expert;
    double octaves = about_log2(kern_larger(2.0, 0.8 * tokens)) / NODES; /* between nodes */
    double step = kern_exp2(octaves), fewer = kern_exp2(octaves * (1.0 - s->power));
    double sum = geometric_sum(fewer), load_sum = geometric_sum(fewer * step);
    double both = 1.0 / (sum * load_sum), share = load_sum * both, per_load = sum * both;
    loads->imbalance = 1.0;
    if (s->expert > 1) {
        double squares = geometric_sum(fewer * step * step) * per_load * per_load * sum;
        double variance = kern_larger(0.0, squares - 1.0);
        double more = sqrt(variance * 2.0 * LN_2 * about_log2(ranks) * loads->per_local);
        loads->imbalance = kern_smaller(1.0 + fit->imbalance * more, ranks);
    }
    double load = tokens * loads->share * sum * per_load * loads->imbalance;
    if (fit->tiles == KERN_MOE_BEST)
        sum_nodes(loads, load, step, share, fewer, tokens, 0, TILES);
    else
        sum_nodes(loads, load, step, share, fewer, tokens, ruled_tile(fit, s), 1);
}

static KernMoeLoad loads_of(const KernMoeFit *fit, const KernMoeShape *s, Loads *loads)
{
    double per_expert = 1.0 / (double)s->experts;
    loads->share = (double)s->topk * per_expert;
    loads->per_local = kern_smaller(1.0, (double)s->expert * per_expert);
    loads->local = 1.0 / loads->per_local;
    if (s->power > 0.0)
        skewed_loads(fit, s, loads);
    else
        balanced_loads(s, loads);
    double assignments = (double)s->tokens * loads->share * loads->imbalance * loads->local;
    return (KernMoeLoad){
        .assignments = assignments,
        .touched = kern_larger(loads->touched * loads->local, kern_smaller(1.0, assignments)),
    };
}

KernMoeLoad kern_moe_load(const KernMoeFit *fit, const KernMoeShape *shape)
{
    Loads loads;
    return loads_of(fit, shape, &loads);
}

/* Tokens that software which takes whole tokens computes on this rank, all their choices; others
 * see every token. */
static double tokens_here(const KernMoeFit *fit, const KernMoeShape *s, const Loads *loads)
{
    double tokens = (double)s->tokens;
    if (!fit->whole_tokens || s->expert <= 1)
        return tokens;
    double reached = tokens * kern_smaller(1.0, (double)s->topk / (double)s->expert);
    if (s->power > 0.0) {
        double others = fit->spread * (1.0 / LN_2) * loads->share * (loads->local - 1.0);
        double missed = tokens - kern_smaller(tokens, loads->hottest);
        reached = tokens - missed * kern_exp2(kern_larger(-900.0, -others));
    }
    return kern_larger(1.0, reached);
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

TopoDtype kern_moe_dtype(KernMoeType type)
{
    static const TopoDtype dtypes[KERN_MOE_TYPES] = {
        [KERN_MOE_BF16] = TOPO_DTYPE_BF16,     [KERN_MOE_FP8] = TOPO_DTYPE_FP8,
        [KERN_MOE_FP8_BLOCK] = TOPO_DTYPE_FP8, [KERN_MOE_INT4] = TOPO_DTYPE_BF16,
        [KERN_MOE_MXFP4] = TOPO_DTYPE_BF16,    [KERN_MOE_MXFP4_MXFP8] = TOPO_DTYPE_FP8,
        [KERN_MOE_NVFP4] = TOPO_DTYPE_FP4,
    };
    return dtypes[type];
}

static double peak_of(const KernDevice *device, KernMoeType type)
{
    double peak = device->gpu->peak_flop_per_s[kern_moe_dtype(type)];
    return (peak > 0.0 ? peak : device->gpu->peak_flop_per_s[TOPO_DTYPE_BF16]) *
           device->clock_fraction;
}

/* The grouped products of a rank with these @loads and @more rows of others'; @spilt times slower,
 * as activations do not stay in the L2. */
static double products_s(const KernDevice *device, const KernMoeFit *fit, const KernMoeShape *s,
                         const Loads *loads, double more, double weight_s, double spilt)
{
    const double rate[TILES] = {fit->rate_16, fit->rate_64, fit->rate_128};
    double hidden = (double)s->hidden, inter = (double)s->inter / (double)s->tensor;
    double experts = loads->local, peak = peak_of(device, s->type), least = INFINITY;
    double padded = 64.0 * kern_whole_up(inter / 64.0);
    double row_flop = 2.0 * (s->ungated ? 2.0 : 3.0) * hidden * padded * spilt;
    double compute = 0.0, stream = 0.0, best_tiles = 0.0;
    for (int t = 0; t < TILES; t++) {
        if (fit->tiles != KERN_MOE_BEST && t != ruled_tile(fit, s))
            continue;
        double rows = loads->rows[t] * experts;
        double c = (rows + more) * (row_flop / (peak * rate[t]));
        double w = weight_s / (t == 0 ? fit->small_fraction : fit->memory_fraction);
        if (kern_larger(c, w) + 0.1 * (c + w) < least) {
            least = kern_larger(c, w) + 0.1 * (c + w);
            compute = c;
            stream = w;
            best_tiles = rows * tiles_per_row[t];
        }
    }
    double blocks = best_tiles * (3.0 * inter + hidden) / 256.0;
    double idle = kern_smaller(
        8.0, kern_larger(1.0, (double)device->gpu->multiprocessors / kern_larger(blocks, 0.125)));
    stream *= 1.0 + fit->idle_loss * (idle - 1.0);
    double p = fit->overlap_loss;
    return kern_join(kern_join(compute, (hidden + inter) * fit->step_s, p), stream, p);
}

double kern_moe_form_s(const KernDevice *device, const KernMoeFit *fit, const KernMoeShape *s)
{
    enum { ACTIVATION_BYTES = 2, ALIGNED = 16 };
    const TopoGpu *gpu = device->gpu;
    Loads loads;
    KernMoeLoad load = loads_of(fit, s, &loads);
    double hidden = (double)s->hidden, inter = (double)s->inter / (double)s->tensor;
    double tokens = tokens_here(fit, s, &loads), assigned = tokens * (double)s->topk;
    double foreign = fit->whole_tokens && s->expert > 1
                         ? fit->foreign_fraction * kern_larger(0.0, assigned - load.assignments)
                         : 0.0;
    double weights =
        load.touched * (s->ungated ? 2.0 : 3.0) * hidden * inter * kern_moe_weight_bytes(s->type);
    double per_byte_s = 1.0 / gpu->memory_bytes_per_s;
    double room = fit->l2_capacity * gpu->l2_bytes + 1.0, volume = room * room * room;
    double kept = 0.6 * volume / (volume + weights * weights * weights);
    double read = tokens * hidden * ACTIVATION_BYTES;
    double spilt = 1.0 + fit->spill * read / (read + gpu->l2_bytes);
    double products =
        products_s(device, fit, s, &loads, foreign, weights * (1.0 - kept) * per_byte_s, spilt);
    double lines = inter * (1.0 / ALIGNED);
    if (kern_whole_up(lines) > lines)
        products *= 1.0 + fit->unaligned;
    double moved = fit->token_passes * tokens * hidden + fit->route_passes * assigned * hidden +
                   fit->expert_passes * load.assignments * (3.0 * inter + hidden);
    return fit->launch_s + fit->ramp_s * kern_smaller(1.0, tokens / 64.0) +
           loads.local * fit->expert_s + load.touched * fit->touched_s +
           assigned * fit->assignment_s + moved * ACTIVATION_BYTES * per_byte_s + products;
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
    double measured;
    if (device->table && kern_table_moe_s(device, s, &measured))
        return measured;
    const KernMoeFit *fit = kern_moe_fit(device->profile, s);
    if (fit)
        return kern_moe_form_s(device, fit, s);
    const KernMoeFit plain = {0};
    double touched = kern_moe_load(&plain, s).touched;
    return kern_pass_s(device,
                       touched * (s->ungated ? 2.0 : 3.0) * (double)s->hidden * (double)s->inter /
                           (double)s->tensor * kern_moe_weight_bytes(s->type),
                       2);
}
