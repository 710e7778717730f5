/* Laws of intervals, on all plans of toy_plans.c: every second of the step is of some kind, the
 * interval holds the point, and it is wider where a cost is less sure. */
#include "strat_interval.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <math.h>

static StratErrors some_errors(void)
{
    StratErrors errors = {
        .widen = {0.5, 0.75, 1.0, 1.5, 2.0}
    };
    for (int k = 0; k < STRAT_KIND_COUNT; k++)
        errors.kind[k] = 0.02 + 0.01 * k;
    return errors;
}

static StratExposure expose(const ToyWorld *world, double *step_s)
{
    g_autoptr(GError) error = NULL;
    StratCosting costing = toy_costing(world);
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
    cr_assert(result != NULL, "%s", error ? error->message : "");
    *step_s = (double)result->step_ns * 1e-9;
    return strat_exposure(&costing, result);
}

static double kind_share(const StratExposure *exposure, int kind)
{
    double sum = 0.0;
    for (int v = 0; v < KERN_EVIDENCE_COUNT; v++)
        sum += exposure->parts[kind][v];
    return sum / exposure->total;
}

Test(interval_laws, every_second_is_of_one_kind)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        for (int recompute = STRAT_RECOMPUTE_NONE; recompute <= STRAT_RECOMPUTE_FULL; recompute++) {
            ToyWorld world = toy_plan_at(i);
            world.plan.recompute = (StratRecompute)recompute;
            double step_s, sum = 0.0;
            StratExposure exposure = expose(&world, &step_s);
            g_autofree char *plan = toy_plan_describe(&world);
            /* The bubble is shared out over the others. */
            for (int k = 0; k < STRAT_KIND_SCHEDULE; k++)
                sum += kind_share(&exposure, k);
            cr_expect(fabs(sum - 1.0) < 1e-9, "shares sum to %.12g: %s", sum, plan);
            cr_expect(kind_share(&exposure, STRAT_KIND_PRODUCTS) > 0.0, "%s", plan);
        }
    }
}

Test(interval_laws, holds_the_point_and_widens_with_every_error)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        double step_s;
        StratExposure exposure = expose(&world, &step_s);
        StratErrors errors = some_errors();
        StratInterval narrow = strat_interval(step_s, &exposure, &errors, 0.0, 1);
        g_autofree char *plan = toy_plan_describe(&world);
        cr_expect(narrow.low_s < step_s && step_s < narrow.high_s, "%s", plan);
        for (int k = 0; k < STRAT_KIND_COUNT; k++) {
            errors = some_errors();
            errors.kind[k] *= 2.0;
            StratInterval wide = strat_interval(step_s, &exposure, &errors, 0.0, 1);
            bool exposed = k >= STRAT_KIND_SOFTWARE || kind_share(&exposure, k) > 0.0;
            const char *title = strat_kind_title((StratKind)k);
            cr_expect(exposed ? wide.half_width_fraction > narrow.half_width_fraction
                              : wide.half_width_fraction == narrow.half_width_fraction,
                      "%s: %s", title, plan);
        }
    }
}

Test(interval_laws, a_borrowed_profile_is_less_sure_than_a_fitted_one)
{
    ToyWorld world = toy_plan_at(0);
    double step_s;
    StratErrors errors = some_errors();
    StratExposure fitted = expose(&world, &step_s);
    world.profile.grade = KERN_GRADE_DATASHEET;
    StratExposure borrowed = expose(&world, &step_s);
    StratInterval narrow = strat_interval(step_s, &fitted, &errors, 0.0, 0);
    StratInterval wide = strat_interval(step_s, &borrowed, &errors, 0.0, 0);
    cr_expect(wide.half_width_fraction > narrow.half_width_fraction);
    cr_expect(wide.evidence == KERN_EVIDENCE_DATASHEET);
}
