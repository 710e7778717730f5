/* From placements by name to the GPU of every rank. Ranks that all run on the GPU of their own
 * number keep no list: everything downstream is quicker without. */
#include "scen_place.h"

#include "topo_placement.h"

/* The list of @numbers, whole, as slots; NULL for none. */
static int64_t *slots_new(const GArray *numbers)
{
    if (!numbers)
        return NULL;
    int64_t *slots = g_new(int64_t, MAX(numbers->len, 1));
    for (guint i = 0; i < numbers->len; i++)
        slots[i] = (int64_t)g_array_index(numbers, double, i);
    return slots;
}

static int64_t *place(const TopoCluster *cluster, const ScenPlacement *placement, int64_t ranks,
                      GError **error)
{
    const GArray *list = placement->gpus ? placement->gpus : placement->nodes;
    g_autofree int64_t *slots = slots_new(list);
    TopoPlacementSpec spec = {
        .cluster = cluster,
        .placement = placement->kind,
        .ranks = ranks,
        .listed = slots,
        .listed_count = list ? list->len : 0,
        .lists_nodes = placement->nodes != NULL,
    };
    return topo_place(&spec, error);
}

void scen_place(ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors)
{
    int64_t ranks = scenario->cluster.gpu_count;
    g_autoptr(GError) error = NULL;
    g_autofree int64_t *placed = place(&scenario->cluster, &scenario->placement, ranks, &error);
    if (!placed)
        scen_errors_add(errors, scen_marks_find(marks, "placement"), "%s", error->message);
    else if (!topo_placement_is_identity(placed, ranks))
        scenario->gpu_of_rank = g_steal_pointer(&placed);
}
