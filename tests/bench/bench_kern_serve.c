/*
 * Nanoseconds of one cost query of serving's kernels, over shapes that differ from query to query:
 * prefill, decode, and experts both balanced and under a power law. Prints a line for each and
 * fails nothing: rates belong to the machine. The target is 100 ns. With --quick, a tenth of the
 * queries.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kern_decode.h"
#include "kern_moe.h"
#include "kern_prefill.h"
#include "scen_named.h"

/* Of this process: other work on the machine does not count. */
static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void report(const char *what, double began_s, int queries, double sum_s)
{
    double ns = (cpu_s() - began_s) * 1e9 / queries;
    printf("kern_serve %-18s %7.1f ns a query (mean %.3g s)\n", what, ns, sum_s / queries);
}

static void measure(const KernDevice *device, int queries)
{
    double sum = 0.0;
    double began_s = cpu_s();
    for (int i = 0; i < queries; i++) {
        const KernPrefillShape shape = {.sequences = 1 + i % 7,
                                        .queries = 17 + i % 4096,
                                        .heads = 32,
                                        .kv_heads = 8,
                                        .head_dim = 128,
                                        .dtype = TOPO_DTYPE_BF16};
        sum += kern_prefill_s(device, &shape);
    }
    report("prefill", began_s, queries, sum);
    sum = 0.0;
    began_s = cpu_s();
    for (int i = 0; i < queries; i++) {
        const KernDecodeShape shape = {.sequences = 1 + i % 256,
                                       .context = 17 + i % 8192,
                                       .heads = 32,
                                       .kv_heads = 8,
                                       .head_dim = 128,
                                       .dtype = TOPO_DTYPE_BF16};
        sum += kern_decode_s(device, &shape);
    }
    report("decode", began_s, queries, sum);
    for (int skewed = 0; skewed < 2; skewed++) {
        sum = 0.0;
        began_s = cpu_s();
        for (int i = 0; i < queries; i++) {
            const KernMoeShape shape = {.tokens = 1 + i % 8192,
                                        .hidden = 4096,
                                        .inter = 1536,
                                        .topk = 8,
                                        .experts = 128,
                                        .tensor = 1,
                                        .expert = 8,
                                        .power = skewed ? 1.2 : 0.0};
            sum += kern_moe_s(device, &shape);
        }
        report(skewed ? "experts, power law" : "experts, balanced", began_s, queries, sum);
    }
}

int main(int argc, char **argv)
{
    int queries = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 100000 : 1000000;
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    TopoNode node = {0};
    KernProfile profile = {0};
    if (!scen_named_bind(SCEN_CATALOG_NODE, "dgx-h100", NULL, strings, &node, NULL) ||
        !scen_named_bind(SCEN_CATALOG_PROFILE, node.gpu.profile, NULL, strings, &profile, NULL))
        return 1;
    const KernDevice device = {.gpu = &node.gpu, .profile = &profile, .clock_fraction = 1.0};
    measure(&device, queries);
    return 0;
}
