/* What a sweep's database says: CSV, counts, the best point, the commonest errors. */
#include "scen_sweep_sql.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Figures that the best point is looked for by, the first that any point has: what a campaign, a
 * queue, a training run or a deployment is run for. */
static const struct {
    const char *name;
    bool most;
} usual[] = {
    {"campaign.ettr_fraction.mean", true },
    {"queue.goodput.mean",          true },
    {"training.step_time_s",        false},
    {"serving.output_tokens_per_s", true },
};

bool scen_sweep_store_counts(ScenSweepStore *store, int64_t counts[SCEN_POINT_STATUS_COUNT],
                             GError **error)
{
    for (int s = 0; s < SCEN_POINT_STATUS_COUNT; s++) {
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM points WHERE status = '%s'",
                                               scen_point_status_name((ScenPointStatus)s));
        if (!scen_sweep_sql_number(store, sql, &counts[s], error))
            return false;
    }
    return true;
}

static bool best_of(ScenSweepStore *store, const char *figure, bool most, ScenSweepWinner *winner,
                    GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT point, value, settings FROM figure_values JOIN points USING (point)"
                        " WHERE id = (SELECT id FROM figure_names WHERE name = ?) AND "
                        "status = 'ok' ORDER BY value %s, point LIMIT 1",
                        most ? "DESC" : "ASC");
    g_autoptr(sqlite3_stmt) statement = scen_sweep_sql_prepare(store, sql, error);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, figure, -1, SQLITE_STATIC);
    int found = scen_sweep_sql_step(store, statement, error);
    if (found > 0)
        *winner = (ScenSweepWinner){
            .point = sqlite3_column_int64(statement, 0),
            .figure = figure,
            .value = sqlite3_column_double(statement, 1),
            .settings = g_strdup((const char *)sqlite3_column_text(statement, 2)),
        };
    return found >= 0;
}

bool scen_sweep_store_best(ScenSweepStore *store, ScenSweepWinner *winner, GError **error)
{
    const ScenSweepHead *head = &store->head;
    *winner = (ScenSweepWinner){0};
    bool most = head->best == SCEN_SWEEP_MOST;
    for (size_t i = 0; i < G_N_ELEMENTS(usual); i++) {
        bool named = head->figure && g_str_equal(head->figure, usual[i].name);
        if (head->best == SCEN_SWEEP_DEFAULT && (named || !head->figure))
            most = usual[i].most;
        if (!head->figure && !best_of(store, usual[i].name, most, winner, error))
            return false;
        if (winner->point > 0)
            return true;
    }
    return !head->figure || best_of(store, head->figure, most, winner, error);
}

char *scen_sweep_store_errors(ScenSweepStore *store, int most, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = scen_sweep_sql_prepare(
        store,
        "SELECT count(*), CASE status WHEN 'no' THEN substr(error, 1, instr(error || ':', ':') - 1)"
        " ELSE error END AS reason FROM points WHERE status <> 'ok' AND error IS NOT NULL"
        " GROUP BY reason ORDER BY count(*) DESC, min(point) LIMIT ?",
        error);
    if (!statement)
        return NULL;
    sqlite3_bind_int(statement, 1, most);
    g_autoptr(GString) text = g_string_new(NULL);
    int more = scen_sweep_sql_step(store, statement, error);
    for (; more > 0; more = scen_sweep_sql_step(store, statement, error)) {
        const char *reason = (const char *)sqlite3_column_text(statement, 1);
        g_auto(GStrv) lines = g_strsplit(reason, "\n", -1);
        g_autofree char *indented = g_strjoinv("\n          ", lines);
        g_string_append_printf(text, "  %5" G_GINT64_FORMAT " x %s\n",
                               (gint64)sqlite3_column_int64(statement, 0), indented);
    }
    return more == 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* A cell as RFC 4180 has it; numbers with 17 digits, so that they read back as they were. */
static void put_cell(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (const char *at = text; *at; at++)
        fprintf(file, *at == '"' ? "\"\"" : "%c", *at);
    fputc('"', file);
}

static void put_column(FILE *file, sqlite3_stmt *row, int column)
{
    switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
        break;
    case SQLITE_FLOAT:
        fprintf(file, "%.17g", sqlite3_column_double(row, column));
        break;
    default:
        put_cell(file, (const char *)sqlite3_column_text(row, column));
    }
}

/* The ids of all figures by name, which become the last columns. */
static GArray *put_header(ScenSweepStore *store, FILE *file, GError **error)
{
    fputs("point,status,error,seed,settings,digest,version", file);
    for (guint i = 0; i < store->head.paths->len; i++) {
        fputc(',', file);
        put_cell(file, store->head.paths->pdata[i]);
    }
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    g_autoptr(sqlite3_stmt) names =
        scen_sweep_sql_prepare(store, "SELECT id, name FROM figure_names ORDER BY name", error);
    int more = names ? scen_sweep_sql_step(store, names, error) : -1;
    for (; more > 0; more = scen_sweep_sql_step(store, names, error)) {
        int64_t id = sqlite3_column_int64(names, 0);
        g_array_append_val(ids, id);
        fputc(',', file);
        put_cell(file, (const char *)sqlite3_column_text(names, 1));
    }
    fputc('\n', file);
    return more == 0 ? g_steal_pointer(&ids) : NULL;
}

/* The figures of @point, by id, each in the place of @places + 1 within @cells. */
static bool read_figures(ScenSweepStore *store, sqlite3_stmt *values, int64_t point,
                         GHashTable *places, double *cells, bool *has, GError **error)
{
    sqlite3_reset(values);
    sqlite3_bind_int64(values, 1, point);
    int more = scen_sweep_sql_step(store, values, error);
    for (; more > 0; more = scen_sweep_sql_step(store, values, error)) {
        gint64 id = sqlite3_column_int64(values, 0);
        guint place = GPOINTER_TO_UINT(g_hash_table_lookup(places, &id)) - 1;
        cells[place] = sqlite3_column_double(values, 1);
        has[place] = true;
    }
    return more == 0;
}

static bool put_rows(ScenSweepStore *store, const GArray *ids, FILE *file, GError **error)
{
    g_autoptr(GHashTable) places = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < ids->len; i++)
        g_hash_table_insert(places, &g_array_index(ids, gint64, i), GUINT_TO_POINTER(i + 1));
    g_autofree double *cells = g_new0(double, MAX(ids->len, 1));
    g_autofree bool *has = g_new0(bool, MAX(ids->len, 1));
    g_autoptr(sqlite3_stmt) values =
        scen_sweep_sql_prepare(store, "SELECT id, value FROM figure_values WHERE point = ?", error);
    g_autoptr(sqlite3_stmt) rows =
        values ? scen_sweep_sql_prepare(store, "SELECT * FROM points ORDER BY point", error) : NULL;
    int more = rows ? scen_sweep_sql_step(store, rows, error) : -1;
    for (; more > 0; more = scen_sweep_sql_step(store, rows, error)) {
        memset(has, 0, ids->len * sizeof *has);
        if (!read_figures(store, values, sqlite3_column_int64(rows, 0), places, cells, has, error))
            return false;
        for (int c = 0; c < sqlite3_column_count(rows); c++) {
            fputs(c > 0 ? "," : "", file);
            put_column(file, rows, c);
        }
        for (guint i = 0; i < ids->len; i++)
            fprintf(file, has[i] ? ",%.17g" : ",", cells[i]);
        fputc('\n', file);
    }
    return more == 0;
}

bool scen_sweep_store_csv(ScenSweepStore *store, const char *path, GError **error)
{
    FILE *file = fopen(path, "we");
    if (!file) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        return false;
    }
    g_autoptr(GArray) ids = put_header(store, file, error);
    bool written = ids && put_rows(store, ids, file, error);
    bool sound = !ferror(file);
    bool closed = fclose(file) == 0 && sound;
    if (written && !closed)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: %s", path, g_strerror(errno));
    return written && closed;
}
