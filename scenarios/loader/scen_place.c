/* From placements by name to the GPU of every rank. Ranks that all run on the GPU of their own
 * number keep no list: everything downstream is quicker without. */
#include "scen_place.h"

#include "strat_places.h"

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

static bool has_list(const ScenPlacement *placement)
{
    return placement->gpus || placement->nodes;
}

/* The GPUs of a job on those that are not @taken, which it takes. */
static int64_t *place(const TopoCluster *cluster, const ScenPlacement *placement, int64_t ranks,
                      bool *taken, GError **error)
{
    const GArray *list = placement->gpus ? placement->gpus : placement->nodes;
    g_autofree int64_t *slots = slots_new(list);
    TopoPlacementSpec spec = {
        .cluster = cluster,
        .placement = placement->kind,
        .ranks = ranks,
        .taken = taken,
        .listed = slots,
        .listed_count = list ? list->len : 0,
        .lists_nodes = placement->nodes != NULL,
    };
    int64_t *placed = topo_place(&spec, error);
    for (int64_t rank = 0; placed && rank < ranks; rank++)
        taken[placed[rank]] = true;
    return placed;
}

/* The scenario's own job has its choice first, then the others in order. */
static void place_jobs(ScenScenario *scenario, bool *taken, ScenErrors *errors)
{
    for (guint i = 0; scenario->jobs && i < scenario->jobs->len; i++) {
        ScenJob *job = &g_array_index(scenario->jobs, ScenJob, i);
        g_autoptr(GError) error = NULL;
        job->gpu_of_rank = place(&scenario->cluster, &job->placement, job->gpus, taken, &error);
        if (!job->gpu_of_rank)
            scen_errors_add(
                errors, job->mark, "job '%s': %s%s", job->name, error->message,
                has_list(&job->placement) ? "" : " (cluster.nodes says how large the cluster is)");
        job->mark = (ScenMark){0};
    }
}

void scen_place(ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors)
{
    const TopoCluster *cluster = &scenario->cluster;
    int64_t ranks = cluster->gpu_count;
    g_autofree bool *taken = g_new0(bool, topo_slot_count(cluster));
    g_autoptr(GError) error = NULL;
    g_autofree int64_t *placed = place(cluster, &scenario->placement, ranks, taken, &error);
    if (!placed) {
        scen_errors_add(errors, scen_marks_find(marks, "placement"), "%s", error->message);
        return;
    }
    if (!topo_placement_is_identity(placed, ranks))
        scenario->gpu_of_rank = g_steal_pointer(&placed);
    StratPlaces places = {.cluster = cluster, .gpu_of_rank = scenario->gpu_of_rank};
    if (scenario->plan.tensor > 0 && !strat_places_check_kinds(&places, &scenario->plan, &error)) {
        scen_errors_add(errors, scen_marks_find(marks, "cluster.mixed"), "%s", error->message);
        return;
    }
    place_jobs(scenario, taken, errors);
}
