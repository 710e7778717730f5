/* From ids to indices, and an order of each rank's nodes.
 *
 * The order is the one in which a rank that has all its resources would start its nodes: of those
 * whose dependencies come before, the least id goes next (Kahn 1962, with a heap). Where ids rise
 * along dependencies, as converters and generators number them, it is the order of ids. Collectives
 * of a group meet in this order, sends and receives of a pair likewise.
 *
 * Ids that are found where they would be if files were numbered from some id on need no table. */
#include "strat_et.h"

/* Finds indices by id. */
typedef struct Finder {
    const StratEtRank *rank;
    uint64_t first; /* id of node 0; node i has id first + i when dense */
    bool is_dense;
    GHashTable *index; /* id to index + 1, where they are not */
} Finder;

static bool finder_init(Finder *finder, const StratEt *et, uint32_t rank, GError **error)
{
    const StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    *finder = (Finder){.rank = of, .is_dense = true};
    finder->first = of->nodes->len > 0 ? strat_et_node(of, 0)->id : 0;
    for (guint i = 0; i < of->nodes->len && finder->is_dense; i++)
        finder->is_dense = strat_et_node(of, i)->id == finder->first + i;
    if (finder->is_dense)
        return true;
    finder->index = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < of->nodes->len; i++)
        if (!g_hash_table_insert(finder->index, &strat_et_node(of, i)->id, GUINT_TO_POINTER(i + 1)))
            return strat_et_fail(et, rank, i, error, "another node has this id");
    return true;
}

static void finder_clear(Finder *finder)
{
    g_clear_pointer(&finder->index, g_hash_table_unref);
}

static uint32_t find(const Finder *finder, uint64_t id)
{
    if (finder->is_dense)
        return id >= finder->first && id - finder->first < finder->rank->nodes->len
                   ? (uint32_t)(id - finder->first)
                   : STRAT_ET_NONE;
    return GPOINTER_TO_UINT(g_hash_table_lookup(finder->index, &id)) - 1;
}

static bool find_deps(StratEt *et, uint32_t rank, GError **error)
{
    StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    Finder finder;
    bool found = finder_init(&finder, et, rank, error);
    of->deps = g_new(uint32_t, MAX(of->dep_ids->len, 1));
    for (guint i = 0; i < of->nodes->len && found; i++) {
        const StratEtNode *node = strat_et_node(of, i);
        for (uint32_t d = node->first_dep; d < node->first_dep + node->dep_count && found; d++) {
            uint64_t id = g_array_index(of->dep_ids, uint64_t, d);
            of->deps[d] = find(&finder, id);
            if (of->deps[d] == STRAT_ET_NONE)
                found =
                    strat_et_fail(et, rank, i, error,
                                  "waits for node %" G_GUINT64_FORMAT ", which is not there", id);
        }
    }
    finder_clear(&finder);
    return found;
}

static void find_followers(StratEtRank *rank)
{
    guint count = rank->nodes->len;
    rank->first_follower = g_new0(uint32_t, (gsize)count + 2);
    rank->follower = g_new(uint32_t, MAX(rank->dep_ids->len, 1));
    uint32_t *slot = rank->first_follower + 1; /* where the next of each goes, once summed */
    for (guint d = 0; d < rank->dep_ids->len; d++)
        slot[rank->deps[d] + 1]++;
    for (guint i = 0; i < count; i++)
        slot[i + 1] += slot[i];
    for (guint i = 0; i < count; i++) {
        const StratEtNode *node = strat_et_node(rank, i);
        for (uint32_t d = 0; d < node->dep_count; d++)
            rank->follower[slot[rank->deps[node->first_dep + d]]++] = i;
    }
}

/* A min-heap of nodes by id. */
typedef struct Heap {
    const StratEtRank *rank;
    uint32_t *item;
    uint32_t count;
} Heap;

static bool is_before(const Heap *heap, uint32_t a, uint32_t b)
{
    return strat_et_node(heap->rank, a)->id < strat_et_node(heap->rank, b)->id;
}

static void heap_push(Heap *heap, uint32_t node)
{
    uint32_t at = heap->count++;
    for (; at > 0 && is_before(heap, node, heap->item[(at - 1) / 2]); at = (at - 1) / 2)
        heap->item[at] = heap->item[(at - 1) / 2];
    heap->item[at] = node;
}

static uint32_t heap_pop(Heap *heap)
{
    uint32_t top = heap->item[0], last = heap->item[--heap->count], at = 0;
    for (uint32_t child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && is_before(heap, heap->item[child + 1], heap->item[child]))
            child++;
        if (!is_before(heap, heap->item[child], last))
            break;
        heap->item[at] = heap->item[child];
        at = child;
    }
    heap->item[at] = last;
    return top;
}

/* Names a circle: from a node that was never ready, back along what it still waits for, until one
 * comes again. */
static bool fail_circle(const StratEt *et, uint32_t rank, const uint32_t *waits, GError **error)
{
    enum { NODES_NAMED = 6 };
    const StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    g_autofree bool *seen = g_new0(bool, of->nodes->len);
    uint32_t at = 0;
    while (waits[at] == 0)
        at++;
    for (int round = 0; round < 2; round++) {
        uint32_t start = at;
        g_autoptr(GString) text = g_string_new(NULL);
        for (int named = 0; round == 0 ? !seen[at] : named == 0 || at != start; named++) {
            const StratEtNode *node = strat_et_node(of, at);
            uint32_t next = STRAT_ET_NONE;
            for (uint32_t d = 0; d < node->dep_count && next == STRAT_ET_NONE; d++)
                if (waits[of->deps[node->first_dep + d]] > 0)
                    next = of->deps[node->first_dep + d];
            seen[at] = true;
            at = next;
            if (named < NODES_NAMED)
                g_string_append_printf(text, " -> %" G_GUINT64_FORMAT, strat_et_node(of, at)->id);
            else if (named == NODES_NAMED)
                g_string_append(text, " -> ...");
        }
        if (round == 1)
            return strat_et_fail(et, rank, start, error,
                                 "waits for itself: %" G_GUINT64_FORMAT "%s",
                                 strat_et_node(of, start)->id, text->str);
    }
    return false;
}

static bool order_rank(const StratEt *et, uint32_t rank, GError **error)
{
    StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    guint count = of->nodes->len;
    find_followers(of);
    g_autofree uint32_t *waits = g_new(uint32_t, MAX(count, 1));
    g_autofree uint32_t *items = g_new(uint32_t, MAX(count, 1));
    Heap heap = {.rank = of, .item = items};
    uint32_t done = 0;
    of->order = g_new(uint32_t, MAX(count, 1));
    for (guint i = 0; i < count; i++)
        if ((waits[i] = strat_et_node(of, i)->dep_count) == 0)
            heap_push(&heap, i);
    while (heap.count > 0) {
        uint32_t node = of->order[done++] = heap_pop(&heap);
        for (uint32_t f = of->first_follower[node]; f < of->first_follower[node + 1]; f++)
            if (--waits[of->follower[f]] == 0)
                heap_push(&heap, of->follower[f]);
    }
    return done == count || fail_circle(et, rank, waits, error);
}

bool strat_et_order(StratEt *et, GError **error)
{
    for (guint rank = 0; rank < et->ranks->len; rank++)
        if (!find_deps(et, rank, error) || !order_rank(et, rank, error))
            return false;
    return true;
}
