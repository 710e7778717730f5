/*
 * What SimGrid makes of flows on given routes: each is one message that leaves at its start. The
 * platform and the model are those of the network model "simgrid" (topo_simgrid_platform.c,
 * topo_simgrid_engine.c), without rate bounds.
 */
#include "simgrid_referee.h"

#include <math.h>
#include <string.h>

#include "topo_child.h"
#include "topo_simgrid_engine.h"

/* The question to the child. */
typedef struct Question {
    const RouteFlows *flows;
    TopoSimgridPlatform *platform;
    uint32_t *routes; /* of each flow */
} Question;

/* Where a flow writes its end. */
typedef struct Arrival {
    const TopoSimgridEngine *engine;
    double *end_s;
} Arrival;

static void note_end(void *ctx)
{
    const Arrival *arrival = (const Arrival *)ctx;
    *arrival->end_s = topo_simgrid_engine_now_s(arrival->engine);
}

/* Answers with the end of each flow, then the seconds that the run took. */
static bool simulate(void *ctx, GByteArray *answer, GError **error)
{
    const Question *question = (const Question *)ctx;
    guint count = question->flows->flows->len;
    g_autoptr(TopoSimgridEngine) engine = topo_simgrid_engine_new(question->platform, error);
    if (engine == NULL)
        return false;
    g_autofree Arrival *arrivals = g_new(Arrival, count);
    g_byte_array_set_size(answer, (guint)sizeof(double) * (count + 1));
    double *ends_s = (double *)(void *)answer->data;
    for (guint i = 0; i < count; i++) {
        const RouteFlow *flow = route_flows_at(question->flows, i);
        ends_s[i] = NAN;
        arrivals[i] = (Arrival){engine, &ends_s[i]};
        topo_simgrid_engine_carry(engine, question->routes[i], flow->bytes, flow->start_s, note_end,
                                  &arrivals[i]);
    }
    int64_t began_us = g_get_monotonic_time();
    topo_simgrid_engine_run(engine, NULL, NULL);
    ends_s[count] = (double)(g_get_monotonic_time() - began_us) * 1e-6;
    return true;
}

double *simgrid_referee_ends_s(const RouteFlows *flows, double *took_s, GError **error)
{
    guint count = flows->flows->len;
    g_autoptr(TopoSimgridPlatform) platform = topo_simgrid_platform_new(flows->graph);
    g_autofree uint32_t *routes = g_new(uint32_t, count);
    for (guint i = 0; i < count; i++) {
        const RouteFlow *flow = route_flows_at(flows, i);
        const uint32_t *links = &g_array_index(flows->links, uint32_t, flow->first);
        routes[i] = topo_simgrid_platform_route(platform, links, flow->count, INFINITY);
    }
    Question question = {.flows = flows, .platform = platform, .routes = routes};
    g_autoptr(GByteArray) answer = topo_child_ask(simulate, &question, error);
    if (answer == NULL)
        return NULL;
    double *ends_s = g_memdup2(answer->data, answer->len);
    for (guint i = 0; i < count; i++)
        g_assert(ends_s[i] >= 0.0);
    if (took_s != NULL)
        *took_s = ends_s[count];
    return ends_s;
}
