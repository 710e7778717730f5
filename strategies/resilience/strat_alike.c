/* Which states of a job have the same step.
 *
 * Four laws, exact for closed forms without a fabric, each of which a property test holds against
 * simulation (tests/property/test_step_memo.c):
 *
 *   gang     Ranks of a gang wait for each other at every block, so that of its slow ranks the
 *            slowest counts, and which one that is does not matter among ranks whose positions are
 *            alike (the colours that folding starts from).
 *   replica  Replicas meet only where gradients are reduced, and nothing after that depends on a
 *            clock. So a path through the step passes slow blocks of one replica at most, and the
 *            step is the longest of those in which one replica is slow and the others are not.
 *   swap     Two replicas whose ranks have the same colours, coordinate by coordinate, may change
 *            places, and so may two tensor ranks of all replicas. So a slow replica becomes the
 *            first of its kind, and a weak NIC the first whose ranks stand like its own: on the
 * same stages and context ranks, on replicas and tensor ranks of the same kinds, alike ones where
 * its own are alike. bound    A slower clock or a weaker NIC makes no step shorter. So a replica
 * with more than STRAT_ALIKE_SLOW slow gangs stands for one whose GPUs all are at the slowest of
 * their clocks; and a weak NIC beside another one, or beside slow GPUs, for all NICs of the cluster
 * at the least bandwidth that any rank has left. This is the one law that changes an answer.
 *
 * Sharded gradients and weights (ZeRO-2 and 3), and experts shared out over replicas, have these
 * meet at every microbatch, and shards of several copies tell replicas apart: there the laws do not
 * hold, and each state is on its own.
 *
 * With P stages, K clocks, F bandwidths and equal replicas of one gang a stage, a campaign then
 * meets at most (P K + (P K)^2 / 2 + K) (1 + F) + P F parts, of which pairs are rare. On a fabric
 * replicas stand in different places and share links, so there the replica and swap laws are
 * approximations. Different stages are never taken for alike. */
#include "strat_alike.h"

#include "sim_hash.h"

/* Coordinates of ranks along which they may change places. */
typedef enum Axis { REPLICA, TENSOR, AXES } Axis;

struct StratAlike {
    const StratPlan *plan;
    StratPlaces places;       /* without a state */
    int64_t *gpus;            /* of ranks */
    int64_t *rank_of;         /* by GPU; -1: none of the job's */
    uint64_t *colour;         /* by rank */
    uint32_t *kind[AXES];     /* by place on an axis: those of one kind may change places */
    GHashTable *first_nic[2]; /* by how its ranks stand: the first such NIC + 1, weak or dead */
    int64_t ranks;
};

static uint64_t combine(uint64_t hash, uint64_t value)
{
    return sim_hash_mix(hash ^ sim_hash_mix(value));
}

static int64_t place_of(const StratAlike *alike, Axis axis, int64_t rank)
{
    StratRank at = strat_rank_at(alike->plan, rank);
    return axis == REPLICA ? at.data : at.tensor;
}

static int64_t replica_of(const StratAlike *alike, int64_t rank)
{
    return place_of(alike, REPLICA, rank);
}

/* The rank of @replica that stands where @rank does in its own. */
static int64_t rank_in(const StratAlike *alike, int64_t rank, int64_t replica)
{
    StratRank at = strat_rank_at(alike->plan, rank);
    at.data = replica;
    return strat_rank_index(alike->plan, at);
}

/* Places are of a kind when all their ranks have the same colours, in order. */
static void find_kinds(StratAlike *alike, Axis axis, int64_t places)
{
    g_autofree uint64_t *all = g_new0(uint64_t, places);
    for (int64_t r = 0; r < alike->ranks; r++) {
        uint64_t *hash = &all[place_of(alike, axis, r)];
        *hash = combine(*hash, alike->colour[r]);
    }
    alike->kind[axis] = g_new(uint32_t, places);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (int64_t i = 0; i < places; i++) {
        gpointer known = g_hash_table_lookup(seen, &all[i]);
        if (!known) {
            known = GUINT_TO_POINTER(g_hash_table_size(seen) + 1);
            g_hash_table_insert(seen, &all[i], known);
        }
        alike->kind[axis][i] = GPOINTER_TO_UINT(known);
    }
}

/* The ranks that @weak makes worse (of int64_t): those that send through the NIC, or, where it is
 * dead and the others of its node carry more, all of the node. */
static GArray *ranks_behind(const StratAlike *alike, const StratWeakNic *weak)
{
    const TopoCluster *cluster = alike->places.cluster;
    GArray *ranks = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (int64_t i = 0; i < cluster->node.gpus; i++) {
        int64_t gpu = weak->node * cluster->node.gpus + i, rank = alike->rank_of[gpu], first, end;
        strat_places_nics(cluster, gpu, &first, &end);
        bool through = weak->fraction <= 0.0 || (weak->nic >= first && weak->nic < end);
        if (rank >= 0 && through)
            g_array_append_val(ranks, rank);
    }
    return ranks;
}

/* How the ranks behind @weak stand. */
static uint64_t standing(const StratAlike *alike, const StratWeakNic *weak)
{
    g_autoptr(GArray) ranks = ranks_behind(alike, weak);
    uint64_t hash = sim_hash_mix(ranks->len);
    for (guint i = 0; i < ranks->len; i++) {
        int64_t rank = g_array_index(ranks, int64_t, i);
        StratRank at = strat_rank_at(alike->plan, rank);
        hash = combine(hash, (uint64_t)(at.stage * alike->plan->context + at.context));
        for (int axis = 0; axis < AXES; axis++) {
            int64_t place = place_of(alike, (Axis)axis, rank);
            guint same = 0; /* the first of the ranks at that place */
            while (place_of(alike, (Axis)axis, g_array_index(ranks, int64_t, same)) != place)
                same++;
            hash = combine(combine(hash, alike->kind[axis][place]), same);
        }
    }
    return hash;
}

static void find_nics(StratAlike *alike)
{
    const TopoCluster *cluster = alike->places.cluster;
    for (int dead = 0; dead < 2; dead++) {
        alike->first_nic[dead] = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
        for (int64_t i = 0; i < cluster->node_count * cluster->node.nics; i++) {
            StratWeakNic weak = {i / cluster->node.nics, i % cluster->node.nics, dead ? 0.0 : 0.5};
            uint64_t hash = standing(alike, &weak);
            if (!g_hash_table_contains(alike->first_nic[dead], &hash))
                g_hash_table_insert(alike->first_nic[dead], g_memdup2(&hash, sizeof hash),
                                    GSIZE_TO_POINTER((gsize)i + 1));
        }
    }
}

StratAlike *strat_alike_new(const StratPlaces *places, const StratPlan *plan)
{
    StratAlike *alike = g_new0(StratAlike, 1);
    int64_t gpus = places->cluster->node_count * places->cluster->node.gpus;
    alike->plan = plan;
    alike->ranks = strat_rank_count(plan);
    alike->gpus = g_new(int64_t, alike->ranks);
    alike->rank_of = g_new(int64_t, gpus);
    for (int64_t g = 0; g < gpus; g++)
        alike->rank_of[g] = -1;
    for (int64_t r = 0; r < alike->ranks; r++) {
        alike->gpus[r] = strat_places_gpu(places, r);
        alike->rank_of[alike->gpus[r]] = r;
    }
    alike->places =
        (StratPlaces){places->cluster, places->gpu_of_rank ? alike->gpus : NULL, NULL, NULL};
    alike->colour = strat_fold_colours(&alike->places, plan);
    find_kinds(alike, REPLICA, plan->data);
    find_kinds(alike, TENSOR, plan->tensor);
    find_nics(alike);
    return alike;
}

bool strat_alike_holds(const StratAlike *alike)
{
    const StratPlan *plan = alike->plan;
    bool meets_within = plan->zero_stage == 3 || (plan->zero_stage == 2 && !plan->no_sync);
    bool meets_in_gang = strat_gang(plan, 0).count > plan->tensor * plan->context;
    return !meets_within && !meets_in_gang && strat_shard_ranks(plan) == plan->data * plan->context;
}

void strat_alike_free(StratAlike *alike)
{
    if (!alike)
        return;
    g_free(alike->gpus);
    g_free(alike->rank_of);
    g_free(alike->colour);
    for (int axis = 0; axis < AXES; axis++)
        g_free(alike->kind[axis]);
    for (int dead = 0; dead < 2; dead++)
        g_hash_table_unref(alike->first_nic[dead]);
    g_free(alike);
}

static gint by_gpu(gconstpointer left, gconstpointer right)
{
    const StratSlowGpu *a = left, *b = right;
    return (a->gpu > b->gpu) - (a->gpu < b->gpu);
}

static StratAlikePart part_new(void)
{
    return (StratAlikePart){g_array_new(FALSE, FALSE, sizeof(StratSlowGpu)),
                            g_array_new(FALSE, FALSE, sizeof(StratWeakNic))};
}

static void part_clear(StratAlikePart *part)
{
    g_array_unref(part->slow);
    g_array_unref(part->weak);
}

StratJobState strat_alike_state(const StratAlikePart *part)
{
    return (StratJobState){.slow = (const StratSlowGpu *)(const void *)part->slow->data,
                           .slow_count = part->slow->len,
                           .weak = (const StratWeakNic *)(const void *)part->weak->data,
                           .weak_count = part->weak->len};
}

static StratSlowGpu *slow_at(const StratAlikePart *part, guint i)
{
    return &g_array_index(part->slow, StratSlowGpu, i);
}

static StratWeakNic *weak_at(const StratAlikePart *part, guint i)
{
    return &g_array_index(part->weak, StratWeakNic, i);
}

/* Enters a GPU once, at the slowest of its clocks. */
static void add_slow(StratAlikePart *part, int64_t gpu, double clock)
{
    for (guint i = 0; i < part->slow->len; i++) {
        if (slow_at(part, i)->gpu == gpu) {
            slow_at(part, i)->clock_fraction = MIN(slow_at(part, i)->clock_fraction, clock);
            return;
        }
    }
    StratSlowGpu slow = {gpu, clock};
    g_array_append_val(part->slow, slow);
}

/* The first rank of the gang of @rank with its colour. */
static int64_t gang_like(const StratAlike *alike, int64_t rank)
{
    int64_t first = strat_gang(alike->plan, rank).first;
    while (alike->colour[first] != alike->colour[rank])
        first++;
    return first;
}

/* The laws of gangs and swaps: what of the slow GPUs of @state counts in @replica, and as if that
 * were @first. */
static void add_replica(const StratAlike *alike, const StratJobState *state, int64_t replica,
                        int64_t first, StratAlikePart *part)
{
    for (size_t i = 0; i < state->slow_count; i++) {
        int64_t rank = alike->rank_of[state->slow[i].gpu];
        if (rank < 0 || state->slow[i].clock_fraction >= 1.0 || replica_of(alike, rank) != replica)
            continue;
        int64_t stand_in = gang_like(alike, rank_in(alike, rank, first));
        add_slow(part, alike->gpus[stand_in], state->slow[i].clock_fraction);
    }
}

/* All GPUs of @replica at the slowest clock of @part, or as many as stand for the rest. */
static void slow_all(const StratAlike *alike, int64_t replica, StratAlikePart *part)
{
    double slowest = 1.0;
    for (guint i = 0; i < part->slow->len; i++)
        slowest = MIN(slowest, slow_at(part, i)->clock_fraction);
    g_array_set_size(part->slow, 0);
    for (int64_t r = 0; r < alike->ranks; r++) {
        StratSlowGpu slow = {alike->gpus[r], slowest};
        if (replica_of(alike, r) == replica && gang_like(alike, r) == r)
            g_array_append_val(part->slow, slow);
    }
}

/* The least bandwidth that a rank has left with the NICs of @part. */
static double least_bandwidth(const StratAlike *alike, const StratAlikePart *part)
{
    StratJobState state = strat_alike_state(part);
    StratPlaces places = alike->places;
    places.state = &state;
    double least = 1.0;
    for (guint i = 0; i < part->weak->len; i++) {
        g_autoptr(GArray) ranks = ranks_behind(alike, weak_at(part, i));
        for (guint k = 0; k < ranks->len; k++)
            least = MIN(least, strat_places_nic(&places, g_array_index(ranks, int64_t, k)));
    }
    return least;
}

/* The law of swaps for a weak NIC. */
static void move_nic(const StratAlike *alike, StratWeakNic *weak)
{
    uint64_t hash = standing(alike, weak);
    gpointer first = g_hash_table_lookup(alike->first_nic[weak->fraction <= 0.0], &hash);
    int64_t nics = alike->places.cluster->node.nics, index = (int64_t)GPOINTER_TO_SIZE(first) - 1;
    weak->node = index / nics;
    weak->nic = index % nics;
}

/* The weak NICs of @state that some rank notices. */
static void add_weak(const StratAlike *alike, const StratJobState *state, StratAlikePart *part)
{
    for (size_t i = 0; i < state->weak_count; i++) {
        if (state->weak[i].fraction >= 1.0)
            continue;
        g_autoptr(GArray) ranks = ranks_behind(alike, &state->weak[i]);
        if (ranks->len > 0)
            g_array_append_val(part->weak, state->weak[i]);
    }
}

/* What is wrong with the GPUs of @replica alone (none is -1), and with NICs; whether that is
 * bounded.
 */
static bool add_part(const StratAlike *alike, const StratJobState *state, int64_t replica,
                     GArray *parts)
{
    StratAlikePart part = part_new();
    int64_t first = 0;
    while (replica >= 0 && alike->kind[REPLICA][first] != alike->kind[REPLICA][replica])
        first++;
    add_weak(alike, state, &part);
    add_replica(alike, state, replica, first, &part);
    bool everywhere = part.weak->len > (part.slow->len > 0 ? 0 : 1);
    bool all_slow = part.slow->len > STRAT_ALIKE_SLOW;
    if (everywhere) {
        StratWeakNic all = {-1, -1, least_bandwidth(alike, &part)};
        g_array_set_size(part.weak, 0);
        g_array_append_val(part.weak, all);
    } else if (part.weak->len == 1) {
        move_nic(alike, weak_at(&part, 0));
    }
    if (all_slow)
        slow_all(alike, first, &part);
    g_array_sort(part.slow, by_gpu);
    g_array_append_val(parts, part);
    return everywhere || all_slow;
}

GArray *strat_alike_parts(const StratAlike *alike, const StratJobState *state, bool *bounded)
{
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(StratAlikePart));
    g_array_set_clear_func(parts, (GDestroyNotify)part_clear);
    bool worse = false;
    g_autoptr(GArray) done = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (size_t i = 0; i < state->slow_count; i++) {
        int64_t rank = alike->rank_of[state->slow[i].gpu];
        if (rank < 0 || state->slow[i].clock_fraction >= 1.0)
            continue;
        int64_t replica = replica_of(alike, rank);
        guint k = 0;
        while (k < done->len && g_array_index(done, int64_t, k) != replica)
            k++;
        if (k < done->len)
            continue;
        g_array_append_val(done, replica);
        worse = add_part(alike, state, replica, parts) || worse;
    }
    if (parts->len == 0)
        worse = add_part(alike, state, -1, parts);
    if (bounded)
        *bounded = worse;
    return parts;
}
