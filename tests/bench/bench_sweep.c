/* Points of a sweep a second on one thread, in CPU time, without the database; and what sharing pays
 * off: the same points loaded each on its own (YAML of scenario and catalogs read every time) and as
 * variants of one file. With --quick, a few points. Exits 1 when the scenario cannot be read. */
#include "scen_load.h"
#include "scen_sweep_point.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char path[] = TEST_SOURCE_DIR "/tests/support/sweep_10000.yaml";

/* Of this process: other work on the machine does not count. */
static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Loads @count points, spread over the sweep; @own: each with all that it reads. */
static double load_all(const ScenVariants *variants, const ScenSweepPlan *plan, int64_t count,
                       bool own)
{
    int64_t stride = scen_variants_base(variants)->sweep.points / count;
    double since = cpu_s();
    for (int64_t i = 0; i < count; i++) {
        g_auto(GStrv) sets = scen_sweep_point_sets(plan, i * stride + 1);
        const char *const *overrides = (const char *const *)sets;
        scen_scenario_free(own ? scen_scenario_load(path, overrides, NULL)
                               : scen_variants_load(variants, overrides, NULL, NULL));
    }
    return cpu_s() - since;
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    int64_t count = quick ? 10 : 500;
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenVariants) variants = scen_variants_new(path, NULL, &error);
    if (!variants) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    g_autoptr(ScenSweepPlan) plan = scen_sweep_plan_new(variants);
    double alone_s = load_all(variants, plan, count, true);
    double shared_s = load_all(variants, plan, count, false);
    int64_t stride = scen_variants_base(variants)->sweep.points / count;
    double since = cpu_s();
    for (int64_t i = 0; i < count; i++)
        g_bytes_unref(scen_sweep_point_run(plan, i * stride + 1));
    double run_s = cpu_s() - since;
    printf("sweep loads alone   %9.0f points/s\n", (double)count / alone_s);
    printf("sweep loads shared  %9.0f points/s, %.1f times as many\n", (double)count / shared_s,
           alone_s / shared_s);
    printf("sweep points        %9.0f points/s, %.0f %% of the time in loads\n",
           (double)count / run_s, shared_s / run_s * 100.0);
    return 0;
}
