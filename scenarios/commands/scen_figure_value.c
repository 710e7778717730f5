/* Figures of failures, read off an outcome. Counts and shares of classes go by a pattern of their
 * names; times an interruption divide by the unplanned stops. */
#include "scen_judge.h"
#include "scen_money.h"
#include "scen_saves.h"
#include "scen_survive.h"
#include "strat_checkpoint.h"

#include <math.h>

static const double HOUR_S = 3600.0, DAY_S = 86400.0;

/* Unplanned stops of the classes of @figure. */
static double stops_of(const ScenFigure *figure, const ScenScenario *scenario,
                       const StratCampaignResult *r)
{
    if (!figure->of)
        return r->unplanned.mean;
    const GArray *classes = scenario->campaign.faults.classes;
    double sum = 0.0;
    bool found = false;
    for (guint i = 0; i < classes->len; i++) {
        const StratFaultClass *c = &g_array_index(classes, StratFaultClass, i);
        bool meant = g_pattern_match_simple(figure->of, c->name);
        found = found || meant;
        sum += meant ? r->class_mean[i] : 0.0;
    }
    return found ? sum : NAN;
}

/* Share of the time in the bucket of @figure. */
static double lost_of(const ScenFigure *figure, const StratCampaignResult *r)
{
    for (int b = 0; figure->of && b < STRAT_LOST_COUNT; b++)
        if (g_str_equal(figure->of, strat_lost_key((StratLost)b)))
            return r->lost[b].mean;
    return 1.0 - r->ettr.mean;
}

static double an_interruption(const StratCampaignResult *r, double share)
{
    return share * r->duration_s / r->unplanned.mean;
}

static double recovery_share(const StratCampaignResult *r)
{
    return r->lost[STRAT_LOST_DETECTION].mean + r->lost[STRAT_LOST_WAIT].mean +
           r->lost[STRAT_LOST_RESTART].mean;
}

/* Checkpoints as they were taken: by what the scenario says, or else by its storage. */
static StratCampaignCheckpoint checkpoint_of(const ScenScenario *scenario,
                                             const ScenOutcome *outcome)
{
    StratCampaign campaign = scenario->campaign.spec;
    if (outcome->has_saves)
        scen_saves_apply(&scenario->campaign, &outcome->saves, &campaign);
    return campaign.checkpoint;
}

static double lost_gpu_hours(const StratCampaignResult *r)
{
    return r->duration_s / HOUR_S * (double)(r->gpus + r->spare_gpus) * (1.0 - r->goodput.mean);
}

static double lost_usd(const ScenScenario *scenario, const StratCampaignResult *r)
{
    double share = recovery_share(r) + r->lost[STRAT_LOST_REWORK].mean;
    return an_interruption(r, share) / HOUR_S * (double)r->gpus *
           scen_money_usd_per_gpu_hour(&scenario->cost);
}

static double memory_chance(const ScenFigure *figure, const ScenScenario *scenario)
{
    return strat_recovery_in_memory_chance(scenario->cluster.node_count,
                                           scenario->campaign.spec.checkpoint.copies,
                                           (int64_t)g_ascii_strtoull(figure->of, NULL, 10));
}

/* Mean recoveries, where each failure takes a node. */
static double exact_ettr(const ScenScenario *scenario, double interval_s, double block_s)
{
    const StratCampaign *c = &scenario->campaign.spec;
    StratFaultModel faults = scen_fault_model(scenario);
    double recovery_s = strat_spread_mean(&c->recovery.stop_detection) +
                        strat_spread_mean(&c->spares.allocation) +
                        strat_spread_mean(&c->recovery.restart) + c->recovery.load_s;
    return strat_checkpoint_exact(interval_s, block_s, recovery_s,
                                  1.0 / strat_fault_stop_rate(&faults));
}

static double campaign_value(const ScenFigure *figure, const ScenScenario *scenario,
                             const ScenOutcome *outcome)
{
    const StratCampaignResult *r = outcome->campaign;
    StratCampaignCheckpoint checkpoint = checkpoint_of(scenario, outcome);
    double nodes = (double)scenario->cluster.node_count, gpus = (double)r->gpus;
    switch (figure->kind) {
    case SCEN_FIGURE_INTERRUPTIONS:
        return stops_of(figure, scenario, r);
    case SCEN_FIGURE_PLANNED:
        return r->interruptions.mean - r->unplanned.mean;
    case SCEN_FIGURE_PER_NODE:
        return 1e3 * stops_of(figure, scenario, r) / (nodes * r->duration_s / DAY_S);
    case SCEN_FIGURE_PER_GPU:
        return 1e6 * stops_of(figure, scenario, r) / (gpus * r->duration_s / HOUR_S);
    case SCEN_FIGURE_GPU_DAYS:
        return gpus * r->duration_s / DAY_S / stops_of(figure, scenario, r);
    case SCEN_FIGURE_SHARE:
        return stops_of(figure, scenario, r) / r->unplanned.mean;
    case SCEN_FIGURE_MTTF:
        return r->mttf_s.mean;
    case SCEN_FIGURE_ETTR:
        return r->ettr.mean;
    case SCEN_FIGURE_UPTIME:
        return r->uptime.mean;
    case SCEN_FIGURE_GOODPUT:
        return r->goodput.mean;
    case SCEN_FIGURE_LOST:
        return lost_of(figure, r);
    case SCEN_FIGURE_STRETCH:
        return 1.0 / r->ettr.mean;
    case SCEN_FIGURE_BEYOND_EXACT:
        return r->ettr.mean - exact_ettr(scenario, r->interval_s, checkpoint.block_s);
    case SCEN_FIGURE_LOST_TIME:
        return an_interruption(r, lost_of(figure, r));
    case SCEN_FIGURE_RECOVERY:
        return an_interruption(r, recovery_share(r));
    case SCEN_FIGURE_LOST_GPU_HOURS:
        return lost_gpu_hours(r);
    case SCEN_FIGURE_LOST_USD:
        return lost_usd(scenario, r);
    case SCEN_FIGURE_INTERVAL:
        return r->interval_s;
    case SCEN_FIGURE_SAVING:
        return checkpoint.save_s / (r->interval_s + checkpoint.block_s);
    case SCEN_FIGURE_SAVE:
        return checkpoint.save_s;
    case SCEN_FIGURE_MEMORY_CHANCE:
        return memory_chance(figure, scenario);
    default:
        return NAN;
    }
}

double scen_figure_value(const ScenFigure *figure, const ScenScenario *scenario,
                         const ScenOutcome *outcome)
{
    const StratReplayTotals *t = &outcome->totals;
    if (figure->kind == SCEN_FIGURE_STEP)
        return outcome->step_s > 0.0 ? outcome->step_s : NAN;
    if (outcome->served)
        return figure->kind == SCEN_FIGURE_STALL && outcome->served->result
                   ? scen_served_metric(scenario, outcome->served, SCEN_METRIC_STALL)
                   : NAN;
    if (outcome->campaign)
        return campaign_value(figure, scenario, outcome);
    if (!scenario->replay)
        return NAN;
    switch (figure->kind) {
    case SCEN_FIGURE_REPLAYED:
        return t->replayed_s;
    case SCEN_FIGURE_WITHOUT_GAPS:
        return t->without_gaps_s;
    case SCEN_FIGURE_STRAGGLER_FREE:
        return t->no_stragglers_s;
    case SCEN_FIGURE_SLOWDOWN:
        return t->without_gaps_s / t->no_stragglers_s;
    default:
        return NAN;
    }
}
