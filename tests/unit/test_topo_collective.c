/* Schedules of collectives move data as they should: every schedule is replayed symbolically on
 * small groups. A node holds, for each block, how often each rank's contribution is in it; a
 * message adds or replaces what it carries, all messages of a step at once. Afterwards every
 * contribution must be where the operation wants it exactly once; a spoilt schedule must not pass.
 */
#include "topo_collective.h"

#include <criterion/criterion.h>

#include <string.h>

typedef struct Replay {
    const TopoSchedule *schedule;
    TopoCollectiveOp op;
    uint32_t ranks, nodes, blocks, servers;
    uint8_t *held, *before; /* [node][block][rank] */
} Replay;

static uint8_t *cell(const Replay *r, uint8_t *state, uint32_t node, uint32_t block)
{
    return state + ((size_t)node * r->blocks + block) * r->ranks;
}

static bool appends(const Replay *r)
{
    return r->op == TOPO_OP_ALL_TO_ALL || r->op == TOPO_OP_DISPATCH;
}

static void replay_init(Replay *r, const TopoSchedule *schedule, const TopoCollectiveCall *call)
{
    *r = (Replay){.schedule = schedule,
                  .op = call->op,
                  .ranks = call->ranks,
                  .nodes = call->ranks + schedule->switches,
                  .blocks = schedule->blocks,
                  .servers = call->servers};
    size_t size = (size_t)r->nodes * r->blocks * r->ranks;
    r->held = g_malloc0(size);
    r->before = g_malloc0(size);
    for (uint32_t i = 0; i < r->ranks; i++) {
        for (uint32_t b = 0; b < r->blocks; b++) {
            bool has = true;
            if (r->op == TOPO_OP_ALL_GATHER)
                has = topo_schedule_home(schedule, b) == i;
            else if (r->op == TOPO_OP_BROADCAST || r->op == TOPO_OP_SEND)
                has = i == 0;
            else if (r->op == TOPO_OP_PUSH)
                has = i >= r->servers;
            else if (r->op == TOPO_OP_PULL)
                has = i == b;
            cell(r, r->held, i, b)[i] = has;
        }
    }
}

static void replay_clear(Replay *r)
{
    g_free(r->held);
    g_free(r->before);
}

static void deliver(Replay *r, const TopoMessage *m)
{
    for (uint32_t b = m->block; b < m->block + m->blocks; b++) {
        const uint8_t *from = cell(r, r->before, m->from, b);
        uint8_t *to = cell(r, r->held, m->to, b);
        for (uint32_t i = 0; i < r->ranks; i++)
            to[i] = (uint8_t)(m->reduces || appends(r) ? to[i] + from[i] : from[i]);
    }
}

static bool within(const Replay *r, const TopoMessage *m)
{
    return m->from < r->nodes && m->to < r->nodes && m->from != m->to &&
           m->block + m->blocks <= r->blocks;
}

/* Replays; false when a message names what does not exist. */
static bool run(Replay *r)
{
    size_t size = (size_t)r->nodes * r->blocks * r->ranks;
    for (size_t p = 0; p < r->schedule->phases->len; p++) {
        const TopoPhase *phase = &g_array_index(r->schedule->phases, TopoPhase, p);
        if (r->nodes > r->ranks) /* a switch keeps nothing from one phase to the next */
            memset(cell(r, r->held, r->ranks, 0), 0,
                   (size_t)(r->nodes - r->ranks) * r->blocks * r->ranks);
        for (uint32_t step = 0; step < phase->repeat; step++) {
            if (step == 0 || !phase->at_once)
                memcpy(r->before, r->held, size);
            for (uint32_t i = 0; i < phase->count; i++) {
                TopoMessage m = topo_schedule_message(r->schedule, phase, i, 0);
                if (step < m.start || step - m.start >= phase->active)
                    continue;
                m = topo_schedule_message(r->schedule, phase, i, step - m.start);
                if (!within(r, &m))
                    return false;
                deliver(r, &m);
            }
        }
    }
    return true;
}

/* How often @rank's contribution must be in @block at @node; -1: does not matter. */
static int wanted(const Replay *r, uint32_t node, uint32_t block, uint32_t rank)
{
    switch (r->op) {
    case TOPO_OP_ALL_REDUCE:
        return 1;
    case TOPO_OP_ALL_GATHER:
        return rank == topo_schedule_home(r->schedule, block);
    case TOPO_OP_REDUCE_SCATTER:
    case TOPO_OP_COMBINE:
        return node == topo_schedule_home(r->schedule, block) ? 1 : -1;
    case TOPO_OP_ALL_TO_ALL:
    case TOPO_OP_DISPATCH:
        return node == block ? 1 : -1;
    case TOPO_OP_PUSH:
        return node == block ? rank >= r->servers : -1;
    case TOPO_OP_PULL:
        return node >= r->servers ? rank == block : -1;
    default:
        return rank == 0;
    }
}

static bool conserves(const TopoSchedule *schedule, const TopoCollectiveCall *call)
{
    Replay r;
    replay_init(&r, schedule, call);
    bool good = run(&r);
    for (uint32_t node = 0; good && node < r.ranks; node++)
        for (uint32_t b = 0; good && b < r.blocks; b++)
            for (uint32_t i = 0; good && i < r.ranks; i++) {
                int want = wanted(&r, node, b, i);
                good = want < 0 || cell(&r, r.held, node, b)[i] == want;
            }
    replay_clear(&r);
    return good;
}

static const double popularity[24] = {5, 1, 1, 2, 1, 1, 3, 1, 1, 1, 1, 1,
                                      1, 9, 1, 1, 1, 2, 1, 1, 1, 1, 4, 1};
static const TopoRouting routings[] = {
    {.tokens = 64,         .token_bytes = 7168, .experts = 48, .topk = 6                  },
    { .tokens = 64, .token_bytes = 7168,       .experts = 24,     .topk = 4, .expert_weight = popularity},
};

typedef void (*Visit)(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                      TopoSchedule *schedule, size_t *visited);

static void visit_call(TopoCollectiveCall call, TopoSchedule *schedule, Visit visit,
                       size_t *visited)
{
    size_t count;
    const TopoAlgorithm *algorithms = topo_collective_all(&count);
    for (size_t i = 0; i < count; i++)
        if (topo_collective_phases(&algorithms[i], &call, schedule, NULL))
            visit(&algorithms[i], &call, schedule, visited);
}

/* Every operation on every small group, domain size, number of chunks and routing. */
static size_t visit_all(Visit visit)
{
    g_autoptr(TopoSchedule) schedule = topo_schedule_new();
    static const uint32_t ranks[] = {2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 24};
    size_t visited = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(ranks); i++)
        for (uint32_t k = 1; k <= ranks[i]; k++)
            for (uint32_t chunks = 1; chunks <= 4; chunks += 3)
                for (int op = 0; op < TOPO_OP_COUNT; op++)
                    for (size_t route = 0; route < G_N_ELEMENTS(routings); route++) {
                        if (route > 0 && op < TOPO_OP_DISPATCH)
                            continue;
                        TopoCollectiveCall call = {.op = (TopoCollectiveOp)op,
                                                   .ranks = ranks[i],
                                                   .ranks_per_domain = k,
                                                   .bytes = 1e6,
                                                   .chunks = chunks,
                                                   .servers = 1 + ranks[i] / 3,
                                                   .switch_radix = 3,
                                                   .domain_reduces = true,
                                                   .routing = &routings[route]};
                        visit_call(call, schedule, visit, &visited);
                    }
    return visited;
}

static void expect_conserved(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                             TopoSchedule *schedule, size_t *visited)
{
    ++*visited;
    cr_expect(conserves(schedule, call), "%s, %s of %u ranks, %u a domain, %u chunks",
              algorithm->name, topo_collective_op_name(call->op), call->ranks,
              call->ranks_per_domain, call->chunks);
}

Test(collective, every_schedule_brings_every_contribution_once)
{
    cr_expect(visit_all(expect_conserved) > 2000);
}

/* Three ways to spoil a schedule: a message lost, one with the wrong block, a phase cut short. */
static void expect_faults_seen(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                               TopoSchedule *schedule, size_t *visited)
{
    const size_t count = schedule->messages->len, places[] = {0, count / 2, count - 1};
    if (call->chunks > 1)
        return;
    for (size_t place = 0; place < 3; place++) {
        TopoMessage *m = &g_array_index(schedule->messages, TopoMessage, places[place]);
        const TopoMessage good = *m;
        TopoPhase *phase = &g_array_index(schedule->phases, TopoPhase, 0);
        for (int fault = 0; fault < 3; fault++) {
            *m = good;
            if (fault == 0)
                m->blocks = 0;
            else if (fault == 1 && schedule->blocks > 1)
                m->block = (m->block + 1) % schedule->blocks;
            else if (fault == 2)
                phase->active--;
            else
                continue;
            ++*visited;
            cr_expect(!conserves(schedule, call), "%s, %s of %u, %u a domain: fault %d at %zu",
                      algorithm->name, topo_collective_op_name(call->op), call->ranks,
                      call->ranks_per_domain, fault, places[place]);
        }
        *m = good;
        phase->active++;
    }
}

Test(collective, a_spoilt_schedule_is_caught)
{
    cr_expect(visit_all(expect_faults_seen) > 2000);
}

Test(collective, rings_of_16384_ranks_are_two_phases_of_one_step_each)
{
    g_autoptr(TopoSchedule) schedule = topo_schedule_new();
    const TopoAlgorithm *ring = topo_collective_by_name("ring", NULL);
    const TopoCollectiveCall call = {.ranks = 16384, .ranks_per_domain = 8, .bytes = 1e9};
    cr_assert(topo_collective_phases(ring, &call, schedule, NULL));
    cr_expect_eq(schedule->phases->len, 2);
    cr_expect_eq(schedule->messages->len, 2 * 16384);
    cr_expect_eq(g_array_index(schedule->phases, TopoPhase, 0).repeat, 16383);
}

Test(collective, a_group_of_one_rank_has_no_phases_and_costs_nothing)
{
    size_t count;
    const TopoAlgorithm *algorithms = topo_collective_all(&count);
    g_autoptr(TopoSchedule) schedule = topo_schedule_new();
    const TopoCollectiveCall call = {.ranks = 1, .ranks_per_domain = 8, .bytes = 1e9};
    for (size_t i = 0; i < count; i++) {
        TopoCollectiveCost cost;
        if (!topo_collective_phases(&algorithms[i], &call, schedule, NULL))
            continue;
        cr_expect_eq(schedule->phases->len, 0, "%s", algorithms[i].name);
        cr_assert(topo_collective_cost(&algorithms[i], &call, &cost, NULL));
        cr_expect(cost.port_bytes == 0.0 && cost.steps == 0.0, "%s", algorithms[i].name);
    }
}

Test(collective, an_unknown_algorithm_is_refused_with_the_known_ones)
{
    g_autoptr(GError) error = NULL;
    cr_assert_null(topo_collective_by_name("rings", &error));
    cr_expect(g_error_matches(error, TOPO_COLLECTIVE_ERROR, TOPO_COLLECTIVE_ERROR_UNKNOWN_NAME));
    cr_expect(strstr(error->message, "'rings'") && strstr(error->message, " nvls-tree "), "%s",
              error->message);
}

static const struct {
    const char *algorithm;
    TopoCollectiveCall call;
    const char *because;
} refused[] = {
    {"ring",              {.ranks = 0, .ranks_per_domain = 8},                             "at least one rank"   },
    {"ring",              {.ranks = 4},                                                    "scale-up domain"     },
    {"ring",              {.ranks = 4, .ranks_per_domain = 4, .bytes = -1},                "not negative"        },
    {"ring",              {.op = (TopoCollectiveOp)99, .ranks = 4, .ranks_per_domain = 4}, "unknown collective"  },
    {"ring",              {.op = TOPO_OP_ALL_TO_ALL, .ranks = 4, .ranks_per_domain = 4},   "cannot do all_to_all"},
    {"halving-doubling",  {.ranks = 6, .ranks_per_domain = 8},                             "power of two"        },
    {"halving-doubling",  {.ranks = 8, .ranks_per_domain = 6},                             "of a domain"         },
    {"hierarchical-ring", {.ranks = 8, .ranks_per_domain = 8},                             "within one"          },
    {"hierarchical-ring", {.ranks = 12, .ranks_per_domain = 8},                            "unevenly"            },
    {"nvls",              {.ranks = 8, .ranks_per_domain = 8},                             "cannot reduce"       },
    {"nvls",              {.ranks = 16, .ranks_per_domain = 8, .domain_reduces = true},    "spans"               },
    {"sharp",             {.ranks = 8, .ranks_per_domain = 8},                             "cannot reduce"       },
    {"one-shot",          {.ranks = 16, .ranks_per_domain = 8},                            "spans"               },
    {"two-shot",          {.ranks = 16, .ranks_per_domain = 8},                            "spans"               },
    {"send",              {.op = TOPO_OP_SEND, .ranks = 3, .ranks_per_domain = 8},         "two ranks"           },
    {"parameter-server",
     {.op = TOPO_OP_PUSH, .ranks = 3, .ranks_per_domain = 8},
     "at least one server"                                                                                       },
    {"expert-direct",
     {.op = TOPO_OP_DISPATCH, .ranks = 4, .ranks_per_domain = 4},
     "need a routing"                                                                                            },
    {"expert-direct",
     {.op = TOPO_OP_DISPATCH, .ranks = 5, .ranks_per_domain = 5, .routing = &routings[0]},
     "divide evenly"                                                                                             },
};

Test(collective, impossible_calls_are_refused_with_the_reason)
{
    g_autoptr(TopoSchedule) schedule = topo_schedule_new();
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        const TopoAlgorithm *algorithm = topo_collective_by_name(refused[i].algorithm, NULL);
        cr_assert_not_null(algorithm);
        cr_expect_not(topo_collective_phases(algorithm, &refused[i].call, schedule, &error));
        cr_assert_not_null(error, "case %zu", i);
        cr_expect(strstr(error->message, refused[i].because), "case %zu: %s", i, error->message);
    }
}

Test(collective, the_cheapest_algorithm_follows_the_size)
{
    const TopoCollectiveRates rates = {1e-6, 1e-5, 400e9, 400e9};
    TopoCollectiveCall call = {.ranks = 512, .ranks_per_domain = 8, .bytes = 1e4};
    double small_s, large_s;
    const TopoAlgorithm *small = topo_collective_cheapest(&call, &rates, &small_s, NULL);
    call.bytes = 1e10;
    const TopoAlgorithm *large = topo_collective_cheapest(&call, &rates, &large_s, NULL);
    cr_expect_str_eq(small->name, "halving-doubling");
    cr_expect_str_neq(large->name, "tree");
    cr_expect(small_s < 3e-4 && large_s > 1e10 * 1.9 / 400e9, "%g s, %g s", small_s, large_s);
    call.domain_reduces = true;
    call.ranks = 8;
    cr_expect_str_eq(topo_collective_cheapest(&call, &rates, NULL, NULL)->name, "nvls");
}
