/* Two measured vLLM 0.19 runs (LLMServingSim's benchmarks: ../shared/serving_truth) against a
 * simulation with the engine's own kernel profile. A request arrives when the engine queued it: the
 * measured times are of one clock from there on. Prints what is predicted of mean and P99, and
 * holds it to bounds. Skips where the runs are absent. */
#include "scen_engine_profile.h"
#include "scen_named.h"
#include "strat_price.h"
#include "strat_serve.h"
#include "strat_serve_memory.h"
#include "toy_serve.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Run {
    const char *folder, *model, *node;
    int64_t tensor, max_sequences, max_length, blocks; /* blocks 0: derived */
} Run;

static const Run runs[] = {
    {"rtx4090_llama-3.1-8b", "llama-3.1-8b", "rtx-4090-server",     1, 256, 32768, 2588},
    {"rtxpro6000_qwen3-32b", "qwen3-32b",    "rtx-pro-6000-server", 2, 128, 40960, 0   },
};

enum { PAGE = 16, TTFT, TPOT, E2E, METRICS };

/* One request as it was measured. */
typedef struct Measured {
    double queued_s, first_s, last_s;
    int64_t input, output;
} Measured;

static int compare_queued(gconstpointer a, gconstpointer b)
{
    double left = ((const Measured *)a)->queued_s, right = ((const Measured *)b)->queued_s;
    return left < right ? -1 : left > right;
}

static GArray *read_requests(const char *folder)
{
    g_autofree char *path =
        g_build_filename(SHARED_DIR, "serving_truth", folder, "requests.jsonl", NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    GArray *requests = g_array_new(FALSE, TRUE, sizeof(Measured));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autoptr(JsonParser) parser = json_parser_new();
        if (!**line)
            continue;
        cr_assert(json_parser_load_from_data(parser, *line, -1, NULL));
        JsonObject *row = json_node_get_object(json_parser_get_root(parser));
        Measured request = {.queued_s = json_object_get_double_member(row, "queued_ts"),
                            .first_s = json_object_get_double_member(row, "first_token_ts"),
                            .last_s = json_object_get_double_member(row, "last_token_ts"),
                            .input = json_object_get_int_member(row, "input_toks"),
                            .output = json_object_get_int_member(row, "output_toks")};
        g_array_append_val(requests, request);
    }
    g_array_sort(requests, compare_queued);
    return requests;
}

/* What is simulated; pages of a request are its own, so that only it finds them again. */
typedef struct Replay {
    GArray *requests; /* of StratRequest */
    GPtrArray *pages;
} Replay;

static Replay replay_of(const GArray *measured)
{
    Replay replay = {.requests = g_array_new(FALSE, TRUE, sizeof(StratRequest)),
                     .pages = g_ptr_array_new_with_free_func(g_free)};
    double start = g_array_index(measured, Measured, 0).queued_s;
    for (guint i = 0; i < measured->len; i++) {
        const Measured *m = &g_array_index(measured, Measured, i);
        size_t pages = (size_t)((m->input + m->output) / PAGE);
        uint64_t *page = g_new(uint64_t, pages + 1);
        for (size_t p = 0; p < pages; p++)
            page[p] = ((uint64_t)i + 1) << 32 | p;
        g_ptr_array_add(replay.pages, page);
        StratRequest request = {.id = i,
                                .arrival_ns = (SimTime)llround((m->queued_s - start) * 1e9),
                                .input_tokens = m->input,
                                .output_tokens = m->output,
                                .page = page,
                                .pages = pages,
                                .session = -1,
                                .adapter = -1};
        g_array_append_val(replay.requests, request);
    }
    return replay;
}

static void replay_clear(Replay *replay)
{
    g_array_free(replay->requests, TRUE);
    g_ptr_array_free(replay->pages, TRUE);
}

/* The wire between the GPUs as the run's own configuration has it: link_bw in GB/s, link_latency in
 * ns, for every collective of the tensor group. */
static void read_link(const char *folder, TopoNode *node)
{
    g_autofree char *path =
        g_build_filename(SHARED_DIR, "serving_truth", folder, "engine_config.json", NULL);
    g_autoptr(JsonParser) parser = json_parser_new();
    cr_assert(json_parser_load_from_file(parser, path, NULL));
    JsonObject *config = json_node_get_object(json_parser_get_root(parser));
    node->scale_up_bytes_per_s = 1e9 * json_object_get_double_member(config, "link_bw");
    double latency_s = 1e-9 * json_object_get_double_member(config, "link_latency");
    node->scale_up_protocols = toy_wires(1.0, latency_s, 0.0);
}

static StratServeResult *simulate(const Run *run, const GArray *measured)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    g_autoptr(GError) error = NULL;
    g_autofree char *path =
        g_build_filename(SHARED_DIR, "serving_truth", run->folder, "profile", NULL);
    g_autoptr(StratProfile) profile = scen_engine_profile_read(path, run->tensor, &error);
    cr_assert_not_null(profile, "%s", error ? error->message : "");
    TopoCluster cluster = {.node_count = 1, .gpu_count = run->tensor};
    KernProfile kernels = {0};
    ModelSpec model = {0};
    cr_assert(scen_named_bind(SCEN_CATALOG_NODE, run->node, NULL, strings, &cluster.node, NULL) &&
              scen_named_bind(SCEN_CATALOG_MODEL, run->model, NULL, strings, &model, NULL) &&
              scen_named_bind(SCEN_CATALOG_PROFILE, "datasheet", NULL, strings, &kernels, NULL));
    if (run->tensor > 1)
        read_link(run->folder, &cluster.node);
    StratEngine engine = {.name = "vllm-0.19",
                          .scheduler = "vllm-v1",
                          .max_sequences = run->max_sequences,
                          .max_tokens = 2048,
                          .max_length = run->max_length,
                          .block_tokens = PAGE,
                          .memory_fraction = 0.9,
                          .activation_bytes = 0.908e9,
                          .chunked_prefill = true,
                          .reserve_prompt = true,
                          .prefix_cache = true,
                          .graphs = true,
                          .graphs_mixed = true,
                          .graph_sequences = 512,
                          .fused_kernels = true};
    StratDeployment deployment = {
        .engine = &engine,
        .pool = {{.replicas = 1, .tensor = run->tensor, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1};
    StratServeMemory memory = strat_serve_memory(&model, &cluster.node.gpu, &deployment, 0, 0);
    StratPriceSpec price = {
        .model = &model,
        .cluster = &cluster,
        .device = {.gpu = &cluster.node.gpu, .profile = &kernels, .clock_fraction = 1.0},
        .deployment = &deployment,
        .profile = profile
    };
    StratPricer *pricer = strat_price_new(&price, &error);
    cr_assert_not_null(pricer, "%s", error ? error->message : "");
    Replay replay = replay_of(measured);
    StratSource *source = toy_source((const StratRequest *)(const void *)replay.requests->data,
                                     replay.requests->len, PAGE);
    StratServeSpec spec = {.deployment = &deployment,
                           .pricer = {pricer},
                           .blocks = {run->blocks > 0 ? run->blocks : memory.blocks},
                           .source = source,
                           .keep_requests = true};
    printf("%s: %" G_GINT64_FORMAT " blocks of %" G_GINT64_FORMAT " derived\n", run->folder,
           spec.blocks[0], memory.blocks);
    StratServeResult *result = strat_serve_run(&spec, &error);
    cr_assert_not_null(result, "%s", error ? error->message : "");
    strat_source_free(source);
    strat_pricer_free(pricer);
    replay_clear(&replay);
    return result;
}

static int compare_values(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* Mean, and the quantile @fraction as numpy has it. */
static double mean_of(const GArray *values)
{
    double sum = 0.0;
    for (guint i = 0; i < values->len; i++)
        sum += g_array_index(values, double, i);
    return sum / values->len;
}

static double quantile_of(GArray *values, double fraction)
{
    qsort(values->data, values->len, sizeof(double), compare_values);
    double at = fraction * (values->len - 1.0);
    guint low = (guint)at;
    double first = g_array_index(values, double, low);
    return low + 1 < values->len
               ? first + (at - low) * (g_array_index(values, double, low + 1) - first)
               : first;
}

static void add_times(GArray *metric[METRICS], double arrival, double first, double last,
                      int64_t output)
{
    double ttft = first - arrival, e2e = last - arrival;
    double tpot = (last - first) / ((double)output - 1.0);
    g_array_append_val(metric[TTFT], ttft);
    g_array_append_val(metric[E2E], e2e);
    if (output > 1)
        g_array_append_val(metric[TPOT], tpot);
}

static void judge(const Run *run)
{
    static const struct {
        int metric;
        const char *name;
        double fraction, most; /* fraction 0: the mean */
    } bounds[] = {
        {TTFT, "TTFT mean", 0.0,  0.04 },
        {TPOT, "TPOT mean", 0.0,  0.015},
        {E2E,  "e2e mean",  0.0,  0.015},
        {TTFT, "TTFT P99",  0.99, 0.05 },
        {TPOT, "TPOT P99",  0.99, 0.05 },
        {E2E,  "e2e P99",   0.99, 0.05 },
    };
    g_autoptr(GArray) measured = read_requests(run->folder);
    if (!measured)
        cr_skip_test("no measured runs here");
    g_autoptr(StratServeResult) result = simulate(run, measured);
    GArray *want[METRICS], *got[METRICS];
    for (int i = TTFT; i < METRICS; i++) {
        want[i] = g_array_new(FALSE, FALSE, sizeof(double));
        got[i] = g_array_new(FALSE, FALSE, sizeof(double));
    }
    for (guint i = 0; i < measured->len; i++) {
        const Measured *m = &g_array_index(measured, Measured, i);
        const StratOutcome *o = &g_array_index(result->outcomes, StratOutcome, i);
        add_times(want, m->queued_s, m->first_s, m->last_s, m->output);
        add_times(got, 1e-9 * (double)o->arrival_ns, 1e-9 * (double)o->first_token_ns,
                  1e-9 * (double)o->last_token_ns, m->output);
    }
    printf("%" G_GINT64_FORMAT " finished, %" G_GINT64_FORMAT " preemptions, %" G_GINT64_FORMAT
           " iterations, %" G_GINT64_FORMAT " cached tokens, end %.2f s\n",
           result->finished, result->preemptions, result->iterations, result->cached_tokens,
           1e-9 * (double)result->end_ns);
    printf("computed %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT "; idle %.2f s",
           result->computed_tokens, result->input_tokens + result->output_tokens,
           result->idle_s / (double)result->gpus);
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        printf(" %s %.2f", strat_serve_part_name(i), result->busy_s[i] / (double)result->gpus);
    printf("\n");
    for (size_t i = 0; i < G_N_ELEMENTS(bounds); i++) {
        double fraction = bounds[i].fraction;
        int metric = bounds[i].metric;
        double truth = fraction > 0.0 ? quantile_of(want[metric], fraction) : mean_of(want[metric]);
        double guess = fraction > 0.0 ? quantile_of(got[metric], fraction) : mean_of(got[metric]);
        double error = guess / truth - 1.0;
        printf("  %-10s %9.4f s measured %9.4f s predicted %+6.2f %%\n", bounds[i].name, truth,
               guess, 100.0 * error);
        cr_expect(fabs(error) <= bounds[i].most, "%s: %s is off by %.2f %%", run->folder,
                  bounds[i].name, 100.0 * error);
    }
    for (int i = TTFT; i < METRICS; i++) {
        g_array_free(want[i], TRUE);
        g_array_free(got[i], TRUE);
    }
}

Test(serve_truth, llama_on_an_rtx_4090)
{
    judge(&runs[0]);
}

Test(serve_truth, qwen_on_two_rtx_pro_6000)
{
    judge(&runs[1]);
}
