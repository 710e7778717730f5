/* Parameter servers in closed form.
 *
 * N workers push gradients of M bytes each to S servers, which hold a part of the parameters each,
 * and pull M bytes back. Every part of M goes to another server, so servers are alike, and a phase
 * lasts as long as the busiest ports:
 *
 *   phase = max(M / w, N M / (S b))           w, b: rates of a worker and of a server [bytes/s]
 *   exchange = 2 phase                        push, then pull (Li 2014)
 *   exchange = phase                          pipelined: ports are full duplex (Jiang 2020, BytePS)
 *
 * Servers on the nodes of workers (colocated) share their NICs, and of a worker's bytes the part
 * that its own node serves stays there: M (N - G) / N with G workers a node. There pushes and
 * served pulls leave by the same port, so pipelining gains nothing: 2 (N - 1) M / (N b) with a
 * server a node, as much as an all-reduce (BytePS, section 2.2).
 *
 * Ranks with the same part of the model are a lane. Lanes are alike and share servers evenly. With
 * local_reduce a domain's GPUs sum among themselves first and are one worker with all of their
 * NICs.
 *
 * Left out: what the servers' CPUs take to sum and to update (BytePS measured them to outrun the
 * NICs), latency of requests, and links of the fabric other than the ports. */
#include "strat_push.h"

#include "strat_layout.h"

StratPush strat_push(const StratCosting *costing, int64_t ranks, int64_t per_domain, double bytes)
{
    const StratPlan *plan = costing->plan;
    const StratServers *servers = &plan->data_parallel.servers;
    const TopoNode *node = &costing->cluster->node;
    double node_rate = (double)node->nics * node->nic_bytes_per_s;
    double gpu_rate = node_rate / (double)node->gpus;
    double lanes = (double)strat_rank_count(plan) / (double)(plan->data * plan->context);
    double each = servers->bytes_per_s > 0.0 ? servers->bytes_per_s : node_rate;
    int64_t together = servers->local_reduce ? MAX(per_domain, 1) : 1;
    StratPush served = {
        .workers = (ranks + together - 1) / together,
        .bytes = bytes,
        .worker_bytes_per_s = gpu_rate * (double)together,
        .server_bytes_per_s = (double)servers->count * each / lanes,
        .shares_ports = servers->colocated,
        .pipelined = servers->pipelined,
    };
    int64_t beside = servers->local_reduce ? 1 : MIN(MAX(per_domain, 1), node->gpus);
    if (servers->colocated)
        served.bytes *= (double)MAX(served.workers - beside, 0) / (double)served.workers;
    TopoTransfer inside = {
        .op = TOPO_OP_ALL_REDUCE, .ranks = together, .ranks_per_domain = together, .bytes = bytes};
    served.local_s = together > 1 ? costing->net->seconds(costing->cluster, &inside) : 0.0;
    return served;
}

double strat_push_sync_s(const StratPush *served)
{
    double phase = MAX(served->bytes / served->worker_bytes_per_s,
                       (double)served->workers * served->bytes / served->server_bytes_per_s);
    return served->local_s + (served->pipelined && !served->shares_ports ? phase : 2.0 * phase);
}
