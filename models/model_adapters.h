/** Low-rank adapters beside frozen linear layers (LoRA, QLoRA): operations and parameters. */
#ifndef MODEL_ADAPTERS_H
#define MODEL_ADAPTERS_H

#include "model_ops.h"

/** Linear layers that have adapters. */
typedef enum ModelAdapted {
    MODEL_ADAPTED_QUERY_VALUE, /* query and value projections */
    MODEL_ADAPTED_ATTENTION,   /* those of query, key, value and output */
    MODEL_ADAPTED_ALL,         /* and of the MLP */
} ModelAdapted;

/** Adapters of one model; @rank 0: none, and nothing is frozen. */
typedef struct ModelAdapters {
    int64_t rank;
    ModelAdapted on;
    bool nf4;                 /* frozen linear weights are 4-bit NormalFloat */
    bool double_quantisation; /* and their block maxima are quantised as well */
} ModelAdapters;

/** Freezes the linear layers of the layer @ops and gives the chosen ones their adapters. */
void model_ops_adapt(const ModelSpec *spec, const ModelShard *shard, const ModelAdapters *adapters,
                     ModelOps *ops);

/** Parameters of one layer's adapters on one rank of @shard. */
double model_adapter_params(const ModelSpec *spec, const ModelShard *shard,
                            const ModelAdapters *adapters);

/** Weights of one layer's linear layers on one rank: what is quantised. */
double model_linear_params(const ModelSpec *spec, const ModelShard *shard);

/** Bytes of one frozen weight of them. */
double model_frozen_bytes(const ModelAdapters *adapters);

#endif
