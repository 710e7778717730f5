/* Who meets whom.
 *
 * The k-th collective that a rank runs in a group meets the k-th of every other member, as in NCCL,
 * where calls meet in the order in which they are made; the order is that of strat_et_order.c. The
 * k-th send from a rank to another with a tag meets the k-th receive there. Members agree on what
 * they run and how much; where shares may be uneven (all-to-all, gather, scatter) the largest
 * counts.
 *
 * Communication keeps its order in a stream each: one a group, and one a peer in each direction. */
#include "strat_et_private.h"

#define I64U "%" G_GUINT64_FORMAT

/* Sends and receives of one direction between two ranks with one tag. */
typedef struct Channel {
    uint32_t from, to, tag;
    GArray *sends, *receives; /* of uint32_t: operations */
} Channel;

typedef struct Match {
    StratEtWork *work;
    GArray **of_group;    /* of each group, of uint32_t: its meetings so far */
    GHashTable *channels; /* of Channel, by itself; looked up, never iterated */
    GPtrArray *in_order;  /* of Channel, as they came */
    /* Of the rank at hand. */
    uint32_t rank;
    GHashTable *streams; /* key to number */
    GArray *last;        /* of uint32_t: the last operation of each stream */
    GHashTable *run;     /* group to collectives so far */
} Match;

char *strat_et_op_describe(const StratEtWork *work, uint32_t op)
{
    uint32_t rank = work->rank_of[op];
    return strat_et_describe(work->et, rank, op - work->base[rank]);
}

static bool fail(const StratEtWork *work, uint32_t op, GError **error, const char *text)
{
    uint32_t rank = work->rank_of[op];
    return strat_et_fail(work->et, rank, op - work->base[rank], error, "%s", text);
}

static guint channel_hash(gconstpointer data)
{
    const Channel *c = data;
    return (c->from * 31 + c->to) * 31 + c->tag;
}

static gboolean channel_equal(gconstpointer left, gconstpointer right)
{
    const Channel *a = left, *b = right;
    return a->from == b->from && a->to == b->to && a->tag == b->tag;
}

static void channel_free(gpointer data)
{
    Channel *channel = data;
    g_array_unref(channel->sends);
    g_array_unref(channel->receives);
    g_free(channel);
}

static Channel *channel_at(Match *match, uint32_t from, uint32_t to, uint32_t tag)
{
    Channel key = {.from = from, .to = to, .tag = tag};
    Channel *channel = g_hash_table_lookup(match->channels, &key);
    if (channel)
        return channel;
    channel = g_memdup2(&key, sizeof key);
    channel->sends = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    channel->receives = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_hash_table_add(match->channels, channel);
    g_ptr_array_add(match->in_order, channel);
    return channel;
}

/* Puts @op at the end of its stream of communication. */
static void queue_up(Match *match, uint32_t op, const StratEtNode *node)
{
    StratEtWork *work = match->work;
    bool is_collective = node->kind == STRAT_ET_COLLECTIVE;
    gsize which = is_collective ? node->comm.group : node->comm.peer;
    gpointer key = GSIZE_TO_POINTER((gsize)node->kind << 32 | which);
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(match->streams, key));
    if (known == 0) {
        const StratEtGroup *groups = (const StratEtGroup *)(void *)work->et->groups->data;
        char *name = is_collective                 ? g_strdup_printf("group %s", groups[which].name)
                     : node->kind == STRAT_ET_SEND ? g_strdup_printf("to rank %u", (guint)which)
                                                   : g_strdup_printf("from rank %u", (guint)which);
        uint32_t nobody = STRAT_ET_NONE;
        g_ptr_array_add(work->streams[match->rank], name);
        g_array_append_val(match->last, nobody);
        known = match->last->len;
        g_hash_table_insert(match->streams, key, GUINT_TO_POINTER(known));
    }
    uint32_t *last = &g_array_index(match->last, uint32_t, known - 1);
    work->before[op] = *last;
    work->stream[op] = STRAT_ET_STREAMS + known - 1;
    *last = op;
}

/* Whether members of @collective may give unlike sizes. */
static bool is_uneven(uint8_t collective)
{
    return collective == STRAT_ET_ALL_TO_ALL || collective == STRAT_ET_GATHER ||
           collective == STRAT_ET_SCATTER;
}

static bool disagree(const StratEtWork *work, uint32_t op, uint32_t other, guint number,
                     GError **error)
{
    const StratEtNode *a = strat_et_op_node(work, op), *b = strat_et_op_node(work, other);
    const StratEtGroup *group = &g_array_index(work->et->groups, StratEtGroup, a->comm.group);
    g_autofree char *who = strat_et_op_describe(work, other);
    g_autofree char *text = g_strdup_printf(
        "collective %u of group '%s' is an %s of " I64U " bytes here, of %s an %s of " I64U
        " bytes",
        number, group->name, strat_et_collective_name((StratEtCollective)a->collective),
        a->comm.bytes, who, strat_et_collective_name((StratEtCollective)b->collective),
        b->comm.bytes);
    return fail(work, op, error, text);
}

static uint32_t place_in(const StratEtGroup *group, uint32_t rank)
{
    uint32_t low = 0, high = group->count;
    while (low + 1 < high) {
        uint32_t middle = (low + high) / 2;
        if (group->ranks[middle] <= rank)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t meeting_new(StratEtWork *work, uint32_t group, uint32_t count)
{
    StratEtMeeting meeting = {.first = work->members->len, .count = count, .group = group};
    uint32_t nobody = STRAT_ET_NONE;
    for (uint32_t i = 0; i < count; i++)
        g_array_append_val(work->members, nobody);
    g_array_append_val(work->meetings, meeting);
    return work->meetings->len - 1;
}

static bool join_collective(Match *match, uint32_t op, const StratEtNode *node, GError **error)
{
    StratEtWork *work = match->work;
    uint32_t group = node->comm.group;
    const StratEtGroup *of = &g_array_index(work->et->groups, StratEtGroup, group);
    gpointer key = GUINT_TO_POINTER(group);
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(match->run, key));
    g_hash_table_insert(match->run, key, GUINT_TO_POINTER(number + 1));
    GArray *meetings = match->of_group[group];
    if (number == meetings->len) {
        uint32_t made = meeting_new(work, group, of->count);
        g_array_append_val(meetings, made);
    }
    uint32_t index = g_array_index(meetings, uint32_t, number);
    StratEtMeeting *meeting = &g_array_index(work->meetings, StratEtMeeting, index);
    uint32_t *members = &g_array_index(work->members, uint32_t, meeting->first);
    for (uint32_t i = 0; i < of->count; i++) {
        if (members[i] == STRAT_ET_NONE)
            continue;
        const StratEtNode *other = strat_et_op_node(work, members[i]);
        if (other->collective != node->collective ||
            (!is_uneven(node->collective) && other->comm.bytes != node->comm.bytes))
            return disagree(work, op, members[i], number + 1, error);
        break;
    }
    members[place_in(of, match->rank)] = op;
    meeting->bytes = MAX(meeting->bytes, node->comm.bytes);
    work->meeting_of[op] = index;
    return true;
}

static bool join_send(Match *match, uint32_t op, const StratEtNode *node, GError **error)
{
    const StratEt *et = match->work->et;
    bool sends = node->kind == STRAT_ET_SEND;
    uint32_t peer = node->comm.peer, own = match->rank;
    if (peer >= et->ranks->len || peer == own) {
        g_autofree char *text =
            g_strdup_printf("%s rank %u, of ranks 0 to %u and not itself",
                            sends ? "sends to" : "receives from", peer, et->ranks->len - 1);
        return fail(match->work, op, error, text);
    }
    Channel *channel = channel_at(match, sends ? own : peer, sends ? peer : own, node->comm.tag);
    g_array_append_val(sends ? channel->sends : channel->receives, op);
    return true;
}

static bool match_rank(Match *match, uint32_t rank, GError **error)
{
    StratEtWork *work = match->work;
    const StratEtRank *of = g_ptr_array_index(work->et->ranks, rank);
    match->rank = rank;
    g_hash_table_remove_all(match->streams);
    g_hash_table_remove_all(match->run);
    g_array_set_size(match->last, 0);
    for (guint i = 0; i < of->nodes->len; i++) {
        uint32_t op = work->base[rank] + of->order[i];
        const StratEtNode *node = strat_et_node(of, of->order[i]);
        bool is_collective = node->kind == STRAT_ET_COLLECTIVE;
        if (!is_collective && node->kind != STRAT_ET_SEND && node->kind != STRAT_ET_RECV) {
            work->stream[op] = node->kind == STRAT_ET_MEMORY ? STRAT_ET_STREAM_MEMORY
                               : node->kind == STRAT_ET_COMPUTE && !node->on_host
                                   ? STRAT_ET_STREAM_COMPUTE
                                   : STRAT_ET_STREAM_HOST;
            continue;
        }
        queue_up(match, op, node);
        if (!(is_collective ? join_collective(match, op, node, error)
                            : join_send(match, op, node, error)))
            return false;
    }
    return true;
}

/* Every member must have come to every collective of its group. */
static bool check_complete(const StratEtWork *work, GError **error)
{
    for (guint m = 0; m < work->meetings->len; m++) {
        const StratEtMeeting *meeting = &g_array_index(work->meetings, StratEtMeeting, m);
        const uint32_t *members = &g_array_index(work->members, uint32_t, meeting->first);
        const StratEtGroup *group = &g_array_index(work->et->groups, StratEtGroup, meeting->group);
        uint32_t here = STRAT_ET_NONE;
        g_autoptr(GString) absent = g_string_new(NULL);
        guint missing = 0;
        for (uint32_t i = 0; i < meeting->count; i++) {
            if (members[i] != STRAT_ET_NONE)
                here = members[i];
            else if (missing++ < 8)
                g_string_append_printf(absent, " %u", group->ranks[i]);
        }
        if (missing == 0)
            continue;
        g_autofree char *text = g_strdup_printf(
            "its collective in group '%s' has %u members, of which %u never run it: rank%s%s%s",
            group->name, meeting->count, missing, missing > 1 ? "s" : "", absent->str,
            missing > 8 ? " ..." : "");
        return fail(work, here, error, text);
    }
    return true;
}

static bool pair_up(Match *match, const Channel *channel, GError **error)
{
    StratEtWork *work = match->work;
    const GArray *sends = channel->sends, *receives = channel->receives;
    guint both = MIN(sends->len, receives->len);
    if (sends->len != receives->len) {
        const GArray *longer = sends->len > both ? sends : receives;
        g_autofree char *text = g_strdup_printf(
            "nobody %s it: from rank %u to rank %u with tag %u are %u sends and %u receives",
            sends->len > both ? "receives" : "sends", channel->from, channel->to, channel->tag,
            sends->len, receives->len);
        return fail(work, g_array_index(longer, uint32_t, both), error, text);
    }
    for (guint i = 0; i < both; i++) {
        uint32_t send = g_array_index(sends, uint32_t, i);
        uint32_t receive = g_array_index(receives, uint32_t, i);
        uint64_t bytes = strat_et_op_node(work, send)->comm.bytes;
        if (bytes != strat_et_op_node(work, receive)->comm.bytes) {
            g_autofree char *who = strat_et_op_describe(work, receive);
            g_autofree char *text =
                g_strdup_printf("sends " I64U " bytes, of which %s receives " I64U, bytes, who,
                                strat_et_op_node(work, receive)->comm.bytes);
            return fail(work, send, error, text);
        }
        uint32_t index = meeting_new(work, STRAT_ET_NONE, 2);
        StratEtMeeting *meeting = &g_array_index(work->meetings, StratEtMeeting, index);
        meeting->bytes = bytes;
        g_array_index(work->members, uint32_t, meeting->first) = send;
        g_array_index(work->members, uint32_t, meeting->first + 1) = receive;
        work->meeting_of[send] = work->meeting_of[receive] = index;
    }
    return true;
}

static bool match_all(Match *match, GError **error)
{
    const StratEt *et = match->work->et;
    for (uint32_t r = 0; r < et->ranks->len; r++)
        if (!match_rank(match, r, error))
            return false;
    if (!check_complete(match->work, error))
        return false;
    for (guint i = 0; i < match->in_order->len; i++)
        if (!pair_up(match, g_ptr_array_index(match->in_order, i), error))
            return false;
    return true;
}

bool strat_et_match(StratEtWork *work, GError **error)
{
    guint groups = work->et->groups->len;
    Match match = {
        .work = work,
        .of_group = g_new(GArray *, MAX(groups, 1)),
        .channels = g_hash_table_new(channel_hash, channel_equal),
        .in_order = g_ptr_array_new_with_free_func(channel_free),
        .streams = g_hash_table_new(NULL, NULL),
        .last = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .run = g_hash_table_new(NULL, NULL),
    };
    for (guint g = 0; g < groups; g++)
        match.of_group[g] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    bool matched = match_all(&match, error);
    for (guint g = 0; g < groups; g++)
        g_array_unref(match.of_group[g]);
    g_free(match.of_group);
    g_hash_table_unref(match.channels);
    g_ptr_array_unref(match.in_order);
    g_hash_table_unref(match.streams);
    g_array_unref(match.last);
    g_hash_table_unref(match.run);
    return matched;
}
