/* The timeline of a run of serving.
 *
 * A replica is a process, each of its lanes (one, or as many as it has pipeline stages) a track: a
 * slice for the iterations between two decisions of the scheduler, which are of the same sequences,
 * and counters of its running and waiting requests and of the blocks of its cache. Requests are
 * asynchronous slices in a process of their own, the phases of each within it: queue until its
 * first iteration, prefill until its first token, decode until its last. The deployment's counters
 * are the samples of the report's curves, over the whole run.
 *
 * A long run has millions of both, so the first so many are drawn and otherData says how many there
 * are. Iterations that a failure broke off are not drawn. */
#include "scen_timeline.h"

#define I64 "%" G_GINT64_FORMAT

enum {
    REQUESTS_SHOWN = 2000,
    DEPLOYMENT = 0, /* processes */
    REQUESTS,
    REPLICAS,
};

static const char *role_of(const StratPool *pool)
{
    switch (pool->role) {
    case STRAT_ROLE_PREFILL:
        return ", prefill";
    case STRAT_ROLE_DECODE:
        return ", decode";
    default:
        return "";
    }
}

/* Names the replicas that @spells are of, whose highest number is @most. */
static void add_replicas(SimEvents *events, const StratDeployment *deployment, const GArray *spells)
{
    int32_t most = -1;
    for (guint i = 0; i < spells->len; i++)
        most = MAX(most, g_array_index(spells, ScenServeSpell, i).replica);
    for (int32_t i = 0; i <= most; i++) {
        bool second = deployment->pools == 2 && i >= deployment->pool[0].replicas;
        const StratPool *pool = &deployment->pool[second ? 1 : 0];
        int64_t gpus = strat_pool_gpus(pool);
        g_autofree char *name = g_strdup_printf("replica %d%s, " I64 " %s", (int)i, role_of(pool),
                                                gpus, gpus == 1 ? "GPU" : "GPUs");
        sim_events_process(events, REPLICAS + (uint32_t)i, name, REPLICAS + (uint32_t)i);
        for (uint32_t lane = 0; lane < pool->pipeline; lane++) {
            g_autofree char *track =
                pool->pipeline == 1 ? g_strdup("iterations") : g_strdup_printf("lane %u", lane);
            sim_events_thread(events, (SimTrack){REPLICAS + (uint32_t)i, lane}, track);
        }
    }
}

static void add_spell(SimEvents *events, const ScenServeSpell *spell)
{
    uint32_t process = REPLICAS + (uint32_t)spell->replica;
    g_autofree char *args = g_strdup_printf(
        "\"iterations\":" I64 ",\"prompts\":" I64 ",\"prompt_tokens\":" I64 ",\"decodes\":" I64,
        spell->iterations, spell->prompts, spell->prompt_tokens, spell->decodes);
    const SimSlice slice = {
        .track = {process, spell->lane},
        .at = spell->at,
        .lasts = spell->end - spell->at,
        .name = spell->prompts == 0   ? "decode"
                : spell->decodes == 0 ? "prefill"
                                      : "prefill and decode",
        .category = "iterations",
        .args = args,
    };
    sim_events_slice(events, &slice);
    sim_events_counter(events, process, "running", spell->at, (double)spell->running);
    sim_events_counter(events, process, "waiting", spell->at, (double)spell->waiting);
    sim_events_counter(events, process, "KV blocks", spell->at, (double)spell->blocks);
}

static void add_phase(SimEvents *events, int64_t id, const char *name, SimTime at, SimTime end)
{
    if (at < 0 || end < at)
        return;
    sim_events_begin(events, REQUESTS, "request", id, name, at, NULL);
    sim_events_end(events, REQUESTS, "request", id, name, end);
}

static void add_request(SimEvents *events, const StratOutcome *o)
{
    SimTime end = MAX(MAX(o->scheduled_ns, o->first_token_ns), o->last_token_ns);
    if (end < o->arrival_ns) /* nothing ever happened to it */
        return;
    g_autofree char *args =
        g_strdup_printf("\"request\":" I64 ",\"input_tokens\":" I64 ",\"cached_tokens\":" I64
                        ",\"output_tokens\":" I64 ",\"replica\":%d,\"preemptions\":%d",
                        o->id, o->input_tokens, o->cached_tokens, o->output_tokens, (int)o->replica,
                        (int)o->preemptions);
    sim_events_begin(events, REQUESTS, "request", o->id, "request", o->arrival_ns, args);
    add_phase(events, o->id, "queue", o->arrival_ns, o->scheduled_ns);
    add_phase(events, o->id, "prefill", o->scheduled_ns, o->first_token_ns);
    add_phase(events, o->id, "decode", o->first_token_ns, o->last_token_ns);
    sim_events_end(events, REQUESTS, "request", o->id, "request", end);
}

/* The samples; KV blocks of all replicas together. */
static void add_samples(SimEvents *events, const ScenServed *served,
                        const StratDeployment *deployment)
{
    double blocks = 0.0;
    for (size_t p = 0; p < deployment->pools; p++)
        blocks += (double)(served->memory[p].blocks * deployment->pool[p].replicas);
    for (guint i = 0; i < served->result->samples->len; i++) {
        const StratServeSample *s = &g_array_index(served->result->samples, StratServeSample, i);
        SimTime at = (SimTime)(s->at_s * (double)SIM_TIME_SECOND);
        sim_events_counter(events, DEPLOYMENT, "running", at, s->running);
        sim_events_counter(events, DEPLOYMENT, "waiting", at, s->waiting);
        sim_events_counter(events, DEPLOYMENT, "KV blocks", at,
                           (double)(int64_t)(s->kv_fraction * blocks + 0.5));
        sim_events_counter(events, DEPLOYMENT, "output tokens per s", at, s->output_tokens_per_s);
    }
}

static void add_notes(SimEvents *events, const ScenServeLog *log, int64_t shown, int64_t requests)
{
    g_autofree char *iterations =
        log->left_out == 0
            ? g_strdup("all are drawn")
            : g_strdup_printf("the first %u runs of iterations are drawn, until %.6f s; " I64
                              " later ones are not",
                              log->spells->len, sim_time_to_seconds(log->left_from), log->left_out);
    g_autofree char *asked = g_strdup_printf(
        "the first " I64 " by number of " I64 " with an answer are drawn", shown, requests);
    sim_events_note(events, "iterations", iterations);
    sim_events_note(events, "requests", asked);
}

char *scen_timeline_serve(const ScenScenario *scenario, const ScenServed *served,
                          const ScenServeLog *log)
{
    const StratDeployment *deployment = &scenario->serving.deployment;
    const GArray *outcomes = served->result->outcomes;
    guint shown = MIN(outcomes->len, REQUESTS_SHOWN);
    ScenTimeline timeline = {0};
    scen_timeline_open(&timeline, scenario);
    sim_events_process(timeline.events, DEPLOYMENT, "deployment, all replicas", DEPLOYMENT);
    sim_events_process(timeline.events, REQUESTS, "requests", REQUESTS);
    add_replicas(timeline.events, deployment, log->spells);
    add_samples(timeline.events, served, deployment);
    for (guint i = 0; i < log->spells->len; i++)
        add_spell(timeline.events, &g_array_index(log->spells, ScenServeSpell, i));
    for (guint i = 0; i < shown; i++)
        add_request(timeline.events, &g_array_index(outcomes, StratOutcome, i));
    add_notes(timeline.events, log, shown, outcomes->len);
    return scen_timeline_close(&timeline);
}
