/* Scenarios side by side, each held against the first.
 *
 * The accounts of a run sum to its GPU-seconds, so their differences sum to the difference of
 * these. Who loses is told by GPU-seconds for the same work: a token of a step, an output token
 * of a run; of a campaign a token that counts, GPUs and spares x step / (tokens x ETTR).
 *
 * Is a difference of two steps larger than the model's error? On one machine, errors of one kind of
 * cost (all products of a library version, all wires) are the same factor in both, and cancel as
 * far as both spend the same share on that kind: strat_interval_ratio_error(). Software, what no
 * kind covers, may be shared or not, and nobody measured how much, so both ends are told. Between
 * two machines nothing is taken to cancel. Of serving and campaigns no such ratio is worked out. */
#include "scen_compare.h"

#include "scen_difference.h"
#include "scen_errors.h"
#include "scen_money.h"
#include "scen_saves.h"
#include "scen_serve.h"
#include "scen_simulate.h"
#include "scen_survive.h"

#include <math.h>

static const double QUANTILE_95 = 1.6448536269514722; /* of the standard normal distribution */

/* What a verdict needs of one scenario. */
typedef struct Side {
    const ScenScenario *scenario;
    double cost; /* GPU-seconds of a unit of work: the less the better */
    StratExposure exposure;
    StratInterval interval; /* of a step */
} Side;

static void put(ScenComparison *c, guint index, const char *key, const char *text, double scale,
                double value)
{
    for (guint i = 0; i < c->figures->len; i++) {
        ScenComparedFigure *old = &g_array_index(c->figures, ScenComparedFigure, i);
        if (g_str_equal(old->key, key)) {
            old->values[index] = value;
            return;
        }
    }
    ScenComparedFigure figure = {.key = key, .text = text, .scale = scale};
    for (guint i = 0; i < SCEN_COMPARED_MOST; i++)
        figure.values[i] = NAN;
    figure.values[index] = value;
    g_array_append_val(c->figures, figure);
}

static void account(ScenComparison *c, guint index, const char *key, const char *text, double gpu_s)
{
    ScenComparedAccount *found = NULL;
    for (guint i = 0; i < c->accounts->len && !found; i++)
        if (g_str_equal(g_array_index(c->accounts, ScenComparedAccount, i).key, key))
            found = &g_array_index(c->accounts, ScenComparedAccount, i);
    if (!found) {
        ScenComparedAccount fresh = {.key = key, .text = text};
        g_array_append_val(c->accounts, fresh);
        found = &g_array_index(c->accounts, ScenComparedAccount, c->accounts->len - 1);
    }
    found->gpu_s[index] += gpu_s;
    c->total_gpu_s[index] += gpu_s;
}

static void put_step(ScenComparison *c, guint i, const Side *side, const StratTrainResult *result)
{
    double step_s = sim_time_to_seconds(result->step_ns), gpus = (double)result->gpus;
    double usd = scen_money_usd_per_gpu_hour(&side->scenario->cost);
    guint worst = strat_memory_worst_stage(result->memory);
    const StratMemory *memory = &g_array_index(result->memory, StratMemory, worst);
    put(c, i, "step_time_s", "step, s", 1.0, step_s);
    put(c, i, "step_time_low_s", "  90 % from, s", 1.0, side->interval.low_s);
    put(c, i, "step_time_high_s", "  90 % to, s", 1.0, side->interval.high_s);
    put(c, i, "mfu_fraction", "MFU, %", 100.0, strat_train_mfu_fraction(result));
    put(c, i, "tokens_per_s_per_gpu", "tokens/s per GPU", 1.0, result->tokens / step_s / gpus);
    put(c, i, "gpus", "GPUs", 1.0, gpus);
    put(c, i, "memory_headroom_bytes", "memory head-room, GB", 1e-9,
        memory->capacity_bytes - memory->peak_bytes);
    if (usd > 0.0)
        put(c, i, "usd_per_million_tokens", "$ a million tokens", 1.0,
            usd * gpus * step_s / 3600.0 / result->tokens * 1e6);
}

static bool add_campaign(ScenComparison *c, guint i, Side *side, const StratTrainResult *result,
                         GError **error)
{
    const ScenScenario *scenario = side->scenario;
    double step_s = sim_time_to_seconds(result->step_ns);
    StratSaves saves;
    bool stored = scenario->campaign.has_storage;
    if (stored && !scen_saves_run(scenario, result, &saves, error))
        return false;
    g_autoptr(StratCampaignResult) r =
        scen_survive(scenario, step_s, stored ? &saves : NULL, error);
    if (!r)
        return false;
    put(c, i, "ettr_fraction", "ETTR, %", 100.0, r->ettr.mean);
    put(c, i, "ettr_low_fraction", "  90 % from, %", 100.0, r->ettr.low);
    put(c, i, "ettr_high_fraction", "  90 % to, %", 100.0, r->ettr.high);
    put(c, i, "goodput_fraction", "goodput, %", 100.0, r->goodput.mean);
    put(c, i, "uptime_fraction", "uptime, %", 100.0, r->uptime.mean);
    put(c, i, "interruptions", "interruptions", 1.0, r->interruptions.mean);
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        account(c, i, strat_lost_key((StratLost)b), strat_lost_name((StratLost)b),
                r->mean_gpu_s[b]);
    account(c, i, "spares", "spares", r->spare_gpu_s);
    double all_gpus = (double)(r->gpus + r->spare_gpus);
    side->cost = step_s * all_gpus / (result->tokens * r->ettr.mean);
    return true;
}

static bool add_training(ScenComparison *c, guint i, Side *side, GError **error)
{
    g_autoptr(StratTrainResult) result = scen_simulate(side->scenario, error);
    if (!result || !scen_interval(side->scenario, result, &side->interval, &side->exposure, error))
        return false;
    put_step(c, i, side, result);
    if (side->scenario->campaign.is_on)
        return add_campaign(c, i, side, result, error);
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        account(c, i, strat_bucket_key((StratBucket)b), strat_bucket_title((StratBucket)b),
                (double)result->ledger_ns[b] * 1e-9);
    side->cost = c->total_gpu_s[i] / result->tokens;
    return true;
}

static void put_served(ScenComparison *c, guint i, const ScenScenario *scenario,
                       const ScenServed *served)
{
    static const struct {
        ScenMetric metric;
        const char *key, *text;
        double scale;
    } rows[] = {
        {SCEN_METRIC_TTFT,                "ttft_s",                        "TTFT, mean, ms",            1e3},
        {SCEN_METRIC_TTFT_P99,            "ttft_p99_s",                    "TTFT, p99, ms",             1e3},
        {SCEN_METRIC_TPOT,                "tpot_s",                        "TPOT, mean, ms",            1e3},
        {SCEN_METRIC_TPOT_P99,            "tpot_p99_s",                    "TPOT, p99, ms",             1e3},
        {SCEN_METRIC_E2E,                 "e2e_s",                         "end to end, mean, ms",      1e3},
        {SCEN_METRIC_OUTPUT_RATE,         "output_tokens_per_s",           "output tokens/s",           1.0},
        {SCEN_METRIC_OUTPUT_RATE_PER_GPU, "output_tokens_per_s_per_gpu",   "  per GPU that decodes",
         1.0                                                                                               },
        {SCEN_METRIC_USD_OUTPUT,          "usd_per_million_output_tokens", "$ a million output tokens", 1.0},
    };
    const StratServeResult *r = served->result;
    for (size_t m = 0; m < G_N_ELEMENTS(rows); m++)
        put(c, i, rows[m].key, rows[m].text, rows[m].scale,
            scen_served_metric(scenario, served, rows[m].metric));
    if (served->fast && served->slow) {
        put(c, i, "tpot_low_s", "TPOT, mean, 90 % from, ms", 1e3,
            strat_digest_mean(served->fast->tpot_s));
        put(c, i, "tpot_high_s", "TPOT, mean, 90 % to, ms", 1e3,
            strat_digest_mean(served->slow->tpot_s));
    }
    put(c, i, "gpus", "GPUs", 1.0, (double)r->gpus);
    if (scen_serving_promises(&scenario->serving))
        put(c, i, "slo_attainment_fraction", "requests within the objectives, %", 100.0,
            strat_serve_attainment(r));
}

static bool add_serving(ScenComparison *c, guint i, Side *side, GError **error)
{
    g_autoptr(ScenServed) served =
        scen_serve(side->scenario, (ScenServeWants){.interval = true}, error);
    if (!served)
        return false;
    const StratServeResult *r = served->result;
    if (!r || r->output_tokens == 0) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: %s", side->scenario->path,
                    served->no_fit ? served->no_fit : "no request finishes");
        return false;
    }
    put_served(c, i, side->scenario, served);
    for (int p = 0; p < STRAT_SERVE_PARTS; p++) {
        const char *name = strat_serve_part_name((StratServePart)p);
        account(c, i, name, name, r->busy_s[p]);
    }
    account(c, i, "idle", "idle", r->idle_s);
    account(c, i, "starting", "starting", r->starting_s);
    account(c, i, "down", "dead or restarting", r->failures.down_s);
    account(c, i, "broken_off", "broken off", r->failures.cut_s);
    side->cost = c->total_gpu_s[i] / (double)r->output_tokens;
    return true;
}

/* NULL: a kind that has no such accounts. */
static const char *kind_of(const ScenScenario *scenario)
{
    if (!scen_has_plan_or_serves(scenario))
        return NULL;
    if (scenario->serving.is_on)
        return "serving";
    return scenario->campaign.is_on ? "campaign" : "training";
}

/* The account whose share of the GPU-seconds of a unit of work grows most from @better to @worse.
 */
static void add_most(GString *text, const ScenComparison *c, guint worse, guint better,
                     const Side *sides)
{
    double most = 0.0;
    const char *where = NULL;
    for (guint i = 0; i < c->accounts->len; i++) {
        const ScenComparedAccount *a = &g_array_index(c->accounts, ScenComparedAccount, i);
        double grows = a->gpu_s[worse] / c->total_gpu_s[worse] * sides[worse].cost -
                       a->gpu_s[better] / c->total_gpu_s[better] * sides[better].cost;
        if (grows > most) {
            most = grows;
            where = a->text;
        }
    }
    if (where)
        g_string_append_printf(text, " It loses most in %s: %+.2f %% of the other's GPU-seconds.",
                               where, 100.0 * most / sides[better].cost);
}

static bool is_one_machine(const ScenScenario *a, const ScenScenario *b)
{
    return g_strcmp0(a->cluster.node.name, b->cluster.node.name) == 0 &&
           g_strcmp0(a->cluster.node.gpu.name, b->cluster.node.gpu.name) == 0 &&
           g_strcmp0(a->profile.name, b->profile.name) == 0 &&
           g_strcmp0(a->errors.name, b->errors.name) == 0;
}

/* Standard error of what no kind covers, in one step. */
static double rest_error(const StratInterval *interval)
{
    double share = interval->share[STRAT_KIND_SOFTWARE] + interval->share[STRAT_KIND_GUESSES];
    return interval->standard_error_fraction * sqrt(share);
}

static void add_error(GString *text, const Side *worse, const Side *better)
{
    double ratio = log(worse->cost / better->cost);
    double apart =
        hypot(worse->interval.standard_error_fraction, better->interval.standard_error_fraction);
    double shared = apart;
    bool together = is_one_machine(worse->scenario, better->scenario);
    if (together) {
        shared = strat_interval_ratio_error(&worse->exposure, &better->exposure,
                                            &worse->scenario->errors);
        apart = hypot(shared, hypot(rest_error(&worse->interval), rest_error(&better->interval)));
    }
    bool least = ratio > QUANTILE_95 * shared, most = ratio > QUANTILE_95 * apart;
    if (together)
        g_string_append_printf(
            text,
            " The model's error of the ratio (90 %%) is %.1f %% if software errs "
            "alike in both, and %.1f %% if it does not:",
            100.0 * QUANTILE_95 * shared, 100.0 * QUANTILE_95 * apart);
    else
        g_string_append_printf(text,
                               " The model's error of the ratio (90 %%), of two machines whose "
                               "errors have nothing in common, is %.1f %%:",
                               100.0 * QUANTILE_95 * apart);
    g_string_append(text, most    ? " the difference is larger."
                          : least ? " the difference is larger than the first only."
                                  : " the difference is not larger.");
}

static char *verdict(const ScenComparison *c, guint index, const Side *sides)
{
    GString *text = g_string_new(NULL);
    double ratio = sides[index].cost / sides[0].cost;
    guint worse = ratio > 1.0 ? index : 0, better = ratio > 1.0 ? 0 : index;
    if (!(ratio > 1.0) && !(ratio < 1.0)) {
        g_string_append_printf(text, "%s and %s take the same GPU-seconds for the same work.",
                               c->names[index], c->names[0]);
        return g_string_free(text, FALSE);
    }
    g_string_append_printf(text, "%s takes %.2f %% more GPU-seconds %s than %s.", c->names[worse],
                           100.0 * (sides[worse].cost / sides[better].cost - 1.0),
                           g_str_equal(c->kind, "serving")    ? "an output token"
                           : g_str_equal(c->kind, "campaign") ? "a token that counts"
                                                              : "a token",
                           c->names[better]);
    add_most(text, c, worse, better, sides);
    if (g_str_equal(c->kind, "training"))
        add_error(text, &sides[worse], &sides[better]);
    return g_string_free(text, FALSE);
}

static bool add_side(ScenComparison *c, guint i, Side *side, GError **error)
{
    bool done = side->scenario->serving.is_on ? add_serving(c, i, side, error)
                                              : add_training(c, i, side, error);
    if (!done)
        g_prefix_error(error, "%s: ", side->scenario->name);
    return done;
}

ScenComparison *scen_compare(const ScenScenario *const *scenarios, guint count, GError **error)
{
    g_autoptr(ScenComparison) c = g_new0(ScenComparison, 1);
    g_autofree Side *sides = g_new0(Side, count);
    g_assert(count >= 2 && count <= SCEN_COMPARED_MOST);
    c->kind = kind_of(scenarios[0]);
    c->count = count;
    c->figures = g_array_new(FALSE, FALSE, sizeof(ScenComparedFigure));
    c->accounts = g_array_new(FALSE, FALSE, sizeof(ScenComparedAccount));
    c->verdicts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < count; i++) {
        const char *kind = kind_of(scenarios[i]);
        if (kind && g_strcmp0(kind, c->kind) == 0)
            continue;
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s is of %s and %s of %s: only scenarios of one kind are compared, training "
                    "steps, campaigns with a plan or serving",
                    scenarios[0]->path, c->kind ? c->kind : "another kind", scenarios[i]->path,
                    kind ? kind : "another kind");
        return NULL;
    }
    for (guint i = 0; i < count; i++) {
        c->names[i] = scenarios[i]->name;
        sides[i].scenario = scenarios[i];
        if (!add_side(c, i, &sides[i], error))
            return NULL;
    }
    c->differences = scen_differences(scenarios, count);
    for (guint i = 1; i < count; i++)
        g_ptr_array_add(c->verdicts, verdict(c, i, sides));
    return g_steal_pointer(&c);
}

void scen_comparison_free(ScenComparison *comparison)
{
    if (!comparison)
        return;
    g_array_unref(comparison->figures);
    g_array_unref(comparison->accounts);
    g_clear_pointer(&comparison->differences, g_array_unref);
    g_ptr_array_unref(comparison->verdicts);
    g_free(comparison);
}
