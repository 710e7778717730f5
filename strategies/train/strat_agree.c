/* How replicas exchange what they learnt in a step.
 *
 *   all-reduce        everybody's gradients, summed
 *   gossip-one        weights are averaged with one peer, another one each step: one message of W
 *                     bytes out and in, however many replicas there are
 *   gossip-ring       with the two neighbours of a ring: 2 W
 *   parameter-server  gradients go to servers, parameters come back (strat_push.c)
 *
 * Gossip (Lian et al. 2017; Bagua's decentralized algorithms, hierarchical) averages within the
 * scale-up domain by an all-reduce first, then one rank a domain talks to its peers. With
 * overlap.data it begins with the step, whose gradients are of the weights that are on their way.
 *
 * Compressed gradients take the bytes and passes of their row (strat_compressor.c). For the shape
 * of weight matrices the products of one layer stand for all.
 *
 * Left out: that replicas which average with few others need more steps to the same loss; traffic
 * of gossip and of servers does not meet other traffic on links of a fabric. */
#include "strat_agree.h"

#include "kern_pass.h"
#include "strat_expert.h"
#include "strat_push.h"
#include "strat_schedule.h"

/* Averages within the domain, then sends @peers times. */
static double gossip_s(const StratCosting *costing, const TopoTransfer *whole, double peers)
{
    TopoTransfer inside = *whole, send = *whole;
    bool across = whole->ranks_per_domain < whole->ranks;
    inside.ranks = whole->ranks_per_domain;
    send.op = TOPO_OP_SEND;
    send.ranks = 2;
    send.ranks_per_domain = across ? 1 : 2;
    const TopoNet *net = costing->net;
    double seconds = across && inside.ranks > 1 ? net->seconds(costing->cluster, &inside) : 0.0;
    return seconds + peers * net->seconds(costing->cluster, &send);
}

static double one_s(const StratCosting *costing, const TopoTransfer *whole)
{
    return gossip_s(costing, whole, 1.0);
}

static double ring_s(const StratCosting *costing, const TopoTransfer *whole)
{
    return gossip_s(costing, whole, 2.0);
}

static double served_s(const StratCosting *costing, const TopoTransfer *whole)
{
    StratPush served = strat_push(costing, whole->ranks, whole->ranks_per_domain, whole->bytes);
    return strat_push_sync_s(&served);
}

/* clang-format off */
static const StratAgree exchanges[] = {
    {.name = "all-reduce",
     .source = "Li et al. 2020, PyTorch Distributed (arXiv 2006.15704): every replica's gradients, summed",
     .seconds = NULL},
    {.name = "gossip-one",
     .source = "Gan et al. 2021, Bagua (arXiv 2107.01499): decentralized, peer selection shift_one, hierarchical",
     .kept_weights = 1.0, .seconds = one_s},
    {.name = "gossip-ring",
     .source = "Lian et al. 2017, D-PSGD (arXiv 1705.09056): weights averaged with the neighbours of a ring; Bagua's low-precision decentralized algorithm",
     .kept_weights = 3.0, .seconds = ring_s},
    {.name = "parameter-server",
     .source = "Li et al. 2014, Parameter Server (OSDI); Ho et al. 2013, SSP (NIPS); Jiang et al. 2020, BytePS (OSDI)",
     .is_served = true, .seconds = served_s},
};
/* clang-format on */

const StratAgree *strat_agree_all(size_t *count)
{
    *count = G_N_ELEMENTS(exchanges);
    return exchanges;
}

const StratAgree *strat_agree_by_name(const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    if (!name)
        return &exchanges[0];
    for (size_t i = 0; i < G_N_ELEMENTS(exchanges); i++) {
        if (g_str_equal(exchanges[i].name, name))
            return &exchanges[i];
        g_string_append_printf(known, " %s", exchanges[i].name);
    }
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, "unknown exchange '%s', known:%s",
                name, known->str);
    return NULL;
}

double strat_bucket_bytes(const StratBuckets *buckets, double gradient_bytes)
{
    return buckets->parameters > 0.0 ? buckets->parameters * gradient_bytes : buckets->bytes;
}

int64_t strat_data_inner(const StratDataParallel *dp, int64_t all)
{
    return dp->islands.count > 1 ? all / dp->islands.count : all;
}

bool strat_data_is_plain(const StratDataParallel *dp)
{
    const char *kind = dp->compression.kind;
    bool whole = !kind || g_str_equal(kind, "none");
    bool all = !dp->exchange || g_str_equal(dp->exchange, exchanges[0].name);
    return whole && all && dp->islands.count < 2;
}

bool strat_data_is_served(const StratDataParallel *dp)
{
    const StratAgree *exchange = strat_agree_by_name(dp->exchange, NULL);
    return exchange && exchange->is_served;
}

bool strat_data_is_apart(const StratDataParallel *dp)
{
    const StratServers *servers = &dp->servers;
    return strat_data_is_served(dp) &&
           (servers->unbounded || servers->staleness > 0 || servers->variation > 0.0);
}

/* Rows and columns of a layer's weight matrices, over their elements. */
static double vectors_of(const StratCosting *costing)
{
    ModelOps ops;
    double sum = 0.0, elements = 0.0;
    strat_layer_ops(costing, &(StratModelChunk){.layers = 1}, 0, &ops);
    for (size_t i = 0; i < ops.count; i++) {
        const ModelOp *op = &ops.op[i];
        if (op->kind != MODEL_OP_GEMM)
            continue;
        sum += (double)(op->batch * (op->n + op->k));
        elements += (double)(op->batch * op->n) * (double)op->k;
    }
    return elements > 0.0 ? sum / elements : 0.0;
}

static const StratCompressor *compressor_of(const StratCosting *costing)
{
    return strat_compressor_by_name(costing->plan->data_parallel.compression.kind, NULL);
}

void strat_agree_apply(const StratCosting *costing, double params, TopoTransfer *transfer)
{
    const StratPlan *plan = costing->plan;
    const StratDataParallel *dp = &plan->data_parallel;
    const StratAgree *exchange = strat_agree_by_name(dp->exchange, NULL);
    const StratCompressor *compressor = compressor_of(costing);
    if (exchange->kept_weights > 0.0)
        transfer->bytes =
            params * (plan->fp32_parameters ? 4.0 : MAX(topo_dtype_bytes(plan->precision), 2.0));
    if (compressor->wire(&dp->compression, 1.0) > 0.0)
        transfer->bytes = params * compressor->wire(&dp->compression, vectors_of(costing));
    if (compressor->gathers) {
        transfer->op = TOPO_OP_ALL_GATHER;
        transfer->bytes *= (double)transfer->ranks;
    }
    if (exchange->seconds)
        transfer->measured_s = exchange->seconds(costing, transfer);
}

static double passes_s(const StratCosting *costing, double params, double bytes)
{
    return bytes > 0.0 && params > 0.0 ? kern_pass_s(&costing->device, params * bytes, 1) : 0.0;
}

double strat_compress_s(const StratCosting *costing, double params)
{
    const StratCompression *how = &costing->plan->data_parallel.compression;
    const StratCompressor *row = compressor_of(costing);
    return passes_s(costing, params, row->before(how, vectors_of(costing)));
}

double strat_restore_s(const StratCosting *costing, double params)
{
    const StratCompression *how = &costing->plan->data_parallel.compression;
    const StratCompressor *row = compressor_of(costing);
    return passes_s(costing, params, row->after(how, vectors_of(costing)));
}
