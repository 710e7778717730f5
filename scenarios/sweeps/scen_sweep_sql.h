/** Shared by the files of the store: the connection and short ways to speak to it. */
#ifndef SCEN_SWEEP_SQL_H
#define SCEN_SWEEP_SQL_H

#include "scen_sweep_store.h"

#include <sqlite3.h>

/** First columns of the table points; inputs follow. */
#define SCEN_SWEEP_COLUMNS "point, status, error, seed, settings, digest, version"
enum { SCEN_SWEEP_COLUMN_COUNT = 7 };

struct ScenSweepStore {
    char *path;
    int lock; /* descriptor of the lock file, -1: none */
    sqlite3 *db;
    sqlite3_stmt *put_point, *put_name, *put_value, *put_timing;
    GHashTable *names;   /* of figures, to gint64 ids; looked up, never walked */
    double waiting_s;    /* work that is not committed */
    const char *version; /* of this program, borrowed from whoever opened it */
    ScenSweepHead head;
    GStringChunk *strings; /* of the head */
};

/** False and @error with the database's own words, when @code is no success. */
bool scen_sweep_sql_check(ScenSweepStore *store, int code, GError **error);

/** Runs @sql, which answers nothing. */
bool scen_sweep_sql_run(ScenSweepStore *store, const char *sql, GError **error);

/** A statement; NULL and @error. Free with sqlite3_finalize(). */
sqlite3_stmt *scen_sweep_sql_prepare(ScenSweepStore *store, const char *sql, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/** Steps @statement: 1 there is a row, 0 there is none (any more), -1 and @error. */
int scen_sweep_sql_step(ScenSweepStore *store, sqlite3_stmt *statement, GError **error);

/** The whole number that @sql answers. */
bool scen_sweep_sql_number(ScenSweepStore *store, const char *sql, int64_t *number, GError **error);

/** @name as SQL takes it for a column. The caller owns it. */
char *scen_sweep_sql_quote(const char *name);

/** Makes the tables and the head of an empty database. */
bool scen_sweep_schema_make(ScenSweepStore *store, GError **error);

/** Holds the head that the database has to @head. */
bool scen_sweep_schema_check(ScenSweepStore *store, const ScenSweepHead *head, ScenSweepTake take,
                             GError **error);

/** Fills @store->head from the database. */
bool scen_sweep_schema_read(ScenSweepStore *store, GError **error);

/** Makes the view `results` anew. */
bool scen_sweep_schema_view(ScenSweepStore *store, GError **error);

/** A store of the file @path that nothing was done with. Free with scen_sweep_store_close(). */
ScenSweepStore *scen_sweep_store_new(const char *path);

/** Opens the file of @store without looking into it. */
bool scen_sweep_store_connect(ScenSweepStore *store, GError **error);

/** Commits what was put. */
bool scen_sweep_store_commit(ScenSweepStore *store, GError **error);

#endif
