/* Fault histories: they replay, do not depend on each other, and have the moments asked for. */
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <math.h>

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
