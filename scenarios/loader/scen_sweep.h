/** Points of a sweep: the `sweep:` of a scenario, and which settings each of its points has. */
#ifndef SCEN_SWEEP_H
#define SCEN_SWEEP_H

#include "scen_errors.h"

#define SCEN_SWEEP_VALUES_MAX 1000000   /* of one path */
#define SCEN_SWEEP_POINTS_MAX 100000000 /* of one sweep */

/** One path at one value, as --set takes them. Texts belong to the scenario. */
typedef struct ScenSetting {
    const char *path;  /* "plan.tensor" */
    const char *value; /* YAML on one line */
    ScenMark mark;     /* of the value; its file belongs to the scenario as well */
} ScenSetting;

/** A path of `grid:` and all its values. */
typedef struct ScenSweepAxis {
    GArray *settings; /* of ScenSetting with one path; owned */
    ScenMark mark;    /* of the path */
} ScenSweepAxis;

typedef enum ScenSweepBest {
    SCEN_SWEEP_DEFAULT, /* the figure's own way */
    SCEN_SWEEP_LEAST,
    SCEN_SWEEP_MOST,
} ScenSweepBest;

/** What `sweep:` says. Absent lists are NULL. */
typedef struct ScenSweep {
    GArray *grid;       /* of ScenSweepAxis */
    GArray *list;       /* of GArray * of ScenSetting: explicit rows */
    GArray *seeds;      /* of int64_t */
    GArray *figures;    /* of const char *: patterns of the figures that are kept; NULL: all */
    const char *figure; /* which is looked at first; NULL: by the kind of scenario */
    ScenSweepBest best;
    int64_t points; /* 0: the scenario has no sweep */
} ScenSweep;

/** Empty lists of ScenSweepAxis and of GArray *, which own what is in them. */
GArray *scen_sweep_axes_new(void);
GArray *scen_sweep_rows_new(void);

/** Frees the lists of @sweep. */
void scen_sweep_clear(ScenSweep *sweep);

/** Fills in @sweep->points: rows of the list x product of the grid x seeds. -1 when there are more
 *  than SCEN_SWEEP_POINTS_MAX. */
void scen_sweep_count(ScenSweep *sweep);

/** What point @point (from 1 to @sweep->points) sets (ScenSetting, borrowed texts): the fewest keys
 *  first, so that a section never wipes out what is set within it. The order of points: seeds turn
 *  fastest, then the grid's last path, its first path, and the list's rows slowest. Its seed goes to
 *  @seed, -1 when the sweep has none. The caller unrefs the array. */
GArray *scen_sweep_settings(const ScenSweep *sweep, int64_t point, int64_t *seed);

/** The paths (const char *, borrowed) that @sweep sets, each once: the list's as they first appear,
 *  then the grid's. The caller unrefs the array. */
GPtrArray *scen_sweep_paths(const ScenSweep *sweep);

#endif
