/*
 * A run as trace events (sim_events.c).
 *
 * An operation that runs a block is a slice with the block's segments in it, those without length
 * left out; a member of a gang that is shorter than the others shows a hole at its end. A block
 * that is one segment is drawn once, as that. A SEND that another class waits for gets an arrow
 * from its start to the start of what waits. Labels are the names, buckets the categories.
 *
 * A step runs the same blocks over and over: one of 64 stages and 512 microbatches has millions of
 * segments, of which a few thousand differ. Past a bound each class therefore shows the segments of
 * a block the first time only; later runs of it are a slice each, as long as they are.
 */
#include "sim_trace.h"

#include "sim_program_private.h"

typedef struct Writer {
    SimEvents *events;
    const SimTraceView *view;
    GHashTable *shown; /* (class, block) whose segments are drawn; NULL: all are */
    uint64_t left_out;
} Writer;

static void write_names(const Writer *writer)
{
    const SimProgram *p = writer->view->program;
    const SimTraceView *view = writer->view;
    for (uint32_t i = 0; i < sim_program_class_count(p); i++) {
        g_autofree char *name =
            g_strdup_printf("%s (x%" G_GINT64_FORMAT ")", sim_program_class_name(p, i),
                            sim_program_class_multiplicity(p, i));
        sim_events_process(writer->events, i, view->class_names ? view->class_names[i] : name,
                           view->class_order ? view->class_order[i] : i);
        for (uint16_t j = 0; j < sim_program_stream_count(p, i); j++)
            sim_events_thread(writer->events, (SimTrack){i, j}, sim_program_stream_name(p, i, j));
    }
}

static SimTrack track_of(const SimOp *op)
{
    return (SimTrack){op->rank_class, op->stream};
}

static uint64_t segments_with_length(const SimProgram *p, const SimOp *op)
{
    size_t count;
    uint64_t drawn = 0;
    const SimSegment *segments = sim_program_block(p, op->block, &count);
    for (size_t i = 0; i < count; i++)
        drawn += segments[i].duration_ns > 0;
    return drawn;
}

/* Whether the segments of @op's block are drawn in it. */
static bool shows_segments(Writer *writer, const SimOp *op)
{
    if (!writer->shown)
        return true;
    gint64 *key = g_new(gint64, 1);
    *key = (gint64)op->rank_class << 32 | (gint64)op->block;
    return g_hash_table_add(writer->shown, key);
}

static void write_segments(const Writer *writer, const SimOp *op, SimTime start)
{
    size_t count;
    const SimProgram *p = writer->view->program;
    const SimSegment *segments = sim_program_block(p, op->block, &count);
    for (size_t i = 0; i < count; i++) {
        const SimSlice slice = {
            .track = track_of(op),
            .at = start,
            .lasts = segments[i].duration_ns,
            .name = sim_program_label_name(p, segments[i].label),
            .category = sim_program_bucket_name(p, segments[i].bucket),
        };
        if (slice.lasts > 0)
            sim_events_slice(writer->events, &slice);
        start += segments[i].duration_ns;
    }
}

static void write_block(Writer *writer, uint32_t index, const char *name)
{
    const SimProgram *p = writer->view->program;
    const SimOp *op = &p->ops[index];
    SimTime start = writer->view->run->start[index];
    uint64_t drawn = segments_with_length(p, op);
    if (drawn == 1 && !name) {
        write_segments(writer, op, start);
        return;
    }
    const SimSlice slice = {
        .track = track_of(op),
        .at = start,
        .lasts = sim_program_block_total(p, op->block),
        .name = name ? name : sim_program_label_name(p, op->label),
        .category = "block",
    };
    sim_events_slice(writer->events, &slice);
    if (shows_segments(writer, op))
        write_segments(writer, op, start);
    else
        writer->left_out += drawn;
}

/* Arrows from the send @op to what waits for it in other classes. */
static void write_arrows(const Writer *writer, uint32_t op)
{
    const SimOp *ops = writer->view->program->ops;
    const SimRun *run = writer->view->run;
    uint32_t count;
    const uint32_t *next = sim_program_successors(writer->view->program, op, &count);
    for (uint32_t i = 0; i < count; i++)
        if (ops[next[i]].rank_class != ops[op].rank_class)
            sim_events_arrow(writer->events, "send", track_of(&ops[op]), run->start[op],
                             track_of(&ops[next[i]]), run->start[next[i]]);
}

static void write_op(Writer *writer, uint32_t i)
{
    const SimTraceView *view = writer->view;
    const SimOp *op = &view->program->ops[i];
    const char *name = view->op_names ? view->op_names[i] : NULL;
    if (!sim_op_kind_is_transfer(op->kind)) {
        write_block(writer, i, name);
        return;
    }
    const SimSlice slice = {
        .track = track_of(op),
        .at = view->run->start[i],
        .lasts = view->run->end[i] - view->run->start[i],
        .name = name ? name : sim_program_label_name(view->program, op->label),
        .category = sim_program_bucket_name(view->program, op->bucket),
    };
    sim_events_slice(writer->events, &slice);
    if (op->kind == SIM_OP_SEND)
        write_arrows(writer, i);
}

static uint64_t count_segments(const SimTraceView *view)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < view->run->op_count; i++)
        if (!sim_op_kind_is_transfer(view->program->ops[i].kind))
            all += segments_with_length(view->program, &view->program->ops[i]);
    return all;
}

uint64_t sim_trace_write(const SimTraceView *view, SimEvents *events)
{
    bool is_bounded = view->segments_most > 0 && count_segments(view) > view->segments_most;
    g_autoptr(GHashTable) shown =
        is_bounded ? g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL) : NULL;
    Writer writer = {.events = events, .view = view, .shown = shown};
    write_names(&writer);
    for (uint32_t i = 0; i < view->run->op_count; i++)
        write_op(&writer, i);
    return writer.left_out;
}
