/* Where the ranks of a job go. Ranks are numbered as strat_layout.h says, tensor fastest, so what
 * is near in rank talks most; a placement decides how near that is in the cluster.
 *
 * packed: rank r on the r-th free GPU, so the fewest nodes, leaves and pods. What batch systems aim
 * at (Slurm: topology plugins, --distribution=block).
 *
 * spread: scale-up domains stay whole, but the next one is always far away. Domains are taken in
 * bit-reversed order (van der Corput 1935), 0 1/2 1/4 3/4 1/8 ... of the cluster. The first 2^k of
 * them fall into 2^k equal parts of it, one each, so a job stands under as many leaves as it can,
 * and of 2^k domains each is in the other half than the one before. What is left in a fragmented
 * cluster, or asked for (Slurm: --spread-job).
 *
 * rail-aligned: the GPUs that packed takes, in order of (local GPU, node). Consecutive ranks go
 * down one rail, node after node, before the next local GPU has its turn (Slurm:
 * --distribution=cyclic). Tensor groups cross the NICs, data groups stay inside: the opposite of
 * what most plans want, and what an unlucky host file gives.
 *
 * custom: as the scenario lists.
 *
 * Left out: GPUs within a domain keep their order, and heterogeneous nodes. */
#include "topo_placement.h"

#include "sim_row.h"
#include "topo_net.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

static void place_packed(const TopoSlots *slots, int64_t ranks, int64_t *gpu_of_rank)
{
    memcpy(gpu_of_rank, slots->free, (size_t)ranks * sizeof *gpu_of_rank);
}

/* The @bits lowest bits of @value, the other way round. */
static int64_t reverse_bits(int64_t value, int bits)
{
    int64_t reversed = 0;
    for (int i = 0; i < bits; i++)
        reversed |= (value >> i & 1) << (bits - 1 - i);
    return reversed;
}

/* The first free slot at or after @slot, as a place in the list. */
static size_t first_from(const TopoSlots *slots, int64_t slot)
{
    size_t low = 0, high = slots->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slots->free[middle] < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void place_spread(const TopoSlots *slots, int64_t ranks, int64_t *gpu_of_rank)
{
    int64_t size = slots->cluster->node.scale_up_gpus;
    int64_t domains = (topo_slot_count(slots->cluster) + size - 1) / size, rank = 0;
    int bits = 0;
    while (INT64_C(1) << bits < domains)
        bits++;
    for (int64_t i = 0; i < INT64_C(1) << bits; i++) {
        int64_t domain = reverse_bits(i, bits);
        size_t at = first_from(slots, domain * size);
        for (; at < slots->count && slots->free[at] < (domain + 1) * size && rank < ranks; at++)
            gpu_of_rank[rank++] = slots->free[at];
    }
}

static gint compare_rails(gconstpointer left, gconstpointer right, gpointer user_data)
{
    int64_t gpus = *(const int64_t *)user_data;
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    if (a % gpus != b % gpus)
        return a % gpus < b % gpus ? -1 : 1;
    return (a > b) - (a < b);
}

static void place_rails(const TopoSlots *slots, int64_t ranks, int64_t *gpu_of_rank)
{
    int64_t gpus = slots->cluster->node.gpus;
    place_packed(slots, ranks, gpu_of_rank);
    g_qsort_with_data(gpu_of_rank, (gint)ranks, sizeof *gpu_of_rank, compare_rails, &gpus);
}

/* Rows of unequal fields, which version 14 cannot align. */
/* clang-format off */
static const TopoPlacement placements[] = {
    {.name = "packed",
     .source = "Slurm, topology.conf and srun --distribution=block: the first free GPUs in order",
     .place = place_packed},
    {.name = "spread",
     .source = "Slurm, sbatch --spread-job; order of domains: van der Corput 1935",
     .place = place_spread},
    {.name = "rail-aligned",
     .source = "Slurm, srun --distribution=cyclic: one rank a node in turn, rail after rail",
     .place = place_rails},
    {.name = "custom",
     .source = "Slurm, srun --distribution=arbitrary: GPUs or nodes as the scenario lists them"},
};
/* clang-format on */

const TopoPlacement *topo_placement_all(size_t *count)
{
    *count = G_N_ELEMENTS(placements);
    return placements;
}

const TopoPlacement *topo_placement_by_name(const char *name, GError **error)
{
    return sim_row_by_name(placements, G_N_ELEMENTS(placements), sizeof placements[0], name,
                           "placement", TOPO_ERROR, TOPO_ERROR_UNKNOWN_NAME, error);
}

int64_t topo_slot_count(const TopoCluster *cluster)
{
    return cluster->node.gpus * cluster->node_count;
}

static int64_t *fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static int64_t *fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, TOPO_ERROR, TOPO_ERROR_PLACEMENT, message);
    return NULL;
}

static GArray *free_slots(const TopoPlacementSpec *spec)
{
    GArray *slots = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (int64_t slot = 0; slot < topo_slot_count(spec->cluster); slot++) {
        if (!spec->taken || !spec->taken[slot])
            g_array_append_val(slots, slot);
    }
    return slots;
}

/* The slots that the list names, nodes written out; as many as there are ranks. */
static GArray *listed_slots(const TopoPlacementSpec *spec)
{
    GArray *slots = g_array_new(FALSE, FALSE, sizeof(int64_t));
    int64_t each = spec->lists_nodes ? spec->cluster->node.gpus : 1;
    for (size_t i = 0; i < spec->listed_count; i++) {
        for (int64_t k = 0; k < each && (!spec->lists_nodes || slots->len < spec->ranks); k++) {
            int64_t slot = spec->listed[i] * each + k;
            g_array_append_val(slots, slot);
        }
    }
    return slots;
}

static bool check_list(const TopoPlacementSpec *spec, GError **error)
{
    const TopoCluster *cluster = spec->cluster;
    const char *what = spec->lists_nodes ? "nodes" : "gpus";
    int64_t each = spec->lists_nodes ? cluster->node.gpus : 1;
    int64_t needed = (spec->ranks + each - 1) / each, most = topo_slot_count(cluster) / each;
    if ((int64_t)spec->listed_count != needed)
        return fail(error, "placement.%s lists " I64 ", but the job's " I64 " ranks need " I64,
                    what, (int64_t)spec->listed_count, spec->ranks, needed);
    g_autofree bool *seen = g_new0(bool, most);
    for (size_t i = 0; i < spec->listed_count; i++) {
        int64_t at = spec->listed[i];
        if (at < 0 || at >= most)
            return fail(error, "placement.%s: " I64 " is not one of the cluster's, 0 to " I64, what,
                        at, most - 1);
        if (seen[at])
            return fail(error, "placement.%s lists " I64 " twice", what, at);
        seen[at] = true;
    }
    return true;
}

static int64_t *place_listed(const TopoPlacementSpec *spec, GError **error)
{
    if (!check_list(spec, error))
        return NULL;
    g_autoptr(GArray) slots = listed_slots(spec);
    for (guint i = 0; i < slots->len; i++) {
        int64_t slot = g_array_index(slots, int64_t, i);
        if (spec->taken && spec->taken[slot])
            return fail(error, "placement: GPU " I64 " (node " I64 ") is taken by another job",
                        slot, slot / spec->cluster->node.gpus);
    }
    return g_memdup2(slots->data, slots->len * sizeof(int64_t));
}

int64_t *topo_place(const TopoPlacementSpec *spec, GError **error)
{
    const TopoPlacement *row =
        spec->placement ? topo_placement_by_name(spec->placement, error) : &placements[0];
    if (!row)
        return NULL;
    if (!row->place)
        return place_listed(spec, error);
    if (spec->listed_count > 0)
        return fail(error, "placement %s chooses its GPUs itself: a list is for custom", row->name);
    g_autoptr(GArray) slots = free_slots(spec);
    if ((int64_t)slots->len < spec->ranks)
        return fail(error, I64 " ranks do not fit the " I64 " free GPUs of " I64, spec->ranks,
                    (int64_t)slots->len, topo_slot_count(spec->cluster));
    int64_t *gpu_of_rank = g_new(int64_t, spec->ranks);
    row->place(&(TopoSlots){spec->cluster, (const int64_t *)(void *)slots->data, slots->len},
               spec->ranks, gpu_of_rank);
    return gpu_of_rank;
}

bool topo_placement_is_identity(const int64_t *gpu_of_rank, int64_t ranks)
{
    int64_t rank = 0;
    while (rank < ranks && gpu_of_rank[rank] == rank)
        rank++;
    return rank == ranks;
}
