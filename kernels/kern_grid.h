/** Measured times at irregular points of three coordinates, and answers between them. */
#ifndef KERN_GRID_H
#define KERN_GRID_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

enum { KERN_GRID_LEVELS = 3 };

/** One measurement. Points of different families are never mixed. */
typedef struct KernGridPoint {
    uint64_t family;
    int64_t at[KERN_GRID_LEVELS];
    double seconds;
} KernGridPoint;

/** How a grid answered. */
typedef enum KernGridHit {
    KERN_GRID_MISS,    /* outside what was measured */
    KERN_GRID_EXACT,   /* that very point */
    KERN_GRID_BETWEEN, /* interpolated */
} KernGridHit;

/** In what the time between two values of the second coordinate is linear. */
typedef enum KernGridScale {
    KERN_GRID_LINEAR, /* in the coordinate b itself */
    KERN_GRID_SCORES, /* in b (2 a + b), a being the first coordinate */
} KernGridScale;

typedef struct KernGrid KernGrid;

/** The index of @count points, which it sorts; of points at one place the median counts. Times are
 *  finite and above 0, coordinates at least 0. Free with kern_grid_free(). */
KernGrid *kern_grid_new(KernGridPoint *points, size_t count, KernGridScale scale);
void kern_grid_free(KernGrid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernGrid, kern_grid_free)

/** Distinct points. */
size_t kern_grid_count(const KernGrid *grid);

/** Seconds at @at of @family. Pure, without allocation. @seconds is left alone by a miss. */
KernGridHit kern_grid_find(const KernGrid *grid, uint64_t family, const int64_t *at,
                           double *seconds);

#endif
