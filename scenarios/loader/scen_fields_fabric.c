/* The table of the scale-out network: which fabric, with which parameters, and how it routes.
 *
 * Everything but the kind may be left out; what is left out takes the default of that fabric on
 * that cluster (topology/topo_fabric.c). Only networks that share links look at it. */
#include "scen_fabric.h"
#include "scen_fields.h"
#include "topo_route.h"

#define FABRIC(key, member, of_kind, ...) SCEN_FIELD(key, ScenFabric, member, of_kind, __VA_ARGS__)
#define LENGTH(key, member, ...)                                                                   \
    FABRIC(key, member, SCEN_QUANTITY, .dimension = SCEN_LENGTH_M, __VA_ARGS__)

static const ScenField fields[] = {
    FABRIC("kind", kind, SCEN_TEXT, .required = true, .help = "fabric (orrery list fabrics)"),
    FABRIC("routing", routing, SCEN_TEXT, .fallback = "rail",
           .help = "routing policy (orrery list routings)"),
    FABRIC("radix", radix, SCEN_INT, .min = 2, .max = 65536, .help = "ports of every switch"),
    FABRIC("leaf_oversubscription", leaf_oversubscription, SCEN_NUMBER, .min = 0.01, .max = 1000.0,
           .help = "rate down over rate up at a leaf"),
    FABRIC("spine_oversubscription", spine_oversubscription, SCEN_NUMBER, .min = 0.01,
           .max = 1000.0, .help = "rate down over rate up at a spine"),
    FABRIC("nics_per_leaf", nics_per_leaf, SCEN_INT, .min = 1, .max = 65536,
           .help = "ports down of a leaf"),
    FABRIC("leaves_per_pod", leaves_per_pod, SCEN_INT, .min = 1, .max = 65536,
           .help = "leaves of a pod"),
    FABRIC("pods", pods, SCEN_INT, .min = 1, .max = 65536, .help = "pods, or groups"),
    LENGTH("leaf_length", leaf_length_m, .help = "cable from NIC to leaf, in m"),
    LENGTH("spine_length", spine_length_m, .help = "cable from leaf to spine, in m"),
    LENGTH("core_length", core_length_m, .help = "cable from spine to core, in m"),
};

/* Names are those of the tables, so that a new fabric needs no second list. */
static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    const ScenFabric *fabric = out;
    g_autoptr(GError) error = NULL;
    if (fabric->kind && !topo_fabric_by_name(fabric->kind, &error))
        scen_bind_fail(binder, map, "kind", "%s", error->message);
    g_clear_error(&error);
    if (fabric->routing && !topo_route_by_name(fabric->routing, &error))
        scen_bind_fail(binder, map, "routing", "%s", error->message);
}

const ScenTable scen_fabric_table = {
    .what = "fabric",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenFabric),
    .finish = finish,
};
