/* Fitting protocols.
 *
 * As kern_fit.c: the mean over the rows of sqrt(log(predicted / measured)^2 + 0.01^2), searched by
 * Subplex (Rowan 1990) of NLopt. Every evaluation chooses algorithm and protocol anew, so the
 * objective has kinks where a row changes protocol; Subplex, which compares values only, walks over
 * them, and restarts from its own answer until that no longer helps. */
#include "kern_fit_protocol.h"

#include <math.h>
#include <nlopt.h>

enum { EVALUATIONS = 4000, RESTARTS = 4 };

/* What is searched. Bases grow and fractions shrink from the bulk protocol to the quick ones, so
 * these are steps and ratios; LL pays a flag for each word of payload, LL128 8 bytes of 128. */
typedef enum Coefficient {
    LL_BASE_S,
    LL128_BASE_MORE_S,
    SIMPLE_BASE_MORE_S,
    LL_HOP_S,
    LL128_HOP_S,
    SIMPLE_HOP_S,
    SIMPLE_FRACTION,
    LL128_OF_SIMPLE,
    LL_OF_LL128,
    COPY_FRACTION,
    BULK_BIAS,
    SWITCH_BASE_S, /* these only where a switch reduces */
    SWITCH_HOP_S,
    SWITCH_FRACTION,
    COEFFICIENTS
} Coefficient;

static const struct {
    double low, start, high;
} bounds[] = {
    [LL_BASE_S] = {1e-6,  6e-6, 1e-4  },
    [LL128_BASE_MORE_S] = {0.0,   1e-6, 5e-5  },
    [SIMPLE_BASE_MORE_S] = {0.0,   1e-5, 1e-4  },
    [LL_HOP_S] = {0.0,   1e-6, 2e-5  },
    [LL128_HOP_S] = {0.0,   1e-6, 2e-5  },
    [SIMPLE_HOP_S] = {0.0,   2e-6, 2e-5  },
    [SIMPLE_FRACTION] = {0.2,   0.85, 1.0   },
    [LL128_OF_SIMPLE] = {0.05,  0.5,  0.9375},
    [LL_OF_LL128] = {0.005, 0.2,  0.5333},
    [COPY_FRACTION] = {0.0,   0.3,  1.0   },
    [BULK_BIAS] = {0.5,   0.9,  1.0   },
    [SWITCH_BASE_S] = {1e-6,  3e-5, 2e-4  },
    [SWITCH_HOP_S] = {0.0,   3e-6, 2e-5  },
    [SWITCH_FRACTION] = {0.2,   0.8,  1.0   },
};
_Static_assert(G_N_ELEMENTS(bounds) == COEFFICIENTS, "bounds for each coefficient");

/* LL may be far slower than half the rate: another place to start from. */
static const double ll_starts[] = {0.3, 0.03};

typedef struct Problem {
    double bytes_per_s;
    const KernProtocolRow *rows;
    size_t count;
    TopoProtocolFit *fit;
    size_t searched; /* coefficients */
} Problem;

static double log_ratio(const Problem *p, const KernProtocolRow *row)
{
    TopoProtocolFits fits = {.channels = 1};
    fits.op[topo_protocol_op(row->call.op)] = *p->fit;
    const TopoProtocolWires wires = {.inside = &fits, .inside_bytes_per_s = p->bytes_per_s};
    TopoProtocolChoice choice;
    if (!topo_protocol_choose(&row->call, &wires, &choice, NULL))
        return 10.0; /* as wrong as can be */
    return log(choice.seconds / row->seconds);
}

static void set_coefficients(const Problem *p, const double *x)
{
    TopoProtocolTerm *ll = &p->fit->protocol[TOPO_PROTOCOL_LL];
    TopoProtocolTerm *ll128 = &p->fit->protocol[TOPO_PROTOCOL_LL128];
    TopoProtocolTerm *simple = &p->fit->protocol[TOPO_PROTOCOL_SIMPLE];
    ll->base_s = x[LL_BASE_S];
    ll128->base_s = ll->base_s + x[LL128_BASE_MORE_S];
    simple->base_s = ll128->base_s + x[SIMPLE_BASE_MORE_S];
    ll->hop_s = x[LL_HOP_S];
    ll128->hop_s = x[LL128_HOP_S];
    simple->hop_s = x[SIMPLE_HOP_S];
    simple->fraction = x[SIMPLE_FRACTION];
    ll128->fraction = x[LL128_OF_SIMPLE] * simple->fraction;
    ll->fraction = x[LL_OF_LL128] * ll128->fraction;
    p->fit->copy_fraction = x[COPY_FRACTION];
    p->fit->bulk_bias = x[BULK_BIAS];
    if (p->searched == COEFFICIENTS)
        p->fit->in_switch =
            (TopoProtocolTerm){x[SWITCH_BASE_S], x[SWITCH_HOP_S], x[SWITCH_FRACTION]};
}

static double objective(unsigned n, const double *x, double *gradient, void *data)
{
    (void)n;
    (void)gradient;
    const Problem *p = data;
    set_coefficients(p, x);
    double sum = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double r = log_ratio(p, &p->rows[i]);
        sum += sqrt(r * r + 1e-4);
    }
    return sum / (double)p->count;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static KernFitError measure(const Problem *p)
{
    size_t n = p->count;
    if (n == 0)
        return (KernFitError){0};
    g_autofree double *absolute = g_new(double, n);
    g_autofree double *with_sign = g_new(double, n);
    for (size_t i = 0; i < n; i++) {
        with_sign[i] = exp(log_ratio(p, &p->rows[i])) - 1.0;
        absolute[i] = fabs(with_sign[i]);
    }
    qsort(absolute, n, sizeof *absolute, compare_doubles);
    qsort(with_sign, n, sizeof *with_sign, compare_doubles);
    return (KernFitError){.rows = n,
                          .median_fraction = absolute[n / 2],
                          .p90_fraction = absolute[n * 9 / 10],
                          .bias_fraction = with_sign[n / 2]};
}

static double search(Problem *p, double *x)
{
    double best = 0.0;
    nlopt_opt opt = nlopt_create(NLOPT_LN_SBPLX, (unsigned)p->searched);
    for (size_t i = 0; i < p->searched; i++) {
        nlopt_set_lower_bound(opt, (int)i, bounds[i].low);
        nlopt_set_upper_bound(opt, (int)i, bounds[i].high);
    }
    nlopt_set_min_objective(opt, objective, p);
    nlopt_set_maxeval(opt, EVALUATIONS);
    nlopt_set_xtol_rel(opt, 1e-4);
    nlopt_optimize(opt, x, &best);
    nlopt_destroy(opt);
    return best;
}

/* Searches again from where it stopped, until that no longer helps. */
static double descend(Problem *p, double *x)
{
    double before = INFINITY;
    for (int restart = 0; restart < RESTARTS; restart++) {
        double after = search(p, x);
        if (after > before * 0.99)
            return after;
        before = after;
    }
    return before;
}

KernFitError kern_fit_protocol(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                               TopoProtocolFit *fit)
{
    *fit = (TopoProtocolFit){0};
    Problem p = {bytes_per_s, rows, count, fit, SWITCH_BASE_S};
    for (size_t i = 0; i < count; i++)
        if (rows[i].call.domain_reduces)
            p.searched = COEFFICIENTS;
    double best = INFINITY, best_x[COEFFICIENTS] = {0.0};
    for (size_t start = 0; start < G_N_ELEMENTS(ll_starts); start++) {
        double x[COEFFICIENTS];
        for (size_t i = 0; i < COEFFICIENTS; i++)
            x[i] = bounds[i].start;
        x[LL_OF_LL128] = ll_starts[start];
        double reached = descend(&p, x);
        if (reached < best)
            memcpy(best_x, x, sizeof x);
        best = fmin(best, reached);
    }
    set_coefficients(&p, best_x);
    return measure(&p);
}

KernFitError kern_fit_protocol_error(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                                     const TopoProtocolFit *fit)
{
    TopoProtocolFit copy = *fit;
    const Problem p = {bytes_per_s, rows, count, &copy, 0};
    return measure(&p);
}
