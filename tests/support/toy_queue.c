#include "toy_queue.h"

StratQueue toy_queue(int64_t nodes, const char *policy, double duration_s)
{
    return (StratQueue){
        .nodes = nodes,
        .nodes_per_leaf = 4,
        .duration_s = duration_s,
        .replications = 1,
        .seed = 1,
        .policy = strat_queue_policy_by_name(policy, NULL),
        .placement = strat_queue_placement_by_name("packed", NULL),
        .depth = 1000000,
        .estimate = 1.0,
        .most_requeues = 100,
        .faults = {.site = {nodes * 8, 8, 4, 1}, .seed = 1, .scale = 1.0, .early_factor = 1.0},
    };
}

static void keep_row(const StratQueueJobRow *row, void *ctx)
{
    g_array_append_val((GArray *)ctx, *row);
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    int64_t x = ((const StratQueueJobRow *)a)->number, y = ((const StratQueueJobRow *)b)->number;
    return (x > y) - (x < y);
}

GArray *toy_queue_rows(const StratQueue *queue, StratQueueResult **result)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(StratQueueJobRow));
    StratQueueResult *r = strat_queue_run(queue, keep_row, rows);
    g_array_sort(rows, by_number);
    if (result)
        *result = r;
    else
        strat_queue_result_free(r);
    return rows;
}
