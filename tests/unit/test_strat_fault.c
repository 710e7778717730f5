/* Fault histories: they replay, do not depend on each other, and have the moments asked for. */
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static StratFaultClass classes[3];

static StratFaultModel model_of(size_t count)
{
    StratCampaign c = toy_campaign(&classes[0], 16384, 0.004, 54.0, 1800.0, 600.0);
    for (size_t i = 1; i < 3; i++)
        classes[i] = classes[0];
    classes[1].name = "leaf";
    classes[1].unit = STRAT_FAULT_LEAF;
    classes[2].name = "gpu";
    classes[2].unit = STRAT_FAULT_GPU;
    c.faults.classes = classes;
    c.faults.count = count;
    return c.faults;
}

/* Times and nodes of the first @count faults of the class called @name, as one number each. */
static void collect(const StratFaultModel *model, const char *name, uint64_t replication,
                    size_t count, double *keys)
{
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(model, replication);
    StratFault fault;
    SimTime last = 0;
    for (size_t i = 0; i < count;) {
        cr_assert(strat_fault_history_next(history, &fault));
        cr_expect(fault.at >= last, "time goes back");
        last = fault.at;
        SimRandom draws = sim_random_child(&fault.draws, 3);
        if (g_str_equal(model->classes[fault.class_index].name, name))
            keys[i++] = (double)fault.at + (double)fault.node * 1e-3 + sim_random_uniform(&draws);
    }
}

Test(fault, a_history_replays_from_its_seed_and_its_number)
{
    double a[50], b[50], other[50];
    StratFaultModel model = model_of(2);
    collect(&model, "node", 7, 50, a);
    collect(&model, "node", 7, 50, b);
    collect(&model, "node", 8, 50, other);
    for (size_t i = 0; i < 50; i++) {
        cr_expect(a[i] == b[i]);
        cr_expect(a[i] != other[i]);
    }
    model.seed = 2;
    collect(&model, "node", 7, 50, other);
    cr_expect(a[0] != other[0]);
}

Test(fault, another_class_does_not_shift_the_draws_of_the_others)
{
    double alone[50], together[50];
    StratFaultModel model = model_of(1);
    collect(&model, "node", 3, 50, alone);
    model = model_of(3);
    collect(&model, "node", 3, 50, together);
    for (size_t i = 0; i < 50; i++)
        cr_expect(alone[i] == together[i], "fault %zu", i);
}

/* Mean and coefficient of variation of the gaps of the first class. */
static void moments(const StratFaultModel *model, double *mean_s, double *cv)
{
    enum { FAULTS = 200000 };
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(model, 0);
    double sum = 0.0, square = 0.0, last_s = 0.0;
    StratFault fault;
    for (int i = 0; i < FAULTS; i++) {
        cr_assert(strat_fault_history_next(history, &fault));
        double gap_s = sim_time_to_seconds(fault.at) - last_s;
        last_s += gap_s;
        sum += gap_s / FAULTS;
        square += gap_s * gap_s / FAULTS;
    }
    *mean_s = sum;
    *cv = sqrt(square - sum * sum) / sum;
}

Test(fault, gaps_have_the_mean_of_their_rate_and_the_scatter_of_their_shape)
{
    double want_s = 86400.0 / (2048 * 0.004), mean_s, cv;
    StratFaultModel model = model_of(1);
    moments(&model, &mean_s, &cv);
    cr_expect_float_eq(mean_s, want_s, 0.01 * want_s, "%g", mean_s);
    cr_expect_float_eq(cv, 1.0, 0.02, "%g", cv);
    classes[0].shape = 0.7; /* cv^2 = Gamma(1 + 2/k) / Gamma(1 + 1/k)^2 - 1 */
    moments(&model, &mean_s, &cv);
    cr_expect_float_eq(mean_s, want_s, 0.015 * want_s, "%g", mean_s);
    cr_expect_float_eq(cv, sqrt(tgamma(1 + 2 / 0.7) / pow(tgamma(1 + 1 / 0.7), 2) - 1), 0.03, "%g",
                       cv);
    classes[0].shape = 1.0;
    classes[0].burst_fraction = 0.5;
    classes[0].burst_gap_s = 60.0;
    moments(&model, &mean_s, &cv);
    cr_expect_float_eq(mean_s, want_s, 0.015 * want_s, "%g", mean_s);
    cr_expect(cv > 1.5, "%g", cv);
}

Test(fault, a_burst_stays_on_its_node)
{
    StratFaultModel model = model_of(1);
    classes[0].burst_fraction = 0.8;
    classes[0].burst_gap_s = 1.0;
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(&model, 0);
    StratFault a, b;
    int same = 0;
    cr_assert(strat_fault_history_next(history, &a));
    for (int i = 0; i < 1000; i++, a = b) {
        cr_assert(strat_fault_history_next(history, &b));
        same += a.node == b.node;
    }
    cr_expect(same > 760 && same < 840, "%d", same);
}

Test(fault, early_failures_are_as_many_more_as_asked_for)
{
    StratFaultModel model = model_of(1);
    model.early_factor = 5.0;
    model.early_s = 10.0 * 86400.0;
    double expected = 2048 * 0.004 * (54.0 + 4.0 * 10.0 * (1.0 - exp(-5.4))), sum = 0.0;
    for (uint64_t r = 0; r < 200; r++) {
        g_autoptr(StratFaultHistory) history = strat_fault_history_new(&model, r);
        StratFault fault;
        while (strat_fault_history_next(history, &fault) && fault.at < 54 * 86400 * SIM_TIME_SECOND)
            sum += 1.0 / 200.0;
    }
    cr_expect_float_eq(sum, expected, 0.01 * expected, "%g, not %g", sum, expected);
}

Test(fault, lemons_take_their_share_and_domains_all_their_nodes)
{
    StratFaultModel model = model_of(2);
    model.lemon_fraction = 0.01;
    model.lemon_factor = 25.0;
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(&model, 0);
    int lemons = 0, nodes = 0;
    StratFault fault;
    for (int i = 0; i < 20000; i++) {
        cr_assert(strat_fault_history_next(history, &fault));
        if (fault.class_index == 1) {
            cr_expect(fault.node % 32 == 0 && fault.nodes == 32);
            continue;
        }
        nodes++;
        lemons += fault.excess > 1.0;
        cr_expect((fault.excess > 1.0) == (fault.node < 20)); /* 1 % of 2,048 */
        cr_expect(fault.nodes == 1 && fault.node < 2048);
    }
    double want = 20 * 25.0 / (20 * 25.0 + 2028);
    cr_expect_float_eq((double)lemons / nodes, want, 0.015, "%g", (double)lemons / nodes);
}

Test(fault, recorded_faults_come_at_their_times_and_shift_nothing)
{
    static const StratFaultRecord records[] = {
        {1.5,     0, 7 },
        {86400.0, 1, 64}
    };
    double alone[50];
    StratFaultModel model = model_of(2);
    collect(&model, "node", 3, 50, alone);
    model.records = records;
    model.record_count = G_N_ELEMENTS(records);
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(&model, 3);
    int recorded = 0, drawn = 0;
    for (StratFault fault; drawn < 50;) {
        cr_assert(strat_fault_history_next(history, &fault));
        SimRandom draws = sim_random_child(&fault.draws, 3);
        double key = (double)fault.at + (double)fault.node * 1e-3 + sim_random_uniform(&draws);
        if (recorded < 2 && fault.at == (SimTime)(records[recorded].at_s * 1e9)) {
            cr_expect(fault.node == records[recorded].node);
            cr_expect(fault.nodes == (recorded == 0 ? 1 : 32));
            recorded++;
        } else if (fault.class_index == 0) {
            cr_expect(key == alone[drawn], "fault %d", drawn);
            drawn++;
        }
    }
    cr_expect(recorded == 2);
}

/* Faults of the class called @name from @from_s to @to_s, on average over 400 histories. */
static double count_between(const StratFaultModel *model, const char *name, double from_s,
                            double to_s)
{
    double sum = 0.0;
    for (uint64_t r = 0; r < 400; r++) {
        g_autoptr(StratFaultHistory) history = strat_fault_history_new(model, r);
        StratFault fault;
        while (strat_fault_history_next(history, &fault) && sim_time_to_seconds(fault.at) < to_s)
            if (sim_time_to_seconds(fault.at) >= from_s &&
                g_str_equal(model->classes[fault.class_index].name, name))
                sum += 1.0 / 400.0;
    }
    return sum;
}

/* A mean of 400 Poisson counts, to three standard errors. */
static void expect_count(const char *what, double got, double want)
{
    cr_expect_float_eq(got, want, 3.0 * sqrt(want / 400.0), "%s: %g, not %g", what, got, want);
}

static const double DAY_S = 86400.0;

Test(fault, incidents_multiply_the_rates_of_their_classes_while_they_last)
{
    static const StratFaultIncident incidents[] = {
        {"node", 20 * 86400.0, 25 * 86400.0, 5.0},
        {NULL,   24 * 86400.0, 30 * 86400.0, 2.0},
    };
    StratFaultModel model = model_of(3);
    model.incidents = incidents;
    model.incident_count = 2;
    double a_day = 2048 * 0.004;
    expect_count("before", count_between(&model, "node", 10 * DAY_S, 20 * DAY_S), 10 * a_day);
    expect_count("in one", count_between(&model, "node", 20 * DAY_S, 24 * DAY_S), 4 * 5 * a_day);
    expect_count("in both", count_between(&model, "node", 24 * DAY_S, 25 * DAY_S), 6 * a_day);
    expect_count("after", count_between(&model, "node", 30 * DAY_S, 40 * DAY_S), 10 * a_day);
    expect_count("another's", count_between(&model, "leaf", 20 * DAY_S, 24 * DAY_S), 64 * 0.016);
    expect_count("all's", count_between(&model, "leaf", 24 * DAY_S, 30 * DAY_S), 64 * 0.048);
}

Test(fault, an_incident_of_one_class_changes_no_other_and_nothing_before)
{
    static const StratFaultIncident incident = {"leaf", 86400.0, 864000.0, 7.0};
    double without[50], with[50], leaf_without[50], leaf_with[50];
    StratFaultModel model = model_of(3);
    collect(&model, "node", 3, 50, without);
    collect(&model, "leaf", 3, 50, leaf_without);
    model.incidents = &incident;
    model.incident_count = 1;
    collect(&model, "node", 3, 50, with);
    collect(&model, "leaf", 3, 50, leaf_with);
    for (size_t i = 0; i < 50; i++)
        cr_expect(without[i] == with[i], "fault %zu", i);
    cr_expect(leaf_without[49] > leaf_with[49], "an incident brings no more faults");
}

/* Rates R (1 + c cos): half a period around the peak has R (1 + 2 c / pi) of them. */
Test(fault, cycles_move_faults_towards_their_peaks)
{
    static const StratFaultCycle cycle = {40 * 86400.0, 10 * 86400.0, 0.6};
    StratFaultModel model = model_of(1);
    model.cycles = &cycle;
    model.cycle_count = 1;
    double half = 20 * 2048 * 0.004;
    expect_count("warm", count_between(&model, "node", 0.0, 20 * DAY_S), half * (1 + 1.2 / G_PI));
    expect_count("cold", count_between(&model, "node", 20 * DAY_S, 40 * DAY_S),
                 half * (1 - 1.2 / G_PI));
}

/* Of 2,048 nodes 5 % fail early, with 2 days: besides the rate, and alone. */
Test(fault, a_share_is_dead_on_arrival)
{
    for (int alone = 0; alone < 2; alone++) {
        StratFaultModel model = model_of(1);
        model.early_s = 2.0 * DAY_S;
        classes[0].dead_fraction = 0.05;
        if (alone)
            classes[0].per_unit_s = 0.0;
        double rate = alone ? 0.0 : 2048 * 0.004;
        expect_count("at first", count_between(&model, "node", 0.0, 2 * DAY_S),
                     2 * rate + 102.4 * (1 - exp(-1.0)));
        expect_count("then", count_between(&model, "node", 2 * DAY_S, 40 * DAY_S),
                     38 * rate + 102.4 * exp(-1.0));
    }
}

Test(fault, a_domain_takes_as_many_nodes_as_its_class_says)
{
    StratFaultModel model = model_of(2);
    classes[0].unit = STRAT_FAULT_DOMAIN;
    classes[0].domain_nodes = 18;
    cr_expect(strat_fault_units(&model.site, &classes[0]) == 114); /* of 2,048 nodes */
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(&model, 0);
    StratFault fault;
    bool is_last_met = false;
    for (int i = 0; i < 3000; i++) {
        cr_assert(strat_fault_history_next(history, &fault));
        if (fault.class_index == 1)
            continue;
        bool is_last = fault.node == 113 * 18;
        is_last_met |= is_last;
        cr_expect(fault.node % 18 == 0 && fault.nodes == (is_last ? 14 : 18));
    }
    cr_expect(is_last_met);
}

/* Titan's double bit errors in a million hours, by cage from bottom to top. */
Test(fault, the_top_of_a_rack_fails_as_much_more_often_as_asked_for)
{
    StratFaultModel model = model_of(1);
    model.site.nodes_per_rack = 24;
    model.site.gpus = 8 * 2040; /* whole racks */
    classes[0].heights = 3;
    memcpy(classes[0].height, (double[]){3.91, 5.87, 6.62}, 3 * sizeof(double));
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(&model, 0);
    double hits[3] = {0};
    enum { FAULTS = 30000 };
    StratFault fault;
    for (int i = 0; i < FAULTS; i++) {
        cr_assert(strat_fault_history_next(history, &fault));
        hits[fault.node % 24 / 8] += 1.0 / FAULTS;
    }
    for (int h = 0; h < 3; h++)
        cr_expect_float_eq(hits[h], classes[0].height[h] / 16.4, 0.009, "cage %d: %g", h, hits[h]);
}

/* Rates of Gamma(k): the chance that two faults share a node is (k + 1) / (n k + 1), and the node
 * that was hit has (k + 1) n / (n k + 1) times the mean rate. */
Test(fault, nodes_differ_by_a_gamma_distribution)
{
    enum { HISTORIES = 4000 };
    StratFaultModel model = model_of(1);
    model.site.gpus = 8 * 16;
    model.node_shape = 0.25;
    double same = 0.0, want = 1.25 / 5.0;
    for (uint64_t r = 0; r < HISTORIES; r++) {
        g_autoptr(StratFaultHistory) history = strat_fault_history_new(&model, r);
        StratFault a, b;
        cr_assert(strat_fault_history_next(history, &a));
        cr_assert(strat_fault_history_next(history, &b));
        same += (a.node == b.node) / (double)HISTORIES;
        cr_expect(a.excess == 1.0);
        if (a.node == b.node)
            cr_expect_float_eq(b.excess, 1.25 * 16 / 5.0, 1e-9);
    }
    cr_expect_float_eq(same, want, 3.0 * sqrt(want * (1 - want) / HISTORIES), "%g", same);
    model.node_shape = 0.0;
    g_autoptr(StratFaultHistory) even = strat_fault_history_new(&model, 0);
    StratFault fault;
    cr_assert(strat_fault_history_next(even, &fault));
}

Test(fault, the_calendar_and_rates_of_the_whole_job_are_as_written)
{
    StratFaultModel model = model_of(2);
    classes[0].every_s = 7.0 * DAY_S;
    classes[1].per_unit_s = 0.0;
    classes[1].per_job_s = 0.84 / DAY_S;
    cr_expect_float_eq(strat_fault_rate(&model, &classes[1]), 0.84 / DAY_S, 1e-18);
    expect_count("of the job", count_between(&model, "leaf", 0.0, 54 * DAY_S), 0.84 * 54.0);
    cr_expect_float_eq(count_between(&model, "node", 0.0, 54 * DAY_S), 7.0, 1e-9);
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(&model, 5);
    StratFault fault;
    do
        cr_assert(strat_fault_history_next(history, &fault));
    while (fault.class_index != 0);
    cr_expect(fault.at == 7 * 86400 * SIM_TIME_SECOND);
}
