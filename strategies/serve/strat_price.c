/* An iteration, from its batch to seconds.
 *
 * A rank of the replica (one of tensor * data in each of pipeline stages) computes m = ceil(tokens
 * / data) rows. With L layers,
 *
 *   iteration = L (products(m) + passes(m) + experts(m) + all-reduces(m) + dispatch(m))
 *             + attention of prompts + attention of decodes           strat_price_attention.c
 *             + embedding(m) + head(rows that sample) + stages' sends
 *             + what the host adds
 *
 * What depends on m alone is computed once for each m and kept: a trace of 10,000 requests meets a
 * few thousand values. Prices do not depend on the order of the questions.
 *
 * CUDA graphs. Decodes alone, up to the engine's largest captured batch, run padded to the next
 * captured size (vLLM: 1, 2, 4, then multiples of 8, of 16 above 256) and take no launches.
 * vLLM V1 replays pieces between the attentions for prompts too, up to as many tokens. Otherwise
 * the host launches every kernel, and the GPU waits where that takes longer than it.
 *
 * Host. step + sequences + prompts that start, as the engine's row has them. Overlapped engines
 * prepare the next iteration meanwhile: only what outlasts the GPU shows. Others add it. Turning
 * tokens into text in line adds in both.
 *
 * Host memory and disks: strat_price_offload.c. GPU batches of a block are priced apart.
 *
 * Two batches. With two_batch_overlap both halves of the batch are priced apart, and the
 * collectives of one run under the computation of the other: the dispatch of one beside the
 * attention of the other, the combine beside its experts (DeepSeek-AI 2024, arXiv 2412.19437,
 * section 3.4.1). What outlasts that shows, and the first half's collectives of one layer. Kernels
 * that move prompts take 20 of 132 SMs from the computation (section 3.2.2); those of decodes leave
 * the bytes to the NICs (DeepEP, low-latency kernels with hooks).
 *
 * Speculation. The target's own iteration is priced as the batch says (decode_tokens); proposing
 * costs as many iterations of the draft model as tokens, or a fraction of the target's plain one.
 *
 * Pipeline. An iteration passes all stages; the next group of sequences may enter when the slowest
 * stage is free.
 *
 * Left out: contention between collectives and products, LoRA adapters. */
#include "strat_price.h"

#include "strat_price_private.h"
#include "strat_schedule.h"
#include "strat_serve_memory.h"

#include <math.h>

/* SMs of an H800, and those that its kernels for prompts take. */
static const double GPU_SMS = 132.0, COMM_SMS = 20.0;

static const StratPrice *price_of(const StratPricer *pricer)
{
    return (const StratPrice *)pricer;
}

/* Sizes that vLLM captures; the others that capture do much the same. */
static int64_t captured_size(int64_t tokens)
{
    if (tokens <= 2)
        return tokens;
    if (tokens <= 4)
        return 4;
    int64_t step = tokens <= 256 ? 8 : 16;
    return (tokens + step - 1) / step * step;
}

/* What a price is worked out from, beside its parts. */
typedef struct Work {
    const StratBatch *batch;
    int64_t rows; /* of one rank, padded */
    StratMode mode;
    double dispatch_s, combine_s;
    double kernels;
} Work;

static Work work_of(const StratPrice *price, const StratBatch *batch)
{
    const StratEngine *engine = price->spec.deployment->engine;
    Work work = {.batch = batch};
    int64_t prompts = 0;
    for (size_t i = 0; i < batch->chunks; i++)
        prompts += batch->chunk[i].tokens;
    int64_t tokens = prompts + batch->decodes * batch->decode_tokens;
    work.rows = strat_price_share(tokens, price->pool.data);
    int64_t decodes = strat_price_share(batch->decodes, price->pool.data);
    bool small = prompts == 0 ? decodes <= engine->graph_sequences
                              : engine->graphs_mixed && work.rows <= engine->graph_sequences;
    work.mode = (StratMode){.captured = engine->graphs && small, .prompts = prompts > 0};
    if (work.mode.captured)
        work.rows = captured_size(work.rows);
    return work;
}

/* The GPU's parts of tokens that depend on their number only. */
static void price_tokens(const StratPrice *price, Work *work, StratIteration *out)
{
    const StratDeployment *deployment = price->spec.deployment;
    int64_t wanted = deployment->two_batch_overlap ? 2 : deployment->offload.gpu_batches;
    int64_t batches = CLAMP(wanted, 1, MAX(work->rows, 1));
    double times = (double)batches;
    StratTokenCost cost =
        strat_price_tokens(price, strat_price_share(work->rows, batches), work->mode);
    out->part_s[STRAT_SERVE_LINEAR] = times * cost.linear_s;
    out->part_s[STRAT_SERVE_EXPERTS] = times * cost.experts_s;
    out->part_s[STRAT_SERVE_PASSES] = times * cost.passes_s;
    out->part_s[STRAT_SERVE_TENSOR] = times * cost.tensor_s;
    out->part_s[STRAT_SERVE_ALL_TO_ALL] = times * (cost.dispatch_s + cost.combine_s);
    out->part_s[STRAT_SERVE_PIPELINE] = times * cost.send_s;
    work->dispatch_s = times * cost.dispatch_s;
    work->combine_s = times * cost.combine_s;
    work->kernels = times * cost.kernels;
}

static void price_attention(const StratPrice *price, const StratBatch *batch, StratIteration *out)
{
    double *prefill = &out->part_s[STRAT_SERVE_PREFILL], *decode = &out->part_s[STRAT_SERVE_DECODE];
    if (!price->spec.profile) {
        *prefill = strat_price_prefill_s(price, batch);
        *decode = strat_price_decode_s(price, batch);
        return;
    }
    double layers = (double)price->spec.model->layers;
    strat_profile_attention(price->spec.profile, batch, prefill, decode);
    *prefill *= layers;
    *decode *= layers;
}

static double sum_of(const StratIteration *out)
{
    double sum = 0.0;
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        sum += out->part_s[i];
    return sum;
}

/* What @comm, beside @compute of the other half batch, adds to it: what outlasts it, and the SMs
 * that its kernels take meanwhile. */
static double beside_s(double comm, double compute, bool takes_sms)
{
    return fmax(0.0, comm - compute) +
           (takes_sms ? COMM_SMS / (GPU_SMS - COMM_SMS) * fmin(comm, compute) : 0.0);
}

/* Collectives of one half batch under the computation of the other. */
static void overlap_halves(const StratPrice *price, const Work *work, StratIteration *out)
{
    double *part = out->part_s, *tensor = &part[STRAT_SERVE_TENSOR];
    double comm = *tensor + part[STRAT_SERVE_ALL_TO_ALL];
    if (comm <= 0.0)
        return;
    bool takes_sms = work->mode.prompts && part[STRAT_SERVE_ALL_TO_ALL] > 0.0;
    double attention = part[STRAT_SERVE_LINEAR] + part[STRAT_SERVE_PASSES] +
                       part[STRAT_SERVE_PREFILL] + part[STRAT_SERVE_DECODE];
    double adds = comm / (2.0 * (double)price->spec.model->layers) +
                  beside_s(*tensor + work->dispatch_s, attention, takes_sms) +
                  beside_s(work->combine_s, part[STRAT_SERVE_EXPERTS], takes_sms);
    double shows = fmin(1.0, adds / comm);
    *tensor *= shows;
    part[STRAT_SERVE_ALL_TO_ALL] *= shows;
}

static void price_host(const StratPrice *price, const Work *work, StratIteration *out)
{
    const StratDeployment *deployment = price->spec.deployment;
    const StratHost *host = &deployment->engine->host;
    const StratBatch *batch = work->batch;
    double gpu = sum_of(out);
    double prepare =
        host->step_s + host->sequence_s * (double)(batch->decodes + (int64_t)batch->chunks);
    prepare += host->prompt_s * (double)batch->starts + host->token_s * (double)batch->start_tokens;
    double launches = work->mode.captured ? 0.0 : work->kernels * host->kernel_s;
    double shown = host->overlapped ? fmax(0.0, prepare + launches - gpu)
                                    : prepare + fmax(0.0, launches - gpu);
    if (host->detokenise_inline)
        shown += host->detokenise_s * (double)batch->outputs;
    out->part_s[STRAT_SERVE_HOST] = shown;
}

/* The GPU's time for @batch: everything but the draft and the host. */
static Work price_gpu(const StratPrice *price, const StratBatch *batch, StratIteration *out)
{
    Work work = work_of(price, batch);
    *out = (StratIteration){0};
    price_tokens(price, &work, out);
    price_attention(price, batch, out);
    out->part_s[STRAT_SERVE_PASSES] += strat_price_unpack_cache_s(price, batch);
    out->part_s[STRAT_SERVE_HEAD] = strat_price_head_s(price, batch->outputs, work.mode);
    if (price->spec.deployment->two_batch_overlap)
        overlap_halves(price, &work, out);
    strat_price_offload(price, batch, out);
    return work;
}

static double draft_s(const StratPrice *price, const StratBatch *batch)
{
    const StratSpeculation *speculation = &price->spec.deployment->speculation;
    if (speculation->tokens <= 0 || (batch->decodes == 0 && !price->draft))
        return 0.0;
    StratIteration plain;
    StratBatch once = *batch;
    once.decode_tokens = 1;
    if (!price->draft) {
        once.chunks = 0;
        once.outputs = batch->decodes;
        price_gpu(price, &once, &plain);
        return (double)speculation->tokens * speculation->draft_fraction * sum_of(&plain);
    }
    price->draft->price(price->draft, &once, &plain);
    double sum = plain.seconds;
    if (batch->decodes > 0 && speculation->tokens > 1) {
        once.chunks = 0;
        once.outputs = batch->decodes;
        price->draft->price(price->draft, &once, &plain);
        sum += (double)(speculation->tokens - 1) * plain.seconds;
    }
    return sum;
}

/* The slowest stage: the last, with the head, where the layers divide evenly. */
static double stage_s(const StratPrice *price, const StratIteration *out)
{
    int64_t stages = price->pool.pipeline;
    if (stages <= 1)
        return out->seconds;
    double layers = (double)price->spec.model->layers;
    double most = (double)strat_price_share(price->spec.model->layers, stages) / layers;
    double apart = out->part_s[STRAT_SERVE_HEAD] + out->part_s[STRAT_SERVE_HOST];
    double sends = out->part_s[STRAT_SERVE_PIPELINE];
    return (out->seconds - apart - sends) * most + apart + sends / (double)(stages - 1);
}

static void price_iteration(const StratPricer *pricer, const StratBatch *batch, StratIteration *out)
{
    const StratPrice *price = price_of(pricer);
    Work work = price_gpu(price, batch, out);
    price_host(price, &work, out);
    out->part_s[STRAT_SERVE_DRAFT] = draft_s(price, batch);
    out->seconds = sum_of(out);
    out->stage_s = stage_s(price, out);
}

static void price_free(StratPricer *pricer)
{
    StratPrice *price = (StratPrice *)pricer;
    for (int i = 0; i < STRAT_MODES; i++) {
        if (price->tokens[i])
            g_array_free(price->tokens[i], TRUE);
        if (price->head[i])
            g_array_free(price->head[i], TRUE);
    }
    strat_pricer_free(price->draft);
    g_free(price);
}

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED, text);
    return false;
}

static bool check(const StratPriceSpec *spec, GError **error)
{
    const ModelSpec *model = spec->model;
    if (spec->pool >= spec->deployment->pools)
        return refuse(error, "the deployment has %zu pools, there is no pool %zu",
                      spec->deployment->pools, spec->pool);
    const StratPool *pool = &spec->deployment->pool[spec->pool];
    if (pool->tensor < 1 || pool->pipeline < 1 || pool->data < 1 || pool->expert < 1)
        return refuse(error, "tensor, pipeline, data and expert ranks are at least 1 each");
    if (model->heads % pool->tensor != 0)
        return refuse(
            error, "%" G_GINT64_FORMAT " heads do not divide by %" G_GINT64_FORMAT " tensor ranks",
            model->heads, pool->tensor);
    if (pool->pipeline > model->layers)
        return refuse(error, "%" G_GINT64_FORMAT " stages for %" G_GINT64_FORMAT " layers",
                      pool->pipeline, model->layers);
    if (pool->expert > 1 && (pool->tensor * pool->data) % pool->expert != 0)
        return refuse(error,
                      "%" G_GINT64_FORMAT " expert ranks do not divide the %" G_GINT64_FORMAT
                      " of tensor x data",
                      pool->expert, pool->tensor * pool->data);
    if (pool->expert > MAX(model->experts, 1))
        return refuse(error, "%" G_GINT64_FORMAT " expert ranks for %" G_GINT64_FORMAT " experts",
                      pool->expert, model->experts);
    return true;
}

/* The draft runs where the target does, without a host of its own. */
static bool add_draft(StratPrice *price, GError **error)
{
    const StratDeployment *deployment = price->spec.deployment;
    if (deployment->speculation.tokens <= 0 || !deployment->speculation.draft)
        return true;
    StratDraft *draft = &price->draft_priced;
    draft->engine = *deployment->engine;
    draft->engine.host = (StratHost){0};
    draft->deployment = *deployment;
    draft->deployment.engine = &draft->engine;
    draft->deployment.speculation = (StratSpeculation){0};
    draft->deployment.offload = (StratOffload){0};
    StratPriceSpec spec = price->spec;
    spec.model = deployment->speculation.draft;
    spec.deployment = &draft->deployment;
    price->draft = strat_price_new(&spec, error);
    g_prefix_error(error, "draft model: ");
    return price->draft != NULL;
}

/* How decodes read their cache: from HBM throughout. Latent attention has no rows in the profiles;
 * its rates are those of FlashMLA on H800 SXM (deepseek-ai/FlashMLA, README 2025): 3000 GB/s of
 * 3350 where memory binds, 660 TFLOP/s of 989 where products do. */
static void fit_decode(StratPrice *price)
{
    const ModelSpec *model = price->spec.model;
    KernDecodeShape heads = {.head_dim = model->head_dim,
                             .latent_width = model->kv_lora_rank,
                             .fp8_cache = strat_price_has_narrow_cache(price)};
    price->decode = kern_decode_fit(price->spec.device.profile, &heads);
    if (!price->decode)
        return;
    KernDecodeFit *fit = &price->decode_from_memory;
    *fit = *price->decode;
    if (model->kv_lora_rank > 0) {
        fit->memory_fraction = 3000.0 / 3350.0;
        fit->rate_fraction = 660.0 / 989.0;
    }
    fit->l2_fraction = fit->memory_fraction;
}

StratPricer *strat_price_new(const StratPriceSpec *spec, GError **error)
{
    if (!check(spec, error))
        return NULL;
    const ModelSpec *model = spec->model;
    StratPrice *price = g_new0(StratPrice, 1);
    price->pricer = (StratPricer){.price = price_iteration, .free = price_free};
    price->spec = *spec;
    price->pool = spec->deployment->pool[spec->pool];
    bool bf16 = spec->device.gpu->peak_flop_per_s[TOPO_DTYPE_BF16] > 0.0;
    price->wide = bf16 ? TOPO_DTYPE_BF16 : TOPO_DTYPE_FP16;
    price->dense_layers = strat_dense_layers(model);
    price->expert_layers = strat_expert_layers(model);
    price->dense = strat_matrices(model, price->pool.tensor, false);
    price->sparse = strat_matrices(model, price->pool.tensor, true);
    fit_decode(price);
    price->weights_bytes = strat_serve_weights_bytes(model, spec->deployment, &price->pool);
    price->device[0] = price->device[1] = spec->device;
    if (spec->prompt_clock_fraction > 0.0)
        price->device[1].clock_fraction = spec->prompt_clock_fraction;
    for (int i = 0; i < STRAT_MODES; i++) {
        price->tokens[i] = g_array_new(FALSE, TRUE, sizeof(StratTokenCost));
        price->head[i] = g_array_new(FALSE, TRUE, sizeof(double));
    }
    if (!add_draft(price, error)) {
        price_free(&price->pricer);
        return NULL;
    }
    return &price->pricer;
}
