/* The table of GPUs and NICs that are worse than the others while the step runs:
 *
 *   faults:
 *     slow: [{gpu: 17, clock: 0.8}, {node: 3, clock: 0.975}]
 *     weak_nics: [{node: 3, nic: 2, health: 0.5}, {nic: 7, health: 0.9}]    # of every node: a rail
 *
 * Links in the network have faults of their own (fabric.health and fabric.faults), and months of
 * faults that come and go are a campaign. */
#include "scen_degraded.h"
#include "scen_fields.h"
#include "scen_scenario.h"
#include "strat_places.h"

/* A row of slow. */
typedef struct SlowRow {
    int64_t gpu, node; /* one of the two is written; the other is -1 */
    double clock_fraction;
} SlowRow;

static void finish_slow(ScenBinder *binder, const ScenNode *map, void *out)
{
    SlowRow *row = out;
    bool gpu = scen_node_get(map, "gpu"), node = scen_node_get(map, "node");
    if (gpu == node)
        scen_bind_fail(binder, map, "gpu", "slow is a gpu or all GPUs of a node, one of them");
    row->gpu = gpu ? row->gpu : -1;
    row->node = gpu ? -1 : row->node;
}

#define SLOW(key, member, of_kind, ...) SCEN_FIELD(key, SlowRow, member, of_kind, __VA_ARGS__)

static const ScenField slow_fields[] = {
    SLOW("gpu", gpu, SCEN_INT, .max = 1e8, .help = "of the cluster, counted from 0"),
    SLOW("node", node, SCEN_INT, .max = 1e8, .help = "all of its GPUs, instead of one"),
    SLOW("clock", clock_fraction, SCEN_NUMBER, .min = 0.01, .max = 1, .required = true,
         .help = "what is left of the clock of the others"),
};

static const ScenTable slow_table = {
    .what = "faults.slow",
    .fields = slow_fields,
    .count = G_N_ELEMENTS(slow_fields),
    .size = sizeof(SlowRow),
    .finish = finish_slow,
};

#define WEAK(key, member, of_kind, ...) SCEN_FIELD(key, StratWeakNic, member, of_kind, __VA_ARGS__)

static const ScenField weak_fields[] = {
    WEAK("node", node, SCEN_INT, .max = 1e8, .help = "counted from 0 (default: each of them)"),
    WEAK("nic", nic, SCEN_INT, .max = 1024, .required = true, .help = "of the node, from 0"),
    WEAK("health", fraction, SCEN_NUMBER, .max = 1, .required = true,
         .help = "fraction of its bandwidth that is left, 0: dead; the others carry its traffic"),
};

static void finish_weak(ScenBinder *binder, const ScenNode *map, void *out)
{
    StratWeakNic *row = out;
    (void)binder;
    if (!scen_node_get(map, "node"))
        row->node = -1;
}

static const ScenTable weak_table = {
    .what = "faults.weak_nics",
    .fields = weak_fields,
    .count = G_N_ELEMENTS(weak_fields),
    .size = sizeof(StratWeakNic),
    .finish = finish_weak,
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenDegraded, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("slow", gpus, SCEN_ROWS, .table = &slow_table, .help = "GPUs below their clock"),
    FIELD("weak_nics", nics, SCEN_ROWS, .table = &weak_table, .help = "NICs below their bandwidth"),
};

const ScenTable scen_degraded_table = {
    .what = "faults",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenDegraded),
};

bool scen_degraded_is_on(const ScenDegraded *degraded)
{
    return degraded->state.slow_count + degraded->state.weak_count > 0;
}

static gint by_gpu(gconstpointer left, gconstpointer right)
{
    const StratSlowGpu *a = left, *b = right;
    return (a->gpu > b->gpu) - (a->gpu < b->gpu);
}

static gint by_nic(gconstpointer left, gconstpointer right)
{
    const StratWeakNic *a = left, *b = right;
    if (a->node != b->node)
        return a->node > b->node ? 1 : -1;
    return (a->nic > b->nic) - (a->nic < b->nic);
}

static void expand(const TopoCluster *cluster, ScenDegraded *degraded)
{
    degraded->slow = g_array_new(FALSE, FALSE, sizeof(StratSlowGpu));
    degraded->weak = g_array_new(FALSE, FALSE, sizeof(StratWeakNic));
    for (guint i = 0; degraded->gpus && i < degraded->gpus->len; i++) {
        const SlowRow *row = &g_array_index(degraded->gpus, SlowRow, i);
        bool all = row->gpu < 0;
        for (int64_t g = 0; g < (all ? cluster->node.gpus : 1); g++) {
            StratSlowGpu slow = {all ? row->node * cluster->node.gpus + g : row->gpu,
                                 row->clock_fraction};
            g_array_append_val(degraded->slow, slow);
        }
    }
    for (guint i = 0; degraded->nics && i < degraded->nics->len; i++) {
        StratWeakNic weak = g_array_index(degraded->nics, StratWeakNic, i);
        bool all = weak.node < 0;
        for (int64_t n = 0; n < (all ? cluster->node_count : 1); n++) {
            weak.node = all ? n : weak.node;
            g_array_append_val(degraded->weak, weak);
        }
    }
    g_array_sort(degraded->slow, by_gpu);
    g_array_sort(degraded->weak, by_nic);
    degraded->state = (StratJobState){
        .slow = (const StratSlowGpu *)(const void *)degraded->slow->data,
        .slow_count = degraded->slow->len,
        .weak = (const StratWeakNic *)(const void *)degraded->weak->data,
        .weak_count = degraded->weak->len,
    };
}

void scen_degraded_finish(ScenBinder *binder, const ScenNode *map, ScenScenario *scenario)
{
    const TopoCluster *cluster = &scenario->cluster;
    if (!scen_node_get(map, "faults") || cluster->node_count == 0 || cluster->node.gpus == 0)
        return;
    expand(cluster, &scenario->degraded);
    const StratJobState *state = &scenario->degraded.state;
    if (scenario->serving.is_on || scenario->campaign.is_on)
        scen_bind_fail(binder, map, "faults",
                       "faults are of one training step; a campaign has faults of its own");
    if (state->slow_count > 0 && scenario->profile.host.threads > 0)
        scen_bind_fail(binder, map, "faults",
                       "slow: the kernels of a CPU were measured at its own clock only");
    g_autoptr(GError) error = NULL;
    if (!strat_places_check(&(StratPlaces){.cluster = cluster, .state = state}, &error))
        scen_bind_fail(binder, map, "faults", "%s", error->message);
}

void scen_degraded_clear(ScenDegraded *degraded)
{
    g_clear_pointer(&degraded->gpus, g_array_unref);
    g_clear_pointer(&degraded->nics, g_array_unref);
    g_clear_pointer(&degraded->slow, g_array_unref);
    g_clear_pointer(&degraded->weak, g_array_unref);
}
