/* Sweeps: the order of points, what each sets, ranges, and scenarios that share what they read. */
#include "scen_answer.h"
#include "scen_doc.h"
#include "scen_load.h"
#include "scen_sweep_point.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <math.h>

#define QUICKSTART TEST_SOURCE_DIR "/scenarios/quickstart.yaml"

/** The quickstart with @sweep as its section. */
static ScenVariants *variants_of(const char *sweep)
{
    g_autofree char *set = g_strconcat("sweep=", sweep, NULL);
    const char *sets[] = {set, NULL};
    g_autoptr(GError) error = NULL;
    ScenVariants *variants = scen_variants_new(QUICKSTART, sets, &error);
    cr_assert(variants, "%s", error ? error->message : "");
    return variants;
}

/** What point @point of @variants sets, joined by blanks. */
static char *sets_of(const ScenVariants *variants, int64_t point)
{
    g_autoptr(ScenSweepPlan) plan = scen_sweep_plan_new(variants);
    g_auto(GStrv) sets = scen_sweep_point_sets(plan, point);
    return g_strjoinv(" ", sets);
}

Test(scen_sweep, points_are_numbered_seeds_first_then_the_last_path)
{
    g_autoptr(ScenVariants) variants =
        variants_of("{list: [{plan.data: 1}, {plan: megatron-lm-2022, fold: false}],"
                    " grid: {plan.tensor: [2, 4], plan.schedule: [1f1b, gpipe, none]}, seeds: 2}");
    static const struct {
        int64_t point;
        const char *want;
    } cases[] = {
        {1,  "plan.data=1 plan.tensor=2 plan.schedule=1f1b seed=1"                     },
        {2,  "plan.data=1 plan.tensor=2 plan.schedule=1f1b seed=2"                     },
        {3,  "plan.data=1 plan.tensor=2 plan.schedule=gpipe seed=1"                    },
        {7,  "plan.data=1 plan.tensor=4 plan.schedule=1f1b seed=1"                     },
        {13, "plan=megatron-lm-2022 fold=false plan.tensor=2 plan.schedule=1f1b seed=1"},
        {24, "plan=megatron-lm-2022 fold=false plan.tensor=4 plan.schedule=none seed=2"},
    };
    cr_expect_eq(scen_variants_base(variants)->sweep.points, 2 * 2 * 3 * 2);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = sets_of(variants, cases[i].point);
        cr_expect_str_eq(got, cases[i].want, "point %d: %s", (int)cases[i].point, got);
    }
}

Test(scen_sweep, a_section_is_set_before_the_keys_within_it)
{
    g_autoptr(ScenVariants) variants =
        variants_of("{grid: {plan.tensor: [4], plan: [megatron-lm-2022]}}");
    g_autofree char *got = sets_of(variants, 1);
    cr_expect_str_eq(got, "plan=megatron-lm-2022 plan.tensor=4");
}

Test(scen_sweep, ranges_end_at_their_last_value_and_keep_their_unit)
{
    static const struct {
        const char *range;
        const char *first, *last;
        int64_t points;
    } cases[] = {
        {"{plan.micro_batch: {from: 1, to: 8, factor: 2}}",           "plan.micro_batch=1",
         "plan.micro_batch=8",      4 },
        {"{plan.micro_batch: {from: 1, to: 8, step: 3}}",             "plan.micro_batch=1",
         "plan.micro_batch=7",      3 },
        {"{plan.library_fraction: {from: 0.1, to: 1, step: 0.1}}",    "plan.library_fraction=0.1",
         "plan.library_fraction=1", 10},
        {"{plan.kernel_gap: {from: 500 ns, to: 2 us, step: 0.5 us}}", "plan.kernel_gap=500 ns",
         "plan.kernel_gap=2000 ns", 4 },
        {"{cost.gpu_hour: {from: $1.5/h, to: $6/h, factor: 2}}",      "cost.gpu_hour=$1.5/h",
         "cost.gpu_hour=$6/h",      3 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *section = g_strdup_printf("{grid: %s}", cases[i].range);
        g_autoptr(ScenVariants) variants = variants_of(section);
        cr_expect_eq(scen_variants_base(variants)->sweep.points, cases[i].points, "case %zu", i);
        g_autofree char *first = sets_of(variants, 1);
        g_autofree char *last = sets_of(variants, cases[i].points);
        cr_expect_str_eq(first, cases[i].first);
        cr_expect_str_eq(last, cases[i].last);
    }
}

Test(scen_sweep, a_point_is_the_scenario_that_a_plain_load_makes)
{
    g_autoptr(ScenVariants) variants = variants_of("{grid: {plan.micro_batch: [1, 2], seed: [3]}}");
    g_autoptr(ScenSweepPlan) plan = scen_sweep_plan_new(variants);
    g_auto(GStrv) sets = scen_sweep_point_sets(plan, 2);
    g_autoptr(ScenScenario) plain = scen_scenario_load(QUICKSTART, (const char *const *)sets, NULL);
    g_autofree char *digest = NULL, *other = NULL;
    g_autoptr(ScenScenario) shared =
        scen_variants_load(variants, (const char *const *)sets, &digest, NULL);
    cr_assert(plain && shared);
    scen_answer_changed(plain, (const char *const *)sets);
    scen_answer_changed(shared, (const char *const *)sets);
    const ScenAnswerWants wants = {.json = true};
    g_autoptr(ScenAnswer) one = scen_answer_new(plain, &wants, NULL);
    g_autoptr(ScenAnswer) two = scen_answer_new(shared, &wants, NULL);
    cr_expect_str_eq(one->json, two->json);
    scen_scenario_free(scen_variants_load(variants, NULL, &other, NULL));
    cr_expect_str_neq(digest, other, "scenarios that differ have one digest");
}

Test(scen_sweep, an_outcome_travels_as_bytes)
{
    g_autoptr(ScenVariants) variants =
        variants_of("{grid: {plan.tensor: [8, 3]}, figures: [training.step*]}");
    g_autoptr(ScenSweepPlan) plan = scen_sweep_plan_new(variants);
    g_autoptr(GBytes) good = scen_sweep_point_run(plan, 1);
    g_autoptr(GBytes) bad = scen_sweep_point_run(plan, 2);
    ScenPointOutcome outcome = scen_point_outcome_read(good);
    double value = 0.0;
    cr_expect_eq(outcome.status, SCEN_POINT_OK);
    cr_expect_null(outcome.error);
    cr_expect_eq(strlen(outcome.digest), 64);
    cr_expect_str_eq(scen_point_outcome_next(&outcome, &value), "training.step_time_s");
    cr_expect(value > 13.0 && value < 15.0, "%g", value); /* the quickstart's 13.9 s */
    cr_expect_str_eq(scen_point_outcome_next(&outcome, &value), "training.step_time_interval_s.0");
    cr_expect_str_eq(scen_point_outcome_next(&outcome, &value), "training.step_time_interval_s.1");
    cr_expect_null(scen_point_outcome_next(&outcome, &value));
    outcome = scen_point_outcome_read(bad);
    cr_expect_eq(outcome.status, SCEN_POINT_WRONG);
    cr_expect(strstr(outcome.error, "tensor 3"), "%s", outcome.error);
    cr_expect(!strstr(outcome.error, TEST_SOURCE_DIR), "a folder in: %s", outcome.error);
    cr_expect_null(scen_point_outcome_next(&outcome, &value));
}

Test(scen_sweep, a_tree_reads_back_from_its_line)
{
    static const char *const texts[] = {
        "{a: 1, b: [x, \"2\", '', {c: $2/h}], d: 400 Gbps}",
        "{t: \"a, b: {c}\", q: \"say \\\"so\\\"\\n\", u: \"\\u00b5s\"}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(ScenPool) pool = scen_pool_new();
        g_autoptr(ScenErrors) errors = scen_errors_new();
        const ScenNode *once =
            scen_doc_parse(pool, "t", SCEN_ORIGIN_DOCUMENT, texts[i], strlen(texts[i]), errors);
        g_autofree char *line = scen_node_flow(once);
        const ScenNode *again =
            scen_doc_parse(pool, "t", SCEN_ORIGIN_DOCUMENT, line, strlen(line), errors);
        cr_assert(again && scen_errors_count(errors) == 0, "%s", line);
        g_autofree char *twice = scen_node_flow(again);
        cr_expect_str_eq(line, twice);
        cr_expect_eq(again->size, once->size);
        cr_expect_null(strchr(line, '\n'));
    }
}
