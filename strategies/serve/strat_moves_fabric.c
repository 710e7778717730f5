/*
 * Moves over the fabric: flows that share its links with those of all other moves (topo_flows.c).
 *
 * Who sends what. A replica's cache of one sequence is on the GPUs of one rank of attention DP: its
 * layers cut over the stages of the pipeline, its KV heads over the tensor ranks, in equal runs, or
 * where there are more ranks than heads, copied. Every rank of the receiver pulls the heads and
 * layers that it keeps from the ranks that hold them, so of a cache of b bytes there goes
 *
 *     b * (heads that both keep / heads) * (layers that both keep / layers)
 *
 * from one to another. Of a head that several senders hold, the receivers take turns; one that
 * several receivers keep moves once for each of them, and so does the latent of MLA, which is one
 * head (vLLM's NixlConnector reads so). Requests go around the ranks of attention DP by number.
 *
 * A move is over with the last of its flows. Flows begin and end at whole ns: a start is rounded
 * up.
 *
 * Left out: what the engine's software takes to start a move, staging copies, and that some
 * transports stay below the rate of the wire; traffic of iterations on the same links.
 */
#include "strat_moves.h"

#include "topo_flows.h"

#include <math.h>

/* What goes from one rank of a sender to one of a receiver. */
typedef struct Piece {
    int64_t from, to; /* GPUs of the replicas, for the first ranks of attention DP */
    double fraction;
} Piece;

typedef struct OnFabric {
    StratMoves base;
    StratPool pool[2];
    const int64_t *gpu_of_rank;
    TopoFlows *flows;
    GArray *pieces;     /* of Piece */
    GPtrArray *move_of; /* by flow; borrowed */
    GError *fault;
} OnFabric;

/* Of @count things shared out over @ranks ranks, those of rank @rank are from *@low to *@high - 1.
 */
static void share_of(int64_t rank, int64_t ranks, int64_t count, int64_t *low, int64_t *high)
{
    *low = rank * count / ranks;
    *high = MAX((rank + 1) * count / ranks, *low + 1);
}

/* The share of all heads that tensor rank @to of the receiver pulls from rank @from. */
static double heads_fraction(const OnFabric *moves, int64_t heads, int64_t from, int64_t to)
{
    int64_t senders = moves->pool[0].tensor;
    int64_t low, high, first, end;
    share_of(from, senders, heads, &low, &high);
    share_of(to, moves->pool[1].tensor, heads, &first, &end);
    int64_t both = MIN(high, end) - MAX(low, first);
    int64_t copies = senders / heads;
    if (both <= 0 || (copies > 1 && from % copies != to % copies))
        return 0.0;
    return (double)both / (double)heads;
}

/* The share of all layers that stage @to of the receiver and stage @from of the sender keep. */
static double layers_fraction(const OnFabric *moves, int64_t from, int64_t to)
{
    double senders = (double)moves->pool[0].pipeline, receivers = (double)moves->pool[1].pipeline;
    double low = fmax((double)from / senders, (double)to / receivers);
    double high = fmin((double)(from + 1) / senders, (double)(to + 1) / receivers);
    return fmax(high - low, 0.0);
}

/* The GPU of a replica of @pool that is @stage, attention rank @data and @tensor. */
static int64_t gpu_of(const StratPool *pool, int64_t stage, int64_t data, int64_t tensor)
{
    return (stage * pool->data + data) * pool->tensor + tensor;
}

static void find_pieces(OnFabric *moves, int64_t heads)
{
    const StratPool *out = &moves->pool[0], *in = &moves->pool[1];
    for (int64_t s = 0; s < out->pipeline; s++)
        for (int64_t t = 0; t < in->pipeline; t++)
            for (int64_t from = 0; from < out->tensor; from++)
                for (int64_t to = 0; to < in->tensor; to++) {
                    Piece piece = {gpu_of(out, s, 0, from), gpu_of(in, t, 0, to),
                                   heads_fraction(moves, heads, from, to) *
                                       layers_fraction(moves, s, t)};
                    if (piece.fraction > 1e-9) /* else the rounding of stages that meet */
                        g_array_append_val(moves->pieces, piece);
                }
}

/* The slot of GPU @gpu of replica @replica of pool @pool, for the attention rank of request @id. */
static size_t slot_of(const OnFabric *moves, size_t pool, size_t replica, int64_t gpu, int64_t id)
{
    const StratPool *p = &moves->pool[pool];
    int64_t rank = pool > 0 ? moves->pool[0].replicas * strat_pool_gpus(&moves->pool[0]) : 0;
    rank += (int64_t)replica * strat_pool_gpus(p) + gpu + id % p->data * p->tensor;
    return (size_t)(moves->gpu_of_rank ? moves->gpu_of_rank[rank] : rank);
}

static void send_piece(OnFabric *moves, StratMove *move, const Piece *piece,
                       const StratMovePart *part, SimTime at)
{
    uint32_t path;
    uint32_t pair = (uint32_t)((int64_t)move->from * moves->pool[1].replicas + (int64_t)move->to);
    size_t from = slot_of(moves, 0, move->from, piece->from, move->id);
    size_t to = slot_of(moves, 1, move->to, piece->to, move->id);
    double bytes = part->bytes * piece->fraction;
    double bound = part->made_s > 0.0 ? bytes / part->made_s : INFINITY;
    if (moves->fault || !topo_flows_path(moves->flows, from, to, pair, &path, &moves->fault))
        return;
    uint32_t flow = topo_flows_begin(moves->flows, path, bytes, bound, at);
    if (flow >= moves->move_of->len)
        g_ptr_array_set_size(moves->move_of, (gint)flow + 1);
    moves->move_of->pdata[flow] = move;
    move->flying++;
}

static void send(StratMoves *base, StratMove *move, const StratMovePart *part, StratFine at)
{
    OnFabric *moves = (OnFabric *)base;
    SimTime at_ns = strat_fine_ns(at + strat_fine_from_ns(1) - 1);
    move->is_sent = part->is_last;
    for (guint i = 0; i < moves->pieces->len; i++)
        send_piece(moves, move, &g_array_index(moves->pieces, Piece, i), part, at_ns);
}

static bool next(const StratMoves *base, StratFine *at)
{
    SimTime at_ns;
    if (!topo_flows_next(((const OnFabric *)base)->flows, &at_ns))
        return false;
    *at = strat_fine_from_ns(at_ns);
    return true;
}

static StratMove *step(StratMoves *base)
{
    OnFabric *moves = (OnFabric *)base;
    uint32_t flow;
    if (!topo_flows_step(moves->flows, &flow))
        return NULL;
    StratMove *move = moves->move_of->pdata[flow];
    move->flying--;
    return move->flying == 0 && move->is_sent ? move : NULL;
}

static void name_waiters(const OnFabric *moves, GArray *links)
{
    uint32_t receivers = (uint32_t)moves->pool[1].replicas;
    for (guint i = 0; i < links->len; i++) {
        TopoHotLink *link = &g_array_index(links, TopoHotLink, i);
        for (uint32_t w = 0; w < link->waiter_count; w++)
            link->waiters[w].name =
                g_strdup_printf("caches of prefill replica %u for decode replica %u",
                                link->waiters[w].who / receivers, link->waiters[w].who % receivers);
    }
}

static GArray *hot_links(const StratMoves *base, double end_s)
{
    enum { HOT_LINKS_MAX = 8 };
    const OnFabric *moves = (const OnFabric *)base;
    GArray *links = topo_flows_hot_links(moves->flows, end_s, HOT_LINKS_MAX);
    name_waiters(moves, links);
    return links;
}

static const GError *fault(const StratMoves *base)
{
    return ((const OnFabric *)base)->fault;
}

static void free_on_fabric(StratMoves *base)
{
    OnFabric *moves = (OnFabric *)base;
    topo_flows_free(moves->flows);
    g_array_unref(moves->pieces);
    g_ptr_array_unref(moves->move_of);
    g_clear_error(&moves->fault);
    g_free(moves);
}

StratMoves *strat_moves_on_fabric_new(const StratDeployment *deployment,
                                      const StratMoveFabric *fabric, GError **error)
{
    const TopoFlowsSpec spec = {
        .fabric = fabric->fabric,
        .router = fabric->router,
        .changes = fabric->changes,
        .change_count = fabric->change_count,
    };
    TopoFlows *flows = topo_flows_new(&spec, error);
    if (!flows)
        return NULL;
    OnFabric *moves = g_new0(OnFabric, 1);
    moves->base = (StratMoves){
        .send = send,
        .next = next,
        .step = step,
        .hot_links = hot_links,
        .fault = fault,
        .free = free_on_fabric,
        .open = g_ptr_array_new_with_free_func(g_free),
    };
    moves->pool[0] = deployment->pool[0];
    moves->pool[1] = deployment->pool[1];
    moves->gpu_of_rank = fabric->gpu_of_rank;
    moves->flows = flows;
    moves->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    moves->move_of = g_ptr_array_new();
    find_pieces(moves, MAX(fabric->kv_heads, 1));
    return &moves->base;
}
