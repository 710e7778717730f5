/* What faults do to a job: stop it, stand it still until a timeout tells, slow it down, take a link
 * away for a time, or stop it after a checkpoint as planned. Left out: false alarms, and evictions
 * of the wrong node. */
#include "strat_once.h"

static void stop(StratOnce *once, const StratFault *fault, const StratSpread *detection)
{
    const StratFaultClass *c = &once->plan->campaign->faults.classes[fault->class_index];
    if (strat_spare_pool_is_quarantined(&once->pool, fault))
        return;
    bool swaps = strat_once_luck(fault, STRAT_DRAW_SWAP) < c->swap_fraction;
    once->sample->stops++;
    once->sample->struck += once->phase >= once->phase_count;
    once->sample->by_class[fault->class_index]++;
    strat_once_recover(once, fault, detection, swaps ? fault->nodes : 0);
}

static void pause_planned(StratOnce *once, const StratFault *fault)
{
    const StratCampaign *campaign = once->plan->campaign;
    strat_incident_note(once->sample->log, fault, once->now, once->progress.ledger);
    once->sample->planned++;
    once->sample->by_class[fault->class_index]++;
    strat_progress_secure(&once->progress);
    strat_once_phase(once, STRAT_LOST_CHECKPOINT, strat_once_ns(campaign->checkpoint.save_s));
    strat_once_phase(once, STRAT_LOST_RESTART,
                     strat_once_draw(&campaign->recovery.restart, fault, STRAT_DRAW_RESTART) +
                         strat_once_ns(campaign->recovery.load_s));
}

static void flap(StratOnce *once, const StratFault *fault, bool is_down)
{
    const StratCampaignRecovery *r = &once->plan->campaign->recovery;
    const StratFaultClass *c = &once->plan->campaign->faults.classes[fault->class_index];
    SimTime away = strat_once_draw(&c->lasts, fault, STRAT_DRAW_LASTS);
    if (away > strat_once_ns(r->flap_s))
        stop(once, fault, &r->hang_detection);
    else if (!is_down) {
        strat_incident_note(once->sample->log, fault, once->now, once->progress.ledger);
        strat_once_phase(once, STRAT_LOST_DEGRADED, away);
    }
}

/* A GPU of the node, and the NIC that it is nearest to. */
static void slow_down(StratOnce *once, const StratFault *fault)
{
    const StratCampaign *campaign = once->plan->campaign;
    const StratFaultSite *site = &campaign->faults.site;
    const StratFaultClass *c = &campaign->faults.classes[fault->class_index];
    SimTime until = once->now + strat_once_draw(&c->lasts, fault, STRAT_DRAW_LASTS);
    SimRandom stream = sim_random_child(&fault->draws, STRAT_DRAW_PLACE);
    strat_incident_slow(once->sample->log, fault, once->now, until);
    int64_t first = fault->node * site->gpus_per_node;
    int64_t here = MIN(site->gpus_per_node, site->gpus - first);
    int64_t gpu = here > 0 ? (int64_t)sim_random_below(&stream, (uint64_t)here) : 0;
    if (c->clock_fraction < 1.0)
        strat_condition_slow(&once->condition, until,
                             (StratSlowGpu){first + gpu, c->clock_fraction});
    if (c->nic_lost_fraction > 0.0)
        strat_condition_weak(&once->condition, until,
                             (StratWeakNic){fault->node,
                                            gpu * campaign->nics_per_node / site->gpus_per_node,
                                            1.0 - c->nic_lost_fraction});
}

void strat_once_handle(StratOnce *once, const StratFault *fault)
{
    const StratCampaignRecovery *r = &once->plan->campaign->recovery;
    const StratFaultClass *c = &once->plan->campaign->faults.classes[fault->class_index];
    bool is_down = once->phase < once->phase_count;
    if (!is_down)
        strat_once_clear_phases(once);
    if (c->effect == STRAT_FAULT_SLOW) {
        slow_down(once, fault);
    } else if (is_down && (r->is_safe || c->effect == STRAT_FAULT_PLANNED)) {
        return;
    } else if (c->effect == STRAT_FAULT_STOP) {
        stop(once, fault, &r->stop_detection);
    } else if (c->effect == STRAT_FAULT_HANG) {
        stop(once, fault, &r->hang_detection);
    } else if (c->effect == STRAT_FAULT_FLAP) {
        flap(once, fault, is_down);
    } else {
        pause_planned(once, fault);
    }
}
