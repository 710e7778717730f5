/** A training plan: how one optimizer step of one model is laid out over a cluster. */
#ifndef STRAT_PLAN_H
#define STRAT_PLAN_H

#include "model_adapters.h"
#include "strat_context.h"
#include "strat_data_parallel.h"
#include "strat_expert_software.h"
#include "strat_footprint.h"
#include "strat_optimizer.h"
#include "strat_recipe.h"
#include "strat_recompute.h"
#include "strat_recompute_parts.h"
#include "strat_stores.h"
#include "strat_tensor.h"
#include "topo_cluster.h"
#include "topo_protocol_expert.h"

#include <stdbool.h>
#include <stdint.h>

/** What the backward pass recomputes instead of keeping (Korthikanti 2022, section 5). */
typedef enum StratRecompute {
    STRAT_RECOMPUTE_NONE,
    STRAT_RECOMPUTE_SELECTIVE, /* scores, softmax, dropout and context of attention */
    STRAT_RECOMPUTE_FULL,      /* every layer from its input */
    STRAT_RECOMPUTE_PER_OP,    /* all but attention and every other product (torchtitan) */
} StratRecompute;

/** How attention's scores are computed. */
typedef enum StratAttention {
    STRAT_ATTENTION_UNFUSED, /* batched GEMMs, the s x s scores go through HBM */
    STRAT_ATTENTION_FLASH,   /* one fused kernel, scores never leave the chip */
    STRAT_ATTENTION_FLASH_1, /* that of FlashAttention-1, where the profile knows it */
    STRAT_ATTENTION_FLASH_2, /* that of FlashAttention-2, where the GPU has a quicker one */
} StratAttention;

/** The model whose outputs the plan's model learns; its forward alone is run, on the same GPUs and
 *  stages. @teacher.layers 0: there is none. */
typedef struct StratDistill {
    ModelSpec teacher;
    int64_t tensor;     /* ranks that cut the teacher's matrices; 0: as the student's */
    int64_t top_logits; /* that reach the loss, of each token; 0: all */
} StratDistill;

/** Linear layers whose weights have two zeros in every four (2:4). */
typedef struct StratSparsity {
    double gain;   /* of their products over dense ones; 0: dense */
    bool backward; /* the gradient of the input as well (transposable masks) */
} StratSparsity;

/** Measured times of one pipeline stage and microbatch that replace the cost model, in seconds;
 *  @forward_s 0 means the cost model is used. */
typedef struct StratProfiled {
    double forward_s;
    double backward_input_s;  /* gradient of the activations (B of Zero Bubble) */
    double backward_weight_s; /* gradient of the weights (W); 0 when the backward is one number */
    double send_s; /* one activation or gradient to a neighbouring stage; 0: ask the network */
} StratProfiled;

/** How the microbatches of a step are dealt to data-parallel replicas. */
typedef enum StratDeal {
    STRAT_DEAL_EVEN,     /* as many to each */
    STRAT_DEAL_BY_SPEED, /* more to replicas on faster nodes (strat_deal.c) */
} StratDeal;

/** Sizes multiply: tensor x context x pipeline x data = GPUs. The ranks of a stage (tensor x
 * context x data) are cut a second time for routed experts: expert_tensor x expert x copies. */
struct StratPlan {
    const char *name;
    const char *source;
    int64_t tensor;
    int64_t context;
    StratTensor tensor_parallel;
    StratContext context_parallel;
    int64_t pipeline;
    int64_t virtual_stages;  /* model chunks a pipeline stage holds; 1 unless interleaved */
    int64_t data;            /* 0: whatever the GPUs leave */
    int64_t expert;          /* ranks that share the routed experts out; 0: the model has none */
    int64_t expert_tensor;   /* ranks that cut each routed expert: 1, or as tensor */
    double expert_capacity;  /* rows that an expert takes, over the mean; 0: all (dropless) */
    double expert_imbalance; /* rows of the busiest rank over the mean; 0: see expert_zipf */
    const char *expert_histogram; /* rows of each expert, "9 4*3 1"; NULL: see expert_zipf */
    double expert_zipf;           /* expert j of the layer is wanted as j^-this; 0: all alike */
    int64_t expert_nodes;         /* scale-up domains that a token's experts may lie in; 0: any */
    TopoExpertFit expert_kernels; /* of dispatch and combine; name NULL: the library's all-to-all */
    StratExpertSoftware expert_software;
    int64_t micro_batch;  /* sequences of one microbatch, per data-parallel replica */
    int64_t global_batch; /* sequences of one step */
    StratDeal replica_microbatches;
    int64_t sequence_length;  /* tokens of one sequence */
    bool sequence_parallel;   /* norms and dropouts split along the sequence over the TP group */
    const char *schedule;     /* a row of strat_schedule */
    const char *stage_layers; /* of each chunk, written out (strat_stages.h); NULL: evenly */
    bool count_embedding;     /* the embedding takes a layer's place in the first stage */
    bool count_head;          /* the head takes a layer's place in the last stage */
    bool uneven_layers;       /* with virtual stages, the first chunks may have a layer more */
    StratRecompute recompute;
    bool recompute_stops_early; /* before the last product of a layer, whose output nobody needs */
    StratRecomputeLayers recompute_layers; /* of which layers */
    StratRecomputeParts recompute_parts;   /* what of every layer besides */
    StratAttention attention;
    TopoDtype precision; /* of the GEMMs */
    TopoDtype gradients; /* accumulated and reduced in this type */
    StratOptimizer optimizer;
    bool no_master;         /* 16-bit weights are updated themselves, without an fp32 copy */
    StratStores offload;    /* what is kept outside the GPU */
    ModelAdapters adapters; /* what alone is trained, where there are any */
    StratDistill distill;
    StratSparsity sparsity;
    int64_t zero_stage; /* sharded: 0 nothing, 1 optimizer states, 2 and gradients, 3 and weights */
    int64_t shard;      /* ranks that share one copy of what is sharded; 0: the data group */
    bool fp32_parameters; /* kept in fp32 between steps; else in 16 bits, and a master beside */
    bool reshard_after_forward; /* stage 3: weights are gathered for the backward again */
    bool no_sync; /* stages 2, 3: all microbatches' gradients are reduced once, at the end */
    bool pipeline_shards_no_gradients; /* the software refuses stages 2 and 3 with a pipeline */
    StratDataParallel data_parallel;   /* how replicas agree, if not by an all-reduce */
    int64_t prefetch;                  /* stage 3: units gathered ahead of the one that computes */
    bool synchronous_optimizer; /* stages that could begin their next step alone wait for all */
    double owner_hop_s; /* whole tensors have owners, which broadcast them: of a broadcast from rank
                           to rank; 0: each tensor is cut, and gathered */
    double
        data_nic_fraction; /* of the NICs that gathers and reductions over data ranks use; 0: all */
    bool dropout;          /* dropout on, and its masks kept (pre-2023 recipes) */
    bool fused_kernels;    /* bias+GELU, bias+dropout+add, scale+mask+softmax in one kernel */
    bool overlap_data;     /* gradient and parameter traffic under the backward and forward */
    bool overlap_tensor;   /* chunked all-gather and reduce-scatter under their GEMMs */
    bool overlap_tensor_backward; /* only the backward's, under the weights' gradient GEMM */
    bool overlap_expert;          /* dispatch and combine under the compute of another microbatch */
    bool send_whole;              /* each tensor rank sends all of an activation to its like */
    bool overlap_pipeline;   /* sends under compute; otherwise a stage waits for its own send */
    double host_stall_s;     /* the GPU waits that long for its host after each blocking exchange */
    double kernel_gap_s;     /* idle before each kernel, where the host cannot run ahead */
    double library_fraction; /* speed of that generation's kernels over the profile's; 1: equal */
    double comm_slowdown;    /* share of compute lost while a collective runs beside it */
    double model_error_fraction; /* standard error of a step for what no cost covers; 0: unsaid */
    StratFootprint footprint;    /* what the software holds besides */
    StratQuantise quantise;      /* linear layers in less than 16 bits */
    StratProfiled profiled;
};

#endif
