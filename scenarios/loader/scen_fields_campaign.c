/* The table of campaigns.
 *
 *   campaign:
 *     duration: 54 d
 *     faults: llama3-h100                    # orrery list faults
 *     storage: tectonic-llama3               # orrery list storages
 *     checkpoint: {interval: daly}           # or with block and save, where no storage is given
 *     detection: {heartbeat: 10 s, timeout: 10 min}   # instead of recovery.detection
 *     recovery: {policy: restart, detection: 1 min, restart: 5 min}    # load, likewise
 *     spares: {nodes: 40, repair: 1 d}
 */
#include "scen_campaign.h"
#include "scen_fields.h"

#define TIME(key, type, member, ...)                                                               \
    SCEN_FIELD(key, type, member, SCEN_QUANTITY, .dimension = SCEN_TIME_S, __VA_ARGS__)
#define SPREAD(key, type, member, ...)                                                             \
    SCEN_FIELD(key, type, member, SCEN_CUSTOM, .bind = scen_spread_bind,                           \
               .expected = SCEN_SPREAD_EXPECTED, .forms = scen_spread_forms, __VA_ARGS__)

void scen_campaign_clear(ScenCampaign *campaign)
{
    scen_faults_clear(&campaign->faults);
    g_clear_pointer(&campaign->recoveries, g_ptr_array_unref);
}

static bool add_recovery(ScenBinder *binder, const ScenNode *node, GPtrArray *recoveries)
{
    if (node->kind != SCEN_NODE_TEXT)
        return false;
    g_autoptr(GError) error = NULL;
    const StratRecovery *row = strat_recovery_by_name(node->text, &error);
    if (row)
        g_ptr_array_add(recoveries, (void *)row);
    else
        scen_errors_add(binder->errors, node->mark, "%s", error->message);
    return true;
}

/* A list of policies, or all. */
static bool bind_recoveries(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                            void *slot)
{
    (void)field;
    g_autoptr(GPtrArray) recoveries = g_ptr_array_new();
    size_t count = 0;
    const StratRecovery *all = strat_recovery_all(&count);
    if (node->kind == SCEN_NODE_TEXT && g_str_equal(node->text, "all")) {
        for (size_t i = 0; i < count; i++)
            g_ptr_array_add(recoveries, (void *)&all[i]);
    } else if (node->kind == SCEN_NODE_LIST) {
        for (size_t i = 0; i < node->items->len; i++)
            if (!add_recovery(binder, g_array_index(node->items, ScenItem, i).value, recoveries))
                return false;
    } else {
        return false;
    }
    *(GPtrArray **)slot = g_steal_pointer(&recoveries);
    return true;
}

static const ScenName all_recoveries[] = {
    {"all", 0},
    {NULL,  0}
};

static const ScenForm recovery_forms[] = {
    {.value = {.kind = SCEN_ENUM, .names = all_recoveries, .help = "every policy"}},
    {.value = {.kind = SCEN_TEXT, .help = "a policy (orrery list recoveries)"},     .most = 1000},
    {.value = {.help = NULL}                                                                            },
};

const ScenName scen_every_names[] = {
    {"young",     STRAT_EVERY_YOUNG    },
    {"daly",      STRAT_EVERY_DALY     },
    {"optimised", STRAT_EVERY_OPTIMISED},
    {NULL,        0                    },
};

static const ScenForm every_forms[] = {
    {.value = {.kind = SCEN_QUANTITY, .dimension = SCEN_TIME_S, .help = "always the same"}},
    {.value = {.kind = SCEN_ENUM, .names = scen_every_names, .help = "from the failures"}},
    {.value = {.help = NULL}},
};

bool scen_every_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    (void)binder;
    (void)field;
    StratCampaignCheckpoint *checkpoint = slot;
    if (node->kind != SCEN_NODE_TEXT)
        return false;
    for (const ScenName *name = scen_every_names; name->text; name++)
        if (g_str_equal(node->text, name->text)) {
            checkpoint->every = (StratEvery)name->value;
            return true;
        }
    return scen_quantity_parse(node->text, SCEN_TIME_S, &checkpoint->interval_s, NULL) &&
           checkpoint->interval_s > 0.0;
}

static void finish_checkpoint(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenCampaign *campaign = out;
    StratCampaignCheckpoint *checkpoint = &campaign->spec.checkpoint;
    campaign->gives_block = scen_node_get(map, "block") != NULL;
    campaign->gives_save = scen_node_get(map, "save") != NULL;
    if (!campaign->gives_save)
        checkpoint->save_s = checkpoint->block_s;
    if (checkpoint->save_s < checkpoint->block_s)
        scen_bind_fail(binder, map, "save", "save (until it is safe) is below block");
}

static const ScenName modes[] = {
    {"async", STRAT_SAVE_ASYNC},
    {"sync",  STRAT_SAVE_SYNC },
    {NULL,    0               },
};

static const ScenName writers[] = {
    {"spread", STRAT_SHARE_SPREAD},
    {"first",  STRAT_SHARE_FIRST },
    {"all",    STRAT_SHARE_ALL   },
    {NULL,     0                 },
};

static const ScenName copies[] = {
    {"idle",     STRAT_COPY_IDLE    },
    {"shared",   STRAT_COPY_SHARED  },
    {"blocking", STRAT_COPY_BLOCKING},
    {NULL,       0                  },
};

#define CHECKPOINT(key, member, ...) TIME(key, ScenCampaign, spec.checkpoint.member, __VA_ARGS__)

static const ScenField checkpoint_fields[] = {
    SCEN_FIELD("interval", ScenCampaign, spec.checkpoint, SCEN_CUSTOM, .required = true,
               .bind = scen_every_bind, .expected = "a time, young, daly or optimised",
               .forms = every_forms,
               .help = "training between two checkpoints, rounded to whole steps"),
    CHECKPOINT("block", block_s, .zero = true,
               .help = "for which training stands still, in s (default: of the storage, or 0)"),
    CHECKPOINT("save", save_s, .zero = true,
               .help = "until it is safe in storage, in s (default: of the storage, or block)"),
    SCEN_FIELD("mode", ScenCampaign, saving.mode, SCEN_ENUM, .names = modes, .fallback = "async",
               .help = "training waits for host memory (async, the default) or for the storage"),
    SCEN_FIELD("writers", ScenCampaign, saving.writers, SCEN_ENUM, .names = writers,
               .fallback = "spread",
               .help = "of what a data group's ranks hold alike: all a part (spread, the default), "
                       "the first one, or all of them"),
    CHECKPOINT("memory_interval", memory_interval_s,
               .help = "between copies in memory of peers, in s (default: every step)"),
    CHECKPOINT("local_interval", local_interval_s,
               .help = "between copies on the nodes' own disks, in s (default: none)"),
    SCEN_FIELD("copies", ScenCampaign, spec.checkpoint.copies, SCEN_INT, .min = 1, .max = 64,
               .fallback = "2", .help = "in memory, the node's own counted (default: 2)"),
    SCEN_FIELD(
        "peer_copy", ScenCampaign, saving.copies, SCEN_ENUM, .names = copies, .fallback = "idle",
        .help = "copies use the idle time of the network (default), share it with the step, or "
                "training waits"),
    SCEN_FIELD("keep", ScenCampaign, spec.checkpoint.keep, SCEN_INT, .min = 1, .max = 1e6,
               .help = "that stay in storage, the last ones (default: all)"),
};

static const ScenTable checkpoint_table = {
    .what = "checkpoint",
    .fields = checkpoint_fields,
    .count = G_N_ELEMENTS(checkpoint_fields),
    .size = sizeof(ScenCampaign),
    .finish = finish_checkpoint,
};

static void finish_recovery(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenCampaign *campaign = out;
    StratCampaignRecovery *r = &campaign->spec.recovery;
    g_autoptr(GError) error = NULL;
    r->policy = strat_recovery_by_name(campaign->policy, &error);
    if (!r->policy)
        scen_bind_fail(binder, map, "policy", "%s", error->message);
    g_clear_error(&error);
    r->failover = strat_failover_by_name(campaign->failover, &error);
    if (!r->failover)
        scen_bind_fail(binder, map, "failover", "%s", error->message);
    g_autoptr(GError) no_straggler = NULL;
    r->straggler = strat_straggler_by_name(campaign->straggler, &no_straggler);
    if (!r->straggler)
        scen_bind_fail(binder, map, "straggler", "%s", no_straggler->message);
    if (!scen_node_get(map, "swap"))
        r->swap_s = r->peer_load_s;
    campaign->gives_load = scen_node_get(map, "load") != NULL;
    campaign->gives_peer_load = scen_node_get(map, "peer_load") != NULL;
    if (!scen_node_get(map, "hang_detection"))
        r->hang_detection = r->stop_detection;
    if (!scen_node_get(map, "warm_restart"))
        r->warm_restart = r->restart;
}

static const ScenName restores[] = {
    {"all",       STRAT_RESTORE_ALL      },
    {"broadcast", STRAT_RESTORE_BROADCAST},
    {"gather",    STRAT_RESTORE_GATHER   },
    {NULL,        0                      },
};

static const ScenField recovery_fields[] = {
    SCEN_FIELD("policy", ScenCampaign, policy, SCEN_TEXT, .fallback = "restart",
               .help = "what a failure sets off (orrery list recoveries; default: restart)"),
    SPREAD("detection", ScenCampaign, spec.recovery.stop_detection,
           .help = "of a job that died (default: at once)"),
    SPREAD("hang_detection", ScenCampaign, spec.recovery.hang_detection,
           .help = "of a job that stands: communicator timeout (default: as detection)"),
    SPREAD("restart", ScenCampaign, spec.recovery.restart,
           .help = "of processes and communicators (default: 0)"),
    SPREAD("warm_restart", ScenCampaign, spec.recovery.warm_restart,
           .help = "the same with hot spares (default: as restart)"),
    TIME("load", ScenCampaign, spec.recovery.load_s, .zero = true,
         .help = "of a checkpoint from storage, in s (default: of the storage, or 0)"),
    TIME("peer_load", ScenCampaign, spec.recovery.peer_load_s, .zero = true,
         .help = "of state from peers, in s (default: of the network where there is a storage, "
                 "or 0)"),
    TIME("local_load", ScenCampaign, spec.recovery.local_load_s, .zero = true,
         .help = "of a checkpoint from the nodes' own disks, in s"),
    SCEN_FIELD("restore", ScenCampaign, saving.restore, SCEN_ENUM, .names = restores,
               .fallback = "all",
               .help = "of weights: all ranks read them (default), the first of a data group reads "
                       "and broadcasts, or each reads a part and they gather"),
    SCEN_FIELD("safe", ScenCampaign, spec.recovery.is_safe, SCEN_BOOL, .fallback = "false",
               .help = "nothing fails while the job recovers (default: false)"),
    TIME("flap", ScenCampaign, spec.recovery.flap_s, .zero = true,
         .help = "for which a link may be away before the job aborts, in s (default: 0)"),
    SCEN_FIELD("failover", ScenCampaign, failover, SCEN_TEXT, .fallback = "none",
               .help = "of links that are gone: none, dual-tor, dual-plane, other-nics"),
    TIME("failover_stall", ScenCampaign, spec.recovery.failover_stall_s, .zero = true,
         .help = "until traffic has found its other way, in s (default: 0)"),
    SCEN_FIELD("replicas", ScenCampaign, spec.recovery.replicas, SCEN_INT, .min = 1, .max = 1e6,
               .help = "of data parallelism (default: the plan's, or 1)"),
    SCEN_FIELD("most_lost", ScenCampaign, spec.recovery.most_lost, SCEN_INT, .max = 1e6,
               .fallback = "1", .help = "replicas that may be missing (default: 1)"),
    TIME("rejoin", ScenCampaign, spec.recovery.rejoin_s, .zero = true,
         .help = "for which all stand still when replicas or nodes leave or return, in s"),
    SCEN_FIELD("straggler", ScenCampaign, straggler, SCEN_TEXT, .fallback = "ignore",
               .help = "what a slow part sets off once detection tells of it (orrery list "
                       "stragglers; default: ignore)"),
    TIME("rebalance", ScenCampaign, spec.recovery.rebalance_s, .zero = true,
         .help = "for which all stand still while microbatches are dealt anew, in s (default: 0)"),
    TIME("swap", ScenCampaign, spec.recovery.swap_s, .zero = true,
         .help = "the same while nodes change places, in s (default: peer_load)"),
    TIME("migrate", ScenCampaign, spec.recovery.migrate_s, .zero = true, .fallback = "20 s",
         .help = "the same when a warm standby takes over, in s (default: 20 s, TrainMover)"),
};

static const ScenTable recovery_table = {
    .what = "recovery",
    .fields = recovery_fields,
    .count = G_N_ELEMENTS(recovery_fields),
    .size = sizeof(ScenCampaign),
    .finish = finish_recovery,
};

static void finish_spares(ScenBinder *binder, const ScenNode *map, void *out)
{
    (void)binder;
    StratCampaignSpares *spares = out;
    if (!scen_node_get(map, "check"))
        spares->check = spares->repair;
}

static const ScenField spare_fields[] = {
    SCEN_FIELD("nodes", StratCampaignSpares, nodes, SCEN_INT, .max = 1e6, .required = true,
               .help = "that stand by, paid for"),
    SPREAD("repair", StratCampaignSpares, repair, .required = true,
           .help = "until a node that was taken away stands by"),
    SPREAD("check", StratCampaignSpares, check,
           .help = "the same of a healthy one: false alarms, over-evicted (default: as repair)"),
    SCEN_FIELD("quarantine", StratCampaignSpares, quarantine, SCEN_INT, .min = 1, .max = 1000,
               .help = "failures after which a node does not come back (default: it always does)"),
};

static const ScenTable spare_table = {
    .what = "spares",
    .fields = spare_fields,
    .count = G_N_ELEMENTS(spare_fields),
    .size = sizeof(StratCampaignSpares),
    .finish = finish_spares,
};

static const ScenField swing_fields[] = {
    SCEN_FIELD("fraction", StratCampaignSwing, fraction, SCEN_NUMBER, .max = 0.9, .required = true,
               .help = "of the job's speed that is lost at the slowest time"),
    TIME("period", StratCampaignSwing, period_s, .fallback = "24 h",
         .help = "in s (default: 24 h)"),
    TIME("fastest", StratCampaignSwing, fastest_s, .zero = true,
         .help = "time of the fastest, from the start, in s (default: 0)"),
};

static const ScenTable swing_table = {
    .what = "swing",
    .fields = swing_fields,
    .count = G_N_ELEMENTS(swing_fields),
    .size = sizeof(StratCampaignSwing),
};

/* False alarms are a class like others, but of detection: the quality of the fleet does not change
 * how many there are. */
static void add_false_alarms(ScenCampaign *campaign)
{
    const ScenFaults *faults = &campaign->faults;
    if (campaign->false_alarms_per_day <= 0.0 || faults->scale <= 0.0 || !faults->classes)
        return;
    StratFaultClass alarm = {
        .name = "false alarm",
        .component = "detection",
        .unit = STRAT_FAULT_NODE,
        .effect = STRAT_FAULT_ALARM,
        .per_job_s = campaign->false_alarms_per_day / (86400.0 * faults->scale),
        .shape = 1.0,
        .swap_fraction = 1.0,
        .clock_fraction = 1.0,
    };
    g_array_append_val(faults->classes, alarm);
}

/* Keys that say nothing without a storage; and the interval, which then needs block. */
static void check_storage(ScenBinder *binder, const ScenNode *map, const ScenCampaign *campaign)
{
    static const char *const keys[][2] = {
        {"checkpoint", "mode"     },
        {"checkpoint", "writers"  },
        {"checkpoint", "peer_copy"},
        {"recovery",   "restore"  },
    };
    if (campaign->has_storage)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const ScenNode *group = scen_node_get(map, keys[i][0]);
        if (group && group->kind == SCEN_NODE_MAP && scen_node_get(group, keys[i][1]))
            scen_bind_fail(binder, group, keys[i][1], "%s needs campaign.storage", keys[i][1]);
    }
    const StratCampaignCheckpoint *checkpoint = &campaign->spec.checkpoint;
    const ScenNode *group = scen_node_get(map, "checkpoint");
    if (group && group->kind == SCEN_NODE_MAP && checkpoint->every != STRAT_EVERY_FIXED &&
        checkpoint->block_s == 0.0)
        scen_bind_fail(binder, group, "interval",
                       "a checkpoint that blocks nothing is best taken every step: give an "
                       "interval, block, or campaign.storage");
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenCampaign *campaign = out;
    campaign->is_on = true;
    add_false_alarms(campaign);
    campaign->has_storage = scen_node_get(map, "storage") != NULL;
    check_storage(binder, map, campaign);
    if (!scen_node_get(map, "spares"))
        campaign->spec.spares.nodes = -1;
    else if (scen_node_get(map, "allocation"))
        scen_bind_fail(binder, map, "allocation",
                       "nodes come by allocation or from spares, not both");
    const GArray *classes = campaign->faults.classes;
    for (guint i = 0; classes && i < classes->len; i++) {
        StratFaultUnit unit = g_array_index(classes, StratFaultClass, i).unit;
        if (unit == STRAT_FAULT_LEAF && !scen_node_get(map, "nodes_per_leaf"))
            scen_bind_fail(binder, map, "faults", "faults of leaves need nodes_per_leaf");
        bool is_high = g_array_index(classes, StratFaultClass, i).heights > 0;
        if ((unit == STRAT_FAULT_RACK || is_high) && !scen_node_get(map, "nodes_per_rack"))
            scen_bind_fail(binder, map, "faults", "faults of racks need nodes_per_rack");
    }
}

static const ScenField fields[] = {
    TIME("duration", ScenCampaign, spec.duration_s, .required = true, .help = "in s"),
    SCEN_FIELD("replications", ScenCampaign, spec.replications, SCEN_INT, .min = 1, .max = 1e6,
               .fallback = "100", .help = "histories that are simulated (default: 100)"),
    TIME("step_time", ScenCampaign, step_s, .help = "of a healthy job, in s (default: simulated)"),
    SCEN_FIELD("faults", ScenCampaign, faults, SCEN_SECTION, .table = &scen_faults_table,
               .required = true, .help = "what fails (orrery list faults)"),
    SCEN_FIELD("nodes_per_leaf", ScenCampaign, nodes_per_leaf, SCEN_INT, .min = 1, .max = 1e6,
               .fallback = "1", .help = "under one leaf switch"),
    SCEN_FIELD("nodes_per_rack", ScenCampaign, nodes_per_rack, SCEN_INT, .min = 1, .max = 1e6,
               .fallback = "1", .help = "of one rack"),
    SCEN_FIELD("storage", ScenCampaign, storage, SCEN_SECTION, .table = &scen_storage_table,
               .help =
                   "that checkpoints go to (orrery list storages; default: block, save and load "
                   "say what they take)"),
    SCEN_GROUP("checkpoint", &checkpoint_table, .required = true,
               .help = "when state is saved, and what that takes"),
    SCEN_GROUP("detection", &scen_detection_table,
               .help = "how faults are noticed (default: as recovery says)"),
    SCEN_GROUP("recovery", &recovery_table, .required = true, .help = "what a failure sets off"),
    SCEN_FIELD("recoveries", ScenCampaign, recoveries, SCEN_CUSTOM, .bind = bind_recoveries,
               .expected = "a list of policies, or all", .forms = recovery_forms,
               .help = "policies to compare on the same failures (orrery list recoveries)"),
    SCEN_FIELD("spares", ScenCampaign, spec.spares, SCEN_MAP, .table = &spare_table,
               .help = "nodes that stand by (default: one is always found, after allocation)"),
    SCEN_FIELD("swing", ScenCampaign, spec.swing, SCEN_MAP, .table = &swing_table,
               .help = "the fleet's speed over the day (default: even)"),
    SPREAD("allocation", ScenCampaign, spec.spares.allocation,
           .help = "until another node is found (default: at once)"),
};

const ScenTable scen_campaign_table = {
    .what = "campaign",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenCampaign),
    .finish = finish,
};
