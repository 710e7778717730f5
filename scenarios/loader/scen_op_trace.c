/* Operation traces: one row an operation of one worker, a worker being (dp, pp).
 *
 *   step, dp, pp   whole numbers from 0
 *   op             a kind of strat_replay_kind.c
 *   start_us       from any origin that the workers of a step share, in microseconds
 *   dur_us         from the start to the end, waiting included; a little below 0 where the profiler
 *                  corrected a clock in between, down to the 10 ms that Lin et al.'s artifact bears
 *                  (StragglerAnalysis, analyzer/wia.py)
 *
 * Rows come in any order; equal starts of one worker keep theirs. Microbatches need no column: the
 * n-th pass of a stage meets the n-th of the next. */
#include "scen_op_trace.h"

#include "scen_csv.h"
#include "scen_errors.h"
#include "scen_names.h"

#include <math.h>

enum { WORKERS_MOST = 1 << 20, CLOCK_SLACK_US = 10000 };

typedef enum Column { STEP, DP, PP, OP, START, DURATION, COLUMNS } Column;

static const char *const column_names[COLUMNS] = {"step", "dp", "pp", "op", "start_us", "dur_us"};

static bool find_columns(const ScenCsv *csv, int columns[COLUMNS], GError **error)
{
    for (Column c = 0; c < COLUMNS; c++) {
        columns[c] = scen_csv_column(csv, column_names[c]);
        if (columns[c] < 0)
            return scen_csv_fail(csv, error,
                                 "no column '%s': an operation trace has step, dp, pp, op, "
                                 "start_us and dur_us",
                                 column_names[c]);
    }
    return true;
}

static bool unknown_kind(const ScenCsv *csv, const char *name, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (StratReplayKind kind = 0; kind < STRAT_REPLAY_KINDS; kind++)
        g_ptr_array_add(known, (void *)strat_replay_kind(kind)->name);
    g_autofree char *advice = scen_names_advice(name, known);
    return scen_csv_fail(csv, error, "unknown operation '%s'%s", name, advice);
}

static bool read_worker(const ScenCsv *csv, int column, int32_t *worker, GError **error)
{
    int64_t number = 0;
    if (!scen_csv_integer(csv, column, 0, -1, &number, error))
        return false;
    if (number >= WORKERS_MOST)
        return scen_csv_fail(csv, error, "dp and pp must be below %d, not %" G_GINT64_FORMAT,
                             WORKERS_MOST, number);
    *worker = (int32_t)number;
    return true;
}

/* Up to 2^52 us (143 years), so that sums of two stay in range. */
static bool read_time(const ScenCsv *csv, int column, double least_us, SimTime *time_ns,
                      GError **error)
{
    double us = 0.0;
    if (!scen_csv_number(csv, column, least_us, &us, error))
        return false;
    if (us > 4503599627370496.0)
        return scen_csv_fail(csv, error, "a time must be below 2^52 us, not %s",
                             scen_csv_text(csv, column));
    *time_ns = llround(us * 1e3);
    return true;
}

static bool read_op(const ScenCsv *csv, const int columns[COLUMNS], StratReplayOp *op,
                    GError **error)
{
    const char *name = scen_csv_text(csv, columns[OP]);
    return scen_csv_integer(csv, columns[STEP], 0, -1, &op->step, error) &&
           read_worker(csv, columns[DP], &op->dp, error) &&
           read_worker(csv, columns[PP], &op->pp, error) &&
           (strat_replay_kind_by_name(name, &op->kind) || unknown_kind(csv, name, error)) &&
           read_time(csv, columns[START], 0.0, &op->start_ns, error) &&
           read_time(csv, columns[DURATION], -CLOCK_SLACK_US, &op->duration_ns, error);
}

StratReplay *scen_op_trace_read(const char *path, GError **error)
{
    int columns[COLUMNS];
    g_autoptr(ScenCsv) csv = scen_csv_open(path, error);
    if (!csv || !find_columns(csv, columns, error))
        return NULL;
    g_autoptr(GArray) ops = g_array_new(FALSE, FALSE, sizeof(StratReplayOp));
    g_autoptr(GError) cause = NULL;
    while (scen_csv_next(csv, &cause)) {
        StratReplayOp op;
        if (!read_op(csv, columns, &op, error))
            return NULL;
        g_array_append_val(ops, op);
    }
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    StratReplay *replay =
        strat_replay_new((const StratReplayOp *)(void *)ops->data, ops->len, &cause);
    if (!replay)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: %s", path, cause->message);
    return replay;
}
