/* Interference of queued jobs, from their steps.
 *
 * The queue itself (strat_queue_once.c) knows runs by their length alone. Where a scenario says
 * what classes train, two jobs of each pair are laid side by side over as few leaves as give each
 * at least two and let every leaf be half of one and half of the other, nodes dealt out in turn.
 * Their steps run together on the network (strat_jobs.c), and each alone in the same places:
 *
 *     beside = T(together) / T(alone) - 1,  0 where no link is common or none of them is full
 *
 * so what being spread over leaves costs a job is in neither. This is the most that two can meet:
 * jobs that have one leaf of many in common do less to each other. Where the cluster has no room
 * for both at once, they never meet. Classes of one node, or with room for no second leaf, do not
 * span leaves.
 *
 * Left out: three at a link, and the drift of steps against each other. */
#include "strat_queue_meet.h"

/* Deals the nodes of two jobs out over leaves, a node of each leaf in turn. */
typedef struct Deal {
    int64_t nodes, per_leaf;
    int64_t *used; /* by leaf: nodes that are given */
    int64_t leaves;
} Deal;

static int64_t leaf_room(const Deal *deal, int64_t leaf)
{
    return MIN(deal->per_leaf, deal->nodes - leaf * deal->per_leaf) - deal->used[leaf];
}

/* How many of its @nodes a job gets under each leaf, dealt over the first @over leaves, and over
 * further ones when those are full. */
static int64_t *deal_out(Deal *deal, int64_t nodes, int64_t over)
{
    int64_t *share = g_new0(int64_t, deal->leaves);
    while (nodes > 0) {
        int64_t before = nodes;
        for (int64_t leaf = 0; leaf < over && nodes > 0; leaf++)
            if (leaf_room(deal, leaf) > 0) {
                deal->used[leaf]++;
                share[leaf]++;
                nodes--;
            }
        if (nodes == before)
            over++;
    }
    return share;
}

/* GPUs of a job, in order of its ranks, that has @share nodes under each leaf, the first free
 * ones after those of @before (or NULL). */
static int64_t *gpus_of(const Deal *deal, const int64_t *share, const int64_t *before,
                        int64_t gpus_per_node)
{
    GArray *gpus = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (int64_t leaf = 0; leaf < deal->leaves; leaf++) {
        int64_t first = leaf * deal->per_leaf + (before ? before[leaf] : 0);
        for (int64_t gpu = first * gpus_per_node; gpu < (first + share[leaf]) * gpus_per_node;
             gpu++)
            g_array_append_val(gpus, gpu);
    }
    return (int64_t *)(void *)g_array_free(gpus, FALSE);
}

static int64_t leaves_for(const Deal *deal, int64_t nodes)
{
    int64_t half = MAX(deal->per_leaf / 2, 1), fewest = (nodes + half - 1) / half;
    return MIN(MAX(fewest, 2), deal->leaves);
}

/* Runs @a and @b side by side; by how much each takes longer. */
static bool meet(const StratQueueWork *a, const StratQueueWork *b, Deal *deal, bool fold,
                 double slow[2], GError **error)
{
    int64_t gpus = a->costing->cluster->node.gpus;
    g_autofree int64_t *share_a = deal_out(deal, a->nodes, leaves_for(deal, a->nodes));
    g_autofree int64_t *share_b = deal_out(deal, b->nodes, leaves_for(deal, b->nodes));
    g_autofree int64_t *gpus_a = gpus_of(deal, share_a, NULL, gpus);
    g_autofree int64_t *gpus_b = gpus_of(deal, share_b, share_a, gpus);
    StratCosting placed[] = {*a->costing, *b->costing};
    placed[0].gpu_of_rank = gpus_a;
    placed[1].gpu_of_rank = gpus_b;
    StratJob jobs[] = {
        {a->name, &placed[0], 0},
        {b->name, &placed[1], 0}
    };
    g_autoptr(StratJobs) together = strat_jobs_run(jobs, G_N_ELEMENTS(jobs), fold, error);
    if (!together)
        return false;
    for (guint i = 0; i < G_N_ELEMENTS(jobs); i++) {
        const StratJobResult *r = &g_array_index(together->jobs, StratJobResult, i);
        slow[i] = MAX(r->together_ns / (double)r->alone_ns - 1.0, 0.0);
    }
    return true;
}

bool strat_queue_meet(const StratQueueWork *works, size_t count, int64_t nodes, int64_t per_leaf,
                      bool fold, double *beside, GError **error)
{
    Deal deal = {.nodes = nodes, .per_leaf = MIN(per_leaf, nodes)};
    deal.leaves = (nodes + deal.per_leaf - 1) / deal.per_leaf;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i; j < count; j++) {
            const StratQueueWork *a = &works[i], *b = &works[j];
            double slow[2] = {-1.0, -1.0};
            bool known = a->costing && b->costing;
            if (known)
                slow[0] = slow[1] = 0.0;
            bool span = MIN(a->nodes, b->nodes) > 1 && a->nodes + b->nodes <= nodes;
            g_autofree int64_t *used = g_new0(int64_t, deal.leaves);
            deal.used = used;
            if (known && span && !meet(a, b, &deal, fold, slow, error)) {
                g_prefix_error(error, "jobs '%s' beside jobs '%s': ", a->name, b->name);
                return false;
            }
            beside[i * count + j] = slow[0];
            beside[j * count + i] = slow[1];
        }
    return true;
}
