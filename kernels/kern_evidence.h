/** What stands behind a cost: a measurement, or how far the answer is from one. */
#ifndef KERN_EVIDENCE_H
#define KERN_EVIDENCE_H

#include "kern_attention.h"
#include "kern_gemm.h"

/** From best to worst; an answer takes the weakest evidence of the parts that matter. */
typedef enum KernEvidence {
    KERN_EVIDENCE_MEASURED,     /* this very shape was measured on this device */
    KERN_EVIDENCE_INTERPOLATED, /* between measured shapes */
    KERN_EVIDENCE_FITTED,       /* by a form that was fitted to measurements of this device */
    KERN_EVIDENCE_EXTRAPOLATED, /* by such a form, far outside the shapes it was fitted on */
    KERN_EVIDENCE_DATASHEET,    /* by a form borrowed from another device, scaled by datasheets */
} KernEvidence;
#define KERN_EVIDENCE_COUNT (KERN_EVIDENCE_DATASHEET + 1)

/** "measured", "interpolated", "fitted", "extrapolated" or "datasheet". */
const char *kern_evidence_name(KernEvidence evidence);

/** What stands behind kern_gemm_s() of @shape on @device. Pure. */
KernEvidence kern_gemm_evidence(const KernDevice *device, const KernGemmShape *shape);

/** What stands behind kern_attention_forward_s() of @shape on @device. Pure. */
KernEvidence kern_attention_evidence(const KernDevice *device, const KernAttentionShape *shape);

#endif
