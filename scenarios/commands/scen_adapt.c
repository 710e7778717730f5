/* Where adaptations meet the step level. Pipelines of P' stages, as many as the job's workers make,
 * are simulated as plans of their own with two numbers of microbatches, which gives the line of
 * strat_adapt.c:
 *
 *     t(m) = fixed + per microbatch x m
 *
 * through m and m + P', m near what the job's batch gives each of them: exact for the plan as it is
 * written. Its bubble and the sends that nothing hides are the step's own account, the mean over
 * stages. A microbatch's forward is a third of it, or a quarter where the backward recomputes all
 * of it (a backward is two forwards). Plans that are not modelled, or do not fit in memory, have no
 * line; of an uneven tensor group, what is sharded grows by T / (T - 1). Left out: links between
 * unlike pipelines, and gradients summed over groups of unlike width. */
#include "scen_adapt.h"

#include "scen_simulate.h"
#include "strat_adapt.h"

#include <math.h>

typedef struct Line {
    bool is_known, fits;
    StratPipelineLine line;
    double bubble_s, pipeline_s;
    double grown_bytes, room_bytes; /* of the fullest stage: sharded, and left for that */
} Line;

struct ScenAdapt {
    const ScenScenario *scenario;
    StratAdaptJob job;
    GMutex lock;
    GArray *lines; /* of Line, by stages */
};

static StratTrainResult *simulate(const ScenAdapt *adapt, int64_t stages, int64_t microbatches)
{
    ScenScenario changed = *adapt->scenario;
    StratPlan *plan = &changed.plan;
    if (stages != plan->pipeline) {
        if (stages * plan->virtual_stages > changed.model.layers)
            return NULL;
        plan->data = MAX(plan->pipeline * plan->data / stages, 1);
        plan->pipeline = stages;
        changed.cluster.gpu_count = strat_rank_count(plan);
    }
    if (stages == 1) {
        plan->schedule = "none";
        plan->virtual_stages = 1;
    }
    plan->global_batch = plan->data * plan->micro_batch * microbatches;
    return scen_simulate(&changed, NULL);
}

static void fill(const ScenAdapt *adapt, int64_t stages, Line *line)
{
    const StratAdaptJob *job = &adapt->job;
    int64_t rounds = (job->microbatches + job->stages - 1) / job->stages;
    int64_t few = stages == job->stages ? job->microbatches : rounds * stages;
    g_autoptr(StratTrainResult) less = simulate(adapt, stages, few);
    g_autoptr(StratTrainResult) more = less ? simulate(adapt, stages, few + stages) : NULL;
    line->is_known = true;
    line->fits = more && (stages == job->stages || strat_memory_fits(less->memory));
    if (!line->fits)
        return;
    double less_s = sim_time_to_seconds(less->step_ns);
    double each_s = (sim_time_to_seconds(more->step_ns) - less_s) / (double)stages;
    line->line = (StratPipelineLine){less_s - each_s * (double)few, each_s};
    line->bubble_s = (double)less->ledger_ns[STRAT_BUCKET_BUBBLE] * 1e-9 / (double)less->gpus;
    line->pipeline_s =
        (double)less->ledger_ns[STRAT_BUCKET_PIPELINE_COMM] * 1e-9 / (double)less->gpus;
    const StratMemory *full =
        &g_array_index(less->memory, StratMemory, strat_memory_worst_stage(less->memory));
    line->grown_bytes = full->weights_bytes + full->gradients_bytes + full->optimizer_bytes +
                        full->activations_bytes;
    line->room_bytes = full->capacity_bytes - (full->peak_bytes - line->grown_bytes);
}

static Line *line_of(ScenAdapt *adapt, int64_t stages)
{
    if (adapt->lines->len <= stages)
        g_array_set_size(adapt->lines, (guint)stages + 1);
    Line *line = &g_array_index(adapt->lines, Line, stages);
    if (!line->is_known)
        fill(adapt, stages, line);
    return line;
}

static bool get_line(int64_t stages, StratPipelineLine *line, void *ctx)
{
    const Line *found = line_of(ctx, stages);
    *line = found->line;
    return found->fits;
}

ScenAdapt *scen_adapt_new(const ScenScenario *scenario)
{
    const StratPlan *plan = &scenario->plan;
    ScenAdapt *adapt = g_new0(ScenAdapt, 1);
    adapt->scenario = scenario;
    adapt->lines = g_array_new(FALSE, TRUE, sizeof(Line));
    g_mutex_init(&adapt->lock);
    adapt->job = (StratAdaptJob){
        .stages = plan->pipeline,
        .replicas = plan->data,
        .microbatches = plan->global_batch / (plan->data * plan->micro_batch),
        .tensor = plan->tensor,
        .workers_per_node = MAX(scenario->cluster.node.gpus / (plan->tensor * plan->context), 1),
        .forward_fraction = plan->recompute == STRAT_RECOMPUTE_FULL ? 1.0 / 4.0 : 1.0 / 3.0,
        .line = get_line,
        .ctx = adapt,
    };
    return adapt;
}

void scen_adapt_free(ScenAdapt *adapt)
{
    if (!adapt)
        return;
    g_array_unref(adapt->lines);
    g_mutex_clear(&adapt->lock);
    g_free(adapt);
}

static double slowdown(ScenAdapt *adapt, const StratJobState *state)
{
    StratAdaptJob *job = &adapt->job;
    const Line *whole = line_of(adapt, job->stages);
    double narrow = (double)MAX(job->tensor - 1, 1) / (double)job->tensor;
    if (!whole->fits || (state->adaptation == STRAT_ADAPT_UNEVEN_TENSOR && state->lost_count > 0 &&
                         whole->grown_bytes > whole->room_bytes * narrow))
        return INFINITY;
    job->bubble_s = whole->bubble_s;
    job->pipeline_s = whole->pipeline_s;
    double healthy_s = strat_adapt_step(job, STRAT_ADAPT_NONE, 0);
    if (state->adaptation == STRAT_ADAPT_REBALANCE)
        return strat_adapt_rebalanced(job, state->slow[0].clock_fraction) / healthy_s;
    if (state->adaptation == STRAT_ADAPT_SWAP)
        return strat_adapt_swapped(job, state->weak[0].fraction) / healthy_s;
    return strat_adapt_step(job, state->adaptation, (int64_t)state->lost_count) / healthy_s;
}

double scen_adapt_slowdown(ScenAdapt *adapt, const StratJobState *state)
{
    g_mutex_lock(&adapt->lock);
    double answer = slowdown(adapt, state);
    g_mutex_unlock(&adapt->lock);
    return answer;
}
