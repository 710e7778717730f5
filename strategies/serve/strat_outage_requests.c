/*
 * Where the requests of a dead replica go. Once it is known to be dead the policy decides: they end
 * in an error, wait for it, or go through the router to replicas that are open, one by one in their
 * order. Where none is open they wait with the dead one.
 *
 * With separate pools a request that lost its cache on a decoding replica needs prompt and outputs
 * computed by a prefill replica again, whose cache then moves as after any prompt. With copies of
 * its cache it goes to another decoding replica. Prompt and outputs that are too long for the cache
 * of a replica that computes them, or without chunked prefill for one iteration, end in an error.
 * Copies come to one replica one after another, each in
 *
 *     T = latency + kv_bytes_per_token x tokens / restore_bytes_per_s
 *
 * and are complete up to the last token that the client has.
 */
#include "strat_outage_private.h"

StratReplica *strat_outage_replica(const StratOutage *outage, size_t index)
{
    size_t pool = outage->slot[index].pool;
    const StratServePool *pools = outage->run->pool;
    return g_ptr_array_index(pools[pool].replicas, index - (pool > 0 ? pools[0].replicas->len : 0));
}

void strat_outage_hurt(StratOutage *outage, StratSequence *sequence)
{
    outage->sums->hurt += !sequence->is_hurt;
    sequence->is_hurt = true;
    sequence->stalls = sequence->first_token_ns >= 0;
}

/* @sequence gets no answer. */
static void fail(StratOutage *outage, StratSequence *sequence, StratFine now)
{
    StratServeState *run = outage->run;
    StratSource *source = run->spec->source;
    run->tally.result->failed++;
    run->tally.end = MAX(run->tally.end, now);
    if (source->done)
        source->done(source, sequence->id, sequence->session, strat_fine_ns(now));
    strat_sequence_free(sequence);
}

/* Whether the cache of @sequence would have to be computed again by a replica of @pool, which never
 * could. */
static bool is_unfit(const StratOutage *outage, size_t pool, const StratSequence *sequence)
{
    const StratReplica *replica = g_ptr_array_index(outage->run->pool[pool].replicas, 0);
    int64_t prompt = strat_sequence_prompt(sequence);
    if (sequence->remote || sequence->produced == 0)
        return false;
    if (!replica->engine->chunked_prefill && prompt > replica->max_tokens)
        return true;
    return strat_kv_blocks_for(replica->kv, prompt) + replica->watermark >
           strat_kv_blocks(replica->kv);
}

void strat_outage_fail_unfit(StratOutage *outage, size_t replica, StratFine now)
{
    StratReplica *at = strat_outage_replica(outage, replica);
    for (StratSequence *s = at->waiting.head, *next; s; s = next) {
        next = s->next;
        if (!is_unfit(outage, outage->slot[replica].pool, s))
            continue;
        at->outstanding--;
        at->pending_tokens -= strat_sequence_left(s);
        strat_sequence_remove(&at->waiting, s);
        fail(outage, s, now);
    }
}

bool strat_outage_has_up(const StratOutage *outage, size_t pool)
{
    for (size_t i = 0; i < outage->count; i++)
        if (outage->slot[i].pool == pool && outage->slot[i].state == STRAT_OUTAGE_UP)
            return true;
    return false;
}

/* The cache of @sequence sets out for @to from a copy. */
static void send_copy(StratOutage *outage, size_t to, StratSequence *sequence, StratFine now)
{
    const StratFailures *how = outage->how;
    StratOutageSlot *slot = &outage->slot[to];
    double bytes =
        outage->run->spec->kv_bytes_per_token * (double)(strat_sequence_prompt(sequence) - 1);
    double takes_s = how->restore_latency_s;
    if (how->restore_bytes_per_s > 0.0)
        takes_s += slot->wire * bytes / how->restore_bytes_per_s;
    slot->link = MAX(slot->link, now) + strat_fine_from_seconds(takes_s);
    strat_outage_replica(outage, to)->outstanding++; /* the router knows of it */
    outage->caches++;
    strat_outage_push(
        outage, slot->link,
        (StratOutageEvent){
            .kind = STRAT_OUTAGE_CACHE, .replica = to, .life = slot->life, .sequence = sequence});
}

static size_t index_of(const StratOutage *outage, size_t pool, size_t in_pool)
{
    return in_pool + (pool > 0 ? outage->run->pool[0].replicas->len : 0);
}

/* @sequence, in no list, which was at @replica, goes where it is served next. */
static void place(StratOutage *outage, size_t replica, StratSequence *sequence, StratFine now)
{
    StratServeState *run = outage->run;
    size_t pool = outage->slot[replica].pool;
    size_t target = sequence->remote ? pool : 0;
    if (target == pool && !strat_outage_has_up(outage, pool)) {
        strat_replica_enqueue(strat_outage_replica(outage, replica), sequence);
        return;
    }
    size_t to = strat_serve_choose(run, target, sequence, now);
    if (sequence->remote)
        send_copy(outage, index_of(outage, target, to), sequence, now);
    else
        strat_serve_deliver(run, target, to, sequence, now);
}

/* All that waits at @replica. */
static StratSequenceList take_all(StratReplica *replica)
{
    StratSequenceList list = {0};
    for (StratSequence *s; (s = replica->waiting.head);) {
        replica->outstanding--;
        replica->pending_tokens -= strat_sequence_left(s);
        strat_sequence_remove(&replica->waiting, s);
        strat_sequence_insert(&list, s, NULL);
    }
    return list;
}

static StratSequence *next_of(StratSequenceList *list)
{
    StratSequence *sequence = list->head;
    if (sequence)
        strat_sequence_remove(list, sequence);
    return sequence;
}

void strat_outage_reroute(StratOutage *outage, size_t replica, StratFine now)
{
    const StratServeRecovery *policy = outage->how->policy;
    StratReplica *from = strat_outage_replica(outage, replica);
    StratSequenceList list = take_all(from);
    for (StratSequence *s; (s = next_of(&list));) {
        strat_outage_hurt(outage, s);
        if (s->remote && !policy->restores) { /* its cache came to nobody in the meantime */
            s->remote = false;
            outage->sums->lost_tokens += strat_sequence_prompt(s) - 1;
        }
        if (policy->fails || is_unfit(outage, 0, s))
            fail(outage, s, now);
        else if (policy->reroutes)
            place(outage, replica, s, now);
        else
            strat_replica_enqueue(from, s);
    }
}

void strat_outage_resume(StratOutage *outage, size_t replica, StratFine now)
{
    size_t pool = outage->slot[replica].pool;
    StratReplica *back = strat_outage_replica(outage, replica);
    StratSequenceList list = take_all(back);
    for (StratSequence *s; (s = next_of(&list));) {
        if (s->remote && outage->how->policy->restores)
            send_copy(outage, replica, s, now);
        else if (pool > 0 && !s->remote)
            place(outage, replica, s, now);
        else
            strat_replica_enqueue(back, s);
    }
    strat_serve_requeued(outage->run, back, now);
}

void strat_outage_deliver(StratOutage *outage, const StratOutageEvent *event, StratFine now)
{
    const StratOutageSlot *slot = &outage->slot[event->replica];
    outage->caches--;
    if (slot->life != event->life) {
        place(outage, event->replica, event->sequence, now);
        return;
    }
    size_t first = slot->pool > 0 ? outage->run->pool[0].replicas->len : 0;
    outage->sums->restored_tokens += strat_sequence_prompt(event->sequence) - 1;
    strat_outage_replica(outage, event->replica)->outstanding--;
    strat_serve_deliver(outage->run, slot->pool, event->replica - first, event->sequence, now);
}
