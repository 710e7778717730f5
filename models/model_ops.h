/** The operations of one transformer layer, of the embedding and of the head, as one rank of a
 *  tensor- and context-parallel group runs them: shapes and bytes, no seconds. */
#ifndef MODEL_OPS_H
#define MODEL_OPS_H

#include "model_spec.h"

#include <stddef.h>

/** How one microbatch of a model is cut over the ranks that share it. */
typedef struct ModelShard {
    int64_t micro_batch;   /* sequences */
    int64_t sequence;      /* tokens of one sequence, whole */
    int64_t tensor;        /* ranks that share every matrix */
    int64_t context;       /* ranks that share every sequence */
    int64_t context_heads; /* of these, ranks that exchange heads for tokens; 0: one, no exchange */
    bool context_gathers;  /* keys and values are gathered whole; else they go round a ring */
    bool context_in_order; /* a rank's tokens lie side by side; else from both ends (zig-zag) */
    int64_t grid;          /* ranks along a side of a grid of tensor ranks; 0: no grid */
    bool gathers_logits;   /* every rank has the logits of all the vocabulary */
    bool sequence_parallel; /* norms and dropouts are cut over the tensor group as well */
    bool fused_attention;   /* FlashAttention: scores stay on the chip */
    bool fused_kernels;     /* bias, activation, dropout and residual share passes over memory */
    bool dropout;
    int64_t expert;        /* ranks that share the experts out; 0: one */
    int64_t expert_tensor; /* ranks that cut each expert; 0: none does */
    double expert_load;    /* rows of the busiest rank over the mean; 0: even */
} ModelShard;

typedef enum ModelOpKind {
    MODEL_OP_GEMM,         /* activation times weight: backward is two products more; a batch is
                              of weights of its own each (experts) */
    MODEL_OP_BATCHED_GEMM, /* activation times activation (unfused attention) */
    MODEL_OP_ATTENTION,    /* fused attention; m = queries, n = keys, k = head width */
    MODEL_OP_PASS,         /* a pass over memory */
    MODEL_OP_COMM,         /* a collective over the tensor group */
    MODEL_OP_RING,         /* keys and values round the context group, under the attention */
    MODEL_OP_KEYS,         /* keys and values gathered over the context group, before it */
    MODEL_OP_HEADS,        /* tokens of all heads for some heads of all tokens: an all-to-all */
    MODEL_OP_ROW,          /* an all-reduce over a row of a grid of tensor ranks */
    MODEL_OP_DISPATCH,     /* tokens to their experts, over the expert group; backward gradients of
                              what arrived go back */
    MODEL_OP_COMBINE,      /* experts' outputs back to their tokens; backward the other way */
} ModelOpKind;

/** What a rank does with its group. @bytes of a ModelOp count the whole (gathered) tensor. */
typedef enum ModelComm {
    MODEL_COMM_NONE,
    MODEL_COMM_ALL_REDUCE,
    MODEL_COMM_ALL_GATHER,
    MODEL_COMM_REDUCE_SCATTER,
} ModelComm;

/** Which part of a layer an operation belongs to: what selective recomputation repeats, and the
 *  account its time goes to. */
typedef enum ModelPart {
    MODEL_PART_LINEAR,
    MODEL_PART_ATTENTION, /* scores, softmax, dropout, context: Korthikanti's "core attention" */
    MODEL_PART_ELEMENTWISE,
    MODEL_PART_EMBEDDING,
    MODEL_PART_HEAD,   /* logits and cross-entropy */
    MODEL_PART_ROUTER, /* scores of the experts: a product that stays in 16 bits */
} ModelPart;

/** One operation of the forward pass and what its backward costs. Sizes are those of one rank. */
typedef struct ModelOp {
    const char *label;
    ModelOpKind kind;
    ModelPart part;
    int64_t batch, m, n, k; /* GEMM, BATCHED_GEMM, ATTENTION: batch products m x n x k */
    int64_t steps;          /* GEMM: panels of k that a grid broadcasts one by one; 0: one */
    int64_t kv_batch;       /* ATTENTION: sequences x key/value heads */
    double causal_fraction; /* ATTENTION: share of the m x n scores that is not masked */
    double forward_bytes; /* PASS: read and written; COMM, KEYS, ROW: of the whole tensor; RING: of
                             a rank's share; HEADS: of what a rank holds for all */
    double backward_bytes;
    int forward_kernels; /* PASS: launches */
    int backward_kernels;
    ModelComm forward_comm; /* COMM */
    ModelComm backward_comm;
    bool regather;      /* COMM: backward gathers the input once more for the weights */
    double saved_bytes; /* kept from forward to backward by this rank */
} ModelOp;

enum { MODEL_OPS_MAX = 40 };

/** A list of operations in order of execution. */
typedef struct ModelOps {
    ModelOp op[MODEL_OPS_MAX];
    size_t count;
} ModelOps;

/** One transformer layer, its MLP dense or (@experts) one of experts on the busiest rank of the
 *  expert group. Activations are 2 bytes an element. */
void model_ops_layer(const ModelSpec *spec, const ModelShard *shard, bool experts, ModelOps *ops);

/** Token (and position) embedding. */
void model_ops_embedding(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops);

/** Final norm, logits, cross-entropy. */
void model_ops_head(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops);

/** Vocabulary padded as Megatron does, to a multiple of 128 x tensor ranks. */
int64_t model_vocab_padded(const ModelSpec *spec, int64_t tensor);

/** Parameters of one layer that one rank of a tensor group holds; of a layer of experts (@experts)
 *  all but the routed ones. */
double model_layer_shard_params(const ModelSpec *spec, int64_t tensor, bool experts);

/** Parameters of the routed experts of one layer that one rank holds. */
double model_expert_shard_params(const ModelSpec *spec, const ModelShard *shard);

/** Parameters of the embedding (and of the head when @head) that one rank holds. */
double model_vocab_shard_params(const ModelSpec *spec, int64_t tensor);

/** FLOPs of the model for @sequences sequences of @length tokens, forward and backward, without
 *  recomputation: three times the forward's matrix products (of the experts that tokens visit),
 * attention counted in full (PaLM, Chowdhery 2022, appendix B; equal to Korthikanti 2022 eq. 7) or,
 * when @causal, by half. */
double model_flop(const ModelSpec *spec, double sequences, double length, bool causal);

/** FLOPs of the scores and the context of all layers, forward once, counted in full. */
double model_attention_forward_flop(const ModelSpec *spec, double sequences, double length);

#endif
