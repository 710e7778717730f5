/* Decode attention: the KV cache streams past one query.
 *
 *   cache  = sequences * kv_heads * context * 2 d * (2 or 1 bytes)
 *   units  = sequences * kv_heads * ceil(group / 64)            a block's work before splitting
 *   blocks = max(1, units splits / SMs) * (block + planned + window + its bytes / bandwidth of one)
 *   hit    = 1 / (1 + (cache / (c L2))^e)
 *   stream = cache * (hit / l2 bandwidth + (1 - hit) / HBM bandwidth)
 *   flop   = 4 * units * 64 * context * d                       rows are padded to 64
 *   time   = launch + |stream, blocks, flop / rate| + joining the splits + new token's bytes
 *
 * with |..| as in kern_join.h. How many splits a sequence gets belongs to the software:
 *
 *   fill     clamp(SMs * occupancy / units, 1, context / 128), so that all SMs have blocks
 *   grouped  the same where heads share keys, else none. FlashAttention-2 first copies such queries
 *            into groups (not for one sequence or one KV head, where that is a view)
 *   all_32   32 whatever the context, in calls of up to 512 sequences: vLLM's bound of what it
 *            captures as a graph and its number of splits there, which FlashAttention-4 takes as is
 *   few_16   16 in calls of up to 128 sequences times KV heads: vLLM's Triton kernel (its segments
 *            and its least grid)
 *
 * vLLM plans the splits of calls that it captures, which costs each block of them the planned time.
 * A window caps the context, rounded up by half a tile (64), and costs a block more where it cuts.
 * The tables repeat a call without flushing, so that a cache that fits the L2 stays there; a
 * serving engine, which runs other layers in between, finds it in HBM: pass a large batch, or read
 * the form with l2_fraction = memory_fraction.
 *
 * MLA: all heads share one vector of latent + rope elements that serves as key and value, so that
 * cache = sequences * context * (latent + rope) * bytes and flop = 2 * heads * context *
 * (2 latent + rope), whose rows fill their tiles, so that no rate above the peak is believed:
 * DeepSeek-AI 2024 (DeepSeek-V2, section 2.1). No rows here; FlashMLA's figures on H800 are met
 * within 3 % (memory) and 8 % (products), see tests/analytic/test_kern_mla.c.
 *
 * A CPU computes both products and the softmax one after another (kern_host_attention.c).
 *
 * Sources: split-KV: Dao 2023 (Flash-Decoding) and num_splits_heuristic() of FlashAttention;
 * vLLM's backends flash_attn.py and triton_attn.py; paged blocks cost nothing that the rows show.
 * Left out: speculative tokens. */
#include "kern_decode.h"

#include "kern_host_attention.h"
#include "kern_join.h"
#include "kern_pass.h"
#include "kern_table_serve.h"

#include <math.h>

enum { ROWS = 64, SPLIT_KEYS = 128, PLANNED_SEQUENCES = 512 };

static double context_of(const KernDecodeShape *s)
{
    double context = (double)s->context;
    return s->window > 0 ? kern_smaller(context, (double)s->window + 0.5 * SPLIT_KEYS) : context;
}

/* Elements of the cache that a token of one KV head holds. */
static double row_elements(const KernDecodeShape *s)
{
    return s->latent_width > 0 ? (double)(s->latent_width + s->rope_width)
                               : 2.0 * (double)s->head_dim;
}

static double kv_heads_of(const KernDecodeShape *s)
{
    return s->latent_width > 0 ? 1.0 : (double)s->kv_heads;
}

double kern_decode_cache_bytes(const KernDecodeShape *s)
{
    return (double)s->sequences * kv_heads_of(s) * context_of(s) * row_elements(s) *
           (s->fp8_cache ? 1.0 : 2.0);
}

/* Mean width of the products with keys and with values. */
static double width_of(const KernDecodeShape *s)
{
    return s->latent_width > 0 ? (double)s->latent_width + 0.5 * (double)s->rope_width
                               : (double)s->head_dim;
}

double kern_decode_flop(const KernDecodeShape *s)
{
    return 4.0 * (double)s->sequences * (double)s->heads * context_of(s) * width_of(s);
}

/* Whether vLLM plans the splits of the call, as it does for what it captures as a graph. */
static bool is_planned(const KernDecodeShape *s)
{
    return s->sequences <= PLANNED_SEQUENCES;
}

/* Blocks that share a sequence, of which one has @units without splits. */
static double splits_of(const KernDecodeFit *fit, const KernDecodeShape *s, double sms,
                        double units)
{
    double fill = kern_smaller(kern_larger(1.0, context_of(s) * (1.0 / SPLIT_KEYS)),
                               kern_larger(1.0, sms * fit->occupancy / units));
    switch (fit->splits) {
    case KERN_SPLITS_GROUPED:
        return s->heads > s->kv_heads ? fill : 1.0;
    case KERN_SPLITS_ALL_32:
        return is_planned(s) ? 32.0 : 1.0;
    case KERN_SPLITS_FEW_16:
        return s->sequences * s->kv_heads <= 128 ? 16.0 : 1.0;
    case KERN_SPLITS_FILL:
    case KERN_SPLITS_COUNT:
        break;
    }
    return fill;
}

/* The blocks of a call, if nothing else held them up. */
static double blocks_s(const KernDevice *device, const KernDecodeFit *fit, const KernDecodeShape *s,
                       double blocks, double cache)
{
    double sms = (double)device->gpu->multiprocessors;
    double fixed_s = fit->block_s + (is_planned(s) ? fit->planned_s : 0.0) +
                     (s->window > 0 && s->context > s->window ? fit->window_s : 0.0);
    double stream_s = cache / (device->gpu->memory_bytes_per_s * fit->block_fraction);
    double rounds = kern_larger(1.0, blocks / sms);
    return rounds * (fixed_s + stream_s * sms / blocks);
}

double kern_decode_form_s(const KernDevice *device, const KernDecodeFit *fit,
                          const KernDecodeShape *s)
{
    const TopoGpu *gpu = device->gpu;
    double sms = (double)gpu->multiprocessors, per_byte_s = 1.0 / gpu->memory_bytes_per_s;
    double batch = (double)s->sequences, heads = (double)s->heads, kv_heads = kv_heads_of(s);
    double group = heads / kv_heads, cache = kern_decode_cache_bytes(s);
    double units = batch * kv_heads * kern_whole_up(group * (1.0 / ROWS));
    double splits = splits_of(fit, s, sms, units);
    double miss = cache / (fit->l2_capacity * gpu->l2_bytes);
    double hit = 1.0 / (1.0 + kern_power(miss, fit->l2_sharpness));
    double stream =
        cache * per_byte_s * (hit / fit->l2_fraction + (1.0 - hit) / fit->memory_fraction);
    double blocks = blocks_s(device, fit, s, units * splits, cache);
    double flop = 4.0 * units * ROWS * context_of(s) * width_of(s);
    double rate =
        gpu->peak_flop_per_s[s->dtype] * device->clock_fraction *
        (s->latent_width > 0 ? kern_smaller(1.0, fit->rate_fraction) : fit->rate_fraction);
    double p = fit->overlap_loss;
    double pass = 2.0 * batch * (heads + 2.0 * kv_heads) * row_elements(s);
    double time = fit->launch_s + kern_join(kern_join(stream, blocks, p), flop / rate, p) +
                  pass * per_byte_s / fit->pass_fraction + batch * fit->sequence_s;
    if (splits > 1.0)
        time += fit->combine_s * (1.0 - 1.0 / splits) + fit->split_s * splits;
    if (fit->splits == KERN_SPLITS_GROUPED && group > 1.0 && batch > 1.0 && kv_heads > 1.0)
        time += fit->copy_s + fit->copy_element_s * batch * heads * (double)s->head_dim;
    return time;
}

/* Kernels for a latent cache fill the SMs (FlashMLA), whatever those for wide heads do. */
static bool prices(const KernDecodeFit *fit, const KernDecodeShape *s)
{
    return fit->fitted.rows > 0 && (s->latent_width == 0 || fit->splits == KERN_SPLITS_FILL ||
                                    fit->splits == KERN_SPLITS_GROUPED);
}

const KernDecodeFit *kern_decode_fit(const KernProfile *profile, const KernDecodeShape *shape)
{
    int64_t width = shape->latent_width > 0 ? shape->latent_width : shape->head_dim;
    int wanted = (int)kern_head_class(width);
    int cache = shape->fp8_cache ? KERN_CACHE_FP8 : KERN_CACHE_16_BIT;
    for (int other = 0; other < KERN_CACHE_COUNT; other++, cache = KERN_CACHE_COUNT - 1 - cache)
        for (int off = 0; off < 2 * KERN_HEAD_COUNT; off++) { /* wanted, +1, -1, +2, -2, ... */
            int head = wanted + (off % 2 ? (off + 1) / 2 : -(off / 2));
            if (head >= 0 && head < KERN_HEAD_COUNT && prices(&profile->decode[head][cache], shape))
                return &profile->decode[head][cache];
        }
    return NULL;
}

/* The products and the softmax of a CPU, a KV head's query heads as rows; or its cache's way from
 * memory, where that takes longer. */
static double host_s(const KernDevice *device, const KernDecodeShape *s)
{
    int64_t groups = s->sequences * s->kv_heads;
    KernAttentionShape shape = {.batch = groups,
                                .kv_batch = groups,
                                .queries = s->heads / s->kv_heads,
                                .keys = s->context,
                                .head_dim = s->head_dim,
                                .unmasked_fraction = 1.0,
                                .dtype = s->dtype};
    return fmax(kern_host_attention_s(&device->profile->host, &shape, false),
                kern_pass_s(device, kern_decode_cache_bytes(s), 1));
}

double kern_decode_s(const KernDevice *device, const KernDecodeShape *s)
{
    double measured;
    if (device->table && kern_table_decode_s(device, s, &measured))
        return measured;
    if (device->profile->host.threads > 0 && s->latent_width == 0)
        return host_s(device, s);
    const KernDecodeFit *fit = kern_decode_fit(device->profile, s);
    return fit ? kern_decode_form_s(device, fit, s)
               : kern_pass_s(device, kern_decode_cache_bytes(s), 1);
}
