/* Prefill attention: tiles of queries against the keys before them.
 *
 * A chunk of q tokens stands behind p others, whose keys and values lie in the cache (p = 0: a
 * whole prompt). A thread block takes M rows of queries of one head (of all g query heads of a KV
 * head where the kernel packs the group: M / g positions) and walks over the keys in tiles of N:
 *
 *   tiles = sequences * kv_heads * ceil(q g / M)          (g = 1 and all heads when not packed)
 *   keys  = min(N ceil((p + q) / N), p + q / 2 + (M / g + N) / 2 + diagonal)  mean of a tile
 *           with a window w < p + q: w - max(0, w - p)^2 / 2q + M / g + N / 2 + diagonal, if less
 *   load  = waves (tile + keys * 4 M d / (f peak / slots))        slots = SMs * tiles an SM holds
 *   waves = c ceil(tiles / slots) + (1 - c) tiles / slots
 *   tail  = tile + longest * key time                 the last rows of a causal mask see all keys
 *   work  = |load, tail|, |the same, bytes / bandwidth|                 joined as in kern_join.h
 *   time  = launch + ramp n / (n + n0) + n (token + writer min(1, kv_heads d / 512)) + sequences s
 *         + kv_heads h + cache + work
 *
 * with n = sequences * q tokens and bytes = Q, O, K and V once, those of the cache too. cache is
 * what the engine does around the kernel: keys and values read and written to their blocks, and
 * with an fp8 cache the queries converted too (3 bytes an element, at a bandwidth of its own). vLLM
 * writes a token by a block of a thread an element, 512 at most (reshape_and_cache): the writer. d
 * is the mean of the widths of keys and values, which differ in MLA (expanded heads: keys carry the
 * rotary part). A prompt of one token is a decode step: kern_decode.c.
 *
 * Sources: tiles and packing of groups: Dao 2023 (FlashAttention-2, section 3.3), Shah 2024
 * (FlashAttention-3) and its heuristics.h; list scheduling bound: Graham 1969. The fitted tables
 * hold whole prompts only; how time grows with p was checked on LLMServingSim's chunks of vLLM
 * 0.19 on an RTX 4090 and an RTX PRO 6000, which walk the cache without splitting it. MLA has no
 * rows: the width enters as above, at the grade of a datasheet. Left out: kernels that split the
 * walk of a few queries over a long cache (FlashAttention-3 when tiles leave SMs idle). */
#include "kern_prefill.h"

#include "kern_attention.h"
#include "kern_join.h"
#include "kern_table_serve.h"

#include <math.h>

enum { WRITERS = 512 };

/* Products with keys and with values differ in width in MLA only. */
static double width_of(const KernPrefillShape *s)
{
    return 0.5 * (double)(s->head_dim + (s->value_dim > 0 ? s->value_dim : s->head_dim));
}

/* Keys that the last query sees. */
static double reach_of(const KernPrefillShape *s)
{
    double all = (double)(s->past + s->queries);
    return s->window > 0 ? kern_smaller((double)s->window, all) : all;
}

double kern_prefill_flop(const KernPrefillShape *s)
{
    double q = (double)s->queries, w = reach_of(s), ramp = kern_larger(0.0, w - (double)s->past);
    double pairs = w * q - 0.5 * ramp * (ramp - 1.0); /* of a query and a key */
    return 4.0 * (double)s->sequences * (double)s->heads * pairs * width_of(s);
}

/* Keys that a tile of @span positions visits, on average and at most. */
static double keys_of(const KernPrefillFit *fit, const KernPrefillShape *s, double span,
                      double *longest)
{
    double q = (double)s->queries, p = (double)s->past, n = (double)fit->tile_keys;
    double slack = fit->diagonal_keys, own = kern_smaller(span, q);
    double all = kern_whole_up((p + q) / n) * n;
    double mean = kern_smaller(all, p + 0.5 * (q + own + n) + slack);
    *longest = all;
    if (s->window > 0) {
        double w = (double)s->window, ramp = kern_larger(0.0, w - p);
        if (w < p + q)
            mean = kern_smaller(mean, w - 0.5 * ramp * ramp / q + own + 0.5 * n + slack);
        *longest = kern_smaller(all, w + span + n);
    }
    mean = kern_larger(mean, kern_smaller(16.0, n)); /* one step of the tensor cores at least */
    *longest = kern_larger(*longest, mean);
    return mean;
}

/* Bytes of queries, keys, values and outputs, those of the cache in its own type. */
static double bytes_of(const KernPrefillShape *s)
{
    double seen = (double)(s->window > 0 ? MIN(s->past, s->window) : s->past);
    double of_new = 4.0 * (double)s->queries * (double)(s->heads + s->kv_heads);
    double of_past = (s->fp8_cache ? 2.0 : 4.0) * seen * (double)s->kv_heads;
    return (double)s->sequences * (of_new + of_past) * width_of(s);
}

static double work_s(const KernDevice *device, const KernPrefillFit *fit, const KernPrefillShape *s)
{
    const TopoGpu *gpu = device->gpu;
    double rows = (double)fit->tile_rows, per_sm = (double)fit->tiles_per_sm;
    double group = fit->packs_group ? (double)s->heads / (double)s->kv_heads : 1.0;
    double tiles = (double)s->sequences * (double)s->heads / group *
                   kern_whole_up((double)s->queries * group / rows);
    double longest, keys = keys_of(fit, s, rows / group, &longest);
    double slots = (double)gpu->multiprocessors * per_sm, full = tiles / slots;
    double slot_flop_per_s =
        gpu->peak_flop_per_s[s->dtype] * device->clock_fraction * fit->rate_fraction / slots;
    double key_s = 4.0 * rows * width_of(s) / slot_flop_per_s;
    double waves =
        fit->wave_quantisation * kern_whole_up(full) + (1.0 - fit->wave_quantisation) * full;
    double load = waves * (fit->tile_s + keys * key_s);
    double tail = fit->tile_s + longest * kern_larger(key_s / per_sm, fit->tail_key_s);
    return kern_join(kern_join(load, tail, fit->tail_loss),
                     bytes_of(s) / (gpu->memory_bytes_per_s * fit->memory_fraction),
                     fit->memory_loss);
}

double kern_prefill_form_s(const KernDevice *device, const KernPrefillFit *fit,
                           const KernPrefillShape *s)
{
    double tokens = (double)s->sequences * (double)s->queries;
    double stored = tokens * (double)s->kv_heads * 2.0 * width_of(s);
    double writers = kern_smaller(1.0, (double)(s->kv_heads * s->head_dim) * (1.0 / WRITERS));
    double cache = (s->fp8_cache ? 3.0 : 4.0) * stored / fit->cache_fraction;
    if (s->fp8_cache)
        cache += 3.0 * tokens * (double)s->heads * (double)s->head_dim / fit->convert_fraction;
    return fit->launch_s + fit->ramp_s * tokens / (tokens + fit->ramp_tokens) +
           tokens * (fit->token_s + writers * fit->writer_s) +
           (double)s->sequences * fit->sequence_s + (double)s->kv_heads * fit->kv_head_s +
           cache / device->gpu->memory_bytes_per_s + work_s(device, fit, s);
}

const KernPrefillFit *kern_prefill_fit(const KernProfile *profile, const KernPrefillShape *shape)
{
    int wanted = (int)kern_head_class(shape->head_dim);
    int cache = shape->fp8_cache ? KERN_CACHE_FP8 : KERN_CACHE_16_BIT;
    for (int other = 0; other < KERN_CACHE_COUNT; other++, cache = KERN_CACHE_COUNT - 1 - cache)
        for (int off = 0; off < 2 * KERN_HEAD_COUNT; off++) { /* wanted, +1, -1, +2, -2, ... */
            int head = wanted + (off % 2 ? (off + 1) / 2 : -(off / 2));
            if (head >= 0 && head < KERN_HEAD_COUNT &&
                profile->prefill[head][cache].fitted.rows > 0)
                return &profile->prefill[head][cache];
        }
    return NULL;
}

double kern_prefill_s(const KernDevice *device, const KernPrefillShape *s)
{
    double measured;
    if (device->table && kern_table_prefill_s(device, s, &measured))
        return measured;
    const KernPrefillFit *fit = kern_prefill_fit(device->profile, s);
    if (fit)
        return kern_prefill_form_s(device, fit, s);
    KernAttentionShape plain = {.batch = s->sequences * s->heads,
                                .queries = s->queries,
                                .keys = s->past + s->queries,
                                .head_dim = (int64_t)width_of(s),
                                .dtype = s->dtype};
    double unmasked = kern_prefill_flop(s);
    plain.unmasked_fraction = 1.0;
    plain.unmasked_fraction = unmasked / kern_attention_forward_flop(&plain);
    return kern_attention_forward_s(device, &plain);
}
