/** The paged KV cache of one replica: blocks, pages of shared prefixes, who holds them. */
#ifndef STRAT_KV_H
#define STRAT_KV_H

#include "strat_kv_tiers.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct StratKv StratKv;

/** A cache of @blocks blocks of @block_tokens. @page_tokens is what one hash stands for, a multiple
 *  of @block_tokens; 0: nothing is shared. */
StratKv *strat_kv_new(int64_t blocks, int64_t block_tokens, int64_t page_tokens);
void strat_kv_free(StratKv *kv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratKv, strat_kv_free)

/** Pages that are evicted go to @tiers (borrowed) from here on. */
void strat_kv_spill(StratKv *kv, StratKvTiers *tiers);

int64_t strat_kv_blocks(const StratKv *kv);
int64_t strat_kv_block_tokens(const StratKv *kv);
int64_t strat_kv_page_tokens(const StratKv *kv);

/** Blocks that nobody holds; unused prefixes among them. */
int64_t strat_kv_available(const StratKv *kv);

/** Of those, the ones that go before an unused prefix has to. */
int64_t strat_kv_plain(const StratKv *kv);

/** Blocks for @tokens. */
int64_t strat_kv_blocks_for(const StratKv *kv, int64_t tokens);

/** Leading pages of @hash[0 .. pages) that are cached; *@idle: those of them that nobody holds,
 *  which count as available until they are held. O(pages). */
int64_t strat_kv_match(const StratKv *kv, const uint64_t *hash, int64_t pages, int64_t *idle);

/** Takes @blocks private blocks, evicting unused prefixes, the longest unused first. False, and
 *  nothing taken, when they are not there. */
bool strat_kv_take(StratKv *kv, int64_t blocks);

/** Gives @blocks private blocks back. */
void strat_kv_give(StratKv *kv, int64_t blocks);

/** Holds the page whose hash is *@page, which is cached, and puts its place there instead. */
void strat_kv_hold(StratKv *kv, uint64_t *page);

/** Makes a page of private blocks of the caller: *@page, its hash, becomes its place, held by the
 *  caller. Where the page is cached already that one is held and the blocks are given back. */
void strat_kv_publish(StratKv *kv, uint64_t *page);

/** Lets go of @private_blocks and then of @page[held - 1] .. @page[0], whose hashes come back: so
 *  the end of a chain is evicted before its start. */
void strat_kv_release(StratKv *kv, uint64_t *page, int64_t held, int64_t private_blocks);

/** Blocks that sequences would hold beyond theirs if they shared no pages. */
int64_t strat_kv_shared_blocks(const StratKv *kv);

/** Tokens in held pages that more than one sequence counts as its own: each time but the first. */
int64_t strat_kv_shared_tokens(const StratKv *kv);

/** Whether sequences that have @blocks in all, of which @pages are held pages, have what is taken.
 */
bool strat_kv_is_owned(const StratKv *kv, int64_t blocks, int64_t pages);

/** Whether every block is in exactly one place: private, in a held page, or free. O(blocks). */
bool strat_kv_is_sound(const StratKv *kv, GError **error);

#endif
