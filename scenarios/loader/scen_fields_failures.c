/* The table of a deployment's failures.
 *
 *   serve:
 *     failures:
 *       faults: llama3-h100              # orrery list faults, or classes, or a recorded trace
 *       recovery: reroute-recompute      # orrery list serve-recoveries
 *       detection: 10 s
 *       engine_start: 30 s               # after the weights are there; or restart: 64 s
 */
#include "scen_fields.h"
#include "scen_serving.h"

#define OWN(key, member, of_kind, ...)                                                             \
    SCEN_FIELD(key, ScenServeFailures, member, of_kind, __VA_ARGS__)
#define TIME(key, member, ...)                                                                     \
    OWN(key, member, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S, __VA_ARGS__)
#define SPREAD(key, member, ...)                                                                   \
    OWN(key, member, SCEN_CUSTOM, .bind = scen_spread_bind, .expected = SCEN_SPREAD_EXPECTED,      \
        .forms = scen_spread_forms, __VA_ARGS__)

void scen_serve_failures_clear(ScenServeFailures *failures)
{
    scen_faults_clear(&failures->faults);
}

static void check_domains(ScenBinder *binder, const ScenNode *map, const GArray *classes)
{
    for (guint i = 0; classes && i < classes->len; i++) {
        StratFaultUnit unit = g_array_index(classes, StratFaultClass, i).unit;
        if (unit == STRAT_FAULT_LEAF && !scen_node_get(map, "nodes_per_leaf"))
            scen_bind_fail(binder, map, "faults", "faults of leaves need nodes_per_leaf");
        if (unit == STRAT_FAULT_RACK && !scen_node_get(map, "nodes_per_rack"))
            scen_bind_fail(binder, map, "faults", "faults of racks need nodes_per_rack");
    }
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenServeFailures *failures = out;
    g_autoptr(GError) error = NULL;
    failures->is_on = true;
    failures->has_restart = scen_node_get(map, "restart") != NULL;
    failures->spec.policy = strat_serve_recovery_by_name(failures->policy, &error);
    if (!failures->spec.policy)
        scen_bind_fail(binder, map, "recovery", "%s", error->message);
    else if (failures->spec.policy->takes_over && failures->spares + failures->prefill_spares == 0)
        scen_bind_fail(binder, map, "recovery", "recovery %s needs spares", failures->policy);
    if (failures->has_restart == (scen_node_get(map, "engine_start") != NULL))
        scen_bind_fail(binder, map, "restart",
                       "a replica starts again in restart, or once its weights are there in "
                       "engine_start: give one of them");
    if (!scen_node_get(map, "hang_detection"))
        failures->spec.hang_detection = failures->spec.stop_detection;
    check_domains(binder, map, failures->faults.classes);
}

static const ScenField fields[] = {
    OWN("faults", faults, SCEN_SECTION, .table = &scen_faults_table, .required = true,
        .help = "what fails (orrery list faults)"),
    OWN("recovery", policy, SCEN_TEXT, .fallback = "restart",
        .help = "what becomes of the requests of a dead replica (orrery list serve-recoveries; "
                "default: restart)"),
    SPREAD("detection", spec.stop_detection,
           .help = "of a replica that died: heartbeats, health checks (default: at once)"),
    SPREAD("hang_detection", spec.hang_detection,
           .help = "of a replica that stands (default: as detection)"),
    SPREAD("restart", restart, .help = "until a replica that is known to be dead serves again"),
    TIME("engine_start", engine_start_s,
         .help = "instead: graphs and warm-up once the weights are there, in s"),
    OWN("weights_from", load_from, SCEN_ENUM, .names = scen_load_link_names, .fallback = "network",
        .help = "the link by which weights come to a GPU: network (default) or host"),
    OWN("load_bandwidth", load_bytes_per_s, SCEN_QUANTITY, .dimension = SCEN_RATE_BYTES_PER_S,
        .help = "of weights to each GPU, in bytes/s (default: that of the link)"),
    SPREAD("repair", spec.repair,
           .help = "of nodes that a fault takes away, before the restart (default: another is "
                   "there at once)"),
    OWN("spares", spares, SCEN_INT, .max = 65536,
        .help = "replicas that stand by, ready, on GPUs of their own (default: 0)"),
    OWN("prefill_spares", prefill_spares, SCEN_INT, .max = 65536,
        .help = "likewise of the replicas that do prompts (default: 0)"),
    TIME("switch", spec.switch_s,
         .help = "until a spare has taken over or an expert group is another, in s (default: 0)"),
    OWN("restore_bandwidth", restore_bytes_per_s, SCEN_QUANTITY, .dimension = SCEN_RATE_BYTES_PER_S,
        .help = "of copies of caches to one replica, in bytes/s (default: its NICs)"),
    OWN("nic_fraction", spec.nic_fraction, SCEN_NUMBER, .max = 1.0,
        .help = "of the bandwidth of a node's NICs that a flap leaves (default: 0, it is away)"),
    TIME("flap", spec.flap_s,
         .help = "for which NICs may be away before a replica across nodes hangs, in s (default: "
                 "0)"),
    OWN("nodes_per_leaf", nodes_per_leaf, SCEN_INT, .min = 1, .max = 1e6, .fallback = "1",
        .help = "under one leaf switch"),
    OWN("nodes_per_rack", nodes_per_rack, SCEN_INT, .min = 1, .max = 1e6, .fallback = "1",
        .help = "in one rack"),
};

const ScenTable scen_failures_table = {
    .what = "failures",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenServeFailures),
    .finish = finish,
};
