/* From the number of a point to its settings.
 *
 * Points are a mixed-radix number: with s seeds, values v_1 ... v_n of the grid's paths and r rows
 * of the list,
 *
 *     point - 1 = ((row * v_1 + i_1) * v_2 + i_2) ... * s + seed
 *
 * so the settings of a point follow from the section and the number alone, no list of points is ever
 * made, and a part of a sweep (a shard, what is missing) is a set of numbers. */
#include "scen_sweep.h"

#include <string.h>

static void axis_clear(void *data)
{
    ScenSweepAxis *axis = data;
    g_clear_pointer(&axis->settings, g_array_unref);
}

static void row_clear(void *data)
{
    g_clear_pointer((GArray **)data, g_array_unref);
}

GArray *scen_sweep_axes_new(void)
{
    GArray *axes = g_array_new(FALSE, TRUE, sizeof(ScenSweepAxis));
    g_array_set_clear_func(axes, axis_clear);
    return axes;
}

GArray *scen_sweep_rows_new(void)
{
    GArray *rows = g_array_new(FALSE, TRUE, sizeof(GArray *));
    g_array_set_clear_func(rows, row_clear);
    return rows;
}

void scen_sweep_clear(ScenSweep *sweep)
{
    g_clear_pointer(&sweep->grid, g_array_unref);
    g_clear_pointer(&sweep->list, g_array_unref);
    g_clear_pointer(&sweep->seeds, g_array_unref);
    g_clear_pointer(&sweep->figures, g_array_unref);
}

static const ScenSweepAxis *axis_at(const ScenSweep *sweep, guint index)
{
    return &g_array_index(sweep->grid, ScenSweepAxis, index);
}

static guint length(const GArray *list)
{
    return list ? list->len : 0;
}

void scen_sweep_count(ScenSweep *sweep)
{
    int64_t points = MAX(length(sweep->list), 1) * (int64_t)MAX(length(sweep->seeds), 1);
    for (guint i = 0; i < length(sweep->grid) && points <= SCEN_SWEEP_POINTS_MAX; i++)
        points *= axis_at(sweep, i)->settings->len;
    sweep->points = points <= SCEN_SWEEP_POINTS_MAX ? points : -1;
}

static int keys_of(const ScenSetting *setting)
{
    int keys = 1;
    for (const char *dot = strchr(setting->path, '.'); dot; dot = strchr(dot + 1, '.'))
        keys++;
    return keys;
}

/* Puts @setting after those of as many keys or fewer. */
static void insert(GArray *settings, const ScenSetting *setting)
{
    guint at = settings->len;
    while (at > 0 && keys_of(&g_array_index(settings, ScenSetting, at - 1)) > keys_of(setting))
        at--;
    g_array_insert_vals(settings, at, setting, 1);
}

GArray *scen_sweep_settings(const ScenSweep *sweep, int64_t point, int64_t *seed)
{
    GArray *settings = g_array_new(FALSE, FALSE, sizeof(ScenSetting));
    int64_t rest = point - 1, seeds = MAX(length(sweep->seeds), 1);
    *seed = sweep->seeds ? g_array_index(sweep->seeds, int64_t, rest % seeds) : -1;
    rest /= seeds;
    guint axes = length(sweep->grid);
    g_autofree guint *chosen = g_new0(guint, MAX(axes, 1));
    for (guint i = axes; i-- > 0;) {
        guint values = axis_at(sweep, i)->settings->len;
        chosen[i] = (guint)(rest % values);
        rest /= values;
    }
    const GArray *row = sweep->list ? g_array_index(sweep->list, GArray *, rest) : NULL;
    for (guint i = 0; i < length(row); i++)
        insert(settings, &g_array_index(row, ScenSetting, i));
    for (guint i = 0; i < axes; i++)
        insert(settings, &g_array_index(axis_at(sweep, i)->settings, ScenSetting, chosen[i]));
    return settings;
}

GPtrArray *scen_sweep_paths(const ScenSweep *sweep)
{
    GPtrArray *paths = g_ptr_array_new();
    for (guint i = 0; i < length(sweep->list); i++) {
        const GArray *row = g_array_index(sweep->list, GArray *, i);
        for (guint j = 0; j < row->len; j++) {
            const char *path = g_array_index(row, ScenSetting, j).path;
            if (!g_ptr_array_find_with_equal_func(paths, path, g_str_equal, NULL))
                g_ptr_array_add(paths, (void *)path);
        }
    }
    for (guint i = 0; i < length(sweep->grid); i++)
        g_ptr_array_add(paths,
                        (void *)g_array_index(axis_at(sweep, i)->settings, ScenSetting, 0).path);
    return paths;
}
