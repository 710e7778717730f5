/*
 * Replicas that go on with less: slow GPUs, NICs that flap, expert groups without some ranks. What
 * holds at one time is the worst of all that lasts, times what missing ranks make of it. Formulas
 * are in strat_outage.c and strat_pace.c.
 */
#include "strat_outage_private.h"

#include "strat_salvage.h"

#include <math.h>

static StratOutageRecord *record_of(const StratOutage *outage, guint record)
{
    return &g_array_index(outage->sums->outages, StratOutageRecord, record);
}

static bool holds_for(const StratOutageSlow *slow, size_t replica, int64_t life)
{
    return slow->replica == replica && slow->life == life;
}

/* Sets the pace of replica @index by all that lasts; the run under way ends with its iteration. */
static void set_pace(StratOutage *outage, size_t index, StratFine now)
{
    StratOutageSlot *slot = &outage->slot[index];
    StratReplica *replica = strat_outage_replica(outage, index);
    StratPace pace = {1.0, 1.0, 1.0};
    slot->wire = 1.0;
    for (guint i = 0; i < outage->slow->len; i++) {
        const StratOutageSlow *slow = &g_array_index(outage->slow, StratOutageSlow, i);
        if (!holds_for(slow, index, slot->life))
            continue;
        pace.all = fmax(pace.all, slow->pace.all);
        pace.experts = fmax(pace.experts, slow->pace.experts);
        pace.tensor = fmax(pace.tensor, slow->pace.tensor);
        slot->wire = fmax(slot->wire, slow->wire);
    }
    double ranks = (double)outage->how->pool[slot->pool].ranks;
    if (slot->lost > 0)
        pace.all *= ranks / (ranks - (double)slot->lost);
    if (!slot->paces)
        slot->paces = strat_paces_new(replica);
    strat_paces_set(slot->paces, pace);
    for (size_t i = 0; i < replica->lanes; i++)
        replica->lane[i].deaf = false;
    strat_serve_requeued(outage->run, replica, now);
}

static void begin_slow(StratOutage *outage, StratOutageSlow slow, StratFine now)
{
    slow.life = outage->slot[slow.replica].life;
    g_array_append_val(outage->slow, slow);
    strat_outage_push(outage, slow.until,
                      (StratOutageEvent){.kind = STRAT_OUTAGE_FASTER, .replica = slow.replica});
    set_pace(outage, slow.replica, now);
}

static StratFine end_of(const StratOutage *outage, const StratFault *fault, StratFine now)
{
    const StratFaultClass *c = &outage->how->faults.classes[fault->class_index];
    return now +
           strat_fine_from_seconds(strat_outage_draw(fault, STRAT_OUTAGE_DRAW_LASTS, &c->lasts));
}

/* A GPU or what of a NIC is left is at @clock_fraction and @nic_fraction of its speed. */
static void slow_down(StratOutage *outage, size_t index, double clock_fraction, double nic_fraction,
                      StratFine until, StratFine now)
{
    const StratPoolFailures *pool = &outage->how->pool[outage->slot[index].pool];
    double longer = 1.0 / nic_fraction;
    begin_slow(outage,
               (StratOutageSlow){
                   .replica = index,
                   .until = until,
                   .pace = {1.0 / clock_fraction, pool->is_across ? longer : 1.0,
                            pool->is_tensor_across ? longer : 1.0},
                   .wire = longer
    },
               now);
}

void strat_outage_slow(StratOutage *outage, size_t index, const StratFault *fault, StratFine now)
{
    const StratFaultClass *c = &outage->how->faults.classes[fault->class_index];
    double clock = c->effect == STRAT_FAULT_DEGRADE ? 1.0 : c->clock_fraction;
    if (c->nic_lost_fraction >= 1.0) {
        strat_outage_flap(outage, index, fault, now);
        return;
    }
    slow_down(outage, index, clock, 1.0 - c->nic_lost_fraction, end_of(outage, fault, now), now);
}

/* Replica @index, whose outage @record is, stands until @until: all its requests are hurt. */
static void stand(StratOutage *outage, size_t index, guint record, StratFine now, StratFine until)
{
    StratOutageSlot *slot = &outage->slot[index];
    StratReplica *replica = strat_outage_replica(outage, index);
    slot->resume = MAX(slot->resume, until);
    record_of(outage, record)->stands_until = strat_fine_ns(slot->resume);
    for (StratSequence *s = replica->waiting.head; s; s = s->next)
        strat_outage_hurt(outage, s);
    for (size_t i = 0; i < replica->lanes; i++) {
        replica->lane[i].deaf = false;
        for (StratSequence *s = replica->lane[i].running.head; s; s = s->next)
            strat_outage_hurt(outage, s);
    }
    strat_serve_requeued(outage->run, replica, now);
}

/* As stand(), of a replica that loses nothing by it. */
static void pause(StratOutage *outage, size_t index, uint32_t class_index, StratFine now,
                  StratFine until)
{
    int64_t requests = strat_outage_replica(outage, index)->outstanding;
    guint record = strat_outage_record(outage, index, class_index, now, requests, 0, 0.0);
    stand(outage, index, record, now, until);
    StratOutageRecord *of = record_of(outage, record);
    of->known = of->at;
    of->back = of->due = of->stands_until;
}

void strat_outage_flap(StratOutage *outage, size_t index, const StratFault *fault, StratFine now)
{
    const StratFailures *how = outage->how;
    StratOutageSlot *slot = &outage->slot[index];
    const StratPoolFailures *pool = &how->pool[slot->pool];
    StratFine until = end_of(outage, fault, now);
    if (how->nic_fraction > 0.0) {
        slow_down(outage, index, 1.0, how->nic_fraction, until, now);
        return;
    }
    slot->blocked = MAX(slot->blocked, until);
    slot->link = MAX(slot->link, until);
    if (pool->is_across && until - now > strat_fine_from_seconds(how->flap_s))
        strat_outage_die(
            outage, index, fault, now,
            strat_outage_draw(fault, STRAT_OUTAGE_DRAW_DETECTION, &how->hang_detection));
    else if (pool->is_across)
        pause(outage, index, fault->class_index, now, until);
}

void strat_outage_faster(StratOutage *outage, const StratOutageEvent *event, StratFine now)
{
    for (guint i = outage->slow->len; i > 0; i--) {
        const StratOutageSlow *slow = &g_array_index(outage->slow, StratOutageSlow, i - 1);
        if (slow->replica == event->replica && slow->until <= now)
            g_array_remove_index(outage->slow, i - 1);
    }
    if (outage->slot[event->replica].paces)
        set_pace(outage, event->replica, now);
}

/* What is left of the places of replica @index. */
static void set_places(StratOutage *outage, size_t index)
{
    const StratOutageSlot *slot = &outage->slot[index];
    int64_t ranks = outage->how->pool[slot->pool].ranks;
    int64_t places = slot->sequences;
    if (slot->lost > 0)
        places = MAX(places * (ranks - slot->lost) / ranks, 1);
    strat_outage_replica(outage, index)->max_sequences = places;
}

bool strat_outage_shrink(StratOutage *outage, size_t index, const StratFault *fault, int64_t from,
                         int64_t to, StratFine now, double detection_s)
{
    StratOutageSlot *slot = &outage->slot[index];
    StratReplica *replica = strat_outage_replica(outage, index);
    const StratPoolFailures *pool = &outage->how->pool[slot->pool];
    if (!outage->how->policy->shrinks || pool->most_lost == 0)
        return false;
    int64_t first = from / pool->rank_gpus;
    int64_t lost = (to - 1) / pool->rank_gpus - first + 1;
    if (slot->lost + lost > pool->most_lost)
        return false;
    StratSalvage salvage;
    int64_t blocks = strat_kv_blocks(replica->kv) * lost / pool->ranks;
    int64_t requests = replica->outstanding;
    strat_serve_break_parts(outage->run, replica);
    blocks = strat_salvage_ranks(replica, now, pool->ranks, first, lost, blocks, &salvage);
    outage->sums->cut_s += salvage.cut_s;
    slot->lost += lost;
    slot->withheld += blocks;
    set_places(outage, index);
    strat_outage_fail_unfit(outage, index, now);
    guint record = strat_outage_record(outage, index, fault->class_index, now, requests,
                                       salvage.tokens, (double)lost / (double)pool->ranks);
    StratFine known = now + strat_fine_from_seconds(detection_s);
    StratFine back =
        known + strat_fine_from_seconds(strat_outage_away_s(outage, fault, slot->pool));
    record_of(outage, record)->known = strat_fine_ns(known);
    record_of(outage, record)->due = strat_fine_ns(back);
    strat_outage_push(outage, back,
                      (StratOutageEvent){.kind = STRAT_OUTAGE_RANKS,
                                         .replica = index,
                                         .life = slot->life,
                                         .ranks = lost,
                                         .blocks = blocks,
                                         .record = record});
    set_pace(outage, index, now);
    stand(outage, index, record, now, known + strat_fine_from_seconds(outage->how->switch_s));
    return true;
}

void strat_outage_regrow(StratOutage *outage, const StratOutageEvent *event, StratFine now)
{
    StratOutageSlot *slot = &outage->slot[event->replica];
    record_of(outage, event->record)->back = strat_fine_ns(now);
    if (slot->life != event->life || slot->lost == 0)
        return;
    slot->lost -= event->ranks;
    slot->withheld -= event->blocks;
    strat_kv_give(strat_outage_replica(outage, event->replica)->kv, event->blocks);
    set_places(outage, event->replica);
    set_pace(outage, event->replica, now);
    pause(outage, event->replica, record_of(outage, event->record)->class_index, now,
          now + strat_fine_from_seconds(outage->how->switch_s));
}

void strat_outage_give_back(StratOutage *outage, size_t index)
{
    StratOutageSlot *slot = &outage->slot[index];
    if (slot->withheld > 0)
        strat_kv_give(strat_outage_replica(outage, index)->kv, slot->withheld);
    slot->lost = slot->withheld = 0;
    set_places(outage, index);
}
