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

#include "strat_lane.h"
#include "strat_serve_private.h"

/* What happens first at one instant. */
typedef enum Phase {
    PHASE_END,
    PHASE_COME,
    PHASE_DECIDE,
    PHASE_LOOK,
} Phase;

enum {
    PHASE_BITS = 2,
    LANE_BITS = 20, /* ties of lanes; 2^20 of them */
};

/* A cache on its way. */
typedef struct Move {
    StratSequence *sequence;
    StratReplica *from;
    size_t to;
    size_t place;
} Move;

static StratFine key_of(StratFine at, Phase phase, size_t seat)
{
    return (((at << PHASE_BITS) | (StratFine)phase) << LANE_BITS) | (StratFine)seat;
}

static StratFine time_of(StratFine key)
{
    return key >> (PHASE_BITS + LANE_BITS);
}

static void schedule(StratServeState *run, StratSeat *seat, StratFine at, bool ends)
{
    if (seat->pending)
        strat_heap_remove(&run->heap, seat->place);
    seat->pending = true;
    seat->ends = ends;
    seat->at = at;
    StratFine key = key_of(at, ends ? PHASE_END : PHASE_DECIDE, (size_t)(seat - run->seat));
    strat_heap_push(&run->heap, key, seat, &seat->place);
}

/* Lanes of @replica that do nothing look again at @now. */
static void wake(StratServeState *run, const StratReplica *replica, StratFine now)
{
    StratSeat *seat = strat_serve_seats(run, replica);
    for (size_t i = 0; i < replica->lanes; i++)
        if (!replica->lane[i].runs && !(seat[i].pending && seat[i].at <= now))
            schedule(run, &seat[i], now, false);
}

static void deliver(StratServeState *run, size_t pool, size_t to, StratSequence *sequence,
                    StratFine now)
{
    StratReplica *replica = g_ptr_array_index(run->pool[pool].replicas, to);
    StratSeat *seat = strat_serve_seats(run, replica);
    strat_replica_enqueue(replica, sequence);
    for (size_t i = 0; i < replica->lanes; i++) {
        StratFine end = replica->lane[i].end;
        strat_lane_interrupt(&replica->lane[i], now);
        if (replica->lane[i].runs && replica->lane[i].end != end)
            schedule(run, &seat[i], replica->lane[i].end, true);
    }
    wake(run, replica, now);
}

static size_t choose(StratServeState *run, size_t pool, const StratSequence *sequence,
                     StratFine now)
{
    StratServePool *p = &run->pool[pool];
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
    StratSource *source = ((StratServeState *)ctx)->spec->source;
    if (source->done)
        source->done(source, sequence->id, sequence->session, strat_fine_ns(now));
}

/* The prompt of @sequence is done on a prefill replica: its cache sets out. */
static void on_leaves(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now)
{
    StratServeState *run = ctx;
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

static void arrive_moved(StratServeState *run)
{
    const StratHeapItem *top = strat_heap_top(&run->moves);
    g_autofree Move *move = top->item;
    StratFine now = time_of(top->key);
    strat_heap_remove(&run->moves, 0);
    StratSequence *sequence = move->sequence;
    strat_replica_forget(move->from, sequence);
    wake(run, move->from, now);
    sequence->remote = true;
    sequence->computed = 0;
    deliver(run, 1, move->to, sequence, now);
}

/* Whether the replicas of @pool can ever serve @request. */
static bool is_servable(const StratServeState *run, size_t pool, const StratRequest *request)
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

static int64_t waiting(const StratServeState *run)
{
    int64_t sum = 0;
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++)
            sum += ((StratReplica *)g_ptr_array_index(run->pool[i].replicas, j))->waiting.length;
    return sum;
}

static void arrive(StratServeState *run, const StratRequest *request, StratFine now)
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

static void look(StratServeState *run)
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

static void decide(StratServeState *run, StratSeat *seat)
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
            wake(run, replica, run->now);
        schedule(run, seat, lane->end, false);
    }
}

static void run_seat(StratServeState *run)
{
    StratSeat *seat = strat_heap_top(&run->heap)->item;
    strat_heap_remove(&run->heap, 0);
    seat->pending = false;
    if (!seat->ends) {
        decide(run, seat);
        return;
    }
    strat_lane_end(seat->lane);
    const StratReplica *replica = seat->lane->replica;
    wake(run, replica, run->now);
}

/* Handles the first of all pending events; false when there are none. */
static bool step(StratServeState *run)
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

StratServeResult *strat_serve_run(const StratServeSpec *spec, GError **error)
{
    g_auto(StratServeState) run = {.spec = spec, .pools = spec->deployment->pools};
    StratReplicaEvents events = {.ctx = &run, .finished = on_finished, .leaves = on_leaves};
    if (!strat_serve_open(&run, &events, error))
        return NULL;
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
    result->lost_blocks = strat_serve_lost_blocks(&run);
    if (result->unfinished > 0)
        result->stuck = "the scheduler admits no more of the waiting requests";
    return result;
}
