/* Bytes instead of seconds, from the operations that strat_cost.c prices.
 *
 * Collectives of different kinds are counted as one all-gather: in a ring of n ranks an all-gather
 * or a reduce-scatter of b bytes puts (n - 1) / n * b on every link, an all-reduce, which is one
 * after the other, twice that (Thakur, Rabenseifner, Gropp 2005, section 4). A ring of keys and
 * values passes each rank's share b on c - 1 times: an all-gather of c * b bytes. Ranks that
 * exchange heads are counted as the all-to-all that they run; rings of such ranks, and grids of
 * tensor ranks, are refused on fabrics (scen_check_parallel.c).
 *
 * Tokens on their way to experts are not counted: they are priced within the blocks only.
 * Recomputation repeats the forward's traffic with its arithmetic. */
#include "strat_cost_traffic.h"

#include "strat_expert.h"
#include "strat_repeat.h"

#include "strat_layout.h"
/* What all of a list moves, @scale times. */
typedef struct Count {
    const StratCosting *costing;
    const StratModelChunk *chunk;
    StratTraffic sum;
    double context;
} Count;

/* The gradient of a dispatch is a combine, and the other way round. */
static void add_exchange(Count *count, const ModelOp *op, bool backward)
{
    bool outward = (op->kind == MODEL_OP_DISPATCH) != backward;
    if (op->kind == MODEL_OP_DISPATCH || op->kind == MODEL_OP_COMBINE)
        count->sum.expert_bytes +=
            strat_expert_exchange_bytes(count->costing, count->chunk, op, outward);
}

static double as_gather(ModelComm comm, double bytes)
{
    static const double passes[] = {
        [MODEL_COMM_NONE] = 0.0,
        [MODEL_COMM_ALL_REDUCE] = 2.0,
        [MODEL_COMM_ALL_GATHER] = 1.0,
        [MODEL_COMM_REDUCE_SCATTER] = 1.0,
    };
    return passes[comm] * bytes;
}

/* Of keys and values gathered in @passes; heads exchanged are an all-to-all of what a rank has. */
static double context_bytes(const ModelOp *op, double bytes, double ranks, double passes)
{
    if (op->kind == MODEL_OP_RING)
        return ranks * bytes;
    if (op->kind == MODEL_OP_KEYS)
        return passes * bytes;
    return op->kind == MODEL_OP_HEADS ? bytes : 0.0;
}

static void add_forward(Count *count, const ModelOp *op)
{
    add_exchange(count, op, false);
    if (op->kind == MODEL_OP_COMM)
        count->sum.tensor_bytes += as_gather(op->forward_comm, op->forward_bytes);
    else
        count->sum.context_bytes += context_bytes(op, op->forward_bytes, count->context, 1.0);
}

/* A gather before a product comes back as a reduction of the input's gradient; under sequence
 * parallelism the input is gathered once more. */
static void add_backward(Count *count, const ModelOps *ops, size_t i, StratTaskKind kind)
{
    const ModelOp *op = &ops->op[i];
    bool feeds = i + 1 < ops->count && ops->op[i + 1].kind == MODEL_OP_GEMM;
    bool input = kind != STRAT_TASK_WEIGHT, weight = kind != STRAT_TASK_INPUT;
    if (input)
        count->sum.context_bytes += context_bytes(op, op->backward_bytes, count->context, 2.0);
    if (input)
        add_exchange(count, op, true);
    if (op->kind != MODEL_OP_COMM)
        return;
    if (input)
        count->sum.tensor_bytes += as_gather(op->backward_comm, op->backward_bytes);
    if (feeds && op->regather && weight)
        count->sum.tensor_bytes += op->forward_bytes;
}

/* @recompute: of the layer whose operations these are. */
static StratTraffic of_ops(const ModelOps *ops, const StratCosting *costing,
                           const StratModelChunk *chunk, StratTaskKind kind,
                           StratRecompute recompute)
{
    const StratPlan *plan = costing->plan;
    ModelOps again;
    bool repeated[MODEL_OPS_MAX];
    strat_repeat_ops(plan, costing->model, ops, &again, repeated);
    Count count = {.costing = costing, .chunk = chunk, .context = (double)plan->context};
    bool backward = !strat_task_is_forward(kind);
    bool repeats = recompute != STRAT_RECOMPUTE_NONE && kind != STRAT_TASK_WEIGHT;
    for (size_t i = 0; i < ops->count; i++) {
        const ModelOp *op = &ops->op[i];
        if (!backward || (repeats && repeated[i]))
            add_forward(&count, op);
        if (backward)
            add_backward(&count, ops, i, kind);
    }
    return count.sum;
}

static void add_times(StratTraffic *sum, StratTraffic more, double times)
{
    sum->tensor_bytes += times * more.tensor_bytes;
    sum->context_bytes += times * more.context_bytes;
    sum->expert_bytes += times * more.expert_bytes;
}

StratTraffic strat_cost_traffic(const StratCosting *costing, const StratModelChunk *chunk,
                                StratTaskKind kind)
{
    const StratPlan *plan = costing->plan;
    ModelShard shard = strat_shard(plan);
    StratTraffic sum = {0};
    ModelOps ops;
    if (plan->profiled.forward_s > 0.0)
        return sum;
    bool receives =
        strat_task_is_forward(kind) ? chunk->receives_forward : chunk->receives_backward;
    if (receives && kind != STRAT_TASK_WEIGHT && !shard.sequence_parallel &&
        !strat_sends_whole(plan)) {
        double tokens = (double)(shard.micro_batch * shard.sequence / shard.context);
        sum.tensor_bytes += 2.0 * tokens * (double)costing->model->hidden;
    }
    for (int64_t layer = 0, layers; layer < chunk->layers; layer += layers) {
        bool spared = strat_chunk_spares(chunk, layer);
        StratRecompute recompute = spared ? STRAT_RECOMPUTE_NONE : plan->recompute;
        layers = strat_layer_run(chunk, layer);
        strat_layer_ops(costing, chunk, layer, &ops);
        add_times(&sum, of_ops(&ops, costing, chunk, kind, recompute), (double)layers);
    }
    if (chunk->embedding) {
        model_ops_embedding(costing->model, &shard, &ops);
        add_times(&sum, of_ops(&ops, costing, chunk, kind, STRAT_RECOMPUTE_NONE), 1.0);
    }
    if (chunk->head) {
        model_ops_head(costing->model, &shard, &ops);
        add_times(&sum, of_ops(&ops, costing, chunk, kind, STRAT_RECOMPUTE_NONE), 1.0);
    }
    return sum;
}
