/* A replay on one screen: the step as it was and without stragglers, then what would help, then
 * which workers, stages and operations it is. */
#include "scen_replay_report.h"

#include "scen_text.h"

enum { CAUSES_SHOWN = 5, BAR_WIDTH = 30 };

double scen_replay_slowdown(const ScenReplayReport *report)
{
    double ideal_s = report->totals.no_stragglers_s;
    return ideal_s > 0.0 ? report->totals.without_gaps_s / ideal_s : 1.0;
}

static void print_steps(GString *out, const ScenReplayReport *report)
{
    const StratReplay *replay = report->replay;
    const StratReplayTotals *totals = &report->totals;
    g_autofree char *base = g_path_get_basename(report->path);
    g_autofree char *measured = scen_text_seconds(replay->measured_mean_s);
    g_autofree char *replayed = scen_text_seconds(totals->replayed_s);
    g_autofree char *without = scen_text_seconds(totals->without_gaps_s);
    g_autofree char *ideal = scen_text_seconds(totals->no_stragglers_s);
    double off =
        replay->measured_mean_s > 0.0 ? totals->replayed_s / replay->measured_mean_s - 1.0 : 0.0;
    double slowdown = scen_replay_slowdown(report);
    g_string_append_printf(out, "%s: %u steps of %d x %d workers (dp x pp), %u operations\n", base,
                           replay->step_count, replay->dps, replay->pps, replay->op_count);
    g_string_append_printf(out, "%-16s%s measured, %s replayed (%+.2f %%), %s without host gaps\n",
                           "step, mean", measured, replayed, 100.0 * off, without);
    g_string_append_printf(out, "%-16s%s: slowdown %.3f, %.1f %% of the time is lost\n",
                           "no stragglers", ideal, slowdown, 100.0 * (1.0 - 1.0 / slowdown));
}

static void print_answers(GString *out, const ScenReplayReport *report)
{
    g_string_append_printf(out, "\n%-44s %10s %9s %7s\n", "what if (without host gaps)", "step",
                           "slowdown", "saves");
    for (guint i = 0; i < report->answers->len; i++) {
        const ScenReplayAnswer *answer = &g_array_index(report->answers, ScenReplayAnswer, i);
        g_autofree char *step = scen_text_seconds(answer->step_s);
        g_string_append_printf(out, "  %-42s %10s %9.3f %5.1f %%\n", answer->name, step,
                               answer->step_s / report->totals.no_stragglers_s,
                               100.0 * (1.0 - answer->step_s / report->totals.without_gaps_s));
    }
}

static char *name_of(const StratReplayPick *pick)
{
    if (pick->kind != STRAT_REPLAY_ANY)
        return g_strdup(strat_replay_kind((StratReplayKind)pick->kind)->cause);
    if (pick->dp != STRAT_REPLAY_ANY)
        return g_strdup_printf("worker %d/%d", pick->dp, pick->pp);
    return g_strdup_printf("stage %d", pick->pp);
}

static void print_causes(GString *out, const GArray *causes, double most)
{
    for (guint i = 0; causes && i < MIN(causes->len, CAUSES_SHOWN); i++) {
        const StratReplayCause *cause = &g_array_index(causes, StratReplayCause, i);
        g_autofree char *name = name_of(&cause->pick);
        g_string_append_printf(out, "  %-42s %8.3f  ", name, cause->slowdown);
        if (most > 1.0)
            scen_text_bar(out, CLAMP((cause->slowdown - 1.0) / (most - 1.0), 0.0, 1.0), BAR_WIDTH);
        while (out->str[out->len - 1] == ' ')
            g_string_truncate(out, out->len - 1);
        g_string_append_c(out, '\n');
    }
    if (causes && causes->len > CAUSES_SHOWN)
        g_string_append_printf(out, "  (and %u more)\n", causes->len - CAUSES_SHOWN);
}

static double worst(const GArray *causes)
{
    return causes && causes->len > 0 ? g_array_index(causes, StratReplayCause, 0).slowdown : 1.0;
}

char *scen_replay_text(const ScenReplayReport *report)
{
    g_autoptr(GString) out = g_string_new(NULL);
    print_steps(out, report);
    print_answers(out, report);
    if (report->workers) {
        double most = MAX(MAX(worst(report->workers), worst(report->stages)), worst(report->kinds));
        g_string_append(out, "\nslowdown by one cause alone, all else ideal (worker: dp/pp)\n");
        print_causes(out, report->workers, most);
        print_causes(out, report->stages, most);
        print_causes(out, report->kinds, most);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
