/* Fitting forms that choose.
 *
 * As kern_fit.c: the mean over the rows of sqrt(log(predicted / measured)^2 + 0.01^2), searched by
 * Subplex (Rowan 1990) of NLopt. Every evaluation chooses algorithm and protocol anew, so the
 * objective has kinks where a row changes protocol; Subplex, which compares values only, walks over
 * them, and restarts from its own answer until that no longer helps. */
#include "kern_fit_search.h"

#include <math.h>
#include <nlopt.h>

enum { EVALUATIONS = 4000, GLANCE_EVALUATIONS = 700, RESTARTS = 12 };

static double objective(unsigned n, const double *x, double *gradient, void *data)
{
    (void)n;
    (void)gradient;
    const KernProblem *p = data;
    p->set(p, x);
    double sum = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double r = p->log_ratio(p, i);
        sum += sqrt(r * r + 1e-4);
    }
    return sum / (double)p->count;
}

KernFitError kern_fit_measure(const KernProblem *p)
{
    g_autofree double *log_ratios = g_new(double, p->count);
    for (size_t i = 0; i < p->count; i++)
        log_ratios[i] = p->log_ratio(p, i);
    return kern_fit_error(log_ratios, p->count);
}

KernFitError kern_fit_measure_large(const KernProblem *p)
{
    g_autofree double *log_ratios = g_new(double, p->count);
    size_t large = 0;
    for (size_t i = 0; i < p->count; i++)
        if (kern_fit_is_large(p->bytes(p, i)))
            log_ratios[large++] = p->log_ratio(p, i);
    return kern_fit_error(log_ratios, large);
}

static double search(KernProblem *p, double *x, int evaluations)
{
    double best = 0.0;
    nlopt_opt opt = nlopt_create(NLOPT_LN_SBPLX, (unsigned)p->searched);
    for (size_t i = 0; i < p->searched; i++) {
        nlopt_set_lower_bound(opt, (int)i, p->bounds[i].low);
        nlopt_set_upper_bound(opt, (int)i, p->bounds[i].high);
    }
    nlopt_set_min_objective(opt, objective, p);
    nlopt_set_maxeval(opt, evaluations);
    nlopt_set_xtol_rel(opt, 1e-4);
    nlopt_optimize(opt, x, &best);
    nlopt_destroy(opt);
    return best;
}

double kern_fit_descend(KernProblem *p, double *x)
{
    double before = INFINITY;
    for (int restart = 0; restart < RESTARTS; restart++) {
        double after = search(p, x, EVALUATIONS);
        if (after > before * 0.999)
            return after;
        before = after;
    }
    return before;
}

double kern_fit_glance(KernProblem *p, double *x)
{
    return search(p, x, GLANCE_EVALUATIONS);
}
