/* T = step + token (tokens computed) + context (decodes x mean context) + pair (tokens x (past +
 * tokens / 2)) + skew (longest - mean), each in a part of its own. */
#include "toy_serve.h"

static void price(const StratPricer *base, const StratBatch *batch, StratIteration *out)
{
    const ToyPricer *pricer = (const ToyPricer *)base;
    double tokens = (double)(batch->decodes * batch->decode_tokens);
    double pairs = 0.0;
    for (size_t i = 0; i < batch->chunks; i++) {
        double size = (double)batch->chunk[i].tokens;
        tokens += size;
        pairs += size * ((double)batch->chunk[i].past + size / 2.0);
    }
    *out = (StratIteration){0};
    out->part_s[STRAT_SERVE_HOST] = pricer->step_s;
    out->part_s[STRAT_SERVE_LINEAR] = pricer->token_s * tokens;
    out->part_s[STRAT_SERVE_PREFILL] = pricer->pair_s * pairs;
    out->part_s[STRAT_SERVE_DECODE] = pricer->context_s * (double)batch->decodes * batch->context +
                                      pricer->skew_s * (batch->longest - batch->context);
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        out->seconds += out->part_s[i];
    out->stage_s = pricer->stages > 0.0 ? out->seconds / pricer->stages : out->seconds;
}

static void keep(StratPricer *pricer)
{
    (void)pricer;
}

ToyPricer toy_pricer(double step_s, double token_s, double context_s)
{
    return (ToyPricer){
        .base = {.price = price, .free = keep},
        .step_s = step_s,
        .token_s = token_s,
        .context_s = context_s,
    };
}

typedef struct ToySource {
    StratSource base;
    const StratRequest *request; /* NULL: drawn */
    StratRequest (*draw)(int64_t id, void *ctx);
    void *ctx;
    StratRequest drawn;
    int64_t next, count;
    bool fresh; /* drawn is the next */
} ToySource;

static const StratRequest *peek(StratSource *base)
{
    ToySource *source = (ToySource *)base;
    if (source->next == source->count)
        return NULL;
    if (source->request)
        return &source->request[source->next];
    if (!source->fresh)
        source->drawn = source->draw(source->next, source->ctx);
    source->fresh = true;
    return &source->drawn;
}

static void take(StratSource *base)
{
    ToySource *source = (ToySource *)base;
    source->next++;
    source->fresh = false;
}

static void free_source(StratSource *source)
{
    g_free(source);
}

static StratSource *new_source(ToySource value, int64_t page_tokens)
{
    ToySource *source = g_new(ToySource, 1);
    *source = value;
    source->base =
        (StratSource){.page_tokens = page_tokens, .peek = peek, .take = take, .free = free_source};
    return &source->base;
}

StratSource *toy_source(const StratRequest *request, size_t requests, int64_t page_tokens)
{
    return new_source((ToySource){.request = request, .count = (int64_t)requests}, page_tokens);
}

StratSource *toy_stream(int64_t count, StratRequest (*draw)(int64_t id, void *ctx), void *ctx,
                        int64_t page_tokens)
{
    return new_source((ToySource){.draw = draw, .ctx = ctx, .count = count}, page_tokens);
}

StratEngine toy_engine(void)
{
    return (StratEngine){
        .name = "toy",
        .source = "round numbers",
        .scheduler = "vllm-v1",
        .max_sequences = 8,
        .max_tokens = 64,
        .block_tokens = 16,
        .memory_fraction = 0.9,
        .chunked_prefill = true,
    };
}

StratDeployment toy_deployment(const StratEngine *engine)
{
    return (StratDeployment){
        .engine = engine,
        .pool = {{.replicas = 1, .tensor = 1, .pipeline = 1, .data = 1, .expert = 1}},
        .pools = 1,
    };
}

StratServeSpec toy_serve_spec(const StratDeployment *deployment, const ToyPricer *pricer,
                              int64_t blocks, StratSource *source, bool exact)
{
    return (StratServeSpec){
        .deployment = deployment,
        .pricer = {&pricer->base, &pricer->base},
        .blocks = {blocks,        blocks       },
        .kv_bytes_per_token = 1e5,
        .transfer_bytes_per_s = 5e10,
        .transfer_latency_s = 1e-5,
        .source = source,
        .exact = exact,
        .keep_requests = true,
        .seed = 1,
    };
}

StratServeResult *toy_serve(const StratDeployment *deployment, const ToyPricer *pricer,
                            int64_t blocks, StratSource *source, bool exact)
{
    g_autoptr(StratSource) owned = source;
    StratServeSpec spec = toy_serve_spec(deployment, pricer, blocks, owned, exact);
    g_autoptr(GError) error = NULL;
    StratServeResult *result = strat_serve_run(&spec, &error);
    if (!result)
        g_printerr("toy_serve: %s\n", error->message);
    return result;
}
