/* The screen of `orrery run`: the answer first, then where the time goes, memory, what limits the
 * step and which knob would move it, and what to beware of. At most some 45 lines of 100 columns.
 */
#include "scen_run_report.h"

#include "scen_knobs.h"
#include "scen_links.h"
#include "scen_plan_diff.h"
#include "scen_text.h"

#include <math.h>
#include <stdlib.h>

#define I64 "%" G_GINT64_FORMAT

enum { BAR_WIDTH = 44 };

/* Which layers are recomputed, where that is not all of them alike. */
static void add_recompute_layers(GString *title, const StratRecomputeLayers *which)
{
    if (which->method == STRAT_RECOMPUTE_UNIFORM && which->layers > 1)
        g_string_append_printf(title, " in groups of " I64 " layers", which->layers);
    else if (which->method == STRAT_RECOMPUTE_BLOCK)
        g_string_append_printf(title, " in the first " I64 " layers of a chunk", which->layers);
    else if (which->method == STRAT_RECOMPUTE_FRACTION)
        g_string_append_printf(title, " in %.3g %% of the layers", 100.0 * which->fraction);
}

void scen_run_title(const ScenScenario *scenario, char **what, char **how)
{
    const TopoCluster *cluster = &scenario->cluster;
    const StratPlan *plan = &scenario->plan;
    GString *title = g_string_new(NULL);
    g_string_append_printf(title, "%s on " I64 " x %s", scenario->model.name,
                           cluster->gpu_count - cluster->mixed.gpus, cluster->node.gpu.name);
    if (cluster->mixed.gpus > 0)
        g_string_append_printf(title, " and " I64 " x %s", cluster->mixed.gpus,
                               cluster->mixed.node.gpu.name);
    g_string_append_printf(title, " (" I64 " node%s", cluster->node_count,
                           cluster->node_count == 1 ? "" : "s");
    if (scenario->placement.kind)
        g_string_append_printf(title, ", placement %s", scenario->placement.kind);
    g_string_append_c(title, ')');
    *what = g_string_free(title, FALSE);
    title = g_string_new(NULL);
    g_string_printf(title, "tensor " I64, plan->tensor);
    if (strat_tensor_side(plan) > 0)
        g_string_append_printf(title, " (" I64 " x " I64 " x " I64 ")", strat_tensor_side(plan),
                               strat_tensor_side(plan), strat_tensor_depth(plan));
    if (plan->context > 1)
        g_string_append_printf(title, " x context " I64, plan->context);
    if (plan->context > 1 && plan->context_parallel.kind != STRAT_CONTEXT_RING)
        g_string_append_printf(title, " (%s)", strat_context_row(plan)->name);
    g_string_append_printf(title, " x pipeline " I64, plan->pipeline);
    if (plan->virtual_stages > 1)
        g_string_append_printf(title, " (" I64 " chunks a stage)", plan->virtual_stages);
    g_string_append_printf(title,
                           " x data " I64 ", batch " I64 " in microbatches of " I64 ", " I64
                           " tokens a sequence, %s, schedule %s, recompute %s",
                           plan->data, plan->global_batch, plan->micro_batch, plan->sequence_length,
                           scen_plan_word("precision", (int)plan->precision), plan->schedule,
                           scen_plan_word("recompute", (int)plan->recompute));
    add_recompute_layers(title, &plan->recompute_layers);
    *how = g_string_free(title, FALSE);
}

static void add_title(GString *out, const ScenScenario *scenario)
{
    g_autofree char *what = NULL, *how = NULL;
    scen_run_title(scenario, &what, &how);
    g_autofree char *title = g_strdup_printf("%s: %s", scenario->name, what);
    scen_text_wrap(out, title, 0, 2);
    g_string_append(out, "  ");
    scen_text_wrap(out, how, 2, 2);
}

/* How many microbatches each replica takes, in order: "2 x 20, 2 x 10". */
static void add_dealt(GString *out, const StratTrainResult *result)
{
    const int64_t *dealt = result->dealt;
    g_autoptr(GString) text = g_string_new(NULL);
    for (int64_t d = 0, same; d < result->dealt_count; d += same) {
        for (same = 1; d + same < result->dealt_count && dealt[d + same] == dealt[d];)
            same++;
        g_string_append_printf(text, "%s" I64 " x " I64, d > 0 ? ", " : "", same, dealt[d]);
    }
    if (!dealt)
        return;
    g_string_append(text, " (replicas x microbatches of each, by their speed)");
    g_string_append_printf(out, "%-13s", "Microbatches");
    scen_text_wrap(out, text->str, 13, 13);
}

static void add_published(GString *out, const ScenExpect *expect, double step_s)
{
    if (expect->step_time_s <= 0.0)
        return;
    g_autofree char *published = scen_text_seconds(expect->step_time_s);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s, so the error is %+.1f %% (%s%s%s)", published,
                           100.0 * (step_s / expect->step_time_s - 1.0),
                           expect->source ? expect->source : "no source given",
                           expect->definition ? "; " : "",
                           expect->definition ? expect->definition : "");
    g_string_append_printf(out, "%-13s", "Published");
    scen_text_wrap(out, text->str, 13, 13);
}

/* "13.1 s to 14.9 s with 90 % confidence; of the variance: software 60 %, ...; weakest evidence:
 * fitted (matrix products)" */
static void add_interval(GString *out, const StratInterval *interval)
{
    enum { SHOWN = 3 };
    StratKind kinds[STRAT_KIND_COUNT];
    size_t count = strat_interval_rank(interval, kinds);
    g_autofree char *low = scen_text_seconds(interval->low_s);
    g_autofree char *high = scen_text_seconds(interval->high_s);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s to %s with 90 %% confidence", low, high);
    for (size_t i = 0; i < MIN(count, SHOWN); i++)
        g_string_append_printf(text, "%s%s %.0f %%", i == 0 ? "; of the variance: " : ", ",
                               strat_kind_title(kinds[i]), 100.0 * interval->share[kinds[i]]);
    g_string_append_printf(text, "; weakest evidence: %s (%s)",
                           kern_evidence_name(interval->evidence),
                           strat_kind_title(interval->evidence_of));
    g_string_append_printf(out, "%-13s", "Interval");
    scen_text_wrap(out, text->str, 13, 13);
}

static void add_answer(GString *out, const ScenRunReport *report)
{
    const StratTrainResult *result = report->result;
    double step_s = (double)result->step_ns * 1e-9, gpus = (double)result->gpus;
    double tokens_per_s = result->tokens / step_s;
    g_autofree char *step = scen_text_seconds(step_s);
    g_string_append_printf(out, "%-13s%s\n", "Step time", step);
    add_interval(out, report->interval);
    add_published(out, &report->scenario->expect, step_s);
    add_dealt(out, result);
    scen_faults_text(out, report);
    g_string_append_printf(out, "%-13s%.0f tokens/s, %.1f tokens/s per GPU\n", "Throughput",
                           tokens_per_s, tokens_per_s / gpus);
    int decimals = result->peak_flop_per_s < 1e13 ? 3 : 0; /* a CPU has a fraction of a TFLOP/s */
    g_string_append_printf(out, "%-13s%.*f model TFLOP/s per GPU\n", "Rate", MAX(decimals, 1),
                           result->model_flop / step_s / gpus * 1e-12);
    g_string_append_printf(out,
                           "%-13s%.1f %%  model FLOPs (none recomputed, attention in full) over "
                           "the peak of %.*f TFLOP/s\n",
                           "MFU", 100.0 * strat_train_mfu_fraction(result), decimals,
                           result->peak_flop_per_s * 1e-12);
    g_string_append_printf(out, "%-13s%.1f %%  the same with recomputation counted\n", "HFU",
                           100.0 * strat_train_hfu_fraction(result));
}

typedef struct Share {
    StratBucket bucket;
    int64_t ns;
} Share;

static int compare_shares(const void *left, const void *right)
{
    const Share *a = left, *b = right;
    if (a->ns != b->ns)
        return a->ns > b->ns ? -1 : 1;
    return (int)a->bucket - (int)b->bucket;
}

/* The ledger, largest account first; the total. */
static double sort_ledger(const StratTrainResult *result, Share *shares)
{
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        shares[b] = (Share){(StratBucket)b, result->ledger_ns[b]};
    qsort(shares, STRAT_BUCKET_COUNT, sizeof *shares, compare_shares);
    return (double)result->step_ns * (double)result->gpus;
}

static void add_ledger(GString *out, const StratTrainResult *result)
{
    Share shares[STRAT_BUCKET_COUNT];
    double total_ns = sort_ledger(result, shares);
    g_string_append_printf(out, "\nWhere the GPU-seconds go (" I64 " GPUs x step = %.1f GPU-s)\n",
                           result->gpus, total_ns * 1e-9);
    for (size_t i = 0; i < G_N_ELEMENTS(shares) && shares[i].ns > 0; i++) {
        double share = (double)shares[i].ns / total_ns;
        g_string_append_printf(out, "  %-28s %5.1f %%  ", strat_bucket_title(shares[i].bucket),
                               100.0 * share);
        scen_text_bar(out, share, BAR_WIDTH);
        g_string_truncate(out, out->len - (out->str[out->len - 1] == ' ' ? 2 : 0));
        g_string_append_c(out, '\n');
    }
}

/* Accounts that a plan would rather not have: all but the model's own arithmetic. */
static bool is_loss(StratBucket bucket)
{
    return bucket >= STRAT_BUCKET_RECOMPUTE;
}

static void add_limits(GString *out, const StratTrainResult *result)
{
    Share shares[STRAT_BUCKET_COUNT];
    double total_ns = sort_ledger(result, shares);
    size_t loss = 0;
    while (loss < G_N_ELEMENTS(shares) && !is_loss(shares[loss].bucket))
        loss++;
    g_string_append_printf(out, "\nWhat limits it: %s, %.1f %%",
                           strat_bucket_title(shares[0].bucket),
                           100.0 * (double)shares[0].ns / total_ns);
    if (loss > 0 && loss < G_N_ELEMENTS(shares) && shares[loss].ns > 0)
        g_string_append_printf(out, "; beside the model's arithmetic, %s, %.1f %%",
                               strat_bucket_title(shares[loss].bucket),
                               100.0 * (double)shares[loss].ns / total_ns);
    g_string_append_c(out, '\n');
}

static void add_knobs(GString *out, const GArray *knobs)
{
    if (!knobs)
        return;
    if (knobs->len == 0) {
        g_string_append(out, "No single knob of the plan helps.\n");
        return;
    }
    g_string_append(out, "Knobs that would help, each simulated alone, as --set takes them\n");
    for (guint i = 0; i < knobs->len; i++) {
        const ScenKnobGain *gain = &g_array_index(knobs, ScenKnobGain, i);
        g_autofree char *step = scen_text_seconds(gain->step_s);
        g_autofree char *line =
            g_strdup_printf("  %-29s %10s  -%.1f %%  memory %.0f %%  ", gain->text, step,
                            100.0 * gain->gain_fraction, 100.0 * gain->memory_fraction);
        g_string_append(out, line);
        scen_text_wrap(out, gain->setting, (int)strlen(line), 34);
    }
}

static void add_notes(GString *out, const ScenRunReport *report)
{
    const char *about = report->scenario->description;
    if (!about && report->notes->len == 0)
        return;
    g_string_append(out, "\nNotes\n");
    for (guint i = 0; i < report->notes->len; i++) {
        g_string_append(out, "  - ");
        scen_text_wrap(out, report->notes->pdata[i], 4, 4);
    }
    if (about) {
        g_string_append(out, "  - ");
        scen_text_wrap(out, about, 4, 4);
    }
}

char *scen_run_text(const ScenRunReport *report)
{
    GString *out = g_string_new(NULL);
    add_title(out, report->scenario);
    g_string_append_c(out, '\n');
    if (report->no_fit) {
        scen_text_wrap(out, report->no_fit, 0, 2);
        g_string_append_c(out, '\n');
        scen_memory_text(out, report->result->memory);
        add_notes(out, report);
        return g_string_free(out, FALSE);
    }
    add_answer(out, report);
    scen_training_run_text(out, report);
    if (report->campaign) { /* the step's own page is that of the scenario without it */
        scen_campaign_text(out, report);
        scen_recoveries_text(out, report->scenario, report->campaigns);
        add_notes(out, report);
        return g_string_free(out, FALSE);
    }
    add_ledger(out, report->result);
    scen_waits_text(out, report);
    g_string_append_c(out, '\n');
    scen_memory_text(out, report->result->memory);
    scen_memory_time_text(out, report->result);
    scen_data_text(out, report);
    add_limits(out, report->result);
    scen_links_text(out, "Links that held transfers back the longest", report->result->hot_links);
    if (report->jobs) {
        scen_jobs_text(out, report->jobs);
        scen_links_text(out, "Links that held transfers of all jobs back the longest",
                        report->jobs->hot_links);
    }
    add_knobs(out, report->knobs);
    add_notes(out, report);
    return g_string_free(out, FALSE);
}
