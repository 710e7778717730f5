/* One history of a job: faults come from outside, in wall-clock time, whatever the job does, so two
 * policies meet the same faults.
 *
 *     running --stop, hang, long flap--> recovering: [save] detection, wait, restart + load
 *        ^                                    |  another fault: from the start, with what is lost
 *        +------------------------------------+
 *
 * A recovery is a list of phases, each booked in its bucket as time passes. A fault on the way
 * books what has passed and starts another; nodes lost in both count together for what survives in
 * memory. Nodes that failed are replaced by spares, or the job waits for the first ones that come
 * back from repair. Slow faults overlap: the slowest sets the pace. Where the job goes on without a
 * replica, that one returns when its own recovery is over.
 *
 * Left out: false alarms, evictions of the wrong node, and the time that repaired nodes take to be
 * checked beyond `repair`. */
#include "strat_campaign_once.h"

#include <math.h>

/* Purposes of a fault's random numbers. */
enum {
    DRAW_SWAP,
    DRAW_DETECT,
    DRAW_RESTART,
    DRAW_REPAIR,
    DRAW_ALLOCATE,
    DRAW_LASTS,
    DRAW_LUCK,
    DRAW_KEEP
};

enum { PHASES = 5 };

typedef struct Phase {
    StratLost bucket;
    SimTime span;
} Phase;

typedef struct Slow {
    SimTime until;
    double speed;
} Slow;

typedef struct Once {
    const StratCampaignPlan *plan;
    StratCampaignSample *sample;
    StratProgress progress;
    SimTime now;
    Phase phases[PHASES]; /* of the recovery under way, first first */
    int phase, phase_count;
    int64_t nodes_lost;  /* in it and those that it interrupted */
    GArray *slow;        /* of Slow */
    GArray *repairs;     /* of SimTime: nodes that come back, soonest first */
    GArray *returns;     /* of SimTime: replicas that come back, soonest first */
    int64_t spares;      /* that stand by */
    GHashTable *strikes; /* failures by node; only looked up */
} Once;

static SimTime to_ns(double seconds)
{
    double ns = seconds * 1e9;
    return ns < 0x1p62 ? (SimTime)llround(ns) : (SimTime)1 << 62;
}

static SimTime draw(const StratSpread *spread, const StratFault *fault, uint64_t purpose)
{
    return to_ns(strat_spread_draw(spread, sim_random_child(&fault->draws, purpose)));
}

static double luck(const StratFault *fault, uint64_t purpose)
{
    SimRandom stream = sim_random_child(&fault->draws, purpose);
    return sim_random_uniform(&stream);
}

static void insert_sorted(GArray *times, SimTime at)
{
    guint i = times->len;
    g_array_append_val(times, at);
    SimTime *all = (SimTime *)(void *)times->data;
    for (; i > 0 && all[i - 1] > at; i--)
        all[i] = all[i - 1];
    all[i] = at;
}

/* The pace of now, and when it changes by itself. */
static StratPace pace_of(Once *once, SimTime *until)
{
    StratPace pace = {
        .speed = 1.0,
        .replicas = once->plan->campaign->recovery.replicas,
        .replicas_lost = once->returns->len,
    };
    for (guint i = once->slow->len; i-- > 0;) {
        const Slow *slow = &g_array_index(once->slow, Slow, i);
        if (slow->until <= once->now) {
            g_array_remove_index_fast(once->slow, i);
            continue;
        }
        pace.speed = MIN(pace.speed, slow->speed);
        *until = MIN(*until, slow->until);
    }
    return pace;
}

static void add_phase(Once *once, StratLost bucket, SimTime span)
{
    if (span > 0)
        once->phases[once->phase_count++] = (Phase){bucket, span};
}

static void clear_phases(Once *once)
{
    once->phase = once->phase_count = 0;
}

/* Replicas that are back join: all stand still for it. */
static void rejoin(Once *once)
{
    while (once->returns->len > 0 && g_array_index(once->returns, SimTime, 0) <= once->now) {
        g_array_remove_index(once->returns, 0);
        if (once->phase_count == 0)
            add_phase(once, STRAT_LOST_RESTART, to_ns(once->plan->campaign->recovery.rejoin_s));
    }
}

static void run_until(Once *once, SimTime at)
{
    while (once->now < at) {
        if (once->phase < once->phase_count) {
            Phase *phase = &once->phases[once->phase];
            SimTime took = MIN(phase->span, at - once->now);
            once->progress.ledger[phase->bucket] += took;
            phase->span -= took;
            once->now += took;
            once->phase += phase->span == 0;
            continue;
        }
        clear_phases(once);
        once->nodes_lost = 0;
        rejoin(once);
        if (once->phase_count > 0)
            continue;
        SimTime until = at;
        if (once->returns->len > 0)
            until = MIN(until, g_array_index(once->returns, SimTime, 0));
        StratPace pace = pace_of(once, &until);
        strat_progress_run(&once->progress, &pace, until - once->now);
        once->now = until;
    }
}

/* Takes @nodes out for repair and returns how long the job waits for as many others. */
static SimTime replace(Once *once, const StratFault *fault, int64_t nodes)
{
    const StratCampaignSpares *spares = &once->plan->campaign->spares;
    if (nodes == 0)
        return 0;
    if (spares->nodes < 0)
        return draw(&spares->allocation, fault, DRAW_ALLOCATE);
    while (once->repairs->len > 0 && g_array_index(once->repairs, SimTime, 0) <= once->now) {
        g_array_remove_index(once->repairs, 0);
        once->spares++;
    }
    for (int64_t i = 0; i < nodes; i++)
        insert_sorted(once->repairs, once->now + draw(&spares->repair, fault, DRAW_REPAIR));
    int64_t missing = MAX(nodes - once->spares, 0);
    once->spares = MAX(once->spares - nodes, 0);
    if (missing == 0)
        return 0;
    SimTime back = g_array_index(once->repairs, SimTime, missing - 1);
    g_array_remove_range(once->repairs, 0, (guint)missing);
    return MAX(back - once->now, 0);
}

static SimTime lost_work(const Once *once, StratRecoveryLoss loss)
{
    SimTime done = once->progress.ledger[STRAT_LOST_NOTHING];
    if (loss == STRAT_LOSS_TO_MEMORY)
        return done % once->plan->memory;
    if (loss == STRAT_LOSS_TO_STEP)
        return done % once->plan->step;
    return SIM_TIME_MAX;
}

/* Every replica is needed at a restart, so the job waits for those that are away. */
static SimTime wait_for_replicas(Once *once)
{
    guint count = once->returns->len;
    SimTime last = count > 0 ? g_array_index(once->returns, SimTime, count - 1) : once->now;
    g_array_set_size(once->returns, 0);
    return MAX(last - once->now, 0);
}

static StratRecoveryCase case_of(Once *once, const StratFault *fault, int64_t swapped)
{
    const StratCampaign *campaign = once->plan->campaign;
    const StratCampaignRecovery *r = &campaign->recovery;
    SimRandom restart = sim_random_child(&fault->draws, DRAW_RESTART);
    return (StratRecoveryCase){
        .nodes = strat_fault_units(&campaign->faults.site, STRAT_FAULT_NODE),
        .nodes_lost = once->nodes_lost,
        .copies = campaign->checkpoint.copies,
        .replicas = r->replicas,
        .replicas_lost = once->returns->len,
        .most_lost = r->most_lost,
        .spare_is_free = campaign->spares.nodes < 0 || once->spares >= swapped,
        .chance = luck(fault, DRAW_LUCK),
        .restart_s = strat_spread_draw(&r->restart, restart),
        .warm_restart_s = strat_spread_draw(&r->warm_restart, restart),
        .load_s = r->load_s,
        .peer_load_s = r->peer_load_s,
        .save_s = campaign->checkpoint.save_s,
    };
}

static void recover(Once *once, const StratFault *fault, const StratSpread *detection,
                    int64_t swapped)
{
    clear_phases(once);
    once->nodes_lost += swapped;
    StratRecoveryCase failure = case_of(once, fault, swapped);
    StratRecoveryPlan plan = once->plan->campaign->recovery.policy->plan(&failure);
    SimTime detect = draw(detection, fault, DRAW_DETECT), wait = replace(once, fault, swapped);
    SimTime restart = to_ns(plan.restart_s + plan.load_s);
    strat_progress_lose(&once->progress, lost_work(once, plan.loss));
    add_phase(once, STRAT_LOST_DETECTION, detect);
    if (plan.goes_on) {
        /* The others stand still once as for a rejoin, when they leave the replica out. */
        add_phase(once, STRAT_LOST_RESTART, to_ns(once->plan->campaign->recovery.rejoin_s));
        insert_sorted(once->returns, once->now + detect + wait + restart);
        return;
    }
    wait = MAX(wait, wait_for_replicas(once) - detect);
    add_phase(once, STRAT_LOST_CHECKPOINT, to_ns(plan.save_s));
    if (plan.save_s > 0.0)
        strat_progress_secure(&once->progress);
    add_phase(once, STRAT_LOST_WAIT, wait);
    add_phase(once, STRAT_LOST_RESTART, restart);
}

/* A node that failed so often before is gone, and the sound one in its place fails less often: of
 * its faults only that share is real. */
static bool is_quarantined(Once *once, const StratFault *fault)
{
    const StratCampaign *campaign = once->plan->campaign;
    int64_t limit = campaign->spares.quarantine;
    if (limit == 0 || fault->nodes != 1)
        return false;
    gpointer key = GINT_TO_POINTER((gint)fault->node);
    int64_t strikes = GPOINTER_TO_INT(g_hash_table_lookup(once->strikes, key));
    if (strikes >= limit)
        return fault->is_lemon && luck(fault, DRAW_KEEP) >= 1.0 / campaign->faults.lemon_factor;
    g_hash_table_insert(once->strikes, key, GINT_TO_POINTER((gint)strikes + 1));
    return false;
}

static void stop(Once *once, const StratFault *fault, const StratSpread *detection)
{
    const StratFaultClass *c = &once->plan->campaign->faults.classes[fault->class_index];
    if (is_quarantined(once, fault))
        return;
    bool swaps = luck(fault, DRAW_SWAP) < c->swap_fraction;
    once->sample->stops++;
    once->sample->struck += once->phase >= once->phase_count;
    once->sample->by_class[fault->class_index]++;
    recover(once, fault, detection, swaps ? fault->nodes : 0);
}

static void pause_planned(Once *once, const StratFault *fault)
{
    const StratCampaign *campaign = once->plan->campaign;
    once->sample->planned++;
    once->sample->by_class[fault->class_index]++;
    strat_progress_secure(&once->progress);
    add_phase(once, STRAT_LOST_CHECKPOINT, to_ns(campaign->checkpoint.save_s));
    add_phase(once, STRAT_LOST_RESTART,
              draw(&campaign->recovery.restart, fault, DRAW_RESTART) +
                  to_ns(campaign->recovery.load_s));
}

static void flap(Once *once, const StratFault *fault, bool is_down)
{
    const StratCampaignRecovery *r = &once->plan->campaign->recovery;
    const StratFaultClass *c = &once->plan->campaign->faults.classes[fault->class_index];
    SimTime away = draw(&c->lasts, fault, DRAW_LASTS);
    if (away > to_ns(r->flap_s))
        stop(once, fault, &r->hang_detection);
    else if (!is_down)
        add_phase(once, STRAT_LOST_DEGRADED, away);
}

static void handle(Once *once, const StratFault *fault)
{
    const StratCampaignRecovery *r = &once->plan->campaign->recovery;
    const StratFaultClass *c = &once->plan->campaign->faults.classes[fault->class_index];
    bool is_down = once->phase < once->phase_count;
    if (!is_down)
        clear_phases(once);
    if (c->effect == STRAT_FAULT_SLOW) {
        Slow slow = {once->now + draw(&c->lasts, fault, DRAW_LASTS),
                     once->plan->speed[fault->class_index]};
        g_array_append_val(once->slow, slow);
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

void strat_campaign_once(const StratCampaignPlan *plan, uint64_t replication,
                         StratCampaignSample *sample)
{
    g_autoptr(GArray) slow = g_array_new(FALSE, FALSE, sizeof(Slow));
    g_autoptr(GArray) repairs = g_array_new(FALSE, FALSE, sizeof(SimTime));
    g_autoptr(GArray) returns = g_array_new(FALSE, FALSE, sizeof(SimTime));
    g_autoptr(GHashTable) strikes = g_hash_table_new(NULL, NULL);
    g_autoptr(StratFaultHistory) history =
        strat_fault_history_new(&plan->campaign->faults, replication);
    Once once = {
        .plan = plan,
        .sample = sample,
        .progress = {.rhythm = plan->rhythm},
        .slow = slow,
        .repairs = repairs,
        .returns = returns,
        .spares = MAX(plan->campaign->spares.nodes, 0),
        .strikes = strikes,
    };
    StratFault fault;
    while (strat_fault_history_next(history, &fault) && fault.at < plan->end) {
        run_until(&once, fault.at);
        handle(&once, &fault);
    }
    run_until(&once, plan->end);
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        sample->ledger[b] = once.progress.ledger[b];
}
