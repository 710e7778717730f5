/* Replications over threads, and what they say together.
 *
 * A replication is a function of its number and writes into its own slot; sums go through the slots
 * in order. So the answer is the same whatever the threads do.
 *
 * Confidence intervals are mean +- 1.645 s / sqrt(n), normal; n of a few dozen is enough for that.
 */
#include "strat_replicate.h"

#include <math.h>
#include <stdlib.h>

static const double NORMAL_90 = 1.6448536269514722; /* 95 % quantile of the normal distribution */

typedef struct Work {
    void (*once)(int64_t i, void *ctx);
    void *ctx;
    int64_t count, batch;
} Work;

static void run_batch(gpointer item, gpointer data)
{
    const Work *work = data;
    int64_t first = (GPOINTER_TO_INT(item) - 1) * work->batch;
    for (int64_t i = first; i < MIN(first + work->batch, work->count); i++)
        work->once(i, work->ctx);
}

void strat_replicate(int64_t count, int64_t threads, void (*once)(int64_t i, void *ctx), void *ctx)
{
    threads = threads > 0 ? threads : (int64_t)g_get_num_processors();
    Work work = {once, ctx, count, MAX(count / (threads * 8), 1)};
    int64_t batches = (count + work.batch - 1) / work.batch;
    GThreadPool *pool =
        threads > 1 ? g_thread_pool_new(run_batch, &work, (gint)threads, FALSE, NULL) : NULL;
    for (int64_t i = 1; i <= batches; i++) {
        if (pool)
            g_thread_pool_push(pool, GINT_TO_POINTER((gint)i), NULL);
        else
            run_batch(GINT_TO_POINTER((gint)i), &work);
    }
    if (pool)
        g_thread_pool_free(pool, FALSE, TRUE);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

StratEstimate strat_estimate(double *values, int64_t count)
{
    if (count == 0)
        return (StratEstimate){NAN, NAN, NAN, NAN, NAN};
    double mean = 0.0, square = 0.0, n = (double)count;
    for (int64_t i = 0; i < count; i++)
        mean += values[i] / n;
    for (int64_t i = 0; i < count; i++)
        square += (values[i] - mean) * (values[i] - mean);
    double error = count > 1 ? NORMAL_90 * sqrt(square / (n - 1.0) / n) : 0.0;
    qsort(values, (size_t)count, sizeof values[0], compare);
    return (StratEstimate){
        .mean = mean,
        .low = mean - error,
        .high = mean + error,
        .least = values[(int64_t)floor(0.025 * (n - 1.0))],
        .most = values[(int64_t)ceil(0.975 * (n - 1.0))],
    };
}
