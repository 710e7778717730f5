/* Steps whose weights are sharded: ZeRO-3 and FSDP.
 *
 * A unit (one layer, the embedding, the head) computes with whole weights, of which each rank keeps
 * a part. They are gathered before the unit's forward and thrown away after it, gathered again
 * before its backward, and after that its gradients are reduced and scattered (Rajbhandari 2020,
 * section 5.3; Zhao 2023, "PyTorch FSDP", section 3). Without resharding after the forward they
 * stay until the backward; without synchronisation until the last microbatch's, which alone
 * reduces.
 *
 * Units stand in one line through all tasks of the step. The gather of unit n + p may start when
 * unit n does, p = plan.prefetch, so that no more than 1 + p units are whole at a time: with a
 * gather of g seconds and forwards of f, L units of a forward take
 *
 *   g + (L - 1) max(f, g) + f        p = 1
 *
 * Gathers and reductions share one stream, as one communicator does, the next gather first
 * (BACKWARD_PRE of FSDP). Without overlap.data they stand on the main stream. A unit whose
 * backward directly follows its forward is not gathered twice: the last one.
 *
 * Where all microbatches pass a chunk before the next chunk (breadth-first), its units stay whole
 * as long, and are reduced once: two gathers and one reduction a step, however many microbatches
 * (Lamy-Poirier 2023, section 4.2).
 *
 * Collectives take SMs and bandwidth from the compute beside them, a share s = plan.comm_slowdown
 * of it. A unit of f seconds beside c seconds of collectives (the next gather, the reduction of the
 * unit before it) takes longer by
 *
 *   min(s c, s / (1 - s) f)
 *
 * Models with experts have no units: the loader refuses them.
 *
 * Left out: copies between flat buffers and tensors, casts of shards; the weights' gradients of
 * zero-bubble schedules need no gather. */
#include "strat_compile_private.h"

#include "sim_time.h"

#include <math.h>

/* A unit of a task, in the order of the main stream. */
typedef struct Unit {
    const StratTask *task;
    int64_t piece;
    bool first, last; /* of its task */
    bool gathers;
    uint32_t gather; /* the operation, or none */
} Unit;

bool strat_compile_has_units(const StratCompiler *c)
{
    bool apart = c->plan->offload.parameters != STRAT_STORE_DEVICE;
    return c->plan->zero_stage == 3 && (c->plan->data * c->plan->context > 1 || apart);
}

static bool is_same(const Unit *unit, const StratTask *task, int64_t piece)
{
    return unit->task->chunk == task->chunk && unit->piece == piece;
}

/* Appends the units of @task to @units; @whole says which of its chunk are gathered, @stays that
 * they are needed for the next task. */
static void list_task(const StratCompiler *c, const StratTask *task, int64_t count, bool stays,
                      bool *whole, GArray *units)
{
    bool forward = task->kind == STRAT_TASK_FORWARD, kept = !c->plan->reshard_after_forward;
    for (int64_t i = 0; i < count; i++) {
        int64_t piece = forward ? i : count - 1 - i;
        Unit unit = {.task = task,
                     .piece = piece,
                     .first = i == 0,
                     .last = i == count - 1,
                     .gather = STRAT_NO_OP};
        if (task->kind != STRAT_TASK_WEIGHT) {
            bool at_hand =
                units->len > 0 && is_same(&g_array_index(units, Unit, units->len - 1), task, piece);
            unit.gathers = !whole[piece] && !at_hand;
            whole[piece] = stays || (kept && (forward || c->plan->no_sync));
        }
        g_array_append_val(units, unit);
    }
}

static GArray *list_units(const StratCompiler *c, const StratClassCode *code)
{
    const GArray *tasks = code->orders->pdata[code->stage];
    GArray *units = g_array_new(FALSE, FALSE, sizeof(Unit));
    g_autofree bool **whole = g_new(bool *, code->chunk_count);
    for (int64_t k = 0; k < code->chunk_count; k++)
        whole[k] = g_new0(bool, code->chunks[k].piece_count);
    for (guint i = 0; i < tasks->len; i++) {
        const StratTask *task = &g_array_index(tasks, StratTask, i);
        bool stays =
            c->schedule->keeps_chunks && i + 1 < tasks->len && task[1].chunk == task->chunk;
        list_task(c, task, code->chunks[task->chunk].piece_count, stays, whole[task->chunk], units);
    }
    for (int64_t k = 0; k < code->chunk_count; k++)
        g_free(whole[k]);
    return units;
}

static double unit_params(const StratClassCode *code, const Unit *unit)
{
    return code->chunks[unit->task->chunk].piece_params[STRAT_PARAMS_SHARED][unit->piece];
}

/* Seconds of the collectives beside unit @n. */
static double beside_s(const StratCompiler *c, const StratClassCode *code, const GArray *units,
                       guint n)
{
    guint next = n + (guint)c->plan->prefetch;
    double seconds = 0.0;
    if (next < units->len && g_array_index(units, Unit, next).gathers)
        seconds += strat_compile_data_s(
            c, code, unit_params(code, &g_array_index(units, Unit, next)), STRAT_FORWARD);
    const Unit *before = n > 0 ? &g_array_index(units, Unit, n - 1) : NULL;
    if (before && strat_compile_reduces(c, code, before->task))
        seconds += strat_compile_data_s(c, code, unit_params(code, before), STRAT_BACKWARD);
    return seconds;
}

/* What unit @n, whose block is @block, loses to the collectives beside it. */
static bool add_loss(StratCompiler *c, uint32_t class, const GArray *units, guint n, uint32_t block,
                     GError **error)
{
    double share = c->plan->comm_slowdown;
    if (share <= 0.0 || share >= 1.0 || !c->plan->overlap_data)
        return true;
    double alone = sim_time_to_seconds(sim_program_block_total(c->program, block));
    double lost =
        fmin(share * beside_s(c, &c->classes[class], units, n), share / (1.0 - share) * alone);
    return strat_compile_span(c, class, lost, STRAT_BUCKET_DATA_COMM, "compute beside data comm.",
                              error);
}

/* The gather that @unit waits for, after what the main stream has so far. */
static void gather(StratCompiler *c, uint32_t class, Unit *unit)
{
    const StratClassCode *code = &c->classes[class];
    if (unit->gathers)
        unit->gather = strat_compile_gather(c, class, STRAT_PARAMS_SHARED, unit_params(code, unit),
                                            code->last_main);
}

bool strat_compile_units(StratCompiler *c, uint32_t class, GError **error)
{
    const StratClassCode *code = &c->classes[class];
    g_autoptr(GArray) units = list_units(c, code);
    guint ahead = 0, prefetch = c->plan->overlap_data ? (guint)c->plan->prefetch : 0;
    for (guint n = 0; n < units->len; n++) {
        Unit *unit = &g_array_index(units, Unit, n);
        const StratChunkCode *chunk = &code->chunks[unit->task->chunk];
        for (; ahead <= n + prefetch && ahead < units->len; ahead++)
            gather(c, class, &g_array_index(units, Unit, ahead));
        int64_t piece = chunk->piece_count > 1 ? unit->piece : -1;
        uint32_t id = strat_compile_piece(c, class, unit->task, piece, unit->first);
        if (unit->gather != STRAT_NO_OP)
            strat_compile_block_waits(c, class, id, unit->gather);
        double params = chunk->piece_trained[STRAT_PARAMS_SHARED][unit->piece];
        if (!add_loss(c, class, units, n, chunk->piece_block[unit->task->kind][unit->piece], error))
            return false;
        if (strat_compile_reduces(c, code, unit->task) &&
            !strat_compile_reduce(c, class, STRAT_PARAMS_SHARED, params, code->last_main, error))
            return false;
        if (unit->last)
            strat_compile_result(c, class, unit->task);
    }
    return true;
}
