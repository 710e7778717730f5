/* The tables of the scale-out network: which fabric, with which parameters, what is wrong with it,
 * and how it routes.
 *
 * Everything but the kind may be left out; what is left out takes the default of that fabric on
 * that cluster (topology/topo_fabric.c). Rows of wires and of links that are unwell are held to
 * their own grammar here, and to the fabric in scen_check_fabric.c. Networks that
 * share no links price each transfer alone on it. */
#include "scen_fabric.h"
#include "scen_fields.h"
#include "topo_route.h"

#include <math.h>

static const ScenName pairings[] = {
    {"each",   TOPO_PAIRING_EACH  },
    {"all",    TOPO_PAIRING_ALL   },
    {"blocks", TOPO_PAIRING_BLOCKS},
    {"turns",  TOPO_PAIRING_TURNS },
    {NULL,     0                  },
};

#define LINK(key, member, of_kind, ...)                                                            \
    SCEN_FIELD(key, TopoFabricLink, member, of_kind, __VA_ARGS__)

static const ScenField link_fields[] = {
    LINK("from", from, SCEN_TEXT, .required = true,
         .help = "devices at one end: nic/3, nic/0..7, nic/2..26/8 (every eighth)"),
    LINK("to", to, SCEN_TEXT, .required = true, .help = "devices at the other end"),
    LINK("pairing", pairing, SCEN_ENUM, .names = pairings, .fallback = "each",
         .help = "which device with which: each its own, all with all, the larger set in blocks "
                 "or in turns"),
    LINK("rate", bytes_per_s, SCEN_QUANTITY, .required = true, .dimension = SCEN_RATE_BYTES_PER_S,
         .help = "of each wire, one direction, in bytes/s"),
    LINK("latency", latency_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
         .help = "of the device that sends, in s (default: nic_latency or switch_latency)"),
    LINK("length", length_m, SCEN_QUANTITY, .zero = true, .dimension = SCEN_LENGTH_M,
         .help = "of the cable, in m (default: leaf_length, spine_length or core_length)"),
    LINK("health", health_fraction, SCEN_NUMBER, .max = 1.0, .fallback = "1",
         .help = "fraction of the rate that is left, 0: down"),
    LINK("one_way", one_way, SCEN_BOOL, .fallback = "false", .help = "no link back"),
};

static bool check_devices(ScenBinder *binder, const ScenNode *map, const char *key,
                          const char *text, TopoDevices *devices)
{
    g_autoptr(GError) error = NULL;
    if (!text || topo_devices_parse(text, devices, &error))
        return text;
    scen_bind_fail(binder, map, key, "'%s': %s", key, error->message);
    return false;
}

static void finish_link(ScenBinder *binder, const ScenNode *map, void *out)
{
    TopoFabricLink *link = out;
    g_autoptr(GError) error = NULL;
    TopoDevices from, to;
    if (!scen_node_get(map, "latency"))
        link->latency_s = NAN;
    if (!scen_node_get(map, "length"))
        link->length_m = NAN;
    bool sound = check_devices(binder, map, "from", link->from, &from);
    sound = check_devices(binder, map, "to", link->to, &to) && sound;
    if (sound && topo_devices_pairs(&from, &to, link->pairing, &error) == 0)
        scen_bind_fail(binder, map, "from", "%s", error->message);
}

static const ScenTable link_table = {
    .what = "fabric.links",
    .fields = link_fields,
    .count = G_N_ELEMENTS(link_fields),
    .size = sizeof(TopoFabricLink),
    .finish = finish_link,
};

#define LINK_HELP "'leaf/0 -> spine/1', sets as in links; 'spine/1': all links of the device"
#define HEALTH_HELP "fraction of the rate that is left, 0: down"

#define HEALTH(key, member, of_kind, ...)                                                          \
    SCEN_FIELD(key, TopoLinkHealth, member, of_kind, __VA_ARGS__)

static const ScenField health_fields[] = {
    HEALTH("link", link, SCEN_TEXT, .required = true, .help = LINK_HELP),
    HEALTH("both_ways", both_ways, SCEN_BOOL, .fallback = "false", .help = "the links back too"),
    HEALTH("health", health_fraction, SCEN_NUMBER, .required = true, .max = 1.0,
           .help = HEALTH_HELP),
};

static const ScenTable health_table = {
    .what = "fabric.health",
    .fields = health_fields,
    .count = G_N_ELEMENTS(health_fields),
    .size = sizeof(TopoLinkHealth),
};

#define FAULT(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, TopoLinkFault, member, of_kind, __VA_ARGS__)

static const ScenField fault_fields[] = {
    FAULT("link", link, SCEN_TEXT, .required = true, .help = LINK_HELP),
    FAULT("both_ways", both_ways, SCEN_BOOL, .fallback = "false", .help = "the links back too"),
    FAULT("health", health_fraction, SCEN_NUMBER, .required = true, .max = 1.0,
          .help = HEALTH_HELP),
    FAULT("at", at_s, SCEN_QUANTITY, .required = true, .zero = true, .dimension = SCEN_TIME_S,
          .help = "when it begins, from the start of the step, in s"),
    FAULT("until", until_s, SCEN_QUANTITY, .dimension = SCEN_TIME_S,
          .help = "when it ends, in s (default: not; a link that is down has to come back)"),
};

static void finish_fault(ScenBinder *binder, const ScenNode *map, void *out)
{
    TopoLinkFault *fault = out;
    (void)binder;
    if (!scen_node_get(map, "until"))
        fault->until_s = INFINITY;
}

static const ScenTable fault_table = {
    .what = "fabric.faults",
    .fields = fault_fields,
    .count = G_N_ELEMENTS(fault_fields),
    .size = sizeof(TopoLinkFault),
    .finish = finish_fault,
};

static const ScenField move_fields[] = {
    SCEN_FIELD("rack", TopoRackMove, rack, SCEN_INT, .required = true, .max = 1e6,
               .help = "number of the rack; nodes fill racks in order, nodes_per_rack each"),
    SCEN_FIELD("by", TopoRackMove, length_m, SCEN_QUANTITY, .required = true,
               .dimension = SCEN_LENGTH_M, .help = "what each cable out of it is longer, in m"),
};

static const ScenTable move_table = {
    .what = "fabric.moved_racks",
    .fields = move_fields,
    .count = G_N_ELEMENTS(move_fields),
    .size = sizeof(TopoRackMove),
};

/* [4, 4, 2] into three int64_t; the binder says what is wanted when it is refused. */
static bool bind_dims(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)binder;
    int64_t *dims = slot;
    if (node->kind != SCEN_NODE_LIST || node->items->len < 2 || node->items->len > 3)
        return false;
    for (guint i = 0; i < node->items->len; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        if (item->kind != SCEN_NODE_TEXT || item->quoted ||
            !g_ascii_string_to_signed(item->text, 10, (gint64)field->min, (gint64)field->max,
                                      &dims[i], NULL))
            return false;
    }
    return true;
}

static const ScenForm dim_forms[] = {
    {.value = {.kind = SCEN_INT, .min = 1, .max = 1e6, .help = "GPUs"}, .least = 2, .most = 3},
    {.value = {.help = NULL}                                                       },
};

#define FABRIC(key, member, of_kind, ...) SCEN_FIELD(key, ScenFabric, member, of_kind, __VA_ARGS__)
#define LENGTH(key, member, ...)                                                                   \
    FABRIC(key, member, SCEN_QUANTITY, .dimension = SCEN_LENGTH_M, __VA_ARGS__)
#define LATENCY(key, member, ...)                                                                  \
    FABRIC(key, member, SCEN_QUANTITY, .dimension = SCEN_TIME_S, __VA_ARGS__)
#define COUNT(key, member, ...) FABRIC(key, member, SCEN_INT, .min = 1, .max = 65536, __VA_ARGS__)

static const ScenField fields[] = {
    FABRIC("kind", kind, SCEN_TEXT, .required = true, .help = "fabric (orrery list fabrics)"),
    FABRIC("routing", routing, SCEN_TEXT, .fallback = "rail",
           .help = "routing policy (orrery list routings)"),
    FABRIC("radix", radix, SCEN_INT, .min = 2, .max = 65536, .help = "ports of every switch"),
    FABRIC("leaf_oversubscription", leaf_oversubscription, SCEN_NUMBER, .min = 0.01, .max = 1000.0,
           .help = "rate down over rate up at a leaf"),
    FABRIC("spine_oversubscription", spine_oversubscription, SCEN_NUMBER, .min = 0.01,
           .max = 1000.0, .help = "rate down over rate up at a spine"),
    COUNT("nics_per_leaf", nics_per_leaf, .help = "ports down of a leaf"),
    COUNT("leaves_per_pod", leaves_per_pod, .help = "leaves of a pod"),
    COUNT("pods", pods, .help = "pods, or groups"),
    FABRIC("reduces_under", reduces_under, SCEN_INT, .min = 2, .max = 65536,
           .help = "the switches reduce (SHARP), each for so many ranks or switches below it"),
    FABRIC("flows_per_pair", flows_per_pair, SCEN_INT, .min = 1, .max = 64,
           .help = "ways that carry what a pair of GPUs sends, in equal shares (default: ports of "
                   "a NIC)"),
    FABRIC("torus_dims", torus_dims, SCEN_CUSTOM, .bind = bind_dims, .min = 1, .max = 1e6,
           .expected = "a list of two or three whole numbers, as in [4, 4, 2]", .forms = dim_forms,
           .help = "GPUs along x, y and z of a torus (default: as near to a cube as possible)"),
    FABRIC("nvlink_generation", nvlink_generation, SCEN_INT, .min = 2, .max = 5,
           .help = "draws each NVSwitch of that generation (default: one stands for all)"),
    FABRIC("gpus_per_pcie_switch", gpus_per_pcie_switch, SCEN_INT, .min = 1, .max = 1024,
           .help = "GPUs behind one PCIe switch"),
    FABRIC("sockets_per_node", sockets_per_node, SCEN_INT, .min = 1, .max = 64,
           .help = "CPU sockets of a node"),
    COUNT("nodes_per_rack", nodes_per_rack, .help = "nodes that moved_racks moves together"),
    LATENCY("nic_latency", nic_latency_s, .help = "each passage of a NIC, in s"),
    LATENCY("switch_latency", switch_latency_s, .help = "each passage of a network switch, in s"),
    LATENCY("fec_latency", fec_latency_s,
            .help = "forward error correction of each network link, in s (default: contained in "
                    "the others)"),
    LATENCY("pcie_switch_latency", pcie_switch_latency_s,
            .help = "each passage of a PCIe switch, in s"),
    LATENCY("cpu_latency", cpu_latency_s, .help = "each passage of a CPU socket, in s"),
    FABRIC("socket_bandwidth", socket_bytes_per_s, SCEN_QUANTITY,
           .dimension = SCEN_RATE_BYTES_PER_S, .help = "between CPU sockets, one direction"),
    LENGTH("node_length", node_length_m, .help = "wires inside a node or NVLink domain, in m"),
    LENGTH("leaf_length", leaf_length_m, .help = "cable from NIC to leaf, in m"),
    LENGTH("spine_length", spine_length_m, .help = "cable from leaf to spine, in m"),
    LENGTH("core_length", core_length_m, .help = "cable from spine to core, in m"),
    FABRIC("links", links, SCEN_ROWS, .table = &link_table, .help = "wires of a custom fabric"),
    FABRIC("health", health, SCEN_ROWS, .table = &health_table,
           .help = "links that are down or degraded from the start; routes avoid dead ones"),
    FABRIC("faults", faults, SCEN_ROWS, .table = &fault_table,
           .help = "links that are down or degraded for a part of the step; routes stay"),
    FABRIC("moved_racks", moved_racks, SCEN_ROWS, .table = &move_table,
           .help = "racks that stand further away"),
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
    bool is_custom = g_strcmp0(fabric->kind, "custom") == 0;
    if (is_custom && !scen_node_get(map, "links"))
        scen_bind_fail(binder, map, "links", "missing key 'links' (wires of a custom fabric)");
    if (!is_custom && scen_node_get(map, "links"))
        scen_bind_fail(binder, map, "links", "'links' are for kind custom, not %s",
                       fabric->kind ? fabric->kind : "none");
}

const ScenTable scen_fabric_table = {
    .what = "fabric",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenFabric),
    .finish = finish,
};
