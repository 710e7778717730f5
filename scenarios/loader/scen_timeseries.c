/* Logged curves of an engine, as LLMServingSim's benchmarks and our own --out write them. */
#include "scen_timeseries.h"

#include "scen_csv.h"

/* A column under either of two names; the second may hold percents. */
typedef struct Column {
    const char *name, *other;
    double other_scale;
} Column;

enum { AT, RUNNING, WAITING, KV, COLUMNS };

static const Column columns[COLUMNS] = {
    [AT] = {"at_s",        "t",            1.0 },
    [RUNNING] = {"running",     NULL,           1.0 },
    [WAITING] = {"waiting",     NULL,           1.0 },
    [KV] = {"kv_fraction", "kv_cache_pct", 0.01},
};

static bool find(const ScenCsv *csv, int *place, double *scale, GError **error)
{
    for (int i = 0; i < COLUMNS; i++) {
        place[i] = scen_csv_column(csv, columns[i].name);
        scale[i] = 1.0;
        if (place[i] < 0 && columns[i].other) {
            place[i] = scen_csv_column(csv, columns[i].other);
            scale[i] = columns[i].other_scale;
        }
        if (place[i] < 0)
            return scen_csv_fail(csv, error, "no column %s%s%s among %s", columns[i].name,
                                 columns[i].other ? " or " : "",
                                 columns[i].other ? columns[i].other : "", scen_csv_header(csv));
    }
    return true;
}

GArray *scen_timeseries_read(const char *path, GError **error)
{
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    int place[COLUMNS];
    double scale[COLUMNS], value[COLUMNS] = {0};
    if (!csv || !find(csv, place, scale, error))
        return NULL;
    g_autoptr(GError) fault = NULL;
    g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(StratServeSample));
    while (scen_csv_next(csv, &fault)) {
        double before = value[AT];
        for (int i = 0; i < COLUMNS; i++) {
            if (!scen_csv_number(csv, place[i], 0.0, &value[i], error))
                return NULL;
            value[i] *= scale[i];
        }
        if (value[AT] < before) {
            scen_csv_fail(csv, error, "%g s comes after %g s", value[AT], before);
            return NULL;
        }
        StratServeSample sample = {.at_s = value[AT],
                                   .running = value[RUNNING],
                                   .waiting = value[WAITING],
                                   .kv_fraction = value[KV]};
        g_array_append_val(samples, sample);
    }
    if (fault) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    return g_steal_pointer(&samples);
}
