/*
 * A deployment under failure. Faults come from a history (strat_fault.c) over the GPUs of all
 * replicas, which lie one after another on the nodes: a fault of a GPU hits the replica that it is
 * of, one of a node, leaf or rack every replica with a GPU there, one of the job some replica.
 *
 *   stop     the replica dies with all its caches; detection until that is known, while the router
 *            goes on sending requests to it
 *   hang     the same, known after hang_detection
 *   slow     its iterations last 1 / clock as long, for a time, from the next one on
 *   flap     nic_fraction of its NICs' bandwidth is left: collectives across nodes and caches on
 *            the move last 1 / nic_fraction as long; at 0 the next iteration waits for the end of
 *            the flap, or, if that lasts longer than flap_s, the replica hangs
 *   planned  it takes no more requests and starts again once it has none; so does a false alarm
 *   preempt  it dies, everybody knows, and its nodes are away for a time before it starts again
 *   cap      all replicas are slow; degrade: 1 / (1 - what is lost of a NIC) as long, as by a flap;
 *            a link that is gone is a flap; wrong results pass unseen
 *
 * A replica that is known to be dead is away for
 *
 *     [repair, where the fault takes the node] + restart,   or switch_s where a spare stands by;
 *
 * what it was on stands by as a spare after the former. Faults that hit a replica which is away
 * change nothing. An expert group that loses at most most_lost ranks goes on without them, by the
 * policy: it stands for the detection and switch_s, has the cache and the places of those that are
 * left, and its iterations last ranks / ranks left as long (an upper bound: reading weights does
 * not), until they are back.
 *
 * Left out: the iteration under way at the start of a slow time or flap; faults of spares; failures
 * while a replica is away; caches that are on the way when a flap begins.
 */
#include "strat_outage_private.h"

#include "strat_salvage.h"

#include <math.h>

/* Bits of an event's key for the order of those at one instant. */
enum { TIE_BITS = 20 };

double strat_outage_draw(const StratFault *fault, StratOutageDraw purpose,
                         const StratSpread *spread)
{
    return strat_spread_draw(spread, sim_random_child(&fault->draws, purpose));
}

void strat_outage_push(StratOutage *outage, StratFine at, StratOutageEvent event)
{
    StratOutageEvent *item = g_memdup2(&event, sizeof event);
    StratFine tie = outage->pushed++ % (1 << TIE_BITS);
    strat_heap_push(&outage->events, (at << TIE_BITS) | tie, item, &item->place);
}

static void draw_fault(StratOutage *outage)
{
    outage->has_fault = strat_fault_history_next(outage->history, &outage->fault);
}

StratOutage *strat_outage_new(StratServeState *run)
{
    const StratFailures *how = &run->spec->failures;
    if (!how->policy)
        return NULL;
    StratOutage *outage = g_new(StratOutage, 1);
    *outage = (StratOutage){
        .run = run,
        .how = how,
        .sums = &run->tally.result->failures,
        .history = strat_fault_history_new(&how->faults, 0),
        .slow = g_array_new(false, false, sizeof(StratOutageSlow)),
    };
    for (size_t p = 0; p < run->pools; p++) {
        outage->count += run->pool[p].replicas->len;
        outage->spares[p] = how->pool[p].spares;
    }
    outage->slot = g_new0(StratOutageSlot, outage->count);
    int64_t gpu = 0;
    for (size_t i = 0; i < outage->count; i++) {
        size_t pool = i >= run->pool[0].replicas->len;
        int64_t gpus = strat_pool_gpus(&run->spec->deployment->pool[pool]);
        outage->slot[i].pool = pool; /* by which the replica is found */
        outage->slot[i] = (StratOutageSlot){
            .pool = pool,
            .first_gpu = gpu,
            .gpus = gpus,
            .wire = 1.0,
            .sequences = strat_outage_replica(outage, i)->max_sequences,
        };
        gpu += gpus;
    }
    outage->sums->outages = g_array_new(false, false, sizeof(StratOutageRecord));
    outage->sums->stall_s = strat_digest_new();
    draw_fault(outage);
    return outage;
}

void strat_outage_free(StratOutage *outage)
{
    if (!outage)
        return;
    for (size_t i = 0; i < outage->count; i++)
        strat_paces_free(outage->slot[i].paces);
    for (const StratHeapItem *top; (top = strat_heap_top(&outage->events));) {
        StratOutageEvent *event = top->item;
        strat_heap_remove(&outage->events, 0);
        strat_sequence_free(event->sequence);
        g_free(event);
    }
    strat_heap_clear(&outage->events);
    strat_fault_history_free(outage->history);
    g_array_unref(outage->slow);
    g_free(outage->slot);
    g_free(outage);
}

guint strat_outage_record(StratOutage *outage, size_t replica, uint32_t class_index, StratFine now,
                          int64_t requests, int64_t tokens, double gone_fraction)
{
    StratOutageRecord record = {
        .at = strat_fine_ns(now),
        .known = -1,
        .back = -1,
        .due = -1,
        .stands_until = strat_fine_ns(now),
        .replica = (int32_t)replica,
        .class_index = class_index,
        .requests = requests,
        .tokens = tokens,
        .gone_fraction = gone_fraction,
    };
    g_array_append_val(outage->sums->outages, record);
    outage->sums->lost_tokens += tokens;
    return outage->sums->outages->len - 1;
}

static StratOutageRecord *record_of(const StratOutage *outage, guint record)
{
    return &g_array_index(outage->sums->outages, StratOutageRecord, record);
}

double strat_outage_away_s(const StratOutage *outage, const StratFault *fault, size_t pool)
{
    const StratFaultClass *c = &outage->how->faults.classes[fault->class_index];
    const StratFailures *how = outage->how;
    SimRandom luck = sim_random_child(&fault->draws, STRAT_OUTAGE_DRAW_SWAP);
    bool swaps = c->effect != STRAT_FAULT_PLANNED && sim_random_uniform(&luck) < c->swap_fraction;
    double repair_s =
        swaps ? strat_outage_draw(fault, STRAT_OUTAGE_DRAW_REPAIR, &how->repair) : 0.0;
    if (c->effect == STRAT_FAULT_PREEMPT)
        repair_s = strat_outage_draw(fault, STRAT_OUTAGE_DRAW_LASTS, &c->lasts);
    return repair_s + strat_outage_draw(fault, STRAT_OUTAGE_DRAW_RESTART, &how->pool[pool].restart);
}

/* Caches on their way from dead @replica are gone with it; their sequences are @moved. */
static void break_moves(StratOutage *outage, StratReplica *replica, StratSalvage *moved)
{
    for (StratSequence *s; (s = strat_serve_break_move(outage->run, replica));) {
        moved->tokens += s->computed;
        strat_replica_forget(replica, s);
        s->computed = 0;
        strat_sequence_insert(&moved->sequences, s, NULL);
    }
}

static void adopt(StratOutage *outage, StratReplica *replica, StratSequenceList *list)
{
    for (StratSequence *s; (s = list->head);) {
        strat_sequence_remove(list, s);
        strat_outage_hurt(outage, s);
        strat_replica_enqueue(replica, s);
    }
}

/* A replica as it is after a start, in the place of @index, whose sequences have gone. */
static StratReplica *renew(StratOutage *outage, size_t index)
{
    StratOutageSlot *slot = &outage->slot[index];
    g_clear_pointer(&slot->paces, strat_paces_free);
    slot->wire = 1.0;
    slot->life++;
    slot->resume = slot->link = slot->blocked = 0;
    return strat_serve_renew(outage->run, strat_outage_replica(outage, index));
}

void strat_outage_die(StratOutage *outage, size_t index, const StratFault *fault, StratFine now,
                      double detection_s)
{
    StratOutageSlot *slot = &outage->slot[index];
    StratReplica *replica = strat_outage_replica(outage, index);
    StratSalvage moved = {0}, salvage;
    strat_outage_give_back(outage, index);
    strat_serve_break_parts(outage->run, replica);
    break_moves(outage, replica, &moved);
    strat_salvage_all(replica, now, outage->how->policy->restores, &salvage);
    replica = renew(outage, index);
    slot->record = strat_outage_record(outage, index, fault->class_index, now,
                                       moved.sequences.length + salvage.sequences.length,
                                       moved.tokens + salvage.tokens, 1.0);
    adopt(outage, replica, &moved.sequences);
    adopt(outage, replica, &salvage.sequences);
    slot->state = STRAT_OUTAGE_DEAD;
    slot->away_s = strat_outage_away_s(outage, fault, slot->pool);
    outage->sums->cut_s += salvage.cut_s;
    strat_outage_push(outage, now + strat_fine_from_seconds(detection_s),
                      (StratOutageEvent){.kind = STRAT_OUTAGE_KNOWN, .replica = index});
}

/* Everybody knows that replica @index is not there: a spare takes its place, or it starts again. */
static void go_away(StratOutage *outage, size_t index, StratFine now)
{
    StratOutageSlot *slot = &outage->slot[index];
    StratFine again = now + strat_fine_from_seconds(slot->away_s);
    slot->state = STRAT_OUTAGE_AWAY;
    record_of(outage, slot->record)->known = strat_fine_ns(now);
    StratOutageEvent back = {.kind = STRAT_OUTAGE_BACK, .replica = index};
    if (outage->spares[slot->pool] > 0) {
        outage->spares[slot->pool]--;
        strat_outage_push(outage, again,
                          (StratOutageEvent){.kind = STRAT_OUTAGE_SPARE, .replica = slot->pool});
        again = now + strat_fine_from_seconds(outage->how->switch_s);
    }
    record_of(outage, slot->record)->due = strat_fine_ns(again);
    strat_outage_push(outage, again, back);
}

void strat_outage_settle(StratOutage *outage, const StratReplica *replica, StratFine now)
{
    size_t index = (size_t)replica->index;
    StratOutageSlot *slot = &outage->slot[index];
    if (slot->state != STRAT_OUTAGE_DRAINS || replica->outstanding > 0)
        return;
    renew(outage, index);
    slot->record = strat_outage_record(outage, index, slot->class_index, now, 0, 0, 1.0);
    go_away(outage, index, now);
}

static void drain(StratOutage *outage, size_t index, const StratFault *fault, StratFine now)
{
    StratOutageSlot *slot = &outage->slot[index];
    slot->state = STRAT_OUTAGE_DRAINS;
    slot->class_index = fault->class_index;
    slot->away_s = strat_outage_away_s(outage, fault, slot->pool);
    strat_outage_give_back(outage, index);
    strat_outage_settle(outage, strat_outage_replica(outage, index), now);
}

/* GPUs @from .. @to - 1 of replica @index are dead or hang. */
static void lose(StratOutage *outage, size_t index, const StratFault *fault, int64_t from,
                 int64_t to, StratFine now)
{
    const StratFailures *how = outage->how;
    bool hangs = how->faults.classes[fault->class_index].effect == STRAT_FAULT_HANG;
    double detection_s = strat_outage_draw(fault, STRAT_OUTAGE_DRAW_DETECTION,
                                           hangs ? &how->hang_detection : &how->stop_detection);
    bool drains = outage->slot[index].state == STRAT_OUTAGE_DRAINS;
    if (drains || !strat_outage_shrink(outage, index, fault, from, to, now, detection_s))
        strat_outage_die(outage, index, fault, now, detection_s);
}

/* @fault hits GPUs @from .. @to - 1 of the deployment, some of which are of replica @index. False:
 * which was not there. */
static bool strike(StratOutage *outage, size_t index, const StratFault *fault, int64_t from,
                   int64_t to, StratFine now)
{
    StratOutageSlot *slot = &outage->slot[index];
    StratFaultEffect effect = outage->how->faults.classes[fault->class_index].effect;
    bool drains = effect == STRAT_FAULT_PLANNED || effect == STRAT_FAULT_ALARM;
    if (slot->state != STRAT_OUTAGE_UP && (slot->state != STRAT_OUTAGE_DRAINS || drains))
        return false;
    from = MAX(from, slot->first_gpu) - slot->first_gpu;
    to = MIN(to, slot->first_gpu + slot->gpus) - slot->first_gpu;
    switch (effect) {
    case STRAT_FAULT_PLANNED:
    case STRAT_FAULT_ALARM:
        drain(outage, index, fault, now);
        return true;
    case STRAT_FAULT_SLOW:
    case STRAT_FAULT_CAP:
    case STRAT_FAULT_DEGRADE:
        strat_outage_slow(outage, index, fault, now);
        return true;
    case STRAT_FAULT_FLAP:
    case STRAT_FAULT_LINK:
        strat_outage_flap(outage, index, fault, now);
        return true;
    case STRAT_FAULT_PREEMPT:
        strat_outage_die(outage, index, fault, now, 0.0);
        return true;
    case STRAT_FAULT_SDC:
        return false;
    default:
        lose(outage, index, fault, from, to, now);
        return true;
    }
}

/* The fault that has come hits whom it hits. */
static void hit(StratOutage *outage, StratFine now)
{
    const StratFault fault = outage->fault;
    const StratFaultModel *model = &outage->how->faults;
    SimRandom where = sim_random_child(&fault.draws, STRAT_OUTAGE_DRAW_WHERE);
    StratFaultUnit unit = model->classes[fault.class_index].unit;
    int64_t per_node = model->site.gpus_per_node;
    int64_t from = fault.node * per_node;
    int64_t to = from + fault.nodes * per_node;
    if (unit == STRAT_FAULT_GPU) {
        from += (int64_t)sim_random_below(&where, (uint64_t)per_node);
        to = from + 1;
    } else if (unit == STRAT_FAULT_JOB) {
        from = outage->slot[sim_random_below(&where, outage->count)].first_gpu;
        to = from + 1;
    }
    if (model->classes[fault.class_index].effect == STRAT_FAULT_CAP) {
        from = 0;
        to = model->site.gpus;
    }
    draw_fault(outage);
    bool hits = false;
    for (size_t i = 0; i < outage->count; i++) {
        const StratOutageSlot *slot = &outage->slot[i];
        if (slot->first_gpu < to && from < slot->first_gpu + slot->gpus)
            hits = strike(outage, i, &fault, from, to, now) || hits;
    }
    outage->sums->faults += hits;
}

static void come_back(StratOutage *outage, size_t index, StratFine now)
{
    StratOutageSlot *slot = &outage->slot[index];
    slot->state = STRAT_OUTAGE_UP;
    strat_outage_replica(outage, index)->seen_at = now;
    record_of(outage, slot->record)->back = strat_fine_ns(now);
    strat_outage_resume(outage, index, now);
}

static void happen(StratOutage *outage, const StratOutageEvent *event, StratFine now)
{
    switch (event->kind) {
    case STRAT_OUTAGE_KNOWN:
        go_away(outage, event->replica, now);
        strat_outage_reroute(outage, event->replica, now);
        break;
    case STRAT_OUTAGE_BACK:
        come_back(outage, event->replica, now);
        break;
    case STRAT_OUTAGE_SPARE:
        outage->spares[event->replica]++;
        break;
    case STRAT_OUTAGE_RANKS:
        strat_outage_regrow(outage, event, now);
        break;
    case STRAT_OUTAGE_FASTER:
        strat_outage_faster(outage, event, now);
        break;
    case STRAT_OUTAGE_CACHE:
        strat_outage_deliver(outage, event, now);
        break;
    }
}

bool strat_outage_next(const StratOutage *outage, StratFine *at)
{
    const StratHeapItem *top = strat_heap_top(&outage->events);
    if (outage->has_fault)
        *at = strat_fine_from_ns(outage->fault.at);
    if (top && (!outage->has_fault || top->key >> TIE_BITS <= *at))
        *at = top->key >> TIE_BITS;
    return outage->has_fault || top;
}

void strat_outage_step(StratOutage *outage)
{
    const StratHeapItem *top = strat_heap_top(&outage->events);
    StratFine at;
    if (!strat_outage_next(outage, &at))
        return;
    if (!top || top->key >> TIE_BITS > at) {
        hit(outage, at);
        return;
    }
    g_autofree StratOutageEvent *event = top->item;
    strat_heap_remove(&outage->events, 0);
    happen(outage, event, at);
}

bool strat_outage_turns_away(const StratOutage *outage, const StratReplica *replica)
{
    const StratOutageSlot *slot = &outage->slot[replica->index];
    return slot->state == STRAT_OUTAGE_AWAY && strat_outage_has_up(outage, slot->pool);
}

bool strat_outage_is_pending(const StratOutage *outage, int64_t waiting)
{
    for (size_t i = 0; i < outage->count; i++)
        if (waiting > 0 && (outage->slot[i].state != STRAT_OUTAGE_UP || outage->slot[i].lost > 0))
            return true;
    return outage->caches > 0;
}

size_t strat_outage_open(const StratOutage *outage, size_t pool, StratReplica **open)
{
    size_t count = 0;
    for (int all = 0; all < 2 && count == 0; all++)
        for (size_t i = 0; i < outage->count; i++) {
            const StratOutageSlot *slot = &outage->slot[i];
            bool seems_up = slot->state == STRAT_OUTAGE_UP || slot->state == STRAT_OUTAGE_DEAD;
            if (slot->pool == pool && (seems_up || all))
                open[count++] = strat_outage_replica(outage, i);
        }
    return count;
}

bool strat_outage_holds(const StratOutage *outage, StratLane *lane, StratFine now, StratFine *until)
{
    const StratOutageSlot *slot = &outage->slot[lane->replica->index];
    bool stands = slot->state == STRAT_OUTAGE_DEAD || slot->state == STRAT_OUTAGE_AWAY;
    *until = stands ? 0 : slot->resume;
    if (!stands && now >= slot->resume)
        return false;
    for (guint i = 0; i < lane->gap->len; i++)
        g_array_index(lane->gap, StratGap, i).stalls = true;
    return true;
}

StratFine strat_outage_blocked(const StratOutage *outage, const StratReplica *from,
                               const StratReplica *to)
{
    return MAX(outage->slot[from->index].blocked, outage->slot[to->index].blocked);
}

double strat_outage_wire(const StratOutage *outage, const StratReplica *from,
                         const StratReplica *to)
{
    return fmax(outage->slot[from->index].wire, outage->slot[to->index].wire);
}

double strat_outage_gone_s(const StratOutageRecord *record, SimTime end)
{
    SimTime stop = MAX(end, record->at);
    SimTime stands = CLAMP(record->stands_until, record->at, stop);
    SimTime back = record->due < 0 ? stop : CLAMP(record->due, stands, stop);
    return sim_time_to_seconds(stands - record->at) +
           record->gone_fraction * sim_time_to_seconds(back - stands);
}

void strat_outage_close(StratOutage *outage)
{
    StratServeResult *result = outage->run->tally.result;
    SimTime end = strat_fine_ns(outage->run->tally.end);
    double gone_s = 0.0;
    double all_s = 0.0;
    for (size_t i = 0; i < outage->count; i++) {
        strat_outage_give_back(outage, i);
        all_s += (double)outage->slot[i].gpus * sim_time_to_seconds(end);
    }
    for (guint i = 0; i < outage->sums->outages->len; i++) {
        const StratOutageRecord *record = record_of(outage, i);
        double gpus = (double)outage->slot[record->replica].gpus;
        double gpu_s = gpus * strat_outage_gone_s(record, end);
        gone_s += gpu_s;
        outage->sums->down_s += record->gone_fraction < 1.0 ? 0.0 : gpu_s;
    }
    outage->sums->availability = all_s > 0.0 ? 1.0 - gone_s / all_s : 1.0;
    for (size_t p = 0; p < outage->run->pools; p++)
        result->gpus +=
            outage->how->pool[p].spares * strat_pool_gpus(&outage->run->spec->deployment->pool[p]);
}
