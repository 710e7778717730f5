/* Multilinear interpolation over a grid with holes.
 *
 * A family of points is a tree of three levels: values of the first coordinate, of the second under
 * each, of the third under these, all in sorted arrays. A query goes down: where its coordinate was
 * measured it follows that branch, else the nearest branch on either side that can answer, and
 * joins the two answers linearly:
 *
 *   t = (1 - w) t_below + w t_above,    w = (x - x_below) / (x_above - x_below)
 *
 * x is the coordinate, or on the second level of a grid of attention the scores b (2 a + b). Such
 * an answer lies between the measurements that it joins, it is monotone where they are, and it is
 * exact where time is a + b xyz + c (xy + yz + zx), as that of a product of x by y by z is.
 *
 * A branch that does not reach the query (a hole) makes its neighbour answer, REACH further at
 * most. What is outside of all branches, or between two that lie further apart than SPAN, is a
 * miss: the caller has a form for it. */
#include "kern_grid.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    REACH = 2, /* branches tried on either side */
    SPAN = 16, /* largest ratio of the two coordinates that are joined */
};

/* The values of one level, of all families one after another. */
typedef struct Level {
    int64_t *at;
    uint32_t *child; /* first child of each, and one more for the end; NULL on the last level */
    int64_t *least, *most; /* of the last coordinate below each; NULL on the last level */
    uint32_t count;
} Level;

typedef struct Family {
    uint64_t key;
    uint32_t first, end; /* on level 0; first == end: an empty slot */
    int64_t least[KERN_GRID_LEVELS], most[KERN_GRID_LEVELS];
} Family;

struct KernGrid {
    Level level[KERN_GRID_LEVELS];
    double *seconds; /* of the last level */
    Family *family;  /* open addressing */
    uint32_t mask;
    KernGridScale scale;
};

static int compare_places(const KernGridPoint *a, const KernGridPoint *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    for (int l = 0; l < KERN_GRID_LEVELS; l++)
        if (a->at[l] != b->at[l])
            return a->at[l] < b->at[l] ? -1 : 1;
    return 0;
}

static int compare_points(const void *left, const void *right)
{
    const KernGridPoint *a = left, *b = right;
    int places = compare_places(a, b);
    return places != 0 ? places : (a->seconds > b->seconds) - (a->seconds < b->seconds);
}

/* Sorts @points and leaves one of each place, with the median time; how many remain. */
static size_t sort_points(KernGridPoint *points, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(points, count, sizeof *points, compare_points);
    for (size_t i = 0, end = 0; i < count; i = end) {
        while (end < count && compare_places(&points[i], &points[end]) == 0)
            end++;
        double middle = 0.5 * (points[(i + end - 1) / 2].seconds + points[(i + end) / 2].seconds);
        points[kept] = points[i];
        points[kept++].seconds = middle;
    }
    return kept;
}

static uint32_t slot_of(const KernGrid *grid, uint64_t key)
{
    uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 over the golden ratio */
    uint32_t slot = (uint32_t)(mixed >> 32) & grid->mask;
    while (grid->family[slot].first != grid->family[slot].end && grid->family[slot].key != key)
        slot = (slot + 1) & grid->mask;
    return slot;
}

static void widen(Family *family, const KernGridPoint *point)
{
    for (int l = 0; l < KERN_GRID_LEVELS; l++) {
        family->least[l] = MIN(family->least[l], point->at[l]);
        family->most[l] = MAX(family->most[l], point->at[l]);
    }
}

/* Adds @point, which follows those added before, to the tree; @new_from is the first level on which
 * it differs from the one before. */
static void append(KernGrid *grid, const KernGridPoint *point, int new_from)
{
    for (int l = new_from; l < KERN_GRID_LEVELS; l++) {
        Level *level = &grid->level[l];
        uint32_t i = level->count++;
        level->at[i] = point->at[l];
        if (level->child) {
            level->child[i] = grid->level[l + 1].count;
            level->least[i] = point->at[KERN_GRID_LEVELS - 1];
        }
    }
    for (int l = 0; l + 1 < KERN_GRID_LEVELS; l++) {
        Level *level = &grid->level[l];
        uint32_t i = level->count - 1;
        level->least[i] = MIN(level->least[i], point->at[KERN_GRID_LEVELS - 1]);
        level->most[i] = MAX(level->most[i], point->at[KERN_GRID_LEVELS - 1]);
    }
    grid->seconds[grid->level[KERN_GRID_LEVELS - 1].count - 1] = point->seconds;
}

static void allocate(KernGrid *grid, size_t count, size_t families)
{
    for (int l = 0; l < KERN_GRID_LEVELS; l++) {
        Level *level = &grid->level[l];
        level->at = g_new0(int64_t, count + 1);
        if (l + 1 == KERN_GRID_LEVELS)
            continue;
        level->child = g_new0(uint32_t, count + 1);
        level->least = g_new0(int64_t, count + 1);
        level->most = g_new0(int64_t, count + 1);
    }
    grid->seconds = g_new0(double, count + 1);
    uint32_t slots = 4;
    while (slots < 2 * families)
        slots *= 2;
    grid->mask = slots - 1;
    grid->family = g_new0(Family, slots);
}

KernGrid *kern_grid_new(KernGridPoint *points, size_t count, KernGridScale scale)
{
    KernGrid *grid = g_new0(KernGrid, 1);
    grid->scale = scale;
    count = sort_points(points, count);
    size_t families = 0;
    for (size_t i = 0; i < count; i++)
        families += i == 0 || points[i].family != points[i - 1].family;
    allocate(grid, count, families);
    Family *family = NULL;
    for (size_t i = 0; i < count; i++) {
        const KernGridPoint *point = &points[i], *before = i > 0 ? point - 1 : NULL;
        bool new_family = !before || before->family != point->family;
        int new_from = 0;
        while (!new_family && before->at[new_from] == point->at[new_from])
            new_from++;
        append(grid, point, new_from);
        if (new_family) {
            family = &grid->family[slot_of(grid, point->family)];
            *family = (Family){.key = point->family, .first = grid->level[0].count - 1};
            for (int l = 0; l < KERN_GRID_LEVELS; l++)
                family->least[l] = family->most[l] = point->at[l];
        }
        family->end = grid->level[0].count;
        widen(family, point);
    }
    for (int l = 0; l + 1 < KERN_GRID_LEVELS; l++)
        grid->level[l].child[grid->level[l].count] = grid->level[l + 1].count;
    return grid;
}

void kern_grid_free(KernGrid *grid)
{
    if (!grid)
        return;
    for (int l = 0; l < KERN_GRID_LEVELS; l++) {
        g_free(grid->level[l].at);
        g_free(grid->level[l].child);
        g_free(grid->level[l].least);
        g_free(grid->level[l].most);
    }
    g_free(grid->seconds);
    g_free(grid->family);
    g_free(grid);
}

size_t kern_grid_count(const KernGrid *grid)
{
    return grid->level[KERN_GRID_LEVELS - 1].count;
}

/* What is asked, and on which branch of the first level. */
typedef struct Query {
    const KernGrid *grid;
    const int64_t *at;
    int64_t first;
    uint32_t guess[KERN_GRID_LEVELS];
} Query;

static double share(const Query *query, int l, int64_t below, int64_t above)
{
    double x = (double)query->at[l], b = (double)below, a = (double)above;
    if (l == 1 && query->grid->scale == KERN_GRID_SCORES) {
        double twice = 2.0 * (double)query->first;
        x *= twice + x;
        b *= twice + b;
        a *= twice + a;
    }
    return (x - b) / (a - b);
}

/* The first index of @first..@end whose value is not below that of @query; @end when there is none.
 * Branches of a regular grid are alike, so the place on the last one is tried first. */
static uint32_t lower_bound(Query *query, int l, uint32_t first, uint32_t end)
{
    const int64_t *at = query->grid->level[l].at;
    int64_t want = query->at[l];
    uint32_t guess = first + query->guess[l];
    if (guess < end && at[guess] >= want && (guess == first || at[guess - 1] < want))
        return guess;
    uint32_t found = first, left = end - first;
    while (left > 0) {
        uint32_t half = (left + 1) / 2;
        found += at[found + half - 1] < want ? half : 0;
        left -= half;
    }
    query->guess[l] = found - first;
    return found;
}

static KernGridHit descend(Query *query, int l, uint32_t first, uint32_t end, double *seconds);

/* The answer of branch @i of level @l. */
static KernGridHit branch(Query *query, int l, uint32_t i, double *seconds)
{
    const Level *level = &query->grid->level[l];
    if (!level->child) {
        *seconds = query->grid->seconds[i];
        return KERN_GRID_EXACT;
    }
    int64_t last = query->at[KERN_GRID_LEVELS - 1];
    if (last < level->least[i] || last > level->most[i])
        return KERN_GRID_MISS;
    if (l == 0)
        query->first = level->at[i];
    return descend(query, l + 1, level->child[i], level->child[i + 1], seconds);
}

static bool apart(int64_t below, int64_t above)
{
    return above > SPAN * MAX(below, SPAN);
}

/* Joins the branches on either side of @upper, the first that is not below the query. */
static KernGridHit join(Query *query, int l, uint32_t first, uint32_t end, uint32_t upper,
                        double *seconds)
{
    const int64_t *at = query->grid->level[l].at;
    double below_s = 0.0, above_s = 0.0;
    uint32_t below = upper, above = upper < end && at[upper] == query->at[l] ? upper + 1 : upper;
    bool found = false;
    for (int tries = 0; !found && tries < REACH && below > first; tries++)
        found = branch(query, l, --below, &below_s) != KERN_GRID_MISS;
    if (!found)
        return KERN_GRID_MISS;
    found = false;
    for (int tries = 0; !found && tries < REACH && above < end; tries++)
        found = branch(query, l, above++, &above_s) != KERN_GRID_MISS;
    if (!found || apart(at[below], at[above - 1]))
        return KERN_GRID_MISS;
    double w = share(query, l, at[below], at[above - 1]);
    *seconds = below_s + w * (above_s - below_s);
    return KERN_GRID_BETWEEN;
}

static KernGridHit descend(Query *query, int l, uint32_t first, uint32_t end, double *seconds)
{
    const int64_t *at = query->grid->level[l].at;
    uint32_t upper = lower_bound(query, l, first, end);
    if (upper < end && at[upper] == query->at[l]) {
        KernGridHit hit = branch(query, l, upper, seconds);
        if (hit != KERN_GRID_MISS)
            return hit;
    }
    return join(query, l, first, end, upper, seconds);
}

KernGridHit kern_grid_find(const KernGrid *grid, uint64_t family_key, const int64_t *at,
                           double *seconds)
{
    const Family *family = &grid->family[slot_of(grid, family_key)];
    if (family->first == family->end)
        return KERN_GRID_MISS;
    for (int l = 0; l < KERN_GRID_LEVELS; l++)
        if (at[l] < family->least[l] || at[l] > family->most[l])
            return KERN_GRID_MISS;
    Query query = {.grid = grid, .at = at};
    double found = 0.0;
    KernGridHit hit = descend(&query, 0, family->first, family->end, &found);
    if (hit != KERN_GRID_MISS)
        *seconds = found;
    return hit;
}
