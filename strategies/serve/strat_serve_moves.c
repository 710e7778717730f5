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
 * Where a replica dies its moves break off: what flies of them arrives and is of no use. A cache
 * that finds a receiver known to be dead goes to another, from the start.
 *
 * Left out: chunks that set out before the last iteration; that transfers slow the iteration down.
 */
#include "strat_outage.h"

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
    if (run->outage) {
        const StratReplica *from = replica_of(run, 0, move->from);
        const StratReplica *to = replica_of(run, 1, move->to);
        part.bytes *= strat_outage_wire(run->outage, from, to);
        at = MAX(at, strat_outage_blocked(run->outage, from, to));
    }
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

/* Nobody waits for @move any more. */
static void orphan(StratServeState *run, StratMove *move)
{
    replica_of(run, 1, move->to)->outstanding--;
    move->sequence = NULL;
    if (move->is_sent || move->flying > 0)
        move->is_sent = true; /* it ends with what flies */
    else
        strat_moves_close(run->moves, move);
}

void strat_serve_break_parts(StratServeState *run, const StratReplica *from)
{
    for (guint i = run->moves ? run->moves->open->len : 0; i > 0; i--) {
        StratMove *move = g_ptr_array_index(run->moves->open, i - 1);
        if (move->from != (size_t)from->index || !move->sequence || move->is_sent)
            continue;
        ((StratSequence *)move->sequence)->move = NULL;
        orphan(run, move);
    }
}

StratSequence *strat_serve_break_move(StratServeState *run, const StratReplica *from)
{
    StratMove *first = NULL;
    for (guint i = 0; run->moves && i < run->moves->open->len; i++) {
        StratMove *move = g_ptr_array_index(run->moves->open, i);
        bool mine = move->from == (size_t)from->index && move->sequence && move->is_sent;
        if (mine && (!first || move->id < first->id))
            first = move;
    }
    StratSequence *sequence = first ? first->sequence : NULL;
    if (first)
        orphan(run, first);
    return sequence;
}

void strat_serve_step_moves(StratServeState *run)
{
    StratFine now = run->now;
    StratMove *move = run->moves->step(run->moves);
    if (!move)
        return;
    if (!move->sequence) {
        strat_moves_close(run->moves, move);
        return;
    }
    StratReplica *from = replica_of(run, 0, move->from);
    StratSequence *sequence = move->sequence;
    size_t to = move->to;
    StratReplica *receiver = replica_of(run, 1, to);
    if (run->outage && strat_outage_turns_away(run->outage, receiver)) {
        receiver->outstanding--;
        strat_moves_close(run->moves, move);
        strat_serve_leaves(run, from, sequence, now);
        return;
    }
    strat_tally_moved(&run->tally, sequence->id, now - move->since);
    strat_moves_close(run->moves, move);
    strat_replica_forget(from, sequence);
    strat_serve_wake(run, from, now);
    strat_serve_settle(run, from, now);
    sequence->remote = true;
    sequence->computed = 0;
    receiver->outstanding--;
    strat_serve_deliver(run, 1, to, sequence, now);
}
