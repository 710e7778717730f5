/* Free nodes as a bit each, counted by leaf, and leaves listed by their count: taking and giving a
 * node costs a few words whatever the size of the cluster.
 *
 * Packed: as few leaves as there can be, the leaf with the fewest free nodes that hold what is
 * still missing (best fit), else the one with the most. Spread: each node from the leaf with the
 * most free ones. Contiguous: the first run of neighbours by number that is long enough, else the
 * first free nodes.
 *
 * A job never waits for a better place: with enough free nodes it starts (gang scheduling, all at
 * once). Two jobs that each span leaves share a leaf's links upwards where they meet; what that
 * costs them is for the caller to say, by pairs of classes: of several neighbours the worst counts.
 * Nodes are whole: jobs smaller than one take one. */
#include "strat_queue_pool.h"

#include "sim_row.h"
#include "strat_schedule.h"

enum { WORD = 64 };

/* The first bit of @bits set from @from on, before @end; -1: none. */
static int64_t next_bit(const uint64_t *bits, int64_t from, int64_t end)
{
    if (from >= end)
        return -1;
    int64_t word = from / WORD;
    uint64_t rest = bits[word] & (~UINT64_C(0) << (from % WORD));
    while (rest == 0) {
        if (++word * WORD >= end)
            return -1;
        rest = bits[word];
    }
    int64_t bit = word * WORD + __builtin_ctzll(rest);
    return bit < end ? bit : -1;
}

/* The last bit set below @end; -1: none. */
static int64_t last_bit(const uint64_t *bits, int64_t end)
{
    for (int64_t word = (end - 1) / WORD; word >= 0; word--) {
        int64_t above = (word + 1) * WORD - end;
        uint64_t rest = above > 0 ? bits[word] & (~UINT64_C(0) >> above) : bits[word];
        if (rest)
            return word * WORD + WORD - 1 - __builtin_clzll(rest);
    }
    return -1;
}

static void set_bit(uint64_t *bits, int64_t bit, bool value)
{
    uint64_t mask = UINT64_C(1) << (bit % WORD);
    bits[bit / WORD] = value ? bits[bit / WORD] | mask : bits[bit / WORD] & ~mask;
}

/* Moves @leaf to the list of @count free nodes; a count of -1 is no list. */
static void relist(StratQueuePool *pool, int32_t leaf, int32_t count)
{
    int32_t old = pool->leaf_free[leaf];
    if (old >= 0) {
        int32_t next = pool->next_leaf[leaf], last = pool->last_leaf[leaf];
        if (last >= 0)
            pool->next_leaf[last] = next;
        else
            pool->first_leaf[old] = next;
        if (next >= 0)
            pool->last_leaf[next] = last;
        set_bit(pool->has_count, old, pool->first_leaf[old] >= 0);
    }
    pool->leaf_free[leaf] = count;
    pool->last_leaf[leaf] = -1;
    pool->next_leaf[leaf] = pool->first_leaf[count];
    if (pool->first_leaf[count] >= 0)
        pool->last_leaf[pool->first_leaf[count]] = leaf;
    pool->first_leaf[count] = leaf;
    set_bit(pool->has_count, count, true);
}

StratQueuePool *strat_queue_pool_new(int64_t nodes, int64_t per_leaf, size_t classes,
                                     const int64_t *slow_ppm)
{
    StratQueuePool *pool = g_new0(StratQueuePool, 1);
    pool->nodes = nodes;
    pool->per_leaf = MIN(per_leaf, nodes);
    pool->leaves = (nodes + pool->per_leaf - 1) / pool->per_leaf;
    pool->is_free = g_new0(uint64_t, nodes / WORD + 1);
    pool->has_count = g_new0(uint64_t, pool->per_leaf / WORD + 1);
    pool->next = g_new0(int32_t, nodes);
    pool->leaf_free = g_new(int32_t, pool->leaves);
    pool->first_leaf = g_new(int32_t, pool->per_leaf + 1);
    pool->next_leaf = g_new0(int32_t, pool->leaves);
    pool->last_leaf = g_new0(int32_t, pool->leaves);
    pool->classes = classes;
    pool->slow_ppm = slow_ppm;
    pool->spanning = g_new0(int32_t, (gsize)pool->leaves * classes);
    pool->stamp = g_new0(int64_t, pool->leaves);
    for (int64_t count = 0; count <= pool->per_leaf; count++)
        pool->first_leaf[count] = -1;
    for (int64_t leaf = pool->leaves - 1; leaf >= 0; leaf--) {
        pool->leaf_free[leaf] = -1;
        relist(pool, (int32_t)leaf, 0);
    }
    for (int64_t node = nodes - 1; node >= 0; node--)
        strat_queue_pool_return(pool, (int32_t)node);
    return pool;
}

void strat_queue_pool_free(StratQueuePool *pool)
{
    if (!pool)
        return;
    g_free(pool->is_free);
    g_free(pool->has_count);
    g_free(pool->next);
    g_free(pool->leaf_free);
    g_free(pool->first_leaf);
    g_free(pool->next_leaf);
    g_free(pool->last_leaf);
    g_free(pool->spanning);
    g_free(pool->stamp);
    g_free(pool);
}

static int32_t leaf_of(const StratQueuePool *pool, int32_t node)
{
    return (int32_t)(node / pool->per_leaf);
}

void strat_queue_pool_remove(StratQueuePool *pool, int32_t node)
{
    int32_t leaf = leaf_of(pool, node);
    set_bit(pool->is_free, node, false);
    relist(pool, leaf, pool->leaf_free[leaf] - 1);
    pool->free--;
}

void strat_queue_pool_return(StratQueuePool *pool, int32_t node)
{
    int32_t leaf = leaf_of(pool, node);
    set_bit(pool->is_free, node, true);
    relist(pool, leaf, pool->leaf_free[leaf] + 1);
    pool->free++;
}

bool strat_queue_pool_is_free(const StratQueuePool *pool, int32_t node)
{
    return pool->is_free[node / WORD] >> (node % WORD) & 1;
}

static int32_t first_of_leaf(const StratQueuePool *pool, int32_t leaf)
{
    return (int32_t)next_bit(pool->is_free, leaf * pool->per_leaf, pool->nodes);
}

static int32_t pick_spread(const StratQueuePool *pool, int64_t nodes, int32_t last)
{
    (void)nodes;
    (void)last;
    return first_of_leaf(pool, pool->first_leaf[last_bit(pool->has_count, pool->per_leaf + 1)]);
}

static int32_t pick_packed(const StratQueuePool *pool, int64_t nodes, int32_t last)
{
    if (last >= 0 && pool->leaf_free[leaf_of(pool, last)] > 0)
        return first_of_leaf(pool, leaf_of(pool, last));
    int64_t count = next_bit(pool->has_count, nodes, pool->per_leaf + 1);
    return count < 0 ? pick_spread(pool, nodes, last)
                     : first_of_leaf(pool, pool->first_leaf[count]);
}

static int32_t pick_contiguous(const StratQueuePool *pool, int64_t nodes, int32_t last)
{
    if (last >= 0)
        return (int32_t)next_bit(pool->is_free, last + 1, pool->nodes);
    int64_t first = -1, node = -1, run = 0, before = -2;
    while (run < nodes && (node = next_bit(pool->is_free, node + 1, pool->nodes)) >= 0) {
        run = node == before + 1 ? run + 1 : 1;
        first = run == 1 ? node : first;
        before = node;
    }
    return (int32_t)(run == nodes ? first : next_bit(pool->is_free, 0, pool->nodes));
}

/* clang-format off */
static const StratQueuePlacement placements[] = {
    {.name = "packed",
     .source = "as few leaves as possible, best fit: topology-aware placement as in Slurm's topology/tree",
     .pick = pick_packed},
    {.name = "spread",
     .source = "each node under the leaf with the most free ones: what LeastAllocated scoring of Kubernetes does",
     .pick = pick_spread},
    {.name = "contiguous",
     .source = "neighbours by number where there is a gap that holds them (first fit), else the first free ones",
     .pick = pick_contiguous},
};
/* clang-format on */

const StratQueuePlacement *strat_queue_placement_all(size_t *count)
{
    *count = G_N_ELEMENTS(placements);
    return placements;
}

const StratQueuePlacement *strat_queue_placement_by_name(const char *name, GError **error)
{
    if (!name)
        return &placements[0];
    return sim_row_by_name(placements, G_N_ELEMENTS(placements), sizeof placements[0], name,
                           "placement of queued jobs", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME,
                           error);
}

/* By how much a job of @class takes longer beside the worst of the jobs that span @leaf. */
static int64_t slow_beside(const StratQueuePool *pool, int32_t leaf, uint32_t class)
{
    const int32_t *spanning = &pool->spanning[(gsize)leaf * pool->classes];
    int64_t worst = 0;
    for (size_t other = 0; other < pool->classes; other++)
        if (spanning[other] > 0)
            worst = MAX(worst, pool->slow_ppm[class * pool->classes + other]);
    return worst;
}

/* Adds @by to the spanning jobs of @class of every leaf of the chain. Returns its leaves;
 * *@slow_ppm receives what those that were there do to it. */
static int64_t span(StratQueuePool *pool, int32_t first, uint32_t class, int32_t by,
                    int64_t *slow_ppm)
{
    int64_t leaves = 0, stamp = ++pool->stamps;
    for (int32_t node = first; node >= 0; node = pool->next[node]) {
        int32_t leaf = leaf_of(pool, node);
        if (pool->stamp[leaf] == stamp)
            continue;
        pool->stamp[leaf] = stamp;
        leaves++;
        if (by > 0)
            *slow_ppm = MAX(*slow_ppm, slow_beside(pool, leaf, class));
        pool->spanning[(gsize)leaf * pool->classes + class] += by;
    }
    return leaves;
}

StratQueueTaken strat_queue_pool_take(StratQueuePool *pool, const StratQueuePlacement *placement,
                                      int64_t nodes, uint32_t class)
{
    StratQueueTaken taken = {.first = -1};
    int32_t last = -1;
    for (int64_t missing = nodes; missing > 0; missing--) {
        int32_t node = placement->pick(pool, missing, last);
        strat_queue_pool_remove(pool, node);
        pool->next[node] = -1;
        if (last >= 0)
            pool->next[last] = node;
        else
            taken.first = node;
        last = node;
    }
    taken.leaves = span(pool, taken.first, class, 0, &taken.slow_ppm);
    if (taken.leaves > 1)
        span(pool, taken.first, class, 1, &taken.slow_ppm);
    return taken;
}

void strat_queue_pool_give(StratQueuePool *pool, int32_t first, uint32_t class)
{
    int64_t slow_ppm = 0;
    if (span(pool, first, class, 0, &slow_ppm) > 1)
        span(pool, first, class, -1, &slow_ppm);
    for (int32_t node = first; node >= 0; node = pool->next[node])
        strat_queue_pool_return(pool, node);
}
