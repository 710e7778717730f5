/* The points of a roofline hold the work of the model: their FLOPs over all layers and ranks of a tensor
 * group, recomputation left out, are those of model_flop(), which counts matrices, not operations. */
#include "scen_simulate.h"
#include "strat_roofline.h"

#include <criterion/criterion.h>
#include <math.h>

static double flop_of(const StratCosting *costing, double *share_s)
{
    g_autoptr(GArray) points = strat_roofline(costing);
    double flop = 0.0;
    for (guint i = 0; i < points->len; i++) {
        const StratRoofPoint *point = &g_array_index(points, StratRoofPoint, i);
        cr_expect(point->bytes > 0.0 && point->seconds > 0.0, "%s", point->label);
        flop += point->pass == STRAT_PASS_RECOMPUTE ? 0.0 : point->flop * point->layers;
        *share_s += point->seconds * point->layers;
    }
    return flop * (double)(costing->plan->tensor * costing->plan->context);
}

/* Korthikanti's 175B: unfused attention in full, 8 tensor ranks; its vocabulary needs no padding. */
Test(roofline_totals, are_the_work_of_the_model)
{
    g_autoptr(ScenScenario) scenario =
        scen_scenario_load(TEST_SOURCE_DIR "/scenarios/quickstart.yaml", NULL, NULL);
    StratCosting costing;
    double seconds = 0.0;
    cr_assert(scenario && scen_costing(scenario, &costing, NULL));
    double want = model_flop(&scenario->model, (double)scenario->plan.micro_batch,
                             (double)scenario->plan.sequence_length, false);
    cr_expect_float_eq(flop_of(&costing, &seconds), want, 1e-9 * want);
}

/* No point takes longer than the step has room for: what is counted is a part of it. */
Test(roofline_totals, are_a_part_of_the_step)
{
    g_autoptr(ScenScenario) scenario =
        scen_scenario_load(TEST_SOURCE_DIR "/scenarios/quickstart.yaml", NULL, NULL);
    StratCosting costing;
    double seconds = 0.0;
    cr_assert(scenario && scen_costing(scenario, &costing, NULL));
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, NULL);
    flop_of(&costing, &seconds);
    double share = seconds * (double)result->microbatches / (double)scenario->plan.pipeline /
                   ((double)result->step_ns * 1e-9);
    double ledger = 0.0;
    for (int b = 0; b <= STRAT_BUCKET_RECOMPUTE; b++)
        ledger += (double)result->ledger_ns[b] / ((double)result->step_ns * (double)result->gpus);
    cr_expect(share > 0.9 * ledger && share <= ledger * (1.0 + 1e-9), "%g of %g", share, ledger);
}
