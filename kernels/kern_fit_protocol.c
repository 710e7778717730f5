/* Fitting protocols, and the kernels of expert layers: coefficients and their bounds.
 *
 * Rows are fitted one operation at a time. The form of kern_fit_search.c has no gradient, because
 * every evaluation chooses the protocol of every row anew. */
#include "kern_fit_protocol.h"

#include "kern_fit_search.h"

#include <math.h>

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

static const KernBound bounds[] = {
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

double kern_fit_protocol_log_ratio(double bytes_per_s, const TopoProtocolFit *fit,
                                   const KernProtocolRow *row)
{
    TopoProtocolFits fits = {.channels = 1};
    fits.op[topo_protocol_op(row->call.op)] = *fit;
    const TopoProtocolWires wires = {.inside = &fits, .inside_bytes_per_s = bytes_per_s};
    TopoProtocolChoice choice;
    if (!topo_protocol_choose(&row->call, &wires, &choice, NULL))
        return 10.0; /* as wrong as can be */
    return log(choice.seconds / row->seconds);
}

static double protocol_bytes(const KernProblem *p, size_t i)
{
    return ((const KernProtocolRow *)p->rows)[i].call.bytes;
}

static double protocol_log_ratio(const KernProblem *p, size_t i)
{
    return kern_fit_protocol_log_ratio(*(const double *)p->hardware, p->fit,
                                       (const KernProtocolRow *)p->rows + i);
}

/* An all-to-all is one step: its hops are in its bases. */
static void set_protocol(const KernProblem *p, const double *x)
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

static KernProblem protocol_problem(const double *bytes_per_s, const KernProtocolRow *rows,
                                    size_t count, TopoProtocolFit *fit)
{
    KernProblem p = {.searched = SWITCH_BASE_S,
                     .bounds = bounds,
                     .set = set_protocol,
                     .log_ratio = protocol_log_ratio,
                     .bytes = protocol_bytes,
                     .count = count,
                     .rows = rows,
                     .fit = fit,
                     .hardware = bytes_per_s};
    for (size_t i = 0; i < count; i++)
        if (rows[i].call.domain_reduces)
            p.searched = COEFFICIENTS;
    return p;
}

/* Puts the errors of what was fitted beside it. */
static KernFitError note_errors(const KernProblem *p, TopoProtocolFit *fit)
{
    KernFitError all = kern_fit_measure(p), large = kern_fit_measure_large(p);
    fit->rows = (int64_t)all.rows;
    fit->median_error_fraction = all.median_fraction;
    fit->large_rows = (int64_t)large.rows;
    fit->large_median_error_fraction = large.median_fraction;
    fit->large_p90_error_fraction = large.p90_fraction;
    return all;
}

KernFitError kern_fit_protocol(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                               TopoProtocolFit *fit)
{
    *fit = (TopoProtocolFit){0};
    KernProblem p = protocol_problem(&bytes_per_s, rows, count, fit);
    double best = INFINITY, best_x[COEFFICIENTS] = {0.0};
    for (size_t start = 0; start < G_N_ELEMENTS(ll_starts); start++) {
        double x[COEFFICIENTS];
        for (size_t i = 0; i < COEFFICIENTS; i++)
            x[i] = bounds[i].start;
        x[LL_OF_LL128] = ll_starts[start];
        double reached = kern_fit_descend(&p, x);
        if (reached < best)
            memcpy(best_x, x, sizeof x);
        best = fmin(best, reached);
    }
    p.set(&p, best_x);
    return note_errors(&p, fit);
}

/* How many of the rows' sizes are smaller than @bytes, modulo @folds. */
static size_t fold_of(const KernProtocolRow *rows, size_t count, double bytes, size_t folds)
{
    size_t smaller = 0;
    for (size_t i = 0; i < count; i++) {
        bool seen = rows[i].call.bytes >= bytes;
        for (size_t j = 0; j < i && !seen; j++)
            seen = rows[j].call.bytes == rows[i].call.bytes;
        smaller += !seen;
    }
    return smaller % folds;
}

void kern_fit_protocol_held_out(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                                size_t folds, double *log_ratios)
{
    g_autofree KernProtocolRow *kept = g_new(KernProtocolRow, count);
    for (size_t fold = 0; fold < folds; fold++) {
        size_t keep = 0;
        for (size_t i = 0; i < count; i++)
            if (fold_of(rows, count, rows[i].call.bytes, folds) != fold)
                kept[keep++] = rows[i];
        TopoProtocolFit fit;
        kern_fit_protocol(bytes_per_s, kept, keep, &fit);
        for (size_t i = 0; i < count; i++)
            if (fold_of(rows, count, rows[i].call.bytes, folds) == fold)
                log_ratios[i] = kern_fit_protocol_log_ratio(bytes_per_s, &fit, &rows[i]);
    }
}

KernFitError kern_fit_protocol_error(double bytes_per_s, const KernProtocolRow *rows, size_t count,
                                     const TopoProtocolFit *fit)
{
    TopoProtocolFit copy = *fit;
    const KernProblem p = protocol_problem(&bytes_per_s, rows, count, &copy);
    return kern_fit_measure(&p);
}

typedef enum ExpertCoefficient {
    EXPERT_BASE_S,
    EXPERT_RAMP_S,
    EXPERT_RAMP_BYTES,
    EXPERT_INSIDE_FRACTION,
    EXPERT_ACROSS_FRACTION, /* only where a row crosses */
    EXPERT_COEFFICIENTS
} ExpertCoefficient;

static const KernBound expert_bounds[] = {
    [EXPERT_BASE_S] = {1e-6, 2e-5, 1e-4},
      [EXPERT_RAMP_S] = {0.0,  1e-5, 2e-4},
    [EXPERT_RAMP_BYTES] = {1e5,  2e6,  5e7 },
      [EXPERT_INSIDE_FRACTION] = {0.2,  0.7,  1.0 },
    [EXPERT_ACROSS_FRACTION] = {0.2,  0.8,  1.05},
};
_Static_assert(G_N_ELEMENTS(expert_bounds) == EXPERT_COEFFICIENTS, "bounds for each coefficient");

static double expert_log_ratio(const KernProblem *p, size_t i)
{
    const KernExpertRow *row = (const KernExpertRow *)p->rows + i;
    double seconds;
    if (!topo_protocol_expert_s(p->fit, &row->call, &row->rates, &seconds, NULL))
        return 10.0;
    return log(seconds / row->seconds);
}

static void set_expert(const KernProblem *p, const double *x)
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

static KernProblem expert_problem(const KernExpertRow *rows, size_t count, TopoExpertFit *fit)
{
    KernProblem p = {.searched = EXPERT_ACROSS_FRACTION,
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
    KernProblem p = expert_problem(rows, count, fit);
    double x[EXPERT_COEFFICIENTS];
    for (size_t i = 0; i < EXPERT_COEFFICIENTS; i++)
        x[i] = expert_bounds[i].start;
    kern_fit_descend(&p, x);
    p.set(&p, x);
    return kern_fit_measure(&p);
}

KernFitError kern_fit_expert_error(const KernExpertRow *rows, size_t count,
                                   const TopoExpertFit *fit)
{
    TopoExpertFit copy = *fit;
    const KernProblem p = expert_problem(rows, count, &copy);
    return kern_fit_measure(&p);
}
