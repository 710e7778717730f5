/* Times are tenths of seconds: a request takes as long, caches are a few times full, and what fails
 * is away for as long again. */
#include "drawn_serve.h"

#include "sim_random.h"
#include "strat_order.h"
#include "strat_router.h"
#include "strat_scheduler.h"

static int64_t below(SimRandom *stream, int64_t bound)
{
    return (int64_t)sim_random_below(stream, (uint64_t)bound);
}

/* Requests whose prompts begin with pages of a few common texts. */
static void draw_requests(DrawnServe *world, SimRandom *stream)
{
    double at_s = 0.0;
    double gap_s = 0.02 * sim_random_uniform(stream);
    world->requests = (size_t)(1 + below(stream, DRAWN_REQUESTS));
    for (size_t i = 0; i < world->requests; i++) {
        at_s += below(stream, 3) == 0 ? 0.0 : sim_random_exponential(stream, gap_s);
        int64_t input = 1 + below(stream, 200);
        int64_t output = 1 + below(stream, 120);
        int64_t pages = MIN((input + output) / DRAWN_PAGE, DRAWN_PAGES);
        int64_t text = below(stream, 4);
        int64_t common = below(stream, DRAWN_PAGES);
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

static void draw_engine(DrawnServe *world, SimRandom *stream)
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

static void draw_deployment(DrawnServe *world, SimRandom *stream)
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
static void draw_elastic(DrawnServe *world, SimRandom *stream)
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
static void draw_fabric(DrawnServe *world, SimRandom *stream)
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
    g_assert_no_error(error);
    world->router = topo_router_new(world->fabric, &policies[below(stream, (int64_t)rows)], 1);
    world->kv_heads = INT64_C(1) << below(stream, 4);
    world->layers = below(stream, 2) ? 16.0 : 0.0;
}

void drawn_serve_free(DrawnServe *world)
{
    topo_router_free(world->router);
    topo_fabric_free(world->fabric);
    g_free(world);
}
/* In a third of the worlds some requests ask for several samples, or beams. */
static void draw_forks(DrawnServe *world, SimRandom *stream)
{
    if (below(stream, 3) > 0)
        return;
    bool group = below(stream, 2);
    world->engine.scheduler = group ? "vllm-v0" : below(stream, 3) == 0 ? "tgi" : "vllm-v1";
    world->engine.order = below(stream, 3) == 0 ? "priority" : NULL;
    world->engine.max_sequences += below(stream, 2 * DRAWN_SAMPLES);
    if (group) {
        world->engine.swap_bytes = 1e9;
        world->deployment.speculation = (StratSpeculation){0};
    }
    for (size_t i = 0; i < world->requests; i++) {
        StratRequest *request = &world->request[i];
        int64_t count = below(stream, DRAWN_SAMPLES + 1);
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

DrawnServe *drawn_serve_new(int64_t seed)
{
    SimRandom stream = sim_random_stream((uint64_t)seed, "workload");
    DrawnServe *world = g_new0(DrawnServe, 1);
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

static StratSpread up_to(SimRandom *stream, double most_s)
{
    return (StratSpread){.kind = below(stream, 2) ? STRAT_SPREAD_FIXED : STRAT_SPREAD_EXPONENTIAL,
                         .mean_s = below(stream, 4) ? most_s * sim_random_uniform(stream) : 0.0};
}

static void draw_pool_failures(DrawnServe *world, size_t pool, SimRandom *stream)
{
    const StratPool *from = &world->deployment.pool[pool];
    StratPoolFailures *how = &world->failures.pool[pool];
    *how = (StratPoolFailures){
        .restart = up_to(stream, 1.0),
        .spares = below(stream, 3) == 0,
        .is_across = below(stream, 2),
        .ranks = from->data,
        .rank_gpus = from->tensor,
        .most_lost = from->data - 1,
    };
}

/* Everything happens to some replica every few tenths of a second. */
static void draw_failures(DrawnServe *world, SimRandom *stream)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
    size_t rows;
    const StratServeRecovery *all = strat_serve_recovery_all(&rows);
    StratPool *pool = world->deployment.pool;
    int64_t gpus = 0;
    for (size_t p = 0; p < world->deployment.pools; p++) {
        pool[p].data = world->fabric ? pool[p].data : 1 + 3 * below(stream, 2);
        gpus += pool[p].replicas * strat_pool_gpus(&pool[p]);
    }
    for (size_t i = 0; i < STRAT_FAULT_EFFECTS; i++)
        world->fault[i] = (StratFaultClass){
            .name = names[i],
            .unit = (StratFaultUnit)below(stream, STRAT_FAULT_UNITS),
            .effect = (StratFaultEffect)i,
            .per_unit_s = below(stream, 3) ? 2.0 * sim_random_uniform(stream) / (double)gpus : 0.0,
            .shape = 1.0,
            .swap_fraction = 0.5,
            .domain_nodes = 2,
            .nic_lost_fraction = 0.5 * (double)below(stream, 3),
            .lasts = up_to(stream, 0.3),
            .clock_fraction = 0.3 + 0.7 * sim_random_uniform(stream),
        };
    world->failures = (StratFailures){
        .policy = &all[below(stream, (int64_t)rows)],
        .faults = {.classes = world->fault,
                   .count = STRAT_FAULT_EFFECTS,
                   .site = {gpus, 1 + below(stream, 4), 2, 2},
                   .seed = (uint64_t)below(stream, 1 << 20),
                   .scale = 1.0},
        .stop_detection = up_to(stream, 0.2),
        .hang_detection = up_to(stream, 0.5),
        .repair = up_to(stream, 1.0),
        .switch_s = 0.05 * (double)below(stream, 3),
        .restore_bytes_per_s = 1e8 * (double)below(stream, 100),
        .restore_latency_s = 1e-3,
        .nic_fraction = 0.25 * (double)below(stream, 4),
        .flap_s = 0.2,
    };
    for (size_t p = 0; p < world->deployment.pools; p++)
        draw_pool_failures(world, p, stream);
}

void drawn_serve_let_fail(DrawnServe *world, int64_t seed)
{
    SimRandom stream = sim_random_stream((uint64_t)seed, "failures");
    world->autoscale.least = 0;
    draw_failures(world, &stream);
}

StratServeResult *drawn_serve_run(const DrawnServe *world, bool exact, const StratServeWatch *watch)
{
    g_autoptr(StratSource) source = toy_source(world->request, world->requests, DRAWN_PAGE);
    StratServeSpec spec =
        toy_serve_spec(&world->deployment, &world->pricer, world->blocks, source, exact);
    spec.host_bytes_per_s = 2e10;
    spec.autoscale = world->autoscale;
    spec.admission = world->admission;
    spec.failures = world->failures;
    spec.sample_s = world->failures.policy ? 0.05 : 0.0; /* a look changes nothing */
    spec.watch = watch;
    StratMoveFabric fabric = {
        .fabric = world->fabric, .router = world->router, .kv_heads = world->kv_heads};
    spec.fabric = world->fabric ? &fabric : NULL;
    spec.transfer_layers = world->layers;
    return strat_serve_run(&spec, NULL);
}
