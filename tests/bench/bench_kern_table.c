/*
 * Nanoseconds of one cost query from a measured table, beside one from the fitted form: products on
 * a grid of 40 x 24 x 24 shapes of which a fifth is missing, attention on 20 x 16 x 12. Prints one
 * line for each kind of query and fails nothing: rates belong to the machine. With --quick, a tenth
 * of the queries.
 */
#include <stdio.h>
#include <string.h>

#include "kern_table.h"
#include "sim_random.h"
#include "toy_world.h"

enum { ASKED = 4096, MS = 40, NS = 24, KS = 24, BEFORE = 12, LENGTHS = 20, BATCHES = 16 };

static int64_t below(SimRandom *draws, int64_t limit)
{
    return (int64_t)(sim_random_uniform(draws) * (double)limit);
}

/* Sizes from 16 on, a third more each. */
static int64_t size_at(int64_t i)
{
    double size = 16.0;
    while (i-- > 0)
        size *= 1.3;
    return (int64_t)size;
}

static int64_t between(SimRandom *draws, int64_t i)
{
    int64_t low = size_at(i);
    return low + below(draws, size_at(i + 1) - low);
}

static KernGemmShape product(int64_t m, int64_t n, int64_t k)
{
    return (KernGemmShape){.batch = 1, .m = m, .n = n, .k = k, .dtype = TOPO_DTYPE_BF16};
}

static KernAttentionShape call(int64_t before, int64_t queries, int64_t batch)
{
    double keys = (double)(before + queries);
    return (KernAttentionShape){.batch = batch,
                                .kv_batch = batch,
                                .queries = queries,
                                .keys = before + queries,
                                .head_dim = 128,
                                .unmasked_fraction =
                                    ((double)before + 0.5 * (double)queries) / keys,
                                .dtype = TOPO_DTYPE_BF16};
}

static KernTable *table_of(SimRandom *draws)
{
    g_autoptr(GArray) products = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
    g_autoptr(GArray) calls = g_array_new(FALSE, FALSE, sizeof(KernAttentionRow));
    for (int m = 0; m < MS; m++)
        for (int n = 0; n < NS; n++)
            for (int k = 0; k < KS; k++) {
                KernGemmRow row = {product(size_at(m), size_at(n), size_at(k)), 1e-6};
                if (sim_random_uniform(draws) < 0.8)
                    g_array_append_val(products, row);
            }
    for (int p = 0; p < BEFORE; p++)
        for (int q = 0; q < LENGTHS; q++)
            for (int b = 0; b < BATCHES; b++) {
                KernAttentionRow row = {call(p == 0 ? 0 : size_at(2 * p), size_at(q), size_at(b)),
                                        1e-6};
                g_array_append_val(calls, row);
            }
    return kern_table_new((const KernGemmRow *)(void *)products->data, products->len,
                          (const KernAttentionRow *)(void *)calls->data, calls->len);
}

static void report(const char *what, double sum, int64_t best_us)
{
    printf("kern_table %-28s: %7.1f ns a query%s\n", what, (double)best_us * 1e3 / ASKED,
           sum > 0.0 ? "" : " (no answer)");
}

/* The quickest of @rounds, because others may use the machine. */
static void bench_gemm(const char *what, const KernDevice *device, const KernGemmShape *asked,
                       int rounds)
{
    double sum = 0.0;
    int64_t best_us = INT64_MAX;
    for (int r = 0; r < rounds; r++) {
        int64_t began_us = g_get_monotonic_time();
        for (int i = 0; i < ASKED; i++)
            sum += kern_gemm_s(device, &asked[i]);
        int64_t took_us = g_get_monotonic_time() - began_us;
        best_us = MIN(best_us, took_us);
    }
    report(what, sum, best_us);
}

static void bench_attention(const char *what, const KernDevice *device,
                            const KernAttentionShape *asked, int rounds)
{
    double sum = 0.0;
    int64_t best_us = INT64_MAX;
    for (int r = 0; r < rounds; r++) {
        int64_t began_us = g_get_monotonic_time();
        for (int i = 0; i < ASKED; i++)
            sum += kern_attention_forward_s(device, &asked[i]);
        int64_t took_us = g_get_monotonic_time() - began_us;
        best_us = MIN(best_us, took_us);
    }
    report(what, sum, best_us);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 20 : 200;
    SimRandom draws = sim_random_stream(1, "bench_kern_table");
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = table_of(&draws);
    KernTally tally = {0};
    KernDevice with = {.gpu = &world.cluster.node.gpu,
                       .profile = &world.profile,
                       .clock_fraction = 0.9,
                       .table = table,
                       .tally = &tally};
    KernDevice without = with;
    without.table = NULL;
    g_autofree KernGemmShape *on = g_new0(KernGemmShape, ASKED);
    g_autofree KernGemmShape *off = g_new0(KernGemmShape, ASKED);
    g_autofree KernAttentionShape *calls = g_new0(KernAttentionShape, ASKED);
    for (int i = 0; i < ASKED; i++) {
        on[i] = product(size_at(below(&draws, MS)), size_at(below(&draws, NS)),
                        size_at(below(&draws, KS)));
        off[i] =
            product(between(&draws, below(&draws, MS - 1)), between(&draws, below(&draws, NS - 1)),
                    between(&draws, below(&draws, KS - 1)));
        calls[i] = call(between(&draws, below(&draws, 2 * BEFORE - 3)),
                        between(&draws, below(&draws, LENGTHS - 1)),
                        between(&draws, below(&draws, BATCHES - 1)));
    }
    bench_gemm("products on its points", &with, on, rounds);
    bench_gemm("products between them", &with, off, rounds);
    bench_attention("attention between them", &with, calls, rounds);
    bench_gemm("products by the form", &without, off, MAX(rounds / 10, 1));
    for (int op = 0; op < KERN_TABLE_OPS; op++)
        printf("kern_table %s: %" G_GINT64_FORMAT " exact, %" G_GINT64_FORMAT
               " between, %" G_GINT64_FORMAT " by the form\n",
               kern_table_op_name((KernTableOp)op), tally.asked[op][KERN_GRID_EXACT],
               tally.asked[op][KERN_GRID_BETWEEN], tally.asked[op][KERN_GRID_MISS]);
    return 0;
}
