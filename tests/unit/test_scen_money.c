/* What tokens cost, against sums done by hand. */
#include "scen_money.h"

#include <criterion/criterion.h>

/* Two GPUs for an hour: half of the time in iterations, of which a quarter adds prompts. */
static StratServeResult hour(void)
{
    StratServeResult r = {
        .finished = 100,
        .measured = 100,
        .end_ns = INT64_C(3600) * 1000000000,
        .gpus = 2,
        .up_s = 7200.0,
        .input_tokens = 3000000,
        .cached_tokens = 1000000,
        .output_tokens = 500000,
        .within_slo_tokens = 250000,
        .prompt_s = 900.0,
        .idle_s = 3600.0,
    };
    r.busy_s[STRAT_SERVE_LINEAR] = 3240.0;
    r.busy_s[STRAT_SERVE_PREFILL] = 360.0;
    return r;
}

static ScenScenario rented(void)
{
    ScenScenario s = {0};
    s.cost = (ScenCost){.name = "rent", .gpu_usd_per_h = 5.0};
    s.cluster.node.gpu.power_w = 500.0;
    s.serving.deployment.pools = 1;
    s.serving.deployment.slo_ttft_s = 1.0;
    return s;
}

Test(money, rent_is_split_by_what_gpus_did)
{
    ScenScenario s = rented();
    StratServeResult r = hour();
    ScenMoney m = scen_money(&s, &r);
    cr_expect_float_eq(m.usd_total, 10.0, 1e-9);
    cr_expect_float_eq(m.idle_fraction, 0.5, 1e-12);
    cr_expect_float_eq(m.usd_outputs, 7.5, 1e-9); /* three quarters of the busy time */
    /* A tenth is attention of prompts; half of that is to cached tokens: 1 / (1 + 2 / 2). */
    cr_expect_float_eq(m.usd_cached, 0.5, 1e-9);
    cr_expect_float_eq(m.usd_per_cached, 0.5, 1e-9);
    cr_expect_float_eq(m.usd_per_input, 2.0 / 2.0, 1e-9);
    cr_expect_float_eq(m.usd_per_output, 15.0, 1e-9);
    cr_expect_float_eq(m.usd_per_slo_output, 40.0, 1e-9);
    cr_expect_float_eq(m.usd_prompts + m.usd_cached + m.usd_outputs, m.usd_total, 1e-9);
    cr_expect_eq(m.usd_energy, 0.0);
}

Test(money, a_purchase_is_written_off_and_pays_for_its_power)
{
    ScenScenario s = rented();
    StratServeResult r = hour();
    s.cost = (ScenCost){.name = "bought",
                        .purchase_usd = 35064.0, /* 4 years of $1 */
                        .years = 4.0,
                        .idle_w = 100.0,
                        .pue = 1.5,
                        .energy_usd_per_kwh = 0.1};
    ScenMoney m = scen_money(&s, &r);
    cr_expect_float_eq(m.usd_per_gpu_hour, 1.0, 1e-9);
    cr_expect_float_eq(m.energy_kwh, (3600.0 * 500.0 + 3600.0 * 100.0) * 1.5 / 3.6e6, 1e-9);
    cr_expect_float_eq(m.usd_total, 2.0 + 0.1 * m.energy_kwh, 1e-9);
}

Test(money, pools_of_their_own_bear_what_they_idle)
{
    ScenScenario s = rented();
    StratServeResult r = hour();
    r.cached_tokens = 0;
    s.serving.deployment.pools = 2;
    s.serving.deployment.pool[0] =
        (StratPool){.replicas = 1, .tensor = 1, .pipeline = 1, .data = 1, .expert = 1};
    s.serving.deployment.pool[1] = s.serving.deployment.pool[0];
    ScenMoney m = scen_money(&s, &r);
    cr_expect_float_eq(m.usd_prompts, 5.0, 1e-9);
    cr_expect_float_eq(m.usd_outputs, 5.0, 1e-9);
    cr_expect_eq(m.usd_per_cached, 0.0);
}

Test(money, a_run_without_tokens_costs_but_has_no_price_of_a_token)
{
    ScenScenario s = rented();
    StratServeResult r = {
        .gpus = 2, .end_ns = INT64_C(3600) * 1000000000, .idle_s = 7200.0, .up_s = 7200.0};
    ScenMoney m = scen_money(&s, &r);
    cr_expect_float_eq(m.usd_total, 10.0, 1e-9);
    cr_expect_eq(m.usd_per_output, 0.0);
    cr_expect_eq(m.usd_per_input, 0.0);
    cr_expect_float_eq(m.idle_fraction, 1.0, 1e-12);
}
