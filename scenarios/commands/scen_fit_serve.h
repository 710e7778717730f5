/** Measured kernels of serving: fitted, judged. */
#ifndef SCEN_FIT_SERVE_H
#define SCEN_FIT_SERVE_H

#include "scen_serve_rows.h"

#include <glib.h>

/** Rows of a class that enter a search, at most; its error is over all of them. */
enum { SCEN_SERVE_ROWS_SEARCHED = 1000 };

/** Fits every class of at least @least rows and prints it for a profile. */
void scen_fit_serve_print(ScenServeRows *serve, const TopoGpu *gpu, size_t least);

/** A row that was judged: what was measured, and how far the shipped coefficients and those of
 *  other rows are from it. */
typedef struct ScenServeJudged {
    double seconds, log_ratio, held_out_log_ratio;
} ScenServeJudged;

/** Called once for each class that the profile has, and once for each operation over all. */
typedef void (*ScenServeVerdict)(void *ctx, const char *operation, const ScenServeJudged *rows,
                                 size_t count);

/** Judges @profile on the rows. @folds above 1: also refits without each part of the rows. */
void scen_fit_serve_judge(ScenServeRows *serve, const TopoGpu *gpu, const KernProfile *profile,
                          size_t folds, ScenServeVerdict verdict, void *ctx);

#endif
