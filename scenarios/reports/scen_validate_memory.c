/* Peak memory predicted against published, in GB of 10^9 bytes, row by row and by source.
 *
 * What is compared is the fullest stage: what PyTorch's allocator gave out (A), the peak without
 * the context of the device, or what it took from the device for that (R). */
#include "scen_validate_memory.h"

#include "scen_json.h"

#include <math.h>

enum { NAME_WIDTH = 62, SOURCE_WIDTH = 54 };

static double error_of(const ScenValidRow *row)
{
    return row->predicted_memory_bytes / row->published_memory_bytes - 1.0;
}

ScenValidSummary scen_memory_summary(const ScenValidation *validation, const char *group)
{
    ScenValidSummary s = {0};
    for (guint i = 0; i < validation->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(validation->rows, ScenValidRow, i);
        if (row->published_memory_bytes <= 0.0 || (group && !g_str_equal(row->group, group)))
            continue;
        s.rows++;
        s.mean_fraction += fabs(error_of(row));
        s.worst_fraction = fmax(s.worst_fraction, fabs(error_of(row)));
    }
    s.mean_fraction /= MAX((double)s.rows, 1.0);
    return s;
}

static void add_summary(GString *out, const char *name, const ScenValidSummary *s)
{
    g_string_append_printf(out, "%-*.*s %5zu %8.1f %% %8.1f %%\n", SOURCE_WIDTH, SOURCE_WIDTH, name,
                           s->rows, 100.0 * s->mean_fraction, 100.0 * s->worst_fraction);
}

void scen_memory_rows_text(GString *out, const ScenValidation *validation)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new();
    ScenValidSummary all = scen_memory_summary(validation, NULL);
    if (all.rows == 0)
        return;
    g_string_append_printf(out, "\n%-*s %10s %10s %9s\n", NAME_WIDTH, "peak memory, GB",
                           "predicted", "published", "error");
    for (guint i = 0; i < validation->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(validation->rows, ScenValidRow, i);
        if (row->published_memory_bytes <= 0.0)
            continue;
        g_string_append_printf(out, "%-*s %10.2f %10.2f %+7.1f %% %s\n", NAME_WIDTH, row->id,
                               row->predicted_memory_bytes * 1e-9,
                               row->published_memory_bytes * 1e-9, 100.0 * error_of(row),
                               row->reserved ? "R" : "A");
        if (!g_ptr_array_find_with_equal_func(groups, row->group, g_str_equal, NULL))
            g_ptr_array_add(groups, row->group);
    }
    g_string_append(out, "A  allocated at most, R  reserved by the allocator\n");
    g_string_append_printf(out, "\n%-*s %5s %10s %10s\n", SOURCE_WIDTH, "Peak memory, by source",
                           "rows", "mean |err|", "worst");
    for (guint i = 0; i < groups->len; i++) {
        ScenValidSummary s = scen_memory_summary(validation, groups->pdata[i]);
        add_summary(out, groups->pdata[i], &s);
    }
    add_summary(out, "all", &all);
}

void scen_memory_rows_json(JsonBuilder *json, const ScenValidation *validation)
{
    for (guint i = 0; i < validation->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(validation->rows, ScenValidRow, i);
        if (row->published_memory_bytes <= 0.0)
            continue;
        json_builder_begin_object(json);
        scen_json_text(json, "id", row->id);
        scen_json_text(json, "source", row->source);
        scen_json_text(json, "metric",
                       row->reserved ? "peak_reserved_bytes" : "peak_allocated_bytes");
        scen_json_number(json, "predicted", row->predicted_memory_bytes);
        scen_json_number(json, "published", row->published_memory_bytes);
        scen_json_number(json, "error_fraction", error_of(row));
        json_builder_end_object(json);
    }
}
