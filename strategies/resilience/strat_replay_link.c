/*
 * What each operation of a trace waits for, read off a rank's own order.
 *
 * The dependency model of Lin et al. 2025 (arXiv 2505.05713, and the artifact's
 * analyzer/dependency_model.py). Of one worker in one step, n-th meaning in order of starts:
 *
 *   on one stream   operations run one after another (the streams are in strat_replay_kind.c)
 *   recv            the n-th feeds the n-th pass of its direction, and is posted once the (n-1)-th
 *                   is done; the first backward one once the last forward but one before the first
 *                   backward is
 *   send            the n-th follows the n-th pass
 *   parameters      the last all-gather comes before the first forward pass
 *
 * Between workers, the n-th operation of a kind meets the n-th of its partners (StratReplayScope):
 * a send its recv, a data-parallel collective all replicas of the stage.
 *
 * Left out: virtual stages (one chunk of the model a stage), gradients reduced while the backward
 * pass runs, and combined send-and-recv kinds; the reader refuses kinds that it does not know, and
 * the counts here refuse what a virtual stage adds.
 */
#include "strat_replay_private.h"
#include "strat_schedule.h"

#include <string.h>

/* The operations of a worker by kind, in order: list[first[worker * KINDS + kind] + nth]. */
typedef struct Index {
    const StratReplay *replay;
    uint32_t *first;
    uint32_t *list;
} Index;

static size_t cell(uint32_t worker, StratReplayKind kind)
{
    return (size_t)worker * STRAT_REPLAY_KINDS + kind;
}

static uint32_t count_of(const Index *index, uint32_t worker, StratReplayKind kind)
{
    return index->first[cell(worker, kind) + 1] - index->first[cell(worker, kind)];
}

/* NONE when the worker has fewer. */
static uint32_t find(const Index *index, uint32_t worker, StratReplayKind kind, uint32_t nth)
{
    return nth < count_of(index, worker, kind) ? index->list[index->first[cell(worker, kind)] + nth]
                                               : STRAT_REPLAY_NONE;
}

static uint32_t last_of(const Index *index, uint32_t worker, StratReplayKind kind)
{
    uint32_t count = count_of(index, worker, kind);
    return count > 0 ? find(index, worker, kind, count - 1) : STRAT_REPLAY_NONE;
}

/* Counts, then places; nth falls out on the way. */
static void index_ops(StratReplay *r, Index *index)
{
    uint32_t workers = r->step_count * (uint32_t)r->dps * (uint32_t)r->pps;
    size_t cells = (size_t)workers * STRAT_REPLAY_KINDS;
    index->replay = r;
    index->first = g_new0(uint32_t, cells + 1);
    index->list = g_new(uint32_t, r->op_count);
    for (uint32_t w = 0; w < workers; w++)
        for (uint32_t i = r->worker_first[w]; i < r->worker_first[w + 1]; i++)
            r->nth[i] = index->first[cell(w, r->ops[i].kind) + 1]++;
    for (size_t c = 0; c < cells; c++)
        index->first[c + 1] += index->first[c];
    for (uint32_t w = 0; w < workers; w++)
        for (uint32_t i = r->worker_first[w]; i < r->worker_first[w + 1]; i++)
            index->list[index->first[cell(w, r->ops[i].kind)] + r->nth[i]] = i;
}

/* How many operations of @kind the worker must have for its partners' sake; -1: any number. */
static int64_t count_wanted(const Index *index, uint32_t step, int32_t dp, int32_t pp,
                            StratReplayKind kind)
{
    const StratReplay *r = index->replay;
    bool first = pp == 0, last = pp == r->pps - 1;
    int64_t passes = count_of(index, strat_replay_worker(r, step, dp, 0), STRAT_REPLAY_FORWARD);
    switch (kind) {
    case STRAT_REPLAY_FORWARD:
        return MAX(passes, 1);
    case STRAT_REPLAY_BACKWARD:
        return passes;
    case STRAT_REPLAY_FORWARD_SEND:
    case STRAT_REPLAY_BACKWARD_RECV:
        return last ? 0 : passes;
    case STRAT_REPLAY_FORWARD_RECV:
    case STRAT_REPLAY_BACKWARD_SEND:
        return first ? 0 : passes;
    default:
        break;
    }
    switch (strat_replay_kind(kind)->scope) {
    case STRAT_REPLAY_ENDS:
        return last ? (int64_t)count_of(index, strat_replay_worker(r, step, dp, 0), kind) : -1;
    case STRAT_REPLAY_STAGE:
        return count_of(index, strat_replay_worker(r, step, 0, pp), kind);
    case STRAT_REPLAY_JOB:
        return count_of(index, strat_replay_worker(r, step, 0, 0), kind);
    default:
        return -1;
    }
}

static bool check_worker(const Index *index, uint32_t step, int32_t dp, int32_t pp, GError **error)
{
    const StratReplay *r = index->replay;
    for (StratReplayKind kind = 0; kind < STRAT_REPLAY_KINDS; kind++) {
        int64_t wanted = count_wanted(index, step, dp, pp, kind);
        uint32_t count = count_of(index, strat_replay_worker(r, step, dp, pp), kind);
        if (wanted < 0 || wanted == count)
            continue;
        /* Some worker has operations: a step is made of them. */
        uint32_t any = r->worker_first[strat_replay_worker(r, step, 0, 0)];
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                    "step %" G_GINT64_FORMAT ": the worker dp %d, pp %d has %u %s where its "
                    "partners make it %" G_GINT64_FORMAT,
                    r->ops[any].step, dp, pp, count, strat_replay_kind(kind)->name, wanted);
        return false;
    }
    return true;
}

static uint32_t peer_leader(const Index *index, const StratReplayOp *op, uint32_t step,
                            uint32_t nth)
{
    const StratReplay *r = index->replay;
    StratReplayKind sends = op->kind <= STRAT_REPLAY_FORWARD_RECV ? STRAT_REPLAY_FORWARD_SEND
                                                                  : STRAT_REPLAY_BACKWARD_SEND;
    int32_t from = sends == STRAT_REPLAY_FORWARD_SEND ? -1 : 1;
    int32_t pp = op->kind == sends ? op->pp : op->pp + from;
    return find(index, strat_replay_worker(r, step, op->dp, pp), sends, nth);
}

/* The first of those that @i meets; NONE when it meets nobody. */
static uint32_t leader_of(const Index *index, uint32_t i, uint32_t step)
{
    const StratReplay *r = index->replay;
    const StratReplayOp *op = &r->ops[i];
    switch (strat_replay_kind(op->kind)->scope) {
    case STRAT_REPLAY_PEER:
        return peer_leader(index, op, step, r->nth[i]);
    case STRAT_REPLAY_ENDS:
        if (r->pps == 1 || (op->pp > 0 && op->pp < r->pps - 1))
            return STRAT_REPLAY_NONE;
        return find(index, strat_replay_worker(r, step, op->dp, 0), op->kind, r->nth[i]);
    case STRAT_REPLAY_STAGE:
        return find(index, strat_replay_worker(r, step, 0, op->pp), op->kind, r->nth[i]);
    case STRAT_REPLAY_JOB:
        return find(index, strat_replay_worker(r, step, 0, 0), op->kind, r->nth[i]);
    default:
        return STRAT_REPLAY_NONE;
    }
}

/* The forward pass but one before the first backward pass of @worker. */
static uint32_t before_first_backward(const Index *index, uint32_t worker)
{
    const StratReplay *r = index->replay;
    uint32_t last[2] = {STRAT_REPLAY_NONE, STRAT_REPLAY_NONE};
    for (uint32_t i = r->worker_first[worker]; i < r->worker_first[worker + 1]; i++) {
        if (r->ops[i].kind == STRAT_REPLAY_BACKWARD)
            return last[1];
        if (r->ops[i].kind == STRAT_REPLAY_FORWARD) {
            last[1] = last[0];
            last[0] = i;
        }
    }
    return STRAT_REPLAY_NONE;
}

static void link_op(const Index *index, StratReplay *r, uint32_t i, uint32_t worker)
{
    uint32_t *waits = r->waits[i], nth = r->nth[i];
    switch (r->ops[i].kind) {
    case STRAT_REPLAY_FORWARD:
        waits[0] = find(index, worker, STRAT_REPLAY_FORWARD_RECV, nth);
        if (nth == 0)
            waits[1] = last_of(index, worker, STRAT_REPLAY_PARAMS_GATHER);
        break;
    case STRAT_REPLAY_BACKWARD:
        waits[0] = find(index, worker, STRAT_REPLAY_BACKWARD_RECV, nth);
        break;
    case STRAT_REPLAY_FORWARD_SEND:
        waits[0] = find(index, worker, STRAT_REPLAY_FORWARD, nth);
        break;
    case STRAT_REPLAY_BACKWARD_SEND:
        waits[0] = find(index, worker, STRAT_REPLAY_BACKWARD, nth);
        break;
    case STRAT_REPLAY_FORWARD_RECV:
        waits[0] = nth > 0 ? find(index, worker, STRAT_REPLAY_FORWARD, nth - 1) : STRAT_REPLAY_NONE;
        break;
    case STRAT_REPLAY_BACKWARD_RECV:
        waits[0] = nth > 0 ? find(index, worker, STRAT_REPLAY_BACKWARD, nth - 1)
                           : before_first_backward(index, worker);
        break;
    default:
        break;
    }
}

static void link_worker(const Index *index, StratReplay *r, uint32_t step, uint32_t worker)
{
    uint32_t last[STRAT_REPLAY_STREAMS];
    memset(last, 0xff, sizeof last);
    for (uint32_t i = r->worker_first[worker]; i < r->worker_first[worker + 1]; i++) {
        int stream = strat_replay_kind(r->ops[i].kind)->stream;
        r->previous[i] = last[stream];
        last[stream] = i;
        r->group[i] = leader_of(index, i, step);
        link_op(index, r, i, worker);
    }
}

bool strat_replay_link(StratReplay *replay, GError **error)
{
    Index index = {0};
    bool ok = true;
    memset(replay->waits, 0xff, replay->op_count * sizeof *replay->waits);
    index_ops(replay, &index);
    for (uint32_t step = 0; ok && step < replay->step_count; step++)
        for (int32_t dp = 0; ok && dp < replay->dps; dp++)
            for (int32_t pp = 0; ok && pp < replay->pps; pp++)
                ok = check_worker(&index, step, dp, pp, error);
    for (uint32_t step = 0; ok && step < replay->step_count; step++)
        for (int32_t dp = 0; dp < replay->dps; dp++)
            for (int32_t pp = 0; pp < replay->pps; pp++)
                link_worker(&index, replay, step, strat_replay_worker(replay, step, dp, pp));
    g_free(index.first);
    g_free(index.list);
    return ok;
}
