/*
 * A step of a trace as a Program.
 *
 * A worker is a class with the streams of strat_replay_kind.c. An operation is up to three of the
 * engine's, one after another on its stream: a delay (the gap, where gaps are kept), a rendezvous
 * of no length with its group, and its own work. So all of a group set off together and each ends
 * in its own time, as in the trace. Steps do not overlap: each starts with everybody free.
 *
 * Replicas that do the same operations in the same times behave alike whatever the others do, since
 * they meet only where everybody waits for everybody: they are simulated once, with a multiplicity.
 * A step like the one before it is not simulated again. That is what makes a what-if cheap in which
 * one worker differs from the ideal.
 */
#include "sim_exec.h"
#include "strat_replay_private.h"

#include <string.h>

/* One step on its way into a program. Arrays of operations count from @from. */
typedef struct Build {
    const StratReplay *replay;
    const SimTime *work_ns;
    StratReplayRun how;
    uint32_t step, from, to;
    uint32_t *alike;           /* [dps] the replica that stands for this one */
    uint32_t *head, *tail;     /* first and last of the engine's operations */
    uint32_t *members, *group; /* by leader */
    uint16_t buckets[STRAT_REPLAY_KINDS], labels[STRAT_REPLAY_KINDS], gap_bucket, gap_label;
    uint32_t nothing; /* the block of no length */
    SimProgram *program;
} Build;

static uint32_t first_of(const Build *b, uint32_t step, uint32_t dp, int32_t pp)
{
    return b->replay->worker_first[strat_replay_worker(b->replay, step, (int32_t)dp, pp)];
}

/* Whether @count operations from @x on and from @y on are the same in the same times. */
static bool are_alike(const Build *b, uint32_t x, uint32_t y, uint32_t count)
{
    const StratReplay *r = b->replay;
    for (uint32_t i = 0; i < count; i++) {
        if (r->ops[x + i].kind != r->ops[y + i].kind || b->work_ns[x + i] != b->work_ns[y + i] ||
            (b->how.gaps && r->gap_ns[x + i] != r->gap_ns[y + i]))
            return false;
    }
    return true;
}

static bool are_replicas_alike(const Build *b, uint32_t step, uint32_t dp, uint32_t other_step,
                               uint32_t other)
{
    for (int32_t pp = 0; pp < b->replay->pps; pp++) {
        uint32_t x = first_of(b, step, dp, pp), y = first_of(b, other_step, other, pp);
        uint32_t worker = strat_replay_worker(b->replay, step, (int32_t)dp, pp);
        uint32_t twin = strat_replay_worker(b->replay, other_step, (int32_t)other, pp);
        uint32_t count = b->replay->worker_first[worker + 1] - x;
        if (b->replay->worker_first[twin + 1] - y != count || !are_alike(b, x, y, count))
            return false;
    }
    return true;
}

static void fold_replicas(Build *b)
{
    for (uint32_t dp = 0; dp < (uint32_t)b->replay->dps; dp++) {
        b->alike[dp] = dp;
        for (uint32_t other = 0; other < dp && !b->how.unfolded; other++) {
            if (b->alike[other] == other && are_replicas_alike(b, b->step, dp, b->step, other)) {
                b->alike[dp] = other;
                break;
            }
        }
    }
}

static bool is_like_the_last(const Build *b)
{
    if (b->step == 0 || b->how.unfolded)
        return false;
    for (uint32_t dp = 0; dp < (uint32_t)b->replay->dps; dp++)
        if (!are_replicas_alike(b, b->step, dp, b->step - 1, dp))
            return false;
    return true;
}

static uint32_t add(Build *b, const SimOp *op, uint32_t i)
{
    uint32_t added = sim_program_add_op(b->program, op);
    if (b->head[i - b->from] == STRAT_REPLAY_NONE)
        b->head[i - b->from] = added;
    b->tail[i - b->from] = added;
    return added;
}

static uint32_t block_of(Build *b, SimTime duration_ns, uint16_t bucket, uint16_t label)
{
    const SimSegment segment = {.duration_ns = duration_ns, .bucket = bucket, .label = label};
    return sim_program_add_block(b->program, &segment, 1);
}

static void add_op(Build *b, uint32_t i, uint32_t rank_class)
{
    const StratReplay *r = b->replay;
    StratReplayKind kind = r->ops[i].kind;
    uint32_t leader = r->group[i];
    SimOp op = {
        .rank_class = rank_class,
        .group = SIM_GROUP_NONE,
        .stream = (uint16_t)strat_replay_kind(kind)->stream,
        .bucket = b->buckets[kind],
        .label = b->labels[kind],
        .kind = SIM_OP_COMPUTE,
    };
    if (b->how.gaps && r->gap_ns[i] > 0) {
        op.block = block_of(b, r->gap_ns[i], b->gap_bucket, b->gap_label);
        add(b, &op, i);
    }
    if (leader != STRAT_REPLAY_NONE && b->members[leader - b->from] > 1) {
        uint32_t *group = &b->group[leader - b->from];
        if (*group == STRAT_REPLAY_NONE)
            *group = sim_program_add_group(b->program, b->members[leader - b->from]);
        op.group = *group;
        op.block = b->nothing;
        add(b, &op, i);
        op.group = SIM_GROUP_NONE;
    }
    op.block = block_of(b, b->work_ns[i], b->buckets[kind], b->labels[kind]);
    add(b, &op, i);
}

static void add_worker(Build *b, uint32_t dp, int32_t pp, int64_t multiplicity)
{
    const StratReplay *r = b->replay;
    g_autofree char *name = g_strdup_printf("dp %u pp %d", dp, pp);
    uint32_t worker = strat_replay_worker(r, b->step, (int32_t)dp, pp);
    uint32_t rank_class = sim_program_add_class(b->program, name, multiplicity);
    for (int stream = 1; stream < STRAT_REPLAY_STREAMS; stream++) {
        g_autofree char *stream_name = g_strdup_printf("stream %d", stream);
        sim_program_add_stream(b->program, rank_class, stream_name);
    }
    for (uint32_t i = r->worker_first[worker]; i < r->worker_first[worker + 1]; i++)
        add_op(b, i, rank_class);
    for (uint32_t i = r->worker_first[worker]; i < r->worker_first[worker + 1]; i++)
        for (size_t k = 0; k < G_N_ELEMENTS(r->waits[i]); k++)
            if (r->waits[i][k] != STRAT_REPLAY_NONE)
                sim_program_add_dep(b->program, b->head[i - b->from],
                                    b->tail[r->waits[i][k] - b->from]);
}

static void name_accounts(Build *b)
{
    for (StratReplayKind kind = 0; kind < STRAT_REPLAY_KINDS; kind++) {
        b->buckets[kind] = sim_program_bucket(b->program, strat_replay_kind(kind)->name);
        b->labels[kind] = sim_program_label(b->program, strat_replay_kind(kind)->name);
    }
    b->gap_bucket = sim_program_bucket(b->program, "gap");
    b->gap_label = sim_program_label(b->program, "gap");
    b->nothing = block_of(b, 0, b->gap_bucket, b->gap_label);
}

static void build(Build *b)
{
    const StratReplay *r = b->replay;
    uint32_t count = b->to - b->from;
    memset(b->head, 0xff, count * sizeof *b->head);
    memset(b->group, 0xff, count * sizeof *b->group);
    memset(b->members, 0, count * sizeof *b->members);
    fold_replicas(b);
    name_accounts(b);
    sim_program_reserve(b->program, 2 * count, 2 * count);
    for (uint32_t i = b->from; i < b->to; i++)
        if (r->group[i] != STRAT_REPLAY_NONE && b->alike[r->ops[i].dp] == (uint32_t)r->ops[i].dp)
            b->members[r->group[i] - b->from]++;
    for (uint32_t dp = 0; dp < (uint32_t)r->dps; dp++) {
        int64_t multiplicity = 0;
        for (uint32_t other = dp; other < (uint32_t)r->dps; other++)
            multiplicity += b->alike[other] == dp;
        for (int32_t pp = 0; multiplicity > 0 && pp < r->pps; pp++)
            add_worker(b, dp, pp, multiplicity);
    }
}

static bool run_step(Build *b, double *step_s, GError **error)
{
    g_autoptr(SimProgram) program = b->program = sim_program_new();
    build(b);
    if (!sim_program_seal(program, error))
        return false;
    g_autoptr(SimRun) run = sim_exec_run(program, NULL, error);
    if (!run) {
        g_prefix_error(error, "step %" G_GINT64_FORMAT ": ", b->replay->ops[b->from].step);
        return false;
    }
    *step_s = sim_time_to_seconds(run->makespan);
    return true;
}

bool strat_replay_run(const StratReplay *replay, const SimTime *work_ns, StratReplayRun how,
                      double *step_s, double *mean_s, GError **error)
{
    g_autofree uint32_t *alike = g_new(uint32_t, replay->dps);
    g_autofree uint32_t *rooms = g_new(uint32_t, 4 * (size_t)replay->op_count);
    Build b = {
        .replay = replay,
        .work_ns = work_ns,
        .how = how,
        .alike = alike,
        .head = rooms,
        .tail = rooms + replay->op_count,
        .members = rooms + 2 * (size_t)replay->op_count,
        .group = rooms + 3 * (size_t)replay->op_count,
    };
    double sum_s = 0.0, last_s = 0.0;
    for (b.step = 0; b.step < replay->step_count; b.step++) {
        b.from = first_of(&b, b.step, 0, 0);
        b.to = replay->worker_first[strat_replay_worker(replay, b.step + 1, 0, 0)];
        if (!is_like_the_last(&b) && !run_step(&b, &last_s, error))
            return false;
        if (step_s)
            step_s[b.step] = last_s;
        sum_s += last_s;
    }
    *mean_s = sum_s / replay->step_count;
    return true;
}
