/** Outcomes of a sweep in an SQLite database: created, taken up, merged, read. */
#ifndef SCEN_SWEEP_STORE_H
#define SCEN_SWEEP_STORE_H

#include "scen_sweep_point.h"

/** What a database is of: two runs with equal heads may share one. All borrowed. */
typedef struct ScenSweepHead {
    const char *name;     /* of the scenario */
    const char *scenario; /* with its sweep, on one line */
    const char *version;  /* of Orrery and its catalogs */
    int64_t points;       /* of the whole sweep */
    const char *figure;   /* that is looked at first; NULL: by what there is */
    ScenSweepBest best;   /* which value of it is best */
    GPtrArray *paths;     /* of const char *: a column each */
} ScenSweepHead;

/** How strict it is about a database that is there. */
typedef struct ScenSweepTake {
    bool fresh;       /* empties it */
    bool any_version; /* rows of another version or other catalogs may stay */
} ScenSweepTake;

typedef struct ScenSweepStore ScenSweepStore;

/** Opens the database @path for writing, alone, and makes its tables if it has none. NULL and @error
 *  when it cannot be written, another process has it, it is no sweep's or another one's. */
ScenSweepStore *scen_sweep_store_open(const char *path, const ScenSweepHead *head,
                                      ScenSweepTake take, GError **error);

/** Closes it: what was put stays, whether or not the sweep is complete. */
void scen_sweep_store_close(ScenSweepStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenSweepStore, scen_sweep_store_close)

/** Which points are in: @done[i] of @count tells of point i + 1. */
bool scen_sweep_store_done(ScenSweepStore *store, bool *done, int64_t count, GError **error);

/** Puts the outcome @bytes of @point, which sets @sets ("path=value"). Outcomes that took up to
 *  scen_sweep_store.c's BATCH_S seconds in all may wait for each other before they are committed. */
bool scen_sweep_store_put(ScenSweepStore *store, int64_t point, char *const *sets, GBytes *bytes,
                          GError **error);

/** Merges the databases @parts (NULL-terminated) of one sweep into @path, which is made if it is not
 *  there; a point that is in twice must be equal. The merged database is open; NULL and @error
 *  otherwise. */
ScenSweepStore *scen_sweep_store_merge(const char *path, const char *const *parts,
                                       ScenSweepTake take, GError **error);

/** What the database is of; borrowed. */
const ScenSweepHead *scen_sweep_store_head(const ScenSweepStore *store);

/** Commits, and makes the view of all figures. */
bool scen_sweep_store_finish(ScenSweepStore *store, GError **error);

/** Writes all points as CSV, a line each: see docs/sweeps.md. */
bool scen_sweep_store_csv(ScenSweepStore *store, const char *path, GError **error);

/** Points in the database by ScenPointStatus. */
bool scen_sweep_store_counts(ScenSweepStore *store, int64_t counts[SCEN_POINT_STATUS_COUNT],
                             GError **error);

/** The best point of those that are ok. */
typedef struct ScenSweepWinner {
    int64_t point;      /* 0: none has the figure */
    const char *figure; /* borrowed from the head, or constant */
    double value;
    char *settings; /* owned */
} ScenSweepWinner;

/** Finds the point with the best of the head's figure, or of the first of the usual ones that any
 *  point has; the first of equals. */
bool scen_sweep_store_best(ScenSweepStore *store, ScenSweepWinner *winner, GError **error);

/** The most frequent reasons, at most @most, why points are not ok, a line each with how many; of "no"
 *  without its figures. NULL and @error. The caller owns it. */
char *scen_sweep_store_errors(ScenSweepStore *store, int most, GError **error);

#endif
