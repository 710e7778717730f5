/* Jobs together, refereed: SimGrid runs the same program over the same links and finds the same
 * slowdowns as the fluid network, on leaves of their own and on a spine in common. */
#include "scen_load.h"
#include "scen_simulate.h"

#include <criterion/criterion.h>
#include <math.h>

/* The slowdowns of the two jobs of the shipped scenario. */
static void run(const char *network, const char *placement, double slowdown[2])
{
    g_autofree char *path =
        g_strdup_printf("%s/scenarios/training/two-jobs-one-spine.yaml", TEST_SOURCE_DIR);
    const char *overrides[] = {network, placement, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, overrides, &error);
    cr_assert(scenario, "%s", error ? error->message : "");
    g_autoptr(StratTrainResult) own = scen_simulate(scenario, &error);
    cr_assert(own, "%s", error ? error->message : "");
    g_autoptr(StratJobs) jobs = scen_simulate_jobs(scenario, own, &error);
    cr_assert(jobs && jobs->jobs->len == 2, "%s", error ? error->message : "");
    for (guint i = 0; i < 2; i++) {
        const StratJobResult *job = &g_array_index(jobs->jobs, StratJobResult, i);
        slowdown[i] = job->together_ns / (double)job->alone_ns;
    }
}

Test(simgrid_jobs, agrees_with_the_fluid_network_on_slowdowns)
{
    static const char *const placements[] = {"placement=packed", "placement=spread",
                                             "placement={kind: custom, nodes: [0, 1, 4, 5]}"};
    double worst = 1.0;
    for (size_t p = 0; p < G_N_ELEMENTS(placements); p++) {
        double fluid[2], referee[2];
        run("network=fluid", placements[p], fluid);
        run("network=simgrid", placements[p], referee);
        for (int i = 0; i < 2; i++) {
            cr_expect(fabs(fluid[i] / referee[i] - 1.0) < 0.002, "%s, job %d: fluid %g, SimGrid %g",
                      placements[p], i, fluid[i], referee[i]);
            worst = fmax(worst, referee[i]);
        }
    }
    cr_expect(worst > 1.05, "no job met the other: %g", worst);
}
