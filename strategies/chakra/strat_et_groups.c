/* Who is in a collective.
 *
 * A collective names its process group, or the dimensions of the cluster that it spans, or neither:
 * then all ranks take part, as they do in group "0" where nobody says who is in it (so does
 * ASTRA-sim). Members of a named group are told by the rank's own file (the process groups that
 * PyTorch writes into a metadata node) or by a file of groups. The same name may mean other ranks to
 * other ranks, so that a group is its name and its ranks.
 *
 * Dimensions: rank = c0 + d0 (c1 + d1 (c2 + ...)); a collective over some of them joins the ranks
 * that agree in all others. */
#include "strat_et.h"

typedef struct Search {
    StratEt *et;
    const int64_t *dimensions;
    size_t dimension_count;
    GHashTable *known; /* "name: ranks" to number + 1 */
    GHashTable *mine;  /* of the rank at hand: name and dimensions to number + 1 */
} Search;

/* The number of the group @name of @ranks, ascending (of uint32_t). */
static uint32_t number_of(Search *search, const char *name, const GArray *ranks)
{
    g_autoptr(GString) key = g_string_new(name);
    for (guint i = 0; i < ranks->len; i++)
        g_string_append_printf(key, "%c%u", i == 0 ? ':' : ',', g_array_index(ranks, uint32_t, i));
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(search->known, key->str));
    if (known > 0)
        return known - 1;
    StratEtGroup group = {
        .name = g_strdup(name),
        .ranks = g_memdup2(ranks->data, ranks->len * sizeof(uint32_t)),
        .count = ranks->len,
    };
    g_array_append_val(search->et->groups, group);
    g_hash_table_insert(search->known, g_strdup(key->str),
                        GUINT_TO_POINTER(search->et->groups->len));
    return search->et->groups->len - 1;
}

static gint by_number(gconstpointer left, gconstpointer right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static GArray *everybody(const StratEt *et)
{
    GArray *ranks = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t r = 0; r < et->ranks->len; r++)
        g_array_append_val(ranks, r);
    return ranks;
}

/* The members of @told (of int64_t; empty: everybody), ascending. NULL and @error when some are not
 * ranks of the trace, or are there twice. */
static GArray *members(const StratEt *et, uint32_t rank, uint32_t index, const GArray *told,
                       GError **error)
{
    if (told->len == 0)
        return everybody(et);
    g_autoptr(GArray) ranks = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < told->len; i++) {
        int64_t member = g_array_index(told, int64_t, i);
        if (member < 0 || member >= (int64_t)et->ranks->len) {
            strat_et_fail(et, rank, index, error,
                          "its group has rank %" G_GINT64_FORMAT ", the trace has ranks 0 to %u",
                          member, et->ranks->len - 1);
            return NULL;
        }
        uint32_t number = (uint32_t)member;
        g_array_append_val(ranks, number);
    }
    g_array_sort(ranks, by_number);
    for (guint i = 1; i < ranks->len; i++)
        if (g_array_index(ranks, uint32_t, i) == g_array_index(ranks, uint32_t, i - 1)) {
            strat_et_fail(et, rank, index, error, "its group has rank %u twice",
                          g_array_index(ranks, uint32_t, i));
            return NULL;
        }
    return g_steal_pointer(&ranks);
}

static GArray *named(const Search *search, uint32_t rank, uint32_t index, const char *name,
                     GError **error)
{
    const StratEt *et = search->et;
    const StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    const GArray *told = g_hash_table_lookup(of->groups, name);
    if (!told && et->given)
        told = g_hash_table_lookup(et->given, name);
    if (told)
        return members(et, rank, index, told, error);
    if (g_str_equal(name, "") || g_str_equal(name, "0"))
        return everybody(et);
    strat_et_fail(et, rank, index, error,
                  "nobody says who is in process group '%s': neither a metadata node of the file "
                  "nor execution_trace.groups",
                  name);
    return NULL;
}

/* The ranks that agree with @rank in every dimension that @spanned lacks. */
static GArray *along(const Search *search, uint32_t rank, uint32_t index, uint32_t spanned,
                     GError **error)
{
    const StratEt *et = search->et;
    int64_t product = 1;
    for (size_t d = 0; d < search->dimension_count; d++)
        product *= search->dimensions[d];
    if (search->dimension_count == 0 || product != (int64_t)et->ranks->len) {
        strat_et_fail(et, rank, index, error,
                      "spans some dimensions of the cluster only (involved_dim): "
                      "execution_trace.dimensions must give the ranks along each, %u in all",
                      et->ranks->len);
        return NULL;
    }
    GArray *ranks = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t other = 0; other < et->ranks->len; other++) {
        int64_t a = rank, b = other;
        bool joined = true;
        for (size_t d = 0; d < search->dimension_count; d++) {
            int64_t length = search->dimensions[d];
            joined = joined && ((d < 32 && (spanned >> d & 1)) || a % length == b % length);
            a /= length;
            b /= length;
        }
        if (joined)
            g_array_append_val(ranks, other);
    }
    return ranks;
}

static bool find_group(Search *search, uint32_t rank, uint32_t index, GError **error)
{
    StratEtNode *node = strat_et_node(g_ptr_array_index(search->et->ranks, rank), index);
    gpointer key = GSIZE_TO_POINTER((gsize)node->comm.group << 32 | node->comm.dimensions);
    guint before = GPOINTER_TO_UINT(g_hash_table_lookup(search->mine, key));
    if (before > 0) {
        node->comm.group = before - 1;
        return true;
    }
    const char *name = node->comm.group == STRAT_ET_NONE
                           ? ""
                           : g_ptr_array_index(search->et->names, node->comm.group);
    g_autoptr(GArray) ranks = node->comm.dimensions
                                  ? along(search, rank, index, node->comm.dimensions, error)
                                  : named(search, rank, index, name, error);
    bool is_member = false;
    for (guint i = 0; ranks && i < ranks->len; i++)
        is_member = is_member || g_array_index(ranks, uint32_t, i) == rank;
    if (ranks && !is_member)
        return strat_et_fail(search->et, rank, index, error, "rank %u is not in process group '%s'",
                             rank, name);
    if (!ranks)
        return false;
    g_autofree char *label = node->comm.dimensions
                                 ? g_strdup_printf("dimensions %x", node->comm.dimensions)
                             : name[0] != '\0' ? g_strdup(name)
                                               : g_strdup("0");
    node->comm.group = number_of(search, label, ranks);
    g_hash_table_insert(search->mine, key, GUINT_TO_POINTER(node->comm.group + 1));
    return true;
}

bool strat_et_find_groups(StratEt *et, const int64_t *dimensions, size_t count, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) mine = g_hash_table_new(NULL, NULL);
    Search search = {et, dimensions, count, known, mine};
    for (guint r = 0; r < et->ranks->len; r++) {
        g_hash_table_remove_all(mine);
        const StratEtRank *rank = g_ptr_array_index(et->ranks, r);
        for (guint i = 0; i < rank->nodes->len; i++)
            if (strat_et_node(rank, i)->kind == STRAT_ET_COLLECTIVE &&
                !find_group(&search, r, i, error))
                return false;
    }
    return true;
}
