/*
 * A run of serving: requests come from a source, a router sends each to a replica, replicas iterate
 * (strat_lane.c), and with separate pools caches move from prefill to decode replicas. Four kinds
 * of events, at one instant in this order:
 *
 *     a lane's iterations end; a request or a moved cache comes; a lane decides; a sample is taken
 *
 * so a decision sees all that has happened until then. Ends and decisions are in a heap with one
 * entry a lane at most; a request that comes while a lane runs a summed-up run cuts that run short.
 * Lanes that do nothing are woken when a request comes to their replica or an iteration ends on it.
 *
 * A cache moves over the sender's way out and the receiver's way in, each one transfer at a time in
 * the order of their starts, kv_bytes_per_token x tokens / transfer_bytes_per_s + latency. The
 * sender keeps its blocks until the transfer is over.
 *
 * Refused at once: a request longer than max_length, or than the cache of one replica (above the
 * watermark), or without chunked prefill than one iteration.
 *
 * Left out: requests that give up waiting; transfers that begin before the prompt is complete.
 */
#include "strat_serve.h"

#include "strat_heap.h"
#include "strat_lane.h"
#include "strat_order.h"
#include "strat_router.h"
#include "strat_schedule.h"
#include "strat_scheduler.h"
#include "strat_speculation.h"
#include "strat_tally.h"

/* What happens first at one instant. */
typedef enum Phase {
    PHASE_END,
    PHASE_COME,
    PHASE_DECIDE,
    PHASE_LOOK,
} Phase;

enum {
    PHASE_BITS = 2,
    LANE_BITS = 20,      /* ties of lanes; 2^20 of them */
    PROBE_TOKENS = 2048, /* of a prompt that tells the rate of an engine without a budget */
};

/* A lane and its entry in the heap. */
typedef struct Seat {
    StratLane *lane;
    bool pending; /* has an entry */
    bool ends;    /* of which kind */
    StratFine at;
    size_t place;
} Seat;

typedef struct Pool {
    GPtrArray *replicas; /* of StratReplica */
    const StratRouter *router;
    size_t turn;
    size_t first; /* seat of its first lane */
    size_t lanes; /* of a replica */
    double token_s;
    StratFine *link; /* when each replica's way out or in is free */
} Pool;

/* A cache on its way. */
typedef struct Move {
    StratSequence *sequence;
    StratReplica *from;
    size_t to;
    size_t place;
} Move;

typedef struct Run {
    const StratServeSpec *spec;
    StratTally tally;
    Pool pool[2];
    size_t pools;
    Seat *seat;
    size_t seats;
    StratHeap heap;  /* of Seat */
    StratHeap moves; /* of Move, by the end of the transfer */
    size_t moved;
    StratFine now;
    StratFine next_sample;
    int64_t sampled_prompts, sampled_made;
} Run;

static StratFine key_of(StratFine at, Phase phase, size_t seat)
{
    return (((at << PHASE_BITS) | (StratFine)phase) << LANE_BITS) | (StratFine)seat;
}

static StratFine time_of(StratFine key)
{
    return key >> (PHASE_BITS + LANE_BITS);
}

static void schedule(Run *run, Seat *seat, StratFine at, bool ends)
{
    if (seat->pending)
        strat_heap_remove(&run->heap, seat->place);
    seat->pending = true;
    seat->ends = ends;
    seat->at = at;
    StratFine key = key_of(at, ends ? PHASE_END : PHASE_DECIDE, (size_t)(seat - run->seat));
    strat_heap_push(&run->heap, key, seat, &seat->place);
}

static Seat *seats_of(Run *run, const StratReplica *replica, size_t pool)
{
    size_t index = (size_t)replica->index - (pool > 0 ? run->pool[0].replicas->len : 0);
    return &run->seat[run->pool[pool].first + index * run->pool[pool].lanes];
}

static size_t pool_of(const Run *run, const StratReplica *replica)
{
    return (guint)replica->index >= run->pool[0].replicas->len;
}

/* Lanes of @replica that do nothing look again at @now. */
static void wake(Run *run, const StratReplica *replica, size_t pool, StratFine now)
{
    Seat *seat = seats_of(run, replica, pool);
    for (size_t i = 0; i < replica->lanes; i++)
        if (!replica->lane[i].runs && !(seat[i].pending && seat[i].at <= now))
            schedule(run, &seat[i], now, false);
}

static void deliver(Run *run, size_t pool, size_t to, StratSequence *sequence, StratFine now)
{
    StratReplica *replica = g_ptr_array_index(run->pool[pool].replicas, to);
    Seat *seat = seats_of(run, replica, pool);
    strat_replica_enqueue(replica, sequence);
    for (size_t i = 0; i < replica->lanes; i++) {
        StratFine end = replica->lane[i].end;
        strat_lane_interrupt(&replica->lane[i], now);
        if (replica->lane[i].runs && replica->lane[i].end != end)
            schedule(run, &seat[i], replica->lane[i].end, true);
    }
    wake(run, replica, pool, now);
}

static size_t choose(Run *run, size_t pool, const StratSequence *sequence, StratFine now)
{
    Pool *p = &run->pool[pool];
    StratRouting routing = {
        .replica = (StratReplica *const *)p->replicas->pdata,
        .count = p->replicas->len,
        .turn = p->turn++,
        .now = now,
        .token_s = p->token_s,
    };
    return p->router->choose(&routing, sequence);
}

static void on_finished(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now)
{
    (void)replica;
    StratSource *source = ((Run *)ctx)->spec->source;
    if (source->done)
        source->done(source, sequence->id, sequence->session, strat_fine_ns(now));
}

/* The prompt of @sequence is done on a prefill replica: its cache sets out. */
static void on_leaves(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now)
{
    Run *run = ctx;
    const StratServeSpec *spec = run->spec;
    size_t to = choose(run, 1, sequence, now);
    StratFine *out = &run->pool[0].link[replica->index];
    StratFine *in = &run->pool[1].link[to];
    double bytes = spec->kv_bytes_per_token * (double)sequence->computed;
    double takes_s = spec->transfer_latency_s;
    if (spec->transfer_bytes_per_s > 0.0)
        takes_s += bytes / spec->transfer_bytes_per_s;
    StratFine end = MAX(now, MAX(*out, *in)) + strat_fine_from_seconds(takes_s);
    *out = *in = end;
    Move *move = g_new(Move, 1);
    *move = (Move){.sequence = sequence, .from = replica, .to = to};
    strat_heap_push(&run->moves, key_of(end, PHASE_COME, run->moved++ % (1 << LANE_BITS)), move,
                    &move->place);
}

static void arrive_moved(Run *run)
{
    const StratHeapItem *top = strat_heap_top(&run->moves);
    g_autofree Move *move = top->item;
    StratFine now = time_of(top->key);
    strat_heap_remove(&run->moves, 0);
    StratSequence *sequence = move->sequence;
    strat_replica_forget(move->from, sequence);
    wake(run, move->from, 0, now);
    sequence->remote = true;
    sequence->computed = 0;
    deliver(run, 1, move->to, sequence, now);
}

/* Whether the replicas of @pool can ever serve @request. */
static bool is_servable(const Run *run, size_t pool, const StratRequest *request)
{
    const StratReplica *replica = g_ptr_array_index(run->pool[pool].replicas, 0);
    const StratEngine *engine = replica->engine;
    int64_t length = request->input_tokens + request->output_tokens;
    if (engine->max_length > 0 && length > engine->max_length)
        return false;
    if (!engine->chunked_prefill && request->input_tokens > replica->max_tokens)
        return false;
    int64_t width = replica->lane[0].decodes.width;
    bool prompt_only = run->pools > 1 && pool == 0;
    int64_t held = prompt_only ? request->input_tokens : length + width - 1;
    return strat_kv_blocks_for(replica->kv, held) + replica->watermark <=
           strat_kv_blocks(replica->kv);
}

static StratSequence *sequence_of(const StratRequest *request, bool pages)
{
    StratSequence *sequence = g_new0(StratSequence, 1);
    sequence->id = request->id;
    sequence->session = request->session;
    sequence->arrival_ns = request->arrival_ns;
    sequence->scheduled_ns = sequence->first_token_ns = sequence->last_token_ns = -1;
    sequence->input_tokens = (int32_t)request->input_tokens;
    sequence->output_tokens = (int32_t)request->output_tokens;
    sequence->priority = (int32_t)request->priority;
    sequence->adapter = (int32_t)request->adapter;
    if (pages && request->pages > 0) {
        sequence->page = g_memdup2(request->page, request->pages * sizeof *request->page);
        sequence->pages = (int32_t)request->pages;
    }
    return sequence;
}

static int64_t waiting(const Run *run)
{
    int64_t sum = 0;
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++)
            sum += ((StratReplica *)g_ptr_array_index(run->pool[i].replicas, j))->waiting.length;
    return sum;
}

static void arrive(Run *run, const StratRequest *request, StratFine now)
{
    StratSource *source = run->spec->source;
    bool noted = strat_tally_notes_queue(&run->tally);
    strat_tally_arrived(&run->tally, request, noted ? waiting(run) : 0);
    bool servable = true;
    for (size_t i = 0; i < run->pools; i++)
        servable = servable && is_servable(run, i, request);
    if (!servable) {
        run->tally.result->refused++;
        int64_t id = request->id;
        int64_t session = request->session;
        source->take(source);
        if (source->done)
            source->done(source, id, session, strat_fine_ns(now));
        return;
    }
    bool pages = run->spec->deployment->engine->prefix_cache && source->page_tokens > 0;
    StratSequence *sequence = sequence_of(request, pages);
    source->take(source);
    deliver(run, 0, choose(run, 0, sequence, now), sequence, now);
}

static void look(Run *run)
{
    StratServeSample sample = {.at_s = strat_fine_seconds(run->next_sample)};
    double used = 0.0;
    double all = 0.0;
    int64_t made = run->tally.made;
    for (size_t i = 0; i < run->seats; i++) {
        const StratLane *lane = run->seat[i].lane;
        const StratReplica *replica = lane->replica;
        int64_t done = strat_lane_done(lane, run->next_sample);
        made += lane->decoding ? done * lane->decodes.growth : 0;
        used += (double)strat_lane_grown(lane, run->next_sample);
        if (lane != replica->lane)
            continue;
        sample.running += (double)replica->running;
        sample.waiting += (double)replica->waiting.length;
        used += (double)(strat_kv_blocks(replica->kv) - strat_replica_free_blocks(replica));
        all += (double)strat_kv_blocks(replica->kv);
    }
    double passed_s = run->spec->sample_s;
    double token = (double)(INT64_C(1) << STRAT_TOKEN_BITS);
    sample.kv_fraction = all > 0.0 ? used / all : 0.0;
    sample.output_tokens_per_s = (double)(made - run->sampled_made) / token / passed_s;
    sample.prompt_tokens_per_s =
        (double)(run->tally.prompt_tokens - run->sampled_prompts) / passed_s;
    run->sampled_made = made;
    run->sampled_prompts = run->tally.prompt_tokens;
    g_array_append_val(run->tally.result->samples, sample);
    run->next_sample += strat_fine_from_seconds(run->spec->sample_s);
}

static void decide(Run *run, Seat *seat)
{
    StratLane *lane = seat->lane;
    StratReplica *replica = lane->replica;
    if (replica->lanes > 1 && run->now < replica->gate) {
        schedule(run, seat, replica->gate, false);
        return;
    }
    if (strat_lane_begin(lane, run->now, run->spec->exact)) {
        schedule(run, seat, lane->end, true);
    } else if (lane->end > run->now) {
        if (lane->end == run->now + 1)
            wake(run, replica, pool_of(run, replica), run->now);
        schedule(run, seat, lane->end, false);
    }
}

static void run_seat(Run *run)
{
    Seat *seat = strat_heap_top(&run->heap)->item;
    strat_heap_remove(&run->heap, 0);
    seat->pending = false;
    if (!seat->ends) {
        decide(run, seat);
        return;
    }
    strat_lane_end(seat->lane);
    const StratReplica *replica = seat->lane->replica;
    wake(run, replica, pool_of(run, replica), run->now);
}

/* Handles the first of all pending events; false when there are none. */
static bool step(Run *run)
{
    StratSource *source = run->spec->source;
    const StratRequest *request = source->peek(source);
    const StratHeapItem *seat = strat_heap_top(&run->heap);
    const StratHeapItem *move = strat_heap_top(&run->moves);
    if (!request && !seat && !move)
        return false;
    StratFine come = request ? key_of(strat_fine_from_ns(request->arrival_ns), PHASE_COME, 0) : 0;
    StratFine first = request ? come : seat ? seat->key : move->key;
    first = seat ? MIN(first, seat->key) : first;
    first = move ? MIN(first, move->key) : first;
    if (run->spec->sample_s > 0.0 && key_of(run->next_sample, PHASE_LOOK, 0) < first) {
        look(run);
        return true;
    }
    run->now = MAX(run->now, time_of(first));
    if (request && first == come)
        arrive(run, request, run->now);
    else if (move && first == move->key)
        arrive_moved(run);
    else
        run_seat(run);
    return true;
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

static bool open_pool(Run *run, size_t index, GError **error)
{
    const StratServeSpec *spec = run->spec;
    const StratDeployment *deployment = spec->deployment;
    const StratPool *from = &deployment->pool[index];
    const StratScheduler *scheduler = strat_scheduler_by_name(deployment->engine->scheduler, error);
    Pool *pool = &run->pool[index];
    pool->replicas = g_ptr_array_new_with_free_func((GDestroyNotify)strat_replica_free);
    pool->router = strat_router_by_name(index == 0 ? deployment->router : "least-loaded", error);
    if (!scheduler || !pool->router || !strat_order_by_name(deployment->engine->order, error))
        return false;
    pool->lanes = (size_t)from->pipeline;
    pool->first = run->seats;
    pool->token_s = prompt_token_s(deployment->engine, spec->pricer[index]);
    pool->link = g_new0(StratFine, (size_t)from->replicas);
    bool prefills = run->pools > 1 && index == 0;
    StratReplicaSpec replica = {
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
        .events = {.ctx = run, .finished = on_finished, .leaves = prefills ? on_leaves : NULL},
    };
    for (int64_t i = 0; i < from->replicas; i++) {
        replica.index = (int32_t)(i + (index > 0 ? deployment->pool[0].replicas : 0));
        g_ptr_array_add(pool->replicas, strat_replica_new(&replica));
    }
    run->seats += pool->lanes * pool->replicas->len;
    run->tally.result->gpus += from->replicas * strat_pool_gpus(from);
    return true;
}

static void seat_lanes(Run *run)
{
    run->seat = g_new0(Seat, run->seats);
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++) {
            StratReplica *replica = g_ptr_array_index(run->pool[i].replicas, j);
            Seat *seat = seats_of(run, replica, i);
            for (size_t k = 0; k < replica->lanes; k++)
                seat[k].lane = &replica->lane[k];
        }
}

/* Blocks of replicas without sequences that are not free, or all of one that is unsound. */
static int64_t lost_blocks(const Run *run)
{
    int64_t lost = 0;
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++) {
            const StratReplica *replica = g_ptr_array_index(run->pool[i].replicas, j);
            int64_t all = strat_kv_blocks(replica->kv);
            if (!strat_kv_is_sound(replica->kv, NULL))
                lost += all;
            else if (replica->running == 0)
                lost += all - strat_replica_free_blocks(replica);
        }
    return lost;
}

static void run_clear(Run *run)
{
    for (size_t i = 0; i < run->pools; i++) {
        if (run->pool[i].replicas)
            g_ptr_array_unref(run->pool[i].replicas);
        g_free(run->pool[i].link);
    }
    g_free(run->seat);
    strat_heap_clear(&run->heap);
    strat_heap_clear(&run->moves);
    strat_tally_clear(&run->tally);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

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

StratServeResult *strat_serve_run(const StratServeSpec *spec, GError **error)
{
    if (!is_possible(spec, error))
        return NULL;
    g_auto(Run) run = {.spec = spec, .pools = spec->deployment->pools};
    strat_tally_init(&run.tally, spec);
    for (size_t i = 0; i < run.pools; i++)
        if (!open_pool(&run, i, error))
            return NULL;
    seat_lanes(&run);
    while (step(&run))
        ;
    const GError *fault = spec->source->fault ? spec->source->fault(spec->source) : NULL;
    if (fault) {
        g_propagate_error(error, g_error_copy(fault));
        return NULL;
    }
    strat_tally_close(&run.tally);
    StratServeResult *result = g_steal_pointer(&run.tally.result);
    result->unfinished = result->requests - result->finished - result->refused;
    result->lost_blocks = lost_blocks(&run);
    if (result->unfinished > 0)
        result->stuck = "the scheduler admits no more of the waiting requests";
    return result;
}
