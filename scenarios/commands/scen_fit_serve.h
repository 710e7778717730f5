/** Measured kernels of serving: read, fitted, judged. See scen_fit_serve.c. */
#ifndef SCEN_FIT_SERVE_H
#define SCEN_FIT_SERVE_H

#include "kern_fit_serve.h"

#include <glib.h>

/** Rows by class. */
typedef struct ScenFitServe {
    GArray *prefill[KERN_HEAD_COUNT][KERN_CACHE_COUNT]; /* of KernPrefillRow */
    GArray *decode[KERN_HEAD_COUNT][KERN_CACHE_COUNT];  /* of KernDecodeRow */
    GArray *moe[KERN_MOE_TYPES][KERN_MOE_FAMILIES];     /* of KernMoeRow */
    GStringChunk *software;
    int64_t impossible; /* decode rows that beat the memory, left out */
} ScenFitServe;

ScenFitServe *scen_fit_serve_new(void);
void scen_fit_serve_free(ScenFitServe *serve);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenFitServe, scen_fit_serve_free)

/** Keeps the line with @cells under the keys of @header when it is context_attention,
 *  generation_attention or moe; false when it is none. */
bool scen_fit_serve_take(ScenFitServe *serve, char **header, char **cells, double seconds);

/** Rows that are kept. */
size_t scen_fit_serve_rows(const ScenFitServe *serve);

/** Leaves out decode rows that beat the memory's peak on caches beyond the L2: see the essay. */
void scen_fit_serve_drop_impossible(ScenFitServe *serve, const TopoGpu *gpu);

/** Fits every class of at least @least rows and prints it for a profile. */
void scen_fit_serve_print(ScenFitServe *serve, const TopoGpu *gpu, size_t least);

/** A row that was judged: what was measured, and how far the shipped coefficients and those of
 *  other rows are from it. */
typedef struct ScenServeJudged {
    double seconds, log_ratio, held_out_log_ratio;
} ScenServeJudged;

/** Called once for each class that the profile has, and once for each operation over all. */
typedef void (*ScenServeVerdict)(void *ctx, const char *operation, const ScenServeJudged *rows,
                                 size_t count);

/** Judges @profile on the rows. @folds above 1: also refits without each part of the rows. */
void scen_fit_serve_judge(ScenFitServe *serve, const TopoGpu *gpu, const KernProfile *profile,
                          size_t folds, ScenServeVerdict verdict, void *ctx);

#endif
