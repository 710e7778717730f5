/*
 * Building a Program: append to flat arrays, nothing else. What can be too much (more names than
 * 16 bits count, more operations than 32) is noted and reported by sim_program_seal(), so a
 * strategy that emits a million operations has one place to check instead of a million.
 *
 * An operation takes 20 bytes, 12 more once sealed (successor offset, count of predecessors, stream
 * edge), and 4 for each dependency; while it is being built a dependency takes 8.
 */
#include "sim_program.h"

#include <string.h>

#include "sim_program_private.h"

_Static_assert(sizeof(SimOp) == 20, "millions of these are kept");

static void class_clear(void *data)
{
    SimClass *class = data;
    g_free(class->name);
    g_ptr_array_unref(class->streams);
}

static void names_init(SimNames *names)
{
    names->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    names->names = g_ptr_array_new_with_free_func(g_free);
}

static void names_clear(SimNames *names)
{
    g_hash_table_unref(names->numbers);
    g_ptr_array_unref(names->names);
}

/* Notes that there is too much of @what, and returns the index that stands in for it. */
static uint32_t too_many(SimProgram *p, const char *what)
{
    if (p->overflow == NULL)
        p->overflow = what;
    return 0;
}

static uint16_t names_number(SimProgram *p, SimNames *names, const char *name, const char *what)
{
    uint32_t known = GPOINTER_TO_UINT(g_hash_table_lookup(names->numbers, name));
    if (known > 0)
        return (uint16_t)(known - 1);
    uint32_t number = names->names->len;
    if (number >= UINT16_MAX)
        return (uint16_t)too_many(p, what);
    char *copy = g_strdup(name);
    g_ptr_array_add(names->names, copy);
    g_hash_table_insert(names->numbers, copy, GUINT_TO_POINTER(number + 1));
    return (uint16_t)number;
}

/* Room for one more than @count items of @size bytes. */
static void *grown(void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    uint64_t want = MIN(MAX(1024, (uint64_t)count * 2), UINT32_MAX);
    *capacity = (uint32_t)want;
    return g_realloc_n(items, want, size);
}

SimProgram *sim_program_new(void)
{
    SimProgram *p = g_new0(SimProgram, 1);
    names_init(&p->buckets);
    names_init(&p->labels);
    p->classes = g_array_new(FALSE, TRUE, sizeof(SimClass));
    g_array_set_clear_func(p->classes, class_clear);
    p->segments = g_array_new(FALSE, FALSE, sizeof(SimSegment));
    p->blocks = g_array_new(FALSE, FALSE, sizeof(SimBlock));
    p->groups = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return p;
}

void sim_program_free(SimProgram *p)
{
    if (p == NULL)
        return;
    names_clear(&p->buckets);
    names_clear(&p->labels);
    g_array_unref(p->classes);
    g_array_unref(p->segments);
    g_array_unref(p->blocks);
    g_array_unref(p->groups);
    g_free(p->ops);
    g_free(p->deps);
    g_free(p->first_edge);
    g_free(p->edges);
    g_free(p->waits);
    g_free(p->first_member);
    g_free(p->members);
    g_free(p);
}

uint16_t sim_program_bucket(SimProgram *p, const char *name)
{
    return names_number(p, &p->buckets, name, "buckets");
}

uint16_t sim_program_label(SimProgram *p, const char *name)
{
    return names_number(p, &p->labels, name, "labels");
}

void sim_program_set_wait_bucket(SimProgram *p, uint16_t bucket)
{
    p->wait_bucket = bucket;
    p->has_wait_bucket = true;
}

uint32_t sim_program_add_class(SimProgram *p, const char *name, int64_t multiplicity)
{
    SimClass class = {
        .name = g_strdup(name),
        .multiplicity = multiplicity,
        .streams = g_ptr_array_new_with_free_func(g_free),
    };
    g_ptr_array_add(class.streams, g_strdup("main"));
    g_array_append_val(p->classes, class);
    return p->classes->len - 1;
}

uint16_t sim_program_add_stream(SimProgram *p, uint32_t rank_class, const char *name)
{
    g_assert(rank_class < p->classes->len);
    GPtrArray *streams = g_array_index(p->classes, SimClass, rank_class).streams;
    if (streams->len >= UINT16_MAX)
        return (uint16_t)too_many(p, "streams of a class");
    g_ptr_array_add(streams, g_strdup(name));
    return (uint16_t)(streams->len - 1);
}

uint32_t sim_program_add_block(SimProgram *p, const SimSegment *segments, size_t count)
{
    if (count > UINT32_MAX / 2 - p->segments->len || p->blocks->len == UINT32_MAX / 2)
        return too_many(p, "segments");
    SimBlock block = {.first = p->segments->len, .count = (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        if (__builtin_add_overflow(block.total, segments[i].duration_ns, &block.total))
            too_many(p, "nanoseconds in a block");
    }
    if (count > 0)
        g_array_append_vals(p->segments, segments, (guint)count);
    g_array_append_val(p->blocks, block);
    return p->blocks->len - 1;
}

uint32_t sim_program_add_group(SimProgram *p, uint32_t members)
{
    g_array_append_val(p->groups, members);
    return p->groups->len - 1;
}

uint32_t sim_program_add_op(SimProgram *p, const SimOp *op)
{
    g_assert(!p->is_sealed);
    if (p->op_count == UINT32_MAX - 1)
        return too_many(p, "operations");
    p->ops = grown(p->ops, p->op_count, &p->op_capacity, sizeof(SimOp));
    p->ops[p->op_count] = *op;
    return p->op_count++;
}

void sim_program_add_dep(SimProgram *p, uint32_t op, uint32_t on)
{
    g_assert(!p->is_sealed);
    /* Stream edges share the index with dependencies: at most one for each operation. */
    if (p->dep_count == UINT32_MAX / 2) {
        too_many(p, "dependencies");
        return;
    }
    p->deps = grown(p->deps, p->dep_count, &p->dep_capacity, sizeof(SimProgramDep));
    p->deps[p->dep_count++] = (SimProgramDep){.op = op, .on = on};
}

void sim_program_reserve(SimProgram *p, uint32_t ops, uint32_t deps)
{
    if (ops > p->op_capacity) {
        p->ops = g_renew(SimOp, p->ops, ops);
        p->op_capacity = ops;
    }
    if (deps > p->dep_capacity) {
        p->deps = g_renew(SimProgramDep, p->deps, deps);
        p->dep_capacity = deps;
    }
}

uint32_t sim_program_op_count(const SimProgram *p)
{
    return p->op_count;
}

uint32_t sim_program_class_count(const SimProgram *p)
{
    return p->classes->len;
}

uint16_t sim_program_bucket_count(const SimProgram *p)
{
    return (uint16_t)p->buckets.names->len;
}

uint16_t sim_program_wait_bucket(const SimProgram *p)
{
    return p->wait_bucket;
}

const SimOp *sim_program_op(const SimProgram *p, uint32_t op)
{
    g_assert(op < p->op_count);
    return &p->ops[op];
}

const char *sim_program_bucket_name(const SimProgram *p, uint16_t bucket)
{
    g_assert(bucket < p->buckets.names->len);
    return g_ptr_array_index(p->buckets.names, bucket);
}

const char *sim_program_label_name(const SimProgram *p, uint16_t label)
{
    g_assert(label < p->labels.names->len);
    return g_ptr_array_index(p->labels.names, label);
}

static const SimClass *class_at(const SimProgram *p, uint32_t rank_class)
{
    g_assert(rank_class < p->classes->len);
    return &g_array_index(p->classes, SimClass, rank_class);
}

const char *sim_program_class_name(const SimProgram *p, uint32_t rank_class)
{
    return class_at(p, rank_class)->name;
}

int64_t sim_program_class_multiplicity(const SimProgram *p, uint32_t rank_class)
{
    return class_at(p, rank_class)->multiplicity;
}

uint16_t sim_program_stream_count(const SimProgram *p, uint32_t rank_class)
{
    return (uint16_t)class_at(p, rank_class)->streams->len;
}

const char *sim_program_stream_name(const SimProgram *p, uint32_t rank_class, uint16_t stream)
{
    const SimClass *class = class_at(p, rank_class);
    g_assert(stream < class->streams->len);
    return g_ptr_array_index(class->streams, stream);
}

const SimSegment *sim_program_block(const SimProgram *p, uint32_t block, size_t *count)
{
    g_assert(block < p->blocks->len);
    const SimBlock *b = &g_array_index(p->blocks, SimBlock, block);
    *count = b->count;
    return b->count > 0 ? &g_array_index(p->segments, SimSegment, b->first) : NULL;
}

SimTime sim_program_block_total(const SimProgram *p, uint32_t block)
{
    g_assert(block < p->blocks->len);
    return g_array_index(p->blocks, SimBlock, block).total;
}

const uint32_t *sim_program_successors(const SimProgram *p, uint32_t op, uint32_t *count)
{
    g_assert(p->is_sealed && op < p->op_count);
    *count = p->first_edge[op + 1] - p->first_edge[op];
    return p->edges + p->first_edge[op];
}
