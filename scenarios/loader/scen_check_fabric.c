/* A fabric is checked by building it: no second set of rules can then disagree with the builder.
 *
 * That takes 0.1 s for 100,000 GPUs and is done only where the scenario has a fabric. Faults of one
 * row are reported at that row. */
#include "scen_check_fabric.h"

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
}
