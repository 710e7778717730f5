/*
 * Orders of the waiting queue, from SGLang 0.5.9, python/sglang/srt/managers/schedule_policy.py,
 * class SchedulePolicy. The queue itself is sorted, stably, each time prompts may be admitted:
 *
 *   lpm        the longest prefix in the cache first. Of requests that find at most 32 tokens there
 *              but share 32 or more with an earlier such request of the queue only that one keeps
 *              its rank, the others go last: they will find its prefix in the cache soon.
 *   hrrn       the highest ratio of (prompt tokens computed by the engine while it waited) to
 *              (prompt tokens of its own that the cache does not hold) first; shares as lpm
 *   shortest-prefill-first   the fewest prompt tokens to compute first; shares as lpm
 *   dfs-weight the requests of one subtree of the cached prefixes together, depth first, the branch
 *              with the most requests first, those that end at a node after its branches
 *   lof        the longest output first
 *
 * lpm and hrrn leave the queue as it is when more than 128 wait; without a prefix cache those that
 * go by prefixes do, too. Prefixes count in pages of hashes.
 *
 * Left out: random and routing-key (requests carry no such key).
 */
#include "strat_order.h"

#include "sim_row.h"
#include "strat_schedule.h"

#include <math.h>

enum {
    FEW = 32,  /* tokens: IN_BATCH_PREFIX_CACHING_CHECK_THRESHOLD and .._DEPRIORITIZE_THRESHOLD */
    MANY = 128 /* waiting requests: SchedulePolicy._determine_active_policy() */
};

static int64_t hit_of(const StratReplica *replica, const StratRank *rank)
{
    return strat_replica_hit(replica, rank->sequence);
}

/* Puts those last that share a prefix with an earlier request and find little of it cached. */
static void defer_shares(const StratReplica *replica, StratRank *rank, size_t count)
{
    int64_t page_tokens = strat_kv_page_tokens(replica->kv);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (size_t i = 0; i < count; i++) {
        const StratSequence *s = rank[i].sequence;
        if (hit_of(replica, &rank[i]) > FEW)
            continue;
        int32_t shared = 0;
        while (shared < s->pages && g_hash_table_contains(seen, &s->page[shared]))
            shared++;
        if (shared * page_tokens >= FEW)
            rank[i].key = INFINITY;
        else
            for (int32_t p = shared; p < s->pages; p++)
                g_hash_table_add(seen, &s->page[p]);
    }
}

static void longest_prefix(const StratReplica *replica, StratRank *rank, size_t count,
                           double processed)
{
    (void)processed;
    for (size_t i = 0; i < count; i++)
        rank[i].key = -(double)hit_of(replica, &rank[i]);
    defer_shares(replica, rank, count);
}

static void response_ratio(const StratReplica *replica, StratRank *rank, size_t count,
                           double processed)
{
    for (size_t i = 0; i < count; i++) {
        const StratSequence *s = rank[i].sequence;
        int64_t work = s->input_tokens - hit_of(replica, &rank[i]);
        double waited = fmax(processed - s->note, 0.0);
        rank[i].key = work > 0 ? -waited / (double)work : -INFINITY;
        rank[i].place = s->id;
    }
    defer_shares(replica, rank, count);
}

static void shortest_prefill(const StratReplica *replica, StratRank *rank, size_t count,
                             double processed)
{
    (void)processed;
    for (size_t i = 0; i < count; i++)
        rank[i].key = (double)(strat_sequence_prompt(rank[i].sequence) - hit_of(replica, &rank[i]));
    defer_shares(replica, rank, count);
}

static void longest_output(const StratReplica *replica, StratRank *rank, size_t count,
                           double processed)
{
    (void)replica;
    (void)processed;
    for (size_t i = 0; i < count; i++)
        rank[i].key = -(double)rank[i].sequence->output_tokens;
}

/* One request below a node of the tree of cached prefixes. */
typedef struct Leaf {
    StratRank *rank;
    int64_t depth;  /* cached pages */
    int64_t branch; /* the first in the queue with the same next page */
    int64_t weight; /* how many have it */
} Leaf;

static int compare_leaves(const void *a, const void *b)
{
    const Leaf *left = a;
    const Leaf *right = b;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    if (left->branch != right->branch)
        return left->branch < right->branch ? -1 : 1;
    return left->rank->place < right->rank->place ? -1 : 1;
}

/* Finds the branch of each of leaf[0 .. count), which share @depth pages. */
static void find_branches(Leaf *leaf, size_t count, int64_t depth)
{
    g_autoptr(GHashTable) firsts = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (size_t i = 0; i < count; i++) {
        leaf[i].branch = INT64_MAX; /* ends here: after the branches */
        leaf[i].weight = 0;
        if (leaf[i].depth == depth)
            continue;
        uint64_t *page = &leaf[i].rank->sequence->page[depth];
        Leaf *first = g_hash_table_lookup(firsts, page);
        if (!first)
            g_hash_table_insert(firsts, page, first = &leaf[i]);
        leaf[i].branch = first->rank->place;
        first->weight++;
    }
    for (size_t i = 0; i < count; i++)
        if (leaf[i].depth > depth) {
            Leaf *first = g_hash_table_lookup(firsts, &leaf[i].rank->sequence->page[depth]);
            leaf[i].weight = first->weight;
        }
}

/* Numbers leaf[0 .. count), which share @depth pages, from *@next on. */
static void number_leaves(Leaf *leaf, size_t count, int64_t depth, double *next)
{
    find_branches(leaf, count, depth);
    qsort(leaf, count, sizeof *leaf, compare_leaves);
    for (size_t i = 0, end; i < count; i = end) {
        end = i + 1;
        if (leaf[i].weight == 0) {
            leaf[i].rank->key = (*next)++;
            continue;
        }
        while (end < count && leaf[end].branch == leaf[i].branch)
            end++;
        number_leaves(&leaf[i], end - i, depth + 1, next);
    }
}

static void depth_first(const StratReplica *replica, StratRank *rank, size_t count,
                        double processed)
{
    (void)processed;
    int64_t page_tokens = strat_kv_page_tokens(replica->kv);
    g_autofree Leaf *leaf = g_new(Leaf, count);
    for (size_t i = 0; i < count; i++)
        leaf[i] = (Leaf){.rank = &rank[i], .depth = hit_of(replica, &rank[i]) / page_tokens};
    double next = 0;
    number_leaves(leaf, count, 0, &next);
}

#define SGLANG "SGLang 0.5.9, managers/schedule_policy.py, "

/* clang-format off */
static const StratOrder orders[] = {
    {.name = "fcfs",       .source = SGLANG "CacheAgnosticPolicy.FCFS"},
    {.name = "priority",   .source = "vLLM 0.19, SchedulingPolicy.PRIORITY: the queue is kept so"},
    {.name = "lpm",        .source = SGLANG "_sort_by_longest_prefix()",
     .prefixes = true,     .most = MANY, .keys = longest_prefix},
    {.name = "dfs-weight", .source = SGLANG "_sort_by_dfs_weight()",
     .prefixes = true,     .keys = depth_first},
    {.name = "hrrn",       .source = SGLANG "_sort_by_hrrn()",
     .prefixes = true,     .most = MANY, .keys = response_ratio},
    {.name = "shortest-prefill-first", .source = SGLANG "_sort_by_shortest_prefill()",
     .prefixes = true,     .keys = shortest_prefill},
    {.name = "lof",        .source = SGLANG "_sort_by_longest_output()",
     .keys = longest_output},
};
/* clang-format on */

const StratOrder *strat_order_all(size_t *count)
{
    *count = G_N_ELEMENTS(orders);
    return orders;
}

const StratOrder *strat_order_by_name(const char *name, GError **error)
{
    if (!name)
        return &orders[0];
    return sim_row_by_name(orders, G_N_ELEMENTS(orders), sizeof orders[0], name, "order",
                           STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}

static int compare_ranks(const void *a, const void *b)
{
    const StratRank *left = a;
    const StratRank *right = b;
    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return (left->place > right->place) - (left->place < right->place);
}

void strat_order_sort(StratReplica *replica, double processed)
{
    const StratOrder *order = strat_order_by_name(replica->engine->order, NULL);
    StratSequenceList *waiting = &replica->waiting;
    size_t count = (size_t)waiting->length;
    if (!order->keys || count < 2 || (order->most > 0 && waiting->length > order->most) ||
        (order->prefixes && strat_kv_page_tokens(replica->kv) == 0))
        return;
    g_autofree StratRank *rank = g_new0(StratRank, count);
    size_t i = 0;
    for (StratSequence *at = waiting->head; at; at = at->next, i++)
        rank[i] = (StratRank){.sequence = at, .place = (int64_t)i};
    order->keys(replica, rank, count, processed);
    qsort(rank, count, sizeof *rank, compare_ranks);
    for (i = 0; i < count; i++) {
        strat_sequence_remove(waiting, rank[i].sequence);
        strat_sequence_insert(waiting, rank[i].sequence, NULL);
    }
}
