/*
 * Sets a run of serving up: which combinations of pools, pages and names are modelled, the replicas
 * of each pool and a seat for each of their lanes; and takes it down.
 */
#include "strat_serve_private.h"

#include "strat_order.h"
#include "strat_outage.h"
#include "strat_schedule.h"
#include "strat_scheduler.h"

enum {
    PROBE_TOKENS = 2048, /* of a prompt that tells the rate of an engine without a budget */
};

static size_t pool_of(const StratServeState *run, const StratReplica *replica)
{
    return (guint)replica->index >= run->pool[0].replicas->len;
}

/* Its place in its pool. */
static size_t place_of(const StratServeState *run, const StratReplica *replica)
{
    return (size_t)replica->index - (pool_of(run, replica) > 0 ? run->pool[0].replicas->len : 0);
}

StratSeat *strat_serve_seats(const StratServeState *run, const StratReplica *replica)
{
    const StratServePool *pool = &run->pool[pool_of(run, replica)];
    return &run->seat[pool->first + place_of(run, replica) * pool->lanes];
}

/* Seconds of a token of a prompt on a replica that does nothing else. */
static double prompt_token_s(const StratEngine *engine, const StratPricer *pricer)
{
    StratChunk chunk = {.tokens = engine->max_tokens > 0 ? engine->max_tokens : PROBE_TOKENS};
    StratBatch batch = {
        .chunk = &chunk, .chunks = 1, .outputs = 1, .starts = 1, .start_tokens = chunk.tokens};
    StratIteration price = {0};
    pricer->price(pricer, &batch, &price);
    return price.seconds / (double)chunk.tokens;
}

/* What lies behind the GPUs of @replica; @tier has room for two. */
static void add_host(const StratServeSpec *spec, StratReplicaSpec *replica, StratKvTier *tier)
{
    const StratEngine *engine = replica->engine;
    double gpus = (double)replica->gpus;
    double block_bytes = spec->kv_bytes_per_token * (double)engine->block_tokens;
    double page_bytes = spec->kv_bytes_per_token * (double)replica->page_tokens;
    if (block_bytes <= 0.0 || spec->host_bytes_per_s <= 0.0)
        return;
    replica->host_blocks = (int64_t)(gpus * engine->swap_bytes / block_bytes);
    replica->swap_block_s = block_bytes / (gpus * spec->host_bytes_per_s);
    if (!engine->prefix_cache || page_bytes <= 0.0)
        return;
    const double bytes[] = {engine->host_cache_bytes, engine->disk_cache_bytes};
    const double bytes_per_s[] = {spec->host_bytes_per_s, engine->disk_bytes_per_s};
    replica->tier = tier;
    for (size_t i = 0; i < G_N_ELEMENTS(bytes); i++) {
        int64_t pages = (int64_t)(gpus * bytes[i] / page_bytes);
        if (pages > 0 && bytes_per_s[i] > 0.0)
            tier[replica->tiers++] = (StratKvTier){
                .pages = pages,
                .page_s = page_bytes / (gpus * bytes_per_s[i]),
            };
    }
}

/* Whether @scheduler does what requests ask for. */
static bool does_forks(const StratServeSpec *spec, const StratScheduler *scheduler, GError **error)
{
    const StratSource *source = spec->source;
    if (!strat_scheduler_forks(scheduler, source->samples, source->beams, error))
        return false;
    bool groups = source->beams || (source->samples && scheduler->forking == STRAT_FORKING_GROUP);
    if (!groups || spec->deployment->speculation.tokens == 0)
        return true;
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                "scheduler %s: samples and beams with speculation are not modelled",
                scheduler->name);
    return false;
}

static bool open_pool(StratServeState *run, size_t index, const StratReplicaEvents *events,
                      GError **error)
{
    const StratServeSpec *spec = run->spec;
    const StratDeployment *deployment = spec->deployment;
    const StratPool *from = &deployment->pool[index];
    const StratScheduler *scheduler = strat_scheduler_by_name(deployment->engine->scheduler, error);
    StratServePool *pool = &run->pool[index];
    pool->replicas = g_ptr_array_new_with_free_func((GDestroyNotify)strat_replica_free);
    pool->router = strat_router_by_name(index == 0 ? deployment->router : "least-loaded", error);
    if (!scheduler || !pool->router || !strat_order_by_name(deployment->engine->order, error) ||
        !does_forks(spec, scheduler, error))
        return false;
    pool->lanes = (size_t)from->pipeline;
    pool->first = run->seats;
    pool->token_s = prompt_token_s(deployment->engine, spec->pricer[index]);
    bool prefills = run->pools > 1 && index == 0;
    pool->spec = (StratReplicaSpec){
        .engine = deployment->engine,
        .scheduler = scheduler,
        .pricer = spec->pricer[index],
        .ranks = from->data,
        .lanes = pool->lanes,
        .gpus = strat_pool_gpus(from),
        .blocks = spec->blocks[index],
        .page_tokens = spec->source->page_tokens,
        .guesses = &deployment->speculation,
        .seed = spec->seed,
        .tally = &run->tally,
        .events = *events,
    };
    if (!prefills)
        pool->spec.events.leaves = NULL;
    if (!prefills || spec->transfer_layers <= 1.0 || run->moves->whole_only)
        pool->spec.events.completes = NULL;
    add_host(spec, &pool->spec, pool->tier);
    for (int64_t i = 0; i < from->replicas; i++) {
        pool->spec.index = (int32_t)(i + (index > 0 ? deployment->pool[0].replicas : 0));
        g_ptr_array_add(pool->replicas, strat_replica_new(&pool->spec));
    }
    run->seats += pool->lanes * pool->replicas->len;
    run->tally.result->gpus += from->replicas * strat_pool_gpus(from);
    return true;
}

/* Blocks of @replica that nobody holds and that are not free; all of one that is unsound. */
static int64_t lost_of(const StratReplica *replica)
{
    int64_t all = strat_kv_blocks(replica->kv);
    if (!strat_replica_is_sound(replica, NULL))
        return all;
    return replica->running == 0 && replica->leaving_blocks == 0
               ? all - strat_replica_free_blocks(replica)
               : 0;
}

static void seat_lanes(StratServeState *run)
{
    run->seat = g_new0(StratSeat, run->seats);
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++) {
            StratReplica *replica = g_ptr_array_index(run->pool[i].replicas, j);
            StratSeat *seat = strat_serve_seats(run, replica);
            for (size_t k = 0; k < replica->lanes; k++)
                seat[k].lane = &replica->lane[k];
        }
}

StratReplica *strat_serve_renew(StratServeState *run, StratReplica *old)
{
    StratServePool *pool = &run->pool[pool_of(run, old)];
    StratSeat *seat = strat_serve_seats(run, old);
    size_t place = place_of(run, old);
    pool->spec.index = old->index;
    StratReplica *replica = strat_replica_new(&pool->spec);
    for (size_t i = 0; i < pool->lanes; i++) {
        if (seat[i].pending)
            strat_heap_remove(&run->heap, seat[i].place);
        seat[i] = (StratSeat){.lane = &replica->lane[i]};
    }
    run->renewed_lost += lost_of(old);
    pool->replicas->pdata[place] = replica;
    for (guint i = 0; pool != run->pool && i < run->moves->open->len; i++) {
        const StratMove *move = g_ptr_array_index(run->moves->open, i);
        replica->outstanding += move->sequence && move->to == place;
    }
    strat_replica_free(old);
    return replica;
}

int64_t strat_serve_lost_blocks(const StratServeState *run)
{
    int64_t lost = run->renewed_lost;
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++) {
            const StratReplica *replica = g_ptr_array_index(run->pool[i].replicas, j);
            lost += lost_of(replica);
        }
    return lost;
}

void strat_serve_clear(StratServeState *run)
{
    strat_outage_free(run->outage);
    for (size_t i = 0; i < run->pools; i++)
        if (run->pool[i].replicas)
            g_ptr_array_unref(run->pool[i].replicas);
    for (guint i = 0; run->moves && i < run->moves->open->len; i++) {
        const StratMove *move = g_ptr_array_index(run->moves->open, i);
        if (move->is_sent) /* else its prompt is under way on a replica */
            strat_sequence_free(move->sequence);
    }
    strat_moves_free(run->moves);
    strat_scaler_clear(&run->scaler);
    g_free(run->open);
    if (run->wait)
        g_array_unref(run->wait);
    g_free(run->seat);
    strat_heap_clear(&run->heap);
    strat_tally_clear(&run->tally);
}

static bool is_possible(const StratServeSpec *spec, GError **error)
{
    const StratEngine *engine = spec->deployment->engine;
    int64_t page_tokens = spec->source->page_tokens;
    if (engine->prefix_cache && page_tokens % engine->block_tokens != 0) {
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                    "prefix pages of %" G_GINT64_FORMAT
                    " tokens are no whole number of blocks of %" G_GINT64_FORMAT
                    ": choose other blocks or switch the prefix cache off",
                    page_tokens, engine->block_tokens);
        return false;
    }
    bool split = spec->deployment->pools == 2;
    if (split && spec->autoscale.least > 0) {
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                    "autoscaling is of replicas that do both, not of separate prefill and decode "
                    "pools");
        return false;
    }
    if (spec->failures.policy && spec->autoscale.least > 0) {
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                    "replicas either come and go with the load or fail, not both");
        return false;
    }
    for (size_t i = 0; i < spec->deployment->pools; i++) {
        StratPoolRole role = spec->deployment->pool[i].role;
        if (role == (split ? (i == 0 ? STRAT_ROLE_PREFILL : STRAT_ROLE_DECODE) : STRAT_ROLE_BOTH))
            continue;
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                    "a deployment has one pool that does both, or one of prefill and one of decode "
                    "replicas, in this order");
        return false;
    }
    return true;
}

/* Makes ready what admission and autoscaling need. */
static bool prepare(StratServeState *run, GError **error)
{
    const StratServeSpec *spec = run->spec;
    size_t replicas = run->pool[0].replicas->len;
    if (spec->admission.timeout_s > 0.0)
        run->wait = g_array_new(false, false, sizeof(StratServeWait));
    run->scales = spec->autoscale.least > 0;
    run->outage = strat_outage_new(run);
    run->open = g_new(StratReplica *, MAX(replicas, run->seats));
    if (!run->scales)
        return true;
    return strat_scaler_init(&run->scaler, &spec->autoscale, replicas, error);
}

static bool open_moves(StratServeState *run, GError **error)
{
    const StratServeSpec *spec = run->spec;
    run->moves = spec->fabric
                     ? strat_moves_on_fabric_new(spec->deployment, spec->fabric, error)
                     : strat_moves_in_order_new(spec->deployment, spec->transfer_bytes_per_s,
                                                spec->transfer_latency_s);
    return run->moves != NULL;
}

bool strat_serve_open(StratServeState *run, const StratReplicaEvents *events, GError **error)
{
    strat_tally_init(&run->tally, run->spec);
    if (!is_possible(run->spec, error))
        return false;
    if (run->pools == 2 && !open_moves(run, error))
        return false;
    for (size_t i = 0; i < run->pools; i++)
        if (!open_pool(run, i, events, error))
            return false;
    seat_lanes(run);
    return prepare(run, error);
}
