/* A state with k nodes missing stands for all that have as many: adaptations spread what is lost
 * over stages and replicas, so the states of a campaign are as many as nodes are ever missing at
 * once. The one that is asked for loses its nodes from one stage after the other. */
#include "strat_adapt_table.h"

#include <math.h>

struct StratAdaptTable {
    StratStepFunc *step;
    void *ctx;
    StratAdaptation adaptation;
    double healthy_s;
    int64_t nodes, stages;
    GMutex lock;
    GArray *speeds; /* of double, by nodes lost; below 0: not asked for */
};

StratAdaptTable *strat_adapt_table_new(StratStepFunc *step, void *ctx, StratAdaptation adaptation,
                                       double healthy_s, int64_t nodes, int64_t stages)
{
    StratAdaptTable *table = g_new0(StratAdaptTable, 1);
    table->step = step;
    table->ctx = ctx;
    table->adaptation = adaptation;
    table->healthy_s = healthy_s;
    table->nodes = nodes;
    table->stages = MAX(stages, 1);
    table->speeds = g_array_new(FALSE, FALSE, sizeof(double));
    g_mutex_init(&table->lock);
    return table;
}

void strat_adapt_table_free(StratAdaptTable *table)
{
    if (!table)
        return;
    g_array_unref(table->speeds);
    g_mutex_clear(&table->lock);
    g_free(table);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double ask(const StratAdaptTable *table, int64_t lost)
{
    int64_t per_stage = MAX(table->nodes / table->stages, 1);
    g_autofree int64_t *node = g_new(int64_t, lost + 1);
    for (int64_t i = 0; i < lost; i++)
        node[i] = (i % table->stages * per_stage + i / table->stages) % table->nodes;
    qsort(node, (size_t)lost, sizeof *node, compare);
    StratJobState state = {
        .adaptation = table->adaptation,
        .lost_node = node,
        .lost_count = (size_t)lost,
    };
    double step_s = table->step(&state, table->ctx);
    return isfinite(step_s) && step_s > 0.0 ? MIN(table->healthy_s / step_s, 1.0) : 0.0;
}

double strat_adapt_table_speed(StratAdaptTable *table, int64_t lost)
{
    if (table->adaptation == STRAT_ADAPT_NONE || lost >= table->nodes)
        return lost == 0 ? 1.0 : 0.0;
    g_mutex_lock(&table->lock);
    const double unasked = -1.0;
    while (table->speeds->len <= lost)
        g_array_append_val(table->speeds, unasked);
    double *speed = &g_array_index(table->speeds, double, lost);
    if (*speed < 0.0)
        *speed = ask(table, lost);
    double answer = *speed;
    g_mutex_unlock(&table->lock);
    return answer;
}
