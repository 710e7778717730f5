/* The answer of a scenario with a queue: run, write jobs as they leave, report. */
#include "scen_answer_kinds.h"

#include "scen_queue_page.h"
#include "scen_simulate.h"

#include <errno.h>
#include <stdio.h>

#define I64 "%" G_GINT64_FORMAT

typedef struct Table {
    FILE *file;   /* NULL: nobody asked */
    GArray *rows; /* of StratQueueJobRow, likewise */
    const GArray *classes;
} Table;

static void write_row(const StratQueueJobRow *row, const Table *table)
{
    const StratQueueClass *c = &g_array_index(table->classes, StratQueueClass, row->class_index);
    fprintf(table->file, I64 ",%s," I64 ",%.9f,", row->number, c->name, row->nodes,
            sim_time_to_seconds(row->arrival));
    if (row->first_start >= 0)
        fprintf(table->file, "%.9f", sim_time_to_seconds(row->first_start));
    fputc(',', table->file);
    if (row->left >= 0)
        fprintf(table->file, "%.9f", sim_time_to_seconds(row->left));
    SimTime all = row->queued + row->ran;
    fprintf(table->file, ",%.9f,%.9f,%.9f,%.9f,%.6f," I64 "," I64 "," I64 ",%s\n",
            sim_time_to_seconds(row->queued), sim_time_to_seconds(row->ran),
            sim_time_to_seconds(row->work), sim_time_to_seconds(row->done),
            all > 0 ? (double)row->done / (double)all : 1.0, row->runs, row->preemptions,
            row->requeues, strat_queue_end_key(row->end));
}

static void take_row(const StratQueueJobRow *row, void *ctx)
{
    const Table *table = ctx;
    if (table->file)
        write_row(row, table);
    if (table->rows)
        g_array_append_vals(table->rows, row, 1);
}

static FILE *open_table(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "jobs.csv", NULL);
    FILE *file = fopen(path, "we");
    if (!file)
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
    else
        fputs("job,class,nodes,arrival_s,start_s,end_s,queued_s,ran_s,work_s,kept_s,ettr,runs,"
              "preemptions,requeues,end\n",
              file);
    return file;
}

static StratQueue queue_of(const ScenScenario *scenario)
{
    const ScenQueue *written = &scenario->queue;
    const TopoCluster *cluster = &scenario->cluster;
    StratQueue queue = written->spec;
    StratFaultSite site = {cluster->node_count * cluster->node.gpus, cluster->node.gpus,
                           queue.nodes_per_leaf, written->nodes_per_rack};
    queue.nodes = cluster->node_count;
    queue.seed = scenario->seed;
    queue.classes = (const StratQueueClass *)(void *)written->classes->data;
    queue.class_count = written->classes->len;
    queue.records = (const StratQueueRecord *)(void *)written->records->data;
    queue.record_count = written->records->len;
    if (written->has_faults)
        queue.faults = scen_faults_model(&written->faults, site, scenario->seed);
    return queue;
}

bool scen_answer_queue(const ScenScenario *scenario, const ScenAnswerWants *wants,
                       ScenAnswer *answer, GError **error)
{
    Table table = {.classes = scenario->queue.classes};
    StratQueue queue = queue_of(scenario);
    g_autofree double *beside = NULL;
    if (!scen_answer_no_trace(
            wants, "--trace draws a step, serving or months, not a queue; --out writes its jobs",
            error) ||
        !scen_simulate_queued(scenario, &beside, error))
        return false;
    queue.beside = beside;
    if (wants->out && !(table.file = open_table(wants->out, error)))
        return false;
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(StratQueueJobRow));
    table.rows = wants->html ? rows : NULL;
    g_autoptr(StratQueueResult) result = strat_queue_run(&queue, take_row, &table);
    if (wants->out && fclose(table.file) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s/jobs.csv: %s", wants->out,
                    g_strerror(errno));
        return false;
    }
    if (wants->text)
        answer->text = scen_queue_text(scenario, result);
    if (wants->json)
        answer->json = scen_queue_json(scenario, result);
    if (wants->html)
        answer->page = scen_queue_page(scenario, result, rows);
    answer->holds = true;
    return true;
}
