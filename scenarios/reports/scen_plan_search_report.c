/* What a search over training plans found: the winner and how to run it, where the next best loses,
 * the Pareto set, and what was refused by which rule. */
#include "scen_plan_search_report.h"

#include "scen_json.h"
#include "scen_plan_diff.h"
#include "scen_text.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

enum { LABEL = 10, PARETO_SHOWN = 12, FIGURES = 47, COUNT = 13 };

static const double MILLION = 1e6;

static const ScenPlanTrial *trial_at(const ScenPlansSearched *searched, gint index)
{
    return index < 0 ? NULL : &g_array_index(searched->space->trials, ScenPlanTrial, index);
}

static char *plan_text(const StratPlan *plan)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "tensor " I64, plan->tensor);
    if (plan->context > 1)
        g_string_append_printf(text, ", context " I64, plan->context);
    if (plan->context > 1 && plan->context_parallel.kind != STRAT_CONTEXT_RING)
        g_string_append_printf(text, " (%s)", strat_context_row(plan)->name);
    g_string_append_printf(text, ", pipeline " I64, plan->pipeline);
    if (plan->virtual_stages > 1)
        g_string_append_printf(text, " x " I64 " chunks", plan->virtual_stages);
    g_string_append_printf(text, ", data " I64 ", micro_batch " I64 ", %s, recompute %s, ZeRO " I64,
                           plan->data, plan->micro_batch, plan->schedule,
                           scen_plan_word("recompute", (int)plan->recompute), plan->zero_stage);
    if (plan->sequence_parallel)
        g_string_append(text, ", sequence_parallel");
    return g_strdup(text->str);
}

/* What `orrery run` takes to simulate the plan. */
static char *settings(const ScenScenario *scenario, const ScenPlanTrial *one)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *diff = scen_plan_diff(&scenario->plan, &one->plan);
    g_auto(GStrv) words = g_strsplit(diff, " ", -1);
    if (one->gpus != scenario->cluster.gpu_count)
        g_string_append_printf(text, "--set cluster.gpus=" I64, one->gpus);
    for (size_t i = 0; words[i]; i++)
        if (*words[i])
            g_string_append_printf(text, "%s--set %s", text->len ? " " : "", words[i]);
    return g_strdup(text->str);
}

static double free_fraction(const ScenScenario *scenario, const ScenPlanTrial *one)
{
    return 1.0 - one->memory_bytes / scenario->cluster.node.gpu.memory_bytes;
}

static void add_one(GString *out, const char *label, const ScenScenario *scenario,
                    const ScenPlanTrial *one)
{
    g_autofree char *plan = plan_text(&one->plan);
    g_autofree char *step = scen_text_seconds(one->step_s);
    g_autofree char *bound = scen_text_seconds(one->least.step_s);
    g_autoptr(GString) figures = g_string_new(NULL);
    g_string_append_printf(figures, "%s a step (bound %s), %.0f %% of memory free, " I64 " GPUs",
                           step, bound, 100.0 * free_fraction(scenario, one), one->gpus);
    if (one->usd_per_token > 0.0)
        g_string_append_printf(figures, ", $%.4g a million tokens", one->usd_per_token * MILLION);
    scen_text_line(out, LABEL, label, "%s", plan);
    scen_text_line(out, LABEL, "", "%s", figures->str);
}

/* Where a GPU spends more of a step under @next than under @best. */
static void add_why(GString *out, const ScenPlanTrial *best, const ScenPlanTrial *next)
{
    g_autoptr(GString) text = g_string_new(NULL);
    double most_s = 0.0, longer_s = next->step_s - best->step_s;
    int worst = STRAT_BUCKET_COUNT;
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++) {
        double more_s = (double)next->ledger_ns[b] / (double)next->gpus * 1e-9 -
                        (double)best->ledger_ns[b] / (double)best->gpus * 1e-9;
        if (more_s > most_s) {
            most_s = more_s;
            worst = b;
        }
    }
    g_string_append_printf(text, "%+.2f %% of step", 100.0 * longer_s / best->step_s);
    if (worst < STRAT_BUCKET_COUNT) {
        g_autofree char *s = scen_text_seconds(most_s);
        g_string_append_printf(text, "; it loses most on %s: %s a GPU more than the winner",
                               strat_bucket_title((StratBucket)worst), s);
    }
    scen_text_line(out, LABEL, "", "%s", text->str);
}

static void add_winner(GString *out, const ScenScenario *scenario,
                       const ScenPlansSearched *searched)
{
    const ScenPlanTrial *best = trial_at(searched, searched->best);
    const ScenPlanTrial *next = trial_at(searched, searched->next);
    if (!best) {
        scen_text_line(out, LABEL, "Winner",
                       "none: no plan that was allowed passes the rules and fits");
        return;
    }
    g_autofree char *sets = settings(scenario, best);
    g_autofree char *command = g_strdup_printf("orrery run %s %s", scenario->path, sets);
    add_one(out, "Winner", scenario, best);
    scen_text_line(out, LABEL, "", "%s", command);
    if (!next)
        return;
    add_one(out, "Next best", scenario, next);
    add_why(out, best, next);
}

static gint compare_steps(gconstpointer a, gconstpointer b, gpointer data)
{
    gint i = *(const gint *)a, j = *(const gint *)b;
    double x = trial_at(data, i)->step_s, y = trial_at(data, j)->step_s;
    if (x < y || x > y)
        return x < y ? -1 : 1;
    return (i > j) - (i < j);
}

/* The Pareto set (of gint), the shortest step first. */
static GArray *pareto_of(const ScenPlansSearched *searched)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(gint));
    for (gint i = 0; i < (gint)searched->space->trials->len; i++)
        if (searched->pareto[i])
            g_array_append_val(list, i);
    g_array_sort_with_data(list, compare_steps, (gpointer)searched);
    return list;
}

static void add_pareto(GString *out, const ScenScenario *scenario,
                       const ScenPlansSearched *searched)
{
    g_autoptr(GArray) list = pareto_of(searched);
    if (list->len == 0)
        return;
    g_string_append(out, "\nPareto set: no plan of the space is better in step, memory, GPUs and "
                         "dollars\n");
    g_string_append_printf(out, "  %10s %12s %6s %12s\n", "step", "memory free", "GPUs",
                           "$/M tokens");
    for (guint i = 0; i < MIN(list->len, PARETO_SHOWN); i++) {
        const ScenPlanTrial *one = trial_at(searched, g_array_index(list, gint, i));
        g_autofree char *step = scen_text_seconds(one->step_s);
        g_autofree char *plan = plan_text(&one->plan);
        g_string_append_printf(out, "  %10s %10.1f %% %6" G_GINT64_FORMAT " %12.4g  ", step,
                               100.0 * free_fraction(scenario, one), one->gpus,
                               one->usd_per_token * MILLION);
        scen_text_wrap(out, plan, FIGURES, FIGURES);
    }
    if (list->len > PARETO_SHOWN)
        g_string_append_printf(out, "  and %u more (--json has all)\n", list->len - PARETO_SHOWN);
}

static int64_t count_of(const ScenPlansSearched *searched, ScenPlanFate fate)
{
    int64_t count = 0;
    for (gint i = 0; i < (gint)searched->space->trials->len; i++)
        count += trial_at(searched, i)->fate == fate;
    return count;
}

/* What becomes of plans that pass the rules and the screen's memory, but do not win. */
static const struct {
    ScenPlanFate fate;
    const char *path, *reason;
} fates[] = {
    {SCEN_PLAN_UNTRIED, "search.reach",
     "not simulated: at best slower than the winner, and beaten in memory"                    },
    {SCEN_PLAN_MEMORY,  "search.headroom", "does not fit in memory, by a walk of its schedule"},
    {SCEN_PLAN_FAULT,   "plan",            "is not modelled"                                  },
};

static const char *reason_of(const ScenPlansSearched *searched, size_t fate)
{
    return fates[fate].fate == SCEN_PLAN_UNTRIED && searched->stopped
               ? "not simulated: at best slower than the winner, and beaten in memory, or the "
                 "search was "
                 "stopped"
               : fates[fate].reason;
}

static void add_refused(GString *out, int64_t count, const char *path, const char *reason)
{
    g_autofree char *text = g_strdup_printf("%s: %s", path, reason);
    g_string_append_printf(out, "  %9" G_GINT64_FORMAT "  ", count);
    scen_text_wrap(out, text, COUNT, COUNT);
}

static void add_rejected(GString *out, const ScenPlansSearched *searched)
{
    const GArray *refused = searched->space->refused;
    g_string_append(out, "\nRejected, by rule, with the first of each\n");
    for (guint i = 0; i < refused->len; i++) {
        const ScenRefusedPlans *row = &g_array_index(refused, ScenRefusedPlans, i);
        add_refused(out, row->count, row->path, row->example);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fates); i++) {
        int64_t count = count_of(searched, fates[i].fate);
        if (count > 0)
            add_refused(out, count, fates[i].path, reason_of(searched, i));
    }
}

char *scen_plan_search_text(const ScenScenario *scenario, const ScenPlansSearched *searched)
{
    GString *out = g_string_new(NULL);
    g_autofree char *title = g_strdup_printf(
        "%s: the shortest step, of " I64 " combinations; %u pass the rules and fit by the screen, "
        "%zu simulated%s",
        scenario->name, searched->space->combinations, searched->space->trials->len,
        searched->tried,
        searched->stopped ? "; STOPPED before the end, so shorter ones may be left" : "");
    scen_text_wrap(out, title, 0, 2);
    g_string_append_c(out, '\n');
    add_winner(out, scenario, searched);
    add_pareto(out, scenario, searched);
    add_rejected(out, searched);
    return g_string_free(out, FALSE);
}

static void add_plan(JsonBuilder *json, const ScenScenario *scenario, const ScenPlanTrial *one)
{
    if (!one) {
        json_builder_add_null_value(json);
        return;
    }
    g_autofree char *text = plan_text(&one->plan);
    g_autofree char *sets = settings(scenario, one);
    json_builder_begin_object(json);
    scen_json_text(json, "text", text);
    scen_json_text(json, "settings", sets);
    scen_json_integer(json, "gpus", one->gpus);
    scen_json_number(json, "step_time_s", one->step_s);
    scen_json_number(json, "least_step_time_s", one->least.step_s);
    scen_json_number(json, "memory_free_fraction", free_fraction(scenario, one));
    scen_json_number(json, "usd_per_million_tokens",
                     one->usd_per_token > 0.0 ? one->usd_per_token * MILLION : NAN);
    json_builder_set_member_name(json, "ledger_s");
    json_builder_begin_object(json);
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        scen_json_number(json, strat_bucket_key((StratBucket)b),
                         (double)one->ledger_ns[b] / (double)one->gpus * 1e-9);
    json_builder_end_object(json);
    json_builder_end_object(json);
}

static void add_rejected_row(JsonBuilder *json, const char *path, const char *reason, int64_t count)
{
    json_builder_begin_object(json);
    scen_json_text(json, "path", path);
    scen_json_text(json, "reason", reason);
    scen_json_integer(json, "count", count);
    json_builder_end_object(json);
}

static void add_rejected_rows(JsonBuilder *json, const ScenPlansSearched *searched)
{
    const GArray *refused = searched->space->refused;
    json_builder_set_member_name(json, "rejected");
    json_builder_begin_array(json);
    for (guint i = 0; i < refused->len; i++) {
        const ScenRefusedPlans *row = &g_array_index(refused, ScenRefusedPlans, i);
        add_rejected_row(json, row->path, row->example, row->count);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fates); i++) {
        int64_t count = count_of(searched, fates[i].fate);
        if (count > 0)
            add_rejected_row(json, fates[i].path, reason_of(searched, i), count);
    }
    json_builder_end_array(json);
}

char *scen_plan_search_json(const ScenScenario *scenario, const ScenPlansSearched *searched)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(GArray) pareto = pareto_of(searched);
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "scenario", scenario->name);
    scen_json_text(json, "objective", "step_time");
    scen_json_integer(json, "combinations", searched->space->combinations);
    scen_json_integer(json, "plans", searched->space->trials->len);
    scen_json_integer(json, "simulated", (gint64)searched->tried);
    scen_json_boolean(json, "stopped", searched->stopped);
    json_builder_set_member_name(json, "best");
    add_plan(json, scenario, trial_at(searched, searched->best));
    json_builder_set_member_name(json, "next");
    add_plan(json, scenario, trial_at(searched, searched->next));
    json_builder_set_member_name(json, "pareto");
    json_builder_begin_array(json);
    for (guint i = 0; i < pareto->len; i++)
        add_plan(json, scenario, trial_at(searched, g_array_index(pareto, gint, i)));
    json_builder_end_array(json);
    add_rejected_rows(json, searched);
    json_builder_end_object(json);
    return scen_json_finish(json);
}
