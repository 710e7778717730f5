/* A fabric is checked by building it: no second set of rules can then disagree with the builder.
 *
 * That takes 0.1 s for 100,000 GPUs and is done only where the scenario has a fabric. Faults of one
 * row are reported at that row. */
#include "scen_check_fabric.h"

#include "topo_route.h"

typedef struct FabricCheck {
    const ScenMarks *marks;
    ScenErrors *errors;
} FabricCheck;

/* Adds @error at @path, or at row @row of the list there, and clears it. */
static void report(const FabricCheck *check, const char *path, int64_t row, GError **error)
{
    g_autofree char *place =
        row < 0 ? g_strdup(path) : g_strdup_printf("%s[%" G_GINT64_FORMAT "]", path, row);
    ScenMark mark = scen_marks_find(check->marks, place);
    if (!mark.file)
        mark.file = path;
    scen_errors_add(check->errors, mark, "%s", (*error)->message);
    g_clear_error(error);
}

static void check_links(const FabricCheck *check, const TopoFabricSpec *spec)
{
    for (size_t i = 0; i < spec->link_count; i++) {
        g_autoptr(GError) error = NULL;
        if (!topo_fabric_check_link(spec, i, &error))
            report(check, "fabric.links", (int64_t)i, &error);
    }
}

static void check_changes(const FabricCheck *check, TopoFabric *fabric,
                          const TopoFabricChanges *changes)
{
    for (size_t i = 0; i < changes->health_count; i++) {
        g_autoptr(GError) error = NULL;
        if (!topo_fabric_set_health(fabric, &changes->health[i], &error))
            report(check, "fabric.health", (int64_t)i, &error);
    }
    for (size_t i = 0; i < changes->fault_count; i++) {
        g_autoptr(GError) error = NULL;
        if (!topo_fabric_check_fault(fabric, &changes->faults[i], &error))
            report(check, "fabric.faults", (int64_t)i, &error);
    }
    for (size_t i = 0; i < changes->move_count; i++) {
        g_autoptr(GError) error = NULL;
        if (!topo_fabric_move_rack(fabric, &changes->moves[i], &error))
            report(check, "fabric.moved_racks", (int64_t)i, &error);
    }
}

/* Wires may be missing or dead: every node must be reached from the first and reach it. Builders
 * leave nothing out, so fabrics that are whole are taken at their word. */
static void check_reach(const FabricCheck *check, const ScenScenario *scenario,
                        const TopoFabric *fabric, bool is_custom)
{
    const TopoRoutePolicy *policy = topo_route_by_name("shortest", NULL);
    g_autoptr(TopoRouter) router = topo_router_new(fabric, policy, 0);
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GError) error = NULL;
    size_t per_node = (size_t)scenario->cluster.node.gpus;
    for (size_t gpu = per_node; gpu < fabric->gpu_count; gpu += per_node) {
        g_array_set_size(links, 0);
        if (topo_route(router, 0, gpu, 0, links, &error) &&
            topo_route(router, gpu, 0, 0, links, &error))
            continue;
        report(check, is_custom ? "fabric.links" : "fabric.health", -1, &error);
        return;
    }
}

void scen_check_fabric(const ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors)
{
    const FabricCheck check = {.marks = marks, .errors = errors};
    const ScenFabric *given = &scenario->fabric;
    if (!given->kind || scen_marks_is_refused(marks, "fabric") ||
        scen_marks_is_refused(marks, "cluster"))
        return;
    TopoFabricSpec spec = scen_fabric_spec(given, &scenario->cluster);
    if (!scen_marks_is_refused(marks, "fabric.links"))
        check_links(&check, &spec);
    if (scen_errors_count(errors) > 0)
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
    if (!fabric) {
        report(&check, "fabric", -1, &error);
        return;
    }
    TopoFabricChanges changes = scen_fabric_changes(given);
    check_changes(&check, fabric, &changes);
    bool is_custom = spec.link_count > 0;
    if (scen_errors_count(errors) == 0 && (is_custom || changes.health_count > 0))
        check_reach(&check, scenario, fabric, is_custom);
}
