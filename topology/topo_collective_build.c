/* Schedules, and the pieces that several algorithms are made of.
 *
 * A schedule is two flat arrays. A ring of n ranks repeats one step n-1 times, each time with the
 * next block; writing the steps out would take n (n-1) messages, so a phase holds one step and
 * says how its indices turn. A message may begin later than its phase (start) and be sent fewer
 * times than the phase has steps (active): a pipeline over a chain or a tree of depth d with c
 * chunks is then one phase of d + c - 1 steps with one message an edge. */
#include "topo_collective_build.h"

TopoSchedule *topo_schedule_new(void)
{
    TopoSchedule *schedule = g_new0(TopoSchedule, 1);
    schedule->messages = g_array_new(FALSE, FALSE, sizeof(TopoMessage));
    schedule->phases = g_array_new(FALSE, TRUE, sizeof(TopoPhase));
    return schedule;
}

void topo_schedule_free(TopoSchedule *schedule)
{
    if (!schedule)
        return;
    g_array_unref(schedule->messages);
    g_array_unref(schedule->phases);
    g_free(schedule);
}

/* @index after @sending turns. */
static uint32_t turned(TopoTurn turn, uint32_t index, uint32_t sending)
{
    if (turn.span == 0)
        return index;
    int64_t place = (int64_t)(index % turn.span) + (int64_t)sending * turn.shift;
    int64_t span = (int64_t)turn.span;
    return index - index % turn.span + (uint32_t)(((place % span) + span) % span);
}

TopoMessage topo_schedule_message(const TopoSchedule *schedule, const TopoPhase *phase,
                                  uint32_t index, uint32_t sending)
{
    TopoMessage message = g_array_index(schedule->messages, TopoMessage, phase->first + index);
    message.from = turned(phase->from, message.from, sending);
    message.to = turned(phase->to, message.to, sending);
    message.block = turned(phase->block, message.block, sending);
    return message;
}

uint32_t topo_schedule_home(const TopoSchedule *schedule, uint32_t block)
{
    uint32_t run = schedule->ranks / schedule->stripe;
    return block % run * schedule->stripe + block / run;
}

TopoPhase *topo_build_phase(TopoSchedule *schedule, uint32_t repeat)
{
    TopoPhase phase = {.first = schedule->messages->len, .repeat = repeat, .active = repeat};
    g_array_append_val(schedule->phases, phase);
    return &g_array_index(schedule->phases, TopoPhase, schedule->phases->len - 1);
}

void topo_build_message(TopoSchedule *schedule, TopoMessage message)
{
    g_array_append_val(schedule->messages, message);
    g_array_index(schedule->phases, TopoPhase, schedule->phases->len - 1).count++;
}

uint32_t topo_build_domains(const TopoCollectiveCall *call)
{
    return (call->ranks + call->ranks_per_domain - 1) / call->ranks_per_domain;
}

uint32_t topo_build_chunks(const TopoCollectiveCall *call)
{
    return MAX(call->chunks, 1);
}

bool topo_build_refuse(GError **error, const char *why)
{
    g_set_error_literal(error, TOPO_COLLECTIVE_ERROR, TOPO_COLLECTIVE_ERROR_NOT_APPLICABLE, why);
    return false;
}

bool topo_build_spans_domains(const TopoCollectiveCall *call, GError **error)
{
    if (call->ranks <= call->ranks_per_domain)
        return topo_build_refuse(error, "the group lies within one scale-up domain");
    if (call->ranks % call->ranks_per_domain != 0)
        return topo_build_refuse(error, "the group fills its scale-up domains unevenly");
    return true;
}

void topo_build_ring(TopoSchedule *schedule, const TopoSubgroup *group, uint32_t lag, bool reduces)
{
    uint32_t n = group->ranks, part = group->blocks / n;
    for (uint32_t i = 0; i < n; i++)
        topo_build_message(schedule, (TopoMessage){.from = group->first + i * group->stride,
                                                   .to = group->first + (i + 1) % n * group->stride,
                                                   .block = group->block + (i + n - lag) % n * part,
                                                   .blocks = part,
                                                   .reduces = reduces,
                                                   .bytes = group->bytes / n});
}
