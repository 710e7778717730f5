/** The accounts of a training step: every GPU-nanosecond belongs to exactly one. */
#ifndef STRAT_BUCKET_H
#define STRAT_BUCKET_H

#include "model_ops.h"

#include <stdbool.h>

typedef enum StratBucket {
    STRAT_BUCKET_GEMM,
    STRAT_BUCKET_ATTENTION,
    STRAT_BUCKET_ELEMENTWISE,
    STRAT_BUCKET_EMBEDDING_HEAD,
    STRAT_BUCKET_TEACHER,
    STRAT_BUCKET_RECOMPUTE,
    STRAT_BUCKET_TENSOR_COMM,
    STRAT_BUCKET_CONTEXT_COMM,
    STRAT_BUCKET_EXPERT_COMM,
    STRAT_BUCKET_PIPELINE_COMM,
    STRAT_BUCKET_DATA_COMM,
    STRAT_BUCKET_OFFLOAD,
    STRAT_BUCKET_HOST,
    STRAT_BUCKET_BUBBLE,
    STRAT_BUCKET_OPTIMIZER,
    STRAT_BUCKET_COUNT
} StratBucket;

/** JSON key of @bucket ("gemm", "exposed_tensor_communication"...). */
const char *strat_bucket_key(StratBucket bucket);

/** The same in words, for a table. */
const char *strat_bucket_title(StratBucket bucket);

/** The account of compute that belongs to @part of a layer. */
StratBucket strat_bucket_of_part(ModelPart part);

/** Whether it is time that compute waited for traffic of its own layer. */
bool strat_bucket_is_comm(StratBucket bucket);

#endif
