/* Parts of a sweep, made with --shard or --points, merged into one database.
 *
 * Rows are copied as they are: points, ids of figures and values do not depend on the part that they
 * came from. Each part is one transaction. A point that is in both must be the same there, row for
 * row (but for its timing): simulations repeat exactly, so a difference means that the parts are of
 * different programs or files, and is refused. */
#include "scen_sweep_sql.h"

static bool is_there(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: no such file", path);
    return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

static bool attach(ScenSweepStore *store, const char *path, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = scen_sweep_sql_prepare(store, "ATTACH ? AS part", error);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
    return scen_sweep_sql_step(store, statement, error) == 0;
}

/* Whether the points that are in both are equal. */
static bool agrees(ScenSweepStore *store, const char *path, GError **error)
{
    static const char *const others[] = {
        "SELECT count(*) FROM (SELECT * FROM part.points WHERE point IN (SELECT point FROM "
        "main.points) EXCEPT SELECT * FROM main.points)",
        "SELECT count(*) FROM (SELECT * FROM part.figure_values WHERE point IN (SELECT point FROM "
        "main.points) EXCEPT SELECT * FROM main.figure_values)",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        int64_t differing = 0;
        if (!scen_sweep_sql_number(store, others[i], &differing, error))
            return false;
        if (differing == 0)
            continue;
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s and %s have the same points with other results (%" G_GINT64_FORMAT
                    " rows of %s)",
                    store->path, path, differing, i == 0 ? "points" : "figures");
        return false;
    }
    return true;
}

static bool add_part(ScenSweepStore *store, const char *path, GError **error)
{
    if (!attach(store, path, error))
        return false;
    bool added =
        agrees(store, path, error) &&
        scen_sweep_sql_run(store,
                           "BEGIN IMMEDIATE;"
                           "INSERT OR IGNORE INTO main.timing SELECT * FROM part.timing;"
                           "INSERT INTO main.figure_names SELECT * FROM part.figure_names WHERE "
                           "true ON CONFLICT (name) DO NOTHING;"
                           "INSERT OR IGNORE INTO main.figure_values SELECT * FROM "
                           "part.figure_values;"
                           "INSERT OR IGNORE INTO main.points SELECT * FROM part.points;"
                           "COMMIT",
                           error);
    if (!added && !sqlite3_get_autocommit(store->db))
        scen_sweep_sql_run(store, "ROLLBACK", NULL);
    return added && scen_sweep_sql_run(store, "DETACH part", error);
}

/* What the database @path is of; the store that owns it must be closed. */
static ScenSweepStore *peek(const char *path, GError **error)
{
    g_autoptr(ScenSweepStore) part = scen_sweep_store_new(path);
    if (!is_there(path, error) || !scen_sweep_store_connect(part, error) ||
        !scen_sweep_schema_read(part, error))
        return NULL;
    return g_steal_pointer(&part);
}

ScenSweepStore *scen_sweep_store_merge(const char *path, const char *const *parts,
                                       ScenSweepTake take, GError **error)
{
    g_autoptr(ScenSweepStore) first = peek(parts[0], error);
    if (!first)
        return NULL;
    g_autoptr(ScenSweepStore) store = scen_sweep_store_open(path, &first->head, take, error);
    if (!store)
        return NULL;
    for (size_t i = 0; parts[i]; i++) {
        g_autoptr(ScenSweepStore) part = peek(parts[i], error);
        if (!part || !scen_sweep_schema_check(part, &first->head, take, error) ||
            !add_part(store, parts[i], error))
            return NULL;
    }
    store->version = NULL;
    return g_steal_pointer(&store);
}
