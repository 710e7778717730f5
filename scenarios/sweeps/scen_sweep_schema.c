/* The tables of a sweep's database, whose comments SQLite keeps (`.schema` shows them).
 *
 * Figures are a long table (point, figure, value): points differ in which figures they have (a
 * pipeline of 4 stages has four times the memory rows of one of 1), and tables cannot grow columns
 * for ever. The view `results` is the wide form: a column an input and a figure, each figure a look-up
 * by key, so that a query pays for the columns that it names and for no others.
 *
 * A figure's id is a hash of its name rather than a count, so that it is the same whatever point came
 * first, in every part of a sweep, and parts merge as they are. 47 bits take 6 bytes a row, and of
 * n = 3000 names two collide with odds of n^2 / 2^48 = 3e-8; a table of names that takes each id once
 * turns that into an error.
 *
 * What differs between two runs of one sweep, the wall clock, is in a table of its own: all other
 * tables are equal row for row, however often and where a run was broken off. */
#include "scen_sweep_sql.h"

#include <string.h>

enum {
    APPLICATION_ID = 0x6f727279, /* "orry" */
    VIEW_COLUMNS_MAX = 1900,     /* SQLite takes 2000 */
};

static const char tables[] =
    "CREATE TABLE sweep (\n"
    "  -- What this database is of: one row.\n"
    "  schema INTEGER NOT NULL,  -- of these tables: 1\n"
    "  name TEXT NOT NULL,       -- of the scenario\n"
    "  points INTEGER NOT NULL,  -- of the whole sweep\n"
    "  version TEXT NOT NULL,    -- of Orrery, + the first digits of the SHA-256 of its catalogs\n"
    "  figure TEXT,              -- that the summary goes by; NULL: by the kind of scenario\n"
    "  best INTEGER NOT NULL,    -- 1: its least value, 2: its most, 0: the figure's own\n"
    "  scenario TEXT NOT NULL    -- with its sweep, on one line of YAML\n"
    ");\n"
    "CREATE TABLE figure_names (\n"
    "  -- Figures: numbers of the answer's JSON, by the keys that lead to them.\n"
    "  id INTEGER PRIMARY KEY,   -- first 47 bits of the name's SHA-256\n"
    "  name TEXT NOT NULL UNIQUE -- training.step_time_s, memory.0.peak_bytes, ...\n"
    ");\n"
    "CREATE TABLE figure_values (\n"
    "  point INTEGER NOT NULL,\n"
    "  id INTEGER NOT NULL,\n"
    "  value REAL NOT NULL,      -- true and false are 1 and 0\n"
    "  PRIMARY KEY (point, id)\n"
    ") WITHOUT ROWID;\n"
    "CREATE TABLE timing (\n"
    "  -- Wall clock of points: the one table that differs from run to run.\n"
    "  point INTEGER PRIMARY KEY,\n"
    "  seconds REAL NOT NULL\n"
    ");\n"
    "CREATE VIEW figures AS\n"
    "  SELECT point, name AS figure, value FROM figure_values JOIN figure_names USING (id);\n";

static const char points_table[] =
    "CREATE TABLE points (\n"
    "  -- A row a point. Inputs follow the fixed columns: numbers as such, quantities in SI units\n"
    "  -- (seconds, bytes, bytes/s, requests/s, dollars), true and false as 1 and 0, NULL where "
    "the\n"
    "  -- point leaves the path as the scenario has it.\n"
    "  point INTEGER PRIMARY KEY, -- from 1, in an order that follows from the section alone\n"
    "  status TEXT NOT NULL,      -- ok; no: does not fit or misses its objectives; wrong: no "
    "such\n"
    "                             -- scenario, or not modelled; fault: of Orrery's own\n"
    "  error TEXT,                -- why, unless ok\n"
    "  seed INTEGER NOT NULL,\n"
    "  settings TEXT NOT NULL,    -- as options of orrery run\n"
    "  digest TEXT,               -- SHA-256 of the point's scenario\n"
    "  -- version is of the Orrery that ran it\n"
    "  version TEXT NOT NULL";

static bool make_points(ScenSweepStore *store, GError **error)
{
    g_autoptr(GString) sql = g_string_new(points_table);
    for (guint i = 0; i < store->head.paths->len; i++) {
        g_autofree char *column = scen_sweep_sql_quote(store->head.paths->pdata[i]);
        g_string_append_printf(sql, ",\n  %s", column);
    }
    g_string_append(sql, "\n);");
    return scen_sweep_sql_run(store, sql->str, error);
}

static bool put_head(ScenSweepStore *store, GError **error)
{
    const ScenSweepHead *head = &store->head;
    g_autoptr(sqlite3_stmt) statement =
        scen_sweep_sql_prepare(store, "INSERT INTO sweep VALUES (1, ?, ?, ?, ?, ?, ?)", error);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, head->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, head->points);
    sqlite3_bind_text(statement, 3, head->version, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, head->figure, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 5, (int)head->best);
    sqlite3_bind_text(statement, 6, head->scenario, -1, SQLITE_STATIC);
    return scen_sweep_sql_step(store, statement, error) == 0;
}

bool scen_sweep_schema_make(ScenSweepStore *store, GError **error)
{
    g_autofree char *mark = g_strdup_printf("PRAGMA application_id = %d", APPLICATION_ID);
    return scen_sweep_sql_run(store, "BEGIN IMMEDIATE", error) &&
           scen_sweep_sql_run(store, mark, error) && make_points(store, error) &&
           scen_sweep_sql_run(store, tables, error) && put_head(store, error) &&
           scen_sweep_sql_run(store, "COMMIT", error);
}

static const char *column_text(ScenSweepStore *store, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? g_string_chunk_insert(store->strings, text) : NULL;
}

static bool read_paths(ScenSweepStore *store, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = scen_sweep_sql_prepare(
        store, "SELECT name FROM pragma_table_info('points') ORDER BY cid", error);
    int more = statement ? scen_sweep_sql_step(store, statement, error) : -1;
    for (int column = 0; more > 0; column++) {
        if (column >= SCEN_SWEEP_COLUMN_COUNT)
            g_ptr_array_add(store->head.paths, (void *)column_text(store, statement, 0));
        more = scen_sweep_sql_step(store, statement, error);
    }
    return more == 0;
}

bool scen_sweep_schema_read(ScenSweepStore *store, GError **error)
{
    int64_t mark = 0;
    if (!scen_sweep_sql_number(store, "SELECT application_id FROM pragma_application_id", &mark,
                               error))
        return false;
    if (mark != APPLICATION_ID) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s is no database of orrery sweep",
                    store->path);
        return false;
    }
    g_autoptr(sqlite3_stmt) statement = scen_sweep_sql_prepare(
        store, "SELECT name, points, version, figure, best, scenario FROM sweep", error);
    if (!statement || scen_sweep_sql_step(store, statement, error) != 1)
        return false;
    store->head.name = column_text(store, statement, 0);
    store->head.points = sqlite3_column_int64(statement, 1);
    store->head.version = column_text(store, statement, 2);
    store->head.figure = column_text(store, statement, 3);
    store->head.best = (ScenSweepBest)sqlite3_column_int(statement, 4);
    store->head.scenario = column_text(store, statement, 5);
    return read_paths(store, error);
}

bool scen_sweep_schema_check(ScenSweepStore *store, const ScenSweepHead *head, ScenSweepTake take,
                             GError **error)
{
    const ScenSweepHead *own = &store->head;
    if (!g_str_equal(own->scenario, head->scenario) || own->points != head->points)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s was made from another scenario (%s, %" G_GINT64_FORMAT
                    " points): name another file with --db, or empty it with --fresh",
                    store->path, own->name, own->points);
    else if (!g_str_equal(own->version, head->version) && !take.any_version)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s was made by orrery %s, this is %s (the part after the plus is of the "
                    "catalogs): empty it with --fresh, or keep its rows with --any-version",
                    store->path, own->version, head->version);
    else
        return true;
    return false;
}

/* Whether a part of @name is a number: it is an element of a list. */
static bool is_of_list(const char *name)
{
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
        if (g_ascii_isdigit(dot[1]))
            return true;
    return false;
}

/* Adds a column for the figure @name unless an input has that name. */
static void add_column(ScenSweepStore *store, GString *sql, const char *name, int64_t id)
{
    if (g_ptr_array_find_with_equal_func(store->head.paths, name, g_str_equal, NULL))
        return;
    g_autofree char *column = scen_sweep_sql_quote(name);
    g_string_append_printf(sql,
                           ",\n  (SELECT value FROM figure_values AS v WHERE v.point = "
                           "points.point AND v.id = %" G_GINT64_FORMAT ") AS %s",
                           id, column);
}

bool scen_sweep_schema_view(ScenSweepStore *store, GError **error)
{
    int64_t count = 0;
    if (!scen_sweep_sql_number(store, "SELECT count(*) FROM figure_names", &count, error))
        return false;
    int64_t room = VIEW_COLUMNS_MAX - SCEN_SWEEP_COLUMN_COUNT - (int64_t)store->head.paths->len;
    int64_t left = room;
    g_autoptr(GString) sql =
        g_string_new("DROP VIEW IF EXISTS results;\nCREATE VIEW results AS SELECT points.*");
    g_autoptr(sqlite3_stmt) names =
        scen_sweep_sql_prepare(store, "SELECT name, id FROM figure_names ORDER BY name", error);
    int more = names ? scen_sweep_sql_step(store, names, error) : -1;
    for (; more > 0; more = scen_sweep_sql_step(store, names, error)) {
        const char *name = (const char *)sqlite3_column_text(names, 0);
        if ((count > room && is_of_list(name)) || left == 0)
            continue;
        add_column(store, sql, name, sqlite3_column_int64(names, 1));
        left--;
    }
    g_string_append(sql, "\nFROM points;");
    sqlite3_reset(names);
    return more == 0 && scen_sweep_sql_run(store, sql->str, error);
}
