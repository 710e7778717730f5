/* The evidence of a query, by what would answer it.
 *
 * A table answers first; what it does not cover is answered by the coefficients, fitted on this
 * device or borrowed from another, for shapes near those that were fitted (kern_range.c) or far. */
#include "kern_evidence.h"

#include "kern_table.h"

#include <math.h>

const char *kern_evidence_name(KernEvidence evidence)
{
    static const char *const names[KERN_EVIDENCE_COUNT] = {
        [KERN_EVIDENCE_MEASURED] = "measured",   [KERN_EVIDENCE_INTERPOLATED] = "interpolated",
        [KERN_EVIDENCE_FITTED] = "fitted",       [KERN_EVIDENCE_EXTRAPOLATED] = "extrapolated",
        [KERN_EVIDENCE_DATASHEET] = "datasheet",
    };
    return names[evidence];
}

static KernEvidence table_evidence(KernGridHit hit)
{
    return hit == KERN_GRID_EXACT ? KERN_EVIDENCE_MEASURED : KERN_EVIDENCE_INTERPOLATED;
}

static KernEvidence profile_evidence(const KernDevice *device, bool far)
{
    if (device->profile->grade == KERN_GRADE_DATASHEET)
        return KERN_EVIDENCE_DATASHEET;
    return far ? KERN_EVIDENCE_EXTRAPOLATED : KERN_EVIDENCE_FITTED;
}

/* fp16 and bf16 run through the same pipes in the same bytes: one's fit is the other's. */
static bool has_fit(const KernDevice *device, const KernGemmShape *shape)
{
    TopoDtype dtype = shape->dtype;
    const KernGemmFit *gemm = device->profile->gemm;
    const KernHostFit *host = &device->profile->host;
    if (host->threads > 0)
        return host->weights[dtype].rows > 0;
    if (shape->weights != KERN_WEIGHTS_PLAIN)
        return gemm[kern_gemm_type(shape)].rows > 0;
    bool half = dtype == TOPO_DTYPE_FP16 || dtype == TOPO_DTYPE_BF16;
    bool either = gemm[TOPO_DTYPE_FP16].rows > 0 || gemm[TOPO_DTYPE_BF16].rows > 0;
    const double *peak = device->gpu->peak_flop_per_s;
    bool alike = fabs(peak[TOPO_DTYPE_FP16] / peak[TOPO_DTYPE_BF16] - 1.0) < 0.01;
    return gemm[dtype].rows > 0 || (half && either && alike);
}

KernEvidence kern_gemm_evidence(const KernDevice *device, const KernGemmShape *shape)
{
    double seconds;
    KernGridHit hit = device->table ? kern_table_gemm(device, shape, &seconds) : KERN_GRID_MISS;
    if (hit != KERN_GRID_MISS)
        return table_evidence(hit);
    if (!has_fit(device, shape))
        return KERN_EVIDENCE_DATASHEET;
    const KernFittedOn *on = &device->profile->fitted_on;
    return profile_evidence(device, kern_range_is_far(&on->gemm_m, shape->m) ||
                                        kern_range_is_far(&on->gemm_n, shape->n) ||
                                        kern_range_is_far(&on->gemm_k, shape->k));
}

KernEvidence kern_attention_evidence(const KernDevice *device, const KernAttentionShape *shape)
{
    double seconds;
    KernGridHit hit =
        device->table ? kern_table_attention(device, shape, &seconds) : KERN_GRID_MISS;
    if (hit != KERN_GRID_MISS)
        return table_evidence(hit);
    const KernFittedOn *on = &device->profile->fitted_on;
    return profile_evidence(device,
                            kern_range_is_far(&on->attention_batch, shape->batch) ||
                                kern_range_is_far(&on->attention_keys, shape->keys) ||
                                kern_range_is_far(&on->attention_head_dim, shape->head_dim));
}
