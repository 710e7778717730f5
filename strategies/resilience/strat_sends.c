/* Programs of transfers that belong to no step. Equal transfers that run at once are one with many
 * groups, so the network sees a handful of variables however many GPUs send. A lane is a rank class
 * of its own, since nothing but its transfers keeps it busy.
 *
 * Beside a step the sends stand in the step's own program and share its links. GPUs that send are
 * named by number there, after the ranks of the plan; the transfers of both begin together. */
#include "strat_sends.h"

#include <stdlib.h>

static StratSends sends_new(const StratCosting *costing, const StratFold *fold)
{
    StratTrainResult *result = g_new0(StratTrainResult, 1);
    result->step = g_new0(StratStep, 1);
    result->step->program = strat_program_new();
    result->step->transfers = strat_transfers_new(costing->plan, fold, true);
    return (StratSends){.costing = *costing, .result = result};
}

static void sends_clear(StratSends *sends)
{
    strat_train_result_free(sends->result);
    g_free(sends->gpu_of_rank);
}

StratSends strat_sends_of_ranks(const StratCosting *costing)
{
    return sends_new(costing, NULL);
}

uint32_t strat_sends_lane(StratSends *sends)
{
    return sim_program_add_class(sends->result->step->program, "state", 1);
}

void strat_sends_group(StratSends *sends, StratGroup group)
{
    g_array_append_val(sends->result->step->transfers->groups, group);
}

void strat_sends_transfer(StratSends *sends, uint32_t lane, TopoTransfer transfer)
{
    StratTransfers *t = sends->result->step->transfers;
    SimProgram *program = sends->result->step->program;
    uint32_t end = t->groups->len, first = 0;
    if (t->group_ends->len > 0)
        first = g_array_index(t->group_ends, uint32_t, t->group_ends->len - 1);
    if (first == end)
        return;
    transfer.ranks_per_domain = G_MAXINT64;
    for (guint i = first; i < end; i++) {
        const StratGroup *group = &g_array_index(t->groups, StratGroup, i);
        int64_t shared =
            strat_group_per_domain(sends->costing.cluster, sends->costing.gpu_of_rank, group);
        transfer.ranks = group->count;
        transfer.ranks_per_domain = MIN(transfer.ranks_per_domain, shared);
    }
    SimOp op = {
        .rank_class = lane,
        .group = SIM_GROUP_NONE,
        .transfer = t->transfers->len,
        .stream = SIM_STREAM_MAIN,
        .bucket = STRAT_BUCKET_DATA_COMM,
        .label = sim_program_label(program, "state"),
        .kind = transfer.op == TOPO_OP_SEND ? SIM_OP_SEND : SIM_OP_COLLECTIVE,
    };
    sim_program_add_op(program, &op);
    g_array_append_val(t->transfers, transfer);
    g_array_append_val(t->group_ends, end);
}

static bool simulate(StratSends *sends, GError **error)
{
    return sim_program_seal(sends->result->step->program, error) &&
           strat_train_simulate(&sends->costing, sends->result, error);
}

bool strat_sends_run(StratSends *sends, double *seconds, GError **error)
{
    bool done = simulate(sends, error);
    if (done)
        *seconds = sim_time_to_seconds(sends->result->run->makespan);
    sends_clear(sends);
    return done;
}

/* One round of the GPUs that have @bytes. */
static void add_groups(StratSends *sends, const StratExchange *e, double bytes, int64_t round)
{
    int64_t gpus = sends->costing.cluster->node.gpus;
    for (int64_t n = e->first; n < e->end; n++) {
        int64_t away = (e->partner(e->nodes, e->way_of, n, round) - n) * gpus;
        for (int64_t gpu = n * gpus; gpu < (n + 1) * gpus; gpu++) {
            int64_t rank = sends->first_gpu + gpu;
            if (e->bytes[gpu] == bytes)
                strat_sends_group(sends, e->back ? (StratGroup){rank + away, -away, 2}
                                                 : (StratGroup){rank, away, 2});
        }
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A lane for each number of bytes. */
static void add_exchange(StratSends *sends, const StratExchange *e)
{
    int64_t gpus = sends->costing.cluster->node.gpus, count = (e->end - e->first) * gpus;
    g_autofree double *kinds = g_memdup2(e->bytes + e->first * gpus, (gsize)count * sizeof(double));
    qsort(kinds, (size_t)count, sizeof kinds[0], compare);
    for (int64_t i = 0; i < count; i++) {
        if (kinds[i] <= 0.0 || (i > 0 && kinds[i] == kinds[i - 1]))
            continue;
        uint32_t lane = strat_sends_lane(sends);
        TopoTransfer transfer = {.op = TOPO_OP_SEND, .bytes = kinds[i], .paced_s = e->paced_s};
        for (int64_t round = 1; round <= e->rounds; round++) {
            add_groups(sends, e, kinds[i], round);
            strat_sends_transfer(sends, lane, transfer);
        }
    }
}

bool strat_sends_exchange(const StratCosting *costing, const StratExchange *exchange,
                          double *seconds, GError **error)
{
    StratSends sends = sends_new(costing, NULL);
    sends.costing.gpu_of_rank = NULL;
    add_exchange(&sends, exchange);
    return strat_sends_run(&sends, seconds, error);
}

/* Places the ranks of the plan where they run, and after them every GPU at its own number. */
static void name_gpus(StratSends *sends, const StratCosting *costing)
{
    int64_t ranks = strat_rank_count(costing->plan);
    int64_t gpus = costing->cluster->node_count * costing->cluster->node.gpus;
    sends->gpu_of_rank = g_new(int64_t, ranks + gpus);
    for (int64_t r = 0; r < ranks; r++)
        sends->gpu_of_rank[r] = costing->gpu_of_rank ? costing->gpu_of_rank[r] : r;
    for (int64_t g = 0; g < gpus; g++)
        sends->gpu_of_rank[ranks + g] = g;
    sends->costing.gpu_of_rank = sends->gpu_of_rank;
    sends->first_gpu = ranks;
}

bool strat_sends_beside(const StratCosting *costing, const StratExchange *exchange,
                        StratBeside *out, GError **error)
{
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    StratPlaces places = strat_places_of(costing);
    g_autoptr(StratFold) fold = strat_fold_new(&places, costing->plan, true);
    StratSends sends = sends_new(costing, fold);
    name_gpus(&sends, costing);
    StratStep *both = sends.result->step;
    StratSteps step = {.costing = costing, .fold = fold, .prefix = "", .steps = 1};
    bool done = strat_compile_steps(&step, both->program, both->transfers, ends, error);
    if (done) {
        add_exchange(&sends, exchange);
        done = simulate(&sends, error);
    }
    SimTime last[2] = {0};
    for (uint32_t i = 0; done && i < sends.result->run->op_count; i++) {
        bool is_send = i >= g_array_index(ends, uint32_t, 0);
        last[is_send] = MAX(last[is_send], sends.result->run->end[i]);
    }
    *out = (StratBeside){sim_time_to_seconds(last[0]), sim_time_to_seconds(last[1])};
    sends_clear(&sends);
    return done;
}
