/*
 * Chrome trace-event JSON ("Trace Event Format", Google, the JSON object form). Times there are in
 * microseconds; they are written as integer nanoseconds with the point put in, so no digit is ever
 * rounded. pid and tid are class and stream plus one, as viewers take 0 for the idle task.
 *
 * Blocks are drawn as their segments, those without length left out; a member of a gang that is
 * shorter than the others shows a hole at its end. A SEND that another class waits for gets an
 * arrow from its start to the start of what waits. Labels are the names, buckets the categories.
 */
#include "sim_trace.h"

#include <errno.h>
#include <string.h>

#include "sim_error.h"
#include "sim_program_private.h"

enum {
    NS_PER_US = 1000,
};

typedef struct Writer {
    FILE *file;
    const SimProgram *program;
    const SimRun *run;
    GPtrArray *labels; /* quoted for JSON */
    GPtrArray *buckets;
    const char *separator; /* before the next event */
    uint64_t arrows;
} Writer;

/* @text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
static char *quote(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *json = g_string_new("\"");
    for (const char *c = valid; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(json, "\\%c", *c);
        else if ((uint8_t)*c < 0x20)
            g_string_append_printf(json, "\\u%04x", (unsigned)*c);
        else
            g_string_append_c(json, *c);
    }
    g_string_append_c(json, '"');
    return g_string_free(json, FALSE);
}

static GPtrArray *quote_all(const SimNames *names)
{
    GPtrArray *quoted = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < names->names->len; i++)
        g_ptr_array_add(quoted, quote(g_ptr_array_index(names->names, i)));
    return quoted;
}

/* Begins an event of phase @phase on a stream; the caller adds more and closes the brace. */
static void begin_event(Writer *writer, char phase, uint32_t rank_class, uint16_t stream)
{
    fprintf(writer->file, "%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u", writer->separator, phase,
            rank_class + 1, stream + 1u);
    writer->separator = ",\n";
}

static void write_us(Writer *writer, const char *key, SimTime ns)
{
    fprintf(writer->file, ",\"%s\":%" G_GINT64_FORMAT ".%03d", key, ns / NS_PER_US,
            (int)(ns % NS_PER_US));
}

static void write_name(Writer *writer, const char *what, uint32_t rank_class, uint16_t stream,
                       const char *name)
{
    g_autofree char *quoted = quote(name);
    begin_event(writer, 'M', rank_class, stream);
    fprintf(writer->file, ",\"name\":\"%s_name\",\"args\":{\"name\":%s}}", what, quoted);
}

static void write_order(Writer *writer, const char *what, uint32_t rank_class, uint16_t stream,
                        uint32_t order)
{
    begin_event(writer, 'M', rank_class, stream);
    fprintf(writer->file, ",\"name\":\"%s_sort_index\",\"args\":{\"sort_index\":%u}}", what, order);
}

static void write_names(Writer *writer)
{
    const SimProgram *p = writer->program;
    for (uint32_t i = 0; i < sim_program_class_count(p); i++) {
        g_autofree char *name =
            g_strdup_printf("%s (x%" G_GINT64_FORMAT ")", sim_program_class_name(p, i),
                            sim_program_class_multiplicity(p, i));
        write_name(writer, "process", i, SIM_STREAM_MAIN, name);
        write_order(writer, "process", i, SIM_STREAM_MAIN, i);
        for (uint16_t j = 0; j < sim_program_stream_count(p, i); j++) {
            write_name(writer, "thread", i, j, sim_program_stream_name(p, i, j));
            write_order(writer, "thread", i, j, j);
        }
    }
}

static void write_slice(Writer *writer, const SimOp *op, uint16_t label, uint16_t bucket,
                        SimTime start, SimTime duration)
{
    begin_event(writer, 'X', op->rank_class, op->stream);
    write_us(writer, "ts", start);
    write_us(writer, "dur", duration);
    fprintf(writer->file, ",\"name\":%s,\"cat\":%s}",
            (const char *)g_ptr_array_index(writer->labels, label),
            (const char *)g_ptr_array_index(writer->buckets, bucket));
}

static void write_segments(Writer *writer, const SimOp *op, SimTime start)
{
    size_t count;
    const SimSegment *segments = sim_program_block(writer->program, op->block, &count);
    for (size_t i = 0; i < count; i++) {
        if (segments[i].duration_ns > 0)
            write_slice(writer, op, segments[i].label, segments[i].bucket, start,
                        segments[i].duration_ns);
        start += segments[i].duration_ns;
    }
}

/* Arrows from the send @op to what waits for it in other classes. */
static void write_arrows(Writer *writer, uint32_t op)
{
    const SimOp *ops = writer->program->ops;
    uint32_t count;
    const uint32_t *next = sim_program_successors(writer->program, op, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (ops[next[i]].rank_class == ops[op].rank_class)
            continue;
        writer->arrows++;
        begin_event(writer, 's', ops[op].rank_class, ops[op].stream);
        write_us(writer, "ts", writer->run->start[op]);
        fprintf(writer->file, ",\"name\":\"send\",\"cat\":\"flow\",\"id\":%" G_GUINT64_FORMAT "}",
                writer->arrows);
        begin_event(writer, 'f', ops[next[i]].rank_class, ops[next[i]].stream);
        write_us(writer, "ts", writer->run->start[next[i]]);
        fprintf(writer->file,
                ",\"bp\":\"e\",\"name\":\"send\",\"cat\":\"flow\",\"id\":%" G_GUINT64_FORMAT "}",
                writer->arrows);
    }
}

static void write_op(Writer *writer, uint32_t i)
{
    const SimOp *op = &writer->program->ops[i];
    SimTime start = writer->run->start[i];
    if (!sim_op_kind_is_transfer(op->kind)) {
        write_segments(writer, op, start);
        return;
    }
    write_slice(writer, op, op->label, op->bucket, start, writer->run->end[i] - start);
    if (op->kind == SIM_OP_SEND)
        write_arrows(writer, i);
}

bool sim_trace_write(const SimProgram *p, const SimRun *run, FILE *file, GError **error)
{
    Writer writer = {
        .file = file,
        .program = p,
        .run = run,
        .labels = quote_all(&p->labels),
        .buckets = quote_all(&p->buckets),
        .separator = "\n",
    };
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", file);
    write_names(&writer);
    for (uint32_t i = 0; i < run->op_count; i++)
        write_op(&writer, i);
    fputs("\n]}\n", file);
    g_ptr_array_unref(writer.labels);
    g_ptr_array_unref(writer.buckets);
    if (fflush(file) == 0 && !ferror(file))
        return true;
    g_set_error(error, SIM_ERROR, SIM_ERROR_WRITE, "cannot write the trace: %s", g_strerror(errno));
    return false;
}
