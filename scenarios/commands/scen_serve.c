/* Serving a scenario's traffic: the one place where its deployment meets costs, memory and
 * requests.
 *
 * Intervals: an iteration's time has a relative standard error
 *
 *   s^2 = sum over kinds of costs of (share of the GPU-seconds * error of the kind * evidence)^2
 *
 * with the errors of `uncertainty:` (kinds are independent, what is of one kind errs together). The
 * whole run is repeated with all iterations 1.64 s shorter and longer, which carries the error
 * through queues, where it grows without bound near saturation. Errors of what no cost covers (the
 * engine's own constants, the traffic) are not in it. */
#include "scen_serve.h"

#include "scen_engine_profile.h"
#include "scen_outages.h"
#include "scen_serve_burst.h"
#include "scen_serve_fabric.h"
#include "scen_trace.h"
#include "strat_offload.h"
#include "strat_price.h"

#include <math.h>

/* Of a normal distribution, 90 % lie within so many standard errors. */
static const double ERRORS_OF_90_PERCENT = 1.6449;

/* Instants in the table of samples. */
static const double SAMPLES_WANTED = 1000.0;

typedef struct Scaled {
    StratPricer pricer; /* first */
    const StratPricer *inner;
    double factor;
} Scaled;

static void scaled_price(const StratPricer *pricer, const StratBatch *batch, StratIteration *out)
{
    const Scaled *scaled = (const Scaled *)(const void *)pricer;
    scaled->inner->price(scaled->inner, batch, out);
    for (int p = 0; p < STRAT_SERVE_PARTS; p++)
        out->part_s[p] *= scaled->factor;
    out->seconds *= scaled->factor;
    out->stage_s *= scaled->factor;
}

/* What all runs of a scenario share. */
typedef struct Stage {
    const ScenScenario *scenario;
    StratProfile *profile[2]; /* measured layer times of the engine, NULL: none */
    StratPricer *pricer[2];
    ScenServeFabric fabric; /* that caches move over */
    StratServeSpec spec;
    int64_t skipped_rows; /* of the trace, in the last run */
} Stage;

static void stage_clear(Stage *stage)
{
    for (size_t p = 0; p < G_N_ELEMENTS(stage->pricer); p++) {
        strat_pricer_free(stage->pricer[p]);
        strat_profile_free(stage->profile[p]);
    }
    scen_serve_fabric_clear(&stage->fabric);
}

StratPricer *scen_serve_pricer(const ScenScenario *scenario, size_t pool, StratProfile **profile,
                               GError **error)
{
    const ScenServing *serving = &scenario->serving;
    const ScenServingEngine *engine = &serving->engine;
    if (serving->engine_profile) {
        int64_t tensor = serving->deployment.pool[pool].tensor;
        *profile = scen_engine_profile_read(serving->engine_profile, tensor, error);
        if (!*profile)
            return NULL;
    }
    StratPriceSpec spec = {
        .model = &scenario->model,
        .cluster = &scenario->cluster,
        .device = {.gpu = &scenario->cluster.node.gpu,
                   .profile = &scenario->profile,
                   .clock_fraction = 1.0,
                   .table = scenario->profile.table},
        .prompt_clock_fraction = scenario->profile.sustained_clock_fraction,
        .deployment = &serving->deployment,
        .pool = pool,
        .reduce = engine->reduce.name ? &engine->reduce : NULL,
        .expert_prompts = engine->expert_prompts.name ? &engine->expert_prompts : NULL,
        .expert_decodes = engine->expert_decodes.name ? &engine->expert_decodes : NULL,
        .expert_family = engine->expert_family,
        .profile = *profile,
    };
    return strat_price_new(&spec, error);
}

/* How caches move from prefill replicas to decoding ones: over the fabric; or at the rate that is
 * given; or by the NICs of the smaller of two replicas, or inside a scale-up domain that holds both
 * pools. */
static bool fill_transfer(Stage *stage, GError **error)
{
    const ScenScenario *scenario = stage->scenario;
    const ScenServing *serving = &scenario->serving;
    const StratDeployment *deployment = &serving->deployment;
    const TopoNode *node = &scenario->cluster.node;
    StratServeSpec *spec = &stage->spec;
    int64_t gpus =
        MIN(strat_pool_gpus(&deployment->pool[0]), strat_pool_gpus(&deployment->pool[1]));
    bool inside = scenario->cluster.gpu_count <= node->scale_up_gpus;
    double nic_bytes_per_s = (double)node->nics * node->nic_bytes_per_s / (double)node->gpus;
    spec->transfer_bytes_per_s =
        serving->transfer_bytes_per_s > 0.0
            ? serving->transfer_bytes_per_s
            : (double)gpus * (inside ? node->scale_up_bytes_per_s : nic_bytes_per_s);
    spec->transfer_latency_s = inside ? node->scale_up_latency_s : node->nic_latency_s;
    if (serving->overlap == SCEN_OVERLAP_LAYERS)
        spec->transfer_layers = (double)scenario->model.layers;
    if (!scen_serve_fabric_open(&stage->fabric, scenario, error))
        return false;
    spec->fabric = stage->fabric.fabric ? &stage->fabric.moves : NULL;
    return true;
}

/* The cache is as large as the scenario says, whatever would fit. */
static void take_blocks(const StratDeployment *deployment, size_t pool, StratServeMemory *memory)
{
    memory->blocks = deployment->blocks;
    memory->kv_bytes = (double)deployment->blocks * (double)deployment->engine->block_tokens *
                       memory->kv_token_bytes / (double)deployment->pool[pool].data;
}

/* Fills @stage and the memory of @served; false and @error, or @served's reason why it does not
 * fit. */
static bool prepare(Stage *stage, ScenServed *served, GError **error)
{
    const ScenScenario *scenario = stage->scenario;
    const StratDeployment *deployment = &scenario->serving.deployment;
    stage->spec.deployment = deployment;
    for (size_t p = 0; p < deployment->pools; p++) {
        StratServeMemory *memory = &served->memory[p];
        g_autoptr(GError) no_fit = NULL;
        bool is_known = deployment->blocks > 0;
        *memory =
            strat_serve_memory(&scenario->model, &scenario->cluster.node.gpu, deployment, p, 0);
        if (is_known)
            take_blocks(deployment, p, memory);
        served->no_fit = strat_offload_place(memory, deployment, p, &scenario->cluster.node);
        if (served->no_fit)
            return false;
        if (!is_known && !strat_serve_memory_check(memory, deployment, p, &no_fit)) {
            served->no_fit = g_strdup(no_fit->message);
            return false;
        }
        stage->pricer[p] = scen_serve_pricer(scenario, p, &stage->profile[p], error);
        if (!stage->pricer[p])
            return false;
        stage->spec.pricer[p] = stage->pricer[p];
        stage->spec.blocks[p] = memory->blocks;
    }
    stage->spec.kv_bytes_per_token = strat_kv_token_bytes(&scenario->model, deployment->kv);
    stage->spec.host_bytes_per_s = scenario->cluster.node.host_bytes_per_s;
    if (deployment->pools == 2 && !fill_transfer(stage, error))
        return false;
    stage->spec.autoscale = scenario->serving.autoscale;
    stage->spec.autoscale.load_s =
        scen_outages_load_s(scenario, &served->memory[0], scenario->serving.load_from,
                            scenario->serving.load_bytes_per_s);
    stage->spec.failures = scen_outages_of(scenario, served->memory);
    stage->spec.admission = scenario->serving.admission;
    stage->spec.exact = scenario->serving.exact;
    stage->spec.warm_up_requests = scenario->serving.warm_up_requests;
    stage->spec.seed = scenario->seed;
    return true;
}

static double tokens_per_s(const StratServeResult *result)
{
    double end_s = sim_time_to_seconds(result->end_ns);
    return end_s > 0.0 ? (double)(result->input_tokens + result->output_tokens) / end_s : 0.0;
}

static StratServeResult *run_once(Stage *stage, GError **error)
{
    g_autoptr(StratSource) source =
        scen_traffic_source(&stage->scenario->traffic, stage->scenario->seed, error);
    if (!source)
        return NULL;
    stage->spec.source = source;
    StratServeResult *result = strat_serve_run(&stage->spec, error);
    stage->spec.source = NULL;
    if (stage->scenario->traffic.trace)
        stage->skipped_rows = scen_trace_skipped(source);
    return result;
}

static StratServeResult *run_scaled(Stage *stage, double factor, GError **error)
{
    Scaled scaled[2];
    for (size_t p = 0; p < stage->spec.deployment->pools; p++) {
        scaled[p] = (Scaled){{.price = scaled_price}, stage->pricer[p], factor};
        stage->spec.pricer[p] = &scaled[p].pricer;
    }
    StratServeResult *result = run_once(stage, error);
    for (size_t p = 0; p < stage->spec.deployment->pools; p++)
        stage->spec.pricer[p] = stage->pricer[p];
    return result;
}

/* The kind of cost that a part is. */
static StratKind kind_of(const ScenScenario *scenario, int part)
{
    const StratDeployment *deployment = &scenario->serving.deployment;
    int64_t gpus = 0;
    for (size_t p = 0; p < deployment->pools; p++)
        gpus = MAX(gpus, strat_pool_gpus(&deployment->pool[p]));
    bool across = gpus > scenario->cluster.node.scale_up_gpus;
    switch (part) {
    case STRAT_SERVE_PREFILL:
    case STRAT_SERVE_DECODE:
        return STRAT_KIND_ATTENTION;
    case STRAT_SERVE_PASSES:
        return STRAT_KIND_PASSES;
    case STRAT_SERVE_TENSOR:
        return STRAT_KIND_SCALE_UP;
    case STRAT_SERVE_ALL_TO_ALL:
    case STRAT_SERVE_PIPELINE:
        return across ? STRAT_KIND_SCALE_OUT : STRAT_KIND_SCALE_UP;
    case STRAT_SERVE_HOST:
    case STRAT_SERVE_OFFLOAD:
        return STRAT_KIND_HOST;
    default:
        return STRAT_KIND_PRODUCTS;
    }
}

static double iteration_error(const ScenScenario *scenario, const StratServeResult *result)
{
    double kind_s[STRAT_KIND_COUNT] = {0}, all_s = 0.0, variance = 0.0;
    bool fitted = scenario->profile.grade == KERN_GRADE_FITTED;
    double widen = scenario->errors.widen[fitted ? KERN_EVIDENCE_FITTED : KERN_EVIDENCE_DATASHEET];
    for (int p = 0; p < STRAT_SERVE_PARTS; p++) {
        kind_s[kind_of(scenario, p)] += result->busy_s[p];
        all_s += result->busy_s[p];
    }
    for (int k = 0; k < STRAT_KIND_COUNT && all_s > 0.0; k++) {
        double error = kind_s[k] / all_s * scenario->errors.kind[k] *
                       (k == STRAT_KIND_SCALE_OUT ? 1.0 : widen);
        variance += error * error;
    }
    return sqrt(variance);
}

/* How much of what the deployment can do the traffic asks for: tokens a second over those of a run
 * in which the first requests all arrive at once. 0 where requests wait for answers. */
static double load_fraction(Stage *stage, const StratServeResult *result)
{
    g_autoptr(StratSource) source =
        scen_traffic_source(&stage->scenario->traffic, stage->scenario->seed, NULL);
    if (!source || result->requests == 0)
        return 0.0;
    g_autoptr(StratSource) burst = scen_serve_burst_new(source);
    StratServeSpec all_up = stage->spec; /* and nobody turned away */
    all_up.source = burst;
    all_up.autoscale = (StratAutoscale){0};
    all_up.failures = (StratFailures){0};
    all_up.admission = (StratAdmission){0};
    g_autoptr(StratServeResult) fastest = strat_serve_run(&all_up, NULL);
    /* Where requests wait for answers, not all of them come at once. */
    if (!fastest || fastest->requests < MIN(result->requests, SCEN_SERVE_BURST))
        return 0.0;
    double asked = tokens_per_s(result), most = tokens_per_s(fastest);
    return most > 0.0 ? asked / most : 0.0;
}

/* The same traffic where nothing fails. */
static bool run_calm(Stage *stage, ScenServed *served, GError **error)
{
    StratFailures failures = stage->spec.failures;
    if (!failures.policy)
        return true;
    stage->spec.failures = (StratFailures){0};
    served->calm = run_once(stage, error);
    stage->spec.failures = failures;
    return served->calm != NULL;
}

static bool run_all(Stage *stage, ScenServed *served, ScenServeWants wants, GError **error)
{
    const ScenScenario *scenario = stage->scenario;
    StratServeWatch first = wants.watch ? *wants.watch : (StratServeWatch){0};
    if (wants.requests) /* another run follows, to be told of */
        first.begins = first.ends = NULL;
    stage->spec.watch = wants.watch ? &first : NULL;
    served->result = run_once(stage, error);
    if (!served->result)
        return false;
    if (wants.requests) { /* samples need the length of the run */
        double end_s = sim_time_to_seconds(served->result->end_ns);
        stage->spec.sample_s = end_s / SAMPLES_WANTED;
        stage->spec.keep_requests = true;
        stage->spec.watch = wants.watch;
        strat_serve_result_free(served->result);
        served->result = run_once(stage, error);
        if (!served->result)
            return false;
    }
    stage->spec.keep_requests = false;
    stage->spec.sample_s = 0.0;
    stage->spec.watch = NULL;
    served->skipped_rows = stage->skipped_rows;
    served->error_fraction = iteration_error(scenario, served->result);
    if (!run_calm(stage, served, error))
        return false;
    if (!wants.interval)
        return true;
    double reach = exp(ERRORS_OF_90_PERCENT * served->error_fraction);
    served->load_fraction = load_fraction(stage, served->result);
    served->fast = run_scaled(stage, 1.0 / reach, error);
    served->slow = served->fast ? run_scaled(stage, reach, error) : NULL;
    return served->slow != NULL;
}

ScenServed *scen_serve(const ScenScenario *scenario, ScenServeWants wants, GError **error)
{
    g_autoptr(ScenServed) served = g_new0(ScenServed, 1);
    Stage stage = {.scenario = scenario};
    bool done = prepare(&stage, served, error) && run_all(&stage, served, wants, error);
    stage_clear(&stage);
    if (!done)
        return served->no_fit ? g_steal_pointer(&served) : NULL;
    served->money = scen_money(scenario, served->result);
    return g_steal_pointer(&served);
}

void scen_served_free(ScenServed *served)
{
    if (!served)
        return;
    strat_serve_result_free(served->result);
    strat_serve_result_free(served->fast);
    strat_serve_result_free(served->slow);
    strat_serve_result_free(served->calm);
    g_free(served->no_fit);
    g_free(served);
}

double scen_serve_speedup(const ScenScenario *scenario, const ScenServed *served, GError **error)
{
    ScenScenario plain = *scenario;
    plain.serving.deployment.speculation = (StratSpeculation){0};
    g_autoptr(ScenServed) slow = scen_serve(&plain, (ScenServeWants){0}, error);
    if (!slow || !slow->result)
        return NAN;
    return strat_digest_mean(slow->result->tpot_s) / strat_digest_mean(served->result->tpot_s);
}

bool scen_served_misses(const ScenScenario *scenario, const ScenServed *served)
{
    const StratServeResult *result = served->result;
    if (!scen_serving_promises(&scenario->serving) || !result || result->asked == 0)
        return false;
    return (double)result->within_slo < scenario->serving.slo_attainment * (double)result->asked;
}
