/** Measured tables of the kernels of serving. */
#ifndef KERN_TABLE_SERVE_H
#define KERN_TABLE_SERVE_H

#include "kern_fit_serve.h"
#include "kern_table.h"

/** Rows of serving, borrowed. */
typedef struct KernTableServeRows {
    const KernPrefillRow *prefill;
    const KernDecodeRow *decode;
    const KernMoeRow *moe;
    size_t prefill_count, decode_count, moe_count;
} KernTableServeRows;

/** Gives @table these @rows, in place of those of serving that it had. Seconds as in
 *  kern_table_new(). */
void kern_table_set_serving(KernTable *table, const KernTableServeRows *rows);

/** What the table of @device, which has one, says of @shape; at the clock of the device. Pure. A
 *  miss leaves @seconds alone. */
KernGridHit kern_table_prefill(const KernDevice *device, const KernPrefillShape *shape,
                               double *seconds);
KernGridHit kern_table_decode(const KernDevice *device, const KernDecodeShape *shape,
                              double *seconds);
KernGridHit kern_table_moe(const KernDevice *device, const KernMoeShape *shape, double *seconds);

/** The same for whoever prices: false when it misses; told to the tally of @device. */
bool kern_table_prefill_s(const KernDevice *device, const KernPrefillShape *shape, double *seconds);
bool kern_table_decode_s(const KernDevice *device, const KernDecodeShape *shape, double *seconds);
bool kern_table_moe_s(const KernDevice *device, const KernMoeShape *shape, double *seconds);

#endif
