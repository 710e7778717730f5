/** Network models: how long a transfer takes. Every model answers the same question for the same
 *  transfers, so a scenario picks one by name. */
#ifndef TOPO_NET_H
#define TOPO_NET_H

#include "sim_exec.h"
#include "topo_cluster.h"
#include "topo_collective.h"

#include <glib.h>
#include <stddef.h>

/** One transfer of one group. Pointers are borrowed. */
typedef struct TopoTransfer {
    TopoCollectiveOp op;
    int64_t ranks;            /* in the group */
    int64_t ranks_per_domain; /* of those, how many share a scale-up domain */
    double bytes;             /* as TopoCollectiveCall has them */
    double measured_s;        /* when above 0, what it was measured to take: no model is asked */
    double paced_s;      /* when above 0: the bytes are spread evenly over so many seconds by the
                            computation beside them, without latency and whatever the library reaches */
    double nic_fraction; /* bandwidth that the weakest NIC of the group has left; 0: all */
    TopoKind kind;       /* of the nodes that the group is on */
    const TopoAlgorithm *algorithm; /* NULL: what the collective library chooses */
    uint32_t servers;               /* PUSH, PULL */
    const TopoRouting *routing;     /* DISPATCH, COMBINE */
} TopoTransfer;

/** What is to be carried, where: see topo_lay.h. */
typedef struct TopoTrafficSpec TopoTrafficSpec;

/** Runs a program whose transfers are those of @spec; hot_links as topo_net_run() has them. */
typedef SimRun *TopoNetRun(const SimProgram *p, const TopoTrafficSpec *spec, GArray **hot_links,
                           GError **error);

/** A network model. */
typedef struct TopoNet {
    const char *name;
    const char *source;
    bool shares_links; /* transfers slow each other down: it needs a fabric */
    bool is_referee;   /* takes seconds where others take milliseconds: not to search with */
    /** Seconds of @transfer alone on @cluster. 0 for a group of one rank. Pure. */
    double (*seconds)(const TopoCluster *cluster, const TopoTransfer *transfer);
    /** See topo_net_run(). NULL: every transfer takes as long as alone. */
    TopoNetRun *run;
} TopoNet;

/** All models; @count receives how many. */
const TopoNet *topo_net_all(size_t *count);

/** The model called @name, the default when @name is NULL. NULL and @error when there is none. */
const TopoNet *topo_net_by_name(const char *name, GError **error);

/** Runs @p, sealed, its transfers carried by @net. Without a fabric in @spec transfers take as long
 *  as on the cluster's wires; models that share links need one. @hot_links (may be NULL) receives
 *  the links that carried something (TopoHotLink of topo_traffic.h), worst first, NULL where the
 *  model keeps no books of links; the caller frees both. NULL and @error as sim_exec_run() and
 *  topo_lay_transfer(). */
SimRun *topo_net_run(const TopoNet *net, const SimProgram *p, const TopoTrafficSpec *spec,
                     GArray **hot_links, GError **error);

/** Closed forms; see topo_net_alpha_beta.c. */
double topo_net_alpha_beta_s(const TopoCluster *cluster, const TopoTransfer *transfer);

/** How many of @count ranks, spaced @stride apart from @first, share the first one's scale-up
 *  domain, when ranks fill the domains of @cluster in order. */
int64_t topo_ranks_per_domain(const TopoCluster *cluster, int64_t first, int64_t stride,
                              int64_t count);

/** A net for the executor whose transfers last what @model says of them, each priced once.
 * @transfer is copied; errors: a price that is not a time. Free with topo_sim_net_free(). */
SimNet *topo_sim_net_new(const TopoNet *model, const TopoCluster *cluster,
                         const TopoTransfer *transfers, size_t count, GError **error);

void topo_sim_net_free(SimNet *net);

#define TOPO_ERROR (topo_error_quark())
GQuark topo_error_quark(void);

typedef enum TopoError {
    TOPO_ERROR_UNKNOWN_NAME,
    TOPO_ERROR_PLACEMENT,  /* a job does not fit where it is to run */
    TOPO_ERROR_NO_SIMGRID, /* not in this build, or not on this machine */
    TOPO_ERROR_TOO_MUCH,   /* for this network model */
    TOPO_ERROR_STUCK,      /* transfers that never end */
} TopoError;

#endif
