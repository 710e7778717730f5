/*
 * Bounds of serving that hold for every schedule.
 *
 * An iteration of n tokens, whatever of them are prompts and decodes, computes the layers' products
 * for n tokens and attends at least to what they are themselves. So it lasts at least
 *
 *     T(n) = least of price(n tokens of prompts in short pieces on nothing before them, nobody
 *            samples or starts), price(n decodes with a context of 1)
 *
 * and no schedule computes more than n / T(n) tokens/s on a replica. token_s is the least T(n) / n
 * over n = 1, 2, 4 ... and every multiple of TILE up to what the engine allows; between multiples
 * of the tile the last tile is not full, so T(n) / n is no less there than SLACK of its neighbours.
 * W tokens then take W token_s replica-seconds at least, and R replicas W token_s / R seconds. With
 * prompts and decodes in pools of their own each pool has its tokens.
 *
 * For a share a of N requests to meet objectives of latency, the a N shortest must be done in
 *
 *     last arrival + least of (E2E objective, TTFT objective + (longest output - 1) x TPOT
 *     objective)
 *
 * so a deployment whose replicas need longer for those tokens misses, without a simulation. A
 * sequence of its own decodes no slower than in company; where that is above the objective of TPOT
 * every request misses. Speculation gives several tokens an iteration: all these hold for
 * iterations, and are then not asked.
 *
 * Left out: memory (strat_serve_memory.c says what fits), prefixes that the cache holds (prompts
 * then count for nothing).
 */
#include "strat_search_serve.h"

#include <math.h>

enum {
    TILE = 128, /* rows of a tile of a product on GPUs */
    PIECE = 16, /* tokens of a short prompt */
};

/* A size between two that are looked at may fill its waves of tiles better by so much. */
static const double SLACK = 0.9;

static gint compare(gconstpointer a, gconstpointer b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The least sum of @must of @tokens. */
static double least(GArray *tokens, guint must)
{
    double sum = 0.0;
    g_array_sort(tokens, compare);
    for (guint i = 0; i < MIN(must, tokens->len); i++)
        sum += (double)g_array_index(tokens, int64_t, i);
    return sum;
}

/* Fills @work for the share @share of what the lists hold. */
static void fill(StratWork *work, GArray *const list[3], const GArray *arrivals, double share)
{
    guint must = (guint)ceil(share * (double)arrivals->len);
    work->prompts = least(list[0], must);
    work->decodes = least(list[1], must);
    work->both = least(list[2], must);
    work->until_s = must > 0 ? g_array_index(arrivals, double, must - 1) : 0.0;
}

static void note(GArray *const list[3], GArray *arrivals, const StratRequest *request,
                 bool has_prefixes)
{
    int64_t prompt = has_prefixes ? 1 : request->input_tokens;
    int64_t decodes = request->output_tokens - 1;
    int64_t both = prompt + decodes;
    double at_s = sim_time_to_seconds(request->arrival_ns);
    g_array_append_val(list[0], prompt);
    g_array_append_val(list[1], decodes);
    g_array_append_val(list[2], both);
    g_array_append_val(arrivals, at_s);
}

static void read_all(StratDemand *demand, StratSource *source, GArray *const list[3],
                     GArray *arrivals, int64_t warm_up, bool has_prefixes)
{
    for (const StratRequest *r; (r = source->peek(source)); source->take(source)) {
        demand->waits = demand->waits || r->session >= 0;
        demand->output_tokens += r->output_tokens;
        demand->longest = MAX(demand->longest, r->input_tokens + r->output_tokens);
        demand->longest_output = MAX(demand->longest_output, r->output_tokens);
        demand->all.prompts += has_prefixes ? 1.0 : (double)r->input_tokens;
        demand->all.decodes += (double)(r->output_tokens - 1);
        demand->all.until_s = sim_time_to_seconds(r->arrival_ns);
        if (demand->requests++ >= warm_up)
            note(list, arrivals, r, has_prefixes);
    }
    demand->all.both = demand->all.prompts + demand->all.decodes;
    demand->asked = arrivals->len;
}

bool strat_demand_read(StratDemand *demand, StratSource *source, double share, int64_t warm_up,
                       bool has_prefixes, bool waits, GError **error)
{
    GArray *list[3];
    for (size_t i = 0; i < G_N_ELEMENTS(list); i++)
        list[i] = g_array_new(false, false, sizeof(int64_t));
    g_autoptr(GArray) arrivals = g_array_new(false, false, sizeof(double));
    *demand = (StratDemand){.waits = waits};
    read_all(demand, source, list, arrivals, warm_up, has_prefixes);
    fill(&demand->least, list, arrivals, share);
    if (demand->waits)
        *demand = (StratDemand){.waits = true};
    for (size_t i = 0; i < G_N_ELEMENTS(list); i++)
        g_array_unref(list[i]);
    const GError *fault = source->fault ? source->fault(source) : NULL;
    if (fault)
        g_propagate_error(error, g_error_copy(fault));
    return !fault;
}

double strat_demand_time_s(const StratDemand *demand, const StratDeployment *deployment)
{
    double e2e_s = deployment->slo_e2e_s > 0.0 ? deployment->slo_e2e_s : INFINITY;
    double by_tokens_s = INFINITY;
    if (deployment->slo_ttft_s > 0.0 && deployment->slo_tpot_s > 0.0)
        by_tokens_s = deployment->slo_ttft_s +
                      deployment->slo_tpot_s * (double)MAX(demand->longest_output - 1, 0);
    return demand->waits ? INFINITY : demand->all.until_s + fmin(e2e_s, by_tokens_s);
}

static double price_of(const StratPricer *pricer, const StratBatch *batch)
{
    StratIteration out = {0};
    pricer->price(pricer, batch, &out);
    return out.stage_s;
}

static double prompts_s(const StratPricer *pricer, int64_t tokens)
{
    size_t count = (size_t)((tokens + PIECE - 1) / PIECE);
    g_autofree StratChunk *chunk = g_new0(StratChunk, count);
    for (size_t i = 0; i < count; i++)
        chunk[i].tokens = MIN(PIECE, tokens - (int64_t)i * PIECE);
    return price_of(pricer, &(StratBatch){.chunk = chunk, .chunks = count});
}

static double decodes_s(const StratPricer *pricer, int64_t count)
{
    return price_of(pricer, &(StratBatch){.decodes = count,
                                          .decode_tokens = 1,
                                          .context = 1.0,
                                          .longest = 1.0,
                                          .outputs = count});
}

static int64_t after(int64_t tokens, int64_t most)
{
    if (tokens == most)
        return most + 1;
    return MIN(tokens < TILE ? 2 * tokens : tokens + TILE, most);
}

StratFloor strat_floor(const StratEngine *engine, const StratPool *pool, const StratPricer *pricer)
{
    StratFloor floor = {.token_s = INFINITY};
    int64_t most_tokens = MAX(engine->max_tokens * pool->data, 1);
    int64_t most_decodes = MAX(engine->max_sequences * pool->data, 1);
    if (pool->role != STRAT_ROLE_DECODE)
        for (int64_t n = 1; n <= most_tokens; n = after(n, most_tokens))
            floor.token_s = fmin(floor.token_s, prompts_s(pricer, n) / (double)n);
    if (pool->role != STRAT_ROLE_PREFILL)
        for (int64_t n = 1; n <= most_decodes; n = after(n, most_decodes))
            floor.token_s = fmin(floor.token_s, decodes_s(pricer, n) / (double)n);
    floor.token_s *= SLACK;
    StratIteration alone = {0};
    StratChunk chunk = {.tokens = 1};
    pricer->price(pricer, &(StratBatch){.chunk = &chunk, .chunks = 1, .outputs = 1}, &alone);
    floor.ttft_s = SLACK * alone.seconds;
    pricer->price(
        pricer,
        &(StratBatch){
            .decodes = 1, .decode_tokens = 1, .context = 1.0, .longest = 1.0, .outputs = 1},
        &alone);
    floor.tpot_s = SLACK * alone.seconds;
    return floor;
}

double strat_floor_work_s(const StratFloor *floor, const StratDeployment *deployment,
                          const StratWork *work)
{
    const StratPool *pool = deployment->pool;
    if (deployment->pools == 1)
        return work->both * floor[0].token_s / (double)pool[0].replicas;
    return fmax(work->prompts * floor[0].token_s / (double)pool[0].replicas,
                work->decodes * floor[1].token_s / (double)pool[1].replicas);
}
