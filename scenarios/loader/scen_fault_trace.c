/* Recorded faults, a line each: when, of which class, at which node. */
#include "scen_fault_trace.h"

#include "scen_csv.h"
#include "strat_fault.h"

static bool read_record(const ScenCsv *csv, const GArray *classes, StratFaultRecord *record,
                        GError **error)
{
    const char *name = scen_csv_text(csv, scen_csv_column(csv, "class"));
    double before = record->at_s;
    guint i = 0;
    while (i < classes->len && g_strcmp0(g_array_index(classes, StratFaultClass, i).name, name))
        i++;
    if (i == classes->len)
        return scen_csv_fail(csv, error, "no class of faults is called '%s'", name);
    record->class_index = i;
    if (!scen_csv_number(csv, scen_csv_column(csv, "at_s"), 0.0, &record->at_s, error) ||
        !scen_csv_integer(csv, scen_csv_column(csv, "node"), 0, 0, &record->node, error))
        return false;
    if (record->at_s < before)
        return scen_csv_fail(csv, error, "%g s comes after %g s", record->at_s, before);
    return true;
}

GArray *scen_fault_trace_read(const char *path, const GArray *classes, GError **error)
{
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    if (!csv)
        return NULL;
    static const char *const columns[] = {"at_s", "class", "node"};
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        if (scen_csv_column(csv, columns[i]) < 0) {
            scen_csv_fail(csv, error, "no column %s among %s", columns[i], scen_csv_header(csv));
            return NULL;
        }
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(StratFaultRecord));
    g_autoptr(GError) fault = NULL;
    StratFaultRecord record = {0};
    while (scen_csv_next(csv, &fault)) {
        if (!read_record(csv, classes, &record, error))
            return NULL;
        g_array_append_val(records, record);
    }
    if (fault) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    return g_steal_pointer(&records);
}
