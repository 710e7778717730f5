/*
 * Random requests on random engines, with preemption, shared prefixes, several samples of a prompt
 * and beams, caches that move over one link or random fabrics: every request finishes once or is
 * refused, tokens in are tokens out, no block is lost, every prompt that decodes elsewhere moves
 * once, the ledger sums up, and runs summed in closed form are those taken one iteration at a time.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "sim_random.h"
#include "strat_order.h"
#include "strat_router.h"
#include "strat_scheduler.h"
#include "topo_hot_link.h"
#include "toy_serve.h"

enum {
    WORKLOADS = 1000,
    MOST_REQUESTS = 60,
    PAGE = 32,
    MOST_PAGES = 8,
    MOST_SAMPLES = 6,
};

typedef struct World {
    StratEngine engine;
    StratDeployment deployment;
    ToyPricer pricer;
    int64_t blocks;
    StratAutoscale autoscale;
    StratAdmission admission;
    TopoCluster cluster;
    TopoFabric *fabric; /* NULL: caches move over one link a replica */
    TopoRouter *router;
    int64_t kv_heads;
    double layers;
    size_t requests;
    StratRequest request[MOST_REQUESTS];
    uint64_t page[MOST_REQUESTS][MOST_PAGES];
    int64_t sample_output[MOST_REQUESTS][MOST_SAMPLES];
} World;

static int64_t below(SimRandom *stream, int64_t bound)
{
    return (int64_t)sim_random_below(stream, (uint64_t)bound);
}

/* Requests whose prompts begin with pages of a few common texts. */
static void draw_requests(World *world, SimRandom *stream)
{
    double at_s = 0.0;
    double gap_s = 0.02 * sim_random_uniform(stream);
    world->requests = (size_t)(1 + below(stream, MOST_REQUESTS));
    for (size_t i = 0; i < world->requests; i++) {
        at_s += below(stream, 3) == 0 ? 0.0 : sim_random_exponential(stream, gap_s);
        int64_t input = 1 + below(stream, 200);
        int64_t output = 1 + below(stream, 120);
        int64_t pages = MIN((input + output) / PAGE, MOST_PAGES);
        int64_t text = below(stream, 4);
        int64_t common = below(stream, MOST_PAGES);
        for (int64_t j = 0; j < pages; j++)
            world->page[i][j] =
                (uint64_t)(j < common ? text * 100 + j : (int64_t)i * 1000 + j + 999);
        world->request[i] = (StratRequest){
            .id = (int64_t)i,
            .arrival_ns = (SimTime)(at_s * 1e9),
            .input_tokens = input,
            .output_tokens = output,
            .page = world->page[i],
            .pages = (size_t)pages,
            .session = -1,
            .priority = below(stream, 3),
            .adapter = below(stream, 6) - 1,
        };
    }
}

static void draw_engine(World *world, SimRandom *stream)
{
    size_t rows;
    const StratScheduler *schedulers = strat_scheduler_all(&rows);
    StratEngine *engine = &world->engine;
    *engine = toy_engine();
    engine->scheduler = schedulers[below(stream, (int64_t)rows)].name;
    engine->max_sequences = 1 + below(stream, 12);
    engine->max_tokens = 16 + below(stream, 300);
    engine->block_tokens = INT64_C(1) << below(stream, 6);
    engine->chunked_prefill = below(stream, 4) > 0;
    engine->long_prefill_tokens = below(stream, 3) == 0 ? 1 + below(stream, 64) : 0;
    engine->reserve_prompt = below(stream, 2);
    engine->prefix_cache = below(stream, 2);
    engine->watermark_fraction = below(stream, 2) ? 0.05 : 0.0;
    engine->order = below(stream, 3) == 0 ? "priority" : NULL;
    engine->new_token_ratio = 0.1 * (double)(1 + below(stream, 10));
    engine->waiting_served_ratio = 0.3 * (double)(1 + below(stream, 6));
    engine->max_waiting_tokens = 1 + below(stream, 12);
    engine->max_queue_delay_s = 0.01 * (double)below(stream, 3);
    engine->padded_prompts = below(stream, 2);
    engine->preferred_sequences[0] = below(stream, engine->max_sequences + 1);
    if (g_str_equal(engine->scheduler, "sglang"))
        engine->order = strat_order_all(&rows)[below(stream, (int64_t)rows)].name;
    engine->max_adapters = below(stream, 4);
    engine->adapter_load_s = 1e-3;
    engine->swap_bytes = 1e6 * (double)below(stream, 100);
    engine->host_cache_bytes = 1e7 * (double)below(stream, 8);
    engine->disk_cache_bytes = 1e7 * (double)below(stream, 15);
    engine->disk_bytes_per_s = 3e9;
    world->blocks = (300 + below(stream, 1500)) / engine->block_tokens;
    engine->batch_wait_iterations = below(stream, 2) ? 1 + below(stream, 8) : 0;
    engine->batch_wait_fraction = 0.25 * (double)below(stream, 4);
}

static void draw_deployment(World *world, SimRandom *stream)
{
    size_t rows;
    const StratRouter *routers = strat_router_all(&rows);
    StratDeployment *deployment = &world->deployment;
    *deployment = toy_deployment(&world->engine);
    deployment->router = routers[below(stream, (int64_t)rows)].name;
    deployment->pool[0].replicas = 1 + below(stream, 3);
    deployment->pool[0].pipeline = 1 + (below(stream, 4) == 0);
    if (below(stream, 4) == 0) {
        deployment->pools = 2;
        deployment->pool[1] = deployment->pool[0];
        deployment->pool[0].role = STRAT_ROLE_PREFILL;
        deployment->pool[1].role = STRAT_ROLE_DECODE;
    }
    if (below(stream, 4) == 0)
        deployment->speculation =
            (StratSpeculation){.tokens = 1 + below(stream, 4), .acceptance = 0.7};
    world->pricer =
        toy_pricer(2e-3 * (1.0 + sim_random_uniform(stream)), 1e-5 * sim_random_uniform(stream),
                   1e-7 * sim_random_uniform(stream));
    world->pricer.pair_s = 1e-8;
    world->pricer.skew_s = 1e-7 * sim_random_uniform(stream);
    world->pricer.stages = (double)deployment->pool[0].pipeline;
}

/* Some replicas come and go, some requests are turned away. */
static void draw_elastic(World *world, SimRandom *stream)
{
    size_t rows;
    const StratScalePolicy *policies = strat_scale_policy_all(&rows);
    if (below(stream, 4) == 0)
        world->admission.max_queue = 1 + below(stream, 10);
    if (below(stream, 6) == 0)
        world->admission.max_ttft_s = 0.5 * sim_random_uniform(stream);
    if (below(stream, 3) == 0)
        world->admission.timeout_s = 1e-3 + 0.5 * sim_random_uniform(stream);
    if (world->deployment.pools == 2 || below(stream, 2) == 0)
        return;
    world->autoscale = (StratAutoscale){
        .least = 1,
        .policy = policies[below(stream, (int64_t)rows)].name,
        .target = 0.05 + sim_random_uniform(stream) * (double)(1 + below(stream, 4)),
        .tolerance_fraction = 0.1,
        .check_s = 0.01 + 0.1 * sim_random_uniform(stream),
        .cool_down_s = 0.1 * sim_random_uniform(stream),
        .provision_s = 0.1 * sim_random_uniform(stream),
    };
    world->deployment.slo_ttft_s = 0.1;
}

/* Some pools are unlike, with caches that take long and meet on the links of a fabric. */
static void draw_fabric(World *world, SimRandom *stream)
{
    static const char *const kinds[] = {"single-switch", "leaf-spine", "fat-tree",
                                        "rail-optimised"};
    size_t rows;
    const TopoRoutePolicy *policies = topo_route_all(&rows);
    StratPool *pool = world->deployment.pool;
    if (world->deployment.pools < 2 || below(stream, 4) == 0)
        return;
    pool[1].replicas = 1 + below(stream, 3);
    int64_t gpus = 0;
    for (size_t i = 0; i < 2; i++) {
        pool[i].tensor = INT64_C(1) << below(stream, 3);
        pool[i].data = 1 + (below(stream, 4) == 0);
        gpus += pool[i].replicas * strat_pool_gpus(&pool[i]);
    }
    world->cluster = (TopoCluster){
        .node = {.gpus = 4,
                 .scale_up_gpus = 4,
                 .scale_up = "nvswitch",
                 .scale_up_bytes_per_s = 100e9,
                 .scale_up_latency_s = 1e-6,
                 .nics = INT64_C(1) << below(stream, 3),
                 .nic_bytes_per_s = 1e7 * (double)(1 + below(stream, 500)),
                 .nic_latency_s = 2e-6,
                 .host_bytes_per_s = 63e9},
        .node_count = (gpus + 3) / 4,
        .gpu_count = gpus,
    };
    TopoFabricSpec spec = topo_fabric_spec_default(
        kinds[below(stream, (int64_t)G_N_ELEMENTS(kinds))], &world->cluster);
    spec.radix = 64;
    spec.nics_per_leaf = 4;
    spec.leaf_oversubscription = (double)(INT64_C(1) << below(stream, 3));
    g_autoptr(GError) error = NULL;
    world->fabric = topo_fabric_new(&spec, &error);
    cr_assert(world->fabric != NULL, "%s", error ? error->message : "");
    world->router = topo_router_new(world->fabric, &policies[below(stream, (int64_t)rows)], 1);
    world->kv_heads = INT64_C(1) << below(stream, 4);
    world->layers = below(stream, 2) ? 16.0 : 0.0;
}

static void world_free(World *world)
{
    topo_router_free(world->router);
    topo_fabric_free(world->fabric);
    g_free(world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)
/* In a third of the worlds some requests ask for several samples, or beams. */
static void draw_forks(World *world, SimRandom *stream)
{
    if (below(stream, 3) > 0)
        return;
    bool group = below(stream, 2);
    world->engine.scheduler = group ? "vllm-v0" : below(stream, 3) == 0 ? "tgi" : "vllm-v1";
    world->engine.order = below(stream, 3) == 0 ? "priority" : NULL;
    world->engine.max_sequences += below(stream, 2 * MOST_SAMPLES);
    if (group) {
        world->engine.swap_bytes = 1e9;
        world->deployment.speculation = (StratSpeculation){0};
    }
    for (size_t i = 0; i < world->requests; i++) {
        StratRequest *request = &world->request[i];
        int64_t count = below(stream, MOST_SAMPLES + 1);
        int64_t kind = below(stream, 3);
        request->beam_turnover = kind == 0 ? -1.0 : sim_random_uniform(stream);
        if (group && below(stream, 3) == 0) {
            request->beams = count;
            continue;
        }
        request->samples = count;
        for (int64_t j = 0; j < count; j++)
            world->sample_output[i][j] = 1 + below(stream, request->output_tokens);
        if (count > 0)
            world->sample_output[i][below(stream, count)] = request->output_tokens;
        if (kind > 0 && count > 0)
            request->sample_output = world->sample_output[i];
    }
}

/* Tokens of all answers to @request. */
static int64_t answers_of(const StratRequest *request)
{
    int64_t rows = MAX(MAX(request->samples, request->beams), 1);
    int64_t sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += request->sample_output ? request->sample_output[i] : request->output_tokens;
    return sum;
}

static World *draw_world(int64_t seed)
{
    SimRandom stream = sim_random_stream((uint64_t)seed, "workload");
    World *world = g_new0(World, 1);
    draw_engine(world, &stream);
    draw_deployment(world, &stream);
    draw_requests(world, &stream);
    SimRandom elastic = sim_random_stream((uint64_t)seed, "elastic");
    draw_elastic(world, &elastic);
    SimRandom forks = sim_random_stream((uint64_t)seed, "forks");
    draw_forks(world, &forks);
    SimRandom fabric = sim_random_stream((uint64_t)seed, "fabric");
    draw_fabric(world, &fabric);
    return world;
}

/* Stops after half of the requests. */
static bool is_half_done(void *ctx, const StratServeResult *so_far)
{
    const World *world = ctx;
    return 2 * so_far->finished >= (int64_t)world->requests;
}

static StratServeResult *serve_watched(const World *world, bool exact, const StratServeWatch *watch)
{
    g_autoptr(StratSource) source = toy_source(world->request, world->requests, PAGE);
    StratServeSpec spec =
        toy_serve_spec(&world->deployment, &world->pricer, world->blocks, source, exact);
    spec.host_bytes_per_s = 2e10;
    spec.autoscale = world->autoscale;
    spec.admission = world->admission;
    spec.watch = watch;
    StratMoveFabric fabric = {
        .fabric = world->fabric, .router = world->router, .kv_heads = world->kv_heads};
    spec.fabric = world->fabric ? &fabric : NULL;
    spec.transfer_layers = world->layers;
    return strat_serve_run(&spec, NULL);
}

static StratServeResult *serve(const World *world, bool exact)
{
    return serve_watched(world, exact, NULL);
}

/* In the middle of a run the blocks of all sequences are those that are taken. */
static void check_half(World *world, int64_t seed)
{
    StratServeWatch watch = {.ctx = world, .stops = is_half_done};
    g_autoptr(StratServeResult) half = serve_watched(world, false, &watch);
    cr_assert_eq(half->lost_blocks, 0, "%ld: %ld blocks are lost half-way", seed,
                 half->lost_blocks);
}

/* Caches of request @i that move: one for a group, one for each answer that is a sequence. */
static int64_t moves_of(const World *world, size_t i)
{
    const StratRequest *request = &world->request[i];
    bool group = g_str_equal(world->engine.scheduler, "vllm-v0") || request->beams > 0;
    if (world->deployment.pools < 2)
        return 0;
    if (group || request->samples == 0)
        return request->output_tokens > 1;
    int64_t moves = 0;
    for (int64_t j = 0; j < request->samples; j++)
        moves += (request->sample_output ? request->sample_output[j] : request->output_tokens) > 1;
    return moves;
}

static void check_outcomes(const World *world, const StratServeResult *result, int64_t seed)
{
    int64_t finished = 0;
    int64_t moved = 0;
    int64_t out = 0;
    int64_t in = 0;
    cr_assert_eq(result->outcomes->len, world->requests);
    for (guint i = 0; i < result->outcomes->len; i++) {
        const StratOutcome *outcome = &g_array_index(result->outcomes, StratOutcome, i);
        cr_assert_eq(outcome->id, (int64_t)i);
        if (outcome->replica < 0)
            continue;
        finished++;
        moved += moves_of(world, i);
        out += answers_of(&world->request[i]);
        in += outcome->input_tokens;
        cr_assert(outcome->arrival_ns <= outcome->scheduled_ns, "%ld: %u", seed, i);
        cr_assert(outcome->scheduled_ns < outcome->first_token_ns, "%ld: %u", seed, i);
        cr_assert(outcome->first_token_ns <= outcome->last_token_ns, "%ld: %u", seed, i);
        cr_assert(outcome->cached_tokens < outcome->input_tokens, "%ld: %u", seed, i);
    }
    cr_assert_eq(strat_digest_count(result->move_s), moved, "%ld: moves", seed);
    cr_assert_eq(finished, result->finished, "%ld: finished", seed);
    cr_assert_eq(out, result->output_tokens, "%ld: tokens out", seed);
    cr_assert_eq(in, result->input_tokens, "%ld: tokens in", seed);
}

static void check_sums(const StratServeResult *result, int64_t seed)
{
    cr_assert_eq(result->finished + result->refused + result->gave_up + result->unfinished,
                 result->requests);
    cr_assert_eq(result->lost_blocks, 0, "%ld: %ld blocks are lost", seed, result->lost_blocks);
    double sum_s = result->idle_s + result->starting_s;
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        sum_s += result->busy_s[i];
    /* The end is cut to a nanosecond, on every GPU. */
    double want_s = result->up_s;
    double most_s = (double)result->gpus * sim_time_to_seconds(result->end_ns);
    cr_assert(result->peak_replicas > 0 ||
                  fabs(want_s - most_s) <= 1e-9 * ((double)result->gpus + most_s),
              "%ld: up for %g", seed, want_s);
    cr_assert(fabs(sum_s - want_s) <= 1e-9 * ((double)result->gpus + want_s), "%ld: %g of %g", seed,
              sum_s, want_s);
    cr_assert(result->wasted_kv_fraction > -1e-9 && result->wasted_kv_fraction < 1.0,
              "%ld: waste %g", seed, result->wasted_kv_fraction);
}

static bool is_same(const StratServeResult *a, const StratServeResult *b, guint i)
{
    return memcmp(&g_array_index(a->outcomes, StratOutcome, i),
                  &g_array_index(b->outcomes, StratOutcome, i), sizeof(StratOutcome)) == 0;
}

static void check_equal(const StratServeResult *fast, const StratServeResult *exact, int64_t seed)
{
    cr_assert_eq(fast->end_ns, exact->end_ns, "%ld: end", seed);
    cr_assert_eq(fast->gave_up, exact->gave_up, "%ld: gave up", seed);
    cr_assert_eq(fast->refused, exact->refused, "%ld: refused", seed);
    cr_assert_eq(fast->scale_ups, exact->scale_ups, "%ld: starts", seed);
    cr_assert_eq(fast->scale_downs, exact->scale_downs, "%ld: stops", seed);
    cr_assert(fabs(fast->up_s - exact->up_s) < 1e-9, "%ld: up-time", seed);
    cr_assert_eq(fast->preemptions, exact->preemptions, "%ld: preemptions", seed);
    cr_assert_eq(fast->output_tokens, exact->output_tokens, "%ld: output", seed);
    cr_assert_eq(fast->peak_kv_fraction, exact->peak_kv_fraction, "%ld: peak", seed);
    cr_assert_eq(fast->iterations, exact->iterations, "%ld: iterations", seed);
    cr_assert_eq(fast->computed_tokens, exact->computed_tokens, "%ld: computed", seed);
    for (guint i = 0; i < fast->outcomes->len; i++)
        cr_assert(is_same(fast, exact, i), "%ld: request %u", seed, i);
    cr_assert_eq(strat_digest_count(fast->itl_s), strat_digest_count(exact->itl_s));
    cr_assert(fabs(strat_digest_mean(fast->itl_s) - strat_digest_mean(exact->itl_s)) < 1e-9,
              "%ld: gaps", seed);
    cr_assert(fabs(strat_digest_mean(fast->move_s) - strat_digest_mean(exact->move_s)) < 1e-12,
              "%ld: moves", seed);
}

/* Seconds that caches were held back by others. */
static double lost_s(const StratServeResult *result)
{
    double lost = 0.0;
    for (guint i = 0; result->hot_links && i < result->hot_links->len; i++)
        lost += g_array_index(result->hot_links, TopoHotLink, i).lost_s;
    return lost;
}

Test(serve_conservation,
     requests_tokens_blocks_and_seconds_are_kept_and_closed_forms_change_nothing)
{
    int64_t preempted = 0;
    int64_t cached = 0;
    int64_t loaded = 0;
    int64_t refused = 0;
    int64_t unfinished = 0;
    int64_t gave_up = 0;
    int64_t ups = 0;
    int64_t downs = 0;
    int64_t swapped = 0;
    int64_t shared = 0;
    int64_t crowded = 0;
    for (int64_t seed = 0; seed < WORKLOADS; seed++) {
        g_autoptr(World) world = draw_world(seed);
        g_autoptr(StratServeResult) fast = serve(world, false);
        g_autoptr(StratServeResult) exact = serve(world, true);
        check_outcomes(world, fast, seed);
        check_sums(fast, seed);
        check_equal(fast, exact, seed);
        check_half(world, seed);
        preempted += fast->preemptions > 0;
        cached += fast->cached_tokens > 0;
        loaded += fast->loaded_tokens > 0;
        gave_up += fast->gave_up > 0;
        ups += fast->scale_ups > 0;
        downs += fast->scale_downs > 0;
        refused += fast->refused > 0;
        crowded += lost_s(fast) > 0.0;
        unfinished += fast->unfinished;
        bool group = g_str_equal(world->engine.scheduler, "vllm-v0");
        swapped += group && fast->shared_kv_fraction > 0.0 && fast->preemptions > 0;
        shared += fast->shared_kv_fraction > 0.0;
    }
    cr_expect_eq(unfinished, 0, "%ld unfinished", unfinished);
    cr_expect_gt(preempted, WORKLOADS / 10, "preemption in only %ld workloads", preempted);
    cr_expect_gt(cached, WORKLOADS / 10, "shared prefixes in only %ld workloads", cached);
    cr_expect_gt(loaded, WORKLOADS / 50, "loads from tiers in only %ld workloads", loaded);
    cr_expect_gt(swapped, WORKLOADS / 50, "preemption beside groups in only %ld", swapped);
    cr_expect_gt(shared, WORKLOADS / 5, "sharing in only %ld workloads", shared);
    cr_expect_gt(refused, 0);
    cr_expect_gt(gave_up, WORKLOADS / 50, "clients gave up in only %ld workloads", gave_up);
    cr_expect_gt(ups, WORKLOADS / 50, "replicas came in only %ld workloads", ups);
    cr_expect_gt(crowded, WORKLOADS / 20, "caches shared links in only %ld workloads", crowded);
    cr_expect_gt(downs, WORKLOADS / 50, "replicas went in only %ld workloads", downs);
}

Test(serve_conservation, a_price_off_by_a_millionth_of_a_second_is_seen)
{
    g_autoptr(World) world = draw_world(1);
    g_autoptr(StratServeResult) before = serve(world, false);
    world->pricer.step_s += 1e-6;
    g_autoptr(StratServeResult) after = serve(world, true);
    guint differ = 0;
    for (guint i = 0; i < before->outcomes->len; i++)
        differ += !is_same(before, after, i);
    cr_expect_gt(differ, 0);
}
