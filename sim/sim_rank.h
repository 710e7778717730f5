/** Ranks of numbers. */
#ifndef SIM_RANK_H
#define SIM_RANK_H

#include <stddef.h>

/** Spearman's rank correlation of @count pairs: Pearson's of their ranks, equal numbers sharing the
 *  mean of theirs (Spearman 1904). NaN where all of either are equal, or there are none. O(n^2). */
double sim_rank_correlation(const double *a, const double *b, size_t count);

#endif
