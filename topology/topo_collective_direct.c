/* What is no collective: a message between two ranks, and parameter servers.
 *
 * With s servers (ranks 0 to s-1, each with S/s of the parameters) and w workers, a push is s steps
 * in which worker i sends part (i + r) mod s to that server, which adds it up; a pull is the
 * reverse (Li and others 2014, "Scaling distributed machine learning with the parameter server",
 * section 4). A worker sends S, a server receives w S/s: what limits is the larger. */
#include "topo_collective_build.h"

void topo_send_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    schedule->blocks = 1;
    topo_build_phase(schedule, 1);
    topo_build_message(schedule, (TopoMessage){.to = 1, .blocks = 1, .bytes = call->bytes});
}

void topo_send_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    bool across = call->ranks_per_domain == 1;
    cost->port_bytes = call->bytes;
    cost->inside_bytes = across ? 0.0 : call->bytes;
    cost->domain_out_bytes = across ? call->bytes : 0.0;
    cost->steps = 1.0;
    cost->steps_across = across ? 1.0 : 0.0;
}

void topo_server_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t servers = call->servers;
    bool push = call->op == TOPO_OP_PUSH;
    schedule->blocks = servers;
    TopoPhase *phase = topo_build_phase(schedule, servers);
    phase->block = (TopoTurn){servers, 1};
    *(push ? &phase->to : &phase->from) = phase->block;
    for (uint32_t i = servers; i < call->ranks; i++) {
        uint32_t server = i % servers;
        topo_build_message(schedule, (TopoMessage){.from = push ? i : server,
                                                   .to = push ? server : i,
                                                   .block = server,
                                                   .blocks = 1,
                                                   .reduces = push,
                                                   .bytes = call->bytes / servers});
    }
}

void topo_server_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    uint32_t n = call->ranks, k = call->ranks_per_domain;
    double servers = call->servers, workers = n - servers, part = call->bytes / servers;
    cost->port_bytes = part * MAX(servers, workers);
    for (uint32_t first = 0; first < n; first += k) {
        double end = MIN(n, first + k);
        double own_servers = first < servers ? MIN(end, servers) - first : 0.0;
        double own_workers = end - first - own_servers;
        double sides =
            MAX(own_workers * (servers - own_servers), own_servers * (workers - own_workers));
        double at_server = own_servers > 0.0 ? own_workers : 0.0;
        double at_worker = own_workers > 0.0 ? own_servers : 0.0;
        cost->domain_out_bytes = MAX(cost->domain_out_bytes, part * sides);
        cost->inside_bytes = MAX(cost->inside_bytes, part * MAX(at_server, at_worker));
    }
    cost->steps = servers;
    cost->steps_across = cost->domain_out_bytes > 0.0 ? servers : 0.0;
}
