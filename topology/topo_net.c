/* The table of network models, and the closed-form net that the executor talks to.
 *
 * A model that cannot foresee how long a transfer lasts (because others will come and go
 * meanwhile) runs the program itself; a closed form is priced once per transfer here and answers
 * at once. On a fabric a closed form is that of a transfer alone on it: its latency, and its bytes
 * at its own rate or at that of the narrowest link which one of its groups uses. */
#include "topo_net.h"

#include "sim_row.h"
#include "sim_time.h"
#include "topo_lay.h"
#include "topo_simgrid.h"
#include "topo_traffic.h"

#include <math.h>

/* Rows of unequal fields, which version 14 cannot align. */
/* clang-format off */
static const TopoNet nets[] = {
    {.name = "alpha-beta",
     .source = "Hockney 1994; Thakur, Rabenseifner, Gropp 2005",
     .seconds = topo_net_alpha_beta_s},
    {.name = "fluid",
     .source = "weighted max-min fair shares: Bertsekas, Gallager, Data Networks, section 6.5.2",
     .shares_links = true,
     .seconds = topo_net_alpha_beta_s,
     .run = topo_traffic_run},
    {.name = "simgrid",
     .source = "SimGrid, model CM02: Casanova, Marchal 2002; Velho and others 2013",
     .shares_links = true,
     .is_referee = true,
     .seconds = topo_net_alpha_beta_s,
     .run = topo_simgrid_run},
};
/* clang-format on */

GQuark topo_error_quark(void)
{
    return g_quark_from_static_string("topo_error");
}

const TopoNet *topo_net_all(size_t *count)
{
    *count = G_N_ELEMENTS(nets);
    return nets;
}

const TopoNet *topo_net_by_name(const char *name, GError **error)
{
    if (!name)
        return &nets[0];
    return sim_row_by_name(nets, G_N_ELEMENTS(nets), sizeof nets[0], name, "network model",
                           TOPO_ERROR, TOPO_ERROR_UNKNOWN_NAME, error);
}

int64_t topo_ranks_per_domain(const TopoCluster *cluster, int64_t first, int64_t stride,
                              int64_t count)
{
    int64_t size = cluster->node.scale_up_gpus;
    int64_t domain = first / size, shared = 0;
    for (int64_t i = 0; i < count && (first + i * stride) / size == domain; i++)
        shared++;
    return shared;
}

typedef struct ClosedFormNet {
    SimNet base;
    SimTime *duration;
} ClosedFormNet;

static void closed_form_begin(SimNet *net, SimExec *exec, uint32_t transfer, uint32_t token,
                              SimTime now)
{
    const ClosedFormNet *self = (const ClosedFormNet *)net;
    sim_exec_finish_at(exec, token, now + self->duration[transfer]);
}

static ClosedFormNet *closed_form_new(size_t count)
{
    ClosedFormNet *self = g_new0(ClosedFormNet, 1);
    self->base.begin = closed_form_begin;
    self->base.is_contention_free = true;
    self->duration = g_new0(SimTime, MAX(count, 1));
    return self;
}

SimNet *topo_sim_net_new(const TopoNet *model, const TopoCluster *cluster,
                         const TopoTransfer *transfers, size_t count, GError **error)
{
    ClosedFormNet *self = closed_form_new(count);
    for (size_t i = 0; i < count; i++) {
        double seconds = transfers[i].measured_s > 0.0 ? transfers[i].measured_s
                                                       : model->seconds(cluster, &transfers[i]);
        if (!sim_time_from_seconds(seconds, &self->duration[i], error)) {
            topo_sim_net_free(&self->base);
            return NULL;
        }
    }
    return &self->base;
}

void topo_sim_net_free(SimNet *net)
{
    ClosedFormNet *self = (ClosedFormNet *)net;
    if (!self)
        return;
    g_free(self->duration);
    g_free(self);
}

/* Seconds of a transfer alone on the links that @weights names, which it takes. */
static double take_seconds(const TopoGraph *graph, TopoWeights *weights, const TopoLoad *load)
{
    double rate = load->rate_bound_bytes_per_s;
    for (guint i = 0; i < weights->touched->len; i++) {
        uint32_t link;
        double weight = topo_weights_take(weights, i, &link);
        rate = fmin(rate, topo_link_rate_bytes_per_s(topo_graph_link(graph, link)) / weight);
    }
    topo_weights_restart(weights);
    return load->latency_s + (load->bytes > 0.0 ? load->bytes / rate : 0.0);
}

/* @spec with the first group of each transfer only; the arrays are to be freed. */
static TopoTrafficSpec first_groups(const TopoTrafficSpec *spec, TopoRanks **groups,
                                    uint32_t **group_ends)
{
    TopoTrafficSpec one = *spec;
    *groups = g_new0(TopoRanks, spec->transfer_count + 1);
    *group_ends = g_new0(uint32_t, spec->transfer_count + 1);
    for (size_t i = 0; i < spec->transfer_count; i++) {
        (*groups)[i] = spec->groups[i > 0 ? spec->group_ends[i - 1] : 0];
        (*group_ends)[i] = (uint32_t)i + 1;
    }
    one.groups = *groups;
    one.group_ends = *group_ends;
    one.crowd = TOPO_CROWD_NODE;
    return one;
}

static bool price_on_fabric(const TopoTrafficSpec *spec, SimTime *duration, GError **error)
{
    g_autofree TopoRanks *groups = NULL;
    g_autofree uint32_t *group_ends = NULL;
    TopoTrafficSpec one = first_groups(spec, &groups, &group_ends);
    const TopoGraph *graph = spec->fabric->graph;
    g_autoptr(TopoLay) lay = topo_lay_new(&one);
    TopoWeights weights = topo_weights_init(graph);
    bool is_priced = true;
    for (size_t i = 0; i < spec->transfer_count && is_priced; i++) {
        TopoLoad load;
        is_priced =
            topo_lay_transfer(lay, i, topo_weights_add, &weights, &load, error) &&
            sim_time_from_seconds(take_seconds(graph, &weights, &load), &duration[i], error);
    }
    topo_weights_clear(&weights);
    return is_priced;
}

/* NULL and @error when a transfer has no price. */
static SimNet *closed_forms(const TopoNet *net, const TopoTrafficSpec *spec, GError **error)
{
    if (!spec->fabric)
        return topo_sim_net_new(net, spec->cluster, spec->transfers, spec->transfer_count, error);
    ClosedFormNet *self = closed_form_new(spec->transfer_count);
    if (price_on_fabric(spec, self->duration, error))
        return &self->base;
    topo_sim_net_free(&self->base);
    return NULL;
}

SimRun *topo_net_run(const TopoNet *net, const SimProgram *p, const TopoTrafficSpec *spec,
                     GArray **hot_links, GError **error)
{
    if (hot_links)
        *hot_links = NULL;
    g_assert(spec->fabric || !net->shares_links);
    if (net->run)
        return net->run(p, spec, hot_links, error);
    SimNet *closed = closed_forms(net, spec, error);
    SimRun *run = closed ? sim_exec_run(p, closed, error) : NULL;
    topo_sim_net_free(closed);
    return run;
}
