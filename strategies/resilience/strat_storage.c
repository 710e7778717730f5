/* All nodes write to, or read from, one storage system at once.
 *
 * A node's state goes over its GPUs' own links to host memory and over the node's link and the
 * network to its servers to the servers. With B the bytes of a node, b those of its busiest GPU,
 *
 *   copy    b / host_copy                                                                  [s]
 *   rate    the weighted max-min fair share of
 *             node_link                            of each node
 *             nodes * node_link / oversubscription of all of them
 *             write * write_fraction               of the servers (read likewise)     [bytes/s]
 *   time    latency + B / rate, the rate anew whenever a node is done                      [s]
 *
 * and a node's two parts follow each other. N equal nodes hence take B / node_link, or N B over the
 * narrower of the other two. Equal nodes are one variable of the fluid network, which weighs as
 * many on what they share.
 *
 * Left out: leaves with more to say than others (the upper tiers are one link), caches of the
 * servers, files' metadata beyond the latency of one, copying and sending piece by piece at once,
 * which would hide the shorter of the two, and what else the storage does. */
#include "strat_storage.h"

#include "sim_exec.h"
#include "strat_state.h"
#include "topo_fluid.h"

#include <math.h>

/* Links of a run; each class of nodes has two of its own after the common ones. */
enum { LINK_SERVERS, LINK_UPLINKS, LINKS_COMMON };
enum { LINK_NODE, LINK_HOST, LINKS_OWN };

/* A storage transfer uses a node's link, then the common ones; a copy, one link. */
enum { STEPS_REMOTE = 1 + LINKS_COMMON };

typedef struct Job {
    const StratStorage *storage;
    bool writes;
    SimProgram *program;
    GArray *capacity, *transfers, *links, *weights; /* of TopoFluidSpec */
    GArray *remote;                                 /* of uint32_t: operations to the storage */
    GArray *copies;                                 /* likewise, to or from the GPUs */
} Job;

static void use_link(Job *job, uint32_t link, double weight)
{
    g_array_append_val(job->links, link);
    g_array_append_val(job->weights, weight);
}

static void add_transfer(Job *job, double bytes, double latency_s, uint32_t first)
{
    TopoFluidTransfer transfer = {
        .bytes = bytes,
        .latency_s = latency_s,
        .rate_bound_bytes_per_s = INFINITY,
        .sharing_weight = 1.0,
        .first = first,
        .count = job->links->len - first,
    };
    g_array_append_val(job->transfers, transfer);
}

static void add_op(Job *job, uint32_t rank_class, bool is_copy)
{
    const char *name = is_copy ? "copy" : "storage";
    SimOp op = {
        .rank_class = rank_class,
        .group = SIM_GROUP_NONE,
        .transfer = 2 * rank_class + is_copy,
        .stream = SIM_STREAM_MAIN,
        .bucket = sim_program_bucket(job->program, name),
        .label = sim_program_label(job->program, name),
        .kind = SIM_OP_COPY,
    };
    uint32_t number = sim_program_add_op(job->program, &op);
    g_array_append_val(is_copy ? job->copies : job->remote, number);
}

static void add_nodes(Job *job, const StratStateNodes *nodes)
{
    const StratStorage *s = job->storage;
    uint32_t own = job->capacity->len, first = job->links->len;
    const double rates[LINKS_OWN] = {
        [LINK_NODE] = s->node_link_bytes_per_s, [LINK_HOST] = s->host_copy_bytes_per_s};
    g_array_append_vals(job->capacity, rates, LINKS_OWN);
    use_link(job, own + LINK_NODE, 1.0);
    use_link(job, LINK_SERVERS, (double)nodes->count);
    use_link(job, LINK_UPLINKS, (double)nodes->count);
    add_transfer(job, nodes->bytes, nodes->bytes > 0.0 ? s->latency_s : 0.0, first);
    first = job->links->len;
    use_link(job, own + LINK_HOST, 1.0);
    add_transfer(job, nodes->gpu_bytes, 0.0, first);
    uint32_t rank_class = sim_program_add_class(job->program, "nodes", nodes->count);
    add_op(job, rank_class, job->writes);
    add_op(job, rank_class, !job->writes);
}

/* What held back the last transfer with the storage. */
static const char *bound_of(const Job *job, const SimRun *run, const TopoFluidWait *waits)
{
    const char *const names[] = {"nodes' links", job->writes ? "writing" : "reading",
                                 "network to its servers"};
    _Static_assert(G_N_ELEMENTS(names) == STEPS_REMOTE, "a name for each step");
    guint last = 0;
    for (guint i = 1; i < job->remote->len; i++)
        if (run->end[g_array_index(job->remote, uint32_t, i)] >
            run->end[g_array_index(job->remote, uint32_t, last)])
            last = i;
    const TopoFluidTransfer *t = &g_array_index(job->transfers, TopoFluidTransfer, 2 * last);
    uint32_t worst = 0;
    for (uint32_t k = 1; k < t->count; k++)
        if (waits[t->first + k].waited_s > waits[t->first + worst].waited_s)
            worst = k;
    return waits[t->first + worst].waited_s > t->latency_s ? names[worst] : "latency";
}

static bool simulate(const Job *job, StratStorageRun *out, GError **error)
{
    TopoFluidSpec spec = {
        .capacity_bytes_per_s = (const double *)(void *)job->capacity->data,
        .link_count = job->capacity->len,
        .transfers = (const TopoFluidTransfer *)(void *)job->transfers->data,
        .transfer_count = job->transfers->len,
        .links = (const uint32_t *)(void *)job->links->data,
        .weights = (const double *)(void *)job->weights->data,
    };
    g_autoptr(TopoFluid) fluid = topo_fluid_new(&spec, error);
    if (!fluid || !sim_program_seal(job->program, error))
        return false;
    g_autoptr(SimRun) run = sim_exec_run(job->program, topo_fluid_net(fluid), error);
    if (!run)
        return false;
    for (guint i = 0; i < job->copies->len; i++) {
        uint32_t op = g_array_index(job->copies, uint32_t, i);
        out->copy_s = fmax(out->copy_s, sim_time_to_seconds(run->end[op] - run->start[op]));
    }
    out->total_s = sim_time_to_seconds(run->makespan);
    out->bound = bound_of(job, run, topo_fluid_waits(fluid));
    return true;
}

static void job_clear(Job *job)
{
    sim_program_free(job->program);
    GArray *const arrays[] = {job->capacity, job->transfers, job->links,
                              job->weights,  job->remote,    job->copies};
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_array_unref(arrays[i]);
}

bool strat_storage_run(const StratStorage *storage, StratStorageWay way, const GArray *nodes,
                       StratStorageRun *run, GError **error)
{
    Job job = {
        .storage = storage,
        .writes = way == STRAT_STORAGE_WRITE,
        .program = sim_program_new(),
        .capacity = g_array_new(FALSE, FALSE, sizeof(double)),
        .transfers = g_array_new(FALSE, FALSE, sizeof(TopoFluidTransfer)),
        .links = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .weights = g_array_new(FALSE, FALSE, sizeof(double)),
        .remote = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .copies = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
    };
    *run = (StratStorageRun){0};
    double count = 0.0;
    for (guint i = 0; i < nodes->len; i++) {
        const StratStateNodes *n = &g_array_index(nodes, StratStateNodes, i);
        count += (double)n->count;
        run->bytes += (double)n->count * n->bytes;
    }
    double common[LINKS_COMMON] = {
        [LINK_SERVERS] = job.writes ? storage->write_bytes_per_s * storage->write_fraction
                                    : storage->read_bytes_per_s * storage->read_fraction,
        [LINK_UPLINKS] = count * storage->node_link_bytes_per_s / storage->oversubscription,
    };
    g_array_append_vals(job.capacity, common, LINKS_COMMON);
    for (guint i = 0; i < nodes->len; i++)
        add_nodes(&job, &g_array_index(nodes, StratStateNodes, i));
    bool done = simulate(&job, run, error);
    job_clear(&job);
    return done;
}
