/** Measured tables as a source of costs, asked before the fitted forms. */
#ifndef KERN_TABLE_H
#define KERN_TABLE_H

#include "kern_fit.h"
#include "kern_grid.h"

/** Operations that a table may answer. */
typedef enum KernTableOp {
    KERN_TABLE_GEMM,
    KERN_TABLE_ATTENTION,
    KERN_TABLE_PREFILL,
    KERN_TABLE_DECODE,
    KERN_TABLE_MOE,
    KERN_TABLE_OPS
} KernTableOp;

/** "gemm", "attention", "prefill", "decode", "moe". */
const char *kern_table_op_name(KernTableOp op);

/** How often a table was asked and how it answered. Only the thread that prices by a device which
 *  points here may write it. */
struct KernTally {
    int64_t asked[KERN_TABLE_OPS][KERN_GRID_BETWEEN + 1]; /* by KernGridHit */
};

/** The index of @rows, which it copies; of rows of one shape the median counts. Seconds are finite
 *  and above 0, at boost clock. Free with kern_table_free(). */
KernTable *kern_table_new(const KernGemmRow *gemm, size_t gemm_count,
                          const KernAttentionRow *attention, size_t attention_count);
void kern_table_free(KernTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernTable, kern_table_free)

/** Distinct shapes of @op. */
size_t kern_table_count(const KernTable *table, KernTableOp op);

/** What the table of @device, which has one, says of @shape; at the clock of the device. Pure. A
 *  miss leaves @seconds alone. */
KernGridHit kern_table_gemm(const KernDevice *device, const KernGemmShape *shape, double *seconds);
KernGridHit kern_table_attention(const KernDevice *device, const KernAttentionShape *shape,
                                 double *seconds);

/** The same for whoever prices: false when there is no table or it misses; told to the tally of
 *  @device. */
bool kern_table_gemm_s(const KernDevice *device, const KernGemmShape *shape, double *seconds);
bool kern_table_attention_s(const KernDevice *device, const KernAttentionShape *shape,
                            double *seconds);

#endif
