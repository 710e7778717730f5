/*
 * A program over SimGrid. Every edge of a transfer is a flow of its own, one message from device to
 * device over the edge's links, of
 *
 *     weight * bytes, no faster than weight * rate bound,
 *
 * that leaves so late that alone it ends at latency + bytes / bound: SimGrid adds the time of
 * flight itself, so a flow waits for the transfer's latency less that of its edge. Where the edge
 * has the longer one (traffic that computation paces has none) the flow gets the rate that makes up
 * for it. A transfer ends with its last flow. What has no bytes or no links ends after its closed
 * form.
 *
 * The executor is the one of every other network (sim_exec.c): it runs in SimGrid's process as the
 * guide of topo_simgrid_engine.c, and whenever its next event lies ahead it lets SimGrid's clock go
 * there, or to the next end of a transfer. Ends are rounded to ns as they come, so while transfers
 * are under way the two clocks are within half a ns of each other; otherwise SimGrid's stands still
 * and catches up later.
 *
 * How this differs from the fluid network (topo_fluid.c): there the edges of a transfer are one
 * variable, which goes at the pace of its slowest edge, and those that are ahead leave their share
 * to others; here edges are independent, the slowest alone ends late, and the others take their
 * full share until they are through. And flows that meet in a full link share it there in equal
 * parts, here in inverse proportion to the latencies of their paths. Without contention, or where
 * all flows of a link are alike, both agree.
 *
 * It counts flows, so it costs what the fluid network folds away. Measured: 20 us a flow where
 * hundreds are under way at once, 120 us where thousands are (a step of 8,192 GPUs, 213,000 flows
 * over 53,000 routes: 25 s), and 18 kB a route. Past FLOWS_MAX or ROUTES_MAX, where that becomes
 * minutes and gigabytes, it refuses. Answers depend on nothing but the program and the spec; the
 * process that asks keeps no trace of it.
 */
#include "topo_simgrid.h"

#include <inttypes.h>
#include <math.h>

#include "topo_child.h"
#include "topo_simgrid_engine.h"

enum {
    FLOWS_MAX = 1000000, /* in the whole run */
    ROUTES_MAX = 100000, /* unlike: about as many flows may be under way at once */
};

/* Half of the ns that the executor counts: a clock this close to an instant is there. */
static const double HALF_NS_S = 0.5e-9;

/* One edge of a transfer. */
typedef struct Flow {
    uint32_t route;
    double bytes;
    double delay_s; /* from the start of the transfer */
} Flow;

/* One transfer. */
typedef struct Load {
    uint32_t first, count; /* its run of flows */
    SimTime alone_ns;      /* what it takes if there are none */
} Load;

/* All that the run needs to know. */
typedef struct Plan {
    const SimProgram *program;
    const TopoTrafficSpec *spec;
    TopoSimgridPlatform *platform;
    GArray *loads; /* of Load, one a transfer */
    GArray *flows; /* of Flow, transfer by transfer */
} Plan;

/* An edge as it was laid, until the transfer's load is known. */
typedef struct Edge {
    guint first, count; /* its run of links */
    double weight, latency_s;
} Edge;

typedef struct Edges {
    GArray *edges; /* of Edge */
    GArray *links; /* of uint32_t */
} Edges;

/* A transfer under way. */
typedef struct Journey {
    struct SimgridNet *net;
    uint32_t token;
    uint32_t flows_left;
} Journey;

typedef struct SimgridNet {
    SimNet net;
    const Plan *plan;
    TopoSimgridEngine *engine;
    GArray *ended;      /* of uint32_t: tokens that the executor has not been told of */
    uint32_t under_way; /* transfers */
    SimRun *run;
    GError *error;
} SimgridNet;

static void note_edge(void *ctx, const TopoEdge *edge)
{
    Edges *edges = (Edges *)ctx;
    Edge noted = {edges->links->len, edge->link_count, edge->weight, edge->latency_s};
    if (edge->link_count == 0 || edge->weight <= 0.0)
        return;
    g_array_append_vals(edges->links, edge->links, edge->link_count);
    g_array_append_val(edges->edges, noted);
}

static void add_flows(Plan *plan, const Edges *edges, const TopoLoad *load)
{
    for (guint i = 0; i < edges->edges->len; i++) {
        const Edge *edge = &g_array_index(edges->edges, Edge, i);
        const uint32_t *links = &g_array_index(edges->links, uint32_t, edge->first);
        double late_s = edge->latency_s - load->latency_s;
        double moving_s = load->bytes / load->rate_bound_bytes_per_s - fmax(late_s, 0.0);
        double rate = moving_s > 0.0 ? load->bytes / moving_s : INFINITY;
        Flow flow = {.bytes = edge->weight * load->bytes, .delay_s = fmax(-late_s, 0.0)};
        flow.route =
            topo_simgrid_platform_route(plan->platform, links, edge->count, edge->weight * rate);
        g_array_append_val(plan->flows, flow);
    }
}

static bool add_load(Plan *plan, const Edges *edges, const TopoLoad *load, GError **error)
{
    Load added = {.first = plan->flows->len};
    double alone_s = load->latency_s;
    if (load->bytes > 0.0) {
        add_flows(plan, edges, load);
        if (isfinite(load->rate_bound_bytes_per_s))
            alone_s += load->bytes / load->rate_bound_bytes_per_s;
    }
    added.count = plan->flows->len - added.first;
    if (!sim_time_from_seconds(alone_s, &added.alone_ns, error))
        return false;
    g_array_append_val(plan->loads, added);
    return true;
}

/* How often the program begins each transfer; a group does once. */
static uint64_t *count_uses(const SimProgram *p, size_t transfers)
{
    uint64_t *uses = g_new0(uint64_t, MAX(transfers, 1));
    g_autoptr(GHashTable) groups = g_hash_table_new(NULL, NULL); /* only looked up */
    for (uint32_t i = 0; i < sim_program_op_count(p); i++) {
        const SimOp *op = sim_program_op(p, i);
        bool is_first =
            op->group == SIM_GROUP_NONE || g_hash_table_add(groups, GUINT_TO_POINTER(op->group));
        if (sim_op_kind_is_transfer(op->kind) && is_first)
            uses[op->transfer]++;
    }
    return uses;
}

static bool check_room(const Plan *plan, uint64_t flows, GError **error)
{
    uint32_t routes = topo_simgrid_platform_route_count(plan->platform);
    if (flows <= FLOWS_MAX && routes <= ROUTES_MAX)
        return true;
    g_set_error(error, TOPO_ERROR, TOPO_ERROR_TOO_MUCH,
                "the program has %" PRIu64
                " flows or more, over %u routes or more; SimGrid is given "
                "at most %d and %d: use the network 'fluid'",
                flows, routes, FLOWS_MAX, ROUTES_MAX);
    return false;
}

static bool lay_all(Plan *plan, const TopoTrafficSpec *spec, Edges *edges, GError **error)
{
    g_autoptr(TopoLay) lay = topo_lay_new(spec);
    g_autofree uint64_t *uses = count_uses(plan->program, spec->transfer_count);
    uint64_t flows = 0;
    for (size_t i = 0; i < spec->transfer_count; i++) {
        TopoLoad load;
        g_array_set_size(edges->edges, 0);
        g_array_set_size(edges->links, 0);
        if (!topo_lay_transfer(lay, i, note_edge, edges, &load, error) ||
            !add_load(plan, edges, &load, error))
            return false;
        flows += uses[i] * g_array_index(plan->loads, Load, i).count;
        if (!check_room(plan, flows, error))
            return false;
    }
    return true;
}

static void arrive(void *ctx)
{
    Journey *journey = (Journey *)ctx;
    SimgridNet *net = journey->net;
    if (--journey->flows_left > 0)
        return;
    g_array_append_val(net->ended, journey->token);
    g_free(journey);
    topo_simgrid_engine_wake(net->engine);
}

static void begin(SimNet *base, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    SimgridNet *net = (SimgridNet *)base;
    const Load *load = &g_array_index(net->plan->loads, Load, transfer);
    if (load->count == 0) {
        SimTime end;
        if (__builtin_add_overflow(now, load->alone_ns, &end))
            end = SIM_TIME_MAX;
        sim_exec_finish_at(exec, token, end);
        return;
    }
    Journey *journey = g_new(Journey, 1);
    *journey = (Journey){.net = net, .token = token, .flows_left = load->count};
    net->under_way++;
    for (uint32_t i = load->first; i < load->first + load->count; i++) {
        const Flow *flow = &g_array_index(net->plan->flows, Flow, i);
        topo_simgrid_engine_carry(net->engine, flow->route, flow->bytes,
                                  sim_time_to_seconds(now) + flow->delay_s, arrive, journey);
    }
}

/* SimGrid's time stands still except while the executor waits, so what has ended ended now. */
static bool advance(SimNet *base, SimExec *exec, SimTime until)
{
    SimgridNet *net = (SimgridNet *)base;
    double until_s = until < SIM_TIME_MAX ? sim_time_to_seconds(until) : INFINITY;
    if (net->under_way == 0)
        return false;
    while (net->ended->len == 0 && topo_simgrid_engine_now_s(net->engine) + HALF_NS_S < until_s) {
        topo_simgrid_engine_wait(net->engine, until_s);
    }
    guint count = net->ended->len;
    SimTime at = SIM_TIME_MAX;
    sim_time_from_seconds(topo_simgrid_engine_now_s(net->engine), &at, NULL);
    at = MAX(at, sim_exec_now(exec));
    for (guint i = 0; i < count; i++)
        sim_exec_finish_at(exec, g_array_index(net->ended, uint32_t, i), at);
    g_array_set_size(net->ended, 0);
    net->under_way -= count;
    return count > 0;
}

static void plan_changes(const TopoTrafficSpec *spec, TopoSimgridEngine *engine)
{
    for (size_t i = 0; i < spec->change_count; i++) {
        const TopoLinkChange *change = &spec->changes[i];
        TopoLink link = *topo_graph_link(spec->fabric->graph, change->link);
        link.health_fraction = change->health_fraction;
        topo_simgrid_engine_change(engine, change->link, sim_time_to_seconds(change->at),
                                   topo_link_rate_bytes_per_s(&link));
    }
}

static void run_program(void *ctx)
{
    SimgridNet *net = (SimgridNet *)ctx;
    net->run = sim_exec_run(net->plan->program, &net->net, &net->error);
}

/* In the child. Answers with all starts, then all ends. */
static bool simulate(void *ctx, GByteArray *answer, GError **error)
{
    const Plan *plan = (const Plan *)ctx;
    g_autoptr(TopoSimgridEngine) engine = topo_simgrid_engine_new(plan->platform, error);
    if (engine == NULL)
        return false;
    SimgridNet net = {
        .net = {.begin = begin, .advance = advance},
        .plan = plan,
        .engine = engine,
        .ended = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
    };
    plan_changes(plan->spec, engine);
    topo_simgrid_engine_run(engine, run_program, &net);
    g_array_unref(net.ended);
    if (net.run == NULL) {
        if (net.error != NULL)
            g_propagate_error(error, net.error);
        else
            g_set_error(error, TOPO_ERROR, TOPO_ERROR_STUCK,
                        "SimGrid came to a halt with %u transfers under way", net.under_way);
        return false;
    }
    guint size = net.run->op_count * (guint)sizeof(SimTime);
    g_byte_array_append(answer, (const guint8 *)net.run->start, size);
    g_byte_array_append(answer, (const guint8 *)net.run->end, size);
    sim_run_free(net.run);
    return true;
}

static SimRun *ask(Plan *plan, GError **error)
{
    g_autoptr(GByteArray) answer = topo_child_ask(simulate, plan, error);
    if (answer == NULL) {
        if (error != NULL && (*error)->domain == G_SPAWN_ERROR)
            g_prefix_error(error, "SimGrid: ");
        return NULL;
    }
    SimRun *run = g_new0(SimRun, 1);
    run->op_count = sim_program_op_count(plan->program);
    size_t size = run->op_count * sizeof(SimTime);
    g_assert(answer->len == 2 * size);
    run->start = g_memdup2(answer->data, size);
    run->end = g_memdup2(answer->data + size, size);
    for (uint32_t i = 0; i < run->op_count; i++)
        run->makespan = MAX(run->makespan, run->end[i]);
    return run;
}

SimRun *topo_simgrid_run(const SimProgram *p, const TopoTrafficSpec *spec, GArray **hot_links,
                         GError **error)
{
    if (hot_links != NULL)
        *hot_links = NULL;
    Edges edges = {
        .edges = g_array_new(FALSE, FALSE, sizeof(Edge)),
        .links = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
    };
    Plan plan = {
        .program = p,
        .spec = spec,
        .platform = topo_simgrid_platform_new(spec->fabric->graph),
        .loads = g_array_new(FALSE, FALSE, sizeof(Load)),
        .flows = g_array_new(FALSE, FALSE, sizeof(Flow)),
    };
    SimRun *run = lay_all(&plan, spec, &edges, error) ? ask(&plan, error) : NULL;
    g_array_unref(edges.edges);
    g_array_unref(edges.links);
    topo_simgrid_platform_free(plan.platform);
    g_array_unref(plan.loads);
    g_array_unref(plan.flows);
    return run;
}
