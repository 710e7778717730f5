/* Short ways to speak to SQLite, whose errors become ours: they are the user's to mend (a full disk,
 * a folder that cannot be written, a file that is no database). */
#include "scen_sweep_sql.h"

bool scen_sweep_sql_check(ScenSweepStore *store, int code, GError **error)
{
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return true;
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: %s", store->path,
                store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code));
    return false;
}

bool scen_sweep_sql_run(ScenSweepStore *store, const char *sql, GError **error)
{
    return scen_sweep_sql_check(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL), error);
}

sqlite3_stmt *scen_sweep_sql_prepare(ScenSweepStore *store, const char *sql, GError **error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    return scen_sweep_sql_check(store, code, error) ? statement : NULL;
}

int scen_sweep_sql_step(ScenSweepStore *store, sqlite3_stmt *statement, GError **error)
{
    int code = sqlite3_step(statement);
    if (!scen_sweep_sql_check(store, code, error))
        return -1;
    return code == SQLITE_ROW ? 1 : 0;
}

bool scen_sweep_sql_number(ScenSweepStore *store, const char *sql, int64_t *number, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = scen_sweep_sql_prepare(store, sql, error);
    if (!statement || scen_sweep_sql_step(store, statement, error) < 0)
        return false;
    *number = sqlite3_column_int64(statement, 0);
    return true;
}

char *scen_sweep_sql_quote(const char *name)
{
    g_autoptr(GString) quoted = g_string_new(name);
    g_string_replace(quoted, "\"", "\"\"", 0);
    return g_strconcat("\"", quoted->str, "\"", NULL);
}
