/*
 * The post-mortem of a deadlock. It runs once, on the way to an error, so it searches the whole
 * program for each operation that it describes instead of keeping anything at hand.
 */
#include "sim_stuck.h"

#include "sim_error.h"
#include "sim_program_private.h"

enum {
    MOST_NAMED = 5,
};

/* Appends "4 'forward' (class 'stage 1', stream 'main')". */
static void append_op(GString *text, const SimProgram *p, uint32_t op)
{
    const SimOp *what = &p->ops[op];
    g_string_append_printf(text, "%u '%s' (class '%s', stream '%s')", op,
                           sim_program_label_name(p, what->label),
                           sim_program_class_name(p, what->rank_class),
                           sim_program_stream_name(p, what->rank_class, what->stream));
}

/* The first operation without an end that @op follows; itself when there is none. */
static uint32_t first_cause(const SimProgram *p, const SimTime *end, uint32_t op)
{
    for (uint32_t i = 0; i < p->op_count; i++) {
        uint32_t count;
        const uint32_t *next = sim_program_successors(p, i, &count);
        for (uint32_t j = 0; end[i] < 0 && j < count; j++) {
            if (next[j] == op)
                return i;
        }
    }
    return op;
}

static void append_stuck(GString *text, const SimProgram *p, const SimTime *end,
                         const uint32_t *waits, const uint32_t *absent, uint32_t op)
{
    append_op(text, p, op);
    uint32_t group = p->ops[op].group;
    if (waits[op] > 0) {
        g_string_append(text, " waits for ");
        append_op(text, p, first_cause(p, end, op));
        if (waits[op] > 1)
            g_string_append_printf(text, " and %u more", waits[op] - 1);
    } else if (group != SIM_GROUP_NONE && absent[group] > 0) {
        g_string_append_printf(text, " waits for %u of the %u members of group %u", absent[group],
                               g_array_index(p->groups, uint32_t, group), group);
    } else {
        g_string_append_printf(text, " waits for the network to end transfer %u",
                               p->ops[op].transfer);
    }
}

void sim_stuck_set_error(const SimProgram *p, const SimTime *end, const uint32_t *waits,
                         const uint32_t *absent, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint32_t stuck = 0;
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (end[i] >= 0 || stuck++ >= MOST_NAMED)
            continue;
        g_string_append(text, "; ");
        append_stuck(text, p, end, waits, absent, i);
    }
    g_set_error(error, SIM_ERROR, SIM_ERROR_DEADLOCK, "%u of %u operations never ended%s%s", stuck,
                p->op_count, text->str, stuck > MOST_NAMED ? "; ..." : "");
}
