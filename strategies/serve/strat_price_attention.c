/* Attention of an iteration: prompts and decodes run as two groups of kernels.
 *
 * Prompts. All chunks of an iteration share one launch and fill the GPU together, so that each is
 * priced as its part of as many like it (kern_prefill.c); the longest alone is the least that all
 * can take.
 *
 * Decodes. The form of kern_decode.c, linear between contexts that are KNOT tokens apart: the cost
 * of a batch is linear in its mean context (the cache streams), and the kernels' steps (splits,
 * tiles) are the same for all sequences only in a bench. The cache of one layer has left the L2
 * when its turn comes again, as 30 to 100 other layers ran in between: it streams from HBM
 * throughout. Tokens that are verified together (speculation) read the cache once: they count as
 * more query heads.
 *
 * Old engines. A kernel with a block for each query head (FasterTransformer's, TensorRT-LLM before
 * multi-block mode: decoderMaskedMultiheadAttention) does without tensor cores and reads the cache
 * of a KV head once for each query head of its group, the first time from HBM, then from L2:
 *
 *   time = max(cache / (f * HBM * min(1, blocks / SMs)), cache * group / (g * 64 B * SMs * clock))
 *
 * with f and g fitted for the engine's version; a launch is the profile's.
 *
 * MLA decodes against the latent itself (absorbed); prompts expand it, the past anew with every
 * chunk (a product r_kv -> a (d + d_v) over p tokens; vLLM's chunked context does so too).
 *
 * Attention DP: each rank has its share of the sequences, and the fullest has one of them more.
 *
 * Left out: sliding windows (the model says nothing of them), lengths that differ within a batch of
 * decodes (FlashAttention's varlen kernels lose up to 10 % there; strat_profile_price.c has the
 * measured correction). */
#include "strat_price_private.h"

#include "kern_prefill.h"

#include <math.h>

enum { KNOT = 256 };

static KernPrefillShape prefill_shape(const StratPrice *price)
{
    const ModelSpec *model = price->spec.model;
    bool latent = model->kv_lora_rank > 0;
    int64_t tensor = price->pool.tensor, heads = model->heads / tensor;
    return (KernPrefillShape){
        .heads = heads,
        .kv_heads = latent ? heads : strat_kv_heads(model, tensor),
        .head_dim = model->head_dim + (latent ? model->rope_head_dim : 0),
        .value_dim = latent ? model->value_head_dim : 0,
        .dtype = price->wide,
        .fp8_cache = strat_price_has_narrow_cache(price),
    };
}

/* @sequences chunks at once. */
static double chunks_s(const StratPrice *price, int64_t sequences, const StratChunk *chunk)
{
    KernPrefillShape shape = prefill_shape(price);
    shape.sequences = sequences;
    shape.queries = chunk->tokens;
    shape.past = chunk->past;
    return kern_prefill_s(&price->device[true], &shape);
}

/* Keys and values of what is in the cache, from their latents. */
static double expand_s(const StratPrice *price, int64_t past)
{
    const ModelSpec *model = price->spec.model;
    if (model->kv_lora_rank == 0 || past == 0)
        return 0.0;
    int64_t heads = model->heads / price->pool.tensor;
    StratMatrix matrix = {.n = heads * (model->head_dim + model->value_head_dim),
                          .k = model->kv_lora_rank,
                          .wide = true};
    return strat_price_product_s(price, &matrix, STRAT_WEIGHTS_BF16, past,
                                 (StratMode){.prompts = true});
}

double strat_price_prefill_s(const StratPrice *price, const StratBatch *batch)
{
    const StratChunk *longest = NULL;
    double sum = 0.0, most = 0.0, expand = 0.0;
    int64_t count = (int64_t)batch->chunks;
    for (size_t i = 0; i < batch->chunks; i++) {
        const StratChunk *chunk = &batch->chunk[i];
        double keys = (double)(chunk->past + chunk->tokens) * (double)chunk->tokens;
        sum += chunks_s(price, strat_price_share(count, price->pool.data), chunk);
        expand += expand_s(price, chunk->past);
        if (keys > most) {
            most = keys;
            longest = chunk;
        }
    }
    if (!longest)
        return 0.0;
    double layer = sum / (double)count + expand / (double)price->pool.data;
    if (count > 1)
        layer = fmax(layer, chunks_s(price, 1, longest));
    return layer * (double)price->spec.model->layers;
}

static double vector_s(const StratPrice *price, StratMode mode, const KernDecodeShape *shape)
{
    enum { L2_BYTES = 64 }; /* a clock into an SM: NVIDIA A100 whitepaper, L1 fill bandwidth */
    const KernDevice *device = strat_price_device(price, mode);
    const StratVectorAttention *fit = &price->spec.deployment->engine->vector_attention;
    double sms = (double)device->gpu->multiprocessors;
    double cache = kern_decode_cache_bytes(shape);
    double busy = fmin(1.0, (double)(shape->sequences * shape->heads) / sms);
    double memory = fit->memory_fraction * device->gpu->memory_bytes_per_s * busy;
    double caches = fit->cache_fraction * L2_BYTES * sms * device->gpu->boost_clock_hz;
    double group = (double)shape->heads / (double)shape->kv_heads;
    return device->profile->memory.launch_s + fmax(cache / memory, cache * group / caches);
}

static double decode_at(const StratPrice *price, StratMode mode, KernDecodeShape *shape,
                        int64_t context)
{
    const KernDevice *device = strat_price_device(price, mode);
    shape->context = MAX(context, 1);
    if (price->spec.deployment->engine->vector_attention.memory_fraction > 0.0)
        return vector_s(price, mode, shape);
    return price->decode ? kern_decode_form_s(device, &price->decode_from_memory, shape)
                         : kern_decode_s(device, shape);
}

double strat_price_decode_s(const StratPrice *price, const StratBatch *batch)
{
    if (batch->decodes == 0)
        return 0.0;
    StratMode mode = {.prompts = batch->chunks > 0};
    const ModelSpec *model = price->spec.model;
    int64_t tensor = price->pool.tensor;
    KernDecodeShape shape = {
        .sequences = strat_price_share(batch->decodes, price->pool.data),
        .heads = model->heads / tensor * MAX(batch->decode_tokens, 1),
        .kv_heads = strat_kv_heads(model, tensor),
        .head_dim = model->head_dim,
        .latent_width = model->kv_lora_rank,
        .rope_width = model->kv_lora_rank > 0 ? model->rope_head_dim : 0,
        .dtype = price->wide,
        .fp8_cache = strat_price_has_narrow_cache(price),
    };
    double knots = batch->context / KNOT, below = floor(knots);
    int64_t low = (int64_t)below * KNOT;
    double layer = decode_at(price, mode, &shape, low);
    if (knots > below)
        layer += (knots - below) * (decode_at(price, mode, &shape, low + KNOT) - layer);
    double fraction = price->spec.deployment->engine->attention_fraction;
    return layer * (double)model->layers / (fraction > 0.0 ? fraction : 1.0);
}
