/* Fitting.
 *
 * Each form has a handful of coefficients with bounds. The objective is the mean over the rows of
 * sqrt(log(predicted / measured)^2 + 0.01^2): about |log ratio|, so that an outlier weighs as much
 * as its distance and not its square, and smooth at zero. The search is Subplex (Rowan 1990) of
 * NLopt, which needs no derivatives and is deterministic, started again from where it stopped for
 * as long as that gains a thousandth; folds of held-out rows start from the fit to all. At most
 * 4,000 rows enter the search, taken evenly; the error that is reported is over all of them. */
#include "kern_fit.h"

#include <math.h>
#include <nlopt.h>

enum { ROWS_SEARCHED = 4000, EVALUATIONS = 6000, NEAR_FROM = 3 /* of search()'s steps */ };

/* One coefficient. */
typedef struct Coefficient {
    size_t offset; /* of a double in the fit */
    double low, start, high;
} Coefficient;

/* A form with its measurements: predicts row @i from the coefficients in @fit. */
typedef struct Problem {
    const Coefficient *coefficients;
    size_t coefficient_count;
    size_t row_count;
    double (*log_ratio)(const struct Problem *problem, size_t row);
    void *fit;
    const void *rows;
    const void *hardware;
    bool near; /* its starts are the answer to almost the same rows */
} Problem;

static double *coefficient_of(void *fit, const Coefficient *c)
{
    return (double *)((char *)fit + c->offset);
}

static void set_coefficients(const Problem *p, const double *x)
{
    for (size_t i = 0; i < p->coefficient_count; i++)
        *coefficient_of(p->fit, &p->coefficients[i]) = x[i];
}

static double objective(unsigned n, const double *x, double *gradient, void *data)
{
    (void)n;
    (void)gradient;
    const Problem *p = data;
    set_coefficients(p, x);
    size_t step = 1 + p->row_count / ROWS_SEARCHED;
    double sum = 0.0, count = 0.0;
    for (size_t i = 0; i < p->row_count; i += step) {
        double r = p->log_ratio(p, i);
        sum += sqrt(r * r + 1e-4);
        count += 1.0;
    }
    return sum / count;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool kern_fit_is_large(double bytes)
{
    return bytes >= 65536.0 && bytes <= 1073741824.0;
}

/* Growing logarithms are growing ratios, so the middle of the one is the middle of the other. */
KernFitError kern_fit_error(double *log_ratios, size_t count)
{
    if (count == 0)
        return (KernFitError){0};
    qsort(log_ratios, count, sizeof *log_ratios, compare_doubles);
    double bias = exp(log_ratios[count / 2]) - 1.0;
    for (size_t i = 0; i < count; i++)
        log_ratios[i] = fabs(exp(log_ratios[i]) - 1.0);
    qsort(log_ratios, count, sizeof *log_ratios, compare_doubles);
    return (KernFitError){.rows = count,
                          .median_fraction = log_ratios[count / 2],
                          .p90_fraction = log_ratios[count * 9 / 10],
                          .bias_fraction = bias};
}

static KernFitError measure(const Problem *p)
{
    g_autofree double *log_ratios = g_new(double, p->row_count);
    for (size_t i = 0; i < p->row_count; i++)
        log_ratios[i] = p->log_ratio(p, i);
    return kern_fit_error(log_ratios, p->row_count);
}

static KernFitError search(Problem *p)
{
    static const double steps[] = {0.0, 0.2, 0.06, 0.2, 0.06}; /* of each range; 0: Subplex's own */
    unsigned n = (unsigned)p->coefficient_count;
    g_autofree double *x = g_new(double, n);
    g_autofree double *step = g_new(double, n);
    nlopt_opt opt = nlopt_create(NLOPT_LN_SBPLX, n);
    for (unsigned i = 0; i < n; i++) {
        x[i] = p->coefficients[i].start;
        nlopt_set_lower_bound(opt, (int)i, p->coefficients[i].low);
        nlopt_set_upper_bound(opt, (int)i, p->coefficients[i].high);
    }
    nlopt_set_min_objective(opt, objective, p);
    nlopt_set_maxeval(opt, EVALUATIONS);
    nlopt_set_xtol_rel(opt, 1e-4);
    for (size_t start = p->near ? NEAR_FROM : 0; start < G_N_ELEMENTS(steps); start++) {
        double least;
        for (unsigned i = 0; i < n; i++)
            step[i] = steps[start] * (p->coefficients[i].high - p->coefficients[i].low);
        if (steps[start] > 0.0)
            nlopt_set_initial_step(opt, step);
        nlopt_optimize(opt, x, &least);
    }
    nlopt_destroy(opt);
    set_coefficients(p, x);
    return measure(p);
}

/* Searches @fit, whose coefficients are @coefficients, so that @log_ratio comes near 0 on @rows. */
static KernFitError fit_rows(const Coefficient *coefficients, size_t coefficient_count,
                             double (*log_ratio)(const Problem *, size_t), const void *hardware,
                             const void *rows, size_t count, bool near, void *fit)
{
    Problem p = {.coefficients = coefficients,
                 .coefficient_count = coefficient_count,
                 .row_count = count,
                 .log_ratio = log_ratio,
                 .fit = fit,
                 .rows = rows,
                 .hardware = hardware,
                 .near = near};
    return search(&p);
}

static double gemm_log_ratio(const Problem *p, size_t i)
{
    const KernGemmRow *row = (const KernGemmRow *)p->rows + i;
    KernDevice device = {.gpu = p->hardware, .clock_fraction = 1.0};
    return log(kern_gemm_form_s(&device, p->fit, &row->shape) / row->seconds);
}

/* What rows must have for a coefficient to show in them. */
enum {
    ANY = 0,
    BARE = 1, /* no host before them, which hides launches and streams of weights */
    SPLIT = 2,
    PAIRED = 4,
    QUANTISED = 8,
    WIDENED = 16,
    ISSUED = 32, /* by a host, kernel by kernel */
    FEW = 64     /* likewise, by another way where they are few */
};

static const struct {
    Coefficient coefficient;
    int needs;
} gemm_coefficients[] = {
    {{offsetof(KernGemmFit, compute_fraction), 0.30, 0.80, 1.10},     ANY             },
    {{offsetof(KernGemmFit, feed_bytes_per_clock), 4.0, 60.0, 160.0}, ANY             },
    {{offsetof(KernGemmFit, step_s), 0.0, 5e-8, 1e-6},                BARE            },
    {{offsetof(KernGemmFit, prologue_s), 0.0, 5e-7, 5e-6},            BARE            },
    {{offsetof(KernGemmFit, epilogue_s), 0.0, 1e-6, 1e-5},            ANY             },
    {{offsetof(KernGemmFit, wave_quantisation), 0.0, 0.50, 1.00},     ANY             },
    {{offsetof(KernGemmFit, memory_fraction), 0.30, 0.85, 1.05},      BARE            },
    {{offsetof(KernGemmFit, overlap_loss), 0.0, 0.20, 1.0},           ANY             },
    {{offsetof(KernGemmFit, launch_s), 5e-7, 3e-6, 2e-5},             BARE            },
    {{offsetof(KernGemmFit, split_s), 0.0, 2e-6, 1e-5},               SPLIT           },
    {{offsetof(KernGemmFit, unpaired_fraction), 0.0, 0.10, 1.0},      PAIRED          },
    {{offsetof(KernGemmFit, quantise_launch_s), 0.0, 1e-6, 1e-5},     QUANTISED | BARE},
    {{offsetof(KernGemmFit, quantise_row_s), 0.0, 5e-9, 3e-8},        QUANTISED       },
    {{offsetof(KernGemmFit, quantise_pass_s), 0.0, 4e-9, 3e-8},       QUANTISED       },
    {{offsetof(KernGemmFit, quantise_latency_s), 0.0, 3e-7, 3e-6},    QUANTISED | BARE},
    {{offsetof(KernGemmFit, dequantise_per_clock), 1.0, 64.0, 256.0}, WIDENED         },
    {{offsetof(KernGemmFit, vector_step_s), 0.0, 5e-8, 1e-6},         WIDENED         },
    {{offsetof(KernGemmFit, host_s), 0.0, 1e-4, 5e-4},                ISSUED          },
    {{offsetof(KernGemmFit, host_unaligned_s), 0.0, 1e-5, 2e-4},      ISSUED          },
    {{offsetof(KernGemmFit, host_ragged_s), 0.0, 1e-4, 5e-4},         ISSUED          },
    {{offsetof(KernGemmFit, host_few_s), 1e-6, 1e-4, 5e-4},           ISSUED | FEW    },
};

/* Fits @fit, its kernels given, with the coefficients that its rows can tell. @near: from where it
 * stands, which is the answer to almost the same rows. */
static KernFitError fit_gemm_kernels(const TopoGpu *gpu, const KernGemmRow *rows, size_t count,
                                     bool few, bool near, KernGemmFit *fit)
{
    Coefficient searched[G_N_ELEMENTS(gemm_coefficients)];
    size_t n = 0;
    KernGemmWeights weights = count > 0 ? rows[0].shape.weights : KERN_WEIGHTS_PLAIN;
    int has = weights == KERN_WEIGHTS_BLOCK_SCALED ? ISSUED
              : fit->kernels != KERN_GEMM_FASTEST  ? BARE | PAIRED
                                                   : BARE | SPLIT;
    has |= (weights >= KERN_WEIGHTS_INT8 ? WIDENED : 0) | (few ? FEW : 0);
    for (size_t i = 0; i < count; i++)
        has |= rows[i].shape.quantised ? QUANTISED : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(gemm_coefficients); i++) {
        Coefficient c = gemm_coefficients[i].coefficient;
        if ((gemm_coefficients[i].needs & ~has) != 0)
            continue;
        if (near)
            c.start = CLAMP(*coefficient_of(fit, &c), c.low, c.high);
        searched[n++] = c;
    }
    return fit_rows(searched, n, gemm_log_ratio, gpu, rows, count, near, fit);
}

/* Products with conversion may run on an engine's own kernels, those with block scales on others
 * where rows are few: what comes nearest. */
KernFitError kern_fit_gemm(const TopoGpu *gpu, const KernGemmRow *rows, size_t count,
                           KernGemmFit *fit)
{
    KernGemmType type = count > 0 ? kern_gemm_type(&rows[0].shape) : (KernGemmType)TOPO_DTYPE_BF16;
    bool issued = type == KERN_GEMM_FP8_BLOCK;
    bool engine = (int)type == TOPO_DTYPE_FP8 && rows[0].shape.quantised;
    KernFitError least = {.median_fraction = INFINITY};
    KernGemmFit best = {0}, hidden = {0};
    for (size_t i = 0; issued && i < G_N_ELEMENTS(gemm_coefficients); i++) {
        const Coefficient *c = &gemm_coefficients[i].coefficient;
        if (gemm_coefficients[i].needs & BARE)
            *coefficient_of(&hidden, c) = fit->rows > 0 ? *coefficient_of(fit, c) : c->start;
    }
    for (int k = 0; k < (engine ? KERN_GEMM_KERNELS : issued ? 2 : 1); k++) {
        KernGemmFit tried = hidden;
        tried.kernels = engine ? (KernGemmKernels)k : KERN_GEMM_FASTEST;
        KernFitError error = fit_gemm_kernels(gpu, rows, count, issued && k == 1, false, &tried);
        if (k > 0 && error.median_fraction >= least.median_fraction)
            continue;
        least = error;
        best = tried;
    }
    *fit = best;
    fit->median_error_fraction = least.median_fraction;
    fit->p90_error_fraction = least.p90_fraction;
    fit->rows = (int64_t)count;
    return least;
}

/* The same for equal shapes, whatever the order of the rows. */
static size_t gemm_fold(const KernGemmShape *s, size_t folds)
{
    guint64 h = (guint64)s->m * 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 32) ^ (guint64)s->n) * 0xC2B2AE3D27D4EB4Fu;
    h = (h ^ (h >> 32) ^ (guint64)s->k) * 0x165667B19E3779F9u;
    return (size_t)((h >> 32) % folds);
}

void kern_fit_gemm_held_out(const TopoGpu *gpu, const KernGemmRow *rows, size_t count, size_t folds,
                            const KernGemmFit *whole, double *log_ratios)
{
    g_autofree KernGemmRow *kept = g_new(KernGemmRow, count);
    for (size_t fold = 0; fold < folds; fold++) {
        size_t keep = 0;
        for (size_t i = 0; i < count; i++)
            if (gemm_fold(&rows[i].shape, folds) != fold)
                kept[keep++] = rows[i];
        KernGemmFit fit = *whole;
        fit_gemm_kernels(gpu, kept, keep, fit.host_few_s > 0.0, true, &fit);
        const Problem p = {.fit = &fit, .rows = rows, .hardware = gpu};
        for (size_t i = 0; i < count; i++)
            if (gemm_fold(&rows[i].shape, folds) == fold)
                log_ratios[i] = gemm_log_ratio(&p, i);
    }
}

KernFitError kern_fit_gemm_error(const TopoGpu *gpu, const KernGemmRow *rows, size_t count,
                                 const KernGemmFit *fit)
{
    KernGemmFit copy = *fit;
    Problem p = {.row_count = count,
                 .log_ratio = gemm_log_ratio,
                 .fit = &copy,
                 .rows = rows,
                 .hardware = gpu};
    return measure(&p);
}

static double attention_log_ratio(const Problem *p, size_t i)
{
    const KernAttentionRow *row = (const KernAttentionRow *)p->rows + i;
    KernDevice device = {.gpu = p->hardware, .clock_fraction = 1.0};
    return log(kern_attention_form_s(&device, p->fit, &row->shape) / row->seconds);
}

static const Coefficient attention_coefficients[] = {
    {offsetof(KernAttentionFit, forward_fraction), 0.10, 0.60, 1.00},
    {offsetof(KernAttentionFit, head_dim_half),    0.0,  15.0, 200 },
    {offsetof(KernAttentionFit, sequence_half),    0.0,  400., 4000},
    {offsetof(KernAttentionFit, launch_s),         1e-6, 1e-5, 1e-4},
};

KernFitError kern_fit_attention(const TopoGpu *gpu, const KernAttentionRow *rows, size_t count,
                                KernAttentionFit *fit)
{
    KernFitError error = fit_rows(attention_coefficients, G_N_ELEMENTS(attention_coefficients),
                                  attention_log_ratio, gpu, rows, count, false, fit);
    fit->median_error_fraction = error.median_fraction;
    fit->p90_error_fraction = error.p90_fraction;
    fit->rows = (int64_t)count;
    return error;
}

KernFitError kern_fit_attention_error(const TopoGpu *gpu, const KernAttentionRow *rows,
                                      size_t count, const KernAttentionFit *fit)
{
    KernAttentionFit copy = *fit;
    Problem p = {.row_count = count,
                 .log_ratio = attention_log_ratio,
                 .fit = &copy,
                 .rows = rows,
                 .hardware = gpu};
    return measure(&p);
}
