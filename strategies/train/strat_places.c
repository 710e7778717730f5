/* Worse GPUs and NICs, rank by rank.
 *
 * A node's GPUs share its NICs in order: GPU i of g uses those that its share [i / g, (i + 1) / g)
 * of them touches. A collective library gives its channels, and so the NICs of a group, equal
 * parts, so that the weakest sets the pace. What a dead NIC carried, the n others of its node carry
 * as well, in equal parts (R2CCL, arXiv 2512.25059, section 5, balances them so), and each of its
 * GPUs has
 *
 *   fraction = least fraction of its own live NICs * live NICs / all NICs of the node
 *
 * On a fabric none of this is read: there the links of the NIC are weak, and routes go round dead
 * ones (topo_route.c), over one other NIC. */
#include "strat_places.h"

#include "strat_layout.h"
#include "strat_schedule.h"

StratPlaces strat_places_of(const StratCosting *costing)
{
    return (StratPlaces){costing->cluster, costing->gpu_of_rank, costing->state, costing->dealt};
}

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED, message);
    return false;
}

static bool check_nic(const StratPlaces *places, const StratWeakNic *weak, GError **error)
{
    const TopoCluster *cluster = places->cluster;
    if (weak->node == -1 && weak->nic == -1 && weak->fraction > 0.0 && weak->fraction <= 1.0)
        return true;
    if (weak->node < 0 || weak->node >= cluster->node_count || weak->nic < 0 ||
        weak->nic >= cluster->node.nics)
        return fail(
            error, "NIC %d of node %d: the cluster has %d nodes of %d NICs, both counted from 0",
            (int)weak->nic, (int)weak->node, (int)cluster->node_count, (int)cluster->node.nics);
    return (weak->fraction >= 0.0 && weak->fraction <= 1.0) ||
           fail(error, "NIC %d of node %d: fraction %g of its bandwidth is not from 0 to 1",
                (int)weak->nic, (int)weak->node, weak->fraction);
}

bool strat_places_check(const StratPlaces *places, GError **error)
{
    const StratJobState *state = places->state;
    const TopoNode *node = &places->cluster->node;
    int64_t gpus = places->cluster->node_count * node->gpus;
    for (size_t i = 0; state && i < state->slow_count; i++) {
        const StratSlowGpu *slow = &state->slow[i];
        if (slow->gpu < 0 || slow->gpu >= gpus)
            return fail(error, "GPU %d: the cluster has %d, counted from 0", (int)slow->gpu,
                        (int)gpus);
        if (!(slow->clock_fraction > 0.0) || slow->clock_fraction > 1.0)
            return fail(error, "GPU %d: fraction %g of its clock is not above 0 and at most 1",
                        (int)slow->gpu, slow->clock_fraction);
    }
    int64_t dead = 0;
    for (size_t i = 0; state && i < state->weak_count; i++) {
        const StratWeakNic *weak = &state->weak[i];
        if (!check_nic(places, weak, error))
            return false;
        if (i > 0 && weak[-1].node == weak->node && weak[-1].nic == weak->nic)
            return fail(error, "NIC %d of node %d: it is listed twice", (int)weak->nic,
                        (int)weak->node);
        dead = i > 0 && state->weak[i - 1].node == weak->node ? dead : 0;
        dead += weak->fraction <= 0.0;
        if (dead == node->nics && places->cluster->node_count > 1)
            return fail(error, "node %d: all its NICs are dead, so nothing reaches it",
                        (int)weak->node);
    }
    return true;
}

int64_t strat_places_gpu(const StratPlaces *places, int64_t rank)
{
    return places->gpu_of_rank ? places->gpu_of_rank[rank] : rank;
}

TopoKind strat_places_kind(const StratPlaces *places, int64_t rank)
{
    return topo_cluster_kind(places->cluster, strat_places_gpu(places, rank));
}

TopoKind strat_places_group_kind(const StratPlaces *places, const TopoRanks *group)
{
    if (places->cluster->mixed.gpus == 0)
        return TOPO_KIND_FIRST;
    TopoKind kind = strat_places_kind(places, group->first);
    for (int64_t i = 1; i < group->count; i++) {
        if (strat_places_kind(places, group->first + i * group->stride) != kind)
            return TOPO_KIND_BETWEEN;
    }
    return kind;
}

bool strat_places_check_kinds(const StratPlaces *places, const StratPlan *plan, GError **error)
{
    int64_t ranks = places->cluster->mixed.gpus > 0 ? strat_rank_count(plan) : 0;
    for (int64_t r = 0; r < ranks; r++) {
        const struct {
            const char *what;
            StratGroup group;
        } rows[] = {
            {"tensor",  strat_tensor_group(plan,  r)},
            {"context", strat_context_group(plan, r)},
            {"expert",  strat_expert_group(plan,  r)},
        };
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
            if (rows[i].group.first == r &&
                strat_places_group_kind(places, &rows[i].group) == TOPO_KIND_BETWEEN)
                return fail(error,
                            "the %s group of rank %d is on nodes of two kinds: its ranks work on "
                            "one microbatch in step, so the faster ones would only wait; keep each "
                            "such group on one kind",
                            rows[i].what, (int)r);
    }
    return true;
}

double strat_places_clock(const StratPlaces *places, int64_t rank)
{
    if (!places->state || places->state->slow_count == 0)
        return 1.0;
    const StratSlowGpu *slow = places->state->slow;
    size_t low = 0, high = places->state->slow_count;
    int64_t gpu = strat_places_gpu(places, rank);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (slow[middle].gpu < gpu)
            low = middle + 1;
        else
            high = middle;
    }
    double clock = 1.0;
    for (; low < places->state->slow_count && slow[low].gpu == gpu; low++)
        clock = MIN(clock, slow[low].clock_fraction);
    return clock;
}

void strat_places_nics(const TopoCluster *cluster, int64_t gpu, int64_t *first, int64_t *end)
{
    int64_t gpus = cluster->node.gpus, nics = cluster->node.nics, place = gpu % gpus;
    *first = place * nics / gpus;
    *end = ((place + 1) * nics + gpus - 1) / gpus;
}

double strat_places_nic(const StratPlaces *places, int64_t rank)
{
    if (!places->state || places->state->weak_count == 0)
        return 1.0;
    int64_t gpu = strat_places_gpu(places, rank), node = gpu / places->cluster->node.gpus;
    const StratWeakNic *weak = places->state->weak;
    size_t low = 0, high = places->state->weak_count;
    int64_t first, end, dead = 0;
    strat_places_nics(places->cluster, gpu, &first, &end);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (weak[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    double fraction = weak[0].node < 0 ? weak[0].fraction : 1.0;
    for (; low < places->state->weak_count && weak[low].node == node; low++) {
        if (weak[low].fraction <= 0.0)
            dead++;
        else if (weak[low].nic >= first && weak[low].nic < end)
            fraction = MIN(fraction, weak[low].fraction);
    }
    double nics = (double)places->cluster->node.nics;
    return dead > 0 ? fraction * (nics - (double)dead) / nics : fraction;
}

double strat_places_weakest(const StratPlaces *places, const TopoRanks *group)
{
    if (!places->state || places->state->weak_count == 0)
        return 0.0;
    double least = 1.0;
    for (int64_t i = 0; i < group->count; i++)
        least = MIN(least, strat_places_nic(places, group->first + i * group->stride));
    return least < 1.0 ? least : 0.0;
}
