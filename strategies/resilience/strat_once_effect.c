/* What faults do to a job.
 *
 *   stop      it dies, and everybody sees it
 *   hang      it stands until a check or a communicator's timeout tells
 *   slow      one GPU at a reduced clock, for a time (also: a busy host, a downgraded PCIe link)
 *   flap      a link is away: a stall, or a hang when that outlasts the retransmissions
 *   planned   a checkpoint, a standstill (of maintenance, if any), a restart
 *   degrade   a NIC at a fraction of its bandwidth (also: a leaf that lost an uplink, its share)
 *   link      a NIC's way out is gone: a hang, or with a failover a stall and then a degrade
 *   cap       all GPUs at a reduced clock
 *   sdc       work that is wrong from here on; found later, all of it is done again
 *   preempt   nodes leave after a warning, in which a checkpoint may fit, and return after a time
 *   alarm     a healthy node is taken away
 *
 * Left out: one NIC stands for all that a fault of a switch degrades, since the slowest sets the
 * pace. */
#include "strat_once.h"

typedef void HandleFunc(StratOnce *once, const StratFault *fault, bool is_down);

static const StratFaultClass *class_of(const StratOnce *once, const StratFault *fault)
{
    return &once->plan->campaign->faults.classes[fault->class_index];
}

SimTime strat_once_recovery_left(const StratOnce *once)
{
    SimTime sum = 0;
    for (int i = once->phase; i < once->phase_count; i++)
        sum += once->phases[i].span;
    return sum;
}

static void relapse(StratOnce *once, const StratFault *fault, int64_t attempt, bool evicts)
{
    StratRelapse next =
        strat_detect_relapse(&once->plan->campaign->detection, fault, attempt, evicts);
    strat_once_phase(once, STRAT_LOST_WAIT, next.wait);
    if (!next.comes_back)
        return;
    StratNotice again = {
        .at = once->now + strat_once_recovery_left(once) + next.after,
        .kind = STRAT_NOTICE_AGAIN,
        .fault = *fault,
        .attempt = attempt + 1,
    };
    again.fault.draws = sim_random_child(&fault->draws, STRAT_DRAW_AGAIN);
    strat_once_await(once, &again);
}

void strat_once_stop(StratOnce *once, const StratFault *fault, double detection_s, int64_t attempt)
{
    const StratFaultClass *c = class_of(once, fault);
    if (attempt == 0 && strat_spare_pool_is_quarantined(&once->pool, fault))
        return;
    bool swaps = fault->nodes > 0 && strat_once_luck(fault, STRAT_DRAW_SWAP) < c->swap_fraction;
    bool evicts = swaps && c->effect != STRAT_FAULT_PREEMPT && c->effect != STRAT_FAULT_ALARM;
    int64_t others = evicts ? once->plan->campaign->detection.over_evicted : 0;
    StratSpread detection = {STRAT_SPREAD_FIXED, .mean_s = detection_s};
    once->sample->stops++;
    once->sample->struck += once->phase >= once->phase_count;
    once->sample->by_class[fault->class_index]++;
    strat_once_recover(once, fault, &detection, swaps ? fault->nodes + others : 0);
    strat_once_forget_healed(once);
    relapse(once, fault, attempt, evicts);
}

static void stop(StratOnce *once, const StratFault *fault, bool is_down)
{
    (void)is_down;
    const StratCampaign *campaign = once->plan->campaign;
    strat_once_stop(
        once, fault,
        strat_detect_s(&campaign->detection, &campaign->recovery.stop_detection, fault, false), 0);
}

static void hang(StratOnce *once, const StratFault *fault, bool is_down)
{
    (void)is_down;
    const StratCampaign *campaign = once->plan->campaign;
    strat_once_stop(
        once, fault,
        strat_detect_s(&campaign->detection, &campaign->recovery.hang_detection, fault, true), 0);
}

int64_t strat_once_gpu(const StratOnce *once, const StratFault *fault)
{
    const StratFaultSite *site = &once->plan->campaign->faults.site;
    SimRandom stream = sim_random_child(&fault->draws, STRAT_DRAW_PLACE);
    int64_t first = fault->node * site->gpus_per_node;
    int64_t here = MIN(site->gpus_per_node, site->gpus - first);
    return first + (here > 0 ? (int64_t)sim_random_below(&stream, (uint64_t)here) : 0);
}

/* For its time a GPU has a lower clock, the NIC that it is nearest to less bandwidth. */
static void wear(StratOnce *once, const StratFault *fault, SimTime until, double nic_left)
{
    const StratCampaign *campaign = once->plan->campaign;
    const StratFaultClass *c = class_of(once, fault);
    int64_t gpu = strat_once_gpu(once, fault), per_node = campaign->faults.site.gpus_per_node;
    strat_incident_slow(once->sample->log, fault, once->now, until);
    if (c->effect == STRAT_FAULT_SLOW && c->clock_fraction < 1.0)
        strat_condition_slow(&once->condition, until, (StratSlowGpu){gpu, c->clock_fraction});
    if (nic_left < 1.0)
        strat_condition_weak(&once->condition, until,
                             (StratWeakNic){fault->node,
                                            gpu % per_node * campaign->nics_per_node / per_node,
                                            nic_left});
}

static void go_on_worn(StratOnce *once, const StratFault *fault, double nic_left)
{
    const StratDetection *d = &once->plan->campaign->detection;
    SimTime lasts = strat_once_draw(&class_of(once, fault)->lasts, fault, STRAT_DRAW_LASTS);
    wear(once, fault, once->now + lasts, nic_left);
    if (!strat_detect_sees_slow(d, fault, lasts))
        return;
    strat_once_await(once, &(StratNotice){
                               .at = once->now + sim_time_capped(d->slow_window_s),
                               .kind = STRAT_NOTICE_SLOW,
                               .fault = *fault,
                               .until = once->now + lasts,
                           });
}

static void slow(StratOnce *once, const StratFault *fault, bool is_down)
{
    (void)is_down;
    go_on_worn(once, fault, 1.0 - class_of(once, fault)->nic_lost_fraction);
}

static void cap(StratOnce *once, const StratFault *fault, bool is_down)
{
    (void)is_down;
    SimTime lasts = strat_once_draw(&class_of(once, fault)->lasts, fault, STRAT_DRAW_LASTS);
    strat_incident_slow(once->sample->log, fault, once->now, once->now + lasts);
    strat_condition_cap(&once->condition, once->now + lasts,
                        once->plan->cap_speed[fault->class_index]);
}

static void flap(StratOnce *once, const StratFault *fault, bool is_down)
{
    SimTime away = strat_once_draw(&class_of(once, fault)->lasts, fault, STRAT_DRAW_LASTS);
    if (away > sim_time_capped(once->plan->campaign->recovery.flap_s))
        hang(once, fault, is_down);
    else if (!is_down) {
        strat_incident_note(once->sample->log, fault, once->now, once->progress.ledger);
        strat_once_phase(once, STRAT_LOST_DEGRADED, away);
    }
}

static void pause_planned(StratOnce *once, const StratFault *fault, bool is_down)
{
    (void)is_down;
    const StratCampaign *campaign = once->plan->campaign;
    const StratFaultClass *c = class_of(once, fault);
    strat_incident_note(once->sample->log, fault, once->now, once->progress.ledger);
    once->sample->planned++;
    once->sample->by_class[fault->class_index]++;
    strat_progress_secure(&once->progress);
    strat_once_phase(once, STRAT_LOST_CHECKPOINT, sim_time_capped(campaign->checkpoint.save_s));
    strat_once_phase(once, STRAT_LOST_WAIT, strat_once_draw(&c->lasts, fault, STRAT_DRAW_LASTS));
    strat_once_phase(once, STRAT_LOST_RESTART,
                     strat_once_draw(&campaign->recovery.restart, fault, STRAT_DRAW_RESTART) +
                         sim_time_capped(campaign->recovery.load_s));
}

static void lose_link(StratOnce *once, const StratFault *fault, bool is_down)
{
    const StratCampaign *campaign = once->plan->campaign;
    double left = strat_campaign_link_left(campaign);
    if (left == 0.0) {
        hang(once, fault, is_down);
        return;
    }
    go_on_worn(once, fault, left);
    if (!is_down)
        strat_once_phase(once, STRAT_LOST_DEGRADED,
                         sim_time_capped(campaign->recovery.failover_stall_s));
}

static void corrupt(StratOnce *once, const StratFault *fault, bool is_down)
{
    (void)is_down;
    if (once->plan->campaign->detection.replay_fraction > 0.0) {
        strat_once_stop(once, fault, 0.0, 0);
        return;
    }
    const StratFaultClass *c = class_of(once, fault);
    const StratProgress *p = &once->progress;
    SimTime work = p->ledger[STRAT_LOST_NOTHING];
    strat_once_await(
        once, &(StratNotice){
                  .at = once->now + strat_once_draw(&c->found_after, fault, STRAT_DRAW_FOUND),
                  .kind = STRAT_NOTICE_SDC,
                  .fault = *fault,
                  .work = work,
                  .clean = work - strat_progress_unsafe(p),
                  .saves = strat_progress_safe_saves(p),
              });
}

static void preempt(StratOnce *once, const StratFault *fault, bool is_down)
{
    double save_s = once->plan->campaign->checkpoint.save_s;
    bool saves = !is_down && save_s <= class_of(once, fault)->warning_s;
    if (saves)
        strat_progress_secure(&once->progress);
    strat_once_stop(once, fault, 0.0, 0);
    if (saves)
        strat_once_phase(once, STRAT_LOST_CHECKPOINT, sim_time_capped(save_s));
}

static void raise_alarm(StratOnce *once, const StratFault *fault, bool is_down)
{
    (void)is_down;
    strat_once_stop(once, fault, 0.0, 0);
}

/* Whether a fault counts while the job recovers. */
typedef enum Down { NEVER, UNLESS_SAFE, ALWAYS } Down;

static const struct {
    HandleFunc *handle;
    Down down;
} effects[] = {
    [STRAT_FAULT_STOP] = {stop,          UNLESS_SAFE},
    [STRAT_FAULT_HANG] = {hang,          UNLESS_SAFE},
    [STRAT_FAULT_SLOW] = {slow,          ALWAYS     },
    [STRAT_FAULT_FLAP] = {flap,          UNLESS_SAFE},
    [STRAT_FAULT_PLANNED] = {pause_planned, NEVER      },
    [STRAT_FAULT_DEGRADE] = {slow,          ALWAYS     },
    [STRAT_FAULT_LINK] = {lose_link,     UNLESS_SAFE},
    [STRAT_FAULT_CAP] = {cap,           ALWAYS     },
    [STRAT_FAULT_SDC] = {corrupt,       NEVER      },
    [STRAT_FAULT_PREEMPT] = {preempt,       UNLESS_SAFE},
    [STRAT_FAULT_ALARM] = {raise_alarm,   NEVER      },
};
_Static_assert(G_N_ELEMENTS(effects) == STRAT_FAULT_EFFECTS, "a row for each effect");

void strat_once_handle(StratOnce *once, const StratFault *fault)
{
    StratFaultEffect effect = class_of(once, fault)->effect;
    bool is_down = once->phase < once->phase_count;
    if (!is_down)
        strat_once_clear_phases(once);
    bool is_safe = once->plan->campaign->recovery.is_safe;
    Down down = effects[effect].down;
    if (!is_down || down == ALWAYS || (down == UNLESS_SAFE && !is_safe))
        effects[effect].handle(once, fault, is_down);
}
