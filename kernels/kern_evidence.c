/* The evidence of a query, by what would answer it.
 *
 * The grade of the profile answers for what no table covers. */
#include "kern_evidence.h"

#include "kern_table.h"

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

static KernEvidence profile_evidence(const KernDevice *device)
{
    return device->profile->grade == KERN_GRADE_DATASHEET ? KERN_EVIDENCE_DATASHEET
                                                          : KERN_EVIDENCE_FITTED;
}

KernEvidence kern_gemm_evidence(const KernDevice *device, const KernGemmShape *shape)
{
    double seconds;
    KernGridHit hit = device->table ? kern_table_gemm(device, shape, &seconds) : KERN_GRID_MISS;
    if (hit != KERN_GRID_MISS)
        return table_evidence(hit);
    /* A type without a fit of its own borrows that of another, scaled by the ratio of the peaks. */
    if (device->profile->gemm[shape->dtype].rows == 0)
        return KERN_EVIDENCE_DATASHEET;
    return profile_evidence(device);
}

KernEvidence kern_attention_evidence(const KernDevice *device, const KernAttentionShape *shape)
{
    double seconds;
    KernGridHit hit =
        device->table ? kern_table_attention(device, shape, &seconds) : KERN_GRID_MISS;
    if (hit != KERN_GRID_MISS)
        return table_evidence(hit);
    return profile_evidence(device);
}
