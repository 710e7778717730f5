/*
 * Sealing a Program: what contradicts itself is refused with a message that says what and where,
 * and what is sound gets its successor lists.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "sim_error.h"
#include "sim_program.h"

typedef void (*Spoil)(SimProgram *p, SimOp op);

/* A program of one class and one block, to which each case adds something. */
static SimProgram *sound_program(SimOp *op)
{
    SimProgram *p = sim_program_new();
    SimSegment segment = {
        .duration_ns = 10,
        .bucket = sim_program_bucket(p, "compute"),
        .label = sim_program_label(p, "work"),
    };
    *op = (SimOp){
        .rank_class = sim_program_add_class(p, "stage 0", 2),
        .group = SIM_GROUP_NONE,
        .block = sim_program_add_block(p, &segment, 1),
    };
    sim_program_add_op(p, op);
    return p;
}

static void bad_class(SimProgram *p, SimOp op)
{
    op.rank_class = 1;
    sim_program_add_op(p, &op);
}

static void bad_stream(SimProgram *p, SimOp op)
{
    op.stream = 1;
    sim_program_add_op(p, &op);
}

static void bad_block(SimProgram *p, SimOp op)
{
    op.block = 1;
    sim_program_add_op(p, &op);
}

static void bad_kind(SimProgram *p, SimOp op)
{
    op.kind = SIM_OP_KINDS;
    sim_program_add_op(p, &op);
}

static void bad_label(SimProgram *p, SimOp op)
{
    op.label = 1;
    sim_program_add_op(p, &op);
}

static void bad_bucket(SimProgram *p, SimOp op)
{
    op.kind = SIM_OP_SEND;
    op.bucket = 9;
    sim_program_add_op(p, &op);
}

static void bad_group(SimProgram *p, SimOp op)
{
    op.group = 0;
    sim_program_add_op(p, &op);
}

static void lonely_group(SimProgram *p, SimOp op)
{
    op.group = sim_program_add_group(p, 2);
    sim_program_add_op(p, &op);
}

static void crowded_group(SimProgram *p, SimOp op)
{
    op.group = sim_program_add_group(p, 1);
    sim_program_add_op(p, &op);
    sim_program_add_op(p, &op);
}

static void empty_group(SimProgram *p, SimOp op)
{
    (void)op;
    sim_program_add_group(p, 0);
}

static void mixed_group(SimProgram *p, SimOp op)
{
    op.group = sim_program_add_group(p, 2);
    sim_program_add_op(p, &op);
    op.kind = SIM_OP_COLLECTIVE;
    sim_program_add_op(p, &op);
}

static void two_transfers(SimProgram *p, SimOp op)
{
    op.group = sim_program_add_group(p, 2);
    op.kind = SIM_OP_COLLECTIVE;
    op.transfer = 1;
    sim_program_add_op(p, &op);
    op.transfer = 2;
    sim_program_add_op(p, &op);
}

static void bad_dep(SimProgram *p, SimOp op)
{
    (void)op;
    sim_program_add_dep(p, 0, 7);
}

static void self_dep(SimProgram *p, SimOp op)
{
    (void)op;
    sim_program_add_dep(p, 0, 0);
}

static void negative_segment(SimProgram *p, SimOp op)
{
    (void)op;
    sim_program_add_block(p, &(SimSegment){.duration_ns = -1}, 1);
}

static void endless_block(SimProgram *p, SimOp op)
{
    (void)op;
    SimSegment two[] = {{.duration_ns = SIM_TIME_MAX}, {.duration_ns = 1}};
    sim_program_add_block(p, two, 2);
}

static void nobody(SimProgram *p, SimOp op)
{
    (void)op;
    sim_program_add_class(p, "nobody", 0);
}

static void too_many_labels(SimProgram *p, SimOp op)
{
    (void)op;
    for (int i = 0; i <= UINT16_MAX; i++) {
        g_autofree char *name = g_strdup_printf("label %d", i);
        sim_program_label(p, name);
    }
}

static const struct {
    Spoil spoil;
    const char *want; /* in the message */
} cases[] = {
    {bad_class,        "operation 1: class 1 of 1"           },
    {bad_stream,       "operation 1: stream 1 of 1"          },
    {bad_block,        "operation 1: block 1 of 1"           },
    {bad_kind,         "operation 1: kind 5 of 5"            },
    {bad_label,        "operation 1: label 1 of 1"           },
    {bad_bucket,       "operation 1: bucket 9 of 2"          },
    {bad_group,        "operation 1: group 0 of 0"           },
    {lonely_group,     "group 0 has 1 operations, declared 2"},
    {crowded_group,    "group 0 has 2 operations, declared 1"},
    {empty_group,      "group 0 has 0 operations"            },
    {mixed_group,      "operations 1 and 2 are not of one"   },
    {two_transfers,    "operations 1 and 2 are not of one"   },
    {bad_dep,          "dependency of operation 0 on 7"      },
    {self_dep,         "operation 0 depends on itself"       },
    {negative_segment, "segment 1 lasts -1 ns"               },
    {endless_block,    "too many nanoseconds in a block"     },
    {nobody,           "class 'nobody' stands for 0 GPUs"    },
    {too_many_labels,  "too many labels"                     },
};

Test(sim_program, seal_refuses_what_contradicts_itself)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        SimOp op;
        g_autoptr(SimProgram) p = sound_program(&op);
        cases[i].spoil(p, op);
        cr_assert(!sim_program_seal(p, &error), "case %zu: %s", i, cases[i].want);
        cr_expect(g_error_matches(error, SIM_ERROR, SIM_ERROR_PROGRAM), "case %zu", i);
        cr_expect(strstr(error->message, cases[i].want) != NULL, "case %zu: %s", i, error->message);
    }
}

Test(sim_program, names_are_numbered_once)
{
    g_autoptr(SimProgram) p = sim_program_new();
    uint16_t a = sim_program_bucket(p, "attention");
    uint16_t b = sim_program_bucket(p, "mlp");
    cr_expect(a != b && sim_program_bucket(p, "attention") == a);
    cr_expect_str_eq(sim_program_bucket_name(p, b), "mlp");
    cr_expect(sim_program_label(p, "mlp") == 0, "labels have numbers of their own");
    sim_program_set_wait_bucket(p, sim_program_bucket(p, "bubble"));
    cr_assert(sim_program_seal(p, NULL), "an empty program is sound");
    cr_expect(sim_program_wait_bucket(p) == 2 && sim_program_bucket_count(p) == 3);
}

Test(sim_program, successors_are_the_next_of_the_stream_and_the_dependents)
{
    SimOp op;
    g_autoptr(SimProgram) p = sound_program(&op);
    uint16_t side = sim_program_add_stream(p, 0, "side");
    uint32_t next = sim_program_add_op(p, &op);
    op.stream = side;
    uint32_t other = sim_program_add_op(p, &op);
    uint32_t last = sim_program_add_op(p, &op);
    sim_program_add_dep(p, last, 0);
    sim_program_add_dep(p, other, 0);
    cr_assert(sim_program_seal(p, NULL));
    uint32_t count;
    const uint32_t *after = sim_program_successors(p, 0, &count);
    cr_assert(count == 3);
    cr_expect(after[0] == next && after[1] == last && after[2] == other);
    after = sim_program_successors(p, other, &count);
    cr_expect(count == 1 && after[0] == last);
    sim_program_successors(p, last, &count);
    cr_expect(count == 0);
    cr_expect_str_eq(sim_program_stream_name(p, 0, side), "side");
    cr_expect(sim_program_block_total(p, 0) == 10);
}
