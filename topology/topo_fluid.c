/*
 * The fluid network. A transfer of b bytes that begins at t0 enters the system at t0 + latency and
 * then moves at rate x(t), bytes/s, the weighted max-min fair share of the links it uses
 * (topo_fair.c), until
 *
 *     integral of x(t) dt = b.
 *
 * x changes only when a transfer enters or leaves, or a link changes its capacity. All changes of
 * one instant are applied before rates are computed once: each of them asks for a call at the same
 * instant, and the executor makes that call after everything that was scheduled for the instant
 * before. (A transfer that begins only because another has just ended, at the same instant, is seen
 * in time too, unless it follows from an end that comes after the call; then rates are computed
 * twice, with no time in between.) Then only transfers whose rate changed are touched: their bytes
 * left are brought up to date and their end is scheduled anew, at
 *
 *     now + ceil(left / x), in ns,
 *
 * up, so that all bytes have passed. What this last ns carries too much is taken off the books
 * again. Bytes left are a double that is only ever lowered, by one rounding for every change of its
 * own rate, and an unchanged transfer is not touched, so errors do not build up with the number of
 * other events. A quotient that is within ROUNDING of a whole number of ns counts as that number.
 *
 * The model is that of flow-level simulation (Bertsekas and Gallager 1992, section 6.5.2; Casanova
 * et al. 2014). It leaves out queues and buffers, packets, congestion control on its way to the
 * fair share (a transient of a few round trips at each change), and head-of-line blocking.
 */
#include "topo_fluid.h"

#include <math.h>
#include <string.h>

#include "sim_error.h"
#include "topo_fair.h"
#include "topo_fluid_meter.h"

/* Relative: some ulps of left / x. */
static const double ROUNDING = 1e-15;

/* 2^63 ns: an end from here on is never. */
static const double NEVER_NS = 9223372036854775808.0;

enum {
    FLOWS_A_CHUNK = 256,
};

/* A transfer under way. */
typedef struct Flow {
    TopoFluid *fluid;
    struct Flow *next; /* free one, while itself free */
    double left_bytes; /* at since */
    double rate;       /* bytes/s, from since on */
    SimTime since;
    uint64_t planned; /* its end, or 0 */
    uint32_t transfer;
    uint32_t token;
    uint32_t variable;
    uint32_t held; /* position of the link that holds it back, or TOPO_FAIR_OWN_BOUND */
} Flow;

/* A capacity that is to change. */
typedef struct Change {
    SimTime at;
    uint32_t link;
    double capacity;
} Change;

struct TopoFluid {
    SimNet net;
    const TopoFluidSpec *spec;
    SimExec *exec; /* NULL before the run */
    TopoFair *fair;
    uint32_t link_count;
    TopoFluidMeter *meters; /* one a link */
    TopoFluidWait *waits;   /* one an entry */
    uint32_t entries;
    SimTime *latency_ns; /* one a transfer */
    double *alone;       /* bytes/s of each transfer on healthy links of its own */
    Flow **flow_of;      /* by variable */
    uint32_t flow_room;
    GPtrArray *chunks; /* of flows, that never move */
    Flow *free_flow;
    GArray *changes; /* sorted by time; equals as they came */
    guint next_change;
    uint64_t planned_change; /* the call for the next, or 0 */
    bool is_solve_planned;
    uint64_t solves, solved_variables;
};

static void begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now);

static double rate_alone(const TopoFluidSpec *spec, const TopoFluidTransfer *transfer)
{
    double rate = transfer->rate_bound_bytes_per_s;
    for (uint32_t i = transfer->first; i < transfer->first + transfer->count; i++)
        if (spec->weights[i] > 0.0)
            rate = fmin(rate, spec->capacity_bytes_per_s[spec->links[i]] / spec->weights[i]);
    return rate;
}

/* Makes ready what is known of transfer @index. */
static bool take_transfer(TopoFluid *fluid, uint32_t index, GError **error)
{
    const TopoFluidTransfer *transfer = &fluid->spec->transfers[index];
    uint32_t entries = transfer->first + transfer->count;
    g_assert(transfer->bytes >= 0.0 && transfer->sharing_weight > 0.0);
    fluid->alone[index] = rate_alone(fluid->spec, transfer);
    if (entries > fluid->entries) {
        fluid->waits = g_renew(TopoFluidWait, fluid->waits, entries);
        memset(&fluid->waits[fluid->entries], 0, (entries - fluid->entries) * sizeof *fluid->waits);
        fluid->entries = entries;
    }
    if (sim_time_from_seconds(transfer->latency_s, &fluid->latency_ns[index], error))
        return true;
    g_prefix_error(error, "latency of transfer %u: ", index);
    return false;
}

TopoFluid *topo_fluid_new(const TopoFluidSpec *spec, GError **error)
{
    g_autoptr(TopoFluid) fluid = g_new0(TopoFluid, 1);
    fluid->net.begin = begin;
    fluid->spec = spec;
    fluid->fair = topo_fair_new(spec->capacity_bytes_per_s, spec->link_count);
    fluid->link_count = spec->link_count;
    fluid->meters = g_new0(TopoFluidMeter, spec->link_count);
    fluid->latency_ns = g_new(SimTime, spec->transfer_count);
    fluid->alone = g_new(double, spec->transfer_count);
    fluid->chunks = g_ptr_array_new_with_free_func(g_free);
    fluid->changes = g_array_new(FALSE, FALSE, sizeof(Change));
    for (uint32_t i = 0; i < spec->link_count; i++)
        fluid->meters[i] = (TopoFluidMeter){.capacity = spec->capacity_bytes_per_s[i],
                                            .keeps_curve = spec->keeps_curves};
    for (uint32_t i = 0; i < spec->transfer_count; i++)
        if (!take_transfer(fluid, i, error))
            return NULL;
    return g_steal_pointer(&fluid);
}

bool topo_fluid_renew(TopoFluid *fluid, uint32_t transfer, GError **error)
{
    uint32_t room = fluid->spec->transfer_count;
    g_assert(transfer < room);
    if (transfer + 1 == room) {
        fluid->latency_ns = g_renew(SimTime, fluid->latency_ns, room);
        fluid->alone = g_renew(double, fluid->alone, room);
    }
    return take_transfer(fluid, transfer, error);
}

void topo_fluid_free(TopoFluid *fluid)
{
    if (fluid == NULL)
        return;
    topo_fair_free(fluid->fair);
    for (uint32_t i = 0; i < fluid->link_count; i++)
        g_free(fluid->meters[i].curve);
    g_free(fluid->meters);
    g_free(fluid->waits);
    g_free(fluid->latency_ns);
    g_free(fluid->alone);
    g_free(fluid->flow_of);
    g_ptr_array_unref(fluid->chunks);
    g_array_unref(fluid->changes);
    g_free(fluid);
}

SimNet *topo_fluid_net(TopoFluid *fluid)
{
    return &fluid->net;
}

static SimTime later(SimTime now, SimTime by)
{
    SimTime at;
    return __builtin_add_overflow(now, by, &at) ? SIM_TIME_MAX : at;
}

static Flow *take_flow(TopoFluid *fluid)
{
    if (fluid->free_flow == NULL) {
        Flow *chunk = g_new0(Flow, FLOWS_A_CHUNK);
        g_ptr_array_add(fluid->chunks, chunk);
        for (uint32_t i = FLOWS_A_CHUNK; i-- > 0;) {
            chunk[i].fluid = fluid;
            chunk[i].next = fluid->free_flow;
            fluid->free_flow = &chunk[i];
        }
    }
    Flow *flow = fluid->free_flow;
    fluid->free_flow = flow->next;
    return flow;
}

static void give_flow(Flow *flow)
{
    flow->next = flow->fluid->free_flow;
    flow->fluid->free_flow = flow;
}

/* Accounts for what @flow did since it was last looked at. Returns the bytes that it might have
 * carried beyond its own. */
static double advance(Flow *flow, SimTime now)
{
    SimTime passed = now - flow->since;
    flow->since = now;
    if (passed <= 0)
        return 0.0;
    const TopoFluid *fluid = flow->fluid;
    double seconds = sim_time_to_seconds(passed);
    double left = flow->left_bytes - flow->rate * seconds;
    flow->left_bytes = fmax(left, 0.0);
    if (flow->held != TOPO_FAIR_OWN_BOUND) {
        uint32_t entry = fluid->spec->transfers[flow->transfer].first + flow->held;
        fluid->waits[entry].waited_s += seconds;
        double alone = fluid->alone[flow->transfer];
        if (flow->rate < alone)
            fluid->waits[entry].lost_s += seconds * (1.0 - flow->rate / alone);
    }
    return fmax(-left, 0.0);
}

/* Changes the rate of @flow in the books of its links; @excess bytes are taken off them again. */
static void change_meters(const Flow *flow, SimTime now, double rate, int users, double excess)
{
    const TopoFluidSpec *spec = flow->fluid->spec;
    const TopoFluidTransfer *transfer = &spec->transfers[flow->transfer];
    double by = isinf(rate) || isinf(flow->rate) ? 0.0 : rate - flow->rate;
    for (uint32_t i = transfer->first; i < transfer->first + transfer->count; i++) {
        double weight = spec->weights[i];
        if (weight <= 0.0)
            continue;
        TopoFluidMeter *meter = &flow->fluid->meters[spec->links[i]];
        topo_fluid_meter_change(meter, now, weight * by, users);
        meter->carried -= weight * excess;
    }
}

static void solve(void *ctx, SimTime now);

/* Has rates computed anew at this instant, once all else that is due has been done. */
static void plan_solve(TopoFluid *fluid, SimTime now)
{
    if (fluid->is_solve_planned)
        return;
    fluid->is_solve_planned = true;
    sim_exec_schedule(fluid->exec, now, solve, fluid);
}

static void end_flow(void *ctx, SimTime now)
{
    Flow *flow = ctx;
    TopoFluid *fluid = flow->fluid;
    double excess = advance(flow, now);
    change_meters(flow, now, 0.0, -1, excess - flow->left_bytes);
    topo_fair_remove(fluid->fair, flow->variable);
    sim_exec_finish_at(fluid->exec, flow->token, now);
    give_flow(flow);
    plan_solve(fluid, now);
}

/* Schedules the end of @flow, whose bytes left and rate are those of @now. */
static void plan_end(Flow *flow, SimTime now)
{
    SimExec *exec = flow->fluid->exec;
    if (flow->planned != 0)
        sim_exec_cancel(exec, flow->planned);
    flow->planned = 0;
    double needed_ns = 0.0;
    if (flow->left_bytes > 0.0)
        needed_ns = flow->left_bytes / flow->rate * (double)SIM_TIME_SECOND;
    double whole_ns = round(needed_ns);
    if (needed_ns - whole_ns > needed_ns * ROUNDING)
        whole_ns += 1.0;
    if (!(whole_ns < NEVER_NS - (double)now))
        return;
    flow->planned = sim_exec_schedule(exec, later(now, (SimTime)whole_ns), end_flow, flow);
}

static void solve(void *ctx, SimTime now)
{
    TopoFluid *fluid = ctx;
    uint32_t count;
    fluid->is_solve_planned = false;
    topo_fair_solve(fluid->fair);
    fluid->solves++;
    fluid->solved_variables += topo_fair_solved_count(fluid->fair);
    const uint32_t *changed = topo_fair_changed(fluid->fair, &count);
    for (uint32_t i = 0; i < count; i++) {
        Flow *flow = fluid->flow_of[changed[i]];
        double rate = topo_fair_rate_bytes_per_s(fluid->fair, changed[i]);
        advance(flow, now);
        flow->held = topo_fair_bottleneck(fluid->fair, changed[i]);
        if (rate == flow->rate)
            continue;
        change_meters(flow, now, rate, 0, 0.0);
        flow->rate = rate;
        plan_end(flow, now);
    }
}

/* The latency of @ctx, a flow, has passed. */
static void enter_flow(void *ctx, SimTime now)
{
    Flow *flow = ctx;
    TopoFluid *fluid = flow->fluid;
    const TopoFluidTransfer *transfer = &fluid->spec->transfers[flow->transfer];
    const TopoFairVariable variable = {
        .links = fluid->spec->links + transfer->first,
        .weights = fluid->spec->weights + transfer->first,
        .count = transfer->count,
        .sharing_weight = transfer->sharing_weight,
        .rate_bound_bytes_per_s = transfer->rate_bound_bytes_per_s,
    };
    flow->variable = topo_fair_add(fluid->fair, &variable);
    if (flow->variable >= fluid->flow_room) {
        fluid->flow_room = MAX(64, 2 * flow->variable);
        fluid->flow_of = g_renew(Flow *, fluid->flow_of, fluid->flow_room);
    }
    fluid->flow_of[flow->variable] = flow;
    flow->left_bytes = transfer->bytes;
    flow->rate = 0.0;
    flow->since = now;
    flow->planned = 0;
    flow->held = TOPO_FAIR_OWN_BOUND;
    change_meters(flow, now, 0.0, 1, 0.0);
    plan_solve(fluid, now);
}

/* Applies the changes that are due, and has itself called for the next. */
static void apply_changes(void *ctx, SimTime now)
{
    TopoFluid *fluid = ctx;
    fluid->planned_change = 0;
    for (; fluid->next_change < fluid->changes->len; fluid->next_change++) {
        const Change *change = &g_array_index(fluid->changes, Change, fluid->next_change);
        if (change->at > now) {
            fluid->planned_change =
                sim_exec_schedule(fluid->exec, change->at, apply_changes, fluid);
            return;
        }
        topo_fluid_meter_advance(&fluid->meters[change->link], now);
        fluid->meters[change->link].capacity = change->capacity;
        topo_fair_set_capacity(fluid->fair, change->link, change->capacity);
        plan_solve(fluid, now);
    }
}

void topo_fluid_set_capacity_at(TopoFluid *fluid, SimTime at, uint32_t link,
                                double capacity_bytes_per_s)
{
    Change change = {.at = at, .link = link, .capacity = capacity_bytes_per_s};
    guint place = fluid->changes->len;
    g_assert(link < fluid->spec->link_count && capacity_bytes_per_s >= 0.0 && at >= 0);
    while (place > fluid->next_change && g_array_index(fluid->changes, Change, place - 1).at > at)
        place--;
    g_array_insert_val(fluid->changes, place, change);
    if (fluid->exec == NULL || place > fluid->next_change)
        return;
    g_assert(at >= sim_exec_now(fluid->exec));
    if (fluid->planned_change != 0)
        sim_exec_cancel(fluid->exec, fluid->planned_change);
    fluid->planned_change = sim_exec_schedule(fluid->exec, at, apply_changes, fluid);
}

static void begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token, SimTime now)
{
    TopoFluid *fluid = (TopoFluid *)net;
    g_assert(transfer < fluid->spec->transfer_count);
    SimTime entry = later(now, fluid->latency_ns[transfer]);
    if (fluid->exec == NULL) {
        fluid->exec = exec;
        apply_changes(fluid, now);
    }
    if (fluid->spec->transfers[transfer].bytes <= 0.0) {
        sim_exec_finish_at(exec, token, entry);
        return;
    }
    Flow *flow = take_flow(fluid);
    flow->transfer = transfer;
    flow->token = token;
    if (entry == now)
        enter_flow(flow, now);
    else
        sim_exec_schedule(exec, entry, enter_flow, flow);
}

void topo_fluid_link_uses(const TopoFluid *fluid, TopoFluidLinkUse *out)
{
    const TopoFluidSpec *spec = fluid->spec;
    for (uint32_t i = 0; i < spec->link_count; i++) {
        const TopoFluidMeter *meter = &fluid->meters[i];
        out[i] = (TopoFluidLinkUse){
            .carried_bytes = meter->carried,
            .peak_fraction = meter->peak,
            .saturated_s = sim_time_to_seconds(meter->full_ns),
        };
    }
    for (uint32_t i = 0; i < fluid->entries; i++) {
        out[spec->links[i]].waited_s += fluid->waits[i].waited_s;
        out[spec->links[i]].lost_s += fluid->waits[i].lost_s;
    }
}

const TopoFluidCurve *topo_fluid_curve(const TopoFluid *fluid, uint32_t link)
{
    return fluid->meters[link].curve;
}

const TopoFluidWait *topo_fluid_waits(const TopoFluid *fluid)
{
    return fluid->waits;
}

uint64_t topo_fluid_solve_count(const TopoFluid *fluid)
{
    return fluid->solves;
}

uint64_t topo_fluid_solved_variables(const TopoFluid *fluid)
{
    return fluid->solved_variables;
}
