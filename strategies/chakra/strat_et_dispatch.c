/* The order in which operations start.
 *
 * A trace says what follows what, and leaves open which of several ready nodes goes first. Here a GPU
 * runs one computation at a time, its host one, its link to memory one; of the nodes that are ready
 * when one of these is free, the first in the rank's order goes (ASTRA-sim: the least id). Streams of
 * communication keep their order. Transfers take as long as alone, so that the run is a plain list
 * schedule (Graham 1966) with rendezvous:
 *
 *   a collective starts when all members have come, and ends for all of them together
 *   a send starts when it is ready, its receive ends with it, or when the receiver comes, if later
 *
 * What comes out is the sequence of starts. The program keeps that order within each stream, as GPU
 * streams keep the order in which they were filled; what transfers then take, sharing links with
 * others, is up to the network. Without sharing the program runs exactly as the schedule did. As the
 * sequence is one in which everything could start, the program cannot deadlock; a trace whose ranks
 * wait for each other stops here. */
#include "strat_et_private.h"

typedef struct Schedule {
    StratEtWork *work;
    SimEventQueue *queue;
    uint32_t *waits;  /* of each operation */
    uint32_t *next;   /* the one after it in its stream of communication, or NONE */
    uint32_t *place;  /* in the order of its rank */
    uint32_t *absent; /* of each meeting: members that have not come */
    GArray **ready;   /* of each rank and exclusive stream: heap of places, of uint32_t */
    bool *is_busy;    /* likewise */
    GArray *touched;  /* of uint32_t: exclusive streams to look at */
    uint32_t started, ended;
    SimTime now;
} Schedule;

static void heap_push(GArray *heap, uint32_t value)
{
    g_array_append_val(heap, value);
    uint32_t *item = (uint32_t *)(void *)heap->data, at = heap->len - 1;
    for (; at > 0 && value < item[(at - 1) / 2]; at = (at - 1) / 2)
        item[at] = item[(at - 1) / 2];
    item[at] = value;
}

static uint32_t heap_pop(GArray *heap)
{
    uint32_t *item = (uint32_t *)(void *)heap->data, top = item[0], at = 0;
    uint32_t last = item[heap->len - 1], count = heap->len - 1;
    for (uint32_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && item[child + 1] < item[child])
            child++;
        if (item[child] >= last)
            break;
        item[at] = item[child];
        at = child;
    }
    item[at] = last;
    g_array_set_size(heap, count);
    return top;
}

/* Never run: the loop takes events itself. */
static void ends(void *ctx, SimTime now)
{
    (void)ctx;
    (void)now;
    g_assert_not_reached();
}

static void end_at(Schedule *s, uint32_t op, SimTime at)
{
    sim_event_queue_push(s->queue, at, SIM_PHASE_CHANGE, ends, GUINT_TO_POINTER(op));
}

static const StratEtMeeting *meeting_of(const Schedule *s, uint32_t op)
{
    uint32_t index = s->work->meeting_of[op];
    return index == STRAT_ET_NONE ? NULL : &g_array_index(s->work->meetings, StratEtMeeting, index);
}

static uint32_t member(const Schedule *s, const StratEtMeeting *meeting, uint32_t index)
{
    return g_array_index(s->work->members, uint32_t, meeting->first + index);
}

/* @op comes to its meeting. */
static void come(Schedule *s, uint32_t op, const StratEtMeeting *meeting)
{
    s->work->sequence[s->started++] = op;
    bool is_send = meeting->group == STRAT_ET_NONE;
    if (is_send && op == member(s, meeting, 0))
        end_at(s, op, sim_time_later(s->now, meeting->alone));
    else if (is_send)
        end_at(s, op, s->now); /* a receive that comes when all is there */
    else if (--s->absent[s->work->meeting_of[op]] == 0)
        end_at(s, member(s, meeting, 0), sim_time_later(s->now, meeting->alone));
}

static void release(Schedule *s, uint32_t op)
{
    if (--s->waits[op] > 0)
        return;
    const StratEtMeeting *meeting = meeting_of(s, op);
    if (meeting) {
        come(s, op, meeting);
        return;
    }
    uint32_t resource = s->work->rank_of[op] * STRAT_ET_STREAMS + s->work->stream[op];
    heap_push(s->ready[resource], s->place[op]);
    g_array_append_val(s->touched, resource);
}

static void end_op(Schedule *s, uint32_t op)
{
    StratEtWork *work = s->work;
    uint32_t rank = work->rank_of[op], base = work->base[rank];
    const StratEtRank *of = g_ptr_array_index(work->et->ranks, rank);
    s->ended++;
    for (uint32_t f = of->first_follower[op - base]; f < of->first_follower[op - base + 1]; f++)
        release(s, base + of->follower[f]);
    if (s->next[op] != STRAT_ET_NONE)
        release(s, s->next[op]);
    if (work->meeting_of[op] != STRAT_ET_NONE)
        return;
    uint32_t resource = rank * STRAT_ET_STREAMS + work->stream[op];
    s->is_busy[resource] = false;
    g_array_append_val(s->touched, resource);
}

/* What ends with the event of @op. */
static void end_event(Schedule *s, uint32_t op)
{
    const StratEtMeeting *meeting = meeting_of(s, op);
    bool is_collective = meeting && meeting->group != STRAT_ET_NONE;
    if (!is_collective)
        end_op(s, op);
    for (uint32_t i = 0; is_collective && i < meeting->count; i++)
        end_op(s, member(s, meeting, i));
    if (meeting && !is_collective && op == member(s, meeting, 0))
        release(s, member(s, meeting, 1));
}

/* Starts what may start on the streams that were touched. */
static void start_ready(Schedule *s)
{
    StratEtWork *work = s->work;
    for (guint i = 0; i < s->touched->len; i++) {
        uint32_t resource = g_array_index(s->touched, uint32_t, i);
        uint32_t rank = resource / STRAT_ET_STREAMS;
        if (s->is_busy[resource] || s->ready[resource]->len == 0)
            continue;
        const StratEtRank *of = g_ptr_array_index(work->et->ranks, rank);
        uint32_t op = work->base[rank] + of->order[heap_pop(s->ready[resource])];
        work->sequence[s->started++] = op;
        s->is_busy[resource] = true;
        end_at(s, op, sim_time_later(s->now, work->duration[op]));
    }
    g_array_set_size(s->touched, 0);
}

static void run(Schedule *s)
{
    SimEvent event;
    for (start_ready(s); sim_event_queue_pop(s->queue, &event); start_ready(s)) {
        s->now = event.at;
        do {
            SimEvent next;
            end_event(s, GPOINTER_TO_UINT(event.ctx));
            if (!sim_event_queue_peek(s->queue, &next) || next.at > s->now)
                break;
        } while (sim_event_queue_pop(s->queue, &event));
    }
}

static void prepare(Schedule *s)
{
    StratEtWork *work = s->work;
    for (uint32_t op = 0; op < work->ops; op++)
        s->next[op] = STRAT_ET_NONE;
    for (uint32_t r = 0; r < work->et->ranks->len; r++) {
        const StratEtRank *of = g_ptr_array_index(work->et->ranks, r);
        for (guint i = 0; i < of->nodes->len; i++) {
            uint32_t op = work->base[r] + i, before = work->before[op];
            s->place[work->base[r] + of->order[i]] = i;
            s->waits[op] += strat_et_node(of, i)->dep_count + 1;
            s->waits[op] += before != STRAT_ET_NONE;
            if (before != STRAT_ET_NONE)
                s->next[before] = op;
        }
    }
    for (guint m = 0; m < work->meetings->len; m++) {
        const StratEtMeeting *meeting = &g_array_index(work->meetings, StratEtMeeting, m);
        s->absent[m] = meeting->count;
        if (meeting->group == STRAT_ET_NONE)
            s->waits[member(s, meeting, 1)]++;
    }
    for (uint32_t op = 0; op < work->ops; op++)
        release(s, op); /* from the one wait too many that all have */
}

/* Whether @op has come to a collective that waits for others. */
static bool is_waiting(const Schedule *s, uint32_t op)
{
    const StratEtMeeting *meeting = meeting_of(s, op);
    return meeting && meeting->group != STRAT_ET_NONE && s->waits[op] == 0 &&
           s->absent[s->work->meeting_of[op]] > 0;
}

/* What rank @rank waits at: the first of its operations that wait for others, or for a receive. */
static uint32_t held_at(const Schedule *s, uint32_t rank)
{
    const StratEtWork *work = s->work;
    for (uint32_t op = work->base[rank]; op < work->base[rank + 1]; op++)
        if (is_waiting(s, op))
            return op;
    for (uint32_t op = work->base[rank]; op < work->base[rank + 1]; op++)
        if (s->waits[op] > 0)
            return op;
    return STRAT_ET_NONE;
}

static void say_absent(const Schedule *s, const StratEtMeeting *meeting, GString *text)
{
    enum { RANKS_NAMED = 8 };
    guint named = 0;
    for (uint32_t i = 0; i < meeting->count; i++) {
        uint32_t op = member(s, meeting, i);
        if (s->waits[op] > 0 && named++ < RANKS_NAMED)
            g_string_append_printf(text, "%s%u", named == 1 ? "rank " : ", ", s->work->rank_of[op]);
    }
    if (named > RANKS_NAMED)
        g_string_append_printf(text, " and %u more", named - RANKS_NAMED);
}

static bool fail_stuck(const Schedule *s, GError **error)
{
    enum { RANKS_SHOWN = 4 };
    const StratEtWork *work = s->work;
    g_autoptr(GString) text = g_string_new(NULL);
    guint shown = 0;
    for (uint32_t r = 0; r < work->et->ranks->len; r++) {
        uint32_t op = held_at(s, r);
        if (op == STRAT_ET_NONE || shown++ >= RANKS_SHOWN)
            continue;
        const StratEtMeeting *meeting = meeting_of(s, op);
        g_autofree char *who = strat_et_op_describe(work, op);
        g_string_append_printf(text, "; %s waits for ", who);
        if (!is_waiting(s, op)) {
            g_string_append(text, meeting && meeting->group == STRAT_ET_NONE
                                      ? "its partner"
                                      : "something before it");
            continue;
        }
        const StratEtGroup *group = &g_array_index(work->et->groups, StratEtGroup, meeting->group);
        say_absent(s, meeting, text);
        g_string_append_printf(text, " in group '%s'", group->name);
    }
    g_set_error(error, STRAT_ET_ERROR, STRAT_ET_ERROR_DEADLOCK,
                "deadlock: ranks of the trace wait for each other, %u of %u nodes never run%s%s",
                work->ops - s->ended, work->ops, text->str, shown > RANKS_SHOWN ? "; ..." : "");
    return false;
}

bool strat_et_dispatch(StratEtWork *work, GError **error)
{
    guint resources = work->et->ranks->len * STRAT_ET_STREAMS;
    g_autofree uint32_t *waits = g_new0(uint32_t, MAX(work->ops, 1));
    g_autofree uint32_t *next = g_new(uint32_t, MAX(work->ops, 1));
    g_autofree uint32_t *place = g_new(uint32_t, MAX(work->ops, 1));
    g_autofree uint32_t *absent = g_new0(uint32_t, MAX(work->meetings->len, 1));
    g_autofree bool *is_busy = g_new0(bool, MAX(resources, 1));
    g_autofree GArray **ready = g_new(GArray *, MAX(resources, 1));
    g_autoptr(GArray) touched = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(SimEventQueue) queue = sim_event_queue_new();
    Schedule s = {work, queue, waits, next, place, absent, ready, is_busy, touched, 0, 0, 0};
    for (guint i = 0; i < resources; i++)
        ready[i] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    prepare(&s);
    run(&s);
    for (guint i = 0; i < resources; i++)
        g_array_unref(ready[i]);
    return s.ended == work->ops || fail_stuck(&s, error);
}
