/* What the measured table of a scenario answered, in words and as JSON: of the cost queries of the
 * step, those that met a measurement, lay between measurements, or fell back to the profile. A
 * layer that is repeated asks once a repetition, so these are shares of the work priced, not of
 * distinct shapes. */
#include "scen_run_report.h"

#include "scen_json.h"

#define I64 "%" G_GINT64_FORMAT

static int64_t asked(const KernTally *tally, KernTableOp op)
{
    const int64_t *count = tally->asked[op];
    return count[KERN_GRID_MISS] + count[KERN_GRID_EXACT] + count[KERN_GRID_BETWEEN];
}

void scen_table_notes(const ScenRunReport *report, GPtrArray *notes)
{
    const KernProfile *profile = &report->scenario->profile;
    if (!profile->table || !report->tally)
        return;
    for (int op = 0; op < KERN_TABLE_OPS; op++) {
        const int64_t *count = report->tally->asked[op];
        int64_t all = asked(report->tally, (KernTableOp)op);
        if (all == 0)
            continue;
        double percent = 100.0 / (double)all;
        g_ptr_array_add(
            notes, g_strdup_printf("measured table, %s (%zu shapes): of " I64
                                   " cost queries %.1f %% measured, %.1f %% interpolated, %.1f %% "
                                   "outside and left to profile %s",
                                   kern_table_op_name((KernTableOp)op),
                                   kern_table_count(profile->table, (KernTableOp)op), all,
                                   percent * (double)count[KERN_GRID_EXACT],
                                   percent * (double)count[KERN_GRID_BETWEEN],
                                   percent * (double)count[KERN_GRID_MISS], profile->name));
    }
}

void scen_table_json(JsonBuilder *json, const ScenRunReport *report)
{
    const KernTable *table = report->scenario->profile.table;
    if (!table || !report->tally)
        return;
    json_builder_set_member_name(json, "measured_table");
    json_builder_begin_object(json);
    for (int op = 0; op < KERN_TABLE_OPS; op++) {
        const int64_t *count = report->tally->asked[op];
        json_builder_set_member_name(json, kern_table_op_name((KernTableOp)op));
        json_builder_begin_object(json);
        scen_json_integer(json, "shapes", (gint64)kern_table_count(table, (KernTableOp)op));
        scen_json_integer(json, "queries", asked(report->tally, (KernTableOp)op));
        scen_json_integer(json, "measured", count[KERN_GRID_EXACT]);
        scen_json_integer(json, "interpolated", count[KERN_GRID_BETWEEN]);
        scen_json_integer(json, "outside", count[KERN_GRID_MISS]);
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
}
