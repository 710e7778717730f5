/* The library as a program sees it: answers, figures, faults, and requests of other versions. */
#include "orrery.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <glib.h>
#include <string.h>

#define QUICKSTART TEST_SOURCE_DIR "/scenarios/quickstart.yaml"

static OrreryRun *run_with(const char *const *sets)
{
    const OrreryRequest request = {.size = sizeof(request), .path = QUICKSTART, .sets = sets};
    return orrery_run(&request);
}

Test(orrery, figures_are_the_numbers_of_the_json)
{
    OrreryRun *run = run_with(NULL);
    double step_s = 0.0, peak_bytes = 0.0;
    cr_assert(eq(int, orrery_run_status(run), ORRERY_OK));
    cr_assert(orrery_run_figure(run, "training.step_time_s", &step_s));
    cr_assert(orrery_run_figure(run, "memory.0.peak_bytes", &peak_bytes));
    cr_expect(step_s > 13.0 && step_s < 15.0);
    cr_expect(peak_bytes > 50e9 && peak_bytes < 80e9);
    cr_expect_not(orrery_run_figure(run, "training.no_such_figure", &step_s));
    size_t count = orrery_run_figure_count(run);
    cr_assert(count > 20);
    bool listed = false;
    for (size_t i = 0; i < count; i++)
        listed = listed || (g_str_equal(orrery_run_figure_path(run, i), "training.step_time_s") &&
                            orrery_run_figure_value(run, i) == step_s);
    cr_expect(listed);
    cr_expect_null(orrery_run_figure_path(run, count));
    cr_expect(strstr(orrery_run_json(run), "\"schema\" : 1") != NULL);
    cr_expect_null(orrery_run_text(run));
    orrery_run_free(run);
}

Test(orrery, a_plan_that_does_not_fit_is_an_answer)
{
    const char *sets[] = {"plan.micro_batch=8", NULL};
    OrreryRun *run = run_with(sets);
    cr_expect(eq(int, orrery_run_status(run), ORRERY_NO));
    cr_expect_null(orrery_run_message(run));
    cr_expect(orrery_run_figure_count(run) > 0);
    orrery_run_free(run);
}

Test(orrery, a_wrong_scenario_has_a_message_and_no_figures)
{
    const char *sets[] = {"plan.tensr=8", NULL};
    OrreryRun *run = run_with(sets);
    cr_expect(eq(int, orrery_run_status(run), ORRERY_WRONG));
    cr_expect(strstr(orrery_run_message(run), "tensor") != NULL, "%s", orrery_run_message(run));
    cr_expect(orrery_run_figure_count(run) == 0);
    cr_expect_null(orrery_run_json(run));
    orrery_run_free(run);
}

Test(orrery, text_in_memory_and_check)
{
    g_autofree char *yaml = NULL;
    cr_assert(g_file_get_contents(QUICKSTART, &yaml, NULL, NULL));
    OrreryRequest request = {.size = sizeof(request), .yaml = yaml, .text = true};
    OrreryRun *run = orrery_run(&request), *file = run_with(NULL);
    cr_assert(orrery_run_json(run) != NULL, "%s", orrery_run_message(run));
    cr_expect(eq(str, (char *)orrery_run_json(run), (char *)orrery_run_json(file)));
    cr_expect(strstr(orrery_run_text(run), "Step time") != NULL);
    orrery_run_free(run);
    orrery_run_free(file);
    request.yaml_bytes = 10; /* a piece of the first line */
    OrreryRun *wrong = orrery_check(&request);
    cr_expect(eq(int, orrery_run_status(wrong), ORRERY_WRONG));
    cr_expect(strstr(orrery_run_message(wrong), "scenario.yaml") != NULL);
    orrery_run_free(wrong);
    request.yaml_bytes = 0;
    OrreryRun *right = orrery_check(&request);
    cr_expect(eq(int, orrery_run_status(right), ORRERY_OK));
    cr_expect_null(orrery_run_json(right));
    orrery_run_free(right);
}

Test(orrery, what_lies_beyond_the_size_of_a_request_is_not_read)
{
    OrreryRequest request = {.size = offsetof(OrreryRequest, sets),
                             .path = QUICKSTART,
                             .sets = (const char *const *)1,
                             .out = (const char *)1};
    OrreryRun *run = orrery_run(&request);
    cr_expect(eq(int, orrery_run_status(run), ORRERY_OK));
    orrery_run_free(run);
    request.size = 0;
    OrreryRun *nothing = orrery_run(&request);
    cr_expect(eq(int, orrery_run_status(nothing), ORRERY_WRONG));
    orrery_run_free(nothing);
}

static void *run_on_thread(void *unused)
{
    (void)unused;
    return run_with(NULL);
}

Test(orrery, runs_on_threads_give_the_same_bytes)
{
    GThread *threads[4];
    OrreryRun *alone = run_with(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("run", run_on_thread, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        OrreryRun *run = g_thread_join(threads[i]);
        cr_expect(eq(str, (char *)orrery_run_json(run), (char *)orrery_run_json(alone)));
        orrery_run_free(run);
    }
    orrery_run_free(alone);
}
