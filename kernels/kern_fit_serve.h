/** Fits the kernels that serving runs to measured calls. */
#ifndef KERN_FIT_SERVE_H
#define KERN_FIT_SERVE_H

#include "kern_decode.h"
#include "kern_fit.h"
#include "kern_moe.h"
#include "kern_prefill.h"

/** A measured call of each. */
typedef struct KernPrefillRow {
    KernPrefillShape shape;
    double seconds;
    const char *software; /* static or borrowed */
} KernPrefillRow;

typedef struct KernDecodeRow {
    KernDecodeShape shape;
    double seconds;
    const char *software;
} KernDecodeRow;

typedef struct KernMoeRow {
    KernMoeShape shape;
    double seconds;
    const char *software;
} KernMoeRow;

/** Fits @fit to @rows of one class measured on @gpu: at most @searched of them, taken evenly, enter
 *  the search; the error is over all. Also picks the tile, packing and software rules that fit
 *  best. Deterministic. */
void kern_fit_prefill(const TopoGpu *gpu, const KernPrefillRow *rows, size_t count, size_t searched,
                      KernPrefillFit *fit);
void kern_fit_decode(const TopoGpu *gpu, const KernDecodeRow *rows, size_t count, size_t searched,
                     KernDecodeFit *fit);
void kern_fit_moe(const TopoGpu *gpu, const KernMoeRow *rows, size_t count, size_t searched,
                  KernMoeFit *fit);

/** Natural logarithm of predicted / measured seconds of a row. */
double kern_fit_prefill_log_ratio(const TopoGpu *gpu, const KernPrefillFit *fit,
                                  const KernPrefillRow *row);
double kern_fit_decode_log_ratio(const TopoGpu *gpu, const KernDecodeFit *fit,
                                 const KernDecodeRow *row);
double kern_fit_moe_log_ratio(const TopoGpu *gpu, const KernMoeFit *fit, const KernMoeRow *row);

#endif
