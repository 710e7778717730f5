/* Tables that a screen reads instead of pricing each plan anew.
 *
 * A chunk's forward and backward are sums over its layers, its embedding, its head, what it
 * receives and the host's stall, each of whole nanoseconds as the program has them
 * (strat_blocks.c). Each part is priced once for all plans that agree in
 *
 *   tensor, context and its kind, micro_batch, recompute, sequence_parallel, whether there is a
 *   pipeline, and how many ranks of its groups share a scale-up domain
 *
 * A key of plans that changes a block's price besides must become a word of this key. How many
 * parts stand on which stage depends on pipeline, virtual_stages and schedule alone. */
#include "strat_screen_prices.h"

#include "sim_hash.h"
#include "strat_layout.h"
#include "strat_memory.h"

#include <string.h>

enum { WORDS = 9 };

typedef struct Key {
    int64_t word[WORDS];
} Key;

struct StratScreenPrices {
    const StratCosting *costing;
    GHashTable *parts, *shapes, *places, *params; /* by Key */
};

static guint hash_key(gconstpointer data)
{
    const Key *key = data;
    uint64_t hash = 0;
    for (size_t i = 0; i < WORDS; i++)
        hash = sim_hash_mix(hash ^ (uint64_t)key->word[i]);
    return (guint)hash;
}

static gboolean same_key(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(Key)) == 0;
}

StratScreenPrices *strat_screen_prices_new(const StratCosting *costing)
{
    StratScreenPrices *prices = g_new0(StratScreenPrices, 1);
    GHashTable **tables[] = {&prices->parts, &prices->shapes, &prices->places, &prices->params};
    prices->costing = costing;
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        *tables[i] = g_hash_table_new_full(hash_key, same_key, g_free, g_free);
    return prices;
}

void strat_screen_prices_free(StratScreenPrices *prices)
{
    if (!prices)
        return;
    g_hash_table_unref(prices->parts);
    g_hash_table_unref(prices->shapes);
    g_hash_table_unref(prices->places);
    g_hash_table_unref(prices->params);
    g_free(prices);
}

/* Takes @value. */
static void *keep(GHashTable *table, const Key *key, void *value)
{
    Key *copy = g_new(Key, 1);
    *copy = *key;
    g_hash_table_insert(table, copy, value);
    return value;
}

static StratModelChunk part_alone(StratPart part, const StratPosition *position)
{
    return (StratModelChunk){
        .layers = part == STRAT_PART_LAYER || part == STRAT_PART_SPARED_LAYER,
        .spared = part == STRAT_PART_SPARED_LAYER,
        .embedding = part == STRAT_PART_EMBEDDING,
        .head = part == STRAT_PART_HEAD,
        .receives_forward = part == STRAT_PART_RECEIVE_FORWARD,
        .receives_backward = part == STRAT_PART_RECEIVE_BACKWARD,
        .starts_forward = part == STRAT_PART_START,
        .starts_backward = part == STRAT_PART_START,
        .tensor_per_domain = position->tensor_per_domain,
        .context_per_domain = position->context_per_domain,
    };
}

static int64_t total_ns(const GArray *spans)
{
    int64_t sum = 0;
    for (guint i = 0; i < spans->len; i++) {
        SimTime ns = 0;
        if (sim_time_from_seconds(g_array_index(spans, StratSpan, i).seconds, &ns, NULL))
            sum += ns;
    }
    return sum;
}

static void price_part(const StratCosting *costing, const StratPosition *position, StratPart part,
                       StratPartPrices *out)
{
    static const StratBackward backwards[STRAT_TASK_KINDS] = {
        [STRAT_TASK_BACKWARD] = STRAT_BACKWARD_WHOLE,
        [STRAT_TASK_INPUT] = STRAT_BACKWARD_INPUT,
        [STRAT_TASK_WEIGHT] = STRAT_BACKWARD_WEIGHT,
    };
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    StratModelChunk chunk = part_alone(part, position);
    for (int kind = 0; kind <= STRAT_TASK_WEIGHT; kind++) {
        g_array_set_size(spans, 0);
        if (kind == STRAT_TASK_FORWARD)
            strat_cost_forward(costing, &chunk, spans);
        else
            strat_cost_backward(costing, &chunk, backwards[kind], spans);
        out->ns[kind][part] = total_ns(spans);
    }
    out->saved_bytes[part] = strat_chunk_saved_bytes(costing, &chunk);
    if (part == STRAT_PART_LAYER && costing->plan->recompute == STRAT_RECOMPUTE_FULL)
        out->saved_bytes[part] /= (double)strat_recompute_group(&costing->plan->recompute_layers);
    out->workspace_bytes[part] = strat_memory_workspace_bytes(costing, &chunk);
}

const StratPartPrices *strat_screen_parts(StratScreenPrices *prices, const StratPlan *plan,
                                          const StratPosition *position)
{
    Key key = {
        {plan->tensor, plan->context, plan->micro_batch, (int64_t)plan->recompute,
         plan->sequence_parallel, plan->pipeline > 1, position->tensor_per_domain,
         position->context_per_domain, (int64_t)plan->context_parallel.kind}
    };
    StratPartPrices *known = g_hash_table_lookup(prices->parts, &key);
    if (known)
        return known;
    StratCosting costing = *prices->costing;
    costing.plan = plan;
    known = g_new0(StratPartPrices, 1);
    for (int part = 0; part < STRAT_PARTS; part++)
        price_part(&costing, position, (StratPart)part, known);
    return keep(prices->parts, &key, known);
}

static StratParts parts_of(const StratModelChunk *chunk)
{
    return (StratParts){
        {
         [STRAT_PART_LAYER] = chunk->layers - chunk->spared,
         [STRAT_PART_SPARED_LAYER] = chunk->spared,
         [STRAT_PART_EMBEDDING] = chunk->embedding,
         [STRAT_PART_HEAD] = chunk->head,
         [STRAT_PART_RECEIVE_FORWARD] = chunk->receives_forward,
         [STRAT_PART_RECEIVE_BACKWARD] = chunk->receives_backward,
         [STRAT_PART_START] = chunk->starts_forward,
         }
    };
}

static StratStageShape stage_shape(const ModelSpec *model, const StratPlan *plan, int64_t stage)
{
    StratStageShape shape = {0};
    StratModelChunk pieces[STRAT_SCREEN_PIECES];
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(model, plan, stage, k);
        StratParts parts = parts_of(&chunk);
        for (size_t i = 0; i < STRAT_PARTS; i++)
            shape.all.count[i] += parts.count[i];
        if (k > 0)
            continue;
        shape.first = parts;
        shape.pieces = strat_chunk_split(plan, &chunk, STRAT_SCREEN_PIECES, pieces);
    }
    for (int64_t i = 0; i < shape.pieces; i++)
        shape.piece[i] = parts_of(&pieces[i]);
    return shape;
}

const StratStageShape *strat_screen_shape(StratScreenPrices *prices, const StratPlan *plan,
                                          const StratSchedule *schedule)
{
    Key key = {
        {plan->pipeline, plan->virtual_stages, schedule->is_v, schedule->is_dual}
    };
    StratStageShape *known = g_hash_table_lookup(prices->shapes, &key);
    if (known)
        return known;
    known = g_new(StratStageShape, plan->pipeline);
    for (int64_t stage = 0; stage < plan->pipeline; stage++)
        known[stage] = stage_shape(prices->costing->model, plan, stage);
    return keep(prices->shapes, &key, known);
}

const StratPosition *strat_screen_places(StratScreenPrices *prices, const StratPlan *plan)
{
    Key key = {
        {plan->tensor, plan->context, plan->data, plan->pipeline}
    };
    StratPosition *known = g_hash_table_lookup(prices->places, &key);
    if (known)
        return known;
    StratPlaces places = {.cluster = prices->costing->cluster};
    known = g_new(StratPosition, plan->pipeline);
    for (int64_t stage = 0; stage < plan->pipeline; stage++)
        known[stage] =
            strat_position(&places, plan, strat_rank_index(plan, (StratRank){.stage = stage}));
    return keep(prices->places, &key, known);
}

const double *strat_screen_params(StratScreenPrices *prices, const StratPlan *plan,
                                  const StratSchedule *schedule)
{
    Key key = {
        {plan->tensor, plan->pipeline, plan->virtual_stages, schedule->is_v, schedule->is_dual}
    };
    double *known = g_hash_table_lookup(prices->params, &key);
    if (known)
        return known;
    StratPosition nowhere = {0};
    known = g_new0(double, STRAT_PARTS);
    for (int part = 0; part < STRAT_PARTS; part++) {
        StratModelChunk chunk = part_alone((StratPart)part, &nowhere);
        known[part] = strat_chunk_params(prices->costing->model, plan, &chunk);
    }
    return keep(prices->params, &key, known);
}
