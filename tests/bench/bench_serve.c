/*
 * Requests a second of the serving simulation.
 *
 *   steady    a million requests of 200 tokens in and 200 out (exponential around that) to one 70B
 *             replica of 8 GPUs, 256 sequences at a time, at 95 % of what it can do
 *   pages     12,031 requests as in the Mooncake conversation trace (Qin 2024: 12,035 tokens in and
 *             343 out on average, pages of 512), sent to 8 replicas by prefix; conversations go on,
 *             so leading pages repeat
 *   trace     that trace itself (1 hour), where it is at hand
 *   moves     a hundred thousand prompts of 2,000 tokens and 8 outputs, of 16 prefill replicas for
 * 16 decode replicas of 8 GPUs, whose caches (327,680 bytes a token) meet on a leaf-spine fabric of
 * 400 Gb/s NICs, leaves 8:1: 8 flows each
 *
 * Prices are a straight line with the times of a 70B model on 8 H100, so this measures scheduling
 * and bookkeeping; a real pricer adds its own time for each iteration with prompts. Prints one line
 * each and fails nothing. With --quick, a hundredth of the requests.
 */
#include <stdio.h>
#include <string.h>

#include <json-glib/json-glib.h>
#include <sys/resource.h>

#include "sim_random.h"
#include "toy_serve.h"

enum {
    STEADY = 1000000,
    MOVES = 100000,
    MOVING_NODES = 32,
    PAGES = 12031,
    PAGE = 512,
    SESSIONS = 2500,
    MOST_PAGES = 256,
};

typedef struct Draw {
    SimRandom stream;
    double at_s, gap_s;
    uint64_t page[MOST_PAGES];
    int64_t length[SESSIONS]; /* pages that a session has so far */
} Draw;

static SimTime next_arrival(Draw *draw)
{
    draw->at_s += sim_random_exponential(&draw->stream, draw->gap_s);
    return (SimTime)(draw->at_s * 1e9);
}

static StratRequest steady(int64_t id, void *ctx)
{
    Draw *draw = ctx;
    return (StratRequest){
        .id = id,
        .arrival_ns = next_arrival(draw),
        .input_tokens = 1 + (int64_t)sim_random_exponential(&draw->stream, 199.0),
        .output_tokens = 1 + (int64_t)sim_random_exponential(&draw->stream, 199.0),
        .session = -1,
        .adapter = -1,
    };
}

static StratRequest moving(int64_t id, void *ctx)
{
    Draw *draw = ctx;
    return (StratRequest){
        .id = id,
        .arrival_ns = next_arrival(draw),
        .input_tokens = 1 + (int64_t)sim_random_exponential(&draw->stream, 1999.0),
        .output_tokens = 8,
        .session = -1,
        .adapter = -1,
    };
}

static StratRequest paged(int64_t id, void *ctx)
{
    Draw *draw = ctx;
    int64_t session = (int64_t)sim_random_below(&draw->stream, SESSIONS);
    int64_t pages =
        draw->length[session] + 1 + (int64_t)sim_random_exponential(&draw->stream, 14.0);
    pages = MIN(pages, MOST_PAGES);
    draw->length[session] = pages;
    for (int64_t i = 0; i < pages; i++)
        draw->page[i] = ((uint64_t)session + 1) * MOST_PAGES + (uint64_t)i;
    return (StratRequest){
        .id = id,
        .arrival_ns = next_arrival(draw),
        .input_tokens = pages * PAGE + 1 + (int64_t)sim_random_below(&draw->stream, PAGE - 1),
        .output_tokens = 1 + (int64_t)sim_random_exponential(&draw->stream, 342.0),
        .page = draw->page,
        .pages = (size_t)pages,
        .session = session,
        .adapter = -1,
    };
}

/* Seconds of this process on a processor: other programs do not count. */
static double processor_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void measure(const char *name, StratDeployment *deployment, const StratServeSpec *spec)
{
    double began_s = processor_s();
    g_autoptr(GError) error = NULL;
    g_autoptr(StratServeResult) result = strat_serve_run(spec, &error);
    double took_s = processor_s() - began_s;
    if (!result) {
        printf("serve %s: %s\n", name, error->message);
        return;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("serve %-6s %7" G_GINT64_FORMAT " requests in %6.3f s: %6.0f k requests/s, %6.2f M "
           "iterations/s, %5.1f mean sequences, %4.1f %% cached, peak %3ld MiB\n",
           name, result->finished, took_s, (double)result->finished / took_s * 1e-3,
           (double)result->iterations / took_s * 1e-6,
           strat_digest_mean(result->e2e_s) * (double)result->finished /
               sim_time_to_seconds(result->end_ns) / (double)deployment->pool[0].replicas,
           100.0 * (double)result->cached_tokens / (double)result->input_tokens,
           usage.ru_maxrss / 1024);
    int64_t moves = strat_digest_count(result->move_s);
    if (moves > 0)
        printf("             %7" G_GINT64_FORMAT
               " moves: %6.1f k/s, %.3g ms each, %.3g in flight\n",
               moves, (double)moves / took_s * 1e-3, strat_digest_mean(result->move_s) * 1e3,
               strat_digest_mean(result->move_s) * (double)moves /
                   sim_time_to_seconds(result->end_ns));
}

/* The requests of the Mooncake trace; their pages are freed with @requests. */
static GArray *read_trace(void)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(SHARED_DIR "/traces/mooncake_conversation.jsonl", &text, NULL, NULL))
        return NULL;
    GArray *requests = g_array_new(false, true, sizeof(StratRequest));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(JsonParser) parser = json_parser_new();
    for (char **line = lines; *line && **line; line++) {
        if (!json_parser_load_from_data(parser, *line, -1, NULL))
            continue;
        JsonObject *object = json_node_get_object(json_parser_get_root(parser));
        JsonArray *ids = json_object_get_array_member(object, "hash_ids");
        int64_t input = json_object_get_int_member(object, "input_length");
        size_t pages = MIN((size_t)(input / PAGE), json_array_get_length(ids));
        uint64_t *page = g_new(uint64_t, pages + 1);
        for (guint i = 0; i < pages; i++)
            page[i] = (uint64_t)json_array_get_int_element(ids, i);
        StratRequest request = {
            .id = requests->len,
            .arrival_ns = json_object_get_int_member(object, "timestamp") * 1000000,
            .input_tokens = input,
            .output_tokens = MAX(json_object_get_int_member(object, "output_length"), 1),
            .page = page,
            .pages = pages,
            .session = -1,
            .adapter = -1,
        };
        g_array_append_val(requests, request);
    }
    return requests;
}

static void measure_trace(StratDeployment *deployment, StratServeSpec *spec)
{
    g_autoptr(GArray) requests = read_trace();
    if (!requests)
        return;
    g_autoptr(StratSource) source =
        toy_source((const StratRequest *)(const void *)requests->data, requests->len, PAGE);
    spec->source = source;
    measure("trace", deployment, spec);
    for (guint i = 0; i < requests->len; i++)
        g_free((void *)g_array_index(requests, StratRequest, i).page);
}

/* Beside it the same with a link for each replica: the difference is the flows' time. */
static void measure_moves(StratDeployment deployment, StratServeSpec spec, Draw *draw, int64_t part)
{
    TopoCluster cluster = {
        .node = {.gpus = 8,
                 .scale_up_gpus = 8,
                 .scale_up = "nvswitch",
                 .scale_up_bytes_per_s = 450e9,
                 .scale_up_latency_s = 1e-6,
                 .nics = 8,
                 .nic_bytes_per_s = 50e9,
                 .nic_latency_s = 2e-6,
                 .host_bytes_per_s = 63e9},
        .node_count = MOVING_NODES,
        .gpu_count = INT64_C(8) * MOVING_NODES,
    };
    TopoFabricSpec of = topo_fabric_spec_default("leaf-spine", &cluster);
    of.nics_per_leaf = 32;
    of.leaf_oversubscription = 8.0;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&of, NULL);
    g_autoptr(TopoRouter) router = topo_router_new(fabric, topo_route_by_name("ecmp", NULL), 1);
    StratMoveFabric by = {.fabric = fabric, .router = router, .kv_heads = 8};
    spec.deployment = &deployment;
    deployment.pools = 2;
    deployment.pool[0].replicas = MOVING_NODES / 2;
    deployment.pool[1] = deployment.pool[0];
    deployment.pool[0].role = STRAT_ROLE_PREFILL;
    deployment.pool[1].role = STRAT_ROLE_DECODE;
    deployment.router = "least-loaded";
    spec.pricer[1] = spec.pricer[0];
    spec.blocks[1] = spec.blocks[0];
    spec.kv_bytes_per_token = 327680.0;
    spec.transfer_bytes_per_s = 400e9;
    for (int i = 0; i < 2; i++) {
        *draw = (Draw){.stream = sim_random_stream(3, "bench"), .gap_s = 1.0 / 200.0};
        g_autoptr(StratSource) source = toy_stream(MOVES / part, moving, draw, 0);
        spec.source = source;
        spec.fabric = i == 0 ? NULL : &by;
        measure(i == 0 ? "links" : "moves", &deployment, &spec);
    }
}

int main(int argc, char **argv)
{
    int64_t part = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 100 : 1;
    StratEngine engine = toy_engine();
    engine.max_sequences = 256;
    engine.max_tokens = 2048;
    engine.prefix_cache = true;
    StratDeployment deployment = toy_deployment(&engine);
    deployment.pool[0].tensor = 8;
    ToyPricer pricer = toy_pricer(6e-3, 30e-6, 20e-9);
    pricer.pair_s = 0.5e-9;
    StratServeSpec spec = {
        .deployment = &deployment,
        .pricer = {&pricer.base},
        .blocks = {100000},
    };
    g_autofree Draw *draw = g_new0(Draw, 1);
    *draw = (Draw){.stream = sim_random_stream(1, "bench"), .gap_s = 1.0 / 50.0};
    g_autoptr(StratSource) even = toy_stream(STEADY / part, steady, draw, 0);
    spec.source = even;
    measure("steady", &deployment, &spec);
    *draw = (Draw){.stream = sim_random_stream(2, "bench"), .gap_s = 3540.0 / PAGES};
    g_autoptr(StratSource) turns = toy_stream(PAGES / part, paged, draw, PAGE);
    spec.source = turns;
    deployment.pool[0].replicas = 8;
    deployment.router = "prefix-affinity";
    measure("pages", &deployment, &spec);
    measure_trace(&deployment, &spec);
    engine.prefix_cache = false;
    measure_moves(deployment, spec, draw, part);
    return 0;
}
