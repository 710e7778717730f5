/* Laws of interpolation, on drawn grids with drawn holes: an answer lies between the measurements
 * around it, it grows where they all grow, and a measured point answers itself.
 *
 * Monotone answers are asked of full grids along one coordinate: where a hole is jumped, the two
 * sides of it are joined by different neighbours, and only the bounds hold. */
#include "kern_grid.h"
#include "sim_random.h"

#include <criterion/criterion.h>

#include <math.h>

enum { SIDE = 5, QUERIES = 400, GRIDS = 60 };

typedef struct Drawn {
    KernGridPoint point[SIDE * SIDE * SIDE];
    size_t count;
    int64_t axis[KERN_GRID_LEVELS][SIDE];
    double least_s, most_s;
} Drawn;

static int64_t below(SimRandom *draws, int64_t limit)
{
    return (int64_t)(sim_random_uniform(draws) * (double)limit);
}

/* Axes grow by factors from 1 to 4; times are @rising sums of drawn steps along every axis, or
 * anything at all. */
static Drawn draw(SimRandom *draws, bool rising, double hole_fraction)
{
    Drawn d = {.least_s = INFINITY};
    double step[KERN_GRID_LEVELS][SIDE];
    for (int l = 0; l < KERN_GRID_LEVELS; l++)
        for (int i = 0; i < SIDE; i++) {
            d.axis[l][i] = i == 0 ? 1 + below(draws, 8)
                                  : d.axis[l][i - 1] + 1 + below(draws, 3 * d.axis[l][i - 1]);
            step[l][i] = (i == 0 ? 0.0 : step[l][i - 1]) + sim_random_uniform(draws);
        }
    for (int a = 0; a < SIDE; a++)
        for (int b = 0; b < SIDE; b++)
            for (int c = 0; c < SIDE; c++) {
                double s = 1e-6 * (rising ? 1.0 + step[0][a] + step[1][b] * (1.0 + step[2][c])
                                          : 1.0 + 9.0 * sim_random_uniform(draws));
                if (sim_random_uniform(draws) < hole_fraction)
                    continue;
                d.point[d.count++] = (KernGridPoint){
                    7, {d.axis[0][a], d.axis[1][b], d.axis[2][c]},
                     s
                };
                d.least_s = fmin(d.least_s, s);
                d.most_s = fmax(d.most_s, s);
            }
    return d;
}

static void draw_place(SimRandom *draws, const Drawn *d, int64_t *at)
{
    for (int l = 0; l < KERN_GRID_LEVELS; l++)
        at[l] = d->axis[l][0] + below(draws, d->axis[l][SIDE - 1] - d->axis[l][0] + 1);
}

static KernGrid *index_of(const Drawn *d, KernGridScale scale)
{
    Drawn copy = *d; /* the grid sorts what it is given */
    return kern_grid_new(copy.point, copy.count, scale);
}

Test(kern_grid, answers_lie_within_the_measurements_and_points_answer_themselves)
{
    SimRandom draws = sim_random_stream(1, "grid");
    size_t hits = 0, misses = 0;
    for (int g = 0; g < GRIDS; g++) {
        Drawn d = draw(&draws, false, 0.3);
        g_autoptr(KernGrid) grid = index_of(&d, g % 2 ? KERN_GRID_SCORES : KERN_GRID_LINEAR);
        double s = 0.0;
        for (size_t i = 0; i < d.count; i++) {
            cr_expect(kern_grid_find(grid, 7, d.point[i].at, &s) == KERN_GRID_EXACT);
            cr_expect(s == d.point[i].seconds);
            cr_expect(kern_grid_find(grid, 8, d.point[i].at, &s) == KERN_GRID_MISS);
        }
        for (int q = 0; q < QUERIES; q++) {
            int64_t at[KERN_GRID_LEVELS];
            draw_place(&draws, &d, at);
            if (kern_grid_find(grid, 7, at, &s) == KERN_GRID_MISS) {
                misses++;
                continue;
            }
            hits++;
            cr_expect(s >= d.least_s * (1 - 1e-12) && s <= d.most_s * (1 + 1e-12), "%g", s);
        }
    }
    cr_expect(hits > 2 * misses, "%zu of %zu answered", hits, hits + misses);
}

/* Along one line of measurements an answer lies between its two neighbours. */
Test(kern_grid, between_two_rows_the_answer_lies_between_them)
{
    SimRandom draws = sim_random_stream(2, "grid");
    for (int g = 0; g < GRIDS; g++) {
        Drawn d = draw(&draws, false, 0.0);
        g_autoptr(KernGrid) grid = index_of(&d, g % 2 ? KERN_GRID_SCORES : KERN_GRID_LINEAR);
        for (int q = 0; q < QUERIES; q++) {
            int l = (int)below(&draws, KERN_GRID_LEVELS), i = (int)below(&draws, SIDE - 1);
            int64_t at[KERN_GRID_LEVELS], low[KERN_GRID_LEVELS], high[KERN_GRID_LEVELS];
            for (int x = 0; x < KERN_GRID_LEVELS; x++)
                at[x] = low[x] = high[x] = d.axis[x][below(&draws, SIDE)];
            low[l] = d.axis[l][i];
            high[l] = d.axis[l][i + 1];
            at[l] = low[l] + below(&draws, high[l] - low[l] + 1);
            double s = 0.0, a = 0.0, b = 0.0;
            cr_expect(kern_grid_find(grid, 7, low, &a) == KERN_GRID_EXACT);
            cr_expect(kern_grid_find(grid, 7, high, &b) == KERN_GRID_EXACT);
            cr_expect(kern_grid_find(grid, 7, at, &s) != KERN_GRID_MISS);
            cr_expect(s >= fmin(a, b) * (1 - 1e-12) && s <= fmax(a, b) * (1 + 1e-12),
                      "%g is not between %g and %g", s, a, b);
        }
    }
}

Test(kern_grid, where_measurements_grow_answers_grow)
{
    SimRandom draws = sim_random_stream(3, "grid");
    for (int g = 0; g < GRIDS; g++) {
        Drawn d = draw(&draws, true, 0.0);
        g_autoptr(KernGrid) grid = index_of(&d, KERN_GRID_LINEAR);
        for (int q = 0; q < QUERIES; q++) {
            int64_t at[KERN_GRID_LEVELS];
            draw_place(&draws, &d, at);
            int l = (int)below(&draws, KERN_GRID_LEVELS);
            double before = 0.0, after = 0.0;
            cr_expect(kern_grid_find(grid, 7, at, &before) != KERN_GRID_MISS);
            int64_t further = at[l] + 1 + below(&draws, at[l]);
            at[l] = MIN(further, d.axis[l][SIDE - 1]);
            cr_expect(kern_grid_find(grid, 7, at, &after) != KERN_GRID_MISS);
            cr_expect(after >= before * (1 - 1e-12), "%g after %g", after, before);
        }
    }
}
