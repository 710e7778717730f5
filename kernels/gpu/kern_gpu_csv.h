/** The table that the kit prints: comment lines, a header, a row a measurement. */
#ifndef KERN_GPU_CSV_H
#define KERN_GPU_CSV_H

#include "kern_gpu_shape.h"
#include "kern_gpu_stats.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Prints "# " and the formatted text; a line break inside it becomes a space, so that no text of a
 *  driver can be taken for a row. */
void kern_gpu_csv_comment(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Prints the names of the columns. */
void kern_gpu_csv_header(FILE *out);

/** Prints a row and flushes it; sizes that are 0 are left empty. @latency is in s. */
void kern_gpu_csv_row(FILE *out, const KernGpuShape *shape, KernGpuSummary latency,
                      const char *software);

/** Prints @text as one field, in double quotes where RFC 4180 asks for them. */
void kern_gpu_csv_field(FILE *out, const char *text);

/** Writes the sizes of @shape in words into @text, for messages. */
void kern_gpu_csv_describe(const KernGpuShape *shape, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
