/*
 * Schedules of 16,384-rank groups a second, by algorithm: how long a collective takes to write down
 * for those who replay its messages, and its closed form for those who do not. Prints one line for
 * each row of the table and operation and fails nothing: rates belong to the machine. With --quick,
 * a tenth of the time.
 */
#include <stdio.h>
#include <string.h>

#include "topo_protocol.h"

enum { RANKS = 16384, RANKS_PER_DOMAIN = 8 };

static double seconds_since(int64_t began_us)
{
    return (double)(g_get_monotonic_time() - began_us) * 1e-6;
}

static void measure(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                    TopoSchedule *schedule, double budget_s)
{
    TopoCollectiveCost cost;
    double built = 0.0, priced = 0.0;
    int64_t began_us = g_get_monotonic_time();
    while (built == 0.0 || seconds_since(began_us) < budget_s) {
        if (!topo_collective_phases(algorithm, call, schedule, NULL))
            return;
        built += 1.0;
    }
    double built_s = seconds_since(began_us);
    began_us = g_get_monotonic_time();
    while (priced == 0.0 || seconds_since(began_us) < budget_s / 4.0) {
        topo_collective_cost(algorithm, call, &cost, NULL);
        priced += 1.0;
    }
    double priced_s = seconds_since(began_us);
    printf("topo_collective %-18s %-14s %3u phases %7u messages: %9.1f built/s %11.1f priced/s\n",
           algorithm->name, topo_collective_op_name(call->op), schedule->phases->len,
           schedule->messages->len, built / built_s, priced / priced_s);
}

int main(int argc, char **argv)
{
    double budget_s = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 0.02 : 0.2;
    const TopoRouting routing = {
        .tokens = 4096, .token_bytes = 7392, .experts = RANKS, .topk = 8, .domain_limit = 4};
    g_autoptr(TopoSchedule) schedule = topo_schedule_new();
    size_t count;
    const TopoAlgorithm *algorithms = topo_collective_all(&count);
    for (size_t i = 0; i < count; i++)
        for (int op = 0; op < TOPO_OP_COUNT; op++) {
            TopoCollectiveCall call = {.op = (TopoCollectiveOp)op,
                                       .ranks = op == TOPO_OP_SEND ? 2 : RANKS,
                                       .ranks_per_domain = RANKS_PER_DOMAIN,
                                       .bytes = 1e9,
                                       .chunks = 8,
                                       .servers = 64,
                                       .switch_radix = 32,
                                       .domain_reduces = true,
                                       .routing = &routing};
            if (!topo_collective_check(&algorithms[i], &call, NULL)) /* runs inside a domain only */
                call.ranks_per_domain = RANKS;
            measure(&algorithms[i], &call, schedule, budget_s);
        }
    return 0;
}
