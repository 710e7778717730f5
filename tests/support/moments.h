/** Mean and spread of samples, with their standard errors. */
#ifndef MOMENTS_H
#define MOMENTS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Moments {
    double mean, mean_error;
    double cv, cv_error;
} Moments;

/** Of @count independent @sample. */
Moments moments_of(const double *sample, size_t count);

/** Is @want within four standard errors (one in 16,000 by chance) of the estimate @got? @slack is
 *  what rounding may add. */
bool moments_agree(double got, double error, double want, double slack);

#endif
