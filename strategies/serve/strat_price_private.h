/** The insides of strat_price.c, shared with strat_price_attention.c and strat_price_comm.c. */
#ifndef STRAT_PRICE_PRIVATE_H
#define STRAT_PRICE_PRIVATE_H

#include "kern_decode.h"
#include "strat_matrix.h"
#include "strat_price.h"

/** Seconds that depend on nothing but the tokens of an iteration, of all layers together, and the
 *  kernels that they take. */
typedef struct StratTokenCost {
    bool known;
    double linear_s, experts_s, passes_s, tensor_s, dispatch_s, combine_s, send_s;
    double kernels;
} StratTokenCost;

/** What a draft model is priced by: the target's deployment and engine, without their host. */
typedef struct StratDraft {
    StratEngine engine;
    StratDeployment deployment;
} StratDraft;

/** How an iteration runs. */
typedef struct StratMode {
    bool captured; /* replays a CUDA graph */
    bool prompts;  /* has prompts: under the power limit's clock */
} StratMode;

enum { STRAT_MODES = 4 };

typedef struct StratPrice {
    StratPricer pricer; /* first */
    StratPriceSpec spec;
    StratPool pool;
    TopoDtype wide; /* 16-bit type that the GPU multiplies */
    int64_t dense_layers, expert_layers;
    StratMatrices dense, sparse; /* of a dense layer, of one with experts */
    const KernDecodeFit *decode; /* NULL: the profile has none */
    KernDecodeFit decode_from_memory;
    double weights_bytes;        /* of one GPU, all stages' mean */
    KernDevice device[2];        /* [1]: in iterations with prompts */
    GArray *tokens[STRAT_MODES]; /* of StratTokenCost by tokens of a rank */
    GArray *head[STRAT_MODES];   /* of double, seconds by rows that sample; 0: not asked yet */
    StratPricer *draft;          /* NULL: no draft model */
    StratDraft draft_priced;
} StratPrice;

/** The device at the clock of @mode. */
static inline const KernDevice *strat_price_device(const StratPrice *price, StratMode mode)
{
    return &price->device[mode.prompts];
}

/** What one of @ranks has of @count at most. */
static inline int64_t strat_price_share(int64_t count, int64_t ranks)
{
    return (count + ranks - 1) / ranks;
}

/** Are 4-bit elements widened by kernels of their own, before products in 16 bits? */
static inline bool strat_price_unpacks(const StratPrice *price)
{
    return price->spec.deployment->engine->unpack_bytes > 0.0;
}

/** Does attention read a cache of less than 16 bits? */
static inline bool strat_price_has_narrow_cache(const StratPrice *price)
{
    StratKvType kv = price->spec.deployment->kv;
    return kv != STRAT_KV_16_BIT && !(kv == STRAT_KV_INT4 && strat_price_unpacks(price));
}

/** Seconds of the kernels that widen the 4-bit weights of @list. 0: the products do it. */
double strat_price_unpack_s(const StratPrice *price, const StratMatrices *list, StratMode mode);

/** Seconds of widening the cache that @batch attends to, in all layers, and of packing what it
 *  adds. */
double strat_price_unpack_cache_s(const StratPrice *price, const StratBatch *batch);

/** Adds to @out what copies from and to the host, and its attention, add to the GPU's parts. */
void strat_price_offload(const StratPrice *price, const StratBatch *batch, StratIteration *out);

/** The costs of @rows rows of a rank; computed at the first question. */
StratTokenCost strat_price_tokens(const StratPrice *price, int64_t rows, StratMode mode);

/** Seconds of the last norm, the logits and the sampler for @outputs sequences. */
double strat_price_head_s(const StratPrice *price, int64_t outputs, StratMode mode);

/** Seconds of attention in all layers. @past tokens of a chunk are in the cache. */
double strat_price_prefill_s(const StratPrice *price, const StratBatch *batch);
double strat_price_decode_s(const StratPrice *price, const StratBatch *batch);

/** Seconds of an all-reduce of @tokens rows of the residual stream over the tensor group. */
double strat_price_reduce_s(const StratPrice *price, int64_t tokens, bool captured);

/** Seconds of gathering @rows rows of logits. */
double strat_price_gather_s(const StratPrice *price, int64_t rows);

/** Seconds of the dispatch and of the combine of one layer, when every attention rank of the
 * replica holds @tokens; @decodes: no prompts among them. 0 where there are none. */
void strat_price_experts_s(const StratPrice *price, int64_t tokens, bool decodes,
                           double *dispatch_s, double *combine_s);

/** Seconds of handing @tokens rows to the next pipeline stage. */
double strat_price_send_s(const StratPrice *price, int64_t tokens);

/** Seconds of a product of @rows rows with @matrix, stored in @weights. */
double strat_price_product_s(const StratPrice *price, const StratMatrix *matrix,
                             StratWeights weights, int64_t rows, StratMode mode);

/** The same of @count matrices of one shape side by side, routed experts' weights among them: each
 *  has @rows rows of its own. */
double strat_price_products_s(const StratPrice *price, const StratMatrix *matrix,
                              StratWeights weights, int64_t rows, int64_t count, StratMode mode);

#endif
