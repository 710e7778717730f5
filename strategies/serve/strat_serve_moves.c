/*
 * Caches between the two pools. A prompt that is done on a prefill replica leaves for a decode
 * replica, of its router's choice; the sender keeps the blocks until all has come, which is when
 * the sequence queues up there. How long it takes is what strat_moves.h says:
 *
 *     kv_bytes_per_token x tokens, at once when the prompt is done, or
 *
 * layer by layer (transfer_layers = L): in the iteration of d seconds that completes the prompt,
 * what earlier chunks left sets out when it begins, the layers but the last from d / L on, no
 * faster than they are computed, and the last one, 1 / L of the chunk, at its end. The receiver is
 * then chosen when the iteration begins. (Patel 2024, Splitwise, section IV-C; Qin 2024, Mooncake,
 * section 5.2.)
 *
 * Left out: chunks that set out before the last iteration; that transfers slow the iteration down.
 */
#include "strat_serve_private.h"

static StratReplica *replica_of(const StratServeState *run, size_t pool, size_t index)
{
    return g_ptr_array_index(run->pool[pool].replicas, index);
}

static StratMove *open_move(StratServeState *run, const StratReplica *replica,
                            StratSequence *sequence, StratFine now)
{
    size_t to = strat_serve_choose(run, 1, sequence, now);
    StratMove *move =
        strat_moves_open(run->moves, sequence, sequence->id, (size_t)replica->index, to);
    replica_of(run, 1, to)->outstanding++; /* for the router: it is on its way */
    move->left_bytes = run->spec->kv_bytes_per_token * (double)sequence->computed;
    return move;
}

static void send(StratServeState *run, StratMove *move, StratMovePart part, StratFine at)
{
    move->left_bytes -= part.bytes;
    if (part.bytes > 0.0 || part.is_last)
        run->moves->send(run->moves, move, &part, at);
    run->stopped = run->stopped || (run->moves->fault && run->moves->fault(run->moves));
}

void strat_serve_completes(void *ctx, StratReplica *replica, StratSequence *sequence,
                           const StratChunk *last, double takes_s, StratFine now)
{
    StratServeState *run = ctx;
    double layers = run->spec->transfer_layers;
    double bytes = run->spec->kv_bytes_per_token * (double)last->tokens;
    StratMove *move = sequence->move = open_move(run, replica, sequence, now);
    send(run, move, (StratMovePart){.bytes = MAX(move->left_bytes - bytes, 0.0)}, now);
    StratMovePart made = {
        .bytes = bytes * (layers - 1.0) / layers,
        .made_s = takes_s * (layers - 1.0) / layers,
    };
    send(run, move, made, now + strat_fine_from_seconds(takes_s / layers));
}

void strat_serve_leaves(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now)
{
    StratServeState *run = ctx;
    StratMove *move = sequence->move ? sequence->move : open_move(run, replica, sequence, now);
    sequence->move = NULL;
    move->since = now;
    send(run, move, (StratMovePart){.bytes = MAX(move->left_bytes, 0.0), .is_last = true}, now);
}

void strat_serve_step_moves(StratServeState *run)
{
    StratFine now = run->now;
    StratMove *move = run->moves->step(run->moves);
    if (!move)
        return;
    StratReplica *from = replica_of(run, 0, move->from);
    StratSequence *sequence = move->sequence;
    size_t to = move->to;
    strat_tally_moved(&run->tally, sequence->id, now - move->since);
    strat_moves_close(run->moves, move);
    strat_replica_forget(from, sequence);
    strat_serve_wake(run, from, now);
    sequence->remote = true;
    sequence->computed = 0;
    replica_of(run, 1, to)->outstanding--;
    strat_serve_deliver(run, 1, to, sequence, now);
}
