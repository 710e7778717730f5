/* Kinds of context parallelism and what their traffic costs.
 *
 *   ring        r - 1 sends to the next rank, each beside one of the r steps of attention; what a
 *               send outlasts its step is bare (Liu 2023, Ring Attention, section 3)
 *   all-gather  bare before the attention, and backward once more, with a reduce-scatter of the
 *               gradients after it: the attention needs all of it at once (Llama 3, section 3.3.2)
 *   ulysses     all-to-all before and after, bare
 *   hybrid      both: heads among neighbours in the group, rings across them
 *
 * Shapes and bytes are in model_ops_context.c. Ranks of a context group stand side by side, one
 * every `tensor` ranks, so the u that exchange heads are the first to share a scale-up domain. A
 * ring whose ranks do not all share one has a step that crosses domains, which all others wait for.
 *
 * Left out: SMs that a ring's sends take from the attention. */
#include "strat_context.h"

#include "strat_cost.h"
#include "strat_expert.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

static const StratContextRow rows[] = {
    [STRAT_CONTEXT_RING] = {.name = "ring",
                            .source = "Liu 2023, Ring Attention (arXiv 2310.01889) section 3; "
                                      "Megatron-Core and Transformer Engine, cp_comm_type p2p",                  .rings = true},
    [STRAT_CONTEXT_ALL_GATHER] = {                .name = "all-gather",
                            .source = "Llama 3 (arXiv 2407.21783) section 3.3.2; "
                                            "Transformer Engine, cp_comm_type all_gather",        .rings = true,
                            .gathers = true},
    [STRAT_CONTEXT_ULYSSES] = {                                                                                                   .name = "ulysses",
                            .source = "Jacobs 2023, DeepSpeed-Ulysses (arXiv 2309.14509) "
                                         "section 3.1; Transformer Engine, cp_comm_type a2a", .exchanges = true             },
    [STRAT_CONTEXT_HYBRID] = { .name = "hybrid",
                            .source = "Fang and Zhao 2024, USP (arXiv 2405.07719) section 3; "
                                        "Transformer Engine, cp_comm_type a2a+p2p",                                                                       .exchanges = true,
                            .rings = true},
};

const StratContextRow *strat_context_all(size_t *count)
{
    *count = G_N_ELEMENTS(rows);
    return rows;
}

const StratContextRow *strat_context_row(const StratPlan *plan)
{
    return &rows[plan->context_parallel.kind];
}

int64_t strat_context_heads(const StratPlan *plan)
{
    const StratContextRow *row = strat_context_row(plan);
    if (!row->exchanges)
        return 1;
    return row->rings ? MAX(plan->context_parallel.heads, 1) : plan->context;
}

static bool refuse(char **reason, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(char **reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return false;
}

/* What the kind asks of the knobs beside it. */
static bool knobs_fit(const StratPlan *plan, char **reason)
{
    const StratContextRow *row = strat_context_row(plan);
    int64_t heads = plan->context_parallel.heads;
    bool hybrid = row->exchanges && row->rings;
    if (heads > 0 && !hybrid)
        return refuse(reason, "context_parallel.heads is for kind hybrid, not %s", row->name);
    if (hybrid && (heads < 2 || plan->context % heads != 0 || plan->context == heads))
        return refuse(reason,
                      "hybrid: context_parallel.heads " I64
                      " must be 2 or more, divide context " I64
                      " and leave a ring; else kind ulysses or ring says the same",
                      heads, plan->context);
    if (!row->rings && plan->context_parallel.order == STRAT_CONTEXT_CONTIGUOUS)
        return refuse(reason, "kind %s has no order of tokens: every rank has all of a sequence",
                      row->name);
    return true;
}

bool strat_context_fits(const ModelSpec *model, const StratPlan *plan, char **reason)
{
    const StratContextRow *row = strat_context_row(plan);
    if (plan->context == 1)
        return plan->context_parallel.heads == 0 ||
               refuse(reason, "context_parallel.heads needs context of 2 or more");
    if (plan->attention == STRAT_ATTENTION_UNFUSED)
        return refuse(reason,
                      "context " I64 " needs attention flash: unfused scores have no "
                      "softmax over keys that come in pieces",
                      plan->context);
    if (!knobs_fit(plan, reason))
        return false;
    int64_t split = strat_context_heads(plan), ring = plan->context / split;
    if (model->heads % (plan->tensor * split) != 0)
        return refuse(reason,
                      "%s: " I64 " ranks exchange heads, but tensor " I64 " leaves each " I64
                      " of the model's " I64 " heads: they must divide them",
                      row->name, split, plan->tensor, model->heads / plan->tensor, model->heads);
    int64_t kv = MAX(model->kv_heads / plan->tensor, 1);
    if (kv % split != 0 && split % kv != 0)
        return refuse(reason,
                      "%s: " I64 " ranks exchange heads and each has " I64 " kv_heads: "
                      "neither divides the other",
                      row->name, split, kv);
    int64_t pieces =
        plan->context_parallel.order == STRAT_CONTEXT_ZIG_ZAG && ring > 1 ? 2 * ring : ring;
    if (plan->sequence_length % (pieces * split) != 0)
        return refuse(
            reason,
            "sequence_length " I64 " does not split into " I64 " chunks (%s of context " I64 ")",
            plan->sequence_length, pieces * split,
            pieces > ring ? "two a rank, for equal causal work," : "one a rank", plan->context);
    return true;
}

/* A ring that leaves its domain anywhere goes at the pace of the step that does. */
static double ring_s(const StratCosting *costing, const StratModelChunk *chunk, double bytes,
                     double attention_s)
{
    int64_t split = strat_context_heads(costing->plan);
    double steps = (double)(costing->plan->context / split) - 1.0;
    TopoTransfer send = {.op = TOPO_OP_SEND,
                         .ranks = 2,
                         .ranks_per_domain =
                             chunk->context_per_domain < costing->plan->context ? 1 : 2,
                         .bytes = bytes,
                         .nic_fraction = chunk->context_nic_fraction};
    double step = costing->net->seconds(costing->cluster, &send);
    return steps * fmax(0.0, step - attention_s / (steps + 1.0));
}

static double collective_s(const StratCosting *costing, const StratModelChunk *chunk,
                           TopoCollectiveOp op, int64_t ranks, double bytes)
{
    TopoTransfer transfer = {.op = op,
                             .ranks = ranks,
                             .ranks_per_domain = MIN(ranks, chunk->context_per_domain),
                             .bytes = bytes,
                             .nic_fraction = chunk->context_nic_fraction};
    return costing->net->seconds(costing->cluster, &transfer);
}

double strat_context_s(const StratCosting *costing, const StratModelChunk *chunk, const ModelOp *op,
                       bool backward, double attention_s)
{
    double bytes = backward ? op->backward_bytes : op->forward_bytes;
    int64_t ranks = costing->plan->context;
    if (op->kind == MODEL_OP_RING)
        return ring_s(costing, chunk, bytes, attention_s);
    if (op->kind == MODEL_OP_HEADS)
        return collective_s(costing, chunk, TOPO_OP_ALL_TO_ALL, strat_context_heads(costing->plan),
                            bytes);
    double seconds = collective_s(costing, chunk, TOPO_OP_ALL_GATHER, ranks, bytes);
    if (backward)
        seconds += collective_s(costing, chunk, TOPO_OP_REDUCE_SCATTER, ranks, bytes);
    return seconds;
}

double strat_context_gathered_bytes(const StratCosting *costing)
{
    const StratModelChunk layer = {.layers = 1};
    ModelOps ops;
    double bytes = 0.0;
    if (!strat_context_row(costing->plan)->gathers || costing->plan->context == 1)
        return 0.0;
    strat_layer_ops(costing, &layer, 0, &ops);
    for (size_t i = 0; i < ops.count; i++)
        if (ops.op[i].kind == MODEL_OP_KEYS)
            bytes = ops.op[i].forward_bytes + ops.op[i].backward_bytes;
    return bytes;
}
