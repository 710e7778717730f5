/* The table of storage systems.
 *
 *   storage: {base: tectonic-llama3, node_link: 25 GB/s, oversubscription: 2}
 */
#include "scen_campaign.h"
#include "scen_fields.h"

#include <math.h>

static const ScenName networks[] = {
    {"frontend", SCEN_STORAGE_FRONTEND},
    {"compute",  SCEN_STORAGE_COMPUTE },
    {NULL,       0                    },
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenStorage, member, of_kind, __VA_ARGS__)
#define RATE(key, member, ...)                                                                     \
    FIELD(key, row.member, SCEN_QUANTITY, .dimension = SCEN_RATE_BYTES_PER_S, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("name", row.name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    FIELD("source", row.source, SCEN_TEXT, .help = "where the figures come from"),
    RATE("write", write_bytes_per_s, .required = true, .help = "of the whole system, in bytes/s"),
    RATE("read", read_bytes_per_s, .required = true, .help = "likewise, in bytes/s"),
    FIELD("write_fraction", row.write_fraction, SCEN_NUMBER, .min = 1e-6, .max = 1, .fallback = "1",
          .help = "of write, that checkpoints reach (default: 1)"),
    FIELD("read_fraction", row.read_fraction, SCEN_NUMBER, .min = 1e-6, .max = 1, .fallback = "1",
          .help = "of read, that restarts reach (default: 1)"),
    FIELD("network", network, SCEN_ENUM, .names = networks, .fallback = "frontend",
          .help = "by which nodes reach it: one of its own, or the compute network's NICs"),
    FIELD("servers", servers, SCEN_INT, .min = 1, .max = 1e5,
          .help =
              "on the compute network, as further nodes of it, over whose routes state then goes "
              "(default: none; node_link and oversubscription stand for the network)"),
    RATE("node_link", node_link_bytes_per_s,
         .help = "of one node towards it, in bytes/s (default: of its NICs on the compute network; "
                 "otherwise no limit)"),
    FIELD("oversubscription", row.oversubscription, SCEN_NUMBER, .min = 1, .max = 1e4,
          .help = "rate of all nodes' links over what gets through at once (default: on the "
                  "compute network of servers, or the fabric; otherwise 1)"),
    FIELD("latency", row.latency_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "before a file's first byte, in s (default: 0)"),
    RATE("host_copy", host_copy_bytes_per_s,
         .help = "between a GPU and host memory, in bytes/s (default: the node's host_bandwidth)"),
};

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    const ScenStorage *storage = out;
    if (storage->servers > 0 && storage->network != SCEN_STORAGE_COMPUTE)
        scen_bind_fail(binder, map, "servers", "servers on the network need network: compute");
}

const ScenTable scen_storage_table = {
    .what = "storage",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenStorage),
    .catalog = SCEN_CATALOG_STORAGE,
    .finish = finish,
};

StratStorage scen_storage_at(const ScenStorage *storage, const TopoCluster *cluster,
                             const TopoFabricSpec *fabric)
{
    StratStorage out = storage->row;
    const TopoNode *node = &cluster->node;
    if (storage->network == SCEN_STORAGE_COMPUTE) {
        if (out.node_link_bytes_per_s == 0.0)
            out.node_link_bytes_per_s = (double)node->nics * node->nic_bytes_per_s;
        double links = (double)cluster->node_count / (double)MAX(storage->servers, 1);
        if (out.oversubscription == 0.0 && storage->servers > 0)
            out.oversubscription = fmax(links, 1.0); /* through the servers' own NICs */
        else if (out.oversubscription == 0.0)
            out.oversubscription = fabric->leaf_oversubscription * fabric->spine_oversubscription;
    }
    if (out.node_link_bytes_per_s == 0.0)
        out.node_link_bytes_per_s = INFINITY;
    if (out.oversubscription == 0.0)
        out.oversubscription = 1.0;
    if (out.host_copy_bytes_per_s == 0.0)
        out.host_copy_bytes_per_s = node->host_bytes_per_s;
    return out;
}
