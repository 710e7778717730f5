/* A model larger than its GPU: weights, cache and activations in host memory and on disks.
 *
 * Shares of each live on the GPU, in host memory and on disks (a policy of FlexGen: Sheng et al.
 * 2023, arXiv 2303.06865, sections 3 and 4). A layer's weights are brought in once for a block of
 * GPU batches, which pass the layer one after another; so an iteration moves, in bytes,
 *
 *   W    = weights                          once, however large the block
 *   C    = tokens attended to * bytes of a token in the cache
 *   N    = tokens computed * bytes of a token in the cache
 *   A    = tokens computed * layers * 2 hidden    in, and out again
 *
 * of which the shares off the GPU take
 *
 *   weights    W / link, or / pageable where they are not page-locked
 *   cache      C / pageable, none of it where the CPU attends
 *   in         A / link
 *   read       (shares on disks of W, C, A) / disk's reading
 *   store      N / pageable writing + A / link
 *   write      (shares on disks of N, A) / disk's writing
 *   attention  C in 16 bits / what the CPU attends to a second, in turn with the GPU
 *
 * Disks have threads of their own, which run ahead. What of the rest hides behind the computation
 * is the engine's: all (the largest counts); of FlexGen, by the cost model that its authors fitted
 * to their runs (FlexGen repository, experimental/cost_model.py, T_pre and T_gen; there disks are
 * added to the copies, which their OPT-175B run does not bear out),
 *
 *   prompts  max(computation, weights + cache + in, store, read, write)
 *   decodes  max(weights + in + max(computation, cache, store), read, write)
 *
 * or nothing, disks included (in turn).
 *
 * Packed elements. An engine without products that widen what they read runs elementwise kernels
 * over every matrix, for each GPU batch anew, and over the cache (FlexGen: flexgen/compression.py):
 * shift, mask, two strided stores, division, addition. Packing new elements takes about twice that
 * (minimum, maximum, scaling, rounding, packing).
 *
 * Left out: the fill and drain of the pipeline of copies (one layer), the disk's page cache, sparse
 * attention. */
#include "strat_price_private.h"

#include "kern_pass.h"
#include "strat_offload.h"

#include <math.h>

enum { UNPACK_KERNELS = 6, PACKS = 2 };

double strat_price_unpack_s(const StratPrice *price, const StratMatrices *list, StratMode mode)
{
    const StratDeployment *deployment = price->spec.deployment;
    if (!strat_price_unpacks(price) || deployment->weights != STRAT_WEIGHTS_INT4)
        return 0.0;
    double bytes = deployment->engine->unpack_bytes * strat_matrices_elements(list);
    return kern_pass_s(strat_price_device(price, mode), bytes, UNPACK_KERNELS * (int)list->count);
}

/* Tokens of one attention rank. */
typedef struct Tokens {
    double computed, attended; /* attended: in the cache before the iteration */
} Tokens;

static Tokens tokens_of(const StratPrice *price, const StratBatch *batch)
{
    double computed = (double)(batch->decodes * MAX(batch->decode_tokens, 1));
    double attended = (double)batch->decodes * batch->context;
    for (size_t i = 0; i < batch->chunks; i++) {
        computed += (double)batch->chunk[i].tokens;
        attended += (double)batch->chunk[i].past;
    }
    double ranks = (double)price->pool.data;
    return (Tokens){computed / ranks, attended / ranks};
}

static double token_bytes(const StratPrice *price, StratKvType kv)
{
    const ModelSpec *model = price->spec.model;
    return (double)model->layers * strat_kv_layer_bytes(model, price->pool.tensor, kv);
}

double strat_price_unpack_cache_s(const StratPrice *price, const StratBatch *batch)
{
    const StratDeployment *deployment = price->spec.deployment;
    if (!strat_price_unpacks(price) || deployment->kv != STRAT_KV_INT4)
        return 0.0;
    Tokens tokens = tokens_of(price, batch);
    double elements =
        0.5 * token_bytes(price, STRAT_KV_16_BIT) * (tokens.attended + PACKS * tokens.computed);
    return kern_pass_s(&price->device[batch->chunks > 0],
                       deployment->engine->unpack_bytes * elements,
                       UNPACK_KERNELS * (int)price->spec.model->layers);
}

static double seconds(double bytes, double bytes_per_s)
{
    return bytes > 0.0 ? bytes / bytes_per_s : 0.0;
}

/* Seconds of each stream of an iteration. */
typedef struct Streams {
    double weights, cache, in, read, store, write, attention;
} Streams;

static Streams streams_of(const StratPrice *price, const StratBatch *batch)
{
    const StratOffload *o = &price->spec.deployment->offload;
    const StratEngine *engine = price->spec.deployment->engine;
    const TopoNode *node = &price->spec.cluster->node;
    const ModelSpec *model = price->spec.model;
    double link = node->host_bytes_per_s;
    double paged = node->pageable_bytes_per_s > 0.0 ? node->pageable_bytes_per_s : link;
    double stored =
        node->pageable_write_bytes_per_s > 0.0 ? node->pageable_write_bytes_per_s : link;
    double locked = link * (engine->link_fraction > 0.0 ? engine->link_fraction : 1.0);
    Tokens tokens = tokens_of(price, batch);
    double w = price->weights_bytes, kv = token_bytes(price, price->spec.deployment->kv);
    double c = tokens.attended * kv, n = tokens.computed * kv;
    double a = 2.0 * tokens.computed * (double)(model->layers * model->hidden);
    Streams s = {
        .weights = seconds(strat_off_gpu(o->weights) * w, o->pageable ? paged : locked),
        .cache = seconds(o->host_attention ? 0.0 : strat_off_gpu(o->cache) * c, paged),
        .in = seconds(strat_off_gpu(o->activations) * a, locked),
        .read = seconds(o->weights.disk * w + o->cache.disk * c + o->activations.disk * a,
                        node->disk_read_bytes_per_s),
        .store = seconds(strat_off_gpu(o->cache) * n, stored) +
                 seconds(strat_off_gpu(o->activations) * a, locked),
        .write = seconds(o->cache.disk * n + o->activations.disk * a, node->disk_write_bytes_per_s),
    };
    if (o->host_attention)
        s.attention =
            seconds(strat_off_gpu(o->cache) * tokens.attended * token_bytes(price, STRAT_KV_16_BIT),
                    node->host_attention_bytes_per_s);
    return s;
}

/* The iteration, when @computed is what GPU and CPU compute in turn. */
static double joined(StratCopies copies, bool prompts, double computed, const Streams *s)
{
    double in = s->weights + s->cache + s->in;
    if (copies == STRAT_COPIES_IN_TURN)
        return computed + in + s->read + s->store + s->write;
    double disks = fmax(s->read, s->write);
    if (copies == STRAT_COPIES_WEIGHTS_FIRST && !prompts)
        return fmax(disks, s->weights + s->in + fmax(computed, fmax(s->cache, s->store)));
    return fmax(fmax(computed, disks), fmax(in, s->store));
}

void strat_price_offload(const StratPrice *price, const StratBatch *batch, StratIteration *out)
{
    const StratDeployment *deployment = price->spec.deployment;
    const StratOffload *o = &deployment->offload;
    if (strat_off_gpu(o->weights) + strat_off_gpu(o->cache) + strat_off_gpu(o->activations) <=
            0.0 ||
        price->spec.cluster->node.host_bytes_per_s <= 0.0)
        return;
    if (o->host_attention)
        out->part_s[STRAT_SERVE_DECODE] *= 1.0 - strat_off_gpu(o->cache);
    double gpu = 0.0;
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        gpu += out->part_s[i];
    Streams s = streams_of(price, batch);
    out->part_s[STRAT_SERVE_OFFLOAD] =
        joined(deployment->engine->copies, batch->chunks > 0, gpu + s.attention, &s) - gpu;
}
