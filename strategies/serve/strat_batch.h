/** One iteration of a serving engine: what it computes, and what that takes. */
#ifndef STRAT_BATCH_H
#define STRAT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What an iteration's time is spent on; the ledger's accounts. */
typedef enum StratServePart {
    STRAT_SERVE_LINEAR,     /* dense products of the layers */
    STRAT_SERVE_PREFILL,    /* attention of prompts */
    STRAT_SERVE_DECODE,     /* attention of single tokens over their cache */
    STRAT_SERVE_EXPERTS,    /* routed and shared experts */
    STRAT_SERVE_PASSES,     /* norms, activations, rotary, embedding, quantisation */
    STRAT_SERVE_HEAD,       /* logits and sampling */
    STRAT_SERVE_TENSOR,     /* collectives of the tensor group */
    STRAT_SERVE_ALL_TO_ALL, /* dispatch and combine of experts */
    STRAT_SERVE_PIPELINE,   /* between stages, and their bubble */
    STRAT_SERVE_DRAFT,      /* proposing tokens for speculation */
    STRAT_SERVE_HOST,       /* the engine's CPU side, where the GPU waits for it */
    STRAT_SERVE_OFFLOAD,    /* what lives off the GPU: copies, and attention on the host, where the
                               GPU waits for them */
    STRAT_SERVE_PARTS
} StratServePart;

/** Name of @part in reports and as a JSON key: "linear", "prefill_attention" ... */
const char *strat_serve_part_name(StratServePart part);

/** A piece of a prompt: @tokens computed on top of @past that are in the cache. */
typedef struct StratChunk {
    int64_t tokens;
    int64_t past;
} StratChunk;

/** What one iteration of one replica computes. A batch of decodes is described by its sums, so a
 *  price does not depend on how many there are. */
typedef struct StratBatch {
    const StratChunk *chunk; /* of prompts, borrowed */
    size_t chunks;
    int64_t decodes;       /* sequences that decode */
    int64_t decode_tokens; /* that each computes: 1, and one more for each speculated token */
    double context;        /* tokens that each attends to, its own included; the mean */
    double longest;        /* of the longest, at least the mean */
    int64_t outputs;       /* sequences that sample: rows of the head */
    int64_t starts;        /* prompts whose first chunk this is */
    int64_t start_tokens;  /* all the tokens of those, cached ones too */
} StratBatch;

/** Seconds of an iteration. @seconds is the sum of the parts: from the start of the iteration until
 *  its tokens are known and the next one of the same sequences may start. With pipeline stages
 *  another group of sequences may enter every @stage_s. */
typedef struct StratIteration {
    double part_s[STRAT_SERVE_PARTS];
    double seconds;
    double stage_s;
} StratIteration;

/** Who prices iterations: embed it first in a struct of your own. */
typedef struct StratPricer StratPricer;
struct StratPricer {
    /** Fills @out for @batch, which computes something. Pure: equal batches, equal prices. */
    void (*price)(const StratPricer *pricer, const StratBatch *batch, StratIteration *out);
    void (*free)(StratPricer *pricer);
};

void strat_pricer_free(StratPricer *pricer);

#endif
