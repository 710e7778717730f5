/* The table of detection: periods and thresholds of which times of notice come, and mistakes.
 *
 *   detection: {heartbeat: 10 s, health_check: 5 min, timeout: 10 min, recall: 0.88,
 *               slow_threshold: 1.05, slow_window: 4 min, false_alarms_per_day: 0.84}
 */
#include "scen_campaign.h"
#include "scen_fields.h"

#define TIME(key, member, ...)                                                                     \
    SCEN_FIELD(key, ScenCampaign, spec.detection.member, SCEN_QUANTITY, .dimension = SCEN_TIME_S,  \
               __VA_ARGS__)
#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, ScenCampaign, spec.detection.member, of_kind, __VA_ARGS__)
#define SPREAD(key, member, ...)                                                                   \
    FIELD(key, member, SCEN_CUSTOM, .bind = scen_spread_bind, .expected = SCEN_SPREAD_EXPECTED,    \
          .forms = scen_spread_forms, __VA_ARGS__)

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    const StratDetection *d = &((ScenCampaign *)out)->spec.detection;
    if (scen_node_get(map, "slow_threshold") && !scen_node_get(map, "slow_window"))
        scen_bind_fail(binder, map, "slow_threshold", "slow_threshold needs slow_window");
    if (d->most_restarts > 0 && !scen_node_get(map, "manual"))
        scen_bind_fail(binder, map, "most_restarts", "most_restarts needs manual (what follows)");
}

static const ScenField fields[] = {
    TIME("heartbeat", heartbeat_s, .help = "period of each node's, in s (default: none)"),
    FIELD("heartbeat_misses", misses, SCEN_INT, .min = 1, .max = 1000, .fallback = "3",
          .help = "in a row that count as a death (default: 3)"),
    TIME("health_check", health_check_s, .help = "period, in s (default: none)"),
    TIME("timeout", timeout_s, .help = "of communicators, in s (default: hang_detection)"),
    FIELD("recall", recall, SCEN_NUMBER, .max = 1, .fallback = "1",
          .help = "share of faults that beats, checks and step times show (default: 1)"),
    FIELD("slow_threshold", slow_threshold, SCEN_NUMBER, .min = 1, .max = 100,
          .help = "of a step over a healthy one that is told (default: none is)"),
    TIME("slow_window", slow_window_s, .zero = true, .help = "for which it must last, in s"),
    SCEN_FIELD("false_alarms_per_day", ScenCampaign, false_alarms_per_day, SCEN_NUMBER, .max = 1e4,
               .help = "that stop the job and take a healthy node away (default: 0)"),
    FIELD("wrong_node", wrong_node, SCEN_NUMBER, .max = 0.99,
          .help = "share of evictions that take a healthy node instead (default: 0)"),
    SPREAD("comes_back", comes_back, .help = "after such a restart, the fault (default: at once)"),
    FIELD("over_evicted", over_evicted, SCEN_INT, .max = 1e6,
          .help = "healthy nodes that go with each evicted one (default: 0)"),
    FIELD("restart_failure", restart_failure, SCEN_NUMBER, .max = 0.99,
          .help = "share of restarts that fail (default: 0)"),
    TIME("backoff", backoff_s, .zero = true,
         .help = "before a second restart in a row, twice that before a third, in s (default: 0)"),
    FIELD("most_restarts", most_restarts, SCEN_INT, .min = 1, .max = 1e6,
          .help = "failed in a row, until a person looks (default: nobody does)"),
    SPREAD("manual", manual, .help = "time in which that person mends it"),
    FIELD("replay_fraction", replay_fraction, SCEN_NUMBER, .max = 1,
          .help = "of the steps computed twice, which tells corruption at once (default: 0)"),
};

const ScenTable scen_detection_table = {
    .what = "detection",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenCampaign),
    .finish = finish,
};
