/*
 * Nanoseconds of one cost query of serving's kernels, over shapes that differ from query to query:
 * prefill, decode, and experts both balanced and under a power law, from a fitted profile and from
 * a measured table that holds them all. Prints a line for each and fails nothing: rates belong to
 * the machine. The targets are 100 ns and 300 ns. With --quick, a twentieth of the queries.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kern_decode.h"
#include "kern_moe.h"
#include "kern_prefill.h"
#include "kern_table_serve.h"
#include "scen_named.h"

enum { QUERIES = 10000 };

/* Of this process: other work on the machine does not count. */
static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static double prefill_s(const KernDevice *device, int i)
{
    const KernPrefillShape shape = {.sequences = 1 + i % 7,
                                    .queries = 17 + i % 4096,
                                    .heads = 32,
                                    .kv_heads = 8,
                                    .head_dim = 128,
                                    .dtype = TOPO_DTYPE_BF16};
    return kern_prefill_s(device, &shape);
}

static double decode_s(const KernDevice *device, int i)
{
    const KernDecodeShape shape = {.sequences = 1 + i % 256,
                                   .context = 17 + i % 8192,
                                   .heads = 32,
                                   .kv_heads = 8,
                                   .head_dim = 128,
                                   .dtype = TOPO_DTYPE_BF16};
    return kern_decode_s(device, &shape);
}

static double experts_s(const KernDevice *device, int i, double power)
{
    const KernMoeShape shape = {.tokens = 1 + i % 8192,
                                .hidden = 4096,
                                .inter = 1536,
                                .topk = 8,
                                .experts = 128,
                                .tensor = 1,
                                .expert = 8,
                                .power = power};
    return kern_moe_s(device, &shape);
}

static double balanced_s(const KernDevice *device, int i)
{
    return experts_s(device, i, 0.0);
}

static double skewed_s(const KernDevice *device, int i)
{
    return experts_s(device, i, 1.2);
}

/* The quickest of @rounds, because others share the caches and the pipes. */
static void measure(const char *what, double (*query)(const KernDevice *device, int i),
                    const KernDevice *device, int rounds)
{
    double sum = 0.0, least_s = INFINITY;
    for (int r = 0; r < rounds; r++) {
        double began_s = cpu_s();
        for (int i = 0; i < QUERIES; i++)
            sum += query(device, r * QUERIES + i);
        least_s = fmin(least_s, cpu_s() - began_s);
    }
    printf("kern_serve %-18s %7.1f ns a query (mean %.3g s)\n", what, least_s * 1e9 / QUERIES,
           sum / QUERIES / rounds);
}

/* Prompts, contexts and tokens in steps of half, behind which all queries above lie. */
static KernTable *table_of(void)
{
    g_autoptr(GArray) prefill = g_array_new(FALSE, FALSE, sizeof(KernPrefillRow));
    g_autoptr(GArray) decode = g_array_new(FALSE, FALSE, sizeof(KernDecodeRow));
    g_autoptr(GArray) moe = g_array_new(FALSE, FALSE, sizeof(KernMoeRow));
    for (int64_t size = 1; size <= 20000; size += 1 + size / 2)
        for (int64_t sequences = 1; sequences <= 400; sequences += 1 + sequences / 2) {
            const KernPrefillRow prompt = {
                {.sequences = sequences,
                 .queries = size,
                 .heads = 32,
                 .kv_heads = 8,
                 .head_dim = 128,
                 .dtype = TOPO_DTYPE_BF16},
                1e-5,
                NULL
            };
            const KernDecodeRow step = {
                {.sequences = sequences,
                 .context = size,
                 .heads = 32,
                 .kv_heads = 8,
                 .head_dim = 128,
                 .dtype = TOPO_DTYPE_BF16},
                1e-5,
                NULL
            };
            const KernMoeRow layer = {
                {.tokens = size,
                 .hidden = 4096,
                 .inter = 1536,
                 .topk = 8,
                 .experts = 128,
                 .tensor = 1,
                 .expert = 8,
                 .power = sequences % 2 ? 1.2 : 0.0},
                1e-5,
                NULL
            };
            g_array_append_val(prefill, prompt);
            g_array_append_val(decode, step);
            g_array_append_val(moe, layer);
        }
    KernTable *table = kern_table_new(NULL, 0, NULL, 0);
    const KernTableServeRows rows = {.prefill = (const KernPrefillRow *)(void *)prefill->data,
                                     .decode = (const KernDecodeRow *)(void *)decode->data,
                                     .moe = (const KernMoeRow *)(void *)moe->data,
                                     .prefill_count = prefill->len,
                                     .decode_count = decode->len,
                                     .moe_count = moe->len};
    kern_table_set_serving(table, &rows);
    return table;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 10 : 200;
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    TopoNode node = {0};
    KernProfile profile = {0};
    if (!scen_named_bind(SCEN_CATALOG_NODE, "dgx-h100", NULL, strings, &node, NULL) ||
        !scen_named_bind(SCEN_CATALOG_PROFILE, node.gpu.profile, NULL, strings, &profile, NULL))
        return 1;
    KernDevice device = {.gpu = &node.gpu, .profile = &profile, .clock_fraction = 1.0};
    measure("prefill", prefill_s, &device, rounds);
    measure("decode", decode_s, &device, rounds);
    measure("experts, balanced", balanced_s, &device, rounds);
    measure("experts, power law", skewed_s, &device, rounds);
    g_autoptr(KernTable) table = table_of();
    KernTally tally = {0};
    device.table = table;
    device.tally = &tally;
    device.clock_fraction = 0.9;
    measure("prefill, table", prefill_s, &device, rounds);
    measure("decode, table", decode_s, &device, rounds);
    measure("experts, table", skewed_s, &device, rounds);
    for (int op = KERN_TABLE_PREFILL; op < KERN_TABLE_OPS; op++)
        printf("kern_serve table, %-11s %" G_GINT64_FORMAT " queries left to the form\n",
               kern_table_op_name((KernTableOp)op), tally.asked[op][KERN_GRID_MISS]);
    return 0;
}
