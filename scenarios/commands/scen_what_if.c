/* What if: one figure of the hardware 10 % larger, or one knob turned by one notch, everything else
 * as it is. Each is a simulation of its own, in full, so an effect is no derivative: queues, hidden
 * transfers, memory limits and the choice of kernels and algorithms all answer.
 *
 * A figure is changed in the bound scenario, before anything is priced. The fits of kernels state
 * fractions of the device's peak and bandwidth, and those of collectives fractions of the wire's
 * rate, so they follow the figure; launches, prologues of tiles, host time and software latencies
 * were measured in seconds and stay. A step that is bound by products alone hence gains a little
 * less than 1 - 1/1.1 = 9.09 % from 10 % more peak. Clock, multiprocessors and caches stay too.
 *
 * A measured time belongs to the device that it was measured on and cannot be scaled. A scenario
 * with a table of kernels, measured stage times or an engine's layer times is therefore priced by
 * the fits throughout, its own figure included, and a note says what that changes.
 *
 * Left out: two changes at once; a campaign, whose step alone is looked at; jobs beside the
 * scenario's own; and knobs that change what is learnt or answered. */
#include "scen_what_if.h"

#include "scen_check.h"
#include "scen_deployment_knobs.h"
#include "scen_difference.h"
#include "scen_errors.h"
#include "scen_knobs.h"
#include "scen_money.h"
#include "scen_serve.h"
#include "scen_simulate.h"
#include "sim_farm.h"

#include <math.h>

/* A figure of the hardware, a double that all of @offsets hold parts of; 0: no more of them. */
typedef struct Figure {
    const char *text;
    size_t offset, also;
} Figure;

#define GPU(member) offsetof(ScenScenario, cluster.node.gpu.member)
#define NODE(member) offsetof(ScenScenario, cluster.node.member)

/* clang-format off */
static const Figure figures[] = {
    {.text = "peak of fp32 +10 %", .offset = GPU(peak_flop_per_s[TOPO_DTYPE_FP32])},
    {.text = "peak of tf32 +10 %", .offset = GPU(peak_flop_per_s[TOPO_DTYPE_TF32])},
    {.text = "peak of fp16 +10 %", .offset = GPU(peak_flop_per_s[TOPO_DTYPE_FP16])},
    {.text = "peak of bf16 +10 %", .offset = GPU(peak_flop_per_s[TOPO_DTYPE_BF16])},
    {.text = "peak of fp8 +10 %", .offset = GPU(peak_flop_per_s[TOPO_DTYPE_FP8])},
    {.text = "peak of fp4 +10 %", .offset = GPU(peak_flop_per_s[TOPO_DTYPE_FP4])},
    {.text = "HBM bandwidth +10 %", .offset = GPU(memory_bytes_per_s)},
    {.text = "HBM size +10 %", .offset = GPU(memory_bytes)},
    {.text = "scale-up bandwidth +10 %", .offset = NODE(scale_up_bytes_per_s)},
    {.text = "scale-up latency +10 %", .offset = NODE(scale_up_latency_s)},
    {.text = "NIC bandwidth +10 %", .offset = NODE(nic_bytes_per_s)},
    {.text = "NIC latency +10 %", .offset = NODE(nic_latency_s),
     .also = offsetof(ScenScenario, fabric.nic_latency_s)},
    {.text = "host link +10 %", .offset = NODE(host_bytes_per_s)},
    {.text = "price +10 %", .offset = offsetof(ScenScenario, cost.gpu_usd_per_h),
     .also = offsetof(ScenScenario, cost.purchase_usd)},
};
/* clang-format on */

/* A changed scenario, which borrows from the one it varies. */
typedef struct Variant {
    ScenScenario scenario;
    ScenWhatIfEntry entry;
} Variant;

static double *slot_of(ScenScenario *scenario, size_t offset)
{
    return (double *)(void *)((char *)scenario + offset);
}

/* Makes a Figure of @scenario larger; false when the scenario has no such figure. */
static bool enlarge(ScenScenario *scenario, const void *what)
{
    const Figure *figure = what;
    double *first = slot_of(scenario, figure->offset);
    double *second = figure->also > 0 ? slot_of(scenario, figure->also) : NULL;
    bool any = *first > 0.0 || (second && *second > 0.0);
    *first *= SCEN_WHAT_IF_FACTOR;
    if (second)
        *second *= SCEN_WHAT_IF_FACTOR;
    return any;
}

/* Dollars of a million tokens at @tokens_per_s on @gpus; NaN without a price. */
static double usd_per_mtok(const ScenScenario *scenario, double gpus, double tokens_per_s)
{
    double usd = scen_money_usd_per_gpu_hour(&scenario->cost);
    return usd > 0.0 ? usd * gpus / 3600.0 / tokens_per_s * 1e6 : NAN;
}

static bool train(const ScenScenario *scenario, ScenWhatIfFigures *out, char **why, GError **error)
{
    StratCosting costing;
    g_autoptr(GError) no_fit = NULL;
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, error);
    if (!result || !scen_costing(scenario, &costing, error))
        return false;
    if (!strat_memory_check(&costing, result->memory, &no_fit))
        *why = g_strdup(no_fit->message);
    guint worst = strat_memory_worst_stage(result->memory);
    const StratMemory *memory = &g_array_index(result->memory, StratMemory, worst);
    out->time_s = sim_time_to_seconds(result->step_ns);
    out->tokens_per_s = result->tokens / out->time_s;
    out->ttft_s = NAN;
    out->memory_fraction = memory->peak_bytes / memory->capacity_bytes;
    out->usd_per_mtok = usd_per_mtok(scenario, (double)result->gpus, out->tokens_per_s);
    return true;
}

static bool serve(const ScenScenario *scenario, ScenWhatIfFigures *out, char **why, GError **error)
{
    g_autoptr(ScenServed) served = scen_serve(scenario, (ScenServeWants){0}, error);
    if (!served)
        return false;
    *out = (ScenWhatIfFigures){NAN, NAN, NAN, NAN, NAN};
    if (!served->result || served->result->finished == 0) {
        *why = g_strdup(served->no_fit ? served->no_fit : "no request finishes");
        return true;
    }
    double usd = served->money.usd_per_output;
    out->time_s = scen_served_metric(scenario, served, SCEN_METRIC_TPOT);
    out->tokens_per_s = scen_served_metric(scenario, served, SCEN_METRIC_OUTPUT_RATE);
    out->ttft_s = scen_served_metric(scenario, served, SCEN_METRIC_TTFT);
    out->usd_per_mtok = usd > 0.0 ? usd : NAN;
    return true;
}

static bool ask(const ScenScenario *scenario, ScenWhatIfFigures *out, char **why, GError **error)
{
    return scenario->serving.is_on ? serve(scenario, out, why, error)
                                   : train(scenario, out, why, error);
}

static GBytes *ask_variant(int64_t task, void *ctx)
{
    const GPtrArray *variants = ctx;
    Variant *variant = variants->pdata[task];
    ScenWhatIfEntry *entry = &variant->entry;
    g_autoptr(GError) error = NULL;
    if (!ask(&variant->scenario, &entry->figures, &entry->why, &error)) {
        entry->figures = (ScenWhatIfFigures){NAN, NAN, NAN, NAN, NAN};
        entry->why = g_strdup(error->message);
    }
    return NULL;
}

/* Changes a copy of a scenario; false: there is nothing to change, or it would not be sound. */
typedef bool (*Change)(ScenScenario *scenario, const void *what);

/* Adds @scenario with @what changed to @variants, where it can be. */
static void try_variant(GPtrArray *variants, const ScenScenario *scenario, Change change,
                        const void *what, ScenWhatIfEntry entry)
{
    g_autofree Variant *variant = g_new0(Variant, 1);
    variant->scenario = *scenario;
    variant->entry = entry;
    if (change(&variant->scenario, what))
        g_ptr_array_add(variants, g_steal_pointer(&variant));
}

static bool turn_plan(ScenScenario *scenario, const void *what)
{
    const ScenKnob *knob = what;
    return knob->turn(&scenario->plan) && scen_scenario_check(scenario, NULL);
}

static bool turn_deployment(ScenScenario *scenario, const void *what)
{
    const ScenDeploymentKnob *knob = what;
    if (!knob->turn(&scenario->serving))
        return false;
    g_autoptr(ScenErrors) errors = scen_errors_new();
    scen_check_bound(scenario, NULL, errors);
    return scen_errors_count(errors) == 0;
}

static GPtrArray *variants_new(const ScenScenario *scenario)
{
    GPtrArray *variants = g_ptr_array_new_with_free_func(g_free);
    bool serves = scenario->serving.is_on;
    size_t plans = 0, deployments = 0;
    const ScenKnob *plan = scen_knob_all(&plans);
    const ScenDeploymentKnob *deployment = scen_deployment_knob_all(&deployments);
    for (size_t i = 0; i < G_N_ELEMENTS(figures); i++)
        try_variant(variants, scenario, enlarge, &figures[i],
                    (ScenWhatIfEntry){.text = figures[i].text, .hardware = true});
    for (size_t i = 0; serves && i < deployments; i++)
        try_variant(variants, scenario, turn_deployment, &deployment[i],
                    (ScenWhatIfEntry){.text = deployment[i].text});
    for (size_t i = 0; !serves && i < plans; i++)
        try_variant(variants, scenario, turn_plan, &plan[i],
                    (ScenWhatIfEntry){.text = plan[i].text});
    return variants;
}

/* Takes the answers of @variants over, in their order. */
static void collect(ScenWhatIf *what_if, GPtrArray *variants, const ScenScenario *scenario)
{
    for (guint i = 0; i < variants->len; i++) {
        Variant *variant = variants->pdata[i];
        const ScenScenario *both[] = {scenario, &variant->scenario};
        g_autoptr(GArray) differences = scen_differences(both, G_N_ELEMENTS(both));
        variant->entry.setting = scen_differences_text(differences, 1);
        variant->entry.effect_fraction =
            variant->entry.why ? NAN : variant->entry.figures.time_s / what_if->own.time_s - 1.0;
        g_array_append_val(what_if->entries, variant->entry);
    }
}

/* Shortest time first; what cannot be comes last. Equals keep the order of the tables, because the
 * sort of an array by insertion is stable. */
static void sort_entries(GArray *entries)
{
    for (guint i = 1; i < entries->len; i++) {
        ScenWhatIfEntry moved = g_array_index(entries, ScenWhatIfEntry, i);
        guint at = i;
        for (; at > 0; at--) {
            const ScenWhatIfEntry *before = &g_array_index(entries, ScenWhatIfEntry, at - 1);
            bool later = isnan(before->effect_fraction) && !isnan(moved.effect_fraction);
            if (!later && !(before->effect_fraction > moved.effect_fraction))
                break;
            g_array_index(entries, ScenWhatIfEntry, at) = *before;
        }
        g_array_index(entries, ScenWhatIfEntry, at) = moved;
    }
}

/* Leaves measured times of @scenario, which no datasheet figure scales, to the fits. */
static bool drop_measured(ScenScenario *scenario)
{
    bool any = scenario->profile.table || scenario->serving.engine_profile ||
               scenario->plan.profiled.forward_s > 0.0;
    scenario->profile.table = NULL;
    scenario->serving.engine_profile = NULL;
    scenario->plan.profiled = (StratProfiled){0};
    return any;
}

static bool add_notes(ScenWhatIf *what_if, const ScenScenario *scenario, bool dropped,
                      GError **error)
{
    g_autofree char *why = NULL;
    ScenWhatIfFigures measured;
    if (dropped && !ask(scenario, &measured, &why, error))
        return false;
    if (dropped)
        g_ptr_array_add(what_if->notes,
                        g_strdup_printf("measured times belong to one device and cannot be scaled: "
                                        "all figures here are by the fits, by which the time is "
                                        "%.6g s instead of %.6g s",
                                        what_if->own.time_s, measured.time_s));
    if (scenario->profile.host.threads > 0)
        g_ptr_array_add(what_if->notes,
                        g_strdup("a CPU is priced by what was measured on it: its peak and "
                                 "bandwidth change nothing here"));
    if (scenario->campaign.is_on)
        g_ptr_array_add(what_if->notes, g_strdup("of the campaign only the step is looked at"));
    if (scenario->jobs && scenario->jobs->len > 0)
        g_ptr_array_add(what_if->notes, g_strdup("the job is looked at alone"));
    if (scenario->fabric.links)
        g_ptr_array_add(what_if->notes, g_strdup("links of a custom fabric keep their rates"));
    return true;
}

static void entry_clear(ScenWhatIfEntry *entry)
{
    g_free(entry->setting);
    g_free(entry->why);
}

ScenWhatIf *scen_what_if(const ScenScenario *scenario, int threads, GError **error)
{
    g_autoptr(ScenWhatIf) what_if = g_new0(ScenWhatIf, 1);
    ScenScenario base = *scenario;
    bool dropped = drop_measured(&base);
    what_if->serves = scenario->serving.is_on;
    what_if->entries = g_array_new(FALSE, FALSE, sizeof(ScenWhatIfEntry));
    g_array_set_clear_func(what_if->entries, (GDestroyNotify)entry_clear);
    what_if->notes = g_ptr_array_new_with_free_func(g_free);
    if (!ask(&base, &what_if->own, &what_if->why, error) ||
        !add_notes(what_if, scenario, dropped, error))
        return NULL;
    g_autoptr(GPtrArray) variants = variants_new(&base);
    SimFarm farm = sim_farm_threads(threads);
    SimFarmJob job = {.count = variants->len, .work = ask_variant, .ctx = variants};
    sim_farm_run(&farm, &job, NULL);
    collect(what_if, variants, &base);
    sort_entries(what_if->entries);
    return g_steal_pointer(&what_if);
}

void scen_what_if_free(ScenWhatIf *what_if)
{
    if (!what_if)
        return;
    g_free(what_if->why);
    g_array_unref(what_if->entries);
    g_ptr_array_unref(what_if->notes);
    g_free(what_if);
}
