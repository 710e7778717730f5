/* All-reduces of few steps, for small tensors inside one domain: what serving engines bring.
 *
 * one-shot   everybody sends its tensor to everybody and adds up what it gets: one step, (n-1) S
 *            through a port
 * two-shot   everybody sends each rank its part, adds up its own, and sends the sum to everybody:
 *            two steps, 2 (n-1)/n S, as little as a ring
 *
 * Both need a path from every rank to every other, so they stay within a scale-up domain. Source:
 * TensorRT-LLM's and vLLM's custom all-reduce kernels, which have these names; the second is the
 * reduce-scatter and all-gather of Rabenseifner 2004 with direct messages. */
#include "topo_collective_build.h"

bool topo_shot_applies(const TopoCollectiveCall *call, GError **error)
{
    if (call->ranks > call->ranks_per_domain)
        return topo_build_refuse(error, "the group spans scale-up domains");
    return true;
}

/* One step in which every rank sends @message, with its own number as block, to every other. */
static TopoPhase *to_everyone(TopoSchedule *schedule, uint32_t ranks, TopoMessage message)
{
    TopoPhase *phase = topo_build_phase(schedule, ranks - 1);
    phase->at_once = true;
    phase->to = (TopoTurn){ranks, 1};
    for (uint32_t i = 0; i < ranks; i++) {
        message.from = i;
        message.to = (i + 1) % ranks;
        message.block = schedule->blocks > 1 ? i : 0;
        topo_build_message(schedule, message);
    }
    return phase;
}

void topo_one_shot_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    schedule->blocks = 1;
    to_everyone(schedule, call->ranks,
                (TopoMessage){.blocks = 1, .reduces = true, .bytes = call->bytes});
}

void topo_one_shot_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    cost->port_bytes = cost->inside_bytes = (call->ranks - 1.0) * call->bytes;
    cost->steps = 1.0;
}

void topo_two_shot_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t n = call->ranks;
    TopoMessage part = {.blocks = 1, .reduces = true, .bytes = call->bytes / n};
    TopoPhase *reduce = to_everyone(schedule, n, part);
    reduce->block = reduce->to;
    for (uint32_t i = 0; i < n; i++) {
        TopoMessage *message = &g_array_index(schedule->messages, TopoMessage, reduce->first + i);
        message->block = message->to;
    }
    part.reduces = false;
    to_everyone(schedule, n, part);
}

void topo_two_shot_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    double n = call->ranks;
    cost->port_bytes = cost->inside_bytes = 2.0 * (n - 1.0) / n * call->bytes;
    cost->steps = 2.0;
}
