/*
 * The paged cache (Kwon 2023, PagedAttention) with shared prefixes, as vLLM V1 keeps it
 * (vllm/v1/core/kv_cache_manager.py and block_pool.py). A block is private to one sequence, part of
 * a page that one or more sequences hold, or free. Private blocks are only counted. A page stands
 * for page_tokens of text that one hash names (and everything before them, since hashes are
 * chained); it is in an index by hash and has a count of holders.
 *
 * Free blocks form one queue, served from its head. A sequence that ends appends its private
 * blocks, then its pages from the last to the first, those that nobody else holds: so what is
 * evicted first is what was used longest ago, and of one chain its end. A page in the queue can
 * still be found and held again, until its blocks are taken. Neighbouring private blocks in the
 * queue are one run, so a cache without prefixes has a queue of one.
 *
 *     blocks = private + pages held x blocks of a page + available
 *
 * Left out: the engine evicts a page of several blocks block by block, here it goes as one and what
 * is not needed of it stays first in the queue; two sequences that compute the same page at the
 * same time both keep it in the engine, here the second gives its copy back. Forks of one sequence
 * count here as one holder: who of them shares what is in strat_forks.c.
 */
#include "strat_kv.h"

#include "strat_kv_index.h"
#include "strat_schedule.h"

/* A page, or a run of blocks in the queue. Place 0 is the end of the queue, both ways. */
typedef struct Node {
    uint64_t hash;
    int64_t run;     /* blocks; 0: a page */
    int64_t holders; /* of the page */
    uint32_t next, prev;
} Node;

struct StratKv {
    int64_t blocks, block_tokens, page_tokens, page_blocks;
    int64_t private_blocks;
    int64_t available;
    int64_t held_pages; /* with a holder */
    int64_t holds;      /* holders of all pages */
    Node *node;         /* [0] is the queue's end: its next is the head, its prev the tail */
    uint32_t nodes, room;
    uint32_t spare; /* unused nodes, chained by next */
    StratKvIndex index;
    StratKvTiers *tiers; /* where evicted pages go; NULL: nowhere */
};

static uint32_t new_node(StratKv *kv, Node value)
{
    uint32_t place = kv->spare;
    if (place != 0) {
        kv->spare = kv->node[place].next;
    } else {
        if (kv->nodes == kv->room) {
            kv->room *= 2;
            kv->node = g_renew(Node, kv->node, kv->room);
        }
        place = kv->nodes++;
    }
    kv->node[place] = value;
    return place;
}

static void drop_node(StratKv *kv, uint32_t place)
{
    kv->node[place].next = kv->spare;
    kv->spare = place;
}

static void append(StratKv *kv, uint32_t place)
{
    uint32_t tail = kv->node[0].prev;
    kv->node[place].prev = tail;
    kv->node[place].next = 0;
    kv->node[tail].next = place;
    kv->node[0].prev = place;
}

static void unlink_node(StratKv *kv, uint32_t place)
{
    Node *node = &kv->node[place];
    kv->node[node->prev].next = node->next;
    kv->node[node->next].prev = node->prev;
}

static void append_run(StratKv *kv, int64_t blocks)
{
    if (blocks == 0)
        return;
    kv->available += blocks;
    uint32_t tail = kv->node[0].prev;
    if (tail != 0 && kv->node[tail].run > 0)
        kv->node[tail].run += blocks;
    else
        append(kv, new_node(kv, (Node){.run = blocks}));
}

StratKv *strat_kv_new(int64_t blocks, int64_t block_tokens, int64_t page_tokens)
{
    g_assert(blocks >= 0 && block_tokens > 0 && page_tokens % block_tokens == 0);
    StratKv *kv = g_new0(StratKv, 1);
    kv->blocks = blocks;
    kv->block_tokens = block_tokens;
    kv->page_tokens = page_tokens;
    kv->page_blocks = page_tokens / block_tokens;
    kv->room = 16;
    kv->node = g_new0(Node, kv->room);
    kv->nodes = 1;
    append_run(kv, blocks);
    return kv;
}

void strat_kv_free(StratKv *kv)
{
    if (!kv)
        return;
    strat_kv_index_clear(&kv->index);
    g_free(kv->node);
    g_free(kv);
}

void strat_kv_spill(StratKv *kv, StratKvTiers *tiers)
{
    kv->tiers = tiers;
}

int64_t strat_kv_blocks(const StratKv *kv)
{
    return kv->blocks;
}

int64_t strat_kv_block_tokens(const StratKv *kv)
{
    return kv->block_tokens;
}

int64_t strat_kv_page_tokens(const StratKv *kv)
{
    return kv->page_tokens;
}

int64_t strat_kv_available(const StratKv *kv)
{
    return kv->available;
}

int64_t strat_kv_plain(const StratKv *kv)
{
    int64_t blocks = 0;
    for (uint32_t at = kv->node[0].next; at != 0 && kv->node[at].run > 0; at = kv->node[at].next)
        blocks += kv->node[at].run;
    return blocks;
}

int64_t strat_kv_blocks_for(const StratKv *kv, int64_t tokens)
{
    return (tokens + kv->block_tokens - 1) / kv->block_tokens;
}

int64_t strat_kv_match(const StratKv *kv, const uint64_t *hash, int64_t pages, int64_t *idle)
{
    *idle = 0;
    for (int64_t i = 0; i < pages; i++) {
        uint32_t place = strat_kv_index_find(&kv->index, hash[i]);
        if (place == 0)
            return i;
        *idle += kv->node[place].holders == 0;
    }
    return pages;
}

bool strat_kv_take(StratKv *kv, int64_t blocks)
{
    if (blocks > kv->available)
        return false;
    kv->available -= blocks;
    kv->private_blocks += blocks;
    while (blocks > 0) {
        uint32_t head = kv->node[0].next;
        Node *node = &kv->node[head];
        if (node->run == 0) {
            strat_kv_index_drop(&kv->index, node->hash);
            if (kv->tiers)
                strat_kv_tiers_put(kv->tiers, node->hash);
            node->run = kv->page_blocks;
        }
        int64_t taken = MIN(node->run, blocks);
        node->run -= taken;
        blocks -= taken;
        if (node->run == 0) {
            unlink_node(kv, head);
            drop_node(kv, head);
        }
    }
    return true;
}

void strat_kv_give(StratKv *kv, int64_t blocks)
{
    g_assert(blocks >= 0 && blocks <= kv->private_blocks);
    kv->private_blocks -= blocks;
    append_run(kv, blocks);
}

static void hold_place(StratKv *kv, uint32_t place)
{
    Node *node = &kv->node[place];
    kv->holds++;
    if (node->holders++ > 0)
        return;
    unlink_node(kv, place);
    kv->available -= kv->page_blocks;
    kv->held_pages++;
}

void strat_kv_hold(StratKv *kv, uint64_t *page)
{
    uint32_t place = strat_kv_index_find(&kv->index, *page);
    g_assert(place != 0);
    hold_place(kv, place);
    *page = place;
}

void strat_kv_publish(StratKv *kv, uint64_t *page)
{
    uint32_t place = strat_kv_index_find(&kv->index, *page);
    if (place != 0) {
        hold_place(kv, place);
        strat_kv_give(kv, kv->page_blocks);
    } else {
        g_assert(kv->private_blocks >= kv->page_blocks);
        kv->private_blocks -= kv->page_blocks;
        place = new_node(kv, (Node){.hash = *page, .holders = 1});
        strat_kv_index_add(&kv->index, *page, place);
        kv->held_pages++;
        kv->holds++;
    }
    *page = place;
}

void strat_kv_release(StratKv *kv, uint64_t *page, int64_t held, int64_t private_blocks)
{
    strat_kv_give(kv, private_blocks);
    for (int64_t i = held - 1; i >= 0; i--) {
        uint32_t place = (uint32_t)page[i];
        Node *node = &kv->node[place];
        page[i] = node->hash;
        kv->holds--;
        if (--node->holders > 0)
            continue;
        kv->held_pages--;
        kv->available += kv->page_blocks;
        append(kv, place);
    }
}

int64_t strat_kv_shared_blocks(const StratKv *kv)
{
    return (kv->holds - kv->held_pages) * kv->page_blocks;
}

int64_t strat_kv_shared_tokens(const StratKv *kv)
{
    return strat_kv_shared_blocks(kv) * kv->block_tokens;
}

bool strat_kv_is_owned(const StratKv *kv, int64_t blocks, int64_t pages)
{
    return pages == kv->holds && blocks - pages * kv->page_blocks == kv->private_blocks;
}

static bool unsound(GError **error, const char *what, int64_t found, int64_t expected)
{
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_NO_FIT,
                "KV cache: %" G_GINT64_FORMAT " %s, expected %" G_GINT64_FORMAT, found, what,
                expected);
    return false;
}

bool strat_kv_is_sound(const StratKv *kv, GError **error)
{
    int64_t queued = 0;
    int64_t idle_pages = 0;
    for (uint32_t at = kv->node[0].next; at != 0; at = kv->node[at].next) {
        const Node *node = &kv->node[at];
        queued += node->run > 0 ? node->run : kv->page_blocks;
        if (node->run > 0)
            continue;
        idle_pages++;
        if (node->holders != 0 || strat_kv_index_find(&kv->index, node->hash) != at)
            return unsound(error, "holders of a free page", node->holders, 0);
    }
    if (queued != kv->available)
        return unsound(error, "blocks in the queue", queued, kv->available);
    int64_t all = kv->private_blocks + kv->held_pages * kv->page_blocks + kv->available;
    if (all != kv->blocks)
        return unsound(error, "blocks in all", all, kv->blocks);
    if ((int64_t)kv->index.length != kv->held_pages + idle_pages)
        return unsound(error, "pages in the index", (int64_t)kv->index.length,
                       kv->held_pages + idle_pages);
    return true;
}
