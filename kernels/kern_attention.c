/* Fused attention: a rate that saturates with the head's width and the sequence's length.
 *
 *   flop     = 4 B q k d * unmasked                          (forward: Q K^T and P V)
 *   rate     = peak * f * d / (d + d0) * k / (k + k0) * fill
 *   forward  = launch + flop / rate
 *   backward = 2 launches + 2.5 flop / rate                   (with f of the backward)
 *
 * d0 stands for the softmax and the rescaling that do not grow with d, k0 for the masked halves of
 * diagonal tiles and the prologue of short sequences. fill is the share of the SMs that a grid of
 * B * ceil(q / 128) blocks keeps busy when it is smaller than the GPU, and of the blocks' rows that
 * hold a query.
 * Under the power cap attention need not run at the clock that products sustain: a fit may have a
 * sustained clock of its own, of which a throttled GPU has its fraction.
 *
 * Older generations reach a fraction of these rates: FlashAttention-2 does not use Hopper's
 * asynchronous tensor cores (Shah 2024, FlashAttention-3, figures 5 and 6). They draw less power:
 * FlashAttention-1 stays at boost clock, FlashAttention-2 has a sustained clock of its own; none:
 * that of products. A fraction that nobody measured is taken to be 1.
 *
 * 2.5: Dao, FlashAttention-2 (2023), section 4.1. Left out: sliding windows, paged keys. */
#include "kern_attention.h"

#include "kern_host_attention.h"
#include "kern_table.h"

#include <math.h>

double kern_attention_forward_flop(const KernAttentionShape *s)
{
    return 4.0 * (double)s->batch * (double)s->queries * (double)s->keys * (double)s->head_dim *
           s->unmasked_fraction;
}

/* What the kernels of @s reach of the rates of the fit. */
static double generation(const KernAttentionFit *fit, const KernAttentionShape *s, bool backward)
{
    double fraction = 0.0;
    if (s->kernels == KERN_ATTENTION_FLASH_1)
        fraction = fit->flash_1_fraction;
    else if (s->kernels == KERN_ATTENTION_FLASH_2)
        fraction = backward ? fit->flash_2_backward_fraction : fit->flash_2_forward_fraction;
    return fraction > 0.0 ? fraction : 1.0;
}

/* The share of boost clock that attention runs at, by the fit's kernels or by @older ones. */
static double clock_of(const KernDevice *device, const KernAttentionFit *fit,
                       KernAttentionKernels kernels, bool older)
{
    double throttle = device->throttle_fraction > 0.0 ? device->throttle_fraction : 1.0;
    double own = fit->sustained_clock_fraction;
    if (older)
        own = kernels == KERN_ATTENTION_FLASH_1 ? 1.0 : fit->older_clock_fraction;
    bool capped = older || device->clock_fraction / throttle < 1.0;
    return capped && own > 0.0 ? own * throttle : device->clock_fraction;
}

/* FLOP/s at @fraction of peak, before head width and fill. */
static double attention_rate(const KernDevice *device, const KernAttentionFit *fit,
                             const KernAttentionShape *s, double fraction, bool backward)
{
    double d = (double)s->head_dim, k = (double)s->keys;
    double rows = ceil((double)s->queries / 128.0) * 128.0;
    double blocks = (double)s->batch * rows / 128.0;
    double fill = fmin(1.0, blocks / (double)device->gpu->multiprocessors);
    fill *= (double)s->queries / rows;
    double older = generation(fit, s, backward);
    double clock = clock_of(device, fit, s->kernels, older < 1.0);
    double peak = device->gpu->peak_flop_per_s[s->dtype] * clock * older;
    return peak * fraction * fill * d / (d + fit->head_dim_half) * k / (k + fit->sequence_half);
}

double kern_attention_form_s(const KernDevice *device, const KernAttentionFit *fit,
                             const KernAttentionShape *s)
{
    return fit->launch_s + kern_attention_forward_flop(s) /
                               attention_rate(device, fit, s, fit->forward_fraction, false);
}

double kern_attention_forward_s(const KernDevice *device, const KernAttentionShape *s)
{
    double measured = 0.0;
    if (s->kernels == KERN_ATTENTION_FITTED && kern_table_attention_s(device, s, &measured))
        return measured;
    if (device->profile->host.threads > 0)
        return kern_host_attention_s(&device->profile->host, s, false);
    return kern_attention_form_s(device, &device->profile->attention, s);
}

double kern_attention_backward_s(const KernDevice *device, const KernAttentionShape *s)
{
    if (device->profile->host.threads > 0)
        return kern_host_attention_s(&device->profile->host, s, true);
    const KernAttentionFit *fit = &device->profile->attention;
    return 2.0 * fit->launch_s + 2.5 * kern_attention_forward_flop(s) /
                                     attention_rate(device, fit, s, fit->backward_fraction, true);
}
