/* The table of a placement: a name, or a map with a list of GPUs or nodes.
 *
 *   placement: spread
 *   placement: {kind: custom, nodes: [4, 5, 12, 13]}
 *
 * Whether the list fits the cluster is found out when the ranks are placed (scen_place.c). */
#include "scen_fields.h"
#include "scen_placement.h"
#include "topo_placement.h"

#include <math.h>

void scen_placement_clear(ScenPlacement *placement)
{
    if (placement->gpus)
        g_array_unref(placement->gpus);
    if (placement->nodes)
        g_array_unref(placement->nodes);
    placement->gpus = placement->nodes = NULL;
}

/* Numbers of slots are whole. */
static void check_whole(ScenBinder *binder, const ScenNode *map, const char *key,
                        const GArray *numbers)
{
    for (guint i = 0; numbers && i < numbers->len; i++) {
        double number = g_array_index(numbers, double, i);
        if (floor(number) < number)
            scen_bind_fail(binder, map, key, "'%s' must be a list of whole numbers, not %g", key,
                           number);
    }
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    const ScenPlacement *placement = out;
    g_autoptr(GError) error = NULL;
    if (placement->kind && !topo_placement_by_name(placement->kind, &error))
        scen_bind_fail(binder, map, "kind", "%s", error->message);
    bool is_custom = g_strcmp0(placement->kind, "custom") == 0;
    if (is_custom && !placement->gpus == !placement->nodes)
        scen_bind_fail(binder, map, "kind", "a custom placement needs gpus or nodes, one of them");
    if (placement->kind && !is_custom && (placement->gpus || placement->nodes))
        scen_bind_fail(binder, map, "kind",
                       "placement %s chooses its GPUs itself: a list is for custom",
                       placement->kind);
    check_whole(binder, map, "gpus", placement->gpus);
    check_whole(binder, map, "nodes", placement->nodes);
}

static const ScenField fields[] = {
    SCEN_FIELD("kind", ScenPlacement, kind, SCEN_TEXT, .required = true,
               .help = "placement (orrery list placements)"),
    SCEN_FIELD("gpus", ScenPlacement, gpus, SCEN_NUMBERS, .max = 1e6,
               .help = "custom: the GPU of each rank, by number in the cluster"),
    SCEN_FIELD("nodes", ScenPlacement, nodes, SCEN_NUMBERS, .max = 1e6,
               .help = "custom: the nodes, each with all its GPUs in order"),
};

const ScenTable scen_placement_table = {
    .what = "placement",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenPlacement),
    .finish = finish,
};

const ScenForm scen_placement_forms[] = {
    {.value = {.kind = SCEN_TEXT, .help = "a rule (orrery list placements)"}},
    {.value = {.kind = SCEN_MAP,
               .table = &scen_placement_table,
               .help = "a list of GPUs or nodes"}},
    {.value = {.help = NULL}},
};

bool scen_placement_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                         void *slot)
{
    (void)field;
    ScenPlacement *placement = slot;
    if (node->kind == SCEN_NODE_MAP) {
        scen_bind(binder, &scen_placement_table, node, placement);
        return true; /* what it refuses has paths of its own */
    }
    const TopoPlacement *row =
        node->kind == SCEN_NODE_TEXT ? topo_placement_by_name(node->text, NULL) : NULL;
    if (!row || !row->place)
        return false;
    placement->kind = row->name;
    return true;
}
