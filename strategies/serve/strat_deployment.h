/** A deployment: how replicas of a model are laid over GPUs, who sends requests where. */
#ifndef STRAT_DEPLOYMENT_H
#define STRAT_DEPLOYMENT_H

#include "kern_profile.h"
#include "model_spec.h"
#include "strat_engine.h"
#include "topo_cluster.h"

/** Storage of weights (and the products that run on them). */
typedef enum StratWeights {
    STRAT_WEIGHTS_BF16, /* also fp16: equal bytes and rates */
    STRAT_WEIGHTS_FP32,
    STRAT_WEIGHTS_FP8,
    STRAT_WEIGHTS_FP8_BLOCK, /* scales of 128 x 128 blocks (DeepSeek) */
    STRAT_WEIGHTS_INT8,      /* weights only, products in 16 bits */
    STRAT_WEIGHTS_INT4,      /* likewise, groups of 128 */
    STRAT_WEIGHTS_MXFP4,     /* likewise, experts of gpt-oss */
    STRAT_WEIGHTS_NVFP4,
    STRAT_WEIGHTS_COUNT
} StratWeights;

/** Bytes of one element in the KV cache. */
typedef enum StratKvType {
    STRAT_KV_16_BIT,
    STRAT_KV_FP8,
    STRAT_KV_INT4,
    STRAT_KV_COUNT
} StratKvType;

/** What replicas of a pool do. */
typedef enum StratPoolRole {
    STRAT_ROLE_BOTH,
    STRAT_ROLE_PREFILL, /* prompts, whose cache then moves to a decoding replica */
    STRAT_ROLE_DECODE,
} StratPoolRole;

/** Speculative decoding: tokens proposed, then verified in one iteration (Leviathan 2023). */
typedef struct StratSpeculation {
    int64_t tokens;    /* proposed in a row; 0: no speculation */
    double acceptance; /* of a proposed token, given those before it; when no list is given */
    const double *by_position; /* acceptance by position, given those before it; borrowed */
    size_t positions;
    int64_t candidates;    /* paths of a tree that are verified together; 0 or 1: a chain */
    double draft_fraction; /* cost of proposing one token over one plain iteration of the target;
                              used when no draft model is named */
    const ModelSpec
        *draft; /* model that proposes; NULL: heads (Medusa, EAGLE, MTP) or a fraction */
} StratSpeculation;

/** Equal replicas. tensor x pipeline x data = GPUs of one; the experts are shared out over
 *  @expert of them. */
typedef struct StratPool {
    StratPoolRole role;
    int64_t replicas;
    int64_t tensor;
    int64_t pipeline;
    int64_t data; /* ranks of a replica that each attend for their own sequences (attention DP) */
    int64_t
        expert; /* ranks that share the experts out; 1: each expert is cut like other matrices */
} StratPool;

/** The shares of something that live in host memory and on disks; the rest is on the GPU. */
typedef struct StratElsewhere {
    double host, disk;
} StratElsewhere;

/** What of a model larger than its GPU lives elsewhere (Sheng 2023, FlexGen: a policy). */
typedef struct StratOffload {
    StratElsewhere weights, cache, activations;
    int64_t gpu_batches; /* that pass a layer one after another while its weights stay on the GPU;
                            0: one, as 1 */
    bool host_attention; /* the CPU attends over what of the cache is not on the GPU */
    bool pageable;       /* weights in host memory are not page-locked */
} StratOffload;

typedef struct StratDeployment {
    const StratEngine *engine;
    StratPool pool[2]; /* one pool of STRAT_ROLE_BOTH, or prefill and decode */
    size_t pools;
    StratWeights weights;
    StratKvType kv;
    int64_t blocks;            /* of KV on one replica, when it is known; 0: derived from memory */
    double expert_power;       /* exponent of the power law of the experts' load; 0: balanced */
    int64_t redundant_experts; /* copies beyond one of each, over all ranks */
    bool two_batch_overlap;    /* collectives of one half batch under the compute of the other */
    bool sparse_2_4;           /* pruned 2:4: half the weights, twice the rate where it exists */
    StratOffload offload;
    const char *router; /* a row of strat_router.h; NULL: round robin */
    StratSpeculation speculation;
    double slo_ttft_s, slo_tpot_s, slo_e2e_s; /* 0: no such objective */
} StratDeployment;

/** GPUs of one replica of @pool. */
int64_t strat_pool_gpus(const StratPool *pool);

#endif
