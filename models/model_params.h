/** How many parameters a transformer has, part by part. Pure functions of a ModelSpec. */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include "model_spec.h"

#include <stdint.h>

/** Parameter counts. Each part includes its own biases and inner norms; a part that the model does
 *  not have is 0. Fields named `_layer` count one layer; the others count once per model. */
typedef struct ModelParams {
    int64_t embedding;       /* token table: vocab x hidden */
    int64_t embedding_norm;  /* norm right after the embedding (BLOOM) */
    int64_t position;        /* learned position table */
    int64_t attention_layer; /* projections, query/key norms, MLA's compression norms */
    int64_t dense_mlp_layer; /* MLP of a dense layer; 0 when every layer has experts */
    int64_t moe_layer;       /* all routed experts, shared experts and router of a MoE layer */
    int64_t norms_layer;     /* the two norms over the residual stream */
    int64_t final_norm;      /* norm before the head */
    int64_t head;            /* output projection; 0 when it shares the embedding's matrix */
    int64_t total;           /* every parameter of the model */
    int64_t active;          /* parameters that one token meets: top-k of the routed experts */
} ModelParams;

/** Counts the parameters of @spec, which the loader has validated (no negative field, at most
 *  @layers dense layers). Never fails. */
ModelParams model_params_count(const ModelSpec *spec);

/** Parameters of layer @layer_index of @spec, 0-based: attention, norms and the MLP or the experts
 *  that stand there. All experts count, also those that a token does not visit. */
int64_t model_layer_params(const ModelSpec *spec, int64_t layer_index);

/** Parameters of one routed expert of @spec; 0 for a dense model. */
int64_t model_expert_params(const ModelSpec *spec);

#endif
