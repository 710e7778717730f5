/*
 * The fluid network under the executor: patterns whose ends follow from a few divisions, to the ns,
 * and laws that hold for any traffic: bytes are conserved, nobody is faster than alone, two runs
 * are the same.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>

#include "sim_error.h"
#include "sim_exec.h"
#include "sim_random.h"
#include "topo_fluid.h"

/* One transfer, once. */
typedef struct Job {
    SimTime begins_ns;
    double bytes;
    uint32_t links[4];
    uint32_t count;
    double sharing;   /* 0: 1 */
    double latency_s; /* before the first byte */
    double bound;     /* 0: none */
} Job;

/* Jobs made into a network and a program. */
typedef struct Bench {
    TopoFluidTransfer *transfers;
    uint32_t *links;
    double *weights;
    TopoFluidSpec spec;
    TopoFluid *fluid;
    SimProgram *p;
} Bench;

static void add_job_ops(SimProgram *p, const Job *job, uint32_t transfer)
{
    SimSegment wait = {.duration_ns = job->begins_ns};
    uint32_t rank_class = sim_program_add_class(p, "host", 1);
    SimOp op = {
        .rank_class = rank_class,
        .group = SIM_GROUP_NONE,
        .block = sim_program_add_block(p, &wait, 1),
        .kind = SIM_OP_DELAY,
    };
    sim_program_add_op(p, &op);
    op.kind = SIM_OP_SEND;
    op.transfer = transfer;
    sim_program_add_op(p, &op);
}

static void bench_init(Bench *b, const double *capacity, uint32_t link_count, const Job *jobs,
                       uint32_t count)
{
    b->transfers = g_new0(TopoFluidTransfer, count);
    b->links = g_new0(uint32_t, 4 * (size_t)count);
    b->weights = g_new0(double, 4 * (size_t)count);
    b->p = sim_program_new();
    sim_program_bucket(b->p, "work");
    sim_program_label(b->p, "work");
    for (uint32_t i = 0; i < count; i++) {
        b->transfers[i] = (TopoFluidTransfer){
            .bytes = jobs[i].bytes,
            .latency_s = jobs[i].latency_s,
            .rate_bound_bytes_per_s = jobs[i].bound > 0.0 ? jobs[i].bound : INFINITY,
            .sharing_weight = jobs[i].sharing > 0.0 ? jobs[i].sharing : 1.0,
            .first = 4 * i,
            .count = jobs[i].count,
        };
        for (uint32_t k = 0; k < jobs[i].count; k++) {
            b->links[4 * i + k] = jobs[i].links[k];
            b->weights[4 * i + k] = 1.0;
        }
        add_job_ops(b->p, &jobs[i], i);
    }
    b->spec = (TopoFluidSpec){
        .capacity_bytes_per_s = capacity,
        .link_count = link_count,
        .transfers = b->transfers,
        .transfer_count = count,
        .links = b->links,
        .weights = b->weights,
    };
    b->fluid = topo_fluid_new(&b->spec, NULL);
    cr_assert(b->fluid != NULL && sim_program_seal(b->p, NULL));
}

static void bench_clear(Bench *b)
{
    topo_fluid_free(b->fluid);
    sim_program_free(b->p);
    g_free(b->transfers);
    g_free(b->links);
    g_free(b->weights);
}

static SimRun *bench_run(Bench *b)
{
    g_autoptr(GError) error = NULL;
    SimRun *run = sim_exec_run(b->p, topo_fluid_net(b->fluid), &error);
    cr_assert(run != NULL, "%s", error ? error->message : "");
    return run;
}

/* The operation of transfer @job. */
static uint32_t op_of(uint32_t job)
{
    return 2 * job + 1;
}

static void expect_ends(const double *capacity, uint32_t links, const Job *jobs, uint32_t count,
                        const SimTime *want)
{
    Bench b;
    bench_init(&b, capacity, links, jobs, count);
    g_autoptr(SimRun) run = bench_run(&b);
    for (uint32_t i = 0; i < count; i++)
        cr_expect(run->end[op_of(i)] == want[i], "job %u ends at %" PRId64 ", want %" PRId64, i,
                  run->end[op_of(i)], want[i]);
    bench_clear(&b);
}

/* The least of the capacities and the bound counts; the last ns is rounded up. */
Test(topo_fluid, a_transfer_alone_takes_its_latency_and_bytes_over_the_narrowest_link)
{
    static const struct {
        double bytes, latency_s, bound;
        SimTime want;
    } cases[] = {
        {1e9,    0.0,   0.0,  20000000        },
        {1e9,    5e-6,  0.0,  20005000        },
        {1.0,    0.0,   0.0,  1               },
        {50.0,   0.0,   0.0,  1               },
        {51.0,   0.0,   0.0,  2               },
        {1e9,    5e-6,  1e10, 100005000       },
        {0.0,    5e-6,  0.0,  5000            },
        {0.0,    0.0,   0.0,  0               },
        {3.0,    0.0,   1e9,  3               },
        {7e15,   1e-9,  7e9,  1000000000000001},
        {123457, 11e-9, 1e9,  123468          },
    };
    const double capacity[] = {100e9, 50e9, 400e9};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Job job = {
            17, cases[i].bytes, {0, 1, 2},
              3, 1.0, cases[i].latency_s, cases[i].bound
        };
        SimTime want = 17 + cases[i].want;
        expect_ends(capacity, 3, &job, 1, &want);
    }
}

/* Alone until 10 ns, then at half rate: 90 bytes left, and 100. The first is done at 190, the other
 * has 10 left then. */
Test(topo_fluid, two_flows_share_a_link)
{
    const double capacity[] = {1e9};
    const Job jobs[] = {
        {.begins_ns = 0,  .bytes = 100.0, .count = 1},
        {.begins_ns = 10, .bytes = 100.0, .count = 1},
    };
    const SimTime want[] = {190, 200};
    expect_ends(capacity, 1, jobs, 2, want);
}

Test(topo_fluid, a_flow_of_twice_the_sharing_weight_gets_twice_the_rate)
{
    const double capacity[] = {3e9};
    const Job jobs[] = {
        {.bytes = 100.0, .count = 1, .sharing = 1.0},
        {.bytes = 100.0, .count = 1, .sharing = 2.0},
    };
    const SimTime want[] = {67, 50}; /* 1 byte/ns and 2; 50 left at 50 ns, then 3 bytes/ns */
    expect_ends(capacity, 1, jobs, 2, want);
}

/* Bertsekas and Gallager, section 6.5.2: the long flow gets half of each link, and so do the short
 * ones; fairness has its price in total throughput. */
Test(topo_fluid, parking_lot)
{
    const double capacity[] = {1e9, 1e9, 1e9};
    const Job jobs[] = {
        {.bytes = 1000.0, .links = {0, 1, 2}, .count = 3},
        {.bytes = 500.0,  .links = {0},       .count = 1},
        {.bytes = 500.0,  .links = {1},       .count = 1},
        {.bytes = 250.0,  .links = {2},       .count = 1},
    };
    /* The last leaves at 500, but the long flow is held at 0.5 by the others until 1000. */
    const SimTime want[] = {1500, 1000, 1000, 500};
    expect_ends(capacity, 3, jobs, 4, want);
}

Test(topo_fluid, incast_divides_the_port_of_the_receiver)
{
    enum {
        SENDERS = 64,
    };
    double capacity[SENDERS + 1];
    Job jobs[SENDERS];
    SimTime want[SENDERS];
    for (uint32_t i = 0; i < SENDERS; i++) {
        capacity[i] = 50e9;
        jobs[i] = (Job){
            .bytes = 1e6, .links = {i, SENDERS},
                 .count = 2, .latency_s = 2e-6
        };
        want[i] = 2000 + SENDERS * 20000;
    }
    capacity[SENDERS] = 50e9;
    expect_ends(capacity, SENDERS + 1, jobs, SENDERS, want);
}

/* Latency uses no link: the second flow has it to itself for 30 ns. */
Test(topo_fluid, nobody_shares_before_the_latency_is_over)
{
    const double capacity[] = {1e9};
    const Job jobs[] = {
        {.bytes = 100.0, .count = 1, .latency_s = 30e-9},
        {.bytes = 100.0,              .count = 1          },
    };
    const SimTime want[] = {200, 170};
    expect_ends(capacity, 1, jobs, 2, want);
}

/* 50 bytes by 50 ns, 10 at a fifth of the rate until 100, nothing until 200, then 40 more. */
Test(topo_fluid, a_link_degrades_fails_and_is_repaired_in_mid_flow)
{
    const double capacity[] = {1e9};
    const Job job = {.bytes = 100.0, .count = 1};
    TopoFluidLinkUse use;
    Bench b;
    bench_init(&b, capacity, 1, &job, 1);
    topo_fluid_set_capacity_at(b.fluid, 200, 0, 1e9);
    topo_fluid_set_capacity_at(b.fluid, 100, 0, 3e9);
    topo_fluid_set_capacity_at(b.fluid, 100, 0, 0.0);
    topo_fluid_set_capacity_at(b.fluid, 50, 0, 0.2e9);
    g_autoptr(SimRun) run = bench_run(&b);
    cr_expect(run->makespan == 240);
    topo_fluid_link_uses(b.fluid, &use);
    cr_expect(fabs(use.carried_bytes - 100.0) < 1e-9);
    cr_expect(fabs(use.waited_s - 240e-9) < 1e-15 && fabs(use.lost_s - 140e-9) < 1e-15);
    bench_clear(&b);
}

Test(topo_fluid, a_flow_on_a_link_that_stays_dead_is_a_deadlock)
{
    const double capacity[] = {1e9};
    const Job job = {.bytes = 100.0, .count = 1};
    g_autoptr(GError) error = NULL;
    Bench b;
    bench_init(&b, capacity, 1, &job, 1);
    topo_fluid_set_capacity_at(b.fluid, 50, 0, 0.0);
    cr_expect(sim_exec_run(b.p, topo_fluid_net(b.fluid), &error) == NULL);
    cr_expect(g_error_matches(error, SIM_ERROR, SIM_ERROR_DEADLOCK));
    bench_clear(&b);
}

Test(topo_fluid, a_latency_that_is_no_time_is_an_error)
{
    const double capacity[] = {1e9};
    const TopoFluidTransfer transfer = {.latency_s = NAN, .sharing_weight = 1.0};
    const TopoFluidSpec spec = {.capacity_bytes_per_s = capacity,
                                .link_count = 1,
                                .transfers = &transfer,
                                .transfer_count = 1};
    g_autoptr(GError) error = NULL;
    cr_expect(topo_fluid_new(&spec, &error) == NULL);
    cr_expect(g_error_matches(error, SIM_ERROR, SIM_ERROR_RANGE));
}

/* Three on the uplink of 2 bytes/ns: it holds them back, their ports of 1 byte/ns do not. */
Test(topo_fluid, the_books_name_the_hottest_link_and_who_waits_for_it)
{
    const double capacity[] = {1e9, 1e9, 1e9, 2e9};
    const Job jobs[] = {
        {.bytes = 200.0, .links = {0, 3}, .count = 2},
        {.bytes = 200.0, .links = {1, 3}, .count = 2},
        {.bytes = 200.0, .links = {2, 3}, .count = 2},
    };
    TopoFluidLinkUse use[4];
    Bench b;
    bench_init(&b, capacity, 4, jobs, 3);
    g_autoptr(SimRun) run = bench_run(&b);
    cr_expect(run->makespan == 300);
    topo_fluid_link_uses(b.fluid, use);
    cr_expect(fabs(use[3].carried_bytes - 600.0) < 1e-9);
    cr_expect(fabs(use[3].peak_fraction - 1.0) < 1e-9 && fabs(use[3].saturated_s - 300e-9) < 1e-15);
    cr_expect(fabs(use[3].waited_s - 900e-9) < 1e-15 && fabs(use[3].lost_s - 300e-9) < 1e-15);
    for (int i = 0; i < 3; i++) {
        const TopoFluidWait *waits = topo_fluid_waits(b.fluid);
        cr_expect(fabs(use[i].carried_bytes - 200.0) < 1e-9 && use[i].saturated_s == 0.0);
        cr_expect(fabs(use[i].peak_fraction - 2.0 / 3.0) < 1e-9 && use[i].waited_s == 0.0);
        cr_expect(waits[4 * i].waited_s == 0.0);
        cr_expect(fabs(waits[4 * i + 1].lost_s - 100e-9) < 1e-15);
    }
    bench_clear(&b);
}

Test(topo_fluid, changes_of_one_instant_are_solved_at_once)
{
    enum {
        FLOWS = 100,
    };
    const double capacity[] = {1e9};
    Job jobs[FLOWS];
    Bench b;
    for (uint32_t i = 0; i < FLOWS; i++)
        jobs[i] = (Job){.begins_ns = 5, .bytes = 1000.0, .count = 1};
    bench_init(&b, capacity, 1, jobs, FLOWS);
    g_autoptr(SimRun) run = bench_run(&b);
    cr_expect(run->makespan == 5 + FLOWS * 1000);
    cr_expect(topo_fluid_solve_count(b.fluid) <= 3, "first begin, all in, all out");
    bench_clear(&b);
}

enum {
    FLOWS = 10000,
    LINKS = 200,
};

static void some_traffic(double capacity[LINKS], Job jobs[FLOWS])
{
    SimRandom draws = sim_random_stream(1, "test/fluid");
    for (uint32_t l = 0; l < LINKS; l++)
        capacity[l] = 1e9 * pow(10.0, 2.0 * sim_random_uniform(&draws));
    for (uint32_t i = 0; i < FLOWS; i++) {
        jobs[i] = (Job){
            .begins_ns = (SimTime)sim_random_below(&draws, 60000000),
            .bytes = floor(pow(10.0, 7.0 * sim_random_uniform(&draws))),
            .count = (uint32_t)(1 + sim_random_below(&draws, 4)),
            .latency_s = 1e-6 * (double)sim_random_below(&draws, 20),
            .sharing = (double)(1 + sim_random_below(&draws, 3)),
            .bound = sim_random_below(&draws, 4) == 0 ? 3e9 : 0.0,
        };
        for (uint32_t k = 0; k < jobs[i].count; k++) /* no link twice */
            jobs[i].links[k] = 50 * k + (uint32_t)sim_random_below(&draws, 50);
    }
}

/* No end comes before latency + bytes / (rate alone), less 1e-15 of rounding. */
static void expect_nobody_beats_itself_alone(const double *capacity, const Job *jobs,
                                             const SimRun *run)
{
    for (uint32_t i = 0; i < FLOWS; i++) {
        double rate = jobs[i].bound > 0.0 ? jobs[i].bound : INFINITY;
        for (uint32_t k = 0; k < jobs[i].count; k++)
            rate = fmin(rate, capacity[jobs[i].links[k]]);
        double least_ns = jobs[i].latency_s * 1e9 + jobs[i].bytes / rate * 1e9;
        SimTime took = run->end[op_of(i)] - run->start[op_of(i)];
        cr_assert(run->start[op_of(i)] == jobs[i].begins_ns);
        cr_assert((double)took >= least_ns * (1.0 - 1e-14), "job %u", i);
    }
}

/* What the links carried is an integral of rates over time, and must be what was sent. */
static void expect_bytes_are_conserved(const Job *jobs, const TopoFluid *fluid, const SimRun *run,
                                       const double *capacity)
{
    TopoFluidLinkUse use[LINKS];
    double sent[LINKS] = {0.0};
    for (uint32_t i = 0; i < FLOWS; i++)
        for (uint32_t k = 0; k < jobs[i].count; k++)
            sent[jobs[i].links[k]] += jobs[i].bytes;
    topo_fluid_link_uses(fluid, use);
    for (uint32_t l = 0; l < LINKS; l++) {
        cr_assert(fabs(use[l].carried_bytes - sent[l]) <= 1e-9 * sent[l], "link %u: %.17g of %.17g",
                  l, use[l].carried_bytes, sent[l]);
        cr_assert(use[l].peak_fraction <= 1.0 + 1e-9);
        cr_assert(use[l].saturated_s <= sim_time_to_seconds(run->makespan));
        cr_assert(use[l].saturated_s * capacity[l] <= sent[l] * (1.0 + 1e-5));
        cr_assert(use[l].lost_s <= use[l].waited_s);
    }
}

Test(topo_fluid, ten_thousand_flows_conserve_bytes_and_run_twice_alike)
{
    static double capacity[LINKS];
    static Job jobs[FLOWS];
    some_traffic(capacity, jobs);
    Bench first, second;
    bench_init(&first, capacity, LINKS, jobs, FLOWS);
    bench_init(&second, capacity, LINKS, jobs, FLOWS);
    g_autoptr(SimRun) run = bench_run(&first);
    g_autoptr(SimRun) again = bench_run(&second);
    expect_nobody_beats_itself_alone(capacity, jobs, run);
    expect_bytes_are_conserved(jobs, first.fluid, run, capacity);
    cr_expect(topo_fluid_solved_variables(first.fluid) > 10 * FLOWS, "they did meet");
    for (uint32_t i = 0; i < run->op_count; i++)
        cr_assert(run->end[i] == again->end[i]);
    bench_clear(&first);
    bench_clear(&second);
}

/* A link that flaps delays, and delays no less when it is down for longer. */
Test(topo_fluid, the_longer_a_link_is_down_the_later_the_end)
{
    const double capacity[] = {1e9, 2e9};
    const Job jobs[] = {
        {.bytes = 1e6, .links = {0, 1}, .count = 2},
        {.bytes = 2e6, .links = {1},    .count = 1},
    };
    SimTime before = 0;
    for (SimTime down = 0; down <= 9000; down += 1000) {
        Bench b;
        bench_init(&b, capacity, 2, jobs, 2);
        for (SimTime at = 10000; at < 900000; at += 10000) {
            topo_fluid_set_capacity_at(b.fluid, at, 0, 0.0);
            topo_fluid_set_capacity_at(b.fluid, at + down, 0, 1e9);
        }
        g_autoptr(SimRun) run = bench_run(&b);
        cr_expect(run->end[op_of(0)] > before);
        before = run->end[op_of(0)];
        bench_clear(&b);
    }
}
