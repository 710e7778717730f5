/*
 * How fast the fluid network is, on a 3-level tree: 16 hosts a leaf, 16 leaves a pod, pods below a
 * core; each level with as much capacity as the hosts below it, or a part of that. A collective is
 * a ring over four hosts, so it crosses 24 links where these are in four pods, fewer where they are
 * near. First the solver alone: one collective ends and one begins, over and over, rates are
 * computed anew each time. Then the network under the executor: every ring is done 20 times, each
 * time with other bytes. Prints rates and how many variables a re-solve looked at, and fails
 * nothing: rates belong to the machine. With --quick, a tenth of the work.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim_exec.h"
#include "sim_random.h"
#include "topo_fair.h"
#include "topo_fluid.h"

enum {
    RING = 4,
    USES = 6 * RING, /* up and down through host, leaf and pod, for each hop */
    LEAF_HOSTS = 16,
    POD_HOSTS = 256,
    ROUNDS = 20,
};

static const double HOST_BYTES_PER_S = 50e9;

/* One case: where the hosts of a ring are taken from, and what goes up from a leaf and a pod. */
typedef struct Case {
    const char *name;
    uint32_t hosts;
    uint32_t collectives;
    uint32_t within;       /* hosts: a ring takes its four from an aligned block of so many */
    double oversubscribed; /* leaf and pod have 1 / this of the capacity below them */
} Case;

typedef struct Ring {
    uint32_t links[USES];
    double weights[USES];
    uint32_t uses;
} Ring;

/* Links: host up, host down, then the same for leaves and pods. */
static uint32_t link_total(uint32_t hosts)
{
    return 2 * (hosts + hosts / LEAF_HOSTS + hosts / POD_HOSTS);
}

static double *make_capacity(const Case *c)
{
    uint32_t leaves = c->hosts / LEAF_HOSTS;
    double *capacity = g_new(double, link_total(c->hosts));
    for (uint32_t i = 0; i < link_total(c->hosts); i++) {
        double below = 1.0;
        if (i >= 2 * (c->hosts + leaves))
            below = POD_HOSTS / c->oversubscribed / c->oversubscribed;
        else if (i >= 2 * c->hosts)
            below = LEAF_HOSTS / c->oversubscribed;
        capacity[i] = HOST_BYTES_PER_S * below;
    }
    return capacity;
}

static void use_link(Ring *ring, uint32_t link)
{
    for (uint32_t i = 0; i < ring->uses; i++) {
        if (ring->links[i] == link) {
            ring->weights[i] += 1.0;
            return;
        }
    }
    ring->links[ring->uses] = link;
    ring->weights[ring->uses++] = 1.0;
}

/* The links of one hop, as far up as it has to go. */
static void use_path(Ring *ring, const Case *c, uint32_t from, uint32_t to)
{
    uint32_t leaves = c->hosts / LEAF_HOSTS, pods = c->hosts / POD_HOSTS;
    uint32_t leaf_links = 2 * c->hosts, pod_links = leaf_links + 2 * leaves;
    use_link(ring, from);
    use_link(ring, c->hosts + to);
    if (from / LEAF_HOSTS == to / LEAF_HOSTS)
        return;
    use_link(ring, leaf_links + from / LEAF_HOSTS);
    use_link(ring, leaf_links + leaves + to / LEAF_HOSTS);
    if (from / POD_HOSTS == to / POD_HOSTS)
        return;
    use_link(ring, pod_links + from / POD_HOSTS);
    use_link(ring, pod_links + pods + to / POD_HOSTS);
}

static void make_ring(Ring *ring, const Case *c, SimRandom *draws)
{
    uint32_t block = (uint32_t)sim_random_below(draws, c->hosts / c->within) * c->within;
    uint32_t first = (uint32_t)sim_random_below(draws, c->within);
    uint32_t host[RING];
    for (uint32_t i = 0; i < RING; i++)
        host[i] = block + (first + i * (c->within / RING)) % c->within;
    ring->uses = 0;
    for (uint32_t i = 0; i < RING; i++)
        use_path(ring, c, host[i], host[(i + 1) % RING]);
}

static uint32_t add_ring(TopoFair *fair, const Ring *ring)
{
    TopoFairVariable variable = {
        .links = ring->links,
        .weights = ring->weights,
        .count = ring->uses,
        .sharing_weight = 1.0,
        .rate_bound_bytes_per_s = INFINITY,
    };
    return topo_fair_add(fair, &variable);
}

static double seconds_since(int64_t began_us)
{
    return (double)(g_get_monotonic_time() - began_us) * 1e-6;
}

/* Re-solves a second, the time of removing and adding included. */
static void bench_solver(const Case *c, uint32_t solves)
{
    SimRandom draws = sim_random_stream(1, "bench/fluid");
    g_autofree double *capacity = make_capacity(c);
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, link_total(c->hosts));
    g_autofree uint32_t *running = g_new(uint32_t, c->collectives);
    g_autofree Ring *rings = g_new(Ring, c->collectives);
    double looked_at = 0.0, uses = 0.0;
    for (uint32_t i = 0; i < c->collectives; i++) {
        make_ring(&rings[i], c, &draws);
        uses += rings[i].uses;
        running[i] = add_ring(fair, &rings[i]);
    }
    topo_fair_solve(fair);
    int64_t began_us = g_get_monotonic_time();
    for (uint32_t n = 0; n < solves; n++) {
        uint32_t out = n % c->collectives, in = (n + c->collectives / 2) % c->collectives;
        topo_fair_remove(fair, running[out]);
        running[out] = add_ring(fair, &rings[in]);
        topo_fair_solve(fair);
        looked_at += topo_fair_solved_count(fair);
    }
    double took_s = seconds_since(began_us);
    printf("topo_fair  %-20s %5u hosts %5u collectives of %4.1f links: %8.0f re-solves/s, %6.1f "
           "looked at\n",
           c->name, c->hosts, c->collectives, uses / c->collectives, solves / took_s,
           looked_at / solves);
}

/* Every ring a rank class, doing its transfer ROUNDS times after a short computation. */
static SimProgram *make_program(uint32_t collectives)
{
    SimProgram *p = sim_program_new();
    SimSegment pause = {.duration_ns = 1000,
                        .bucket = sim_program_bucket(p, "work"),
                        .label = sim_program_label(p, "work")};
    uint32_t block = sim_program_add_block(p, &pause, 1);
    for (uint32_t i = 0; i < collectives; i++) {
        SimOp op = {.rank_class = sim_program_add_class(p, "ring", 1), .group = SIM_GROUP_NONE};
        for (uint32_t n = 0; n < ROUNDS; n++) {
            op.kind = SIM_OP_COMPUTE;
            op.block = block;
            sim_program_add_op(p, &op);
            op.kind = SIM_OP_COLLECTIVE;
            op.transfer = ROUNDS * i + n;
            sim_program_add_op(p, &op);
        }
    }
    if (!sim_program_seal(p, NULL))
        g_error("bench: the program is wrong");
    return p;
}

static void make_transfers(const Case *c, TopoFluidTransfer *transfers, uint32_t *links,
                           double *weights)
{
    SimRandom draws = sim_random_stream(2, "bench/fluid");
    for (uint32_t i = 0; i < c->collectives; i++) {
        Ring ring;
        make_ring(&ring, c, &draws);
        memcpy(links + (size_t)USES * i, ring.links, sizeof ring.links);
        memcpy(weights + (size_t)USES * i, ring.weights, sizeof ring.weights);
        for (uint32_t n = 0; n < ROUNDS; n++)
            transfers[ROUNDS * i + n] = (TopoFluidTransfer){
                .bytes = 1e6 * (1.0 + 9.0 * sim_random_uniform(&draws)),
                .latency_s = 5e-6,
                .rate_bound_bytes_per_s = INFINITY,
                .sharing_weight = 1.0,
                .first = USES * i,
                .count = ring.uses,
            };
    }
}

/* Collectives a second of the network under the executor, all its events included. */
static void bench_network(const Case *c)
{
    size_t entries = (size_t)USES * c->collectives;
    g_autofree double *capacity = make_capacity(c);
    g_autofree TopoFluidTransfer *transfers = g_new(TopoFluidTransfer, ROUNDS * c->collectives);
    g_autofree uint32_t *links = g_new0(uint32_t, entries);
    g_autofree double *weights = g_new0(double, entries);
    g_autoptr(SimProgram) p = make_program(c->collectives);
    make_transfers(c, transfers, links, weights);
    const TopoFluidSpec spec = {
        .capacity_bytes_per_s = capacity,
        .link_count = link_total(c->hosts),
        .transfers = transfers,
        .transfer_count = ROUNDS * c->collectives,
        .links = links,
        .weights = weights,
    };
    g_autoptr(TopoFluid) fluid = topo_fluid_new(&spec, NULL);
    int64_t began_us = g_get_monotonic_time();
    g_autoptr(SimRun) run = sim_exec_run(p, topo_fluid_net(fluid), NULL);
    double took_s = seconds_since(began_us);
    if (run == NULL)
        g_error("bench: the run failed");
    double solves = (double)topo_fluid_solve_count(fluid);
    printf("topo_fluid %-20s %5u hosts %5u collectives at once: %8.0f collectives/s, %8.0f "
           "re-solves/s, %6.1f looked at\n",
           c->name, c->hosts, c->collectives, ROUNDS * c->collectives / took_s, solves / took_s,
           (double)topo_fluid_solved_variables(fluid) / solves);
}

int main(int argc, char **argv)
{
    static const Case cases[] = {
        {"full, in a leaf", 1024, 64,   16,   1.0},
        {"full, in a pod",  1024, 64,   256,  1.0},
        {"full, anywhere",  1024, 64,   1024, 1.0},
        {"2:1, anywhere",   1024, 64,   1024, 2.0},
        {"4:1, anywhere",   1024, 64,   1024, 4.0},
        {"full, in a leaf", 4096, 256,  16,   1.0},
        {"full, in a pod",  4096, 256,  256,  1.0},
        {"full, anywhere",  4096, 256,  4096, 1.0},
        {"2:1, anywhere",   4096, 256,  4096, 2.0},
        {"4:1, anywhere",   4096, 256,  4096, 4.0},
        {"full, all hosts", 4096, 1024, 4096, 1.0},
        {"4:1, all hosts",  4096, 1024, 4096, 4.0},
    };
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        bench_solver(&cases[i], is_quick ? 1000 : 10000);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (!is_quick || cases[i].collectives < 1024)
            bench_network(&cases[i]);
    return 0;
}
