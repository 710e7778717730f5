/* Campaigns: the interval between checkpoints, replications (strat_replicate.h), and what they say
 * together. Every replication is a function of (campaign, seed, its number) alone.
 *
 * Definitions, with T all time, GPUs counted once:
 *   ETTR     productive time / T (Kokolis et al., arXiv 2410.21680); waiting is in T, and time that
 *            goes into work that is lost later, or is slower than healthy steps, is not productive
 *   uptime   time in which steps run or are saved / T: rework counts
 *   goodput  productive GPU time / (GPUs and standing spares x T)
 *   MTTF     time as in uptime / unplanned stops of a running job
 *
 * The optimised interval is the best of a geometric grid around Young's, each point simulated with
 * the same failures. Work is counted in healthy steps. */
#include "strat_campaign.h"

#include "sim_math.h"
#include "strat_campaign_once.h"
#include "strat_checkpoint.h"

#include <math.h>
#include <string.h>

enum { GRID = 33, GRID_REPLICATIONS = 24 };
static const double GRID_SPAN = 16.0; /* from Young's interval over this to it times this */

/* Replications under way. */
typedef struct Work {
    const StratCampaignPlan *plan;
    StratCampaignSample *samples;
} Work;

static const struct {
    const char *key, *name;
} buckets[] = {
    [STRAT_LOST_NOTHING] = {"productive",       "productive steps"     },
    [STRAT_LOST_DEGRADED] = {"degraded",         "slow steps and stalls"},
    [STRAT_LOST_MISSING] = {"missing_replicas", "missing replicas"     },
    [STRAT_LOST_CHECKPOINT] = {"checkpoint",       "saving"               },
    [STRAT_LOST_DETECTION] = {"detection",        "detection"            },
    [STRAT_LOST_WAIT] = {"wait",             "waiting for nodes"    },
    [STRAT_LOST_RESTART] = {"restart",          "restart and load"     },
    [STRAT_LOST_REWORK] = {"rework",           "rework"               },
};
_Static_assert(G_N_ELEMENTS(buckets) == STRAT_LOST_COUNT, "a row for each bucket");

const char *strat_lost_key(StratLost lost)
{
    return buckets[lost].key;
}

const char *strat_lost_name(StratLost lost)
{
    return buckets[lost].name;
}

static void append(GByteArray *bytes, const void *data, size_t size)
{
    g_byte_array_append(bytes, data, (guint)size);
}

/* What came of a replication: its sample, stops by class, how many incidents and these, what it
 * asked of the memo. */
static GBytes *pack(const StratCampaignSample *sample, size_t classes, const StratStepView *view)
{
    const GArray *incidents = sample->log ? sample->log->incidents : NULL;
    size_t count = incidents ? incidents->len : 0;
    GByteArray *bytes = g_byte_array_new();
    append(bytes, sample, sizeof *sample);
    append(bytes, sample->by_class, classes * sizeof *sample->by_class);
    append(bytes, &count, sizeof count);
    if (count > 0)
        append(bytes, incidents->data, count * sizeof(StratIncident));
    if (view)
        strat_step_view_write(view, bytes);
    return g_byte_array_free_to_bytes(bytes);
}

static GBytes *run_one(int64_t i, void *ctx)
{
    const Work *work = ctx;
    StratCampaign campaign = *work->plan->campaign;
    StratCampaignPlan plan = *work->plan;
    plan.campaign = &campaign;
    g_autoptr(StratStepView) view = campaign.memo ? strat_step_view_new(campaign.memo) : NULL;
    if (view) {
        campaign.step = strat_step_view_step;
        campaign.step_ctx = view;
    }
    g_autoptr(StratAdaptTable) adapted = strat_adapt_table_new(
        campaign.step, campaign.step_ctx, campaign.recovery.policy->adaptation, plan.step_s,
        strat_fault_nodes(&campaign.faults.site), campaign.recovery.stages);
    plan.adapted = adapted;
    g_autofree int64_t *by_class = g_new0(int64_t, campaign.faults.count + 1);
    g_autoptr(GArray) incidents = g_array_new(FALSE, FALSE, sizeof(StratIncident));
    StratIncidentLog log = {.incidents = incidents};
    bool keeps = work->samples[i].log != NULL;
    StratCampaignSample sample = {.by_class = by_class, .log = keeps ? &log : NULL};
    strat_campaign_once(&plan, (uint64_t)i, &sample);
    return pack(&sample, campaign.faults.count, view);
}

static const guint8 *copy(void *into, const guint8 *data, size_t size)
{
    if (size > 0)
        memcpy(into, data, size);
    return data + size;
}

/* Undoes pack(). The sample came with pointers of its maker. */
static bool take_one(int64_t i, GBytes *bytes, void *ctx)
{
    const Work *work = ctx;
    const StratCampaign *campaign = work->plan->campaign;
    StratCampaignSample *sample = &work->samples[i];
    int64_t *by_class = sample->by_class;
    StratIncidentLog *log = sample->log;
    size_t size = 0, count = 0;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    const guint8 *end = data + size;
    data = copy(sample, data, sizeof *sample);
    sample->by_class = by_class;
    sample->log = log;
    data = copy(by_class, data, campaign->faults.count * sizeof *by_class);
    data = copy(&count, data, sizeof count);
    if (log)
        g_array_append_vals(log->incidents, data, (guint)count);
    data += count * sizeof(StratIncident);
    if (campaign->memo)
        strat_step_memo_take(campaign->memo, data, (size_t)(end - data));
    return true;
}

static void run_all(const StratCampaignPlan *plan, StratCampaignSample *samples, int64_t count)
{
    Work work = {.plan = plan, .samples = samples};
    SimFarm threads = sim_farm_threads(0);
    const SimFarm *farm = plan->campaign->farm;
    SimFarmJob job = {
        .count = count, .work = run_one, .take = take_one, .ctx = &work, .everywhere = true};
    sim_farm_run(farm ? farm : &threads, &job, NULL);
}

static void set_interval(StratCampaignPlan *plan, double interval_s)
{
    const StratCampaignCheckpoint *c = &plan->campaign->checkpoint;
    SimTime block = sim_time_capped(c->block_s), flush = MAX(sim_time_capped(c->save_s) - block, 0);
    double steps = MAX(interval_s * 1e9 / (double)plan->step, 1.0);
    SimTime work = steps < (double)plan->end / (double)plan->step
                       ? llround(steps) * plan->step
                       : (plan->end / plan->step + 1) * plan->step;
    while (work < flush)
        work += plan->step;
    /* Copies to peers are many in a round; they are booked at its end. */
    block += llround(c->memory_block_s * 1e9 * (double)work / (double)plan->memory);
    plan->rhythm = (StratRhythm){work, block, flush};
}

static double mean_ettr(const StratCampaignPlan *plan)
{
    StratCampaignSample samples[GRID_REPLICATIONS] = {0};
    size_t classes = plan->campaign->faults.count;
    g_autofree int64_t *by_class = g_new0(int64_t, GRID_REPLICATIONS * classes + 1);
    for (size_t i = 0; i < GRID_REPLICATIONS; i++)
        samples[i].by_class = by_class + i * classes;
    run_all(plan, samples, GRID_REPLICATIONS);
    double sum = 0.0;
    for (size_t i = 0; i < GRID_REPLICATIONS; i++)
        sum += (double)samples[i].ledger[STRAT_LOST_NOTHING];
    return sum;
}

static void choose_interval(StratCampaignPlan *plan)
{
    const StratCampaignCheckpoint *c = &plan->campaign->checkpoint;
    double rate = strat_fault_stop_rate(&plan->campaign->faults);
    double mttf_s = rate > 0.0 ? 1.0 / rate : plan->campaign->duration_s;
    double young_s = strat_checkpoint_young(c->block_s, mttf_s);
    if (c->every == STRAT_EVERY_FIXED)
        set_interval(plan, c->interval_s);
    else if (c->every == STRAT_EVERY_DALY)
        set_interval(plan, strat_checkpoint_daly(c->block_s, mttf_s));
    else
        set_interval(plan, young_s);
    if (c->every != STRAT_EVERY_OPTIMISED)
        return;
    double best = -1.0, best_s = young_s;
    for (int i = 0; i < GRID; i++) {
        double place = 2.0 * i / (GRID - 1) - 1.0;
        double interval_s = young_s * sim_math_exp(place * sim_math_log(GRID_SPAN));
        set_interval(plan, interval_s);
        double ettr = mean_ettr(plan);
        if (ettr > best) {
            best = ettr;
            best_s = interval_s;
        }
    }
    set_interval(plan, best_s);
}

static SimTime running(const StratCampaignSample *sample)
{
    return sample->ledger[STRAT_LOST_NOTHING] + sample->ledger[STRAT_LOST_DEGRADED] +
           sample->ledger[STRAT_LOST_MISSING] + sample->ledger[STRAT_LOST_CHECKPOINT] +
           sample->ledger[STRAT_LOST_REWORK];
}

static double stops_of(const StratCampaignSample *sample)
{
    return (double)(sample->stops + sample->planned);
}

static double unplanned_of(const StratCampaignSample *sample)
{
    return (double)sample->stops;
}

static double running_of(const StratCampaignSample *sample)
{
    return (double)running(sample);
}

static StratEstimate estimate_of(const StratCampaignSample *samples, int64_t count,
                                 double (*value)(const StratCampaignSample *), double scale)
{
    g_autofree double *values = g_new(double, count);
    for (int64_t i = 0; i < count; i++)
        values[i] = value(&samples[i]) * scale;
    return strat_estimate(values, count);
}

static StratEstimate estimate_mttf(const StratCampaignSample *samples, int64_t count)
{
    g_autofree double *values = g_new(double, count);
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++)
        if (samples[i].struck > 0)
            values[n++] = (double)running(&samples[i]) * 1e-9 / (double)samples[i].struck;
    return strat_estimate(values, n);
}

static StratEstimate scaled(StratEstimate e, double factor)
{
    return (StratEstimate){e.mean * factor, e.low * factor, e.high * factor, e.least * factor,
                           e.most * factor};
}

static void summarise(const StratCampaignPlan *plan, const StratCampaignSample *samples,
                      StratCampaignResult *r)
{
    int64_t n = r->replications;
    double whole = 1.0 / (double)plan->end;
    g_autofree double *values = g_new(double, n);
    for (int b = 0; b < STRAT_LOST_COUNT; b++) {
        for (int64_t i = 0; i < n; i++)
            values[i] = (double)samples[i].ledger[b] * whole;
        r->lost[b] = strat_estimate(values, n);
        r->mean_gpu_s[b] = r->lost[b].mean * (double)plan->end * 1e-9 * (double)r->gpus;
    }
    r->ettr = r->lost[STRAT_LOST_NOTHING];
    r->each_ettr = g_new(double, n);
    r->each_unplanned = g_new(double, n);
    for (int64_t i = 0; i < n; i++) {
        r->each_ettr[i] = (double)samples[i].ledger[STRAT_LOST_NOTHING] * whole;
        r->each_unplanned[i] = unplanned_of(&samples[i]);
    }
    r->interruptions = estimate_of(samples, n, stops_of, 1.0);
    r->unplanned = estimate_of(samples, n, unplanned_of, 1.0);
    r->uptime = estimate_of(samples, n, running_of, whole);
    r->mttf_s = estimate_mttf(samples, n);
    r->goodput = scaled(r->ettr, (double)r->gpus / (double)(r->gpus + r->spare_gpus));
    r->spare_gpu_s = (double)r->spare_gpus * (double)plan->end * 1e-9;
    for (int64_t i = 0; i < n; i++)
        r->noticed += (double)samples[i].noticed / (double)n;
    for (size_t c = 0; c < plan->campaign->faults.count; c++) {
        int64_t sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += samples[i].by_class[c];
        r->class_mean[c] = (double)sum / (double)n;
    }
}

double strat_campaign_link_left(const StratCampaign *campaign)
{
    const StratFailover *failover = campaign->recovery.failover;
    int64_t nics = campaign->nics_per_node;
    return failover ? failover->left(nics > 0 ? nics : campaign->faults.site.gpus_per_node) : 0.0;
}

/* Speeds under the caps, by class; 1 for those that are none. */
static double *cap_speeds_new(const StratCampaign *campaign, double step_s)
{
    double *speed = g_new(double, campaign->faults.count + 1);
    for (size_t i = 0; i < campaign->faults.count; i++) {
        const StratFaultClass *c = &campaign->faults.classes[i];
        speed[i] = 1.0;
        if (c->effect == STRAT_FAULT_CAP)
            speed[i] = campaign->capped
                           ? step_s / campaign->capped(c->clock_fraction, campaign->capped_ctx)
                           : c->clock_fraction;
    }
    return speed;
}

/* @given with its memo as its step. */
static StratCampaign with_memo(const StratCampaign *given)
{
    StratCampaign campaign = *given;
    if (campaign.memo) {
        campaign.step = strat_step_memo_step;
        campaign.step_ctx = campaign.memo;
    }
    return campaign;
}

StratCampaignResult *strat_campaign_run(const StratCampaign *given)
{
    const StratCampaign own = with_memo(given), *campaign = &own;
    StratJobState healthy = {.adaptation = STRAT_ADAPT_NONE};
    double step_s = campaign->step(&healthy, campaign->step_ctx);
    g_autofree double *cap_speed = cap_speeds_new(campaign, step_s);
    g_autofree StratRelieved *relieved = strat_relieved_new(campaign, step_s);
    StratCampaignPlan plan = {
        .cap_speed = cap_speed,
        .campaign = campaign,
        .end = sim_time_capped(campaign->duration_s),
        .step = MAX(sim_time_capped(step_s), 1),
        .step_s = step_s,
        .relieved = relieved,
    };
    plan.memory = MAX(sim_time_capped(campaign->checkpoint.memory_interval_s), plan.step);
    if (campaign->checkpoint.local_interval_s > 0.0)
        plan.local = MAX(sim_time_capped(campaign->checkpoint.local_interval_s), plan.step);
    choose_interval(&plan);
    int64_t count = campaign->replications;
    size_t classes = campaign->faults.count;
    const StratFaultSite *site = &campaign->faults.site;
    g_autofree StratCampaignSample *samples = g_new0(StratCampaignSample, count);
    g_autofree int64_t *by_class = g_new0(int64_t, (size_t)count * classes + 1);
    for (int64_t i = 0; i < count; i++)
        samples[i].by_class = by_class + (size_t)i * classes;
    StratIncidentLog log = {.incidents = g_array_new(FALSE, FALSE, sizeof(StratIncident))};
    samples[0].log = &log;
    run_all(&plan, samples, count);
    StratCampaignResult *result = g_new0(StratCampaignResult, 1);
    result->incidents = log.incidents;
    result->replications = count;
    result->gpus = site->gpus;
    result->spare_gpus = MAX(campaign->spares.nodes, 0) * site->gpus_per_node;
    result->duration_s = campaign->duration_s;
    result->step_s = step_s;
    result->interval_s = (double)plan.rhythm.work * 1e-9;
    result->class_mean = g_new0(double, classes + 1);
    summarise(&plan, samples, result);
    if (campaign->memo)
        result->steps = strat_step_memo_counts(campaign->memo);
    return result;
}

void strat_campaign_result_free(StratCampaignResult *result)
{
    if (!result)
        return;
    g_free(result->class_mean);
    g_free(result->each_ettr);
    g_free(result->each_unplanned);
    g_array_unref(result->incidents);
    g_free(result);
}
