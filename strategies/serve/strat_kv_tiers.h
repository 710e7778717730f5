/** Where pages of prefixes go when they leave the GPU: host memory, disks. */
#ifndef STRAT_KV_TIERS_H
#define STRAT_KV_TIERS_H

#include <glib.h>
#include <stdint.h>

/** One tier behind the GPU, as one replica sees it. */
typedef struct StratKvTier {
    int64_t pages;    /* that it holds, at least 1 */
    double page_s;    /* to bring one to the GPU: its bytes over the tier's bandwidth */
    double latency_s; /* before the first of a load */
} StratKvTier;

typedef struct StratKvTiers StratKvTiers;

/** Empty tiers, the fastest first. */
StratKvTiers *strat_kv_tiers_new(const StratKvTier *tier, size_t tiers);
void strat_kv_tiers_free(StratKvTiers *tiers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratKvTiers, strat_kv_tiers_free)

/** A page called @hash has left the GPU: it is the last used of the first tier, whose longest
 * unused page moves on to the next tier when it is full, and so on; the last tier forgets.
 * O(tiers). */
void strat_kv_tiers_put(StratKvTiers *tiers, uint64_t hash);

/** Leading pages of @hash[0 .. pages) that some tier holds, and in *@load_s what it takes to bring
 *  them to the GPU: tiers load one after another. O(pages). */
int64_t strat_kv_tiers_match(const StratKvTiers *tiers, const uint64_t *hash, int64_t pages,
                             double *load_s);

/** Takes @hash[0 .. pages), which are there, to the GPU: they leave the tiers. */
void strat_kv_tiers_load(StratKvTiers *tiers, const uint64_t *hash, int64_t pages);

/** Pages in tier @tier. */
int64_t strat_kv_tiers_pages(const StratKvTiers *tiers, size_t tier);

#endif
