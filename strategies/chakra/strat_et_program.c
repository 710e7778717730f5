/* From a sequence to a program: a class a rank, its streams, and every operation in the order of its
 * start. A collective is a group of one transfer; a send is a transfer of the sender, and its receive
 * a delay of no length behind it. */
#include "strat_et_private.h"

enum { LABELS_MOST = 60000 }; /* of 65,535: beyond, operations are called by what they do */

typedef struct Build {
    const StratEtWork *work;
    SimProgram *program;
    uint16_t account[STRAT_ET_ACCOUNTS];
    uint32_t *group; /* of each meeting, in the program; NONE until it is there */
    uint32_t *op_of; /* of each operation, in the program */
} Build;

/* Where the time of @node goes. */
static StratEtAccount account_of(const StratEtNode *node)
{
    switch ((StratEtKind)node->kind) {
    case STRAT_ET_COMPUTE:
        return node->on_host ? STRAT_ET_ACCOUNT_HOST : STRAT_ET_ACCOUNT_COMPUTE;
    case STRAT_ET_MEMORY:
        return STRAT_ET_ACCOUNT_MEMORY;
    case STRAT_ET_COLLECTIVE:
        return (StratEtAccount)(STRAT_ET_ACCOUNT_COLLECTIVE + node->collective);
    case STRAT_ET_SEND:
    case STRAT_ET_RECV:
        return STRAT_ET_ACCOUNT_SEND;
    default:
        return STRAT_ET_ACCOUNT_HOST;
    }
}

static uint16_t label_of(const Build *build, const StratEtNode *node)
{
    const GPtrArray *names = build->work->et->names;
    const char *name = names->len > LABELS_MOST ? strat_et_account_name(account_of(node))
                                                : g_ptr_array_index(names, node->name);
    return sim_program_label(build->program, name);
}

/* The rendezvous of meeting @index. */
static uint32_t group_of(Build *build, uint32_t index, const StratEtMeeting *meeting)
{
    if (build->group[index] == STRAT_ET_NONE)
        build->group[index] = sim_program_add_group(build->program, meeting->count);
    return build->group[index];
}

static void add_op(Build *build, uint32_t op)
{
    const StratEtWork *work = build->work;
    const StratEtNode *node = strat_et_op_node(work, op);
    uint32_t index = work->meeting_of[op];
    const StratEtMeeting *meeting =
        index == STRAT_ET_NONE ? NULL : &g_array_index(work->meetings, StratEtMeeting, index);
    SimOp what = {
        .rank_class = work->rank_of[op],
        .group = SIM_GROUP_NONE,
        .stream = (uint16_t)work->stream[op],
        .bucket = build->account[account_of(node)],
        .label = label_of(build, node),
    };
    if (node->kind == STRAT_ET_COLLECTIVE || node->kind == STRAT_ET_SEND) {
        bool is_send = node->kind == STRAT_ET_SEND;
        what.kind = is_send ? SIM_OP_SEND : SIM_OP_COLLECTIVE;
        what.transfer = meeting->transfer;
        what.group = is_send ? SIM_GROUP_NONE : group_of(build, index, meeting);
    } else {
        SimSegment segment = {
            .duration_ns = meeting ? 0 : work->duration[op],
            .bucket = what.bucket,
            .label = what.label,
        };
        what.kind = node->kind == STRAT_ET_COMPUTE ? SIM_OP_COMPUTE : SIM_OP_DELAY;
        what.block = sim_program_add_block(build->program, &segment, 1);
    }
    build->op_of[op] = sim_program_add_op(build->program, &what);
}

static void add_deps(const Build *build, uint32_t op)
{
    const StratEtWork *work = build->work;
    uint32_t rank = work->rank_of[op];
    const StratEtRank *of = g_ptr_array_index(work->et->ranks, rank);
    const StratEtNode *node = strat_et_op_node(work, op);
    for (uint32_t d = node->first_dep; d < node->first_dep + node->dep_count; d++)
        sim_program_add_dep(build->program, build->op_of[op],
                            build->op_of[work->base[rank] + of->deps[d]]);
    if (node->kind != STRAT_ET_RECV)
        return;
    const StratEtMeeting *meeting =
        &g_array_index(work->meetings, StratEtMeeting, work->meeting_of[op]);
    uint32_t send = g_array_index(work->members, uint32_t, meeting->first);
    sim_program_add_dep(build->program, build->op_of[op], build->op_of[send]);
}

static void add_classes(Build *build)
{
    const StratEtWork *work = build->work;
    for (guint r = 0; r < work->et->ranks->len; r++) {
        g_autofree char *name = g_strdup_printf("rank %u", r);
        sim_program_add_class(build->program, name, 1);
        sim_program_add_stream(build->program, r, "host");
        sim_program_add_stream(build->program, r, "memory");
        for (guint i = 0; i < work->streams[r]->len; i++)
            sim_program_add_stream(build->program, r, g_ptr_array_index(work->streams[r], i));
    }
}

SimProgram *strat_et_program(const StratEtWork *work, GError **error)
{
    g_autoptr(SimProgram) program = sim_program_new();
    g_autofree uint32_t *group = g_new(uint32_t, MAX(work->meetings->len, 1));
    g_autofree uint32_t *op_of = g_new(uint32_t, MAX(work->ops, 1));
    Build build = {.work = work, .program = program, .group = group, .op_of = op_of};
    for (int a = 0; a < STRAT_ET_ACCOUNTS; a++)
        build.account[a] = sim_program_bucket(program, strat_et_account_name((StratEtAccount)a));
    sim_program_set_wait_bucket(program, build.account[STRAT_ET_ACCOUNT_WAIT]);
    for (guint m = 0; m < work->meetings->len; m++)
        group[m] = STRAT_ET_NONE;
    add_classes(&build);
    sim_program_reserve(program, work->ops, 0);
    for (uint32_t i = 0; i < work->ops; i++)
        add_op(&build, work->sequence[i]);
    for (uint32_t i = 0; i < work->ops; i++)
        add_deps(&build, work->sequence[i]);
    return sim_program_seal(program, error) ? g_steal_pointer(&program) : NULL;
}
