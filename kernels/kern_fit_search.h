/** The search that fits of collectives share. Private to kern_fit_*.c. See kern_fit_search.c. */
#ifndef KERN_FIT_SEARCH_H
#define KERN_FIT_SEARCH_H

#include "kern_fit.h"

/** Where a coefficient is searched. */
typedef struct KernBound {
    double low, start, high;
} KernBound;

/** A form with its measurements. */
typedef struct KernProblem {
    size_t searched; /* coefficients */
    const KernBound *bounds;
    void (*set)(const struct KernProblem *problem, const double *x);
    double (*log_ratio)(const struct KernProblem *problem, size_t row);
    double (*bytes)(const struct KernProblem *problem, size_t row); /* for the large errors */
    size_t count;
    const void *rows;
    void *fit;
    const void *hardware;
} KernProblem;

/** Improves @x, of @searched coefficients, until that no longer helps; returns the mean of
 *  |log(predicted / measured)| that it reached. */
double kern_fit_descend(KernProblem *problem, double *x);

/** Likewise, for a few hundred evaluations only: to tell forms apart. */
double kern_fit_glance(KernProblem *problem, double *x);

/** The error of the coefficients that are set; of the large rows alone. */
KernFitError kern_fit_measure(const KernProblem *problem);
KernFitError kern_fit_measure_large(const KernProblem *problem);

#endif
