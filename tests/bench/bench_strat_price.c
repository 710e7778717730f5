/*
 * Nanoseconds of one price of an iteration: Llama-3.1-70B in fp8 on 8 H100, decodes alone and
 * decodes beside a chunk, over batches that differ from one to the next; and how long the table of
 * costs by tokens takes to fill, which a pricer does once. Prints a line for each and fails
 * nothing. With --quick, a tenth of the prices.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "scen_named.h"
#include "strat_price.h"

enum { PRICES = 1000000, ROWS = 8192 };

/* Of this process: other work on the machine does not count. */
static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static double sum_prices(const StratPricer *pricer, int prices, bool prompts)
{
    double sum = 0.0;
    StratIteration out;
    for (int i = 0; i < prices; i++) {
        StratChunk chunk = {.tokens = 1 + i % 4096, .past = i % 7 * 1024};
        StratBatch batch = {.chunk = &chunk,
                            .chunks = prompts,
                            .decodes = 1 + i % 256,
                            .decode_tokens = 1,
                            .context = 100.0 + i % 8192,
                            .longest = 100.0 + i % 8192,
                            .outputs = 1 + i % 256};
        pricer->price(pricer, &batch, &out);
        sum += out.seconds;
    }
    return sum;
}

static void report(const char *what, double began_s, int count, double sum_s)
{
    double ns = (cpu_s() - began_s) * 1e9 / count;
    printf("strat_price %-22s %8.1f ns each (mean %.3g s)\n", what, ns, sum_s / count);
}

int main(int argc, char **argv)
{
    int prices = argc > 1 && strcmp(argv[1], "--quick") == 0 ? PRICES / 10 : PRICES;
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    TopoCluster cluster = {.node_count = 1, .gpu_count = 8};
    KernProfile profile = {0};
    ModelSpec model = {0};
    if (!scen_named_bind(SCEN_CATALOG_NODE, "dgx-h100", NULL, strings, &cluster.node, NULL) ||
        !scen_named_bind(SCEN_CATALOG_MODEL, "llama-3.1-70b", NULL, strings, &model, NULL) ||
        !scen_named_bind(SCEN_CATALOG_PROFILE, "h100", NULL, strings, &profile, NULL))
        return 1;
    StratEngine engine = {
        .max_sequences = 256, .max_tokens = ROWS, .block_tokens = 16, .fused_kernels = true};
    StratDeployment deployment = {
        .engine = &engine,
        .pool = {{.replicas = 1, .tensor = 8, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1,
        .weights = STRAT_WEIGHTS_FP8};
    StratPriceSpec spec = {
        .model = &model,
        .cluster = &cluster,
        .device = {.gpu = &cluster.node.gpu, .profile = &profile, .clock_fraction = 1.0},
        .deployment = &deployment
    };
    StratPricer *pricer = strat_price_new(&spec, NULL);
    if (!pricer)
        return 1;
    double began_s = cpu_s(), sum = 0.0;
    for (int64_t rows = 1; rows <= ROWS; rows++) {
        StratChunk chunk = {.tokens = rows};
        StratBatch batch = {.chunk = &chunk, .chunks = 1};
        StratIteration out;
        pricer->price(pricer, &batch, &out);
        sum += out.seconds;
    }
    report("each row count, once", began_s, ROWS, sum);
    sum_prices(pricer, 256, false);
    began_s = cpu_s();
    sum = sum_prices(pricer, prices, false);
    report("decodes", began_s, prices, sum);
    began_s = cpu_s();
    sum = sum_prices(pricer, prices, true);
    report("decodes and a chunk", began_s, prices, sum);
    strat_pricer_free(pricer);
    return 0;
}
