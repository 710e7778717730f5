/* The training step over a fabric: what must hold when transfers share links, whatever the figures.
 *
 * With room for everybody the fluid network is the closed form plus the time of flight; taking room
 * away never helps; which ranks are folded together does not matter; and the links that are named
 * as hot are links of the fabric. */
#include "scen_load.h"
#include "scen_simulate.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static const char *const plan =
    "model: {layers: 16, hidden: 4096, heads: 32, vocab: 32000, max_sequence: 2048}\n"
    "cluster: {node: dgx-h100, gpus: 256}\n"
    "plan: {base: megatron-core-2024, tensor: 4, pipeline: 4, virtual_stages: 2, global_batch: "
    "128}\n";

/* Simulates the plan with @more lines. */
static StratTrainResult *simulate(const char *more)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strconcat(plan, more, NULL);
    ScenLoadOptions options = {0};
    g_autoptr(ScenScenario) scenario =
        scen_scenario_parse("shared", text, strlen(text), &options, &error);
    cr_assert(scenario, "%s", error ? error->message : "");
    StratTrainResult *result = scen_simulate(scenario, &error);
    cr_assert(result, "%s", error ? error->message : "");
    return result;
}

static double step_of(const char *more)
{
    g_autoptr(StratTrainResult) result = simulate(more);
    return (double)result->step_ns;
}

static const char *const roomy[] = {
    "network: fluid\nfabric: {kind: single-switch, radix: 1024}\n",
    "network: fluid\nfabric: {kind: rail-optimised}\n",
    "network: fluid\nfabric: {kind: fat-tree, routing: d-mod-k}\n",
    "network: fluid\nfabric: {kind: dual-plane}\n",
    "network: fluid\nfabric: {kind: dual-tor}\n",
};

Test(shared_network, with_room_for_all_is_within_a_hundredth_of_the_closed_form)
{
    double alone = step_of("network: alpha-beta\n");
    for (size_t i = 0; i < G_N_ELEMENTS(roomy); i++) {
        double shared = step_of(roomy[i]);
        cr_expect(fabs(shared / alone - 1.0) < 0.01, "%s: %g of %g", roomy[i], shared, alone);
        cr_expect(shared >= alone, "%s: flight takes time", roomy[i]);
    }
}

Test(shared_network, with_less_room_is_never_faster)
{
    double last = 0.0;
    for (int over = 1; over <= 16; over *= 2) {
        g_autofree char *more = g_strdup_printf(
            "network: fluid\nfabric: {kind: leaf-spine, leaf_oversubscription: %d, routing: "
            "d-mod-k}\n",
            over);
        double step = step_of(more);
        cr_expect(step >= last * (1.0 - 1e-6), "%d to 1: %g after %g", over, step, last);
        last = step;
    }
    double roomiest = step_of("network: fluid\nfabric: {kind: leaf-spine, routing: d-mod-k}\n");
    cr_expect(last > 1.02 * roomiest, "sixteen to one must hurt: %g, %g", last, roomiest);
}

/* The same flows in another order may round a nanosecond apart. */
Test(shared_network, folds_its_ranks_without_changing_the_step)
{
    for (size_t i = 0; i < G_N_ELEMENTS(roomy); i++) {
        g_autofree char *unfolded = g_strconcat(roomy[i], "fold: false\n", NULL);
        double folded = step_of(roomy[i]), all = step_of(unfolded);
        cr_expect(fabs(folded / all - 1.0) < 1e-6, "%s: %.0f, %.0f", roomy[i], folded, all);
    }
}

Test(shared_network, shows_the_length_of_its_cables)
{
    double near = step_of("network: fluid\nfabric: {kind: rail-optimised, leaf_length: 5 m}\n");
    double far = step_of("network: fluid\nfabric: {kind: rail-optimised, leaf_length: 105 m}\n");
    cr_expect(far > near, "%g ns, %g ns", near, far);
    cr_expect(far < 1.01 * near, "a microsecond a hop");
}

Test(shared_network, names_links_that_carried_something)
{
    g_autoptr(StratTrainResult) result = simulate(
        "network: fluid\nfabric: {kind: leaf-spine, leaf_oversubscription: 8, routing: ecmp}\n");
    cr_assert(result->hot_links && result->hot_links->len > 0);
    double last = INFINITY;
    for (guint i = 0; i < result->hot_links->len; i++) {
        const TopoHotLink *link = &g_array_index(result->hot_links, TopoHotLink, i);
        cr_expect(strstr(link->name, " -> ") && link->alike > 0);
        cr_expect(link->carried_fraction > 0.0 && link->carried_fraction <= 1.0 + 1e-9);
        cr_expect(link->waited_s <= last && link->lost_s <= link->waited_s * (1.0 + 1e-9));
        last = link->waited_s;
        double named = 0.0;
        for (uint32_t w = 0; w < link->waiter_count; w++) {
            cr_expect(w == 0 || link->waiters[w].waited_s <= link->waiters[w - 1].waited_s);
            cr_expect(strstr(link->waiters[w].name, "stage "), "%s", link->waiters[w].name);
            named += link->waiters[w].waited_s;
        }
        cr_expect(named <= link->waited_s * (1.0 + 1e-9));
        cr_expect((named > 0.0) == (link->waited_s > 0.0), "somebody waits wherever time is lost");
    }
}

Test(shared_network, gives_the_same_run_twice)
{
    const char *more = "network: fluid\nfabric: {kind: fat-tree, routing: ecmp}\n";
    g_autoptr(StratTrainResult) one = simulate(more), two = simulate(more);
    cr_assert(one->run->op_count == two->run->op_count);
    size_t size = one->run->op_count * sizeof(SimTime);
    cr_expect(memcmp(one->run->end, two->run->end, size) == 0);
}

Test(shared_network, keeps_every_nanosecond_in_the_ledger)
{
    g_autoptr(StratTrainResult) result =
        simulate("network: fluid\nfabric: {kind: leaf-spine, leaf_oversubscription: 4}\n");
    int64_t sum = 0;
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        sum += result->ledger_ns[b];
    cr_expect(sum == result->gpus * result->step_ns);
}

static double placed_step(const char *fabric, const char *placement, const char *more)
{
    g_autofree char *text = g_strdup_printf("%splacement: %s\n%s", fabric, placement, more);
    return step_of(text);
}

static const char *const placements[] = {"packed", "spread", "rail-aligned"};

Test(shared_network, folds_its_ranks_wherever_they_are_placed)
{
    for (size_t i = 0; i < G_N_ELEMENTS(roomy); i++) {
        for (size_t p = 0; p < G_N_ELEMENTS(placements); p++) {
            double folded = placed_step(roomy[i], placements[p], "");
            double all = placed_step(roomy[i], placements[p], "fold: false\n");
            cr_expect(fabs(folded / all - 1.0) < 1e-6, "%s %s: %.0f, %.0f", roomy[i], placements[p],
                      folded, all);
        }
    }
}

Test(shared_network, is_slower_the_further_apart_its_ranks_are)
{
    const char *narrow = "network: fluid\n"
                         "fabric: {kind: leaf-spine, leaf_oversubscription: 4, routing: d-mod-k}\n";
    double steps[G_N_ELEMENTS(placements)];
    for (size_t p = 0; p < G_N_ELEMENTS(placements); p++)
        steps[p] = placed_step(narrow, placements[p], "");
    cr_expect(steps[1] > 1.02 * steps[0], "more traffic goes up: %g, %g", steps[1], steps[0]);
    cr_expect(steps[2] > 1.1 * steps[0], "tensor groups over NICs: %g, %g", steps[2], steps[0]);
}
