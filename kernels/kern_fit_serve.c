/* Fitting the kernels of serving.
 *
 * A class (head width and cache, or type and kernels of an expert layer) has continuous
 * coefficients, searched as in kern_fit_search.c, and a few whole choices that belong to the
 * software: tile, packing, rules. Each combination of choices gets a short search on every eighth
 * row, the best one a full search. Rows that enter are taken evenly from the order of the table, so
 * that a fit is deterministic; the errors kept beside it are over all rows. */
#include "kern_fit_serve.h"

#include "kern_fit_search.h"

#include <math.h>

enum { COEFFICIENTS_MOST = 32, SHORT_ROWS = 120 };

/* A form with its rows, of which every @step-th is looked at. */
typedef struct Task {
    const TopoGpu *gpu;
    const KernCoefficient *coefficients;
    size_t coefficient_count, row_size, step;
    double (*log_ratio)(const TopoGpu *gpu, const void *fit, const void *row);
    void (*choose)(void *fit, int choice);
    int choices;
} Task;

static void set(const KernProblem *p, const double *x)
{
    const Task *task = p->hardware;
    for (size_t i = 0; i < task->coefficient_count; i++)
        *(double *)((char *)p->fit + task->coefficients[i].offset) = x[i];
}

static double log_ratio(const KernProblem *p, size_t i)
{
    const Task *task = p->hardware;
    return task->log_ratio(task->gpu, p->fit,
                           (const char *)p->rows + i * task->step * task->row_size);
}

/* Searches from the middle of the bounds; returns the mean distance. */
static double search(const Task *task, const void *rows, size_t count, void *fit, bool full)
{
    KernBound bounds[COEFFICIENTS_MOST];
    double x[COEFFICIENTS_MOST];
    for (size_t i = 0; i < task->coefficient_count; i++) {
        const KernCoefficient *c = &task->coefficients[i];
        bounds[i] = (KernBound){c->low, c->start, c->high};
        x[i] = c->start;
    }
    KernProblem problem = {.searched = task->coefficient_count,
                           .bounds = bounds,
                           .set = set,
                           .log_ratio = log_ratio,
                           .count = (count + task->step - 1) / task->step,
                           .rows = rows,
                           .fit = fit,
                           .hardware = task};
    double reached = full ? kern_fit_descend(&problem, x) : kern_fit_glance(&problem, x);
    set(&problem, x);
    return reached;
}

static KernFitError fit_class(Task *task, const void *rows, size_t count, size_t searched,
                              void *fit)
{
    double least = INFINITY;
    int best = 0;
    task->step = 1 + count / SHORT_ROWS;
    for (int choice = 0; choice < task->choices; choice++) {
        task->choose(fit, choice);
        double reached = search(task, rows, count, fit, false);
        if (reached < least * 0.999) {
            least = reached;
            best = choice;
        }
    }
    task->choose(fit, best);
    task->step = 1 + count / searched;
    search(task, rows, count, fit, true);
    g_autofree double *log_ratios = g_new(double, count);
    for (size_t i = 0; i < count; i++)
        log_ratios[i] = task->log_ratio(task->gpu, fit, (const char *)rows + i * task->row_size);
    return kern_fit_error(log_ratios, count);
}

static KernFitted fitted(const KernFitError *error, const char *software)
{
    return (KernFitted){.software = software,
                        .rows = (int64_t)error->rows,
                        .median_error_fraction = error->median_fraction,
                        .p90_error_fraction = error->p90_fraction};
}

static KernDevice bench(const TopoGpu *gpu)
{
    return (KernDevice){.gpu = gpu, .clock_fraction = 1.0};
}

double kern_fit_prefill_log_ratio(const TopoGpu *gpu, const KernPrefillFit *fit,
                                  const KernPrefillRow *row)
{
    KernDevice device = bench(gpu);
    return log(kern_prefill_form_s(&device, fit, &row->shape) / row->seconds);
}

double kern_fit_decode_log_ratio(const TopoGpu *gpu, const KernDecodeFit *fit,
                                 const KernDecodeRow *row)
{
    KernDevice device = bench(gpu);
    return log(kern_decode_form_s(&device, fit, &row->shape) / row->seconds);
}

double kern_fit_moe_log_ratio(const TopoGpu *gpu, const KernMoeFit *fit, const KernMoeRow *row)
{
    KernDevice device = bench(gpu);
    return log(kern_moe_form_s(&device, fit, &row->shape) / row->seconds);
}

static double prefill_ratio(const TopoGpu *gpu, const void *fit, const void *row)
{
    return kern_fit_prefill_log_ratio(gpu, fit, row);
}

static double decode_ratio(const TopoGpu *gpu, const void *fit, const void *row)
{
    return kern_fit_decode_log_ratio(gpu, fit, row);
}

static double moe_ratio(const TopoGpu *gpu, const void *fit, const void *row)
{
    return kern_fit_moe_log_ratio(gpu, fit, row);
}

/* Tiles that kernels are compiled for, one or two an SM, packed or not. */
static void choose_prefill(void *fit, int choice)
{
    static const int64_t rows[] = {64, 128, 192, 256}, keys[] = {64, 128};
    KernPrefillFit *prefill = fit;
    prefill->packs_group = choice % 2;
    prefill->tiles_per_sm = 1 + choice / 2 % 2;
    prefill->tile_keys = keys[choice / 4 % 2];
    prefill->tile_rows = rows[choice / 8];
}

static void choose_decode(void *fit, int choice)
{
    ((KernDecodeFit *)fit)->splits = (KernDecodeSplits)choice;
}

static void choose_moe(void *fit, int choice)
{
    ((KernMoeFit *)fit)->tiles = (KernMoeTiles)(choice % 3);
    ((KernMoeFit *)fit)->whole_tokens = choice / 3;
}

void kern_fit_prefill(const TopoGpu *gpu, const KernPrefillRow *rows, size_t count, size_t searched,
                      KernPrefillFit *fit)
{
    Task task = {.gpu = gpu,
                 .row_size = sizeof *rows,
                 .log_ratio = prefill_ratio,
                 .choose = choose_prefill,
                 .choices = 32};
    task.coefficients = kern_prefill_coefficients(&task.coefficient_count);
    KernFitError error = fit_class(&task, rows, count, searched, fit);
    fit->fitted = fitted(&error, count > 0 ? rows[0].software : NULL);
}

void kern_fit_decode(const TopoGpu *gpu, const KernDecodeRow *rows, size_t count, size_t searched,
                     KernDecodeFit *fit)
{
    Task task = {.gpu = gpu,
                 .row_size = sizeof *rows,
                 .log_ratio = decode_ratio,
                 .choose = choose_decode,
                 .choices = KERN_SPLITS_COUNT};
    task.coefficients = kern_decode_coefficients(&task.coefficient_count);
    KernFitError error = fit_class(&task, rows, count, searched, fit);
    fit->fitted = fitted(&error, count > 0 ? rows[0].software : NULL);
}

void kern_fit_moe(const TopoGpu *gpu, const KernMoeRow *rows, size_t count, size_t searched,
                  KernMoeFit *fit)
{
    Task task = {.gpu = gpu,
                 .row_size = sizeof *rows,
                 .log_ratio = moe_ratio,
                 .choose = choose_moe,
                 .choices = 6};
    task.coefficients = kern_moe_coefficients(&task.coefficient_count);
    KernFitError error = fit_class(&task, rows, count, searched, fit);
    fit->fitted = fitted(&error, count > 0 ? rows[0].software : NULL);
}
