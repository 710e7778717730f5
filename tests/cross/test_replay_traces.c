/* Three production traces (ByteDance, ../shared/failures/straggler) against the published analysis
 * of each: the mean step within 2 %, the straggler-free one within 1 %, the slowdown within 2 %. On
 * the steps that the published analysis has, and with its own method, the replay is the same
 * calculation: there it is held to 0.1 %, cause by cause. Skips where the traces are absent. */
#include "scen_op_trace.h"
#include "strat_replay_study.h"

#include <criterion/criterion.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>

static const char *const traces[] = {"AR", "SE", "ST"};

typedef struct Published {
    JsonParser *parser; /* owns @root */
    JsonObject *root;
} Published;

static bool open_trace(const char *name, StratReplay **replay, Published *published)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *ops = g_strdup_printf(SHARED_DIR "/failures/straggler/%s_ops.csv.gz", name);
    g_autofree char *json =
        g_strdup_printf(SHARED_DIR "/failures/straggler/%s_expected.json", name);
    if (!g_file_test(ops, G_FILE_TEST_EXISTS))
        return false;
    *replay = scen_op_trace_read(ops, &error);
    cr_assert_not_null(*replay, "%s", error ? error->message : "");
    published->parser = json_parser_new();
    cr_assert(json_parser_load_from_file(published->parser, json, NULL));
    published->root = json_node_get_object(json_parser_get_root(published->parser));
    return true;
}

static double mean_of(const Published *published, const char *key)
{
    JsonObject *steps = json_object_get_object_member(published->root, key);
    g_autoptr(GList) names = json_object_get_members(steps);
    double sum = 0.0;
    for (GList *at = names; at; at = at->next)
        sum += json_object_get_double_member(steps, at->data);
    return sum / g_list_length(names);
}

/* The trace without the steps that the published analysis left out. */
static StratReplay *published_steps(const StratReplay *replay, const Published *published)
{
    JsonObject *steps = json_object_get_object_member(published->root, "step_t_nodelay");
    g_autoptr(GArray) ops = g_array_new(FALSE, FALSE, sizeof(StratReplayOp));
    for (uint32_t i = 0; i < replay->op_count; i++) {
        char step[32];
        g_snprintf(step, sizeof step, "%" G_GINT64_FORMAT, replay->ops[i].step);
        if (json_object_has_member(steps, step))
            g_array_append_val(ops, replay->ops[i]);
    }
    StratReplay *kept = strat_replay_new((const StratReplayOp *)(void *)ops->data, ops->len, NULL);
    cr_assert_not_null(kept);
    return kept;
}

static void expect_near(const char *trace, const char *what, double got, double want, double within)
{
    printf("%s %-32s %.5f, published %.5f (%+.3f %%)\n", trace, what, got, want,
           100.0 * (got / want - 1.0));
    cr_expect(fabs(got / want - 1.0) <= within, "%s, %s: %.5f, not %.5f", trace, what, got, want);
}

static void expect_totals(const char *trace, const StratReplay *replay, const Published *published,
                          double step, double ideal, double slowdown)
{
    StratReplayTotals totals;
    cr_assert(strat_replay_totals(replay, &totals, NULL));
    expect_near(trace, "step as measured", replay->measured_mean_s,
                mean_of(published, "step_t_base"), step);
    expect_near(trace, "step replayed", totals.replayed_s, mean_of(published, "step_t_base"), step);
    expect_near(trace, "step without gaps", totals.without_gaps_s,
                mean_of(published, "step_t_nodelay"), step);
    expect_near(trace, "no stragglers", totals.no_stragglers_s, mean_of(published, "step_t_noblk"),
                ideal);
    expect_near(trace, "slowdown", totals.without_gaps_s / totals.no_stragglers_s,
                json_object_get_double_member(published->root, "blocking_slowdown"), slowdown);
}

/* The slowdown of the operations of @kind (both halves of a transfer), or of any with one replica
 * or stage. */
static double slowdown_of(const StratReplay *replay, const StratReplayPick *picks, size_t count,
                          double ideal_s)
{
    g_autofree SimTime *work_ns = g_new(SimTime, replay->op_count);
    double mean_s = 0.0;
    strat_replay_idealise(replay, picks, count, true, work_ns);
    cr_assert(strat_replay_run(replay, work_ns, (StratReplayRun){0}, NULL, &mean_s, NULL));
    return mean_s / ideal_s;
}

static void expect_causes(const char *trace, const StratReplay *replay, const Published *published)
{
    StratReplayTotals totals;
    cr_assert(strat_replay_totals(replay, &totals, NULL));
    g_autoptr(GArray) kinds = strat_replay_kinds(replay, totals.no_stragglers_s, NULL);
    JsonObject *by_kind =
        json_object_get_object_member(published->root, "blocking_decompose_by_optype");
    for (guint i = 0; i < kinds->len; i++) {
        const StratReplayCause *cause = &g_array_index(kinds, StratReplayCause, i);
        const char *name = strat_replay_kind(cause->pick.kind)->cause;
        cr_assert(json_object_has_member(by_kind, name), "%s", name);
        expect_near(trace, name, cause->slowdown, json_object_get_double_member(by_kind, name),
                    1e-3);
    }
    static const char *const keys[] = {"blocking_decompose_by_dp_rank",
                                       "blocking_decompose_by_stage"};
    for (size_t k = 0; k < G_N_ELEMENTS(keys); k++) {
        JsonObject *object = json_object_get_object_member(published->root, keys[k]);
        for (int32_t at = 0; at < (k == 0 ? replay->dps : replay->pps); at++) {
            StratReplayPick pick = STRAT_REPLAY_PICK_ALL;
            g_autofree char *name = g_strdup_printf("%d", at);
            *(k == 0 ? &pick.dp : &pick.pp) = at;
            expect_near(trace, keys[k], slowdown_of(replay, &pick, 1, totals.no_stragglers_s),
                        json_object_get_double_member(object, name), 1e-3);
        }
    }
}

Test(replay_traces, hit_the_published_steps_and_slowdowns)
{
    for (size_t i = 0; i < G_N_ELEMENTS(traces); i++) {
        g_autoptr(StratReplay) replay = NULL;
        Published published;
        if (!open_trace(traces[i], &replay, &published))
            cr_skip_test("no traces here");
        expect_totals(traces[i], replay, &published, 0.02, 0.01, 0.02);
        g_object_unref(published.parser);
    }
}

Test(replay_traces, agree_cause_by_cause_on_the_published_steps)
{
    for (size_t i = 0; i < G_N_ELEMENTS(traces); i++) {
        g_autoptr(StratReplay) replay = NULL;
        Published published;
        if (!open_trace(traces[i], &replay, &published))
            cr_skip_test("no traces here");
        g_autoptr(StratReplay) kept = published_steps(replay, &published);
        expect_totals(traces[i], kept, &published, 1e-3, 1e-3, 1e-3);
        expect_causes(traces[i], kept, &published);
        g_object_unref(published.parser);
    }
}

/* github ByteDance-Seed/StragglerAnalysis, data/ms-NAME.json (last stage ideal: trem) and
 * mw-AR.json (the slowest worker ideal). */
Test(replay_traces, mend_what_the_published_analysis_mends)
{
    static const double last_stage_s[] = {46.36406800, 6.88714657, 1.77103962};
    for (size_t i = 0; i < G_N_ELEMENTS(traces); i++) {
        g_autoptr(StratReplay) replay = NULL;
        Published published;
        if (!open_trace(traces[i], &replay, &published))
            cr_skip_test("no traces here");
        g_autoptr(StratReplay) kept = published_steps(replay, &published);
        StratReplayPick pick = STRAT_REPLAY_PICK_ALL;
        StratReplayChange change = {.picks = &pick, .count = 1};
        double mean_s = 0.0;
        pick.pp = kept->pps - 1;
        cr_assert(strat_replay_change(kept, &change, &mean_s, NULL));
        expect_near(traces[i], "last stage ideal", mean_s, last_stage_s[i], 1e-4);
        pick.dp = pick.pp = 0;
        cr_assert(strat_replay_change(kept, &change, &mean_s, NULL));
        if (g_str_equal(traces[i], "AR"))
            expect_near("AR", "worker 0/0 ideal", mean_s, 23.44582317, 1e-4);
        g_object_unref(published.parser);
    }
}
