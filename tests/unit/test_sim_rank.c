#include <criterion/criterion.h>

#include "sim_rank.h"

#include <math.h>

/* Spearman's own example has no ties; with ranks 1 2 3 4 against 2 1 4 3, 1 - 6 * 4 / (4 * 15). */
Test(sim_rank, correlation_is_that_of_the_ranks)
{
    const double a[] = {0.1, 20.0, 300.0, 4e6}, b[] = {-1.0, -2.0, 8.0, 7.0}, c[] = {4, 3, 2, 1};
    cr_expect_float_eq(sim_rank_correlation(a, b, 4), 0.6, 1e-12);
    cr_expect_float_eq(sim_rank_correlation(a, a, 4), 1.0, 1e-12);
    cr_expect_float_eq(sim_rank_correlation(a, c, 4), -1.0, 1e-12);
}

/* Ranks 1.5 1.5 3 against 1 2 3: 1.5 / sqrt(1.5 * 2). */
Test(sim_rank, equal_numbers_share_their_rank)
{
    const double a[] = {5, 5, 9}, b[] = {1, 2, 3}, same[] = {7, 7, 7};
    cr_expect_float_eq(sim_rank_correlation(a, b, 3), sqrt(0.75), 1e-12);
    cr_expect(isnan(sim_rank_correlation(a, same, 3)));
    cr_expect(isnan(sim_rank_correlation(a, b, 0)));
}
