/* `orrery sweep`: all points of a scenario's `sweep:`, into a database; or parts of one, merged.
 *
 * SIGINT and SIGTERM (which batch systems send before they kill) are held back in all threads and
 * looked for between points, so that a sweep that is broken off keeps all that it has. */
#include "scen_cmd.h"
#include "scen_errors.h"
#include "scen_hands.h"
#include "scen_options.h"
#include "scen_sweep_run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ERRORS_SHOWN = 5 };

static const ScenUsage usage = {
    .command = "sweep",
    .arguments = "SCENARIO.yaml",
    .summary =
        "Runs the points of the scenario's `sweep:` (grids, lists, ranges, seeds over any path)\n"
        "and keeps inputs and figures of each in an SQLite database, NAME.sqlite here. A sweep\n"
        "that was broken off, even killed, goes on where it was: run it again. A point that\n"
        "fails is kept with its error, and the sweep goes on. In the database, `results` has a\n"
        "row a point and a column an input and a figure:\n"
        "\n"
        "  sqlite3 NAME.sqlite 'SELECT \"plan.tensor\", \"training.step_time_s\" FROM results'\n"
        "\n"
        "With --merge: one database of the parts that --shard or --points made.\n"
        "\n"
        "Exit status 0: done, or as far as --limit goes. 1: no point is ok, or the sweep was\n"
        "interrupted. 2: the scenario, the command line or the database is wrong; points that\n"
        "are wrong are rows, not failures. 3: some point met a fault of Orrery's own.",
};

typedef struct Options {
    char **files, **sets;
    char *db, *csv, *points, *shard, *merge;
    gint threads;
    gint64 limit;
    gboolean fresh, any_version, quiet;
    ScenSweepShare share;
} Options;

static void options_clear(Options *options)
{
    g_strfreev(options->files);
    g_strfreev(options->sets);
    g_free(options->db);
    g_free(options->csv);
    g_free(options->points);
    g_free(options->shard);
    g_free(options->merge);
}

/* Reads "A@betweenB" of whole numbers from 1. */
static bool read_pair(const char *text, const char *between, int64_t *first, int64_t *second)
{
    g_auto(GStrv) parts = g_strsplit(text, between, -1);
    guint64 pair[2] = {0};
    if (g_strv_length(parts) != 2)
        return false;
    for (int i = 0; i < 2; i++)
        if (!g_ascii_string_to_unsigned(parts[i], 10, 1, SCEN_SWEEP_POINTS_MAX, &pair[i], NULL))
            return false;
    *first = (int64_t)pair[0];
    *second = (int64_t)pair[1];
    return true;
}

/* Checks what the parser cannot; NULL: nothing is wrong. */
static const char *complaint(Options *o)
{
    guint count = o->files ? g_strv_length(o->files) : 0;
    ScenSweepShare *share = &o->share;
    *share = (ScenSweepShare){.first = 1, .shard = 1, .shards = 1, .limit = o->limit};
    if (o->merge && (o->sets || o->points || o->shard || o->limit || o->db))
        return "--merge takes parts and --csv, and runs nothing";
    if (o->merge ? count < 1 : count != 1)
        return o->merge ? "--merge needs at least one part" : "needs one scenario";
    if (o->threads < 0 || o->limit < 0)
        return "--threads and --limit are 0 or more";
    if (o->points &&
        (!read_pair(o->points, "..", &share->first, &share->last) || share->first > share->last))
        return "--points is A..B, from 1";
    if (o->shard &&
        (!read_pair(o->shard, "/", &share->shard, &share->shards) || share->shard > share->shards))
        return "--shard is I/N, with I from 1 to N";
    return NULL;
}

static bool parse(Options *o, char **argv, ScenExit *status)
{
    const GOptionEntry entries[] = {
        {"set",       's', 0, G_OPTION_ARG_STRING_ARRAY, &o->sets, "Change a value of the scenario",
         "KEY=VALUE"},
        {"db",          0, 0, G_OPTION_ARG_FILENAME, &o->db,
         "Database of the results (default: the scenario's name with .sqlite, here)", "FILE"},
        {"csv",   0, 0, G_OPTION_ARG_FILENAME, &o->csv, "Also write all points as CSV, a line each",
         "FILE"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &o->threads,
         "Points at a time (default: one a processor, under mpirun one a process); the results are "
         "the "
         "same", "N"},
        {"limit",        0, 0, G_OPTION_ARG_INT64, &o->limit, "Run at most N of the missing points", "N"},
        {"points",          0, 0, G_OPTION_ARG_STRING, &o->points, "Only points from A to B", "A..B"},
        {"shard",     0, 0, G_OPTION_ARG_STRING, &o->shard,
         "Only part I of N, every N-th point: for jobs of a batch system", "I/N"},
        {"merge",     0, 0, G_OPTION_ARG_FILENAME, &o->merge,
         "Instead: merge the databases that are named into FILE", "FILE"},
        {"fresh",       0, 0, G_OPTION_ARG_NONE, &o->fresh, "Empty the database first", NULL},
        {"any-version",          0, 0, G_OPTION_ARG_NONE, &o->any_version,
         "Keep rows that another version of Orrery or of its catalogs made", NULL},
        {"quiet",    'q', 0, G_OPTION_ARG_NONE, &o->quiet, "No progress, no summary", NULL},
        {G_OPTION_REMAINING,      0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files, NULL, NULL},
        {0  },
    };
    if (!scen_options_parse(&usage, entries, argv, status))
        return false;
    const char *wrong = complaint(o);
    if (wrong)
        *status = scen_options_wrong(&usage, "%s", wrong);
    return !wrong;
}

static void signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

static bool is_interrupted(void *ctx)
{
    (void)ctx;
    sigset_t set;
    return sigpending(&set) == 0 && (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM));
}

/* At most ten times a second. */
static void show_progress(void *ctx, int64_t done, int64_t all, int64_t failed, double seconds)
{
    double *shown = ctx;
    if (done < all && seconds < *shown + 0.1)
        return;
    *shown = seconds;
    double left_s = seconds / (double)done * (double)(all - done);
    fprintf(stderr,
            "\r%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " points, %" G_GINT64_FORMAT
            " not ok, %.3g /s, %.0f:%02.0f left\033[K",
            done, all, failed, (double)done / seconds,
            (left_s - (double)((int64_t)left_s % 60)) / 60.0, (double)((int64_t)left_s % 60));
}

static char *database_of(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    if (g_str_has_suffix(name, ".yaml"))
        name[strlen(name) - strlen(".yaml")] = '\0';
    return g_strconcat(name, ".sqlite", NULL);
}

static bool print_best(ScenSweepStore *store, GError **error)
{
    ScenSweepWinner winner;
    bool found = scen_sweep_store_best(store, &winner, error);
    if (found && winner.point > 0)
        printf("Best %s: %.6g, point %" G_GINT64_FORMAT "\n  %s\n", winner.figure, winner.value,
               winner.point, winner.settings);
    g_free(winner.settings);
    return found;
}

/* The summary; the exit status that the database deserves goes to @status. */
static bool conclude(const Options *o, ScenSweepStore *store, ScenExit *status, GError **error)
{
    const ScenSweepHead *head = scen_sweep_store_head(store);
    int64_t counts[SCEN_POINT_STATUS_COUNT] = {0}, all = 0;
    g_autofree char *errors = scen_sweep_store_errors(store, ERRORS_SHOWN, error);
    if (!errors || (o->csv && !scen_sweep_store_csv(store, o->csv, error)) ||
        !scen_sweep_store_counts(store, counts, error))
        return false;
    for (int s = 0; s < SCEN_POINT_STATUS_COUNT; s++)
        all += counts[s];
    *status = counts[SCEN_POINT_FAULT] > 0                        ? SCEN_EXIT_FAULT
              : counts[SCEN_POINT_OK] == 0 && all >= head->points ? SCEN_EXIT_NO
                                                                  : SCEN_EXIT_OK;
    if (o->quiet)
        return true;
    printf("%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " points", head->name, all,
           head->points);
    for (int s = 0; s < SCEN_POINT_STATUS_COUNT; s++)
        if (counts[s] > 0)
            printf(", %" G_GINT64_FORMAT " %s", counts[s],
                   scen_point_status_name((ScenPointStatus)s));
    puts("");
    bool printed = print_best(store, error);
    if (*errors)
        printf("Most frequent reasons of the others\n%s", errors);
    return printed;
}

static ScenSweepTake take_of(const Options *options)
{
    return (ScenSweepTake){.fresh = options->fresh, .any_version = options->any_version};
}

static bool merge(const Options *options, ScenExit *status, GError **error)
{
    g_autoptr(ScenSweepStore) store = scen_sweep_store_merge(
        options->merge, (const char *const *)options->files, take_of(options), error);
    return store && scen_sweep_store_finish(store, error) &&
           conclude(options, store, status, error);
}

/* Runs the points into @store, or, where it is NULL, helps the process that has one. */
static bool fill(const Options *o, const SimFarm *farm, const ScenVariants *variants,
                 ScenSweepStore *store, ScenExit *status, GError **error)
{
    double shown = 0.0;
    bool shows = isatty(STDERR_FILENO) && !o->quiet && store;
    ScenSweepTally tally;
    const ScenSweepOptions how = {
        .share = o->share,
        .farm = farm,
        .stops = is_interrupted,
        .progress = shows ? show_progress : NULL,
        .ctx = &shown,
    };
    g_autoptr(ScenSweepPlan) plan = scen_sweep_plan_new(variants);
    sigset_t set;
    signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    bool ran = scen_sweep_run(plan, store, &how, &tally, error);
    if (shows)
        fputs("\r\033[K", stderr);
    if (!ran || !store)
        return ran;
    if (!conclude(o, store, status, error))
        return false;
    if (tally.stopped)
        *status = SCEN_EXIT_NO;
    if (tally.left > 0 && !o->quiet)
        printf("%" G_GINT64_FORMAT " points are missing: run it again to go on\n", tally.left);
    return true;
}

static bool run(const Options *o, const SimFarm *farm, ScenExit *status, GError **error)
{
    g_autoptr(ScenVariants) variants =
        scen_variants_new(o->files[0], (const char *const *)o->sets, error);
    if (!variants)
        return false;
    const ScenScenario *base = scen_variants_base(variants);
    if (base->sweep.points == 0) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s has no `sweep:`", o->files[0]);
        return false;
    }
    if (farm->is_worker)
        return fill(o, farm, variants, NULL, status, error);
    g_autofree char *db = o->db ? g_strdup(o->db) : database_of(o->files[0]);
    g_autofree char *text = scen_variants_text(variants), *catalogs = scen_catalogs_digest();
    g_autofree char *version = g_strdup_printf("%s+%.12s", scen_version(), catalogs);
    g_autoptr(GPtrArray) paths = scen_sweep_paths(&base->sweep);
    guint seed = 0;
    if (g_ptr_array_find_with_equal_func(paths, "seed", g_str_equal, &seed))
        g_ptr_array_remove_index(paths, seed); /* which every row has a column for */
    const ScenSweepHead head = {
        .name = base->name,
        .scenario = text,
        .version = version,
        .points = base->sweep.points,
        .figure = base->sweep.figure,
        .best = base->sweep.best,
        .paths = paths,
    };
    g_autoptr(ScenSweepStore) store = scen_sweep_store_open(db, &head, take_of(o), error);
    return store && fill(o, farm, variants, store, status, error);
}

ScenExit scen_cmd_sweep(int argc, char **argv)
{
    (void)argc;
    Options options = {0};
    ScenHands hands = {0};
    ScenExit status = SCEN_EXIT_OK;
    g_autoptr(GError) error = NULL;
    if (!parse(&options, argv, &status)) {
        options_clear(&options);
        return status;
    }
    if (options.merge && scen_hands_is_worker())
        status = SCEN_EXIT_OK;
    else if (options.merge)
        merge(&options, &status, &error);
    else if (scen_hands_open(&hands, options.threads, options.files[0], &error))
        run(&options, &hands.farm, &status, &error);
    options_clear(&options);
    return scen_hands_close(&hands, status, error);
}
