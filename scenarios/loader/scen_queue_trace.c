/* Recorded jobs, a line each: when, of which class, how many GPUs, how much work. */
#include "scen_csv.h"
#include "scen_queue.h"

static bool read_record(const ScenCsv *csv, const GArray *classes, int64_t per_node, int64_t nodes,
                        StratQueueRecord *record, GError **error)
{
    const char *name = scen_csv_text(csv, scen_csv_column(csv, "class"));
    int gpus_column = scen_csv_column(csv, "gpus"), work_column = scen_csv_column(csv, "work_s");
    int64_t gpus = 0;
    *record = (StratQueueRecord){.work_s = -1.0};
    while (record->class_index < classes->len &&
           g_strcmp0(g_array_index(classes, StratQueueClass, record->class_index).name, name))
        record->class_index++;
    if (record->class_index == classes->len)
        return scen_csv_fail(csv, error, "no jobs are called '%s'", name);
    if (!scen_csv_number(csv, scen_csv_column(csv, "at_s"), 0.0, &record->at_s, error) ||
        (gpus_column >= 0 && !scen_csv_integer(csv, gpus_column, 0, 0, &gpus, error)) ||
        (work_column >= 0 && !scen_csv_number(csv, work_column, 0.0, &record->work_s, error)))
        return false;
    record->nodes = (gpus + per_node - 1) / per_node;
    return record->nodes <= nodes || scen_csv_fail(csv, error, "more GPUs than the cluster has: %s",
                                                   scen_csv_text(csv, gpus_column));
}

bool scen_queue_trace_read(const char *path, const GArray *classes, int64_t gpus_per_node,
                           int64_t nodes, GArray *records, GError **error)
{
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    if (!csv)
        return false;
    static const char *const columns[] = {"at_s", "class"};
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        if (scen_csv_column(csv, columns[i]) < 0)
            return scen_csv_fail(csv, error, "no column %s among %s", columns[i],
                                 scen_csv_header(csv));
    g_autoptr(GError) fault = NULL;
    StratQueueRecord record;
    while (scen_csv_next(csv, &fault)) {
        if (!read_record(csv, classes, gpus_per_node, nodes, &record, error))
            return false;
        g_array_append_val(records, record);
    }
    if (!fault)
        return true;
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}
