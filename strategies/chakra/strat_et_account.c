/* Where the time of every rank went.
 *
 * An operation is in one account while it runs; a collective is in `wait` from the moment its rank
 * comes to it until the last member has come, a receive likewise until its send starts. A rank may be
 * in several at once: each ns counts for the first of them in the order of StratEtAccount. So
 * communication that hides behind computation costs nothing, and what is left of it is exposed. The
 * accounts of a rank sum to the makespan.
 *
 * Whoever comes last to a collective, or sends late, is charged what the others waited for it: that
 * is where stragglers show. */
#include "strat_et_private.h"

const char *strat_et_account_name(StratEtAccount account)
{
    static const char *const names[STRAT_ET_ACCOUNTS] = {
        [STRAT_ET_ACCOUNT_COMPUTE] = "compute",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_ALL_REDUCE] = "exposed all-reduce",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_REDUCE] = "exposed reduce",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_ALL_GATHER] = "exposed all-gather",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_GATHER] = "exposed gather",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_SCATTER] = "exposed scatter",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_BROADCAST] = "exposed broadcast",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_ALL_TO_ALL] = "exposed all-to-all",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_REDUCE_SCATTER] = "exposed reduce-scatter",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_REDUCE_SCATTER_BLOCK] =
            "exposed reduce-scatter, blocks",
        [STRAT_ET_ACCOUNT_COLLECTIVE + STRAT_ET_BARRIER] = "exposed barrier",
        [STRAT_ET_ACCOUNT_SEND] = "exposed send and receive",
        [STRAT_ET_ACCOUNT_MEMORY] = "memory beyond the GPU",
        [STRAT_ET_ACCOUNT_WAIT] = "waiting for other ranks",
        [STRAT_ET_ACCOUNT_HOST] = "host and storage",
        [STRAT_ET_ACCOUNT_IDLE] = "idle",
    };
    return names[account];
}

/* An account of a rank begins (1) or ends (-1). */
typedef struct Change {
    SimTime at;
    int16_t account, by;
} Change;

typedef struct Books {
    const StratEtWork *work;
    StratEtResult *result;
    SimTime *came;   /* of each operation of the program: what it follows in its rank has ended */
    uint32_t *place; /* of each operation of the trace, in the program */
    GArray *changes; /* of Change: of the rank at hand */
} Books;

/* When each operation came. What a receive follows in its sender is no reason of its own. */
static void find_came(Books *books)
{
    const SimProgram *p = books->result->program;
    const SimRun *run = books->result->run;
    for (uint32_t i = 0; i < run->op_count; i++) {
        uint32_t count, rank = sim_program_op(p, i)->rank_class;
        const uint32_t *next = sim_program_successors(p, i, &count);
        for (uint32_t s = 0; s < count; s++)
            if (sim_program_op(p, next[s])->rank_class == rank)
                books->came[next[s]] = MAX(books->came[next[s]], run->end[i]);
    }
}

static void add(Books *books, int account, SimTime from, SimTime until)
{
    if (until <= from)
        return;
    const Change both[] = {
        {from,  (int16_t)account, 1 },
        {until, (int16_t)account, -1}
    };
    g_array_append_vals(books->changes, both, 2);
}

static void charge_late(Books *books, uint32_t rank, SimTime waited)
{
    if (waited > 0)
        books->result->rank[rank].late_ns += waited;
}

/* What the others waited for the member of @meeting that came last. */
static void charge_last(Books *books, const StratEtMeeting *meeting)
{
    const StratEtWork *work = books->work;
    uint32_t last = STRAT_ET_NONE;
    SimTime waited = 0, latest = -1;
    for (uint32_t i = 0; i < meeting->count; i++) {
        uint32_t op = g_array_index(work->members, uint32_t, meeting->first + i);
        SimTime came = books->came[books->place[op]];
        waited += books->result->run->start[books->place[op]] - came;
        if (came > latest)
            last = op;
        latest = MAX(latest, came);
    }
    charge_late(books, work->rank_of[last], waited);
}

static void add_op(Books *books, uint32_t i)
{
    const StratEtWork *work = books->work;
    const SimRun *run = books->result->run;
    uint32_t op = work->sequence[i];
    const StratEtNode *node = strat_et_op_node(work, op);
    SimTime start = run->start[i], end = run->end[i], came = books->came[i];
    if (node->kind == STRAT_ET_COLLECTIVE) {
        add(books, STRAT_ET_ACCOUNT_WAIT, came, start);
        add(books, STRAT_ET_ACCOUNT_COLLECTIVE + node->collective, start, end);
    } else if (node->kind == STRAT_ET_RECV) {
        const StratEtMeeting *meeting =
            &g_array_index(work->meetings, StratEtMeeting, work->meeting_of[op]);
        uint32_t send = g_array_index(work->members, uint32_t, meeting->first);
        SimTime sent = run->start[books->place[send]];
        add(books, STRAT_ET_ACCOUNT_WAIT, came, MIN(sent, end));
        add(books, STRAT_ET_ACCOUNT_SEND, MAX(came, sent), end);
        charge_late(books, work->rank_of[send], MIN(sent, end) - came);
    } else {
        add(books, sim_program_op(books->result->program, i)->bucket, start, end);
    }
    StratEtRankTime *rank = &books->result->rank[work->rank_of[op]];
    rank->end = MAX(rank->end, end);
}

static gint by_time(gconstpointer left, gconstpointer right)
{
    const Change *a = left, *b = right;
    return (a->at > b->at) - (a->at < b->at);
}

static void add_up(Books *books, StratEtRankTime *rank)
{
    int32_t in[STRAT_ET_ACCOUNTS] = {0};
    SimTime at = 0;
    g_array_sort(books->changes, by_time);
    for (guint c = 0; c <= books->changes->len; c++) {
        const Change *change = c < books->changes->len ? &g_array_index(books->changes, Change, c)
                                                       : &(Change){.at = books->result->makespan};
        if (change->at > at) {
            int account = 0;
            while (account < STRAT_ET_ACCOUNT_IDLE && in[account] == 0)
                account++;
            rank->ns[account] += change->at - at;
            at = change->at;
        }
        in[change->account] += change->by;
    }
    for (int a = 0; a < STRAT_ET_ACCOUNTS; a++)
        books->result->total_ns[a] += rank->ns[a];
}

/* Operations of the program rank by rank: those of rank r from first[r] to before first[r + 1]. */
static uint32_t *by_rank(const StratEtWork *work, uint32_t *first)
{
    uint32_t ranks = work->et->ranks->len;
    uint32_t *list = g_new(uint32_t, MAX(work->ops, 1));
    for (uint32_t r = 0; r <= ranks; r++)
        first[r] = work->base[r];
    for (uint32_t i = 0; i < work->ops; i++)
        list[first[work->rank_of[work->sequence[i]]]++] = i;
    for (uint32_t r = 0; r <= ranks; r++)
        first[r] = work->base[r];
    return list;
}

void strat_et_account(const StratEtWork *work, StratEtResult *result)
{
    g_autofree SimTime *came = g_new0(SimTime, MAX(work->ops, 1));
    g_autofree uint32_t *place = g_new(uint32_t, MAX(work->ops, 1));
    g_autofree uint32_t *first = g_new(uint32_t, work->et->ranks->len + 1);
    g_autofree uint32_t *list = by_rank(work, first);
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(Change));
    Books books = {work, result, came, place, changes};
    result->rank = g_new0(StratEtRankTime, MAX(work->et->ranks->len, 1));
    for (uint32_t i = 0; i < work->ops; i++)
        place[work->sequence[i]] = i;
    find_came(&books);
    for (guint m = 0; m < work->meetings->len; m++) {
        const StratEtMeeting *meeting = &g_array_index(work->meetings, StratEtMeeting, m);
        if (meeting->group != STRAT_ET_NONE)
            charge_last(&books, meeting);
    }
    for (guint r = 0; r < work->et->ranks->len; r++) {
        g_array_set_size(changes, 0);
        for (uint32_t i = first[r]; i < first[r + 1]; i++)
            add_op(&books, list[i]);
        add_up(&books, &result->rank[r]);
    }
}
