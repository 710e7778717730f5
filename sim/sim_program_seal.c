/*
 * Sealing a Program: check everything once, so that nothing can fail while it runs, then turn the
 * list of dependencies into successor lists by counting sort (offsets, then one pass to fill).
 *
 * The order within a stream becomes an edge like any other, from each operation to the next of its
 * stream, and is the first in its list. So the executor knows one rule only: an operation is ready
 * when all that it follows have ended.
 *
 * Cycles are not looked for here: the executor finds them at no cost, as operations never started.
 */
#include <string.h>

#include "sim_error.h"
#include "sim_program_private.h"

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error != NULL)
        *error = g_error_new_valist(SIM_ERROR, SIM_ERROR_PROGRAM, format, args);
    va_end(args);
    return false;
}

static bool check_blocks(const SimProgram *p, GError **error)
{
    for (uint32_t i = 0; i < p->segments->len; i++) {
        const SimSegment *segment = &g_array_index(p->segments, SimSegment, i);
        if (segment->duration_ns < 0)
            return fail(error, "segment %u lasts %" G_GINT64_FORMAT " ns, less than nothing", i,
                        segment->duration_ns);
        if (segment->bucket >= p->buckets.names->len)
            return fail(error, "segment %u: bucket %u of %u", i, segment->bucket,
                        p->buckets.names->len);
        if (segment->label >= p->labels.names->len)
            return fail(error, "segment %u: label %u of %u", i, segment->label,
                        p->labels.names->len);
    }
    return true;
}

static bool check_classes(const SimProgram *p, GError **error)
{
    for (uint32_t i = 0; i < p->classes->len; i++) {
        const SimClass *class = &g_array_index(p->classes, SimClass, i);
        if (class->multiplicity < 1)
            return fail(error, "class '%s' stands for %" G_GINT64_FORMAT " GPUs, at least 1",
                        class->name, class->multiplicity);
    }
    return true;
}

static bool check_op(const SimProgram *p, uint32_t i, GError **error)
{
    const SimOp *op = &p->ops[i];
    if (op->kind >= SIM_OP_KINDS)
        return fail(error, "operation %u: kind %u of %u", i, op->kind, SIM_OP_KINDS);
    if (op->rank_class >= p->classes->len)
        return fail(error, "operation %u: class %u of %u", i, op->rank_class, p->classes->len);
    const SimClass *class = &g_array_index(p->classes, SimClass, op->rank_class);
    if (op->stream >= class->streams->len)
        return fail(error, "operation %u: stream %u of %u in class '%s'", i, op->stream,
                    class->streams->len, class->name);
    if (op->label >= p->labels.names->len)
        return fail(error, "operation %u: label %u of %u", i, op->label, p->labels.names->len);
    if (op->group != SIM_GROUP_NONE && op->group >= p->groups->len)
        return fail(error, "operation %u: group %u of %u", i, op->group, p->groups->len);
    if (sim_op_kind_is_transfer(op->kind)) {
        if (op->bucket >= p->buckets.names->len)
            return fail(error, "operation %u: bucket %u of %u", i, op->bucket,
                        p->buckets.names->len);
    } else if (op->block >= p->blocks->len) {
        return fail(error, "operation %u: block %u of %u", i, op->block, p->blocks->len);
    }
    return true;
}

static bool check_deps(const SimProgram *p, GError **error)
{
    for (uint32_t i = 0; i < p->dep_count; i++) {
        const SimProgramDep *dep = &p->deps[i];
        if (dep->op >= p->op_count || dep->on >= p->op_count)
            return fail(error, "dependency of operation %u on %u, there are %u", dep->op, dep->on,
                        p->op_count);
        if (dep->op == dep->on)
            return fail(error, "operation %u depends on itself", dep->op);
    }
    return true;
}

/* Turns counts[i + 1] into offsets: afterwards counts[i] is where list i begins. */
static void counts_to_offsets(uint32_t *counts, uint32_t lists)
{
    for (uint32_t i = 0; i < lists; i++)
        counts[i + 1] += counts[i];
}

/* Undoes the filling of lists, which moved every offset to the next one. */
static void rewind_offsets(uint32_t *offsets, uint32_t lists)
{
    memmove(offsets + 1, offsets, lists * sizeof(uint32_t));
    offsets[0] = 0;
}

static void build_members(SimProgram *p)
{
    uint32_t groups = p->groups->len;
    p->first_member = g_new0(uint32_t, (size_t)groups + 1);
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->ops[i].group != SIM_GROUP_NONE)
            p->first_member[p->ops[i].group + 1]++;
    }
    counts_to_offsets(p->first_member, groups);
    p->members = g_new(uint32_t, p->first_member[groups]);
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->ops[i].group != SIM_GROUP_NONE)
            p->members[p->first_member[p->ops[i].group]++] = i;
    }
    rewind_offsets(p->first_member, groups);
}

/* Whether the two can be members of one group. */
static bool is_alike(const SimOp *a, const SimOp *b)
{
    if (!sim_op_kind_is_transfer(a->kind))
        return !sim_op_kind_is_transfer(b->kind);
    return a->kind == b->kind && a->transfer == b->transfer;
}

static bool check_groups(const SimProgram *p, GError **error)
{
    for (uint32_t g = 0; g < p->groups->len; g++) {
        uint32_t want = g_array_index(p->groups, uint32_t, g);
        uint32_t first = p->first_member[g];
        uint32_t got = p->first_member[g + 1] - first;
        if (got != want || want == 0)
            return fail(error, "group %u has %u operations, declared %u, at least 1", g, got, want);
        const SimOp *head = &p->ops[p->members[first]];
        for (uint32_t i = 1; i < got; i++) {
            if (!is_alike(head, &p->ops[p->members[first + i]]))
                return fail(error, "group %u: operations %u and %u are not of one transfer", g,
                            p->members[first], p->members[first + i]);
        }
    }
    return true;
}

/* Numbers the streams of all classes; returns how many there are. */
static uint32_t number_streams(SimProgram *p)
{
    uint32_t streams = 0;
    for (uint32_t i = 0; i < p->classes->len; i++) {
        SimClass *class = &g_array_index(p->classes, SimClass, i);
        class->first_stream = streams;
        streams += class->streams->len;
    }
    return streams;
}

/* Counts, for each operation, the edges out of it into @out[op + 1] and those into it into @in.
 * @last_of is scratch: the latest operation + 1 of each stream. */
static void count_edges(const SimProgram *p, uint32_t *last_of, uint32_t *out, uint32_t *in)
{
    const SimClass *classes = (const SimClass *)(void *)p->classes->data;
    for (uint32_t i = 0; i < p->op_count; i++) {
        uint32_t *last = &last_of[classes[p->ops[i].rank_class].first_stream + p->ops[i].stream];
        if (*last > 0) {
            out[*last]++;
            in[i]++;
        }
        *last = i + 1;
    }
    for (uint32_t i = 0; i < p->dep_count; i++) {
        out[p->deps[i].on + 1]++;
        in[p->deps[i].op]++;
    }
}

static void build_edges(SimProgram *p)
{
    const SimClass *classes = (const SimClass *)(void *)p->classes->data;
    uint32_t streams = number_streams(p);
    g_autofree uint32_t *last_of = g_new0(uint32_t, streams);
    uint32_t *offsets = g_new0(uint32_t, (size_t)p->op_count + 1);
    p->waits = g_new0(uint32_t, p->op_count);
    count_edges(p, last_of, offsets, p->waits);
    counts_to_offsets(offsets, p->op_count);
    p->edges = g_new(uint32_t, MAX(offsets[p->op_count], 1));
    if (streams > 0)
        memset(last_of, 0, streams * sizeof(uint32_t));
    for (uint32_t i = 0; i < p->op_count; i++) {
        uint32_t *last = &last_of[classes[p->ops[i].rank_class].first_stream + p->ops[i].stream];
        if (*last > 0)
            p->edges[offsets[*last - 1]++] = i;
        *last = i + 1;
    }
    for (uint32_t i = 0; i < p->dep_count; i++)
        p->edges[offsets[p->deps[i].on]++] = p->deps[i].op;
    rewind_offsets(offsets, p->op_count);
    p->first_edge = offsets;
    g_clear_pointer(&p->deps, g_free);
    p->dep_capacity = 0;
}

bool sim_program_seal(SimProgram *p, GError **error)
{
    g_assert(!p->is_sealed);
    if (!p->has_wait_bucket)
        sim_program_set_wait_bucket(p, sim_program_bucket(p, "wait"));
    if (p->overflow != NULL)
        return fail(error, "too many %s", p->overflow);
    if ((uint64_t)p->op_count + p->dep_count > UINT32_MAX)
        return fail(error, "too many dependencies");
    if (p->wait_bucket >= p->buckets.names->len)
        return fail(error, "wait bucket %u of %u", p->wait_bucket, p->buckets.names->len);
    if (!check_classes(p, error) || !check_blocks(p, error) || !check_deps(p, error))
        return false;
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (!check_op(p, i, error))
            return false;
    }
    build_members(p);
    if (!check_groups(p, error))
        return false;
    build_edges(p);
    p->is_sealed = true;
    return true;
}
