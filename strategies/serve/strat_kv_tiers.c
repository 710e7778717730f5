/*
 * Tiers of the prefix cache behind the GPU, as HiCache of SGLang and the store of Mooncake (Qin
 * 2024, section 3) have them: a page that the GPU evicts goes to host memory, from there to a disk,
 * and is forgotten when that is full. Each tier evicts what was used longest ago. A prefix that is
 * found in tiers is loaded,
 *
 *     T = sum over tiers that have some of it of (latency_s + pages page_s)
 *
 * and is on the GPU then. A page is in one place only.
 *
 * Left out: copies that stay behind when a page goes up (write-through; they would spare writing it
 * again), the time and the bandwidth of going down, which runs beside the iterations, tiers shared
 * by replicas.
 */
#include "strat_kv_tiers.h"

typedef struct Page {
    uint64_t hash;
    size_t tier;
    GList link; /* in its tier's queue; data is the page */
} Page;

struct StratKvTiers {
    size_t tiers;
    StratKvTier *tier;
    GQueue *queue;   /* of each tier: the longest unused first */
    GHashTable *all; /* hash -> Page, owned */
};

StratKvTiers *strat_kv_tiers_new(const StratKvTier *tier, size_t tiers)
{
    StratKvTiers *result = g_new0(StratKvTiers, 1);
    result->tiers = tiers;
    result->tier = g_memdup2(tier, tiers * sizeof *tier);
    result->queue = g_new0(GQueue, tiers);
    result->all = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    return result;
}

void strat_kv_tiers_free(StratKvTiers *tiers)
{
    if (!tiers)
        return;
    g_hash_table_unref(tiers->all);
    g_free(tiers->queue);
    g_free(tiers->tier);
    g_free(tiers);
}

static void forget(StratKvTiers *tiers, Page *page)
{
    g_queue_unlink(&tiers->queue[page->tier], &page->link);
    g_hash_table_remove(tiers->all, &page->hash);
}

void strat_kv_tiers_put(StratKvTiers *tiers, uint64_t hash)
{
    Page *page = g_hash_table_lookup(tiers->all, &hash);
    if (page)
        forget(tiers, page);
    page = g_new0(Page, 1);
    page->hash = hash;
    page->link.data = page;
    g_hash_table_insert(tiers->all, &page->hash, page);
    g_queue_push_tail_link(&tiers->queue[0], &page->link);
    for (size_t i = 0; i < tiers->tiers; i++) {
        if ((int64_t)tiers->queue[i].length <= tiers->tier[i].pages)
            return;
        Page *oldest = g_queue_peek_head(&tiers->queue[i]);
        if (i + 1 == tiers->tiers) {
            forget(tiers, oldest);
            return;
        }
        g_queue_unlink(&tiers->queue[i], &oldest->link);
        oldest->tier = i + 1;
        g_queue_push_tail_link(&tiers->queue[i + 1], &oldest->link);
    }
}

int64_t strat_kv_tiers_match(const StratKvTiers *tiers, const uint64_t *hash, int64_t pages,
                             double *load_s)
{
    *load_s = 0.0;
    guint64 met = 0; /* a bit for each tier that has some */
    for (int64_t i = 0; i < pages; i++) {
        const Page *page = g_hash_table_lookup(tiers->all, &hash[i]);
        if (!page)
            return i;
        const StratKvTier *tier = &tiers->tier[page->tier];
        guint64 bit = G_GUINT64_CONSTANT(1) << page->tier;
        *load_s += tier->page_s + (met & bit ? 0.0 : tier->latency_s);
        met |= bit;
    }
    return pages;
}

void strat_kv_tiers_load(StratKvTiers *tiers, const uint64_t *hash, int64_t pages)
{
    for (int64_t i = 0; i < pages; i++)
        forget(tiers, g_hash_table_lookup(tiers->all, &hash[i]));
}

int64_t strat_kv_tiers_pages(const StratKvTiers *tiers, size_t tier)
{
    return tiers->queue[tier].length;
}
