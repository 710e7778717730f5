/* A training step over time, from the SimRun and its SimProgram as sim_trace.c reads them.
 *
 * The first figure has a lane for each stream of each shown class. A span is a task (forward,
 * backward...), a transfer that the stream waited for, or a gap of the main stream, which is the
 * pipeline bubble. Where that is more spans than a page holds, fewer classes are shown, evenly from
 * the first to the last, at least FEW; then spans of one kind that follow each other become one, and
 * what is still too many is thinned by the page (scen_page_thin.c). Where there are many classes
 * only the first of each stage is looked at.
 *
 * The second figure is one forward and its stage's next backward, in the middle of the step,
 * operation by operation.
 */
#include "scen_run_page.h"

#include "sim_exec.h"

#include <stdlib.h>

enum { MANY = 16, FEW = 2 };

typedef struct Span {
    uint32_t rank_class;
    uint16_t stream;
    SimTime start, end;
    SimTime exposed; /* of it, communication that compute waited for */
    const char *what;
} Span;

/* One pass over a run. */
typedef struct Look {
    const SimProgram *program;
    const SimRun *run;
    GArray **last; /* of each class, NULL: not shown; of each stream the last span in @spans + 1 */
    bool merges;
    GArray *spans; /* of Span */
} Look;

static bool is_exposed(uint16_t bucket)
{
    return strat_bucket_is_comm((StratBucket)bucket) || bucket == STRAT_BUCKET_PIPELINE_COMM ||
           bucket == STRAT_BUCKET_DATA_COMM;
}

static SimTime exposed_of(const SimProgram *program, const SimOp *op, SimTime length)
{
    size_t count;
    SimTime exposed = 0;
    if (sim_op_kind_is_transfer(op->kind))
        return op->stream == SIM_STREAM_MAIN ? length : 0;
    const SimSegment *segments = sim_program_block(program, op->block, &count);
    for (size_t i = 0; i < count; i++)
        exposed += is_exposed(segments[i].bucket) ? segments[i].duration_ns : 0;
    return exposed;
}

static void add_span(Look *look, const Span *span)
{
    guint *last = &g_array_index(look->last[span->rank_class], guint, span->stream);
    Span *before = *last > 0 ? &g_array_index(look->spans, Span, *last - 1) : NULL;
    if (look->merges && before && before->end == span->start &&
        g_str_equal(before->what, span->what)) {
        before->end = span->end;
        before->exposed += span->exposed;
        return;
    }
    g_array_append_vals(look->spans, span, 1);
    *last = look->spans->len;
}

/* What the main stream waited since its last span. */
static void add_gap(Look *look, uint32_t rank_class, SimTime until)
{
    guint last = g_array_index(look->last[rank_class], guint, SIM_STREAM_MAIN);
    Span gap = {.rank_class = rank_class,
                .start = last > 0 ? g_array_index(look->spans, Span, last - 1).end : 0,
                .end = until,
                .what = strat_bucket_title(STRAT_BUCKET_BUBBLE)};
    if (gap.end > gap.start)
        add_span(look, &gap);
}

/* Of a transfer its account, which is called exposed only where it holds the main stream up. */
static const char *what_of(const SimProgram *program, const SimOp *op)
{
    static const char exposed[] = "exposed ";
    if (!sim_op_kind_is_transfer(op->kind))
        return sim_program_label_name(program, op->label);
    const char *title = strat_bucket_title((StratBucket)op->bucket);
    bool beside = op->stream != SIM_STREAM_MAIN && g_str_has_prefix(title, exposed);
    return title + (beside ? sizeof exposed - 1 : 0);
}

static void add_op(Look *look, uint32_t i)
{
    const SimOp *op = sim_program_op(look->program, i);
    SimTime start = look->run->start[i], end = look->run->end[i];
    if (!look->last[op->rank_class] || end == start)
        return;
    if (op->stream == SIM_STREAM_MAIN)
        add_gap(look, op->rank_class, start);
    Span span = {
        .rank_class = op->rank_class,
        .stream = op->stream,
        .start = start,
        .end = end,
        .exposed = exposed_of(look->program, op, end - start),
        .what = what_of(look->program, op),
    };
    add_span(look, &span);
}

static int compare_spans(const void *left, const void *right)
{
    const Span *a = left, *b = right;
    if (a->rank_class != b->rank_class)
        return a->rank_class < b->rank_class ? -1 : 1;
    if (a->stream != b->stream)
        return a->stream < b->stream ? -1 : 1;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* The spans of @shown of @classes (of uint32_t), evenly from the first to the last, lane by lane. */
static GArray *spans_of(const StratTrainResult *result, const GArray *classes, guint shown,
                        bool merges)
{
    const SimProgram *program = result->step->program;
    uint32_t all = sim_program_class_count(program);
    Look look = {.program = program,
                 .run = result->run,
                 .last = g_new0(GArray *, all),
                 .merges = merges,
                 .spans = g_array_new(FALSE, FALSE, sizeof(Span))};
    for (guint i = 0; i < shown; i++) {
        guint at = shown > 1 ? i * (classes->len - 1) / (shown - 1) : 0;
        uint32_t rank_class = g_array_index(classes, uint32_t, at);
        look.last[rank_class] = g_array_new(FALSE, TRUE, sizeof(guint));
        g_array_set_size(look.last[rank_class], sim_program_stream_count(program, rank_class));
    }
    for (uint32_t i = 0; i < result->run->op_count; i++)
        add_op(&look, i);
    for (uint32_t i = 0; i < all; i++) {
        if (!look.last[i])
            continue;
        add_gap(&look, i, result->run->makespan);
        g_array_unref(look.last[i]);
    }
    g_free(look.last);
    qsort(look.spans->data, look.spans->len, sizeof(Span), compare_spans);
    return look.spans;
}

/* All classes or, where they are many, the first of each stage. */
static GArray *classes_of(const StratTrainResult *result)
{
    const SimProgram *program = result->step->program;
    const GArray *tasks = result->step->tasks;
    GArray *classes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t all = sim_program_class_count(program), last = UINT32_MAX;
    if (all <= MANY || !tasks) {
        for (uint32_t i = 0; i < all; i++)
            g_array_append_val(classes, i);
        return classes;
    }
    for (guint i = 0; i < tasks->len; i++) {
        const StratTaskOps *ops = &g_array_index(tasks, StratTaskOps, i);
        uint32_t rank_class = sim_program_op(program, ops->first)->rank_class;
        if (rank_class != last)
            g_array_append_val(classes, rank_class);
        last = rank_class;
    }
    return classes;
}

static char *lane_of(const SimProgram *program, const Span *span)
{
    const char *name = sim_program_class_name(program, span->rank_class);
    if (span->stream == SIM_STREAM_MAIN)
        return g_strdup(name);
    return g_strdup_printf("%s, %s", name,
                           sim_program_stream_name(program, span->rank_class, span->stream));
}

static void add_columns(ScenPageFigure *figure, const char *lane)
{
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_LANE, lane, NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Start", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_END, "End", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Length", NULL);
}

static void add_step(ScenPage *page, const StratTrainResult *result)
{
    const SimProgram *program = result->step->program;
    g_autoptr(GArray) classes = classes_of(result);
    guint shown = MIN(classes->len, MANY);
    g_autoptr(GArray) spans = spans_of(result, classes, shown, false);
    for (; spans->len > SCEN_PAGE_ROWS_MAX && shown > FEW; shown--) {
        g_array_unref(spans);
        spans = spans_of(result, classes, shown - 1, false);
    }
    bool merges = spans->len > SCEN_PAGE_ROWS_MAX;
    if (merges) {
        g_array_unref(spans);
        spans = spans_of(result, classes, shown, true);
    }
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_SPANS, "timeline", "The step by stage",
                         "What each stream does from the beginning of the step to its end. Drag "
                         "the handles below, or "
                         "turn the wheel with Ctrl held, to zoom.");
    add_columns(figure, "Stream");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "What", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Of it exposed communication", NULL);
    for (guint i = 0; i < spans->len; i++) {
        const Span *span = &g_array_index(spans, Span, i);
        g_autofree char *lane = lane_of(program, span);
        scen_page_cell_text(figure, lane);
        scen_page_cell(figure, sim_time_to_seconds(span->start));
        scen_page_cell(figure, sim_time_to_seconds(span->end));
        scen_page_cell(figure, sim_time_to_seconds(span->end - span->start));
        scen_page_cell_text(figure, span->what);
        scen_page_cell(figure, sim_time_to_seconds(span->exposed));
    }
    g_autofree char *remark =
        g_strdup_printf("Shown: %u of %u rank classes%s.", shown, sim_program_class_count(program),
                        merges ? "; what follows itself without a gap is one span" : "");
    scen_page_remark(figure, remark);
}

/* The operations of @ops on the main stream, from its start. */
static void add_task(ScenPageFigure *figure, const StratTrainResult *result,
                     const StratTaskOps *ops)
{
    const SimProgram *program = result->step->program;
    const SimOp *first = sim_program_op(program, ops->first);
    SimTime origin = result->run->start[ops->first];
    for (uint32_t i = ops->first; i <= ops->last; i++) {
        const SimOp *op = sim_program_op(program, i);
        SimTime at = result->run->start[i] - origin;
        size_t count;
        if (op->rank_class != first->rank_class || op->stream != SIM_STREAM_MAIN ||
            sim_op_kind_is_transfer(op->kind))
            continue;
        const SimSegment *segments = sim_program_block(program, op->block, &count);
        for (size_t s = 0; s < count; at += segments[s].duration_ns, s++) {
            if (segments[s].duration_ns == 0)
                continue;
            scen_page_cell_text(figure, sim_program_label_name(program, first->label));
            scen_page_cell(figure, sim_time_to_seconds(at));
            scen_page_cell(figure, sim_time_to_seconds(at + segments[s].duration_ns));
            scen_page_cell(figure, sim_time_to_seconds(segments[s].duration_ns));
            scen_page_cell_text(figure, strat_bucket_title((StratBucket)segments[s].bucket));
            scen_page_cell_text(figure, sim_program_label_name(program, segments[s].label));
        }
    }
}

/* The first task at or after @from that is a forward, or one that is none, of the stage of @from. */
static guint find_task(const GArray *tasks, guint from, bool forward)
{
    int64_t stage = g_array_index(tasks, StratTaskOps, from).stage;
    for (guint i = from; i < tasks->len; i++) {
        const StratTaskOps *ops = &g_array_index(tasks, StratTaskOps, i);
        if (ops->stage == stage && strat_task_is_forward(ops->task.kind) == forward)
            return i;
    }
    return tasks->len;
}

static void add_microbatch(ScenPage *page, const StratTrainResult *result)
{
    const GArray *tasks = result->step->tasks;
    guint own = 0;
    if (!tasks || tasks->len == 0)
        return;
    while (own < tasks->len && g_array_index(tasks, StratTaskOps, own).stage ==
                                   g_array_index(tasks, StratTaskOps, 0).stage)
        own++;
    guint forward = find_task(tasks, own / 2, true);
    forward = forward < own ? forward : find_task(tasks, 0, true);
    guint backward = find_task(tasks, forward, false);
    if (backward >= tasks->len)
        return;
    const StratTaskOps *ops = &g_array_index(tasks, StratTaskOps, forward);
    g_autofree char *about =
        g_strdup_printf("The operations of one forward and of the backward after it, as a GPU of "
                        "stage %" G_GINT64_FORMAT " runs them: microbatch %d of chunk %d.",
                        ops->stage, ops->task.microbatch, ops->task.chunk);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_SPANS, "microbatch", "One microbatch on a GPU", about);
    add_columns(figure, "Task");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "Account", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_LABEL, "Operation", NULL);
    add_task(figure, result, ops);
    add_task(figure, result, &g_array_index(tasks, StratTaskOps, backward));
    const StratTaskOps *next =
        backward + 1 < own ? &g_array_index(tasks, StratTaskOps, backward + 1) : NULL;
    if (next && next->task.kind == STRAT_TASK_WEIGHT)
        add_task(figure, result, next);
}

void scen_run_page_timeline(ScenPage *page, const StratTrainResult *result)
{
    add_step(page, result);
    add_microbatch(page, result);
}
