/** The matrices of a model as one GPU of a serving replica holds them. */
#ifndef STRAT_MATRIX_H
#define STRAT_MATRIX_H

#include "strat_deployment.h"

/** C[m,n] = A[m,k] B[k,n]: B is the matrix. */
typedef struct StratMatrix {
    int64_t n, k;
    bool wide; /* stays in 16 bits whatever the weights are stored in */
} StratMatrix;

enum { STRAT_MATRICES_MAX = 8 };

typedef struct StratMatrices {
    StratMatrix at[STRAT_MATRICES_MAX];
    size_t count;
} StratMatrices;

/** The matrices that every token of a layer meets, in order of execution: attention, then the MLP,
 *  or, @experts, the router and the shared experts. Routed experts are not among them. */
StratMatrices strat_matrices(const ModelSpec *spec, int64_t tensor, bool experts);

/** Elements of those. */
double strat_matrices_elements(const StratMatrices *matrices);

/** Layers that keep a dense MLP, and those with experts. */
int64_t strat_dense_layers(const ModelSpec *spec);
int64_t strat_expert_layers(const ModelSpec *spec);

/** Bytes of one weight of @weights, its share of the scales included. */
double strat_weights_bytes(StratWeights weights);

/** Whether @weights apply to routed experts only (gpt-oss, NVIDIA's DeepSeek in nvfp4). */
bool strat_weights_experts_only(StratWeights weights);

/** Ranks that cut each routed expert of @pool; a rank holds 1 / (these * pool->expert) of all. */
int64_t strat_expert_cut(const StratPool *pool);

/** KV heads on one rank of a tensor group of @tensor; 1 at least, copied where there are fewer. */
int64_t strat_kv_heads(const ModelSpec *spec, int64_t tensor);

/** Bytes that one token keeps in the cache of one GPU, in one layer. */
double strat_kv_layer_bytes(const ModelSpec *spec, int64_t tensor, StratKvType kv);

#endif
