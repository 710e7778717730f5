/* Fitting an engine's all-reduces.
 *
 * The limits say which kernel ran each row, so the kernels hardly depend on each other: what joins
 * them is the copy of calls outside a graph, which the library's rows make too. All are searched at
 * once, so that a kernel with few rows in a graph learns its rate from those outside too. A kernel
 * that the host always hides (no row in a graph) gets no figures. */
#include "kern_fit_engine.h"

#include "kern_fit_search.h"

#include <math.h>

typedef enum Coefficient { BASE_S, PEER_S, FRACTION, HOST_S, OF_KERNEL } Coefficient;

enum { COPY_FRACTION = OF_KERNEL * TOPO_ENGINE_KERNELS, COEFFICIENTS };

static const KernBound kernel_bounds[OF_KERNEL] = {
    [BASE_S] = {1e-6, 6e-6, 1e-4},
    [PEER_S] = {0.0,  1e-7, 5e-6},
    [FRACTION] = {0.05, 0.5,  1.0 },
    [HOST_S] = {1e-6, 3e-5, 2e-4},
};
static const KernBound copy_bound = {0.0, 0.3, 2.0};

/* What the rows were measured on, and which kernels ran some of them in a graph. */
typedef struct Bench {
    const TopoProtocolWires *wires;
    bool seen[TOPO_ENGINE_KERNELS];
} Bench;

double kern_fit_engine_log_ratio(const TopoProtocolWires *wires, const TopoEngineFit *fit,
                                 const KernEngineRow *row)
{
    TopoEngineChoice choice;
    if (!topo_protocol_engine(fit, &row->call, wires, row->captured, &choice, NULL))
        return 10.0; /* as wrong as can be */
    return log(choice.seconds / row->seconds);
}

static double engine_bytes(const KernProblem *p, size_t i)
{
    return ((const KernEngineRow *)p->rows)[i].call.bytes;
}

static double log_ratio(const KernProblem *p, size_t i)
{
    const Bench *bench = p->hardware;
    return kern_fit_engine_log_ratio(bench->wires, p->fit, (const KernEngineRow *)p->rows + i);
}

static void set_engine(const KernProblem *p, const double *x)
{
    const Bench *bench = p->hardware;
    TopoEngineFit *fit = p->fit;
    for (int k = 0; k < TOPO_ENGINE_KERNELS; k++) {
        const double *of = x + (ptrdiff_t)k * OF_KERNEL;
        fit->kernel[k] = (TopoEngineTerm){0};
        if (bench->seen[k])
            fit->kernel[k] = (TopoEngineTerm){of[BASE_S], of[PEER_S], of[FRACTION], of[HOST_S]};
    }
    fit->eager_copy_fraction = x[COPY_FRACTION];
}

/* Puts the errors of what was fitted beside it. */
static KernFitError note_errors(const KernProblem *p, TopoEngineFit *fit)
{
    KernFitError all = kern_fit_measure(p), large = kern_fit_measure_large(p);
    fit->rows = (int64_t)all.rows;
    fit->median_error_fraction = all.median_fraction;
    fit->large_rows = (int64_t)large.rows;
    fit->large_median_error_fraction = large.median_fraction;
    fit->large_p90_error_fraction = large.p90_fraction;
    return all;
}

KernFitError kern_fit_engine(const TopoProtocolWires *wires, const KernEngineRow *rows,
                             size_t count, TopoEngineFit *fit)
{
    Bench bench = {.wires = wires};
    KernBound bounds[COEFFICIENTS];
    double x[COEFFICIENTS];
    for (size_t i = 0; i < COEFFICIENTS; i++) {
        bounds[i] = i == COPY_FRACTION ? copy_bound : kernel_bounds[i % OF_KERNEL];
        x[i] = bounds[i].start;
    }
    for (size_t i = 0; i < count; i++) {
        TopoEngineKernel kernel = topo_engine_kernel(fit, &rows[i].call);
        if (rows[i].captured && kernel != TOPO_ENGINE_LIBRARY)
            bench.seen[kernel] = true;
    }
    KernProblem problem = {.searched = COEFFICIENTS,
                           .bounds = bounds,
                           .set = set_engine,
                           .log_ratio = log_ratio,
                           .bytes = engine_bytes,
                           .count = count,
                           .rows = rows,
                           .fit = fit,
                           .hardware = &bench};
    kern_fit_descend(&problem, x);
    set_engine(&problem, x);
    return note_errors(&problem, fit);
}
