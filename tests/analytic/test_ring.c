/* Alpha-beta collectives against the textbook (Thakur, Rabenseifner, Gropp 2005, section 4): bytes
 * over every link of a ring of n ranks are 2 (n-1)/n of the tensor for an all-reduce and (n-1)/n
 * for an all-gather or reduce-scatter. Wires without latency leave bytes over bandwidth
 * alone, so a tolerance of 1e-12 only covers the rounding of a handful of operations. */
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static const TopoCollectiveOp collectives[] = {TOPO_OP_ALL_REDUCE, TOPO_OP_ALL_GATHER,
                                               TOPO_OP_REDUCE_SCATTER};
static const double sizes[] = {1e3, 1e6, 1e9};

static double share(TopoCollectiveOp kind, double n)
{
    return (kind == TOPO_OP_ALL_REDUCE ? 2.0 : 1.0) * (n - 1.0) / n;
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-12 * fabs(want), "%s: %.17g, not %.17g", what, got, want);
}

Test(ring, moves_its_share_of_the_tensor_over_every_link_of_one_domain)
{
    ToyWorld world = toy_world();
    for (size_t k = 0; k < G_N_ELEMENTS(collectives); k++) {
        for (int64_t n = 2; n <= 8; n++) {
            for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
                TopoTransfer t = {
                    .op = collectives[k], .ranks = n, .ranks_per_domain = n, .bytes = sizes[i]};
                double wire_bytes = topo_net_alpha_beta_s(&world.cluster, &t) * 1e11;
                expect_near(wire_bytes, share(t.op, (double)n) * sizes[i], "bytes on the wire");
            }
        }
    }
}

Test(ring, a_reduce_scatter_and_a_gather_take_as_long_as_an_all_reduce)
{
    ToyWorld world = toy_world();
    for (int64_t n = 2; n <= 8; n++) {
        TopoTransfer all = {
            .op = TOPO_OP_ALL_REDUCE, .ranks = n, .ranks_per_domain = n, .bytes = 1e9};
        TopoTransfer scatter = {
            .op = TOPO_OP_REDUCE_SCATTER, .ranks = n, .ranks_per_domain = n, .bytes = 1e9};
        TopoTransfer gather = {
            .op = TOPO_OP_ALL_GATHER, .ranks = n, .ranks_per_domain = n, .bytes = 1e9};
        expect_near(topo_net_alpha_beta_s(&world.cluster, &scatter) +
                        topo_net_alpha_beta_s(&world.cluster, &gather),
                    topo_net_alpha_beta_s(&world.cluster, &all), "halves of an all-reduce");
    }
}

/* k ranks in each domain have k of the eight NICs; the wires inside cap what they can use. */
Test(ring, over_several_domains_is_limited_by_the_share_of_the_nics)
{
    ToyWorld world = toy_world();
    for (size_t c = 0; c < G_N_ELEMENTS(collectives); c++) {
        for (int64_t k = 1; k <= 8; k *= 2) {
            for (int64_t domains = 2; domains <= 16; domains *= 2) {
                TopoTransfer t = {.op = collectives[c],
                                  .ranks = k * domains,
                                  .ranks_per_domain = k,
                                  .bytes = 1e9,
                                  .algorithm = topo_collective_by_name("ring", NULL)};
                double rate = fmin((double)k * 1e10, k > 1 ? 1e11 : INFINITY);
                expect_near(topo_net_alpha_beta_s(&world.cluster, &t),
                            share(t.op, (double)t.ranks) * 1e9 / rate, "seconds over NICs");
            }
        }
    }
}

Test(ring, over_fast_nics_is_limited_by_the_wires_inside)
{
    ToyWorld world = toy_world();
    world.cluster.node.nic_bytes_per_s = 1e12;
    TopoTransfer t = {.op = TOPO_OP_ALL_REDUCE, .ranks = 16, .ranks_per_domain = 8, .bytes = 1e9};
    expect_near(topo_net_alpha_beta_s(&world.cluster, &t), share(t.op, 16.0) * 1e9 / 1e11,
                "seconds inside");
}

Test(ring, fewer_nics_than_gpus_are_shared_evenly)
{
    ToyWorld world = toy_world();
    world.cluster.node.nics = 2; /* a quarter of one for each of eight GPUs */
    TopoTransfer one = {.op = TOPO_OP_ALL_GATHER, .ranks = 4, .ranks_per_domain = 1, .bytes = 1e9},
                 four = {
                     .op = TOPO_OP_ALL_GATHER, .ranks = 16, .ranks_per_domain = 4, .bytes = 1e9};
    expect_near(topo_net_alpha_beta_s(&world.cluster, &one), 0.75 * 1e9 / 2.5e9, "one a node");
    expect_near(topo_net_alpha_beta_s(&world.cluster, &four), 15.0 / 16.0 * 1e9 / 1e10, "four");
}

Test(ring, latency_inside_a_domain_is_a_base_and_a_constant_for_each_step)
{
    ToyWorld world = toy_world();
    world.cluster.node.scale_up_protocols = toy_wires(1.0, 1e-5, 1e-6);
    world.cluster.node.scale_up_gpus = world.cluster.node.gpus = 64;
    for (size_t k = 0; k < G_N_ELEMENTS(collectives); k++) {
        for (int64_t n = 2; n <= 64; n++) {
            TopoTransfer t = {
                .op = collectives[k], .ranks = n, .ranks_per_domain = n, .bytes = 1e3};
            double bytes_s = share(t.op, (double)n) * 1e3 / 1e11;
            double passes = t.op == TOPO_OP_ALL_REDUCE ? 2.0 : 1.0;
            double got = topo_net_alpha_beta_s(&world.cluster, &t);
            expect_near(got, 1e-5 + passes * ((double)n - 1.0) * 1e-6 + bytes_s, "latency, bytes");
        }
    }
}

/* Gathers hop linearly; an all-reduce may climb a tree, so it is never worse than the ring. */
Test(ring, latency_between_domains_is_linear_for_gathers_and_at_most_that_for_reductions)
{
    ToyWorld world = toy_world();
    world.cluster.node.scale_out_protocols = toy_wires(1.0, 0.0, 1e-6);
    for (int64_t domains = 2; domains <= 64; domains++) {
        double n = (double)domains;
        TopoTransfer gather = {
            .op = TOPO_OP_ALL_GATHER, .ranks = domains, .ranks_per_domain = 1, .bytes = 1e3};
        TopoTransfer reduce = {
            .op = TOPO_OP_ALL_REDUCE, .ranks = domains, .ranks_per_domain = 1, .bytes = 1e3};
        double gather_s = topo_net_alpha_beta_s(&world.cluster, &gather);
        double reduce_s = topo_net_alpha_beta_s(&world.cluster, &reduce);
        expect_near(gather_s, (n - 1.0) * 1e-6 + share(gather.op, n) * 1e3 / 1e10, "gather");
        double ring_s = 2.0 * (n - 1.0) * 1e-6 + share(reduce.op, n) * 1e3 / 1e10;
        cr_expect(reduce_s <= ring_s * (1.0 + 1e-12), "%d domains", (int)domains);
        cr_expect(reduce_s >= 2e-6, "%d domains", (int)domains);
    }
}

/* A flight is paid for every step between domains, and for none inside. */
Test(ring, flights_are_added_to_steps_between_domains)
{
    ToyWorld world = toy_world();
    TopoTransfer inside = {
        .op = TOPO_OP_ALL_GATHER, .ranks = 8, .ranks_per_domain = 8, .bytes = 1e6};
    TopoTransfer across = {
        .op = TOPO_OP_ALL_GATHER, .ranks = 32, .ranks_per_domain = 8, .bytes = 1e6};
    double inside_s = topo_net_alpha_beta_s(&world.cluster, &inside);
    double across_s = topo_net_alpha_beta_s(&world.cluster, &across);
    world.cluster.node.nic_latency_s = 1e-5;
    expect_near(topo_net_alpha_beta_s(&world.cluster, &inside), inside_s, "inside");
    expect_near(topo_net_alpha_beta_s(&world.cluster, &across), across_s + 3e-5, "four domains");
}

Test(ring, a_group_of_one_and_an_empty_tensor_cost_nothing)
{
    ToyWorld world = toy_world();
    world.cluster.node.scale_up_protocols = toy_wires(1.0, 1e-5, 0.0);
    for (size_t k = 0; k < G_N_ELEMENTS(collectives); k++) {
        TopoTransfer alone = {.op = collectives[k],
                              .ranks = 1,
                              .ranks_per_domain = 1,
                              .bytes = 1e9},
                     empty = {.op = collectives[k], .ranks = 8, .ranks_per_domain = 8};
        cr_expect(topo_net_alpha_beta_s(&world.cluster, &alone) <= 0.0);
        cr_expect(topo_net_alpha_beta_s(&world.cluster, &empty) <= 0.0);
    }
}

Test(ring, a_send_takes_its_bytes_over_one_wire_or_one_nic_share)
{
    ToyWorld world = toy_world();
    TopoTransfer inside = {.op = TOPO_OP_SEND, .ranks = 2, .ranks_per_domain = 2, .bytes = 1e9},
                 outside = {.op = TOPO_OP_SEND, .ranks = 2, .ranks_per_domain = 1, .bytes = 1e9};
    expect_near(topo_net_alpha_beta_s(&world.cluster, &inside), 1e-2, "inside a domain");
    expect_near(topo_net_alpha_beta_s(&world.cluster, &outside), 1e-1, "over a NIC");
}

/* Every rate doubled alone, and every latency halved alone. */
static void turn(TopoNode *node, int knob)
{
    TopoProtocolFits *wires = knob % 2 ? &node->scale_out_protocols : &node->scale_up_protocols;
    double *singles[] = {&node->scale_up_latency_s, &node->nic_latency_s,
                         &node->scale_up_bytes_per_s, &node->nic_bytes_per_s};
    for (int op = 0; knob < 4 && op < TOPO_PROTOCOL_OPS; op++) {
        TopoProtocolTerm *term = &wires->op[op].protocol[TOPO_PROTOCOL_SIMPLE];
        *(knob < 2 ? &term->base_s : &term->hop_s) /= 2.0;
    }
    if (knob >= 4)
        *singles[knob - 4] *= knob < 6 ? 0.5 : 2.0;
}

/* Of one algorithm: the library's choice may go wrong when its tables do. */
Test(ring, more_bandwidth_and_less_latency_are_never_slower)
{
    static const int64_t groups[][2] = {
        {2,   2},
        {8,   8},
        {2,   1},
        {16,  8},
        {12,  4},
        {100, 3}
    };
    const TopoAlgorithm *ring = topo_collective_by_name("ring", NULL);
    TopoNode slow = toy_world().cluster.node;
    slow.scale_up_protocols = slow.scale_out_protocols = toy_wires(1.0, 1e-5, 1e-6);
    slow.scale_up_latency_s = slow.nic_latency_s = 1e-6;
    for (int knob = 0; knob < 8; knob++) {
        TopoCluster before = {.node = slow}, after = before;
        turn(&after.node, knob);
        for (size_t g = 0; g < G_N_ELEMENTS(groups); g++) {
            for (int kind = TOPO_OP_ALL_REDUCE; kind <= TOPO_OP_ALL_TO_ALL; kind++) {
                bool rings = kind != TOPO_OP_ALL_TO_ALL;
                for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
                    TopoTransfer t = {.op = (TopoCollectiveOp)kind,
                                      .ranks = groups[g][0],
                                      .ranks_per_domain = groups[g][1],
                                      .bytes = sizes[i],
                                      .algorithm = rings ? ring : NULL};
                    cr_expect(topo_net_alpha_beta_s(&after, &t) <=
                                  topo_net_alpha_beta_s(&before, &t),
                              "knob %d, kind %d, %d ranks", knob, kind, (int)t.ranks);
                }
            }
        }
    }
}

Test(ring, more_bytes_never_take_less_time)
{
    ToyWorld world = toy_world();
    double last = 0.0;
    for (double bytes = 1.0; bytes < 1e12; bytes *= 1.7) {
        TopoTransfer t = {
            .op = TOPO_OP_ALL_REDUCE, .ranks = 8, .ranks_per_domain = 8, .bytes = bytes};
        double now = topo_net_alpha_beta_s(&world.cluster, &t);
        cr_expect(now >= last);
        last = now;
    }
}
