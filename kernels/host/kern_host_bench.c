/* Samples of tasks, round after round.
 *
 * A noisy machine is slow for seconds at a time. So each round takes one sample of every task, and
 * a slow second spoils a sample of many tasks rather than all samples of one. A sample is as many
 * calls as fill SAMPLE_S, after one call that is not timed, which brings code and activations into
 * the caches. Beside each sample a small product, the reference, says how fast the core is at the
 * moment: another program on the same core, or a lower clock, slows both. What counts of a task are
 *
 *   - the samples beside which the reference took at most NEAR of its undisturbed time, or, where
 *     these are fewer than a third, the third beside which it took least;
 *   - of these, those within three scaled median absolute deviations of the median;
 *   - of these, the lower quartile: disturbances only ever add time, and unlike the least sample a
 *     quartile does not fall with the number of rounds.
 *
 * The spread is the distance of the quartiles over the median.
 *
 * Source of the second rule: Leys et al., "Detecting outliers", J. Exp. Social Psychology 49(4),
 * 2013. */
#include "kern_host_bench.h"

#include "kern_host_tasks.h"

#include <math.h>

static const double SAMPLE_S = 4e-4;
static const double NEAR = 1.05;
static const double UNDISTURBED_SHARE = 0.05;  /* of the reference's runs are at least that fast */
static const double DEVIATIONS = 3.0 * 1.4826; /* a normal deviation is 1.4826 median deviations */
enum { FLOATS_LEAST = 32 << 20 };

struct KernHostBench {
    GArray *tasks; /* of KernHostTask */
    KernHostArena arena;
    GArray *references; /* of double */
    int threads;
};

float *kern_host_buffer(size_t count)
{
    float *buffer = g_new(float, count);
    uint32_t state = 12345;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        buffer[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
    }
    return buffer;
}

static void task_clear(void *data)
{
    KernHostTask *task = data;
    if (task->samples)
        g_array_unref(task->samples);
}

static size_t largest(const GArray *tasks, size_t a, size_t b)
{
    size_t most = 0;
    for (guint i = 0; i < tasks->len; i++) {
        const KernGemmShape *s = &g_array_index(tasks, KernHostTask, i).shape;
        size_t sides[] = {(size_t)s->m, (size_t)s->n, (size_t)s->k};
        most = MAX(most, (size_t)s->batch * sides[a] * sides[b]);
    }
    return most;
}

static uint16_t *halves(const float *from, size_t count)
{
    uint16_t *to = g_new(uint16_t, count);
    for (size_t i = 0; i < count; i++) {
        union {
            float value;
            uint32_t bits;
        } both = {.value = from[i]};
        to[i] = (uint16_t)(both.bits >> 16);
    }
    return to;
}

KernHostBench *kern_host_bench_new(const KernHostBlas *blas, const KernHostMachine *machine,
                                   int threads, double largest_flop)
{
    KernHostBench *bench = g_new0(KernHostBench, 1);
    bench->threads = threads;
    bench->tasks = g_array_new(FALSE, TRUE, sizeof(KernHostTask));
    g_array_set_clear_func(bench->tasks, task_clear);
    bool bf16 = kern_host_blas_has_bf16(blas);
    kern_host_tasks_products(bench->tasks, largest_flop, bf16);
    kern_host_tasks_loops(bench->tasks);
    for (guint i = 0; i < bench->tasks->len; i++)
        g_array_index(bench->tasks, KernHostTask, i).samples =
            g_array_new(FALSE, FALSE, sizeof(KernHostSample));
    bench->references = g_array_new(FALSE, FALSE, sizeof(double));
    size_t cached = (size_t)(fmin(machine->last_cache_bytes, 512e6) / sizeof(float));
    size_t right = largest(bench->tasks, 1, 2);
    KernHostArena *arena = &bench->arena;
    arena->blas = blas;
    arena->team = kern_host_team_new(threads);
    arena->weights_count = MAX(MAX(2 * cached, 2 * right), (size_t)FLOATS_LEAST);
    arena->left_count = MAX(largest(bench->tasks, 0, 2), (size_t)1 << 20);
    arena->area_count = MAX(MAX(2 * cached, 2 * largest(bench->tasks, 0, 1)), (size_t)FLOATS_LEAST);
    arena->weights = kern_host_buffer(arena->weights_count);
    arena->left = kern_host_buffer(arena->left_count);
    arena->area = kern_host_buffer(arena->area_count);
    arena->halves = bf16 ? halves(arena->weights, arena->weights_count) : NULL;
    kern_host_arena_tables(arena);
    return bench;
}

void kern_host_bench_free(KernHostBench *bench)
{
    if (!bench)
        return;
    g_array_unref(bench->tasks);
    g_array_unref(bench->references);
    kern_host_team_free(bench->arena.team);
    g_free(bench->arena.weights);
    g_free(bench->arena.left);
    g_free(bench->arena.area);
    g_free(bench->arena.halves);
    g_free(bench->arena.cosines);
    g_free(bench->arena.sines);
    g_free(bench->arena.chances);
    g_free(bench);
}

size_t kern_host_bench_count(const KernHostBench *bench)
{
    return bench->tasks->len;
}

const KernHostTask *kern_host_bench_task(const KernHostBench *bench, size_t index)
{
    return &g_array_index(bench->tasks, KernHostTask, index);
}

static void run(KernHostArena *arena, const KernHostTask *task)
{
    if (task->kind == KERN_HOST_PRODUCT)
        kern_host_run_product(arena, task);
    else
        kern_host_run_loop(arena, task);
}

double kern_host_bench_reference_s(KernHostBench *bench)
{
    KernHostArena *arena = &bench->arena;
    double start = kern_host_clock_s(bench->threads);
    kern_host_blas_multiply(arena->blas, KERN_HOST_NT, 96, 96, 256, arena->left, 256,
                            arena->left + 96 * 256, 256, arena->area, 96);
    double seconds = kern_host_clock_s(bench->threads) - start;
    g_array_append_val(bench->references, seconds);
    return seconds;
}

void kern_host_bench_sample(KernHostBench *bench, size_t index)
{
    KernHostTask *task = &g_array_index(bench->tasks, KernHostTask, index);
    kern_host_bench_reference_s(bench);
    double before = kern_host_bench_reference_s(bench);
    double start = kern_host_clock_s(bench->threads);
    run(&bench->arena, task);
    double first = kern_host_clock_s(bench->threads) - start;
    if (task->calls == 0)
        task->calls = (int)CLAMP(SAMPLE_S / fmax(first, 1e-9), 1.0, 1000.0);
    start = kern_host_clock_s(bench->threads);
    for (int i = 0; i < task->calls; i++)
        run(&bench->arena, task);
    KernHostSample sample = {
        .seconds = (kern_host_clock_s(bench->threads) - start) / task->calls,
    };
    kern_host_bench_reference_s(bench);
    sample.reference_s = fmax(before, kern_host_bench_reference_s(bench));
    g_array_append_val(task->samples, sample);
}

static int double_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static int sample_compare(const void *left, const void *right)
{
    const KernHostSample *a = left, *b = right;
    return (a->reference_s > b->reference_s) - (a->reference_s < b->reference_s);
}

static double at(const GArray *sorted, double share)
{
    return g_array_index(sorted, double, (guint)(share * (sorted->len - 1) + 0.5));
}

double kern_host_bench_undisturbed_s(const KernHostBench *bench)
{
    if (bench->references->len == 0)
        return 0.0;
    g_autoptr(GArray) sorted = g_array_copy(bench->references);
    g_array_sort(sorted, double_compare);
    return at(sorted, UNDISTURBED_SHARE);
}

double kern_host_bench_calm_fraction(const KernHostBench *bench)
{
    double undisturbed = kern_host_bench_undisturbed_s(bench), calm = 0.0;
    for (guint i = 0; i < bench->references->len; i++)
        calm += g_array_index(bench->references, double, i) <= NEAR * undisturbed;
    return calm / fmax(1.0, (double)bench->references->len);
}

/* Seconds, sorted, of the samples that were taken in calm moments. */
static GArray *calm(GArray *samples, double undisturbed_s)
{
    GArray *seconds = g_array_new(FALSE, FALSE, sizeof(double));
    g_array_sort(samples, sample_compare);
    for (guint i = 0; i < samples->len; i++) {
        const KernHostSample *sample = &g_array_index(samples, KernHostSample, i);
        if (i < (samples->len + 2) / 3 || sample->reference_s <= NEAR * undisturbed_s)
            g_array_append_val(seconds, sample->seconds);
    }
    g_array_sort(seconds, double_compare);
    return seconds;
}

double kern_host_settle(GArray *samples, double undisturbed_s, double *spread_fraction,
                        size_t *rejected)
{
    *spread_fraction = 0.0;
    *rejected = 0;
    if (samples->len == 0)
        return 0.0;
    g_autoptr(GArray) seconds = calm(samples, undisturbed_s);
    double median = at(seconds, 0.5);
    g_autoptr(GArray) off = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint i = 0; i < seconds->len; i++) {
        double distance = fabs(g_array_index(seconds, double, i) - median);
        g_array_append_val(off, distance);
    }
    g_array_sort(off, double_compare);
    double limit = DEVIATIONS * at(off, 0.5);
    g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint i = 0; i < seconds->len; i++) {
        double sample = g_array_index(seconds, double, i);
        if (fabs(sample - median) <= limit)
            g_array_append_val(kept, sample);
    }
    *rejected = samples->len - kept->len;
    *spread_fraction = (at(kept, 0.75) - at(kept, 0.25)) / at(kept, 0.5);
    return at(kept, 0.25);
}

void kern_host_bench_settle(KernHostBench *bench)
{
    double undisturbed = kern_host_bench_undisturbed_s(bench);
    for (guint i = 0; i < bench->tasks->len; i++) {
        KernHostTask *task = &g_array_index(bench->tasks, KernHostTask, i);
        task->seconds =
            kern_host_settle(task->samples, undisturbed, &task->spread_fraction, &task->rejected);
    }
}
