/** Measured kernels, read from tables in the columns that users have. See scen_measured.c. */
#ifndef SCEN_MEASURED_H
#define SCEN_MEASURED_H

#include "kern_fit.h"
#include "model_spec.h"
#include "scen_serve_rows.h"

#include <glib.h>

/** Rows by operation; what a table of costs is made from, or a fit. */
typedef struct ScenMeasured {
    GArray *gemm;      /* of KernGemmRow */
    GArray *attention; /* of KernAttentionRow */
    ScenServeRows *serve;
    int64_t skipped; /* rows of operations and types that have no place here */
    const char
        *software; /* whose columns the last file has: aiconfigurator, plain, llmservingsim or
                             vidur; NULL before */
} ScenMeasured;

/** The model whose layers a profile of an engine names, and how it was cut. */
typedef struct ScenProfiled {
    const ModelSpec *model; /* NULL: not known */
    int64_t tensor;         /* ranks; 0: what the table or its folder says, else 1 */
    TopoDtype dtype;        /* that it ran in */
} ScenProfiled;

ScenMeasured *scen_measured_new(void);
void scen_measured_free(ScenMeasured *measured);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenMeasured, scen_measured_free)

/** Adds the rows of the file @path to @measured. False and @error (file:line) when it cannot be
 *  read, has columns of no known kind, a value that is none, or layers of a model that @profiled
 *  does not tell. */
bool scen_measured_read(ScenMeasured *measured, const char *path, const ScenProfiled *profiled,
                        GError **error);

/** Sets type and weights of @shape to what tables call @text: bf16, nvfp4, fp8_block, int4_wo.
 * False when it is none; whether activations are converted is left to the caller. */
bool scen_measured_gemm_type(const char *text, KernGemmShape *shape);

/** The model that the profile @path was taken of, by the meta.yaml of its folder or the one above:
 *  "llama-3.1-8b". NULL when there is none. The caller owns it. */
char *scen_measured_model_beside(const char *path);

/** The index of all rows; the caller owns it. */
KernTable *scen_measured_table(const ScenMeasured *measured);

#endif
