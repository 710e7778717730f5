/* Autoscaling and admission against schedules worked out by hand: iterations of 10 ms, one sequence
 * at a time, 100 tokens each, so a request takes a replica for a second. */
#include "strat_autoscale.h"

#include "strat_schedule.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <string.h>

#define MS INT64_C(1000000)

static StratRequest request(int64_t id, SimTime at_ms)
{
    return (StratRequest){.id = id,
                          .arrival_ns = at_ms * MS,
                          .input_tokens = 16,
                          .output_tokens = 100,
                          .session = -1,
                          .adapter = -1};
}

static StratServeResult *run(const StratServeSpec *changes, int64_t replicas,
                             const StratRequest *requests, size_t count, bool exact)
{
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    StratEngine engine = toy_engine();
    StratDeployment deployment = toy_deployment(&engine);
    g_autoptr(StratSource) source = toy_source(requests, count, 16);
    engine.max_sequences = 1;
    deployment.router = "least-loaded";
    deployment.pool[0].replicas = replicas;
    deployment.slo_ttft_s = 10.0;
    StratServeSpec spec = toy_serve_spec(&deployment, &pricer, 100, source, exact);
    spec.autoscale = changes->autoscale;
    spec.admission = changes->admission;
    spec.warm_up_requests = changes->warm_up_requests;
    return strat_serve_run(&spec, NULL);
}

static const StratOutcome *outcome(const StratServeResult *result, guint id)
{
    return &g_array_index(result->outcomes, StratOutcome, id);
}

static const StratAutoscale one_to_two = {
    .least = 1,
    .policy = "outstanding",
    .target = 1.0,
    .tolerance_fraction = 0.1,
    .check_s = 1.0,
    .cool_down_s = 2.0,
    .provision_s = 0.5,
    .load_s = 0.25,
    .engine_start_s = 0.25,
};

/* Replica 0 serves from 100 ms. At 1 s three requests are there: a second replica starts and serves
 * from 2 s, so the request of 2.1 s goes there and that of 1.5 s does not. At 4 s there is one
 * request on two replicas, at 5 and 6 s none: after 2 s of that the last of equals goes. */
Test(autoscale, one_comes_and_goes_as_worked_out_by_hand)
{
    const StratRequest requests[] = {request(0, 100),  request(1, 200),  request(2, 200),
                                     request(3, 1500), request(4, 2100), request(5, 6500)};
    const SimTime ends_ms[] = {1100, 2100, 3100, 4100, 3100, 7500};
    const int32_t replicas[] = {0, 0, 0, 0, 1, 0};
    for (int exact = 0; exact < 2; exact++) {
        StratServeSpec changes = {.autoscale = one_to_two};
        g_autoptr(StratServeResult) r = run(&changes, 2, requests, 6, exact);
        for (guint i = 0; i < 6; i++) {
            cr_expect_lt(ABS(outcome(r, i)->last_token_ns - ends_ms[i] * MS), MS / 1000, "%u", i);
            cr_expect_eq(outcome(r, i)->replica, replicas[i], "%u", i);
        }
        cr_expect(r->scale_ups == 1 && r->scale_downs == 1 && r->peak_replicas == 2);
        cr_expect_float_eq(r->up_s, 7.5 + 5.0, 1e-6);
        cr_expect_float_eq(r->starting_s, 1.0, 1e-6);
        cr_expect_float_eq(r->busy_s[STRAT_SERVE_HOST], 6.0, 1e-6);
        cr_expect_float_eq(r->idle_s, 5.5, 1e-6);
    }
}

/* At 1 s three requests are there, so a second replica would serve from 11 s; from 5 s on there is
 * none, and after 2 s of that the one that starts is given up: 6 s of starting are paid. */
Test(autoscale, a_start_that_is_not_needed_any_more_is_given_up_first)
{
    const StratRequest requests[] = {request(0, 100), request(1, 200), request(2, 200),
                                     request(3, 3500), request(4, 7200)};
    StratServeSpec changes = {.autoscale = one_to_two};
    changes.autoscale.provision_s = 9.5;
    g_autoptr(StratServeResult) r = run(&changes, 2, requests, 5, false);
    cr_expect(r->scale_ups == 1 && r->scale_downs == 1);
    cr_expect_float_eq(r->starting_s, 6.0, 1e-6);
    cr_expect_float_eq(r->up_s, 8.2 + 6.0, 1e-6);
    cr_expect_eq(outcome(r, 4)->replica, 0);
}

/* With a target of 2 the second replica serves from 2 s on, and at 2 and 3 s one request on each is
 * half of the target, so the last of equals drains at 3 s: it finishes its request at 3.5 s, takes
 * none at 3.6 s though it is empty, and costs nothing more. */
Test(autoscale, a_replica_drains_before_it_goes)
{
    const StratRequest requests[] = {request(0, 100),  request(1, 200),  request(2, 200),
                                     request(3, 2500), request(4, 3200), request(5, 3600)};
    const int32_t replicas[] = {0, 0, 0, 1, 0, 0};
    StratServeSpec changes = {.autoscale = one_to_two};
    changes.autoscale.target = 2.0;
    changes.autoscale.cool_down_s = 1.0;
    g_autoptr(StratServeResult) r = run(&changes, 2, requests, 6, false);
    for (guint i = 0; i < 6; i++)
        cr_expect_eq(outcome(r, i)->replica, replicas[i], "%u", i);
    cr_expect_lt(ABS(outcome(r, 3)->last_token_ns - 3500 * MS), MS / 1000);
    cr_expect_float_eq(r->up_s, 5.2 + 2.5, 1e-6);
    cr_expect_eq(r->scale_downs, 1);
}

Test(autoscale, the_rule_is_that_of_the_horizontal_pod_autoscaler)
{
    StratAutoscale how = {.least = 2, .target = 10.0, .tolerance_fraction = 0.1};
    static const struct {
        double measure;
        int64_t serving, current, want;
    } cases[] = {
        {10.0, 4, 4, 4},
        {10.9, 4, 5, 5},
        {11.1, 4, 4, 5},
        {20.0, 4, 4, 8},
        {50.0, 4, 4, 8},
        {9.1,  4, 4, 4},
        {8.9,  4, 4, 4},
        {7.4,  4, 6, 3},
        {0.0,  4, 4, 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        cr_expect_eq(
            strat_autoscale_desired(&how, cases[i].measure, cases[i].serving, cases[i].current, 8),
            cases[i].want, "case %zu", i);
    g_autoptr(GError) error = NULL;
    cr_expect_null(strat_scale_policy_by_name("moon", &error));
    cr_expect(g_error_matches(error, STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME));
}

/* What policies see of one replica with 1 request running, 2 waiting, the older since 0.5 s. */
Test(autoscale, policies_measure_what_they_say)
{
    static const struct {
        const char *policy;
        double below, above; /* targets at which it starts a second replica, and not */
    } cases[] = {
        {"outstanding", 2.5,  3.2  },
        {"queue",       1.7,  2.2  },
        {"kv",          0.06, 0.08 }, /* 115 tokens at most: 7 of 100 blocks */
        {"ttft",        0.04, 0.055}, /* 0.5 s of 10 */
    };
    const StratRequest requests[] = {request(0, 100), request(1, 500), request(2, 600)};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        StratServeSpec changes = {.autoscale = one_to_two};
        changes.autoscale.policy = cases[i].policy;
        changes.autoscale.tolerance_fraction = 0.0;
        changes.autoscale.provision_s = 100.0;
        changes.autoscale.check_s = 1.0;
        changes.autoscale.target = cases[i].below;
        g_autoptr(StratServeResult) low = run(&changes, 2, requests, 1 + 2, false);
        changes.autoscale.target = cases[i].above;
        g_autoptr(StratServeResult) high = run(&changes, 2, requests, 1 + 2, false);
        cr_expect_geq(low->scale_ups, 1, "%s", cases[i].policy);
        /* Later looks see less of all but the age of who waits. */
        if (strcmp(cases[i].policy, "ttft") != 0)
            cr_expect_eq(high->scale_ups, 0, "%s", cases[i].policy);
        cr_expect_eq(low->finished, 3);
    }
}

Test(admission, a_full_queue_refuses)
{
    const StratRequest requests[] = {request(0, 0), request(1, 100), request(2, 200),
                                     request(3, 1100)};
    StratServeSpec changes = {.admission = {.max_queue = 1}};
    g_autoptr(StratServeResult) r = run(&changes, 1, requests, 4, false);
    cr_expect(r->finished == 3 && r->refused == 1 && r->refused_queue == 1);
    cr_expect_eq(outcome(r, 2)->replica, -1);
    cr_expect_eq(r->measured, 3);
    cr_expect_float_eq(strat_serve_attainment(r), 0.75, 1e-12, "a refusal is a miss");
    changes.warm_up_requests = 3;
    g_autoptr(StratServeResult) late = run(&changes, 1, requests, 4, false);
    cr_expect_float_eq(strat_serve_attainment(late), 1.0, 1e-12);
}

/* A token of a prompt is 10 / 64 ms on an empty replica: 16 of them 2.5 ms. */
Test(admission, a_late_first_token_is_predicted_and_refused)
{
    const StratRequest requests[] = {request(0, 0), request(1, 103), request(2, 106)};
    StratServeSpec changes = {.admission = {.max_ttft_s = 11e-3}};
    /* At 103 ms the iteration ends in 7 ms: 9.5. At 106 in 4, and 16 tokens wait: 9. */
    g_autoptr(StratServeResult) all = run(&changes, 1, requests, 3, false);
    cr_expect_eq(all->refused, 0);
    changes.admission.max_ttft_s = 9.2e-3;
    g_autoptr(StratServeResult) some = run(&changes, 1, requests, 3, false);
    cr_expect(some->refused == 1 && some->refused_ttft == 1);
    cr_expect_eq(outcome(some, 1)->replica, -1);
}

Test(admission, a_client_gives_up_when_it_has_waited_too_long)
{
    const StratRequest requests[] = {request(0, 0), request(1, 10), request(2, 600)};
    for (int exact = 0; exact < 2; exact++) {
        StratServeSpec changes = {.admission = {.timeout_s = 0.5}};
        g_autoptr(StratServeResult) r = run(&changes, 1, requests, 3, exact);
        cr_expect(r->finished == 2 && r->gave_up == 1 && r->unfinished == 0 && r->refused == 0);
        cr_expect_eq(outcome(r, 1)->replica, -1);
        cr_expect_lt(ABS(outcome(r, 2)->last_token_ns - 2000 * MS), MS / 1000);
        cr_expect_eq(r->lost_blocks, 0);
        cr_expect_float_eq(strat_serve_attainment(r), 2.0 / 3.0, 1e-12);
    }
}
