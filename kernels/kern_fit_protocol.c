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

typedef struct Bound {
    double low, start, high;
} Bound;

static const Bound bounds[] = {
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

/* A form with its measurements. */
typedef struct Problem {
    size_t searched; /* coefficients */
    const Bound *bounds;
    void (*set)(const struct Problem *problem, const double *x);
    double (*log_ratio)(const struct Problem *problem, size_t row);
    size_t count;
    const void *rows;
    void *fit;
    double bytes_per_s;
} Problem;

static double objective(unsigned n, const double *x, double *gradient, void *data)
{
    (void)n;
    (void)gradient;
    const Problem *p = data;
    p->set(p, x);
    double sum = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double r = p->log_ratio(p, i);
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
        with_sign[i] = exp(p->log_ratio(p, i)) - 1.0;
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
        nlopt_set_lower_bound(opt, (int)i, p->bounds[i].low);
        nlopt_set_upper_bound(opt, (int)i, p->bounds[i].high);
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

static double protocol_log_ratio(const Problem *p, size_t i)
{
    const KernProtocolRow *row = (const KernProtocolRow *)p->rows + i;
    TopoProtocolFits fits = {.channels = 1};
    fits.op[topo_protocol_op(row->call.op)] = *(const TopoProtocolFit *)p->fit;
    const TopoProtocolWires wires = {.inside = &fits, .inside_bytes_per_s = p->bytes_per_s};
    TopoProtocolChoice choice;
    if (!topo_protocol_choose(&row->call, &wires, &choice, NULL))
        return 10.0; /* as wrong as can be */
    return log(choice.seconds / row->seconds);
}

/* An all-to-all is one step: its hops are in its bases. */
static void set_protocol(const Problem *p, const double *x)
{
    TopoProtocolFit *fit = p->fit;
    const KernProtocolRow *rows = p->rows;
    double hops = p->count > 0 && rows[0].call.op == TOPO_OP_ALL_TO_ALL ? 0.0 : 1.0;
    TopoProtocolTerm *ll = &fit->protocol[TOPO_PROTOCOL_LL];
    TopoProtocolTerm *ll128 = &fit->protocol[TOPO_PROTOCOL_LL128];
    TopoProtocolTerm *simple = &fit->protocol[TOPO_PROTOCOL_SIMPLE];
    ll->base_s = x[LL_BASE_S];
    ll128->base_s = ll->base_s + x[LL128_BASE_MORE_S];
    simple->base_s = ll128->base_s + x[SIMPLE_BASE_MORE_S];
    ll->hop_s = hops * x[LL_HOP_S];
    ll128->hop_s = hops * x[LL128_HOP_S];
    simple->hop_s = hops * x[SIMPLE_HOP_S];
    simple->fraction = x[SIMPLE_FRACTION];
    ll128->fraction = x[LL128_OF_SIMPLE] * simple->fraction;
    ll->fraction = x[LL_OF_LL128] * ll128->fraction;
    fit->copy_fraction = x[COPY_FRACTION];
    fit->bulk_bias = x[BULK_BIAS];
    if (p->searched == COEFFICIENTS)
        fit->in_switch = (TopoProtocolTerm){x[SWITCH_BASE_S], x[SWITCH_HOP_S], x[SWITCH_FRACTION]};
}

static Problem protocol_problem(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                                TopoProtocolFit *fit)
{
    Problem p = {.searched = SWITCH_BASE_S,
                 .bounds = bounds,
                 .set = set_protocol,
                 .log_ratio = protocol_log_ratio,
                 .count = count,
                 .rows = rows,
                 .fit = fit,
                 .bytes_per_s = bytes_per_s};
    for (size_t i = 0; i < count; i++)
        if (rows[i].call.domain_reduces)
            p.searched = COEFFICIENTS;
    return p;
}

KernFitError kern_fit_protocol(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                               TopoProtocolFit *fit)
{
    *fit = (TopoProtocolFit){0};
    Problem p = protocol_problem(bytes_per_s, rows, count, fit);
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
    p.set(&p, best_x);
    return measure(&p);
}

KernFitError kern_fit_protocol_error(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                                     const TopoProtocolFit *fit)
{
    TopoProtocolFit copy = *fit;
    const Problem p = protocol_problem(bytes_per_s, rows, count, &copy);
    return measure(&p);
}

typedef enum ExpertCoefficient {
    EXPERT_BASE_S,
    EXPERT_RAMP_S,
    EXPERT_RAMP_BYTES,
    EXPERT_INSIDE_FRACTION,
    EXPERT_ACROSS_FRACTION, /* only where a row crosses */
    EXPERT_COEFFICIENTS
} ExpertCoefficient;

static const Bound expert_bounds[] = {
    [EXPERT_BASE_S] = {1e-6, 2e-5, 1e-4},
      [EXPERT_RAMP_S] = {0.0,  1e-5, 2e-4},
    [EXPERT_RAMP_BYTES] = {1e5,  2e6,  5e7 },
      [EXPERT_INSIDE_FRACTION] = {0.2,  0.7,  1.0 },
    [EXPERT_ACROSS_FRACTION] = {0.2,  0.8,  1.05},
};
_Static_assert(G_N_ELEMENTS(expert_bounds) == EXPERT_COEFFICIENTS, "bounds for each coefficient");

static double expert_log_ratio(const Problem *p, size_t i)
{
    const KernExpertRow *row = (const KernExpertRow *)p->rows + i;
    double seconds;
    if (!topo_protocol_expert_s(p->fit, &row->call, &row->rates, &seconds, NULL))
        return 10.0;
    return log(seconds / row->seconds);
}

static void set_expert(const Problem *p, const double *x)
{
    TopoExpertFit *fit = p->fit;
    const KernExpertRow *rows = p->rows;
    bool combine = p->count > 0 && rows[0].call.op == TOPO_OP_COMBINE;
    TopoExpertTerm *term = combine ? &fit->combine : &fit->dispatch;
    *term = (TopoExpertTerm){x[EXPERT_BASE_S], x[EXPERT_RAMP_S], x[EXPERT_RAMP_BYTES],
                             x[EXPERT_INSIDE_FRACTION], 0.0};
    if (p->searched == EXPERT_COEFFICIENTS)
        term->across_fraction = x[EXPERT_ACROSS_FRACTION];
}

static Problem expert_problem(const KernExpertRow *rows, size_t count, TopoExpertFit *fit)
{
    Problem p = {.searched = EXPERT_ACROSS_FRACTION,
                 .bounds = expert_bounds,
                 .set = set_expert,
                 .log_ratio = expert_log_ratio,
                 .count = count,
                 .rows = rows,
                 .fit = fit};
    for (size_t i = 0; i < count; i++)
        if (rows[i].call.ranks > rows[i].call.ranks_per_domain)
            p.searched = EXPERT_COEFFICIENTS;
    return p;
}

KernFitError kern_fit_expert(const KernExpertRow *rows, size_t count, TopoExpertFit *fit)
{
    Problem p = expert_problem(rows, count, fit);
    double x[EXPERT_COEFFICIENTS];
    for (size_t i = 0; i < EXPERT_COEFFICIENTS; i++)
        x[i] = expert_bounds[i].start;
    descend(&p, x);
    p.set(&p, x);
    return measure(&p);
}

KernFitError kern_fit_expert_error(const KernExpertRow *rows, size_t count,
                                   const TopoExpertFit *fit)
{
    TopoExpertFit copy = *fit;
    const Problem p = expert_problem(rows, count, &copy);
    return measure(&p);
}
