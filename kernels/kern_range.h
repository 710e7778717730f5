/** The shapes that a profile was fitted on, so that no answer far from them passes for a fit. */
#ifndef KERN_RANGE_H
#define KERN_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/** Least and largest of one size; @to 0: not told. */
typedef struct KernRange {
    int64_t from, to;
} KernRange;

/** Of the rows behind the products and behind prefill attention, all types together. */
typedef struct KernFittedOn {
    KernRange gemm_m, gemm_n, gemm_k;
    KernRange attention_batch, attention_keys, attention_head_dim;
} KernFittedOn;

/** Widens @range to hold @size. */
void kern_range_add(KernRange *range, int64_t size);

/** Whether @size lies beyond twice the largest or below half the least; never when that is not
 *  told. */
bool kern_range_is_far(const KernRange *range, int64_t size);

#endif
