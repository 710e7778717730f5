/* Fused attention of one rank, and what the ranks that share its sequences move around it.
 *
 * c context ranks have T = b s / c tokens each. Of them u exchange heads for tokens (Ulysses), and
 * r = c / u let keys and values meet queries, in a ring or gathered; a query and g key/value heads
 * of d on a rank of the tensor group, 2 bytes an element:
 *
 *   exchange   all-to-all over u ranks, T (a + 2 g') d before the core and T a d after it, where
 *              g' = max(g, u): fewer key/value heads than ranks are sent several times
 *   ring       each rank's T u keys and values of g'/u heads pass the r - 1 others: a step moves
 *              T u 2 (g'/u) d, backward twice that, for the gradients travel along
 *   gather     all T c of them on every rank: forward once; backward again, for they are not kept,
 *              and their gradients are summed and scattered
 *   core       b a/u heads, s/r queries, s keys; its output is kept by it and, exchanged back, by
 *              the projection
 *
 * Sources: Liu 2023, Ring Attention (arXiv 2310.01889); Llama 3 (arXiv 2407.21783), section 3.3.2,
 * and Transformer Engine's attention with keys and values all-gathered, which gathers once more in
 * the backward; Jacobs 2023, DeepSpeed-Ulysses (arXiv 2309.14509), section 3.1, 4 s h / c elements
 * a rank and layer where g = a; Fang and Zhao 2024, USP (arXiv 2405.07719) for both at once.
 *
 * Half of the s^2 scores are masked. Ranks that take one chunk from the front and one from the back
 * of 2 r (zig-zag) have equal shares, 1/2 of s^2 / r. With chunks in order rank i of r has i - 1/2
 * of its r chunks of keys, the last r - 1/2: 1 - 1/(2 r) of s^2 / r, 2 - 1/r times the mean, and
 * (2 r - 1) / r^2 of all the work. The others wait for it, so that is everybody's time.
 *
 * Left out: products of a ring's steps priced as one, masks between documents, and gathers that
 * hide behind the projections before them. */
#include "model_ops_private.h"

#include <glib.h>

static const double ACT = MODEL_ACTIVATION_BYTES;

static void add_traffic(ModelOps *ops, const char *label, ModelOpKind kind, double forward,
                        double backward)
{
    model_op_add(ops, (ModelOp){.label = label,
                                .kind = kind,
                                .part = MODEL_PART_ATTENTION,
                                .forward_bytes = forward,
                                .backward_bytes = backward});
}

void model_op_add_fused_attention(const ModelShard *shard, const ModelCore *core, ModelOps *ops)
{
    int64_t split = MAX(shard->context_heads, 1), ring = shard->context / split;
    int64_t kv = MAX(core->kv_heads, split);
    double tokens = model_shard_tokens(shard), a = (double)core->heads, g = (double)kv;
    double query = a * (double)core->query, output = a * (double)core->value;
    double keys = g * (double)(core->key + core->value);
    if (split > 1)
        add_traffic(ops, "heads for tokens", MODEL_OP_HEADS, tokens * (query + keys) * ACT,
                    tokens * (query + keys) * ACT);
    if (ring > 1 && shard->context_gathers)
        add_traffic(ops, "gather keys", MODEL_OP_KEYS, tokens * (double)ring * keys * ACT,
                    tokens * (double)ring * keys * ACT);
    else if (ring > 1)
        add_traffic(ops, "context ring", MODEL_OP_RING, tokens * keys * ACT,
                    2.0 * tokens * keys * ACT);
    double in_order = 1.0 - 0.5 / (double)ring;
    /* Query, key, value and output, and the softmax's statistics. */
    model_op_add(ops,
                 (ModelOp){.label = "attention",
                           .kind = MODEL_OP_ATTENTION,
                           .part = MODEL_PART_ATTENTION,
                           .batch = shard->micro_batch * (core->heads / split),
                           .kv_batch = shard->micro_batch * (kv / split),
                           .m = shard->sequence / ring,
                           .n = shard->sequence,
                           .k = (core->query + core->value) / 2,
                           .causal_fraction = shard->context_in_order && ring > 1 ? in_order : 0.5,
                           .saved_bytes = tokens * ((query + keys) * ACT + a * 4.0)});
    if (split > 1) {
        add_traffic(ops, "tokens for heads", MODEL_OP_HEADS, tokens * output * ACT,
                    tokens * output * ACT);
        ops->op[ops->count - 1].saved_bytes = tokens * output * ACT;
    }
}
