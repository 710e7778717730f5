/*
 * The start and the end of a serving run: pools of replicas as the deployment says them, a seat for
 * each of their lanes, and what must be true of the caches when all is over.
 */
#include "strat_serve_private.h"

#include "strat_order.h"
#include "strat_schedule.h"
#include "strat_scheduler.h"
#include "strat_speculation.h"

enum { PROBE_TOKENS = 2048 }; /* of a prompt that tells the rate of an engine without a budget */

StratServeSeat *strat_serve_seats(StratServeRun *run, const StratReplica *replica, size_t pool)
{
    size_t index = (size_t)replica->index - (pool > 0 ? run->pool[0].replicas->len : 0);
    return &run->seat[run->pool[pool].first + index * run->pool[pool].lanes];
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

/* Blocks of @replica that nobody holds and that are not free. */
static int64_t lost_of(const StratReplica *replica)
{
    int64_t all = strat_kv_blocks(replica->kv);
    if (!strat_kv_is_sound(replica->kv, NULL))
        return all;
    return replica->running == 0 ? all - strat_replica_free_blocks(replica) : 0;
}

bool strat_serve_open(StratServeRun *run, size_t index, const StratReplicaEvents *events,
                      GError **error)
{
    const StratServeSpec *spec = run->spec;
    const StratDeployment *deployment = spec->deployment;
    const StratPool *from = &deployment->pool[index];
    const StratScheduler *scheduler = strat_scheduler_by_name(deployment->engine->scheduler, error);
    StratServePool *pool = &run->pool[index];
    pool->replicas = g_ptr_array_new_with_free_func((GDestroyNotify)strat_replica_free);
    pool->router = strat_router_by_name(index == 0 ? deployment->router : "least-loaded", error);
    if (!scheduler || !pool->router || !strat_order_by_name(deployment->engine->order, error))
        return false;
    pool->lanes = (size_t)from->pipeline;
    pool->first = run->seats;
    pool->token_s = prompt_token_s(deployment->engine, spec->pricer[index]);
    pool->link = g_new0(StratFine, (size_t)from->replicas);
    pool->spec = (StratReplicaSpec){
        .engine = deployment->engine,
        .scheduler = scheduler,
        .pricer = spec->pricer[index],
        .ranks = from->data,
        .lanes = pool->lanes,
        .gpus = strat_pool_gpus(from),
        .blocks = spec->blocks[index],
        .host_blocks = spec->host_blocks[index],
        .swap_block_s = strat_serve_swap_s(spec),
        .tier = spec->tier,
        .tiers = deployment->engine->prefix_cache ? spec->tiers : 0,
        .page_tokens = spec->source->page_tokens,
        .guesses = &deployment->speculation,
        .seed = spec->seed,
        .tally = &run->tally,
        .events = *events,
    };
    for (int64_t i = 0; i < from->replicas; i++) {
        pool->spec.index = (int32_t)(i + (index > 0 ? deployment->pool[0].replicas : 0));
        g_ptr_array_add(pool->replicas, strat_replica_new(&pool->spec));
    }
    run->seats += pool->lanes * pool->replicas->len;
    run->tally.result->gpus += from->replicas * strat_pool_gpus(from);
    return true;
}

void strat_serve_renew(StratServeRun *run, size_t index)
{
    StratServePool *pool = &run->pool[0];
    StratReplica *old = g_ptr_array_index(pool->replicas, index);
    StratServeSeat *seat = strat_serve_seats(run, old, 0);
    pool->spec.index = (int32_t)index;
    StratReplica *replica = strat_replica_new(&pool->spec);
    for (size_t i = 0; i < pool->lanes; i++) {
        if (seat[i].pending)
            strat_heap_remove(&run->heap, seat[i].place);
        seat[i] = (StratServeSeat){.lane = &replica->lane[i]};
    }
    run->renewed_lost += lost_of(old);
    pool->replicas->pdata[index] = replica;
    strat_replica_free(old);
}

void strat_serve_seat(StratServeRun *run)
{
    run->seat = g_new0(StratServeSeat, run->seats);
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++) {
            StratReplica *replica = g_ptr_array_index(run->pool[i].replicas, j);
            StratServeSeat *seat = strat_serve_seats(run, replica, i);
            for (size_t k = 0; k < replica->lanes; k++)
                seat[k].lane = &replica->lane[k];
        }
}

int64_t strat_serve_lost_blocks(const StratServeRun *run)
{
    int64_t lost = run->renewed_lost;
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++) {
            const StratReplica *replica = g_ptr_array_index(run->pool[i].replicas, j);
            lost += lost_of(replica);
        }
    return lost;
}

void strat_serve_run_clear(StratServeRun *run)
{
    for (size_t i = 0; i < run->pools; i++) {
        if (run->pool[i].replicas)
            g_ptr_array_unref(run->pool[i].replicas);
        g_free(run->pool[i].link);
    }
    strat_scaler_clear(&run->scaler);
    g_free(run->open);
    if (run->wait)
        g_array_unref(run->wait);
    g_free(run->seat);
    strat_heap_clear(&run->heap);
    strat_heap_clear(&run->moves);
    strat_tally_clear(&run->tally);
}
bool strat_serve_is_possible(const StratServeSpec *spec, GError **error)
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
