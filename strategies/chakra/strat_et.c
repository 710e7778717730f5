/* What a trace of all ranks is made of: storage, names, and how errors say where they are. Names are
 * kept once, since the ranks of a job run the same program. */
#include "strat_et.h"

GQuark strat_et_error_quark(void)
{
    return g_quark_from_static_string("strat_et_error");
}

const char *strat_et_collective_name(StratEtCollective collective)
{
    static const char *const names[STRAT_ET_COLLECTIVES] = {
        [STRAT_ET_ALL_REDUCE] = "all-reduce",
        [STRAT_ET_REDUCE] = "reduce",
        [STRAT_ET_ALL_GATHER] = "all-gather",
        [STRAT_ET_GATHER] = "gather",
        [STRAT_ET_SCATTER] = "scatter",
        [STRAT_ET_BROADCAST] = "broadcast",
        [STRAT_ET_ALL_TO_ALL] = "all-to-all",
        [STRAT_ET_REDUCE_SCATTER] = "reduce-scatter",
        [STRAT_ET_REDUCE_SCATTER_BLOCK] = "reduce-scatter",
        [STRAT_ET_BARRIER] = "barrier",
    };
    return names[collective];
}

GHashTable *strat_et_group_table_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
}

static void rank_free(gpointer data)
{
    StratEtRank *rank = data;
    g_free(rank->path);
    g_array_unref(rank->nodes);
    g_array_unref(rank->dep_ids);
    g_free(rank->deps);
    g_free(rank->order);
    g_free(rank->follower);
    g_free(rank->first_follower);
    g_hash_table_unref(rank->groups);
    g_free(rank);
}

static void group_clear(gpointer data)
{
    StratEtGroup *group = data;
    g_free(group->name);
    g_free(group->ranks);
}

StratEt *strat_et_new(void)
{
    StratEt *et = g_new0(StratEt, 1);
    et->ranks = g_ptr_array_new_with_free_func(rank_free);
    et->names = g_ptr_array_new_with_free_func(g_free);
    et->named = g_hash_table_new(g_str_hash, g_str_equal);
    et->groups = g_array_new(FALSE, TRUE, sizeof(StratEtGroup));
    g_array_set_clear_func(et->groups, group_clear);
    return et;
}

void strat_et_free(StratEt *et)
{
    if (!et)
        return;
    g_ptr_array_unref(et->ranks);
    g_hash_table_unref(et->named);
    g_ptr_array_unref(et->names);
    g_clear_pointer(&et->given, g_hash_table_unref);
    g_array_unref(et->groups);
    g_free(et);
}

StratEtRank *strat_et_add_rank(StratEt *et, const char *path)
{
    StratEtRank *rank = g_new0(StratEtRank, 1);
    rank->path = g_strdup(path);
    rank->nodes = g_array_new(FALSE, TRUE, sizeof(StratEtNode));
    rank->dep_ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    rank->groups = strat_et_group_table_new();
    g_ptr_array_add(et->ranks, rank);
    return rank;
}

uint32_t strat_et_name(StratEt *et, const char *name)
{
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(et->named, name));
    if (known > 0)
        return known - 1;
    char *copy = g_strdup(name);
    g_ptr_array_add(et->names, copy);
    g_hash_table_insert(et->named, copy, GUINT_TO_POINTER(et->names->len));
    return et->names->len - 1;
}

StratEtNode *strat_et_node(const StratEtRank *rank, uint32_t index)
{
    return &g_array_index(rank->nodes, StratEtNode, index);
}

static char *node_text(const StratEt *et, uint32_t rank, uint32_t index)
{
    const StratEtNode *node = strat_et_node(g_ptr_array_index(et->ranks, rank), index);
    const char *name = g_ptr_array_index(et->names, node->name);
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    return g_strdup_printf("node %" G_GUINT64_FORMAT " '%s'", node->id, valid);
}

char *strat_et_describe(const StratEt *et, uint32_t rank, uint32_t index)
{
    g_autofree char *node = node_text(et, rank, index);
    return g_strdup_printf("rank %u %s", rank, node);
}

bool strat_et_fail(const StratEt *et, uint32_t rank, uint32_t index, GError **error,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *node = node_text(et, rank, index);
    const StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    g_set_error(error, STRAT_ET_ERROR, STRAT_ET_ERROR_TRACE, "%s: %s: %s", of->path, node, message);
    return false;
}
