/* Decode attention: the KV cache streams past one query.
 *
 *   cache  = sequences * kv_heads * context * 2 d * (2 or 1 bytes)
 *   units  = sequences * kv_heads * ceil(group / 64)            a block's work before splitting
 *   splits = clamp(SMs * occupancy / units, 1, context / 128)   split-KV fills idle SMs
 *   hit    = 1 / (1 + (cache / (c L2))^e)
 *   stream = cache * (hit / l2 bandwidth + (1 - hit) / HBM bandwidth)
 *   blocks = max(1, units splits / SMs) * (block + its bytes / one block's bandwidth)
 *   flop   = 4 * units * 64 * context * d                       rows are padded to 64
 *   time   = launch + |stream, blocks, flop / rate|_p + joining the splits + new token's bytes
 *
 * A window caps the context, rounded up by half a tile (64). The tables repeat a call without
 * flushing, so that a cache that fits the L2 stays there; a serving engine, which runs other layers
 * in between, finds it in HBM: pass a large batch, or read the form with l2_fraction = memory_
 * fraction. FlashAttention-2 with grouped heads first copies the queries into groups (not for one
 * sequence or one KV head, where that is a view), and does not split ungrouped calls at all: rows
 * of one sequence with as many KV heads as heads run on as many SMs.
 *
 * MLA: all heads share one vector of latent + rope elements that serves as key and value, so that
 * cache = sequences * context * (latent + rope) * bytes and flop = 2 * heads * context *
 * (2 latent + rope): DeepSeek-AI 2024 (DeepSeek-V2, section 2.1). No rows here: a datasheet's
 * grade.
 *
 * Sources: split-KV: Dao 2023 (Flash-Decoding) and num_splits_heuristic() of FlashAttention; paged
 * blocks cost nothing that the rows show. Left out: speculative tokens. */
#include "kern_decode.h"

#include "kern_join.h"
#include "kern_pass.h"

#include <math.h>

enum { ROWS = 64, SPLIT_KEYS = 128 };

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

double kern_decode_form_s(const KernDevice *device, const KernDecodeFit *fit,
                          const KernDecodeShape *s)
{
    const TopoGpu *gpu = device->gpu;
    double sms = (double)gpu->multiprocessors, bandwidth = gpu->memory_bytes_per_s;
    double batch = (double)s->sequences, heads = (double)s->heads, kv_heads = kv_heads_of(s);
    double group = heads / kv_heads, context = context_of(s);
    double units = batch * kv_heads * ceil(group / ROWS);
    double splits = kern_smaller(kern_larger(1.0, context / SPLIT_KEYS),
                                 kern_larger(1.0, sms * fit->occupancy / units));
    if (fit->regroups && group <= 1.0)
        splits = 1.0;
    double cache = kern_decode_cache_bytes(s);
    double miss = cache / (fit->l2_capacity * gpu->l2_bytes);
    double hit = 1.0 / (1.0 + kern_power(miss, fit->l2_sharpness));
    double stream =
        cache / bandwidth * (hit / fit->l2_fraction + (1.0 - hit) / fit->memory_fraction);
    double block_bytes = cache / (batch * kv_heads * splits);
    double blocks = kern_larger(1.0, units * splits / sms) *
                    (fit->block_s + block_bytes * sms / (bandwidth * fit->block_fraction));
    double width = s->latent_width > 0 ? (double)s->latent_width + 0.5 * (double)s->rope_width
                                       : (double)s->head_dim;
    double flop = 4.0 * units * ROWS * context * width;
    double rate = gpu->peak_flop_per_s[s->dtype] * device->clock_fraction * fit->rate_fraction;
    double p = fit->overlap_exponent;
    double pass = 4.0 * batch * (heads + 2.0 * kv_heads) * 0.5 * row_elements(s);
    double time = fit->launch_s + kern_join(kern_join(stream, blocks, p), flop / rate, p) +
                  pass / (bandwidth * fit->pass_fraction) + batch * fit->sequence_s;
    if (splits > 1.0)
        time += fit->combine_s * (1.0 - 1.0 / splits) + fit->split_s * splits;
    if (fit->regroups && group > 1.0 && batch > 1.0 && kv_heads > 1.0)
        time += fit->copy_s + fit->copy_element_s * batch * heads * (double)s->head_dim;
    return time;
}

const KernDecodeFit *kern_decode_fit(const KernProfile *profile, const KernDecodeShape *shape)
{
    int wanted = (int)kern_head_class(shape->head_dim);
    int cache = shape->fp8_cache ? KERN_CACHE_FP8 : KERN_CACHE_16_BIT;
    for (int other = 0; other < KERN_CACHE_COUNT; other++, cache = KERN_CACHE_COUNT - 1 - cache)
        for (int off = 0; off < 2 * KERN_HEAD_COUNT; off++) { /* wanted, +1, -1, +2, -2, ... */
            int head = wanted + (off % 2 ? (off + 1) / 2 : -(off / 2));
            if (head >= 0 && head < KERN_HEAD_COUNT && profile->decode[head][cache].fitted.rows > 0)
                return &profile->decode[head][cache];
        }
    return NULL;
}

double kern_decode_s(const KernDevice *device, const KernDecodeShape *s)
{
    const KernDecodeFit *fit = kern_decode_fit(device->profile, s);
    return fit ? kern_decode_form_s(device, fit, s)
               : kern_pass_s(device, kern_decode_cache_bytes(s), 1);
}
