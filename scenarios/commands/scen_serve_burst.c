/* A source whose requests all arrive at the start, up to SCEN_SERVE_BURST of them, which bounds the
 * queue of a long trace; a thousand are far more than run at a time on most deployments, so the
 * rate at which they are served is that of a full machine, but for the last ones that run alone. */
#include "scen_serve_burst.h"

typedef struct Burst {
    StratSource source; /* first */
    StratSource *inner;
    StratRequest request;
    int64_t taken;
} Burst;

static const StratRequest *burst_peek(StratSource *source)
{
    Burst *burst = (Burst *)(void *)source;
    const StratRequest *request =
        burst->taken < SCEN_SERVE_BURST ? burst->inner->peek(burst->inner) : NULL;
    if (!request)
        return NULL;
    burst->request = *request;
    burst->request.arrival_ns = 0;
    return &burst->request;
}

static void burst_take(StratSource *source)
{
    Burst *burst = (Burst *)(void *)source;
    burst->inner->take(burst->inner);
    burst->taken++;
}

static const GError *burst_fault(const StratSource *source)
{
    const Burst *burst = (const Burst *)(const void *)source;
    return burst->inner->fault ? burst->inner->fault(burst->inner) : NULL;
}

static void burst_free(StratSource *source)
{
    g_free(source);
}

StratSource *scen_serve_burst_new(StratSource *source)
{
    Burst *burst = g_new0(Burst, 1);
    burst->source = (StratSource){
        .page_tokens = source->page_tokens,
        .peek = burst_peek,
        .take = burst_take,
        .fault = burst_fault,
        .free = burst_free,
    };
    burst->inner = source;
    return &burst->source;
}
