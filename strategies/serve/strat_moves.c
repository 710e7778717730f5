/*
 * Moves over one link a replica. A cache takes the sender's way out and the receiver's way in, both
 * free from the moment that the one before it has come:
 *
 *     end = max(start, way out free, way in free) + bytes / rate + latency   [s]
 *
 * so a move waits for all of one before it and then has the rate for itself. Left out: what the
 * ways share with each other; moves in parts.
 */
#include "strat_moves.h"

#include "strat_heap.h"

enum { TIE_BITS = 20 }; /* moves that end at one instant keep the order of their starts */

typedef struct InOrder {
    StratMoves base;
    StratFine *out, *in; /* when each replica's way is free */
    double bytes_per_s, latency_s;
    StratHeap heap; /* of StratMove, by end */
    uint32_t sent;
} InOrder;

static void send(StratMoves *base, StratMove *move, const StratMovePart *part, StratFine at)
{
    InOrder *moves = (InOrder *)base;
    StratFine *out = &moves->out[move->from];
    StratFine *in = &moves->in[move->to];
    double takes_s = moves->latency_s;
    if (moves->bytes_per_s > 0.0)
        takes_s += part->bytes / moves->bytes_per_s;
    StratFine end = MAX(at, MAX(*out, *in)) + strat_fine_from_seconds(takes_s);
    g_assert(part->is_last);
    move->is_sent = true;
    *out = *in = end;
    StratFine tie = moves->sent++ % (1U << TIE_BITS);
    strat_heap_push(&moves->heap, end << TIE_BITS | tie, move, &move->place);
}

static bool next(const StratMoves *base, StratFine *at)
{
    const StratHeapItem *top = strat_heap_top(&((const InOrder *)base)->heap);
    if (top)
        *at = top->key >> TIE_BITS;
    return top != NULL;
}

static StratMove *step(StratMoves *base)
{
    InOrder *moves = (InOrder *)base;
    StratMove *move = strat_heap_top(&moves->heap)->item;
    strat_heap_remove(&moves->heap, 0);
    return move;
}

static void free_in_order(StratMoves *base)
{
    InOrder *moves = (InOrder *)base;
    strat_heap_clear(&moves->heap);
    g_free(moves->out);
    g_free(moves->in);
    g_free(moves);
}

StratMoves *strat_moves_in_order_new(const StratDeployment *deployment, double bytes_per_s,
                                     double latency_s)
{
    InOrder *moves = g_new0(InOrder, 1);
    moves->base = (StratMoves){
        .send = send,
        .next = next,
        .step = step,
        .free = free_in_order,
        .open = g_ptr_array_new_with_free_func(g_free),
        .whole_only = true,
    };
    moves->out = g_new0(StratFine, (size_t)deployment->pool[0].replicas);
    moves->in = g_new0(StratFine, (size_t)deployment->pool[1].replicas);
    moves->bytes_per_s = bytes_per_s;
    moves->latency_s = latency_s;
    return &moves->base;
}

StratMove *strat_moves_open(StratMoves *moves, void *sequence, int64_t id, size_t from, size_t to)
{
    StratMove *move = g_new(StratMove, 1);
    *move = (StratMove){
        .sequence = sequence, .id = id, .from = from, .to = to, .seat = moves->open->len};
    g_ptr_array_add(moves->open, move);
    return move;
}

void strat_moves_close(StratMoves *moves, StratMove *move)
{
    StratMove *last = moves->open->pdata[moves->open->len - 1];
    last->seat = move->seat;
    g_ptr_array_remove_index_fast(moves->open, move->seat);
}

void strat_moves_free(StratMoves *moves)
{
    if (!moves)
        return;
    g_ptr_array_unref(moves->open);
    moves->free(moves);
}
