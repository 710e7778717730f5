/* State between GPUs.
 *
 * GEMINI (Wang et al., SOSP 2023, section 4): nodes stand in groups of m, in order, and each sends
 * its state to the m - 1 others; where m does not divide the nodes, the last ones take the m last
 * as their group. GPU g of a node sends to GPU g of the other, so every NIC carries its own GPU's
 * bytes. A node's copies follow each other. What a step leaves of the network's time is
 *
 *   idle = step - union of the transfers of the ranks that have most of them              [s]
 *
 * A replacement gets the node's state back the same way, and what other replicas hold alike from
 * these, through the same NICs; a replica that returns gets that of its ranks from their like in
 * the next one. After a restart that read each weight once, the data groups hand it round.
 *
 * Left out of the idle time: whether it comes in the right place, and transfers of the step that
 * are priced into its blocks (tensor and context groups), which stay inside a node where plans are
 * sensible. */
#include "strat_peers.h"

bool strat_peers_hand_round(const StratCosting *costing, const GArray *memory, StratHanding handing,
                            double *seconds, GError **error)
{
    const StratPlan *plan = costing->plan;
    TopoCollectiveOp op =
        handing == STRAT_HANDING_BROADCAST ? TOPO_OP_BROADCAST : TOPO_OP_ALL_GATHER;
    StratSends sends = strat_sends_of_ranks(costing);
    for (int64_t s = 0; s < plan->pipeline && plan->data * plan->context > 1; s++) {
        StratState state = strat_state_of(plan, &g_array_index(memory, StratMemory, s));
        for (int64_t t = 0; t < plan->tensor; t++) {
            StratRank first = {.tensor = t, .stage = s};
            strat_sends_group(&sends, strat_data_group(plan, strat_rank_index(plan, first)));
        }
        strat_sends_transfer(&sends, strat_sends_lane(&sends),
                             (TopoTransfer){.op = op, .bytes = state.alike_bytes});
    }
    return strat_sends_run(&sends, seconds, error);
}

int64_t strat_peers_node(int64_t nodes, int64_t copies, int64_t node, int64_t copy)
{
    int64_t base = MIN(node / copies * copies, nodes - copies);
    return base + (node - base + copy) % copies;
}

/* All nodes send all their copies of @bytes. */
static StratExchange copies_of(const StratCosting *costing, const StratPeerCopies *of,
                               const double *bytes)
{
    int64_t nodes = costing->cluster->node_count, copies = MIN(of->copies, nodes);
    return (StratExchange){
        .bytes = bytes,
        .nodes = nodes,
        .end = nodes,
        .way_of = copies,
        .partner = strat_peers_node,
        .rounds = copies - 1,
    };
}

bool strat_peers_copy(const StratCosting *costing, const StratPeerCopies *of, double *seconds,
                      GError **error)
{
    g_autofree double *bytes = strat_state_gpus(costing, of->memory, of->share);
    StratExchange exchange = copies_of(costing, of, bytes);
    return strat_sends_exchange(costing, &exchange, seconds, error);
}

bool strat_peers_copy_beside(const StratCosting *costing, const StratPeerCopies *of,
                             StratBeside *out, GError **error)
{
    g_autofree double *bytes = strat_state_gpus(costing, of->memory, of->share);
    StratExchange exchange = copies_of(costing, of, bytes);
    return strat_sends_beside(costing, &exchange, out, error);
}

bool strat_peers_load_node(const StratCosting *costing, const StratPeerCopies *of, double *seconds,
                           GError **error)
{
    int64_t gpus = costing->cluster->node.gpus;
    g_autofree double *bytes = strat_state_gpus(costing, of->memory, STRAT_SHARE_ALL);
    StratExchange exchange = copies_of(costing, of, bytes);
    double most = 0.0;
    for (int64_t n = 0; n < exchange.nodes; n++) {
        double sum = 0.0;
        for (int64_t g = 0; g < gpus; g++)
            sum += bytes[n * gpus + g];
        if (sum > most) {
            most = sum;
            exchange.first = n;
        }
    }
    exchange.end = exchange.first + 1;
    exchange.rounds = MIN(exchange.rounds, 1);
    exchange.back = true;
    return strat_sends_exchange(costing, &exchange, seconds, error);
}

bool strat_peers_load_replica(const StratCosting *costing, const GArray *memory, double *seconds,
                              GError **error)
{
    const StratPlan *plan = costing->plan;
    StratSends sends = strat_sends_of_ranks(costing);
    for (int64_t s = 0; s < plan->pipeline && plan->data > 1; s++) {
        StratState state = strat_state_of(plan, &g_array_index(memory, StratMemory, s));
        for (int64_t i = 0; i < plan->tensor * plan->context; i++) {
            StratRank to = {.tensor = i % plan->tensor, .context = i / plan->tensor, .stage = s};
            StratRank from = to;
            from.data = 1;
            int64_t source = strat_rank_index(plan, from);
            strat_sends_group(&sends, (StratGroup){source, strat_rank_index(plan, to) - source, 2});
        }
        TopoTransfer transfer = {.op = TOPO_OP_SEND, .bytes = state.alike_bytes + state.own_bytes};
        strat_sends_transfer(&sends, strat_sends_lane(&sends), transfer);
    }
    return strat_sends_run(&sends, seconds, error);
}

typedef struct Stretch {
    SimTime start, end;
} Stretch;

static int earlier_first(const void *a, const void *b)
{
    SimTime x = ((const Stretch *)a)->start, y = ((const Stretch *)b)->start;
    return (x > y) - (x < y);
}

static SimTime covered(GArray *stretches)
{
    SimTime sum = 0, until = 0;
    g_array_sort(stretches, earlier_first);
    for (guint i = 0; i < stretches->len; i++) {
        const Stretch *s = &g_array_index(stretches, Stretch, i);
        sum += MAX(s->end - MAX(s->start, until), 0);
        until = MAX(until, s->end);
    }
    return sum;
}

double strat_peers_busy_s(const StratTrainResult *step)
{
    const SimProgram *program = step->step->program;
    uint32_t count = sim_program_class_count(program);
    g_autoptr(GPtrArray) by_class = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (uint32_t c = 0; c < count; c++)
        g_ptr_array_add(by_class, g_array_new(FALSE, FALSE, sizeof(Stretch)));
    for (uint32_t i = 0; i < sim_program_op_count(program); i++) {
        const SimOp *op = sim_program_op(program, i);
        Stretch stretch = {step->run->start[i], step->run->end[i]};
        if (sim_op_kind_is_transfer(op->kind))
            g_array_append_val((GArray *)g_ptr_array_index(by_class, op->rank_class), stretch);
    }
    SimTime most = 0;
    for (uint32_t c = 0; c < count; c++)
        most = MAX(most, covered(g_ptr_array_index(by_class, c)));
    return sim_time_to_seconds(most);
}
