/*
 * Caches on their way, in closed form. Nodes of four GPUs with a NIC of 50 GB/s each, two nodes to
 * a leaf; a replica is a node, or half of one. A cache of 10 GB on four GPUs that leave by four
 * NICs takes 10 / 4 / 50 = 50 ms and the latency of the way.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "sim_random.h"
#include "strat_moves.h"
#include "topo_hot_link.h"

static const double CACHE_BYTES = 10e9;
static const double ALONE_S = 50e-3;

enum { MOST_MOVES = 16 };

/* A fabric, and what moves over it. */
typedef struct Lab {
    TopoCluster cluster;
    TopoFabric *fabric;
    TopoRouter *router;
    StratDeployment deployment;
    StratMoves *moves;
} Lab;

static StratPool pool_of(int64_t replicas, int64_t tensor)
{
    return (StratPool){
        .replicas = replicas, .tensor = tensor, .pipeline = 1, .data = 1, .expert = 1};
}

/* @prefill replicas send to @decode replicas over leaves that are @oversubscribed to one. */
static void lab_init(Lab *lab, StratPool prefill, StratPool decode, double oversubscribed,
                     int64_t kv_heads)
{
    int64_t gpus =
        prefill.replicas * strat_pool_gpus(&prefill) + decode.replicas * strat_pool_gpus(&decode);
    *lab = (Lab){
        .cluster = {.node = {.gpus = 4,
                             .scale_up_gpus = 4,
                             .scale_up = "nvswitch",
                             .scale_up_bytes_per_s = 600e9,
                             .scale_up_latency_s = 1e-6,
                             .nics = 4,
                             .nic_bytes_per_s = 50e9,
                             .nic_latency_s = 1.3e-6,
                             .host_bytes_per_s = 63e9},
                    .node_count = (gpus + 3) / 4,
                    .gpu_count = gpus},
        .deployment = {.pool = {prefill, decode},                                                      .pools = 2 },
    };
    TopoFabricSpec spec = topo_fabric_spec_default("leaf-spine", &lab->cluster);
    g_autoptr(GError) error = NULL;
    spec.nics_per_leaf = 8;
    spec.leaf_oversubscription = oversubscribed;
    lab->fabric = topo_fabric_new(&spec, &error);
    cr_assert(lab->fabric != NULL, "%s", error ? error->message : "");
    lab->router = topo_router_new(lab->fabric, topo_route_by_name("d-mod-k", NULL), 1);
    StratMoveFabric fabric = {.fabric = lab->fabric, .router = lab->router, .kv_heads = kv_heads};
    lab->moves = strat_moves_on_fabric_new(&lab->deployment, &fabric, &error);
    cr_assert(lab->moves != NULL, "%s", error ? error->message : "");
}

static void lab_clear(Lab *lab)
{
    strat_moves_free(lab->moves);
    topo_router_free(lab->router);
    topo_fabric_free(lab->fabric);
}

static double latency_s(const Lab *lab, size_t from, size_t to)
{
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    cr_assert(topo_route(lab->router, from, to, 0, links, NULL));
    return topo_path_latency_s(lab->fabric->graph, links);
}

/* A cache that sets out whole. */
typedef struct Sent {
    size_t from, to;
    double at_s;
} Sent;

/* Sends @sent, in order of time; when each has come, in s, into @ends. */
static void run(StratMoves *moves, const Sent *sent, size_t count, double *ends)
{
    size_t next = 0, ended = 0;
    StratFine at;
    while (ended < count) {
        bool waits = moves->next(moves, &at);
        if (next < count && (!waits || strat_fine_from_seconds(sent[next].at_s) <= at)) {
            StratMove *move =
                strat_moves_open(moves, &ends[next], (int64_t)next, sent[next].from, sent[next].to);
            StratMovePart whole = {.bytes = CACHE_BYTES, .is_last = true};
            moves->send(moves, move, &whole, strat_fine_from_seconds(sent[next++].at_s));
            continue;
        }
        cr_assert(waits, "%zu of %zu moves never end", count - ended, count);
        StratMove *move = moves->step(moves);
        if (!move)
            continue;
        *(double *)move->sequence = strat_fine_seconds(at);
        strat_moves_close(moves, move);
        ended++;
    }
}

static void expect_near(double got_s, double want_s, const char *what)
{
    cr_expect(fabs(got_s - want_s) < 3e-9, "%s: %.9f s, not %.9f", what, got_s, want_s);
}

Test(strat_moves, one_alone_takes_its_bytes_at_the_rate_of_its_nics_and_the_latency)
{
    Lab lab;
    double end_s;
    lab_init(&lab, pool_of(1, 4), pool_of(1, 4), 1.0, 8);
    run(lab.moves, &(Sent){0, 0, 0.25}, 1, &end_s);
    expect_near(end_s, 0.25 + ALONE_S + latency_s(&lab, 0, 4), "alone");
    lab_clear(&lab);
}

Test(strat_moves, two_that_share_the_senders_nics_take_twice_as_long)
{
    Lab lab;
    double ends[2];
    const Sent sent[] = {
        {0, 0, 0.0},
        {0, 1, 0.0}
    };
    lab_init(&lab, pool_of(1, 4), pool_of(2, 4), 1.0, 8);
    run(lab.moves, sent, 2, ends);
    /* Receiver 1 is under the other leaf, some hops further: until its flows come the others have
     * the NICs for themselves. */
    double near_s = latency_s(&lab, 0, 4), far_s = latency_s(&lab, 0, 8);
    cr_assert_gt(far_s, near_s);
    expect_near(ends[0], far_s + 2.0 * (ALONE_S - (far_s - near_s)), "the first");
    expect_near(ends[1], near_s + 2.0 * ALONE_S, "the second");
    lab_clear(&lab);
}

Test(strat_moves, of_many_into_one_receiver_each_gets_its_part_of_the_way_in)
{
    Lab lab;
    double ends[3];
    const Sent sent[] = {
        {0, 0, 0.0},
        {1, 0, 0.0},
        {2, 0, 0.0}
    };
    lab_init(&lab, pool_of(3, 4), pool_of(1, 4), 1.0, 8);
    run(lab.moves, sent, 3, ends);
    for (size_t i = 0; i < 3; i++)
        cr_expect(fabs(ends[i] - 3.0 * ALONE_S) < 20e-6, "%zu: %g", i, ends[i]);
    g_autoptr(GArray) hot = lab.moves->hot_links(lab.moves, 3.0 * ALONE_S);
    const TopoHotLink *worst = &g_array_index(hot, TopoHotLink, 0);
    cr_expect(strstr(worst->name, "-> nic/1") != NULL, "%s", worst->name);
    cr_expect_eq(worst->alike, 4, "%ld alike", (long)worst->alike);
    cr_expect(fabs(worst->waited_s - 9.0 * ALONE_S) < 1e-3, "waited %g", worst->waited_s);
    double came = 0.0;
    for (guint i = 0; i < hot->len; i++) {
        const TopoHotLink *link = &g_array_index(hot, TopoHotLink, i);
        if (strstr(link->name, "-> nic/") && !strstr(link->name, "gpu"))
            came += (double)link->alike * link->carried_fraction * link->bytes_per_s;
    }
    cr_expect(fabs(came * 3.0 * ALONE_S - 3.0 * CACHE_BYTES) < 1.0, "%.17g came a second", came);
    cr_expect_eq(worst->waiter_count, 3);
    cr_expect_str_eq(worst->waiters[2].name, "caches of prefill replica 2 for decode replica 0");
    lab_clear(&lab);
}

Test(strat_moves, leaves_two_to_one_halve_the_rate_of_what_leaves_them_all_at_once)
{
    const Sent sent[] = {
        {0, 0, 0.0},
        {1, 1, 0.0}
    };
    for (int ratio = 1; ratio <= 2; ratio++) {
        Lab lab;
        double ends[2];
        lab_init(&lab, pool_of(2, 4), pool_of(2, 4), ratio, 8);
        run(lab.moves, sent, 2, ends);
        for (size_t i = 0; i < 2; i++)
            expect_near(ends[i], ratio * ALONE_S + latency_s(&lab, 4 * i, 8 + 4 * i), "leaf");
        lab_clear(&lab);
    }
}

Test(strat_moves, heads_go_to_the_ranks_that_keep_them)
{
    static const struct {
        int64_t from, to, heads;
        double nics; /* of the receiver or sender that the whole cache passes by */
    } cases[] = {
        {4, 2, 8, 2.0},
        {2, 4, 8, 2.0},
        {4, 4, 8, 4.0},
        {1, 4, 8, 1.0},
        {4, 1, 8, 1.0},
        {4, 4, 2, 2.0}, /* a head on two ranks: both pull it */
        {2, 4, 2, 1.0}, /* and from one sender each */
        {4, 2, 2, 2.0}, /* either copy will do */
        {4, 4, 1, 1.0}, /* the latent of MLA: all of it to each */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Lab lab;
        double end_s;
        /* Replicas of one node each: as many as make their pool start at a node. */
        lab_init(&lab, pool_of(4 / cases[i].from, cases[i].from), pool_of(1, cases[i].to), 1.0,
                 cases[i].heads);
        run(lab.moves, &(Sent){0, 0, 0.0}, 1, &end_s);
        double want_s = CACHE_BYTES / cases[i].nics / 50e9 + latency_s(&lab, 0, 4);
        cr_expect(fabs(end_s - want_s) < 3e-9, "case %zu: %.9f s, not %.9f", i, end_s, want_s);
        lab_clear(&lab);
    }
}

Test(strat_moves, stages_send_the_layers_that_the_others_keep)
{
    Lab lab;
    double end_s;
    StratPool prefill = pool_of(1, 1), decode = pool_of(1, 1);
    prefill.pipeline = 4; /* a quarter of the layers each, ... */
    decode.pipeline = 3;  /* of which the first two ranks share the second and so on */
    lab_init(&lab, prefill, decode, 1.0, 8);
    run(lab.moves, &(Sent){0, 0, 0.0}, 1, &end_s);
    /* Each receiver takes in a third by its one NIC, which is full from the start: a sender of a
     * quarter keeps up. */
    expect_near(end_s, CACHE_BYTES / 3.0 / 50e9 + latency_s(&lab, 0, 4), "stages");
    lab_clear(&lab);
}

Test(strat_moves, one_at_a_time_moves_as_over_one_link_a_replica)
{
    Lab lab;
    Sent sent[MOST_MOVES];
    double ends[MOST_MOVES], in_order[MOST_MOVES];
    SimRandom stream = sim_random_stream(1, "moves");
    lab_init(&lab, pool_of(1, 4), pool_of(1, 4), 1.0, 8);
    StratMoves *order = strat_moves_in_order_new(&lab.deployment, 200e9, latency_s(&lab, 0, 4));
    double at_s = 0.0;
    for (size_t i = 0; i < MOST_MOVES; i++) {
        at_s += ALONE_S * (1.1 + sim_random_uniform(&stream));
        sent[i] = (Sent){0, 0, at_s};
    }
    run(lab.moves, sent, MOST_MOVES, ends);
    run(order, sent, MOST_MOVES, in_order);
    for (size_t i = 0; i < MOST_MOVES; i++)
        expect_near(ends[i], in_order[i], "both ways");
    /* Two at once differ: shared until the first has gone, not one after the other. */
    sent[1].at_s = sent[0].at_s;
    strat_moves_free(lab.moves);
    StratMoveFabric fabric = {.fabric = lab.fabric, .router = lab.router, .kv_heads = 8};
    lab.moves = strat_moves_on_fabric_new(&lab.deployment, &fabric, NULL);
    run(lab.moves, sent, 2, ends);
    expect_near(ends[0] - sent[0].at_s, 2.0 * ALONE_S + latency_s(&lab, 0, 4), "at once");
    strat_moves_free(order);
    lab_clear(&lab);
}

Test(strat_moves, a_part_that_is_computed_meanwhile_moves_no_faster)
{
    Lab lab;
    StratFine at = 0;
    double early_s = 4.0 * ALONE_S;
    lab_init(&lab, pool_of(1, 4), pool_of(1, 4), 1.0, 8);
    StratMove *move = strat_moves_open(lab.moves, NULL, 0, 0, 0);
    StratMovePart early = {.bytes = CACHE_BYTES, .made_s = early_s};
    StratMovePart last = {.bytes = CACHE_BYTES / 10.0, .is_last = true};
    lab.moves->send(lab.moves, move, &early, 0);
    while (lab.moves->next(lab.moves, &at))
        cr_expect_null(lab.moves->step(lab.moves), "over before its last part");
    expect_near(strat_fine_seconds(at), early_s + latency_s(&lab, 0, 4), "early");
    lab.moves->send(lab.moves, move, &last, at);
    double sent_s = strat_fine_seconds(at);
    StratMove *ended = NULL;
    while (!ended && lab.moves->next(lab.moves, &at))
        ended = lab.moves->step(lab.moves);
    cr_assert_eq(ended, move);
    expect_near(strat_fine_seconds(at), sent_s + ALONE_S / 10.0 + latency_s(&lab, 0, 4), "last");
    lab_clear(&lab);
}

Test(strat_moves, a_link_that_goes_down_holds_its_caches_until_it_is_back)
{
    Lab lab;
    double end_s;
    lab_init(&lab, pool_of(1, 4), pool_of(1, 4), 1.0, 8);
    strat_moves_free(lab.moves);
    TopoLinkFault fault = {.link = "nic/1 -> leaf/0", .at_s = 0.01, .until_s = 0.11};
    TopoFabricChanges changes = {.faults = &fault, .fault_count = 1};
    g_autoptr(GArray) links = topo_fabric_link_changes(lab.fabric, &changes, NULL);
    StratMoveFabric fabric = {.fabric = lab.fabric,
                              .router = lab.router,
                              .changes = (const TopoLinkChange *)(const void *)links->data,
                              .change_count = links->len,
                              .kv_heads = 8};
    lab.moves = strat_moves_on_fabric_new(&lab.deployment, &fabric, NULL);
    run(lab.moves, &(Sent){0, 0, 0.0}, 1, &end_s);
    expect_near(end_s, 0.1 + ALONE_S + latency_s(&lab, 0, 4), "down for 0.1 s");
    lab_clear(&lab);
}

Test(strat_moves, replicas_that_cannot_reach_each_other_are_a_fault)
{
    Lab lab;
    StratFine at;
    const TopoLinkHealth down = {.link = "leaf/0", .both_ways = true, .health_fraction = 0.0};
    lab_init(&lab, pool_of(1, 4), pool_of(1, 4), 1.0, 8);
    cr_assert(topo_fabric_set_health(lab.fabric, &down, NULL));
    StratMove *move = strat_moves_open(lab.moves, NULL, 0, 0, 0);
    StratMovePart whole = {.bytes = CACHE_BYTES, .is_last = true};
    cr_expect_null(lab.moves->fault(lab.moves));
    lab.moves->send(lab.moves, move, &whole, 0);
    cr_expect_not_null(lab.moves->fault(lab.moves));
    cr_expect_not(lab.moves->next(lab.moves, &at));
    lab_clear(&lab);
}
