/* Folding by colour refinement.
 *
 * Two ranks behave alike when they run the same stage from the same position and everybody they
 * wait for behaves alike too. Start with a colour for (stage, position); then give each rank a new
 * colour from its own, its two pipeline neighbours', and the multiset of colours in its gang and in
 * its data group, until no colour splits any more. What remains is the coarsest equitable
 * partition: the ranks of a colour have the same program and partners of the same colours, so one
 * representative has the same times as all of them (Paige and Tarjan 1987, "Three partition
 * refinement algorithms"). A plan that fits its nodes evenly gives one class a stage. */
#include "strat_fold.h"

#include <string.h>

static uint64_t mix(uint64_t x)
{
    /* Finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t combine(uint64_t hash, uint64_t value)
{
    return mix(hash ^ mix(value));
}

static int64_t neighbour(const StratPlan *plan, int64_t rank, int64_t step)
{
    StratRank at = strat_rank_at(plan, rank);
    at.stage = (at.stage + step + plan->pipeline) % plan->pipeline;
    return strat_rank_index(plan, at);
}

static int64_t pair_per_domain(const TopoCluster *cluster, int64_t a, int64_t b)
{
    int64_t size = cluster->node.scale_up_gpus;
    return a / size == b / size ? 2 : 1;
}

StratPosition strat_position(const TopoCluster *cluster, const StratPlan *plan, int64_t rank)
{
    StratGroup tensor = strat_tensor_group(plan, rank), context = strat_context_group(plan, rank);
    StratGroup data = strat_data_group(plan, rank);
    StratRank first = strat_rank_at(plan, rank), last = first;
    first.stage = 0;
    last.stage = plan->pipeline - 1;
    return (StratPosition){
        .tensor_per_domain = strat_group_per_domain(cluster, &tensor),
        .context_per_domain = strat_group_per_domain(cluster, &context),
        .data_per_domain = strat_group_per_domain(cluster, &data),
        .send_next_per_domain = pair_per_domain(cluster, rank, neighbour(plan, rank, 1)),
        .send_previous_per_domain = pair_per_domain(cluster, rank, neighbour(plan, rank, -1)),
        .ends_per_domain =
            pair_per_domain(cluster, strat_rank_index(plan, first), strat_rank_index(plan, last)),
    };
}

/* The groups' own figures are the same for all members: computed once, at the first one. */
static uint64_t *first_colours(const TopoCluster *cluster, const StratPlan *plan, int64_t ranks)
{
    uint64_t *colour = g_new(uint64_t, ranks);
    int64_t *data = g_new(int64_t, ranks);
    for (int64_t r = 0; r < ranks; r++) {
        StratGroup tensor = strat_tensor_group(plan, r), context = strat_context_group(plan, r);
        StratGroup reduce = strat_data_group(plan, r);
        data[r] = reduce.first == r ? strat_group_per_domain(cluster, &reduce) : data[reduce.first];
        StratRank at = strat_rank_at(plan, r), first = at, last = at;
        first.stage = 0;
        last.stage = plan->pipeline - 1;
        uint64_t hash = mix((uint64_t)at.stage);
        hash = combine(hash, (uint64_t)strat_group_per_domain(cluster, &tensor));
        hash = combine(hash, (uint64_t)strat_group_per_domain(cluster, &context));
        hash = combine(hash, (uint64_t)data[r]);
        hash = combine(hash, (uint64_t)pair_per_domain(cluster, r, neighbour(plan, r, 1)));
        hash = combine(hash, (uint64_t)pair_per_domain(cluster, r, neighbour(plan, r, -1)));
        colour[r] = combine(hash, (uint64_t)pair_per_domain(cluster, strat_rank_index(plan, first),
                                                            strat_rank_index(plan, last)));
    }
    g_free(data);
    return colour;
}

/* Adds the order-free sum of each group's colours to its members' next colours. */
static void add_groups(const StratPlan *plan, int64_t ranks, const uint64_t *colour, uint64_t *next,
                       uint64_t *sum, StratGroup (*group_of)(const StratPlan *, int64_t))
{
    memset(sum, 0, (size_t)ranks * sizeof *sum);
    for (int64_t r = 0; r < ranks; r++)
        sum[group_of(plan, r).first] += mix(colour[r]);
    for (int64_t r = 0; r < ranks; r++)
        next[r] = combine(next[r], sum[group_of(plan, r).first]);
}

/* Numbers the colours in order of first appearance; returns how many there are. */
static int64_t number_colours(const uint64_t *colour, int64_t ranks, uint32_t *class_of)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (int64_t r = 0; r < ranks; r++) {
        gpointer known = g_hash_table_lookup(seen, &colour[r]);
        if (!known) {
            known = GUINT_TO_POINTER(g_hash_table_size(seen) + 1);
            g_hash_table_insert(seen, (gpointer)&colour[r], known);
        }
        class_of[r] = GPOINTER_TO_UINT(known) - 1;
    }
    return g_hash_table_size(seen);
}

static int64_t refine(const TopoCluster *cluster, const StratPlan *plan, StratFold *fold)
{
    int64_t ranks = fold->ranks;
    g_autofree uint64_t *colour = first_colours(cluster, plan, ranks);
    g_autofree uint64_t *next = g_new(uint64_t, ranks);
    g_autofree uint64_t *sum = g_new(uint64_t, ranks);
    int64_t classes = number_colours(colour, ranks, fold->class_of);
    for (;;) {
        for (int64_t r = 0; r < ranks; r++) {
            next[r] = combine(colour[r], colour[neighbour(plan, r, 1)]);
            next[r] = combine(next[r], colour[neighbour(plan, r, -1)]);
        }
        add_groups(plan, ranks, colour, next, sum, strat_gang);
        add_groups(plan, ranks, colour, next, sum, strat_data_group);
        int64_t now = number_colours(next, ranks, fold->class_of);
        if (now == classes)
            return classes;
        classes = now;
        memcpy(colour, next, (size_t)ranks * sizeof *colour);
    }
}

StratFold *strat_fold_new(const TopoCluster *cluster, const StratPlan *plan, bool enabled)
{
    StratFold *fold = g_new0(StratFold, 1);
    fold->ranks = strat_rank_count(plan);
    fold->class_of = g_new(uint32_t, fold->ranks);
    if (enabled) {
        fold->classes = refine(cluster, plan, fold);
    } else {
        fold->classes = fold->ranks;
        for (int64_t r = 0; r < fold->ranks; r++)
            fold->class_of[r] = (uint32_t)r;
    }
    fold->representative = g_new0(int64_t, fold->classes);
    fold->multiplicity = g_new0(int64_t, fold->classes);
    for (int64_t r = fold->ranks; r-- > 0;) {
        fold->representative[fold->class_of[r]] = r;
        fold->multiplicity[fold->class_of[r]]++;
    }
    return fold;
}

void strat_fold_free(StratFold *fold)
{
    if (!fold)
        return;
    g_free(fold->class_of);
    g_free(fold->representative);
    g_free(fold->multiplicity);
    g_free(fold);
}
