/*
 * The fair-share solver against two independent judges on thousands of random small systems: the
 * conditions that single out the max-min fair rates (every variable is at its bound, or crosses a
 * full link on which nobody has a larger rate / sharing weight), and plain progressive filling in
 * long double. Then the same over random sequences of changes, where the solver only looks at what
 * changed, against a system built from nothing. And the judges on trial: solvers that are wrong on
 * purpose must be caught.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "sim_random.h"
#include "topo_fair.h"

enum {
    MAX_LINKS = 8,
    MAX_VARIABLES = 12,
    MAX_USES = 5,
    INSTANCES = 20000,
    SEQUENCES = 400,
    CHANGES = 60,
};

/* Of a rate; rates of 12 decades go through sums of at most a dozen terms. */
static const double TOLERANCE = 1e-9;

typedef struct Flow {
    uint32_t links[MAX_USES];
    double weights[MAX_USES];
    uint32_t uses;
    double sharing;
    double bound;
    uint32_t number; /* in the solver */
    bool is_live;
} Flow;

typedef struct World {
    double capacity[MAX_LINKS];
    uint32_t links;
    Flow flows[MAX_VARIABLES];
    uint32_t count;
} World;

typedef void (*Solver)(const World *w, double rate[MAX_VARIABLES]);

static bool chance(SimRandom *draws, double probability)
{
    return sim_random_uniform(draws) < probability;
}

/* Plain numbers tie often; wide ones span twelve orders of magnitude. */
static double some_capacity(SimRandom *draws, bool is_wide)
{
    if (chance(draws, 0.03))
        return 0.0;
    if (chance(draws, 0.03))
        return INFINITY;
    if (is_wide)
        return pow(10.0, 12.0 * sim_random_uniform(draws));
    return (double)(1 + sim_random_below(draws, 4));
}

static double some_weight(SimRandom *draws, bool is_wide)
{
    if (chance(draws, 0.05))
        return 0.0;
    if (chance(draws, 0.5))
        return 1.0;
    if (is_wide)
        return pow(10.0, 6.0 * sim_random_uniform(draws) - 3.0);
    return (double)(1 + sim_random_below(draws, 3));
}

static Flow some_flow(SimRandom *draws, uint32_t links, bool is_wide)
{
    Flow flow = {.is_live = true};
    flow.uses = (uint32_t)sim_random_below(draws, MAX_USES + 1);
    for (uint32_t i = 0; i < flow.uses; i++) {
        flow.links[i] = (uint32_t)sim_random_below(draws, links);
        flow.weights[i] = some_weight(draws, is_wide);
    }
    flow.sharing = some_weight(draws, is_wide);
    flow.bound = chance(draws, 0.7) ? INFINITY : some_capacity(draws, is_wide);
    return flow;
}

static World some_world(SimRandom *draws)
{
    World w = {.links = (uint32_t)(1 + sim_random_below(draws, MAX_LINKS))};
    bool is_wide = chance(draws, 0.5);
    w.count = (uint32_t)(1 + sim_random_below(draws, MAX_VARIABLES));
    for (uint32_t l = 0; l < w.links; l++)
        w.capacity[l] = some_capacity(draws, is_wide);
    for (uint32_t v = 0; v < w.count; v++)
        w.flows[v] = some_flow(draws, w.links, is_wide);
    return w;
}

static TopoFairVariable variable_of(const Flow *flow)
{
    return (TopoFairVariable){
        .links = flow->links,
        .weights = flow->weights,
        .count = flow->uses,
        .sharing_weight = flow->sharing,
        .rate_bound_bytes_per_s = flow->bound,
    };
}

static void solve_ours(const World *w, double rate[MAX_VARIABLES])
{
    g_autoptr(TopoFair) fair = topo_fair_new(w->capacity, w->links);
    uint32_t number[MAX_VARIABLES];
    for (uint32_t v = 0; v < w->count; v++) {
        TopoFairVariable variable = variable_of(&w->flows[v]);
        if (w->flows[v].is_live)
            number[v] = topo_fair_add(fair, &variable);
    }
    topo_fair_solve(fair);
    for (uint32_t v = 0; v < w->count; v++)
        rate[v] = w->flows[v].is_live ? topo_fair_rate_bytes_per_s(fair, number[v]) : 0.0;
}

static double usage(const World *w, const double *rate, uint32_t link)
{
    double sum = 0.0;
    for (uint32_t v = 0; v < w->count; v++) {
        const Flow *flow = &w->flows[v];
        for (uint32_t i = 0; flow->is_live && i < flow->uses; i++)
            if (flow->links[i] == link && flow->weights[i] > 0.0)
                sum += flow->weights[i] * rate[v];
    }
    return sum;
}

static bool uses(const Flow *flow, uint32_t link)
{
    for (uint32_t i = 0; flow->is_live && i < flow->uses; i++)
        if (flow->links[i] == link && flow->weights[i] > 0.0)
            return true;
    return false;
}

/* Whether @link is full and nobody on it has a larger rate / sharing weight than @v. */
static bool is_bottleneck(const World *w, const double *rate, uint32_t link, uint32_t v)
{
    if (!uses(&w->flows[v], link) || isinf(w->capacity[link]))
        return false;
    if (usage(w, rate, link) < w->capacity[link] * (1.0 - TOLERANCE))
        return false;
    double mine = rate[v] / w->flows[v].sharing;
    for (uint32_t u = 0; u < w->count; u++)
        if (uses(&w->flows[u], link) && w->flows[u].sharing > 0.0 &&
            rate[u] / w->flows[u].sharing > mine * (1.0 + TOLERANCE))
            return false;
    return true;
}

static bool is_max_min_fair(const World *w, const double *rate)
{
    for (uint32_t l = 0; l < w->links; l++)
        if (usage(w, rate, l) > w->capacity[l] * (1.0 + TOLERANCE))
            return false;
    for (uint32_t v = 0; v < w->count; v++) {
        const Flow *flow = &w->flows[v];
        if (!flow->is_live)
            continue;
        if (isnan(rate[v]) || rate[v] < 0.0 || rate[v] > flow->bound)
            return false;
        bool is_held =
            flow->sharing <= 0.0 ? rate[v] == 0.0 : rate[v] >= flow->bound * (1.0 - TOLERANCE);
        for (uint32_t l = 0; l < w->links && flow->sharing > 0.0 && !is_held; l++)
            is_held = is_bottleneck(w, rate, l, v);
        if (!is_held)
            return false;
    }
    return true;
}

/* The level at which @link fills up when the flows in @is_settled keep their rates. */
static long double level_of(const World *w, const long double *rate, const bool *is_settled,
                            uint32_t link)
{
    long double used = 0.0L, load = 0.0L;
    for (uint32_t v = 0; v < w->count; v++) {
        const Flow *flow = &w->flows[v];
        for (uint32_t i = 0; flow->is_live && i < flow->uses; i++) {
            if (flow->links[i] != link || flow->weights[i] <= 0.0)
                continue;
            if (is_settled[v])
                used += flow->weights[i] * rate[v];
            else
                load += (long double)flow->weights[i] * flow->sharing;
        }
    }
    return load > 0.0L ? fmaxl(w->capacity[link] - used, 0.0L) / load : (long double)INFINITY;
}

/* The textbook: in every round, sum everything up again and settle whoever the first stop stops. */
static void solve_naively(const World *w, double rate[MAX_VARIABLES])
{
    long double x[MAX_VARIABLES] = {0.0L};
    bool is_settled[MAX_VARIABLES] = {false};
    for (uint32_t v = 0; v < w->count; v++)
        is_settled[v] = !w->flows[v].is_live || w->flows[v].sharing <= 0.0;
    for (;;) {
        long double level = INFINITY;
        uint32_t link = MAX_LINKS, flow = MAX_VARIABLES;
        for (uint32_t l = 0; l < w->links; l++) {
            long double at = level_of(w, x, is_settled, l);
            if (at < level) {
                level = at;
                link = l;
            }
        }
        for (uint32_t v = 0; v < w->count; v++) {
            if (!is_settled[v] && (long double)w->flows[v].bound / w->flows[v].sharing < level) {
                level = (long double)w->flows[v].bound / w->flows[v].sharing;
                flow = v;
            }
        }
        if (isinf(level))
            break;
        for (uint32_t v = 0; v < w->count; v++) {
            if (is_settled[v] || (flow < MAX_VARIABLES ? v != flow : !uses(&w->flows[v], link)))
                continue;
            x[v] = w->flows[v].sharing * level;
            is_settled[v] = true;
        }
    }
    for (uint32_t v = 0; v < w->count; v++)
        rate[v] = is_settled[v] ? fmin((double)x[v], w->flows[v].bound) : INFINITY;
}

static bool is_close(double a, double b)
{
    return a == b || fabs(a - b) <= TOLERANCE * fmax(fabs(a), fabs(b));
}

Test(topo_fair, rates_are_the_max_min_fair_ones)
{
    SimRandom draws = sim_random_stream(1, "test/fair");
    for (int n = 0; n < INSTANCES; n++) {
        World w = some_world(&draws);
        double ours[MAX_VARIABLES], naive[MAX_VARIABLES];
        solve_ours(&w, ours);
        solve_naively(&w, naive);
        cr_assert(is_max_min_fair(&w, naive), "the reference, instance %d", n);
        cr_assert(is_max_min_fair(&w, ours), "instance %d", n);
        for (uint32_t v = 0; v < w.count; v++)
            cr_assert(is_close(ours[v], naive[v]), "instance %d, variable %u: %.17g, want %.17g", n,
                      v, ours[v], naive[v]);
    }
}

/* Wrong on purpose: an equal share of every link, and what bounded flows leave over is lost. */
static void solve_without_redistribution(const World *w, double rate[MAX_VARIABLES])
{
    const bool nobody[MAX_VARIABLES] = {false};
    const long double nothing[MAX_VARIABLES] = {0.0L};
    for (uint32_t v = 0; v < w->count; v++) {
        double level = w->flows[v].bound / w->flows[v].sharing;
        for (uint32_t l = 0; l < w->links; l++)
            if (uses(&w->flows[v], l))
                level = fmin(level, (double)level_of(w, nothing, nobody, l));
        rate[v] = w->flows[v].sharing > 0.0 ? w->flows[v].sharing * level : 0.0;
    }
}

/* Wrong on purpose: right, but for the sharing weights. */
static void solve_without_sharing_weights(const World *w, double rate[MAX_VARIABLES])
{
    World equal = *w;
    for (uint32_t v = 0; v < w->count; v++)
        equal.flows[v].sharing = w->flows[v].sharing > 0.0 ? 1.0 : 0.0;
    solve_ours(&equal, rate);
}

/* Wrong on purpose: the last use of a flow that has several is overlooked. */
static void solve_without_last_link(const World *w, double rate[MAX_VARIABLES])
{
    World shorter = *w;
    for (uint32_t v = 0; v < w->count; v++)
        if (w->flows[v].uses > 1)
            shorter.flows[v].uses--;
    solve_ours(&shorter, rate);
}

/* Wrong on purpose: one part in a million short. */
static void solve_short(const World *w, double rate[MAX_VARIABLES])
{
    solve_ours(w, rate);
    for (uint32_t v = 0; v < w->count; v++)
        rate[v] *= 1.0 - 1e-6;
}

static const struct {
    const char *fault;
    Solver solve;
} faulty[] = {
    {"no redistribution",  solve_without_redistribution },
    {"no sharing weights", solve_without_sharing_weights},
    {"a link overlooked",  solve_without_last_link      },
    {"short by 1e-6",      solve_short                  },
};

Test(topo_fair, the_judges_catch_solvers_that_are_wrong)
{
    for (size_t k = 0; k < G_N_ELEMENTS(faulty); k++) {
        SimRandom draws = sim_random_stream(1, "test/fair");
        int caught = 0;
        for (int n = 0; n < 1000; n++) {
            World w = some_world(&draws);
            double rate[MAX_VARIABLES];
            faulty[k].solve(&w, rate);
            caught += !is_max_min_fair(&w, rate);
        }
        cr_expect(caught > 100, "%s: caught %d of 1000", faulty[k].fault, caught);
    }
}

/* Adds, removes or changes something, in @w and in @fair. */
static void change_something(SimRandom *draws, World *w, TopoFair *fair, bool is_wide)
{
    uint32_t v = (uint32_t)sim_random_below(draws, MAX_VARIABLES);
    if (chance(draws, 0.15)) {
        uint32_t link = (uint32_t)sim_random_below(draws, w->links);
        w->capacity[link] = some_capacity(draws, is_wide);
        topo_fair_set_capacity(fair, link, w->capacity[link]);
    } else if (w->flows[v].is_live) {
        topo_fair_remove(fair, w->flows[v].number);
        w->flows[v].is_live = false;
    } else {
        w->flows[v] = some_flow(draws, w->links, is_wide);
        TopoFairVariable variable = variable_of(&w->flows[v]);
        w->flows[v].number = topo_fair_add(fair, &variable);
    }
}

/* Compares all rates with a system built afresh, and the list of changes with the rates before. */
static void compare(const World *w, const TopoFair *fair, const double before[MAX_VARIABLES])
{
    double afresh[MAX_VARIABLES];
    uint32_t changed_count;
    const uint32_t *changed = topo_fair_changed(fair, &changed_count);
    solve_ours(w, afresh);
    for (uint32_t v = 0; v < w->count; v++) {
        if (!w->flows[v].is_live)
            continue;
        double rate = topo_fair_rate_bytes_per_s(fair, w->flows[v].number);
        bool is_listed = false;
        for (uint32_t i = 0; i < changed_count; i++)
            is_listed |= changed[i] == w->flows[v].number;
        cr_assert(is_close(rate, afresh[v]), "%.17g, afresh %.17g", rate, afresh[v]);
        cr_assert(is_listed || rate == before[v]);
    }
}

Test(topo_fair, solving_what_changed_equals_solving_afresh)
{
    SimRandom draws = sim_random_stream(2, "test/fair");
    for (int n = 0; n < SEQUENCES; n++) {
        World w = {.links = (uint32_t)(2 + sim_random_below(&draws, MAX_LINKS - 1)),
                   .count = MAX_VARIABLES};
        bool is_wide = chance(&draws, 0.5);
        double before[MAX_VARIABLES];
        for (uint32_t l = 0; l < w.links; l++)
            w.capacity[l] = some_capacity(&draws, is_wide);
        g_autoptr(TopoFair) fair = topo_fair_new(w.capacity, w.links);
        for (int c = 0; c < CHANGES; c++) {
            for (uint32_t v = 0; v < w.count; v++)
                before[v] =
                    w.flows[v].is_live ? topo_fair_rate_bytes_per_s(fair, w.flows[v].number) : NAN;
            for (uint64_t k = sim_random_below(&draws, 4); k-- > 0;)
                change_something(&draws, &w, fair, is_wide);
            topo_fair_solve(fair);
            compare(&w, fair, before);
        }
    }
}

/* What holds a variable back is full, as far as it goes by its own account. */
Test(topo_fair, the_bottleneck_that_it_names_is_one)
{
    SimRandom draws = sim_random_stream(3, "test/fair");
    for (int n = 0; n < INSTANCES / 10; n++) {
        World w = some_world(&draws);
        double rate[MAX_VARIABLES];
        g_autoptr(TopoFair) fair = topo_fair_new(w.capacity, w.links);
        for (uint32_t v = 0; v < w.count; v++) {
            TopoFairVariable variable = variable_of(&w.flows[v]);
            cr_assert(topo_fair_add(fair, &variable) == v);
        }
        topo_fair_solve(fair);
        for (uint32_t v = 0; v < w.count; v++)
            rate[v] = topo_fair_rate_bytes_per_s(fair, v);
        for (uint32_t v = 0; v < w.count; v++) {
            uint32_t at = topo_fair_bottleneck(fair, v);
            if (at == TOPO_FAIR_OWN_BOUND)
                cr_assert(rate[v] == w.flows[v].bound || w.flows[v].sharing <= 0.0);
            else
                cr_assert(is_bottleneck(&w, rate, w.flows[v].links[at], v), "instance %d", n);
        }
    }
}
