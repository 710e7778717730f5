/*
 * Plans a second on one core: the space of GPT-175B on 1,024 A100s made, held to the rules and
 * screened (per combination), and the screen alone, over the plans that pass. With --quick, a
 * part of the space, once. Exits 1 when the space cannot be made.
 */
#include "scen_plan_space.h"
#include "scen_simulate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char path[] = TEST_SOURCE_DIR "/scenarios/training/search-gpt-175b-1024-a100.yaml";

/* Of this process: other work on the machine does not count. */
static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const char *const few[] = {"search.micro_batch=[1, 2]", NULL};
    int repeats = quick ? 1 : 20;
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, quick ? few : NULL, &error);
    StratCosting costing;
    double since = cpu_s();
    g_autoptr(ScenPlanSpace) space =
        scenario ? scen_plan_space_new(scenario, NULL, NULL, &error) : NULL;
    if (!space || !scen_costing(scenario, &costing, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    double made_s = cpu_s() - since;
    printf("plan_screen space   %9.0f combinations/s (%u of %" G_GINT64_FORMAT " pass)\n",
           (double)space->combinations / made_s, space->trials->len, space->combinations);
    g_autoptr(StratScreen) screen = strat_screen_new(&costing);
    double sum_s = 0.0;
    since = cpu_s();
    for (int r = 0; r < repeats; r++)
        for (guint i = 0; i < space->trials->len; i++)
            sum_s += strat_screen_plan(screen, &g_array_index(space->trials, ScenPlanTrial, i).plan)
                         .step_s;
    double count = (double)repeats * space->trials->len;
    printf("plan_screen screen  %9.0f plans/s (mean bound %.3f s)\n", count / (cpu_s() - since),
           sum_s / count);
    return 0;
}
