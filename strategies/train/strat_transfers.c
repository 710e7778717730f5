/* Numbers for transfers.
 *
 * Without contention a transfer is what it costs, so equal ones share a number. Where transfers
 * share links it matters which ranks run it: the number then also stands for its owner, and brings
 * along every group of ranks that runs it at once. Each group of a family holds a rank of every
 * class in it, so the groups of one class are all. Beside the blocks of a gang all its tensor (or
 * context) groups run at once, whatever their classes. */
#include "strat_transfers.h"

StratTransfers *strat_transfers_new(const StratPlan *plan, const StratFold *fold, bool by_owner)
{
    StratTransfers *t = g_new0(StratTransfers, 1);
    t->plan = plan;
    t->fold = fold;
    t->by_owner = by_owner;
    t->transfers = g_array_new(FALSE, TRUE, sizeof(TopoTransfer));
    t->groups = g_array_new(FALSE, TRUE, sizeof(TopoRanks));
    t->group_ends = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    t->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return t;
}

void strat_transfers_next_job(StratTransfers *t, const StratPlan *plan, const StratFold *fold,
                              int64_t first_rank)
{
    t->plan = plan;
    t->fold = fold;
    t->first_rank = first_rank;
    g_hash_table_remove_all(t->numbers);
}

void strat_transfers_free(StratTransfers *transfers)
{
    if (!transfers)
        return;
    g_array_unref(transfers->transfers);
    g_array_unref(transfers->groups);
    g_array_unref(transfers->group_ends);
    g_hash_table_unref(transfers->numbers);
    g_free(transfers);
}

/* The group that @rank runs a transfer of @role in. */
static StratGroup group_of(const StratPlan *plan, StratTransferRole role, int64_t rank)
{
    StratRank at = strat_rank_at(plan, rank), other = at;
    if (role == STRAT_ROLE_DATA)
        return strat_shard_group(plan, rank);
    if (role == STRAT_ROLE_HOST)
        return (StratGroup){rank, 1, 1};
    if (role == STRAT_ROLE_COPIES)
        return strat_copies_group(plan, rank);
    if (role == STRAT_ROLE_EXPERT_DATA)
        return strat_expert_data_group(plan, rank);
    if (role == STRAT_ROLE_MIRROR)
        return strat_mirror_group(plan, rank);
    if (role == STRAT_ROLE_ENDS) {
        at.stage = 0;
        other.stage = plan->pipeline - 1;
    } else {
        int64_t step = role == STRAT_ROLE_NEXT ? 1 : plan->pipeline - 1;
        other.stage = (at.stage + step) % plan->pipeline;
    }
    int64_t first = strat_rank_index(plan, at);
    return (StratGroup){first, strat_rank_index(plan, other) - first, 2};
}

static void add_group(StratTransfers *t, StratGroup group)
{
    group.first += t->first_rank;
    g_array_append_val(t->groups, group);
}

static bool is_of_gang(StratTransferRole role)
{
    return role == STRAT_ROLE_TENSOR || role == STRAT_ROLE_CONTEXT || role == STRAT_ROLE_EXPERT;
}

/* The groups that @rank's ranks run a transfer of @role in: its own, or all those of its gang. */
static void add_groups_at(StratTransfers *t, StratTransferRole role, int64_t rank)
{
    const StratPlan *plan = t->plan;
    if (!is_of_gang(role)) {
        StratGroup group = group_of(plan, role, rank);
        add_group(t, group);
        return;
    }
    StratGroup gang = strat_gang(plan, rank);
    for (int64_t r = gang.first; r < gang.first + gang.count; r++) {
        StratGroup group = role == STRAT_ROLE_TENSOR    ? strat_tensor_group(plan, r)
                           : role == STRAT_ROLE_CONTEXT ? strat_context_group(plan, r)
                                                        : strat_expert_group(plan, r);
        if (group.first == r)
            add_group(t, group);
    }
}

/* Where the groups of @rank start, which tells them apart. */
static int64_t groups_first(const StratPlan *plan, StratTransferRole role, int64_t rank)
{
    return is_of_gang(role) ? strat_gang(plan, rank).first : group_of(plan, role, rank).first;
}

static void add_groups(StratTransfers *t, const StratOwner *owner)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (int64_t r = t->fold->representative[owner->rank_class]; r < t->fold->ranks; r++) {
        if (t->fold->class_of[r] != owner->rank_class)
            continue;
        int64_t first = groups_first(t->plan, owner->role, r);
        if (g_hash_table_add(seen, g_memdup2(&first, sizeof first)))
            add_groups_at(t, owner->role, r);
    }
}

uint32_t strat_transfers_number(StratTransfers *t, const TopoTransfer *transfer,
                                const StratOwner *owner)
{
    g_autoptr(GString) key = g_string_new(NULL);
    g_string_append_printf(key, "%d %.17g %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
                           (int)transfer->op, transfer->bytes, transfer->ranks,
                           transfer->ranks_per_domain);
    if (transfer->nic_fraction > 0.0)
        g_string_append_printf(key, " by %.17g", transfer->nic_fraction);
    if (transfer->kind != TOPO_KIND_FIRST)
        g_string_append_printf(key, " kind %d", (int)transfer->kind);
    if (transfer->paced_s > 0.0)
        g_string_append_printf(key, " in %.17g", transfer->paced_s);
    bool alone = owner->family == SIM_GROUP_NONE;
    if (transfer->measured_s > 0.0)
        g_string_append_printf(key, " measured %.17g", transfer->measured_s);
    if (t->by_owner)
        g_string_append_printf(key, " %d %s %u", (int)owner->role, alone ? "class" : "family",
                               alone ? owner->rank_class : owner->family);
    gpointer known = g_hash_table_lookup(t->numbers, key->str);
    if (!known) {
        g_array_append_vals(t->transfers, transfer, 1);
        if (t->by_owner)
            add_groups(t, owner);
        uint32_t end = t->groups->len;
        g_array_append_val(t->group_ends, end);
        known = GUINT_TO_POINTER(t->transfers->len);
        g_hash_table_insert(t->numbers, g_strdup(key->str), known);
    }
    return GPOINTER_TO_UINT(known) - 1;
}
