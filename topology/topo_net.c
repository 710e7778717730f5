/* The table of network models, and the closed-form net that the executor talks to.
 *
 * A model that cannot foresee how long a transfer lasts (because others will come and go
 * meanwhile) implements SimNet itself; a closed form is priced once per transfer here and answers
 * at once. */
#include "topo_net.h"

#include "sim_exec.h"
#include "sim_time.h"

/* Rows of unequal fields, which version 14 cannot align. */
/* clang-format off */
static const TopoNet nets[] = {
    {.name = "alpha-beta",
     .source = "Hockney 1994; Thakur, Rabenseifner, Gropp 2005",
     .seconds = topo_net_alpha_beta_s},
    {.name = "fluid",
     .source = "weighted max-min fair shares: Bertsekas, Gallager, Data Networks, section 6.5.2",
     .shares_links = true,
     .seconds = topo_net_alpha_beta_s},
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
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(nets); i++) {
        if (g_str_equal(nets[i].name, name))
            return &nets[i];
        g_string_append_printf(known, " %s", nets[i].name);
    }
    g_set_error(error, TOPO_ERROR, TOPO_ERROR_UNKNOWN_NAME, "unknown network model '%s', known:%s",
                name, known->str);
    return NULL;
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

SimNet *topo_sim_net_new(const TopoNet *model, const TopoCluster *cluster,
                         const TopoTransfer *transfers, size_t count, GError **error)
{
    ClosedFormNet *self = g_new0(ClosedFormNet, 1);
    self->base.begin = closed_form_begin;
    self->base.is_contention_free = true;
    self->duration = g_new0(SimTime, MAX(count, 1));
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
