/* The table of queues.
 *
 *   queue:
 *     duration: 330 d
 *     policy: priority-backfill               # orrery list queue-policies
 *     per_day: 7200
 *     faults: rsc-1                           # orrery list faults
 *     repair: 1 d
 *     jobs:
 *       - {name: large, gpus: 512, model: llama-3-70b, plan: {...}, share: 0.1, work: 3 d}
 *       - {name: small, gpus: 8, share: 0.9, work: {distribution: lognormal, mean: 2 h, cv: 2}}
 *       - {name: loop, gpus: 1024, at: 10 d, work: 7 d, priority: 3, crashes: 1, crash_after: 5
 * min}
 */
#include "scen_fields.h"
#include "scen_queue.h"

#define TIME(key, type, member, ...)                                                               \
    SCEN_FIELD(key, type, member, SCEN_QUANTITY, .dimension = SCEN_TIME_S, __VA_ARGS__)
#define SPREAD(key, type, member, ...)                                                             \
    SCEN_FIELD(key, type, member, SCEN_CUSTOM, .bind = scen_spread_bind,                           \
               .expected = SCEN_SPREAD_EXPECTED, .forms = scen_spread_forms, __VA_ARGS__)

void scen_queue_clear(ScenQueue *queue)
{
    scen_faults_clear(&queue->faults);
    g_clear_pointer(&queue->jobs, g_array_unref);
    g_clear_pointer(&queue->classes, g_array_unref);
    g_clear_pointer(&queue->records, g_array_unref);
}

static void finish_jobs(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenQueueJobs *jobs = out;
    bool comes_once = scen_node_item(map, "at") != NULL;
    jobs->mark = map->mark;
    jobs->trains = scen_node_item(map, "plan") != NULL;
    if (jobs->trains != (scen_node_item(map, "model") != NULL))
        scen_bind_fail(binder, map, "name", "model (what jobs train) and plan (how) go together");
    if (jobs->trains && jobs->plan.sequence_length == 0)
        jobs->plan.sequence_length = jobs->model.max_sequence;
    if (!comes_once)
        jobs->at_s = -1.0;
    if (comes_once && jobs->row.share > 0.0)
        scen_bind_fail(binder, map, "at", "jobs arrive at a time or by share, not both");
    if (jobs->row.crash_fraction > 0.0 && !scen_node_item(map, "crash_after"))
        scen_bind_fail(binder, map, "crashes", "crashes needs crash_after");
}

#define JOBS(key, member, of_kind, ...) SCEN_FIELD(key, ScenQueueJobs, member, of_kind, __VA_ARGS__)

static const ScenField jobs_fields[] = {
    JOBS("name", row.name, SCEN_TEXT, .required = true, .help = "name in reports and in traces"),
    JOBS("gpus", gpus, SCEN_INT, .min = 1, .max = 1e6, .required = true,
         .help = "of one job; it gets whole nodes"),
    JOBS("model", model, SCEN_SECTION, .zero = true, .table = &scen_model_table,
         .help =
             "what each trains, with plan: jobs that know it slow each other down on the fabric"),
    JOBS("plan", plan, SCEN_SECTION, .zero = true, .table = &scen_plan_table,
         .help = "how its work is laid out"),
    JOBS("share", row.share, SCEN_NUMBER, .max = 1e6,
         .help = "of the jobs that arrive by per_day, over the sum of all shares (default: 0)"),
    TIME("at", ScenQueueJobs, at_s, .zero = true, .help = "one job arrives then, in s"),
    SPREAD("work", ScenQueueJobs, row.work, .required = true,
           .help = "what a run takes without interruption"),
    TIME("checkpoint", ScenQueueJobs, row.checkpoint_s,
         .help = "work between two of them, which cost nothing, in s (default: none)"),
    JOBS("priority", row.priority, SCEN_INT, .max = STRAT_QUEUE_LEVELS - 1,
         .help = "the highest first, of policies by priority (default: 0)"),
    JOBS("fails", row.fail_fraction, SCEN_NUMBER, .max = 1,
         .help = "share of the jobs that fail of themselves, at an even point of their work"),
    JOBS("crashes", row.crash_fraction, SCEN_NUMBER, .max = 1,
         .help = "share of the jobs that die in every run (a crash loop)"),
    TIME("crash_after", ScenQueueJobs, row.crash_after_s, .zero = true,
         .help = "the start of a run's work, in s"),
};

static const ScenTable jobs_table = {
    .what = "jobs of a queue",
    .fields = jobs_fields,
    .count = G_N_ELEMENTS(jobs_fields),
    .size = sizeof(ScenQueueJobs),
    .finish = finish_jobs,
};

#define SHARE(key, member, ...)                                                                    \
    SCEN_FIELD(key, ScenQueuePublished, member, SCEN_NUMBER, .max = 1, __VA_ARGS__)

static const ScenField published_fields[] = {
    SHARE("completed", ended[STRAT_QUEUE_COMPLETED], .help = "share of runs that completed"),
    SHARE("failed", ended[STRAT_QUEUE_FAILED], .help = "that failed of themselves"),
    SHARE("preempted", ended[STRAT_QUEUE_PREEMPTED], .help = "that were preempted"),
    SHARE("requeued", ended[STRAT_QUEUE_REQUEUED], .help = "that were requeued after a failure"),
    SHARE("timeout", ended[STRAT_QUEUE_TIMEOUT], .help = "that reached the lifetime"),
    SHARE("node_fail", ended[STRAT_QUEUE_NODE_FAIL], .help = "that a node ended for good"),
    SHARE("utilisation", utilisation, .help = "nodes with a job over all nodes"),
    SHARE("secondary_share", secondary_share,
          .help = "of what failures cost: lost by preemption for jobs that came back"),
    SCEN_FIELD("source", ScenQueuePublished, source, SCEN_TEXT, .required = true,
               .help = "who says so, and where"),
};

static const ScenTable published_table = {
    .what = "published",
    .fields = published_fields,
    .count = G_N_ELEMENTS(published_fields),
    .size = sizeof(ScenQueuePublished),
};

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenQueue *queue = out;
    g_autoptr(GError) error = NULL;
    queue->is_on = true;
    queue->has_faults = scen_node_item(map, "faults") != NULL;
    queue->spec.policy = strat_queue_policy_by_name(queue->policy, &error);
    if (!queue->spec.policy)
        scen_bind_fail(binder, map, "policy", "%s", error->message);
    g_clear_error(&error);
    queue->spec.placement = strat_queue_placement_by_name(queue->placement, &error);
    if (!queue->spec.placement)
        scen_bind_fail(binder, map, "placement", "%s", error->message);
    if (queue->has_faults && !scen_node_item(map, "repair"))
        scen_bind_fail(binder, map, "faults", "faults needs repair (how long a node is away)");
    scen_bind_path(binder, &queue->trace);
}

static const ScenField fields[] = {
    TIME("duration", ScenQueue, spec.duration_s, .required = true, .help = "in s"),
    SCEN_FIELD("replications", ScenQueue, spec.replications, SCEN_INT, .min = 1, .max = 1e6,
               .fallback = "10", .help = "histories that are simulated (default: 10)"),
    SCEN_FIELD("policy", ScenQueue, policy, SCEN_TEXT, .fallback = "easy-backfill",
               .help = "who starts when (orrery list queue-policies; default: easy-backfill)"),
    SCEN_FIELD("placement", ScenQueue, placement, SCEN_TEXT, .fallback = "packed",
               .help = "which nodes a job gets (orrery list queue-placements; default: packed)"),
    SCEN_FIELD("nodes_per_leaf", ScenQueue, spec.nodes_per_leaf, SCEN_INT, .min = 1, .max = 1e6,
               .fallback = "1", .help = "under one leaf switch (default: 1)"),
    SCEN_FIELD("nodes_per_rack", ScenQueue, nodes_per_rack, SCEN_INT, .min = 1, .max = 1e6,
               .fallback = "1", .help = "of one rack, for faults of racks (default: 1)"),
    SCEN_FIELD("shared_leaf", ScenQueue, spec.shared_leaf, SCEN_NUMBER, .max = 10,
               .help = "how much longer a run takes that starts on several leaves, one of them "
                       "shared with another such run, of jobs without a plan (default: 0)"),
    SCEN_FIELD("jobs", ScenQueue, jobs, SCEN_ROWS, .table = &jobs_table, .required = true,
               .help = "kinds of jobs"),
    SCEN_FIELD("per_day", ScenQueue, spec.per_day, SCEN_NUMBER, .max = 1e8,
               .help = "jobs that arrive, Poisson, of kinds by share (default: 0)"),
    SCEN_FIELD("trace", ScenQueue, trace, SCEN_TEXT,
               .help = "CSV of jobs (at_s, class, gpus, work_s), besides those that are drawn"),
    SCEN_FIELD("depth", ScenQueue, spec.depth, SCEN_INT, .min = 1, .max = 1e6, .fallback = "100",
               .help = "jobs behind the front that backfill looks at (default: 100)"),
    SCEN_FIELD("estimate", ScenQueue, spec.estimate, SCEN_NUMBER, .min = 1, .max = 1000,
               .fallback = "1",
               .help = "what the scheduler takes a run for, over its length (default: 1)"),
    TIME("preemptible_after", ScenQueue, spec.preemptible_after_s, .zero = true,
         .help = "the start of a run, in s (default: 0)"),
    TIME("lifetime", ScenQueue, spec.lifetime_s, .help = "of a run, in s (default: no end)"),
    TIME("restart", ScenQueue, spec.restart_s, .zero = true,
         .help = "until a run after a job's first one computes, in s (default: 0)"),
    SCEN_FIELD("restart_failure", ScenQueue, spec.restart_failure, SCEN_NUMBER, .max = 0.99,
               .help = "share of those runs that then die (default: 0)"),
    TIME("requeue", ScenQueue, spec.requeue_s, .zero = true,
         .help = "until a job whose run failed is back in the queue, in s (default: 0)"),
    SCEN_FIELD("most_requeues", ScenQueue, spec.most_requeues, SCEN_INT, .max = 1e6,
               .fallback = "1000000",
               .help = "of a job after failures; a further one ends it (default: no end)"),
    SCEN_FIELD("faults", ScenQueue, faults, SCEN_SECTION, .table = &scen_faults_table,
               .help = "what fails (orrery list faults; default: nothing)"),
    SPREAD("repair", ScenQueue, spec.repair, .help = "of a node that a fault takes away"),
    SCEN_FIELD("published", ScenQueue, published, SCEN_MAP, .table = &published_table,
               .help = "figures to compare with"),
};

const ScenTable scen_queue_table = {
    .what = "queue",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenQueue),
    .finish = finish,
};

static gint by_time(gconstpointer a, gconstpointer b)
{
    const StratQueueRecord *x = a, *y = b;
    return (x->at_s > y->at_s) - (x->at_s < y->at_s);
}

void scen_queue_finish(ScenBinder *binder, const ScenNode *map, int64_t gpus_per_node,
                       int64_t nodes, ScenQueue *queue)
{
    double shares = 0.0;
    if (!queue->jobs || gpus_per_node < 1)
        return;
    queue->classes = g_array_new(FALSE, FALSE, sizeof(StratQueueClass));
    queue->records = g_array_new(FALSE, FALSE, sizeof(StratQueueRecord));
    for (guint i = 0; i < queue->jobs->len; i++) {
        ScenQueueJobs *jobs = &g_array_index(queue->jobs, ScenQueueJobs, i);
        StratQueueRecord once = {.at_s = jobs->at_s, .class_index = i, .work_s = -1.0};
        jobs->row.nodes = (jobs->gpus + gpus_per_node - 1) / gpus_per_node;
        shares += jobs->row.share;
        g_array_append_val(queue->classes, jobs->row);
        if (jobs->at_s >= 0.0)
            g_array_append_val(queue->records, once);
        if (jobs->row.nodes > nodes)
            scen_bind_fail(binder, map, "queue", "jobs '%s' need more nodes than the cluster has",
                           jobs->row.name);
    }
    g_autoptr(GError) error = NULL;
    if (queue->spec.per_day > 0.0 && shares <= 0.0)
        scen_bind_fail(binder, map, "queue", "jobs arrive per_day, but none has a share");
    if (queue->trace && !scen_queue_trace_read(queue->trace, queue->classes, gpus_per_node, nodes,
                                               queue->records, &error))
        scen_bind_fail(binder, map, "queue", "%s", error->message);
    g_array_sort(queue->records, by_time);
}
