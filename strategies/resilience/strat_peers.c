/* State over the compute network.
 *
 * GEMINI (Wang et al., SOSP 2023, section 4): nodes stand in groups of m, in order, and each sends
 * its state to the m - 1 others; where m does not divide the nodes, the last ones take the m last
 * as their group. GPU g of a node sends to GPU g of the other, so every NIC carries its own GPU's
 * bytes. A group's copies follow each other. What a step leaves of the network's time is
 *
 *   idle = step - union of the transfers of the ranks that have most of them              [s]
 *
 * A replacement gets the node's state back the same way, and what other replicas hold alike from
 * these, through the same NICs; a replica that returns gets that of its ranks from their like in
 * the next one. After a restart that read each weight once, the data
 * groups hand it round.
 *
 * The transfers are those of a small program of their own, with nothing beside them, or stand in
 * one program with a step, where they share its links; copies and step then begin together. Left
 * out of the idle time: whether it comes in the right place, and transfers of the step that are
 * priced into its blocks (tensor and context groups), which stay inside a node where plans are
 * sensible. */
#include "strat_peers.h"

#include "strat_layout.h"
#include <stdlib.h>

/* A program of transfers and its run. */
typedef struct Traffic {
    const StratCosting *costing;
    StratTrainResult *result;
    int64_t first_gpu; /* number of GPU 0 among the ranks of the transfers */
} Traffic;

static Traffic traffic_of(const StratCosting *costing, const StratFold *fold)
{
    StratTrainResult *result = g_new0(StratTrainResult, 1);
    result->step = g_new0(StratStep, 1);
    result->step->program = strat_program_new();
    result->step->transfers = strat_transfers_new(costing->plan, fold, true);
    return (Traffic){costing, result, 0};
}

static uint32_t add_lane(Traffic *traffic)
{
    return sim_program_add_class(traffic->result->step->program, "state", 1);
}

static void add_group(Traffic *traffic, StratGroup group)
{
    g_array_append_val(traffic->result->step->transfers->groups, group);
}

/* The groups that were added since the last transfer run @op at once, after what @lane has. */
static void add_transfer(Traffic *traffic, uint32_t lane, TopoCollectiveOp op, double bytes)
{
    StratTransfers *t = traffic->result->step->transfers;
    SimProgram *program = traffic->result->step->program;
    guint first =
        t->group_ends->len > 0 ? g_array_index(t->group_ends, uint32_t, t->group_ends->len - 1) : 0;
    if (first == t->groups->len)
        return;
    TopoTransfer transfer = {.op = op, .bytes = bytes, .ranks_per_domain = G_MAXINT64};
    for (guint i = first; i < t->groups->len; i++) {
        const StratGroup *group = &g_array_index(t->groups, StratGroup, i);
        int64_t shared =
            strat_group_per_domain(traffic->costing->cluster, traffic->costing->gpu_of_rank, group);
        transfer.ranks = group->count;
        transfer.ranks_per_domain = MIN(transfer.ranks_per_domain, shared);
    }
    SimOp step = {
        .rank_class = lane,
        .group = SIM_GROUP_NONE,
        .transfer = t->transfers->len,
        .stream = SIM_STREAM_MAIN,
        .bucket = STRAT_BUCKET_DATA_COMM,
        .label = sim_program_label(program, "state"),
        .kind = op == TOPO_OP_SEND ? SIM_OP_SEND : SIM_OP_COLLECTIVE,
    };
    sim_program_add_op(program, &step);
    uint32_t end = t->groups->len;
    g_array_append_val(t->transfers, transfer);
    g_array_append_val(t->group_ends, end);
}

/* Runs @traffic, and frees it. */
static bool take_seconds(Traffic *traffic, double *seconds, GError **error)
{
    StratTrainResult *result = traffic->result;
    bool done = sim_program_seal(result->step->program, error) &&
                strat_train_simulate(traffic->costing, result, error);
    if (done)
        *seconds = sim_time_to_seconds(result->run->makespan);
    strat_train_result_free(result);
    return done;
}

bool strat_peers_hand_round(const StratCosting *costing, const GArray *memory, StratHanding handing,
                            double *seconds, GError **error)
{
    const StratPlan *plan = costing->plan;
    TopoCollectiveOp op =
        handing == STRAT_HANDING_BROADCAST ? TOPO_OP_BROADCAST : TOPO_OP_ALL_GATHER;
    Traffic traffic = traffic_of(costing, NULL);
    for (int64_t s = 0; s < plan->pipeline && plan->data * plan->context > 1; s++) {
        StratState state = strat_state_of(plan, &g_array_index(memory, StratMemory, s));
        for (int64_t t = 0; t < plan->tensor; t++) {
            StratRank first = {.tensor = t, .stage = s};
            add_group(&traffic, strat_data_group(plan, strat_rank_index(plan, first)));
        }
        add_transfer(&traffic, add_lane(&traffic), op, state.alike_bytes);
    }
    return take_seconds(&traffic, seconds, error);
}

int64_t strat_peers_node(int64_t nodes, int64_t copies, int64_t node, int64_t copy)
{
    int64_t base = MIN(node / copies * copies, nodes - copies);
    return base + (node - base + copy) % copies;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sends between GPUs at equal places of nodes, equal ones together. */
typedef struct Sends {
    const TopoNode *node;
    const double *bytes; /* of each GPU's state */
    int64_t nodes, copies;
    int64_t first, end; /* nodes whose state it is */
} Sends;

/* Of all GPUs with @bytes, which keep the @copy-th copy where @back, or send it there. */
static void add_sends(Traffic *traffic, const Sends *sends, double bytes, int64_t copy, bool back)
{
    int64_t gpus = sends->node->gpus;
    for (int64_t n = sends->first; n < sends->end; n++) {
        int64_t away = (strat_peers_node(sends->nodes, sends->copies, n, copy) - n) * gpus;
        for (int64_t gpu = n * gpus; gpu < (n + 1) * gpus; gpu++) {
            int64_t rank = traffic->first_gpu + gpu;
            if (sends->bytes[gpu] == bytes)
                add_group(traffic,
                          back ? (StratGroup){rank + away, -away, 2} : (StratGroup){rank, away, 2});
        }
    }
}

/* Copies 1 to @last of the state of @sends' nodes. */
static void add_copies(Traffic *traffic, const Sends *sends, int64_t last, bool back)
{
    int64_t gpus = sends->node->gpus, count = (sends->end - sends->first) * gpus;
    g_autofree double *kinds =
        g_memdup2(sends->bytes + sends->first * gpus, (gsize)count * sizeof(double));
    qsort(kinds, (size_t)count, sizeof kinds[0], compare);
    for (int64_t i = 0; i < count; i++) {
        if (kinds[i] <= 0.0 || (i > 0 && kinds[i] == kinds[i - 1]))
            continue;
        uint32_t lane = add_lane(traffic);
        for (int64_t copy = 1; copy <= last; copy++) {
            add_sends(traffic, sends, kinds[i], copy, back);
            add_transfer(traffic, lane, TOPO_OP_SEND, kinds[i]);
        }
    }
}

/* These alone. */
static bool send_state(const StratCosting *costing, const Sends *sends, int64_t last, bool back,
                       double *seconds, GError **error)
{
    StratCosting by_gpu = *costing;
    by_gpu.gpu_of_rank = NULL;
    Traffic traffic = traffic_of(&by_gpu, NULL);
    add_copies(&traffic, sends, last, back);
    return take_seconds(&traffic, seconds, error);
}

static Sends sends_of(const StratCosting *costing, const double *bytes, int64_t copies)
{
    int64_t nodes = costing->cluster->node_count;
    return (Sends){&costing->cluster->node, bytes, nodes, MIN(copies, nodes), 0, nodes};
}

bool strat_peers_copy(const StratCosting *costing, const GArray *memory, StratShare share,
                      int64_t copies, double *seconds, GError **error)
{
    g_autofree double *bytes = strat_state_gpus(costing, memory, share);
    Sends sends = sends_of(costing, bytes, copies);
    return send_state(costing, &sends, sends.copies - 1, false, seconds, error);
}

/* The ranks of the plan where they run, then every GPU by its own number. */
static int64_t *ranks_then_gpus(const StratCosting *costing, int64_t ranks)
{
    int64_t gpus = costing->cluster->node_count * costing->cluster->node.gpus;
    int64_t *gpu_of_rank = g_new(int64_t, ranks + gpus);
    for (int64_t r = 0; r < ranks; r++)
        gpu_of_rank[r] = costing->gpu_of_rank ? costing->gpu_of_rank[r] : r;
    for (int64_t g = 0; g < gpus; g++)
        gpu_of_rank[ranks + g] = g;
    return gpu_of_rank;
}

bool strat_peers_copy_beside(const StratCosting *costing, const StratPeerCopies *of,
                             StratPeersBeside *out, GError **error)
{
    int64_t ranks = strat_rank_count(costing->plan);
    g_autofree double *bytes = strat_state_gpus(costing, of->memory, of->share);
    g_autofree int64_t *gpu_of_rank = ranks_then_gpus(costing, ranks);
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    StratPlaces places = {costing->cluster, costing->gpu_of_rank};
    g_autoptr(StratFold) fold = strat_fold_new(&places, costing->plan, true);
    StratCosting both = *costing;
    both.gpu_of_rank = gpu_of_rank;
    Traffic traffic = traffic_of(&both, fold);
    g_autoptr(StratTrainResult) result = traffic.result;
    traffic.first_gpu = ranks;
    StratSteps step = {.costing = costing, .fold = fold, .prefix = "", .steps = 1};
    if (!strat_compile_steps(&step, result->step->program, result->step->transfers, ends, error))
        return false;
    Sends sends = sends_of(costing, bytes, of->copies);
    add_copies(&traffic, &sends, sends.copies - 1, false);
    if (!sim_program_seal(result->step->program, error) ||
        !strat_train_simulate(&both, result, error))
        return false;
    SimTime last[2] = {0};
    for (uint32_t i = 0; i < result->run->op_count; i++) {
        bool copies = i >= g_array_index(ends, uint32_t, 0);
        last[copies] = MAX(last[copies], result->run->end[i]);
    }
    *out = (StratPeersBeside){sim_time_to_seconds(last[0]), sim_time_to_seconds(last[1])};
    return true;
}

bool strat_peers_load_node(const StratCosting *costing, const GArray *memory, int64_t copies,
                           double *seconds, GError **error)
{
    int64_t gpus = costing->cluster->node.gpus;
    g_autofree double *bytes = strat_state_gpus(costing, memory, STRAT_SHARE_ALL);
    Sends sends = sends_of(costing, bytes, copies);
    double most = 0.0;
    for (int64_t n = 0; n < sends.nodes; n++) {
        double sum = 0.0;
        for (int64_t g = 0; g < gpus; g++)
            sum += bytes[n * gpus + g];
        if (sum > most) {
            most = sum;
            sends.first = n;
        }
    }
    sends.end = sends.first + 1;
    return send_state(costing, &sends, MIN(sends.copies - 1, 1), true, seconds, error);
}

bool strat_peers_load_replica(const StratCosting *costing, const GArray *memory, double *seconds,
                              GError **error)
{
    const StratPlan *plan = costing->plan;
    Traffic traffic = traffic_of(costing, NULL);
    for (int64_t s = 0; s < plan->pipeline && plan->data > 1; s++) {
        StratState state = strat_state_of(plan, &g_array_index(memory, StratMemory, s));
        for (int64_t i = 0; i < plan->tensor * plan->context; i++) {
            StratRank to = {.tensor = i % plan->tensor, .context = i / plan->tensor, .stage = s};
            StratRank from = to;
            from.data = 1;
            int64_t source = strat_rank_index(plan, from);
            add_group(&traffic, (StratGroup){source, strat_rank_index(plan, to) - source, 2});
        }
        add_transfer(&traffic, add_lane(&traffic), TOPO_OP_SEND,
                     state.alike_bytes + state.own_bytes);
    }
    return take_seconds(&traffic, seconds, error);
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
