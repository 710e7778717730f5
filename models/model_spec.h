/** A transformer, as its configuration describes it: shapes and choices, no costs. */
#ifndef MODEL_SPEC_H
#define MODEL_SPEC_H

#include <stdbool.h>
#include <stdint.h>

/** How a token learns its position. Learned positions are parameters; the others are not. */
typedef enum ModelPosition {
    MODEL_POSITION_LEARNED,
    MODEL_POSITION_ROTARY,
    MODEL_POSITION_ALIBI,
} ModelPosition;

/** LayerNorm has a weight and a bias per channel, RMSNorm a weight only. */
typedef enum ModelNorm {
    MODEL_NORM_LAYERNORM,
    MODEL_NORM_RMSNORM,
} ModelNorm;

/** Decoder-only transformer. All counts are per model, all sizes in elements. A field that does not
 *  apply is 0: no @experts means dense, no @kv_lora_rank means ordinary (MHA, GQA, MQA) attention.
 *  Strings are borrowed from whoever loaded the specification. */
typedef struct ModelSpec {
    const char *name;
    const char *source;   /* where the shapes come from */
    int64_t layers;       /* transformer layers */
    int64_t hidden;       /* width of the residual stream */
    int64_t heads;        /* query heads */
    int64_t kv_heads;     /* key and value heads: = heads MHA, 1 MQA, between GQA */
    int64_t head_dim;     /* width of one head */
    int64_t ffn;          /* inner width of the (dense) MLP */
    int64_t vocab;        /* tokens in the vocabulary; 0 leaves embedding and head out */
    int64_t max_sequence; /* longest sequence; rows of a learned position table */
    bool gated_mlp;       /* three MLP matrices (SwiGLU, GeGLU) instead of two */
    bool tied_embeddings; /* head shares the embedding's matrix */
    bool linear_bias;     /* every linear layer has a bias */
    bool qkv_bias;        /* only the QKV projection has one (Qwen2) */
    bool qk_norm;         /* a norm over each head's query and key (Qwen3) */
    bool embedding_norm;  /* a norm right after the embedding (BLOOM) */
    ModelPosition position;
    ModelNorm norm;
    int64_t experts;             /* routed experts a layer; 0 is dense */
    int64_t experts_per_token;   /* routed experts that one token visits (top-k) */
    int64_t expert_ffn;          /* inner width of one routed expert */
    int64_t shared_experts;      /* experts that every token visits, each @expert_ffn wide */
    int64_t dense_layers;        /* leading layers that keep the dense MLP (DeepSeek) */
    int64_t q_lora_rank;         /* MLA: rank of the query compression, 0 for none */
    int64_t kv_lora_rank;        /* MLA: rank of the key/value compression */
    int64_t rope_head_dim;       /* MLA: rotary part of a head, beside head_dim without position */
    int64_t value_head_dim;      /* MLA: width of a value head */
    double pruned_heads;         /* share of the groups of heads taken out of the shapes above */
    double pruned_ffn;           /* and of the MLP's inner width */
    double pruned_layers;        /* and of the layers */
    double published_parameters; /* count printed by the source, 0 when it prints none */
} ModelSpec;

#endif
