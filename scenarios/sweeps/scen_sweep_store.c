/* Outcomes on disk, so that a killed sweep loses next to nothing and runs nothing twice.
 *
 * A point's row, its figures and its timing are put in one transaction: after a crash a point is in
 * with all of them, or not at all. Transactions hold up to BATCH_S seconds of work: a point of ten
 * minutes is committed as it arrives, points of 2 ms fifty at a time, and in either case what a kill
 * costs is a tenth of a second of work per thread, beside the points that were under way.
 *
 * The journal is a write-ahead log with synchronous=NORMAL: a commit appends to the log without
 * waiting for the disk, readers may look on while the sweep runs, and the database stays whole even
 * through a loss of power, which may take the last commits with it; those points are run again.
 * (synchronous=FULL would wait for the disk at each commit; OFF could break the file.) Where the file
 * system has no shared memory for the log, SQLite keeps its rollback journal, which is as safe.
 *
 * Two processes that fill one database would both run the points that are missing. The first one
 * locks the file DATABASE.lock (flock, gone with its process), the second is refused. */
#include "scen_sweep_sql.h"

#include "scen_quantity.h"
#include "scen_sweep_fields.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const double BATCH_S = 0.1;
enum { BUSY_MS = 10000 }; /* a reader may hold the file for a moment */

static bool lock(ScenSweepStore *store, GError **error)
{
    g_autofree char *path = g_strconcat(store->path, ".lock", NULL);
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (store->lock >= 0 && flock(store->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (store->lock >= 0 && errno == EWOULDBLOCK)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s: another orrery sweep is writing to it", store->path);
    else if (store->lock >= 0)
        return true; /* a file system without locks */
    else
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: %s", path, g_strerror(errno));
    return false;
}

bool scen_sweep_store_connect(ScenSweepStore *store, GError **error)
{
    int code = sqlite3_open(store->path, &store->db);
    if (!scen_sweep_sql_check(store, code, error))
        return false;
    sqlite3_busy_timeout(store->db, BUSY_MS);
    return true;
}

static bool prepare(ScenSweepStore *store, GError **error)
{
    g_autoptr(GString) sql = g_string_new("INSERT INTO points VALUES (?");
    for (guint i = 1; i < SCEN_SWEEP_COLUMN_COUNT + store->head.paths->len; i++)
        g_string_append(sql, ", ?");
    g_string_append(sql, ")");
    store->put_point = scen_sweep_sql_prepare(store, sql->str, error);
    if (!store->put_point)
        return false;
    store->put_name = scen_sweep_sql_prepare(store,
                                             "INSERT INTO figure_names VALUES (?1, ?2) "
                                             "ON CONFLICT (name) DO NOTHING",
                                             error);
    if (!store->put_name)
        return false;
    store->put_value =
        scen_sweep_sql_prepare(store, "INSERT INTO figure_values VALUES (?, ?, ?)", error);
    if (!store->put_value)
        return false;
    store->put_timing = scen_sweep_sql_prepare(store, "INSERT INTO timing VALUES (?, ?)", error);
    return store->put_timing != NULL;
}

static void copy_head(ScenSweepStore *store, const ScenSweepHead *head)
{
    GPtrArray *paths = store->head.paths;
    store->head = *head;
    store->head.paths = paths;
    for (guint i = 0; i < head->paths->len; i++)
        g_ptr_array_add(paths, g_string_chunk_insert(store->strings, head->paths->pdata[i]));
    const char **texts[] = {&store->head.name, &store->head.scenario, &store->head.version,
                            &store->head.figure};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = *texts[i] ? g_string_chunk_insert(store->strings, *texts[i]) : NULL;
}

/* Drops what a database of ours holds. */
static bool empty(ScenSweepStore *store, GError **error)
{
    return scen_sweep_schema_read(store, error) &&
           scen_sweep_sql_run(store,
                              "BEGIN IMMEDIATE; DROP VIEW IF EXISTS results; DROP VIEW figures;"
                              "DROP TABLE figure_values; DROP TABLE figure_names;"
                              "DROP TABLE timing; DROP TABLE points; DROP TABLE sweep; COMMIT",
                              error);
}

/* Makes the tables, or finds them made for @head (NULL: whatever they were made for). */
static bool settle(ScenSweepStore *store, const ScenSweepHead *head, ScenSweepTake take,
                   GError **error)
{
    int64_t tables = 0;
    if (!scen_sweep_sql_number(store, "SELECT count(*) FROM sqlite_master", &tables, error) ||
        (tables > 0 && take.fresh && !empty(store, error)))
        return false;
    if (tables > 0 && !take.fresh)
        return scen_sweep_schema_read(store, error) &&
               scen_sweep_schema_check(store, head, take, error);
    g_ptr_array_set_size(store->head.paths, 0);
    copy_head(store, head);
    return scen_sweep_schema_make(store, error);
}

ScenSweepStore *scen_sweep_store_open(const char *path, const ScenSweepHead *head,
                                      ScenSweepTake take, GError **error)
{
    g_autoptr(ScenSweepStore) store = scen_sweep_store_new(path);
    store->version = head->version;
    if (!lock(store, error) || !scen_sweep_store_connect(store, error) ||
        !settle(store, head, take, error) ||
        !scen_sweep_sql_run(store, "PRAGMA journal_mode = WAL", error) ||
        !scen_sweep_sql_run(store, "PRAGMA synchronous = NORMAL", error) || !prepare(store, error))
        return NULL;
    return g_steal_pointer(&store);
}

ScenSweepStore *scen_sweep_store_new(const char *path)
{
    ScenSweepStore *store = g_new0(ScenSweepStore, 1);
    store->path = g_strdup(path);
    store->lock = -1;
    store->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    store->strings = g_string_chunk_new(1024);
    store->head.paths = g_ptr_array_new();
    return store;
}

void scen_sweep_store_close(ScenSweepStore *store)
{
    if (!store)
        return;
    if (store->db && !sqlite3_get_autocommit(store->db))
        scen_sweep_sql_run(store, "COMMIT", NULL);
    g_clear_pointer(&store->put_point, sqlite3_finalize);
    g_clear_pointer(&store->put_name, sqlite3_finalize);
    g_clear_pointer(&store->put_value, sqlite3_finalize);
    g_clear_pointer(&store->put_timing, sqlite3_finalize);
    sqlite3_close(store->db);
    if (store->lock >= 0)
        close(store->lock);
    g_hash_table_unref(store->names);
    g_ptr_array_unref(store->head.paths);
    g_string_chunk_free(store->strings);
    g_free(store->path);
    g_free(store);
}

const ScenSweepHead *scen_sweep_store_head(const ScenSweepStore *store)
{
    return &store->head;
}

bool scen_sweep_store_done(ScenSweepStore *store, bool *done, int64_t count, GError **error)
{
    g_autoptr(sqlite3_stmt) points =
        scen_sweep_sql_prepare(store, "SELECT point FROM points ORDER BY point", error);
    int more = points ? scen_sweep_sql_step(store, points, error) : -1;
    for (; more > 0; more = scen_sweep_sql_step(store, points, error)) {
        int64_t point = sqlite3_column_int64(points, 0);
        if (point >= 1 && point <= count)
            done[point - 1] = true;
    }
    return more == 0;
}

/* Puts @value of the input @path into column @column: a number where it is one. */
static void bind_input(sqlite3_stmt *statement, int column, const char *path, const char *value)
{
    const ScenField *field = scen_sweep_field(path, (ScenMark){0}, NULL);
    double number = 0.0;
    if (field && field->kind == SCEN_INT)
        sqlite3_bind_int64(statement, column, g_ascii_strtoll(value, NULL, 10));
    else if (field && field->kind == SCEN_NUMBER)
        sqlite3_bind_double(statement, column, g_ascii_strtod(value, NULL));
    else if (field && field->kind == SCEN_BOOL)
        sqlite3_bind_int(statement, column, g_str_equal(value, "true"));
    else if (field && field->kind == SCEN_QUANTITY &&
             scen_quantity_parse(value, field->dimension, &number, NULL))
        sqlite3_bind_double(statement, column, number);
    else
        sqlite3_bind_text(statement, column, value, -1, SQLITE_TRANSIENT);
}

static void bind_inputs(ScenSweepStore *store, char *const *sets)
{
    for (size_t i = 0; sets[i]; i++) {
        const char *equals = strchr(sets[i], '=');
        g_autofree char *path = g_strndup(sets[i], (gsize)(equals - sets[i]));
        guint column = 0;
        if (g_ptr_array_find_with_equal_func(store->head.paths, path, g_str_equal, &column))
            bind_input(store->put_point, (int)column + SCEN_SWEEP_COLUMN_COUNT + 1, path,
                       equals + 1);
    }
}

/* @sets as options of a shell. */
static char *settings_text(char *const *sets)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._=+-/:@%,";
    GString *text = g_string_new(NULL);
    for (size_t i = 0; sets[i]; i++) {
        bool safe = strspn(sets[i], plain) == strlen(sets[i]);
        g_autofree char *quoted = safe ? g_strdup(sets[i]) : g_shell_quote(sets[i]);
        g_string_append_printf(text, "%s--set %s", i > 0 ? " " : "", quoted);
    }
    return g_string_free(text, FALSE);
}

static bool put_row(ScenSweepStore *store, int64_t point, char *const *sets,
                    const ScenPointOutcome *outcome, GError **error)
{
    sqlite3_stmt *row = store->put_point;
    g_autofree char *settings = settings_text(sets);
    sqlite3_reset(row);
    sqlite3_clear_bindings(row);
    sqlite3_bind_int64(row, 1, point);
    sqlite3_bind_text(row, 2, scen_point_status_name(outcome->status), -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 3, outcome->error, -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 4, outcome->seed);
    sqlite3_bind_text(row, 5, settings, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 6, outcome->digest, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 7, store->version, -1, SQLITE_STATIC);
    bind_inputs(store, sets);
    return scen_sweep_sql_step(store, row, error) == 0;
}

/* The id of the figure @name, which is put when it is met first; -1 and @error. */
static int64_t id_of(ScenSweepStore *store, const char *name, GError **error)
{
    enum { HEX_DIGITS = 12 };
    const gint64 *known = g_hash_table_lookup(store->names, name);
    if (known)
        return *known;
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    digest[HEX_DIGITS] = '\0';
    gint64 id = (gint64)(g_ascii_strtoull(digest, NULL, 16) >> 1);
    sqlite3_reset(store->put_name);
    sqlite3_bind_int64(store->put_name, 1, id);
    sqlite3_bind_text(store->put_name, 2, name, -1, SQLITE_TRANSIENT);
    if (scen_sweep_sql_step(store, store->put_name, error) < 0)
        return -1;
    g_hash_table_insert(store->names, g_strdup(name), g_memdup2(&id, sizeof id));
    return id;
}

static bool put_figures(ScenSweepStore *store, int64_t point, ScenPointOutcome outcome,
                        GError **error)
{
    double value = 0.0;
    for (const char *name = scen_point_outcome_next(&outcome, &value); name;
         name = scen_point_outcome_next(&outcome, &value)) {
        int64_t id = id_of(store, name, error);
        if (id < 0)
            return false;
        sqlite3_reset(store->put_value);
        sqlite3_bind_int64(store->put_value, 1, point);
        sqlite3_bind_int64(store->put_value, 2, id);
        sqlite3_bind_double(store->put_value, 3, value);
        if (scen_sweep_sql_step(store, store->put_value, error) < 0)
            return false;
    }
    return true;
}

bool scen_sweep_store_put(ScenSweepStore *store, int64_t point, char *const *sets, GBytes *bytes,
                          GError **error)
{
    ScenPointOutcome outcome = scen_point_outcome_read(bytes);
    if (sqlite3_get_autocommit(store->db) && !scen_sweep_sql_run(store, "BEGIN IMMEDIATE", error))
        return false;
    sqlite3_reset(store->put_timing);
    sqlite3_bind_int64(store->put_timing, 1, point);
    sqlite3_bind_double(store->put_timing, 2, outcome.seconds);
    if (!put_row(store, point, sets, &outcome, error) ||
        !put_figures(store, point, outcome, error) ||
        scen_sweep_sql_step(store, store->put_timing, error) < 0)
        return false;
    store->waiting_s += outcome.seconds;
    return store->waiting_s < BATCH_S || scen_sweep_store_commit(store, error);
}

bool scen_sweep_store_commit(ScenSweepStore *store, GError **error)
{
    store->waiting_s = 0.0;
    return sqlite3_get_autocommit(store->db) || scen_sweep_sql_run(store, "COMMIT", error);
}

bool scen_sweep_store_finish(ScenSweepStore *store, GError **error)
{
    return scen_sweep_store_commit(store, error) && scen_sweep_schema_view(store, error);
}
