/* Fitting the form of kern_host_gemm.c.
 *
 * The coefficients are searched as multiples of a first guess: the best rate of any row, the best
 * seconds per element of any matrix-vector product, and for the rest what a core of the last
 * fifteen years does. Loops need no fit: their seconds per byte are kept as measured. */
#include "kern_host_fit.h"

#include "kern_fit_search.h"
#include "kern_host_gemm.h"

#include <math.h>

/* Multiples of the guess, in the order of units_of(). A CPU's call is never quite free. */
static const KernBound bounds[] = {
    {0.0,  1.0, 200.0}, /* call */
    {0.5,  1.0, 1.5  }, /* rate */
    {0.0,  1.0, 20.0 }, /* left */
    {0.01, 1.0, 20.0 }, /* right */
    {0.0,  1.0, 20.0 }, /* output */
    {0.0,  1.0, 5.0  }, /* edge */
    {0.0,  1.0, 500.0}, /* vector call */
    {0.5,  1.1, 5.0  }, /* vector right */
    {0.0,  1.0, 5.0  }, /* right exponent */
};

/* Rows with the guess in which their coefficients are searched. */
typedef struct Data {
    const KernGemmRow *rows;
    double unit[G_N_ELEMENTS(bounds)];
} Data;

static void set(const KernProblem *problem, const double *x)
{
    const Data *data = problem->rows;
    const double *unit = data->unit;
    KernHostGemmFit *fit = problem->fit;
    fit->call_s = x[0] * unit[0];
    fit->flop_per_s = x[1] * unit[1];
    fit->left_s = x[2] * unit[2];
    fit->right_s = x[3] * unit[3];
    fit->output_s = x[4] * unit[4];
    fit->edge_fraction = x[5] * unit[5];
    fit->vector_call_s = x[6] * unit[6];
    fit->vector_right_s = x[7] * unit[7];
    fit->right_exponent = x[8] * unit[8];
}

static double log_ratio(const KernProblem *problem, size_t row)
{
    const Data *data = problem->rows;
    const KernGemmRow *r = &data->rows[row];
    return log(kern_host_gemm_form_s(problem->fit, &r->shape) / r->seconds);
}

KernFitError kern_host_fit_gemm(const KernGemmRow *rows, size_t count, KernHostGemmFit *fit)
{
    Data data = {
        .rows = rows, .unit = {1e-6, 0.0, 3e-10, 5e-10, 3e-10, 0.1, 2e-7, INFINITY, 0.1}
    };
    for (size_t i = 0; i < count; i++) {
        const KernGemmShape *s = &rows[i].shape;
        double elements = (double)s->batch * (double)s->n * (double)s->k;
        if (s->m == 1)
            data.unit[7] = fmin(data.unit[7], rows[i].seconds / elements);
        else
            data.unit[1] = fmax(data.unit[1], kern_gemm_flop(s) / rows[i].seconds);
    }
    if (!isfinite(data.unit[7]))
        data.unit[7] = data.unit[3];
    double x[G_N_ELEMENTS(bounds)];
    for (size_t i = 0; i < G_N_ELEMENTS(bounds); i++)
        x[i] = bounds[i].start;
    KernProblem problem = {.searched = G_N_ELEMENTS(bounds),
                           .bounds = bounds,
                           .set = set,
                           .log_ratio = log_ratio,
                           .count = count,
                           .rows = &data,
                           .fit = fit};
    kern_fit_descend(&problem, x);
    set(&problem, x);
    KernFitError error = kern_fit_measure(&problem);
    fit->median_error_fraction = error.median_fraction;
    fit->p90_error_fraction = error.p90_fraction;
    fit->rows = (int64_t)count;
    return error;
}

static void fit_products(const KernHostBench *bench, bool activations, TopoDtype dtype,
                         KernHostGemmFit *fit)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
    for (size_t i = 0; i < kern_host_bench_count(bench); i++) {
        const KernHostTask *task = kern_host_bench_task(bench, i);
        KernGemmRow row = {.shape = task->shape, .seconds = task->seconds};
        if (task->kind == KERN_HOST_PRODUCT && task->activations == activations &&
            task->shape.dtype == dtype && task->seconds > 0.0)
            g_array_append_val(rows, row);
    }
    if (rows->len > 0)
        kern_host_fit_gemm((const KernGemmRow *)(void *)rows->data, rows->len, fit);
}

void kern_host_fit_bench(const KernHostBench *bench, int threads, KernHostFit *fit)
{
    static const TopoDtype dtypes[] = {TOPO_DTYPE_FP32, TOPO_DTYPE_BF16};
    *fit = (KernHostFit){.threads = threads};
    for (size_t i = 0; i < G_N_ELEMENTS(dtypes); i++) {
        fit_products(bench, false, dtypes[i], &fit->weights[dtypes[i]]);
        fit_products(bench, true, dtypes[i], &fit->activations[dtypes[i]]);
    }
    double loops = 0.0;
    for (size_t i = 0; i < kern_host_bench_count(bench); i++) {
        const KernHostTask *task = kern_host_bench_task(bench, i);
        if (task->kind != KERN_HOST_LOOP)
            continue;
        KernHostPassFit *pass = &fit->pass[task->pass];
        (task->backward ? pass->backward_s : pass->forward_s)[task->level] =
            task->seconds / task->bytes;
        if (!task->backward && task->pass == KERN_HOST_PASS_ADD)
            fit->level_bytes[task->level] = task->bytes;
        fit->pass_spread_fraction += task->spread_fraction;
        loops += 1.0;
    }
    fit->pass_spread_fraction /= fmax(loops, 1.0);
}

double kern_host_stream_bytes_per_s(const KernHostBench *bench, KernHostStream stream, size_t level)
{
    for (size_t i = 0; i < kern_host_bench_count(bench); i++) {
        const KernHostTask *task = kern_host_bench_task(bench, i);
        if (task->kind == KERN_HOST_STREAM && task->stream == stream && task->level == level &&
            task->seconds > 0.0)
            return task->bytes / task->seconds;
    }
    return 0.0;
}
