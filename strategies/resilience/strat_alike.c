/* Which states of a job have the same step.
 *
 * Four laws, exact for closed forms without a fabric, each of which a property test holds against
 * simulation (tests/property/test_step_memo.c):
 *
 *   gang     Ranks of a gang wait for each other at every block, so that of its slow ranks the
 *            slowest counts, and which one that is does not matter among ranks whose positions are
 *            alike (the colours that folding starts from). Not said where NICs are weak and a gang
 *            has several tensor groups, since these then differ in what is weak.
 *   replica  Replicas meet only where gradients are reduced, and nothing after that depends on a
 *            clock. So a path through the step passes slow blocks of one replica at most, and the
 *            step is the longest of those in which one replica is slow and the others are not. Weak
 *            NICs stay in all of these.
 *   swap     Two replicas whose ranks have the same colours, coordinate by coordinate, may change
 *            places; without context groups, two places in all tensor groups likewise. So those
 * that a state touches become the first of their kinds, in the order of what is wrong there. A NIC
 * moves with the ranks that send through it, if their images have a NIC to themselves too; if one
 * has not, all stays where it is. bound    A slower clock or a weaker NIC makes no step shorter. So
 * a replica with more than STRAT_ALIKE_SLOW slow gangs stands for one whose GPUs all are at the
 * slowest of their clocks; more than STRAT_ALIKE_WEAK weak NICs, for all NICs of the cluster at the
 * least bandwidth that any rank has left. This is the one law that changes an answer.
 *
 * With P stages, K clocks and equal replicas, a campaign of slow GPUs then meets at most
 * P K + (P K)^2 / 2 + K parts. On a fabric replicas stand in different places and share links, so
 * there the replica and swap laws are approximations. Different stages are never taken for alike.
 */
#include "strat_alike.h"

#include "sim_hash.h"

#include <string.h>

/* Coordinates of ranks along which they may change places. */
typedef enum Axis { REPLICA, TENSOR, AXES } Axis;

struct StratAlike {
    const StratPlan *plan;
    StratPlaces places;   /* without a state */
    int64_t *gpus;        /* of ranks */
    int64_t *rank_of;     /* by GPU; -1: none of the job's */
    uint64_t *colour;     /* by rank */
    uint32_t *kind[AXES]; /* by place on an axis: those of one kind may change places */
    int64_t ranks;
};

/* A place on an axis that a state touches, and the one of its kind that it becomes. */
typedef struct Touched {
    int64_t place, image;
    uint64_t wear; /* what is wrong with it */
} Touched;

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
    alike->places = (StratPlaces){places->cluster, places->gpu_of_rank ? alike->gpus : NULL, NULL};
    alike->colour = strat_fold_colours(&alike->places, plan);
    find_kinds(alike, REPLICA, plan->data);
    find_kinds(alike, TENSOR, plan->tensor);
    return alike;
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
    g_free(alike);
}

static gint by_gpu(gconstpointer left, gconstpointer right)
{
    const StratSlowGpu *a = left, *b = right;
    return (a->gpu > b->gpu) - (a->gpu < b->gpu);
}

static gint by_nic(gconstpointer left, gconstpointer right)
{
    const StratWeakNic *a = left, *b = right;
    if (a->node != b->node)
        return a->node > b->node ? 1 : -1;
    return (a->nic > b->nic) - (a->nic < b->nic);
}

static gint by_wear(gconstpointer left, gconstpointer right)
{
    const Touched *a = left, *b = right;
    if (a->wear != b->wear)
        return a->wear > b->wear ? 1 : -1;
    return (a->place > b->place) - (a->place < b->place);
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

/* The law of gangs: what of the slow GPUs of @state counts in @replica. */
static void add_replica(const StratAlike *alike, const StratJobState *state, int64_t replica,
                        StratAlikePart *part)
{
    for (size_t i = 0; i < state->slow_count; i++) {
        int64_t rank = alike->rank_of[state->slow[i].gpu];
        if (rank < 0 || state->slow[i].clock_fraction >= 1.0 || replica_of(alike, rank) != replica)
            continue;
        bool unlike_nics = state->weak_count > 0 && alike->plan->context > 1;
        int64_t stand_in = unlike_nics ? rank : gang_like(alike, rank);
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
        bool stands = alike->plan->context > 1 || gang_like(alike, r) == r;
        if (replica_of(alike, r) == replica && stands)
            g_array_append_val(part->slow, slow);
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

/* The least bandwidth that a rank has left with the NICs of @part. */
static double least_bandwidth(const StratAlike *alike, const StratAlikePart *part)
{
    StratJobState state = strat_alike_state(part);
    StratPlaces places = alike->places;
    places.state = &state;
    double least = 1.0;
    for (int64_t r = 0; r < alike->ranks; r++)
        least = MIN(least, strat_places_nic(&places, r));
    return least;
}

static void weaken_all(const StratAlike *alike, double least, StratAlikePart *part)
{
    const TopoCluster *cluster = alike->places.cluster;
    for (int64_t node = 0; node < cluster->node_count; node++) {
        for (int64_t nic = 0; nic < cluster->node.nics; nic++) {
            StratWeakNic weak = {node, nic, least};
            g_array_append_val(part->weak, weak);
        }
    }
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

static uint64_t bits(double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

/* Notes that @what is wrong with @rank, wherever on the axes it is. */
static void touch(const StratAlike *alike, GArray *touched, Axis axis, int64_t rank, uint64_t what)
{
    StratRank at = strat_rank_at(alike->plan, rank);
    int64_t place = place_of(alike, axis, rank);
    at.data = at.tensor = 0;
    uint64_t wear =
        sim_hash_mix(combine((uint64_t)strat_rank_index(alike->plan, at), sim_hash_mix(what)));
    for (guint i = 0; i < touched->len; i++) {
        Touched *known = &g_array_index(touched, Touched, i);
        if (known->place == place) {
            known->wear += wear;
            return;
        }
    }
    Touched first = {place, place, wear};
    g_array_append_val(touched, first);
}

/* Along @axis, the first of their kinds that the places which @part touches become. A slow rank
 * stands for any of its gang, so it touches no place among tensor ranks. */
static GArray *find_images(const StratAlike *alike, const StratAlikePart *part, Axis axis)
{
    GArray *touched = g_array_new(FALSE, FALSE, sizeof(Touched));
    if (axis == TENSOR && alike->plan->context > 1)
        return touched;
    for (guint i = 0; i < part->slow->len && axis == REPLICA; i++)
        touch(alike, touched, axis, alike->rank_of[slow_at(part, i)->gpu],
              bits(slow_at(part, i)->clock_fraction));
    for (guint i = 0; i < part->weak->len; i++) {
        g_autoptr(GArray) ranks = ranks_behind(alike, weak_at(part, i));
        for (guint k = 0; k < ranks->len; k++)
            touch(alike, touched, axis, g_array_index(ranks, int64_t, k),
                  ~bits(weak_at(part, i)->fraction));
    }
    g_array_sort(touched, by_wear);
    const uint32_t *kind = alike->kind[axis];
    for (guint i = 0; i < touched->len; i++) {
        Touched *one = &g_array_index(touched, Touched, i);
        int64_t image = 0;
        for (guint k = 0; k < i; k++) {
            const Touched *before = &g_array_index(touched, Touched, k);
            if (kind[before->place] == kind[one->place])
                image = MAX(image, before->image + 1);
        }
        while (kind[image] != kind[one->place])
            image++;
        one->image = image;
    }
    return touched;
}

static int64_t image_place(const GArray *touched, int64_t place)
{
    for (guint i = 0; i < touched->len; i++) {
        const Touched *one = &g_array_index(touched, Touched, i);
        if (one->place == place)
            return one->image;
    }
    return place;
}

static int64_t image_of(const StratAlike *alike, GArray *const *touched, int64_t rank)
{
    StratRank at = strat_rank_at(alike->plan, rank);
    at.data = image_place(touched[REPLICA], at.data);
    at.tensor = image_place(touched[TENSOR], at.tensor);
    return strat_rank_index(alike->plan, at);
}

/* Moves @weak with its ranks; false where the images have no NIC of their own. */
static bool move_nic(const StratAlike *alike, GArray *const *touched, StratWeakNic *weak)
{
    const TopoCluster *cluster = alike->places.cluster;
    g_autoptr(GArray) ranks = ranks_behind(alike, weak);
    int64_t rank = g_array_index(ranks, int64_t, 0), from_first, to_first, end;
    int64_t gpu = alike->gpus[image_of(alike, touched, rank)];
    strat_places_nics(cluster, alike->gpus[rank], &from_first, &end);
    strat_places_nics(cluster, gpu, &to_first, &end);
    StratWeakNic image = {gpu / cluster->node.gpus, to_first + weak->nic - from_first,
                          weak->fraction};
    if (weak->fraction <= 0.0)
        image.nic = weak->nic; /* which one is dead does not matter to a node */
    g_autoptr(GArray) others = ranks_behind(alike, &image);
    if (others->len != ranks->len)
        return false;
    for (guint i = 0; i < ranks->len; i++) {
        int64_t moved = image_of(alike, touched, g_array_index(ranks, int64_t, i));
        guint k = 0;
        while (k < others->len && g_array_index(others, int64_t, k) != moved)
            k++;
        if (k == others->len)
            return false;
    }
    *weak = image;
    return true;
}

/* Moves what is wrong along the axes; nothing where a NIC cannot move. */
static void move_along(const StratAlike *alike, GArray *const *touched, StratAlikePart *part)
{
    g_autoptr(GArray) weak = g_array_new(FALSE, FALSE, sizeof(StratWeakNic));
    if (part->weak->len > 0)
        g_array_append_vals(weak, part->weak->data, part->weak->len);
    for (guint i = 0; i < weak->len; i++) {
        if (!move_nic(alike, touched, &g_array_index(weak, StratWeakNic, i)))
            return;
    }
    for (guint i = 0; i < weak->len; i++)
        *weak_at(part, i) = g_array_index(weak, StratWeakNic, i);
    for (guint i = 0; i < part->slow->len; i++) {
        int64_t rank = image_of(alike, touched, alike->rank_of[slow_at(part, i)->gpu]);
        bool any_of_gang = alike->plan->context == 1;
        slow_at(part, i)->gpu = alike->gpus[any_of_gang ? gang_like(alike, rank) : rank];
    }
}

/* The law of swaps. */
static void move_to_first(const StratAlike *alike, StratAlikePart *part)
{
    GArray *touched[AXES];
    for (int axis = 0; axis < AXES; axis++)
        touched[axis] = find_images(alike, part, (Axis)axis);
    move_along(alike, touched, part);
    for (int axis = 0; axis < AXES; axis++)
        g_array_unref(touched[axis]);
}

/* What is wrong with the GPUs of @replica alone (none is -1), and with NICs; whether that is
 * bounded.
 */
static bool add_part(const StratAlike *alike, const StratJobState *state, int64_t replica,
                     GArray *parts)
{
    StratAlikePart part = part_new();
    double least = 1.0;
    add_weak(alike, state, &part);
    add_replica(alike, state, replica, &part);
    bool everywhere = part.weak->len > STRAT_ALIKE_WEAK;
    bool all_slow = part.slow->len > STRAT_ALIKE_SLOW;
    if (everywhere) {
        least = least_bandwidth(alike, &part);
        g_array_set_size(part.weak, 0);
    }
    if (all_slow)
        slow_all(alike, replica, &part);
    move_to_first(alike, &part);
    if (everywhere) /* alike for all replicas, so it does not move */
        weaken_all(alike, least, &part);
    g_array_sort(part.slow, by_gpu);
    g_array_sort(part.weak, by_nic);
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
