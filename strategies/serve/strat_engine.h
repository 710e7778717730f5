/** A serving engine, as a versioned row of data: which scheduler decides, within which limits, and
 *  what its CPU side costs. */
#ifndef STRAT_ENGINE_H
#define STRAT_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

enum { STRAT_PREFERRED = 8 };

/** The CPU side of an iteration. Seconds are fitted per engine version; the row's source says on
 *  which measurements. */
typedef struct StratHost {
    double step_s;     /* of every iteration: scheduling, inputs, sampling, outputs */
    double sequence_s; /* of each sequence in it */
    double prompt_s;   /* of each prompt that starts, tokenising included */
    double token_s;    /* of each token of a prompt that starts */
    double kernel_s;   /* launch of one kernel, where no CUDA graph replays the iteration */
    bool overlapped;   /* prepared while the GPU runs the iteration before: only what is longer than
                          that shows */
    bool detokenise_inline; /* turning tokens into text holds the next iteration up */
    double detokenise_s;    /* of each token */
} StratHost;

/** Decode attention by a kernel with one block for each query head (FasterTransformer's masked
 *  multi-head attention), which reads the cache of a KV head once for each of them. */
typedef struct StratVectorAttention {
    double memory_fraction; /* of HBM bandwidth; 0: the profile's kernels run instead */
    double cache_fraction;  /* of what L2 can hand to all SMs, 64 bytes a clock each */
} StratVectorAttention;

/** What of the copies between host and GPU runs under the computation. */
typedef enum StratCopies {
    STRAT_COPIES_HIDDEN,        /* all: the next layer's while this one is computed */
    STRAT_COPIES_WEIGHTS_FIRST, /* all beside prompts; decodes wait for the weights */
    STRAT_COPIES_IN_TURN,       /* none */
} StratCopies;

typedef struct StratEngine {
    const char *name;
    const char *source;
    const char *scheduler;       /* a row of strat_scheduler.h */
    int64_t max_sequences;       /* in one batch (max_num_seqs, max_batch_size) */
    int64_t max_tokens;          /* of one iteration (max_num_batched_tokens, max_num_tokens) */
    int64_t max_length;          /* prompt and output of one sequence; 0: the model's */
    int64_t long_prefill_tokens; /* of one prompt in one iteration; 0: no such limit */
    int64_t block_tokens;        /* of a KV block */
    double memory_fraction;      /* of the GPU that the engine takes (gpu_memory_utilization) */
    bool memory_of_rest;         /* the fraction is of what weights and the largest iteration leave
                                    (TensorRT-LLM: free_gpu_memory_fraction) */
    double watermark_fraction;   /* of the blocks that admission leaves free */
    double activation_bytes;     /* that it keeps beside weights and cache: graphs, workspaces; on
                                    top of what the largest iteration needs */
    bool chunked_prefill;        /* a prompt may be cut to what is left of the tokens */
    bool reserve_prompt;         /* a prompt is admitted only when all of it fits into the cache */
    bool prefix_cache;           /* blocks of equal prefixes are shared */
    bool graphs;                 /* iterations of decodes replay a CUDA graph */
    int64_t graph_sequences;     /* largest batch that has one */
    bool graphs_mixed;           /* iterations with prompts replay graphs too, up to as many tokens:
                                    vLLM V1's piecewise graphs */
    bool fused_kernels;          /* norms, activation, rotary and residual share passes */
    bool gathers_experts;        /* the experts that few tokens choose are products of their own:
                                    no sorting, no grouped kernel (gpt-fast, batch 1) */
    StratVectorAttention vector_attention;
    double attention_fraction; /* of the rate of the profile's decode attention that this version's
                                  kernels reach; may exceed 1; 0: all of it */
    StratCopies copies;        /* of what lives off the GPU */
    double link_fraction;      /* of the host link that its copies reach; 0: all of it */
    double unpack_bytes;       /* of GPU memory that kernels move to widen one 4-bit weight or
                                  element of the cache for a product in 16 bits; 0: the products
                                  widen what they read */
    double new_token_ratio;    /* SGLang: share of the outputs to come that admission reserves */
    double waiting_served_ratio; /* TGI: prompts that are worth a pause of the decodes */
    int64_t max_waiting_tokens;  /* TGI: decodes before waiting prompts are let in */
    int64_t max_total_tokens;    /* TGI: prompts and outputs to come of a batch; 0: the cache's */
    double max_queue_delay_s;    /* Triton: how long a batch may wait to fill */
    int64_t preferred_sequences[STRAT_PREFERRED]; /* Triton: sizes of a batch that goes at once, the
                                                     rest 0; none: max_sequences */
    bool padded_prompts;     /* vLLM up to 0.2: prompts count as long as the longest */
    double swap_bytes;       /* vLLM V0: of host memory per GPU, where the preempted keep their
                                cache; 0: it is computed again */
    double host_cache_bytes; /* of host memory per GPU, where evicted prefixes go; 0: nowhere */
    double disk_cache_bytes; /* of a disk per GPU, behind that */
    double disk_bytes_per_s;
    int64_t chunk_stages;     /* Sarathi: steps by which the chunk shrinks from max_tokens to */
    int64_t chunk_low_tokens; /* ... this, */
    int64_t chunk_schedule_tokens; /* ... over so much of a prompt; 0 stages: always max_tokens */
    int64_t max_adapters;          /* LoRA adapters in one batch; 0: no limit */
    double adapter_load_s;         /* to bring one in that no slot holds */
    const char *order;             /* of waiting requests: a row of the scheduler's, NULL: fcfs */
    StratHost host;
} StratEngine;

#endif
