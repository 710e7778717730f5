/*
 * Programs drawn from a seed. They can end: operations only depend on earlier ones, and the members
 * of a group come in a row, of different classes, depending on what is before the first of them.
 * Numbers of blocks and of transfers come from one range, so that one draw serves both.
 */
#include "drawn_program.h"

#include "sim_random.h"

static uint32_t draw_below(SimRandom *bits, uint64_t bound)
{
    return (uint32_t)sim_random_below(bits, bound);
}

static void draw_op(DrawnProgram *drawn, SimRandom *bits, SimOp *op, uint32_t before)
{
    op->stream = (uint16_t)draw_below(bits, DRAWN_STREAMS);
    uint32_t id = sim_program_add_op(drawn->p, op);
    for (uint32_t i = draw_below(bits, 4); i > 0 && before > 0; i--) {
        uint32_t pair[] = {id, draw_below(bits, before)};
        sim_program_add_dep(drawn->p, pair[0], pair[1]);
        g_array_append_vals(drawn->deps, pair, 2);
    }
}

DrawnProgram drawn_program(uint64_t seed, SimTime tick_ns)
{
    SimRandom bits = sim_random_stream(seed, "program");
    DrawnProgram drawn = {.p = sim_program_new(),
                          .deps = g_array_new(FALSE, FALSE, sizeof(uint32_t))};
    uint16_t label = sim_program_label(drawn.p, "op");
    uint16_t comm = sim_program_bucket(drawn.p, "comm");
    const char *names[] = {"a", "b", "c"};
    for (uint32_t i = 0; i < DRAWN_TRANSFERS; i++) {
        SimSegment parts[4];
        uint32_t count = draw_below(&bits, 5);
        for (uint32_t j = 0; j < count; j++) {
            uint16_t bucket = sim_program_bucket(drawn.p, names[draw_below(&bits, 3)]);
            parts[j] = (SimSegment){tick_ns * draw_below(&bits, 30), bucket, label};
        }
        sim_program_add_block(drawn.p, parts, count);
    }
    for (uint32_t i = 0; i < DRAWN_CLASSES; i++) {
        sim_program_add_class(drawn.p, "class", 1 + draw_below(&bits, 100));
        for (int j = 1; j < DRAWN_STREAMS; j++)
            sim_program_add_stream(drawn.p, i, "side");
    }
    while (sim_program_op_count(drawn.p) < DRAWN_OPS) {
        uint32_t before = sim_program_op_count(drawn.p);
        uint32_t members = draw_below(&bits, 3) == 0 ? 1 + draw_below(&bits, DRAWN_CLASSES) : 0;
        SimOp op = {.label = label, .bucket = comm, .group = SIM_GROUP_NONE};
        op.kind = (uint8_t)draw_below(&bits, SIM_OP_KINDS);
        op.block = draw_below(&bits, DRAWN_TRANSFERS);
        op.rank_class = draw_below(&bits, DRAWN_CLASSES);
        if (members > 0)
            op.group = sim_program_add_group(drawn.p, members);
        for (uint32_t i = 0; i < MAX(members, 1); i++) {
            draw_op(&drawn, &bits, &op, before);
            op.rank_class = (op.rank_class + 1) % DRAWN_CLASSES;
            if (!sim_op_kind_is_transfer(op.kind))
                op.block = draw_below(&bits, DRAWN_TRANSFERS);
        }
    }
    bool is_sealed = sim_program_seal(drawn.p, NULL);
    g_assert(is_sealed);
    return drawn;
}

void drawn_program_clear(DrawnProgram *drawn)
{
    sim_program_free(drawn->p);
    g_array_unref(drawn->deps);
}
