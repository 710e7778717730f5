/* Replications of a queue, and what they say together. With T all time and N nodes:
 *
 *   utilisation  node-time in runs / (N T)
 *   goodput      node-time of work that was kept / (N T): bucket productive
 *   ETTR         work kept / time since arrival, of jobs that left, weighted by nodes; time in the
 *                queue counts (Kokolis et al., HPCA 2025, arXiv 2410.21680, section 2)
 *   slowdown     bounded: (wait + run) / max(work, 10 s), at least 1 (Feitelson & Rudolph, JSSPP
 *                1998)
 *   secondary share  work lost by preemptions for jobs that came back after a failure, over that
 * and what failures themselves lost (what Kokolis et al. call lost goodput)
 *
 * Quantiles are order statistics of one replication; their estimates are over replications. Faults
 * hold for all nodes and are those of strat_fault.h. */
#include "strat_queue.h"

#include "strat_queue_once.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double strat_queue_quantiles[STRAT_QUEUE_QUANTILES] = {0.5, 0.9, 0.99};

/* What a history leaves. */
typedef struct Sample {
    StratQueueTally tally;
    double wait_mean, waits[STRAT_QUEUE_QUANTILES];
    double slowdown_mean, slowdowns[STRAT_QUEUE_QUANTILES];
} Sample;

typedef struct Work {
    const StratQueue *queue;
    StratQueueSink *sink;
    void *ctx;
    Sample *samples;
} Work;

static const struct {
    const char *key, *name;
} buckets[] = {
    [STRAT_QUEUE_PRODUCTIVE] = {"productive",     "work that was kept"          },
    [STRAT_QUEUE_SLOWED] = {"slowed",         "slowed by neighbours"        },
    [STRAT_QUEUE_RESTART] = {"restart",        "restarts"                    },
    [STRAT_QUEUE_LOST_NODE] = {"lost_node",      "lost by failures of nodes"   },
    [STRAT_QUEUE_LOST_OWN] = {"lost_own",       "lost by jobs' own failures"  },
    [STRAT_QUEUE_LOST_TIMEOUT] = {"lost_timeout",   "lost at the lifetime"        },
    [STRAT_QUEUE_LOST_PREEMPTED] = {"lost_preempted", "lost by preemption"          },
    [STRAT_QUEUE_LOST_SECONDARY] = {"lost_secondary", "lost by secondary preemption"},
    [STRAT_QUEUE_REPAIR] = {"repair",         "nodes in repair"             },
    [STRAT_QUEUE_IDLE] = {"idle",           "idle nodes"                  },
};
_Static_assert(G_N_ELEMENTS(buckets) == STRAT_QUEUE_SPENT_COUNT, "a row for each bucket");

static const char *const ends[] = {
    [STRAT_QUEUE_COMPLETED] = "completed", [STRAT_QUEUE_FAILED] = "failed",
    [STRAT_QUEUE_PREEMPTED] = "preempted", [STRAT_QUEUE_REQUEUED] = "requeued",
    [STRAT_QUEUE_TIMEOUT] = "timeout",     [STRAT_QUEUE_NODE_FAIL] = "node_fail",
};
_Static_assert(G_N_ELEMENTS(ends) == STRAT_QUEUE_ENDS, "a name for each end");

const char *strat_queue_spent_key(StratQueueSpent spent)
{
    return buckets[spent].key;
}

const char *strat_queue_spent_name(StratQueueSpent spent)
{
    return buckets[spent].name;
}

const char *strat_queue_end_key(StratQueueEnd end)
{
    return end < STRAT_QUEUE_ENDS ? ends[end] : "none";
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The mean of @values, which it sorts, and their quantiles; NAN of none. */
static double describe(GArray *values, double *quantiles)
{
    double sum = 0.0, *value = (double *)(void *)values->data;
    for (guint i = 0; i < values->len; i++)
        sum += value[i];
    if (values->len > 0)
        qsort(value, values->len, sizeof *value, compare);
    for (int q = 0; q < STRAT_QUEUE_QUANTILES; q++)
        quantiles[q] =
            values->len > 0 ? value[(size_t)(strat_queue_quantiles[q] * (values->len - 1))] : NAN;
    return values->len > 0 ? sum / values->len : NAN;
}

/* History @i: its sample, then its tallies by class. */
static GBytes *run_one(int64_t i, void *ctx)
{
    const Work *work = ctx;
    size_t classes = work->queue->class_count;
    g_autoptr(GArray) waits = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) slowdowns = g_array_new(FALSE, FALSE, sizeof(double));
    g_autofree struct StratQueueClassTally *by_class =
        g_new0(struct StratQueueClassTally, classes + 1);
    Sample sample = {
        .tally = {.waits = waits, .slowdowns = slowdowns, .classes = by_class},
    };
    strat_queue_once(work->queue, (uint64_t)i, i == 0 ? work->sink : NULL, work->ctx,
                     &sample.tally);
    sample.wait_mean = describe(waits, sample.waits);
    sample.slowdown_mean = describe(slowdowns, sample.slowdowns);
    sample.tally.waits = sample.tally.slowdowns = NULL;
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *)&sample, sizeof sample);
    g_byte_array_append(bytes, (const guint8 *)by_class, (guint)(classes * sizeof *by_class));
    return g_byte_array_free_to_bytes(bytes);
}

static bool take_one(int64_t i, GBytes *bytes, void *ctx)
{
    const Work *work = ctx;
    Sample *sample = &work->samples[i];
    const char *data = g_bytes_get_data(bytes, NULL);
    memcpy(sample, data, sizeof *sample);
    sample->tally.classes =
        g_memdup2(data + sizeof *sample, g_bytes_get_size(bytes) - sizeof *sample);
    return true;
}

/* The estimate of what @value says of each sample; those that have none are left out. */
static StratEstimate estimate_of(const Sample *samples, int64_t count,
                                 double (*value)(const Sample *sample, int index), int index)
{
    g_autofree double *values = g_new(double, count);
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++) {
        double x = value(&samples[i], index);
        if (!isnan(x))
            values[n++] = x;
    }
    return strat_estimate(values, n);
}

static double total(const Sample *sample)
{
    StratNodeTime sum = 0;
    for (int b = 0; b < STRAT_QUEUE_SPENT_COUNT; b++)
        sum += sample->tally.spent[b];
    return (double)sum;
}

static double spent_of(const Sample *sample, int bucket)
{
    return (double)sample->tally.spent[bucket] / total(sample);
}

static double utilisation_of(const Sample *sample, int index)
{
    (void)index;
    return 1.0 - spent_of(sample, STRAT_QUEUE_IDLE) - spent_of(sample, STRAT_QUEUE_REPAIR);
}

static double secondary_of(const Sample *sample, int index)
{
    (void)index;
    double secondary = spent_of(sample, STRAT_QUEUE_LOST_SECONDARY);
    return secondary / (secondary + spent_of(sample, STRAT_QUEUE_LOST_NODE) +
                        spent_of(sample, STRAT_QUEUE_LOST_OWN));
}

static double wait_of(const Sample *sample, int index)
{
    return index < 0 ? sample->wait_mean : sample->waits[index];
}

static double slowdown_of(const Sample *sample, int index)
{
    return index < 0 ? sample->slowdown_mean : sample->slowdowns[index];
}

static double ettr_of(const Sample *sample, int index)
{
    (void)index;
    return sample->tally.kept / sample->tally.elapsed;
}

static double scattered_of(const Sample *sample, int index)
{
    (void)index;
    return (double)sample->tally.scattered / (double)sample->tally.spread_starts;
}

static double leaves_of(const Sample *sample, int index)
{
    (void)index;
    return (double)sample->tally.leaves / (double)sample->tally.fewest_leaves;
}

static void sum_class(const Sample *samples, int64_t n, size_t c, StratQueueClassResult *r)
{
    double started = 0.0, wait_s = 0.0, kept_s = 0.0, elapsed_s = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const struct StratQueueClassTally *t = &samples[i].tally.classes[c];
        r->jobs += (double)t->jobs / (double)n;
        r->completed += (double)t->completed / (double)n;
        r->runs += (double)t->runs / (double)n;
        r->preemptions += (double)t->preemptions / (double)n;
        r->requeues += (double)t->requeues / (double)n;
        r->caused += (double)t->caused / (double)n;
        r->caused_nodes += (double)t->caused_nodes / (double)n;
        started += (double)t->started;
        wait_s += t->wait_s;
        kept_s += t->kept_s;
        elapsed_s += t->elapsed_s;
    }
    r->wait_s = wait_s / started;
    r->ettr = kept_s / elapsed_s;
}

static void sum_counts(const Sample *samples, int64_t n, StratQueueResult *r)
{
    for (int64_t i = 0; i < n; i++) {
        const StratQueueTally *t = &samples[i].tally;
        r->arrived += (double)t->arrived / (double)n;
        r->waiting += (double)t->waiting / (double)n;
        r->running += (double)t->running / (double)n;
        r->secondary += (double)t->secondary / (double)n;
        r->preempted_nodes += (double)t->preempted_nodes / (double)n;
        for (int e = 0; e < STRAT_QUEUE_ENDS; e++)
            r->runs[e] += (double)t->ended[e] / (double)n;
    }
}

static void summarise(const Sample *samples, StratQueueResult *r)
{
    int64_t n = r->replications;
    sum_counts(samples, n, r);
    for (int b = 0; b < STRAT_QUEUE_SPENT_COUNT; b++)
        r->spent[b] = estimate_of(samples, n, spent_of, b);
    r->utilisation = estimate_of(samples, n, utilisation_of, 0);
    r->secondary_share = estimate_of(samples, n, secondary_of, 0);
    r->wait_mean_s = estimate_of(samples, n, wait_of, -1);
    r->slowdown_mean = estimate_of(samples, n, slowdown_of, -1);
    for (int q = 0; q < STRAT_QUEUE_QUANTILES; q++) {
        r->wait_s[q] = estimate_of(samples, n, wait_of, q);
        r->slowdown[q] = estimate_of(samples, n, slowdown_of, q);
    }
    r->ettr = estimate_of(samples, n, ettr_of, 0);
    r->scattered = estimate_of(samples, n, scattered_of, 0);
    r->leaves = estimate_of(samples, n, leaves_of, 0);
    for (size_t c = 0; c < r->class_count; c++)
        sum_class(samples, n, c, &r->classes[c]);
}

StratQueueResult *strat_queue_run(const StratQueue *queue, StratQueueSink *sink, void *ctx)
{
    int64_t n = queue->replications;
    g_autofree Sample *samples = g_new0(Sample, n);
    Work work = {queue, sink, ctx, samples};
    SimFarm threads = sim_farm_threads(0);
    SimFarmJob job = {
        .count = n, .work = run_one, .take = take_one, .ctx = &work, .everywhere = true};
    sim_farm_run(queue->farm ? queue->farm : &threads, &job, NULL);
    StratQueueResult *result = g_new0(StratQueueResult, 1);
    result->replications = n;
    result->duration_s = queue->duration_s;
    result->class_count = queue->class_count;
    result->classes = g_new0(StratQueueClassResult, queue->class_count);
    if (queue->beside)
        result->beside = g_memdup2(queue->beside,
                                   queue->class_count * queue->class_count * sizeof *queue->beside);
    summarise(samples, result);
    for (int64_t i = 0; i < n; i++)
        g_free(samples[i].tally.classes);
    return result;
}

void strat_queue_result_free(StratQueueResult *result)
{
    if (!result)
        return;
    g_free(result->classes);
    g_free(result->beside);
    g_free(result);
}
