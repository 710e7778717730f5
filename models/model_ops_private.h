/** What the files that list operations share. Nobody else includes this. */
#ifndef MODEL_OPS_PRIVATE_H
#define MODEL_OPS_PRIVATE_H

#include "model_ops.h"

/** Bytes of one element of an activation. */
#define MODEL_ACTIVATION_BYTES 2.0

/** Tokens of a rank before sequence parallelism cuts them, and the same as rows of a product. */
double model_shard_tokens(const ModelShard *shard);
int64_t model_shard_rows(const ModelShard *shard);

/** Share of those tokens that norms and dropouts see. */
double model_shard_sequence_share(const ModelShard *shard);

/** Key/value heads on a rank: replicated when there are fewer than ranks. */
int64_t model_kv_heads_shard(const ModelSpec *spec, int64_t tensor);

/** The heads of an attention core on one rank of the tensor group, and widths of one head. */
typedef struct ModelCore {
    int64_t heads, kv_heads;
    int64_t query, key, value;
} ModelCore;

/** Fused attention of @core and what the context group moves around it; see
 *  model_ops_context.c. */
void model_op_add_fused_attention(const ModelShard *shard, const ModelCore *core, ModelOps *ops);

/** Appends @op; the copy in the list. */
ModelOp *model_op_add(ModelOps *ops, ModelOp op);

/** A pass over @elements: bytes an element that it reads and writes @forward and @backward, and
 *  that stay @saved in between. */
void model_op_add_pass(ModelOps *ops, const char *label, ModelPart part, double elements,
                       double forward, double backward, double saved);

/** A norm over tokens of @width. */
void model_op_add_norm(const ModelShard *shard, int64_t width, ModelOps *ops);

/** The input of a column-parallel product, tokens of @width. */
void model_op_add_gather(const ModelShard *shard, int64_t width, ModelOps *ops);

/** The output of a row-parallel product. */
void model_op_add_reduce(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops);

void model_op_add_gemm(ModelOps *ops, const char *label, ModelPart part, int64_t m, int64_t n,
                       int64_t k, double saved_bytes);

void model_op_add_residual(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops);

/** The activation function over @elements of the inner width. */
void model_op_add_activation(const ModelSpec *spec, const ModelShard *shard, double elements,
                             ModelOps *ops);

/** A dense MLP of inner width @width, gathered before and reduced after. */
void model_op_add_mlp(const ModelSpec *spec, const ModelShard *shard, int64_t width, ModelOps *ops);

/** Turns a list for tensor ranks in a row into one for a grid of them; see model_ops_grid.c. */
void model_ops_on_grid(const ModelShard *shard, ModelOps *ops);

/** Latent attention, from the norm's output to the projection's; see model_ops_latent.c. */
void model_op_add_latent_attention(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops);

/** Router, routed and shared experts; see model_ops_moe.c. */
void model_op_add_experts(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops);

#endif
