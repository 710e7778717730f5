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
 * How caches move is in strat_serve_moves.c.
 *
 * Refused at once: a request longer than max_length, or than the cache of one replica (above the
 * watermark), or without chunked prefill than one iteration.
 *
 * Turned away (StratAdmission): one that finds too long a queue at the replica that the router
 * chose, or whose TTFT there is predicted (as slo-aware predicts it) to be too long. A client whose
 * request has had no iteration after timeout_s gives up; one whose prompt has begun stays to the
 * end.
 *
 * Where replicas come and go (strat_autoscale.c) or fail (strat_outage.c) the router sees those
 * that serve.
 *
 * Left out: clients that leave while they are served.
 */
#include "strat_serve.h"

#include "strat_forks.h"
#include "strat_lane.h"
#include "strat_outage.h"
#include "strat_speculation.h"

/* What happens first at one instant. */
typedef enum Phase {
    PHASE_END,
    PHASE_COME,
    PHASE_DECIDE,
    PHASE_LOOK,
} Phase;

enum {
    PHASE_BITS = 2,
    LANE_BITS = 20,    /* ties of lanes; 2^20 of them */
    WAITS_KEPT = 4096, /* that are over, before their room is given back */
};

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

void strat_serve_wake(StratServeState *run, const StratReplica *replica, StratFine now)
{
    StratSeat *seat = strat_serve_seats(run, replica);
    for (size_t i = 0; i < replica->lanes; i++)
        if (!replica->lane[i].runs && !(seat[i].pending && seat[i].at <= now))
            schedule(run, &seat[i], now, false);
}

void strat_serve_requeued(StratServeState *run, StratReplica *replica, StratFine now)
{
    StratSeat *seat = strat_serve_seats(run, replica);
    for (size_t i = 0; i < replica->lanes; i++) {
        StratFine end = replica->lane[i].end;
        strat_lane_interrupt(&replica->lane[i], now);
        if (replica->lane[i].runs && replica->lane[i].end != end)
            schedule(run, &seat[i], replica->lane[i].end, true);
    }
    strat_serve_wake(run, replica, now);
}

void strat_serve_deliver(StratServeState *run, size_t pool, size_t to, StratSequence *sequence,
                         StratFine now)
{
    StratReplica *replica = g_ptr_array_index(run->pool[pool].replicas, to);
    strat_replica_enqueue(replica, sequence);
    strat_serve_requeued(run, replica, now);
}

void strat_serve_settle(StratServeState *run, StratReplica *replica, StratFine now)
{
    if (run->scales && strat_scaler_settle(&run->scaler, (size_t)replica->index, replica, now))
        strat_serve_renew(run, replica);
    else if (run->outage)
        strat_outage_settle(run->outage, replica, now);
}

/* What the router of @pool sees: of the replicas those that take requests. */
static StratRouting routing_of(StratServeState *run, size_t pool, StratFine now)
{
    StratServePool *p = &run->pool[pool];
    StratRouting routing = {
        .replica = (StratReplica *const *)p->replicas->pdata,
        .count = p->replicas->len,
        .turn = p->turn++,
        .now = now,
        .token_s = p->token_s,
    };
    if (run->scales) {
        routing.count = strat_scaler_open(&run->scaler, routing.replica, now, run->open);
        routing.replica = run->open;
    } else if (run->outage) {
        routing.count = strat_outage_open(run->outage, pool, run->open);
        routing.replica = run->open;
    }
    return routing;
}

size_t strat_serve_choose(StratServeState *run, size_t pool, const StratSequence *sequence,
                          StratFine now)
{
    StratRouting routing = routing_of(run, pool, now);
    size_t chosen = run->pool[pool].router->choose(&routing, sequence);
    size_t first = pool > 0 ? run->pool[0].replicas->len : 0;
    return (size_t)routing.replica[chosen]->index - first;
}

static void on_finished(void *ctx, StratReplica *replica, StratSequence *sequence, StratFine now)
{
    (void)replica;
    StratServeState *run = ctx;
    StratSource *source = run->spec->source;
    const StratServeWatch *watch = run->spec->watch;
    if (source->done)
        source->done(source, sequence->id, sequence->session, strat_fine_ns(now));
    if (watch && watch->stops && watch->stops(watch->ctx, run->tally.result))
        run->stopped = true;
}

static void free_chain(StratSequence *sequence)
{
    for (StratSequence *next; sequence; sequence = next) {
        next = sequence->next;
        strat_sequence_free(sequence);
    }
}

static int64_t waiting(const StratServeState *run)
{
    int64_t sum = 0;
    for (size_t i = 0; i < run->pools; i++)
        for (guint j = 0; j < run->pool[i].replicas->len; j++)
            sum += ((StratReplica *)g_ptr_array_index(run->pool[i].replicas, j))->waiting.length;
    return sum;
}

/* Tells the source that request @id got no answer. */
static void tell_lost(StratServeState *run, int64_t id, int64_t session, StratFine now)
{
    StratSource *source = run->spec->source;
    if (source->done)
        source->done(source, id, session, strat_fine_ns(now));
}

/* Whether admission lets @sequence wait at @replica; counted if not. */
static bool is_admitted(StratServeState *run, const StratRouting *routing,
                        const StratReplica *replica, const StratSequence *sequence)
{
    const StratAdmission *admission = &run->spec->admission;
    StratServeResult *result = run->tally.result;
    bool full = admission->max_queue > 0 && replica->waiting.length >= admission->max_queue;
    bool late = !full && admission->max_ttft_s > 0.0 &&
                strat_router_ttft_s(routing, replica, sequence) > admission->max_ttft_s;
    result->refused_queue += full;
    result->refused_ttft += late;
    result->refused += full || late;
    return !full && !late;
}

/* Brings @sequence, which can be served, and the @others of its request to a replica, or turns them
 * away. */
static void admit(StratServeState *run, StratSequence *sequence, StratSequence *others,
                  StratFine now)
{
    StratRouting routing = routing_of(run, 0, now);
    size_t chosen = run->pool[0].router->choose(&routing, sequence);
    StratReplica *replica = routing.replica[chosen];
    if (!is_admitted(run, &routing, replica, sequence)) {
        tell_lost(run, sequence->id, sequence->session, now);
        strat_sequence_free(sequence);
        free_chain(others);
        return;
    }
    if (run->wait) {
        StratServeWait wait = {now + strat_fine_from_seconds(run->spec->admission.timeout_s),
                               sequence->id, replica->index};
        g_array_append_val(run->wait, wait);
    }
    strat_replica_enqueue(replica, sequence);
    for (StratSequence *next; others; others = next) {
        next = others->next;
        others->next = NULL;
        strat_replica_enqueue(replica, others);
    }
    strat_serve_requeued(run, replica, now);
}

static void arrive(StratServeState *run, const StratRequest *request, StratFine now)
{
    StratSource *source = run->spec->source;
    bool noted = strat_tally_notes_queue(&run->tally);
    strat_tally_arrived(&run->tally, request, noted ? waiting(run) : 0);
    bool servable = true;
    for (size_t i = 0; i < run->pools; i++)
        servable = servable && strat_serve_can(run, i, request);
    if (!servable) {
        run->tally.result->refused++;
        int64_t id = request->id;
        int64_t session = request->session;
        source->take(source);
        tell_lost(run, id, session, now);
        return;
    }
    bool pages = run->spec->deployment->engine->prefix_cache && source->page_tokens > 0;
    StratSequence *others;
    StratSequence *sequence = strat_serve_sequence(run, request, pages, &others);
    source->take(source);
    admit(run, sequence, others, now);
}

/* Drops @sequence, which waits, and those behind it that are of the same request. */
static void drop_all(StratReplica *replica, StratSequence *sequence)
{
    int64_t id = sequence->id;
    for (StratSequence *next; sequence; sequence = next) {
        next = sequence->next;
        if (sequence->id == id)
            strat_replica_drop(replica, sequence);
    }
}

static StratSequence *find_waiting(const StratReplica *replica, int64_t id)
{
    StratSequence *sequence = replica->waiting.head;
    while (sequence && sequence->id != id)
        sequence = sequence->next;
    return sequence;
}

/* The first of the waits is over: a request that has had no iteration is given up. */
static void give_up(StratServeState *run)
{
    const StratServeWait wait = g_array_index(run->wait, StratServeWait, run->waits++);
    StratReplica *replica = g_ptr_array_index(run->pool[0].replicas, wait.replica);
    StratSequence *sequence = find_waiting(replica, wait.id);
    for (guint i = 0; run->outage && !sequence && i < run->pool[0].replicas->len; i++) {
        replica = g_ptr_array_index(run->pool[0].replicas, i);
        sequence = find_waiting(replica, wait.id);
    }
    if (run->waits == run->wait->len || run->waits > WAITS_KEPT) {
        g_array_remove_range(run->wait, 0, run->waits);
        run->waits = 0;
    }
    if (!sequence || sequence->scheduled_ns >= 0 || (sequence->forks && sequence->forks->begun))
        return;
    tell_lost(run, sequence->id, sequence->session, wait.until);
    drop_all(replica, sequence);
    run->tally.result->gave_up++;
    strat_serve_requeued(run, replica, wait.until);
    strat_serve_settle(run, replica, wait.until);
}

static void decide(StratServeState *run, StratSeat *seat)
{
    StratLane *lane = seat->lane;
    StratReplica *replica = lane->replica;
    StratFine until = 0;
    if (run->outage && strat_outage_holds(run->outage, lane, run->now, &until)) {
        if (until > 0)
            schedule(run, seat, until, false);
        return;
    }
    if (replica->lanes > 1 && run->now < replica->gate) {
        schedule(run, seat, replica->gate, false);
        return;
    }
    const StratServeWatch *watch = run->spec->watch;
    if (strat_lane_begin(lane, run->now, run->spec->exact)) {
        if (watch && watch->begins)
            watch->begins(watch->ctx, lane);
        schedule(run, seat, lane->end, true);
    } else if (replica->stuck) {
        run->stopped = true;
        run->tally.result->stuck = replica->stuck;
    } else if (lane->end > run->now) {
        if (lane->end == run->now + 1)
            strat_serve_wake(run, replica, run->now);
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
    const StratServeWatch *watch = run->spec->watch;
    if (watch && watch->ends)
        watch->ends(watch->ctx, seat->lane);
    strat_lane_end(seat->lane);
    StratReplica *replica = seat->lane->replica;
    strat_serve_wake(run, replica, run->now);
    strat_serve_settle(run, replica, run->now);
}

/* Replicas come and go. */
static void scale(StratServeState *run)
{
    StratFine now = run->scaler.next;
    const StratTally *tally = &run->tally;
    GPtrArray *replicas = run->pool[0].replicas;
    strat_scaler_check(&run->scaler, (StratReplica *const *)replicas->pdata, tally->first_token_s,
                       tally->first_tokens, tally->slo_ttft_s);
    for (guint i = 0; i < replicas->len; i++)
        strat_serve_settle(run, g_ptr_array_index(replicas, i), now);
}

/* Looks that come before @first; false when there is none. */
static bool look_before(StratServeState *run, StratFine first)
{
    bool samples = run->spec->sample_s > 0.0 && key_of(run->next_sample, PHASE_LOOK, 0) < first;
    bool scales = run->scales && key_of(run->scaler.next, PHASE_LOOK, 1) < first;
    if (scales && (!samples || run->scaler.next < run->next_sample))
        scale(run);
    else if (samples)
        strat_serve_look(run);
    return samples || scales;
}

/* Handles the first of all pending events; false when there are none. */
static bool step(StratServeState *run)
{
    StratSource *source = run->spec->source;
    const StratRequest *request = source->peek(source);
    const StratHeapItem *seat = strat_heap_top(&run->heap);
    StratFine moves_at;
    bool moves = run->moves && run->moves->next(run->moves, &moves_at);
    StratFine move = moves ? key_of(moves_at, PHASE_COME, 2) : 0;
    const StratServeWait *wait = run->wait && run->waits < run->wait->len
                                     ? &g_array_index(run->wait, StratServeWait, run->waits)
                                     : NULL;
    StratFine turn;
    bool turns = run->outage && strat_outage_next(run->outage, &turn);
    bool awaits = turns && strat_outage_is_pending(run->outage, waiting(run));
    if (!request && !seat && !moves && !awaits && (!wait || waiting(run) == 0))
        return false;
    StratFine come = request ? key_of(strat_fine_from_ns(request->arrival_ns), PHASE_COME, 0) : 0;
    StratFine leave = wait ? key_of(wait->until, PHASE_COME, 1) : 0;
    StratFine change = turns ? key_of(turn, PHASE_END, (1 << LANE_BITS) - 1) : 0;
    StratFine first = request ? come : seat ? seat->key : moves ? move : wait ? leave : change;
    first = seat ? MIN(first, seat->key) : first;
    first = moves ? MIN(first, move) : first;
    first = wait ? MIN(first, leave) : first;
    first = turns ? MIN(first, change) : first;
    if (look_before(run, first))
        return true;
    run->now = MAX(run->now, time_of(first));
    if (turns && first == change)
        strat_outage_step(run->outage);
    else if (request && first == come)
        arrive(run, request, run->now);
    else if (wait && first == leave)
        give_up(run);
    else if (moves && first == move)
        strat_serve_step_moves(run);
    else
        run_seat(run);
    return true;
}

/* The counts of autoscaling. */
static void count_scaling(StratServeState *run)
{
    StratServeResult *result = run->tally.result;
    double gpus = (double)strat_pool_gpus(&run->spec->deployment->pool[0]);
    if (!run->scales)
        return;
    strat_scaler_sums(&run->scaler, run->tally.end, &result->up_s, &result->starting_s);
    result->up_s *= gpus;
    result->starting_s *= gpus;
    result->scale_ups = run->scaler.ups;
    result->scale_downs = run->scaler.downs;
    result->peak_replicas = run->scaler.peak;
}

StratServeResult *strat_serve_run(const StratServeSpec *spec, GError **error)
{
    g_auto(StratServeState) run = {.spec = spec, .pools = spec->deployment->pools};
    StratReplicaEvents events = {.ctx = &run,
                                 .finished = on_finished,
                                 .completes = strat_serve_completes,
                                 .leaves = strat_serve_leaves};
    if (!strat_serve_open(&run, &events, error))
        return NULL;
    while (!run.stopped && step(&run))
        ;
    const GError *fault = spec->source->fault ? spec->source->fault(spec->source) : NULL;
    if (!fault && run.moves && run.moves->fault)
        fault = run.moves->fault(run.moves);
    if (fault) {
        g_propagate_error(error, g_error_copy(fault));
        return NULL;
    }
    count_scaling(&run);
    if (run.outage)
        strat_outage_close(run.outage);
    strat_tally_close(&run.tally);
    StratServeResult *result = g_steal_pointer(&run.tally.result);
    result->unfinished =
        result->requests - result->finished - result->refused - result->gave_up - result->failed;
    result->lost_blocks = strat_serve_lost_blocks(&run);
    if (run.moves && run.moves->hot_links)
        result->hot_links = run.moves->hot_links(run.moves, sim_time_to_seconds(result->end_ns));
    if (result->unfinished > 0 && !result->stuck)
        result->stuck = run.moves && run.moves->open->len > 0
                            ? "caches stand still on links that are down"
                            : "the scheduler admits no more of the waiting requests";
    return result;
}
