/* News as bytes: a head of numbers, then data. All processes run the same program on machines of one
 * kind, so numbers travel as they lie in memory. */
#include "scen_news.h"

#include <string.h>

typedef struct Head {
    int64_t kind, epoch, first, count;
} Head;

typedef struct ResultHead {
    int64_t task, size; /* size < 0: no bytes */
    double spent_s;
} ResultHead;

void scen_news_send(ScenRanks *ranks, int to, const ScenNews *news)
{
    Head head = {(int64_t)news->kind, news->epoch, news->first, news->count};
    GByteArray *all = g_byte_array_sized_new((guint)(sizeof head + news->size));
    g_byte_array_append(all, (const guint8 *)&head, sizeof head);
    if (news->size > 0)
        g_byte_array_append(all, news->data, (guint)news->size);
    g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(all);
    ranks->send(ranks, to, bytes);
}

bool scen_news_receive(ScenRanks *ranks, ScenNews *news)
{
    int from = 0;
    GBytes *bytes = ranks->receive(ranks, &from);
    if (!bytes)
        return false;
    Head head;
    size_t size = 0;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    g_assert(size >= sizeof head);
    memcpy(&head, data, sizeof head);
    *news = (ScenNews){
        .kind = (ScenNewsKind)head.kind,
        .from = from,
        .epoch = head.epoch,
        .first = head.first,
        .count = head.count,
        .data = data + sizeof head,
        .size = size - sizeof head,
        .bytes = bytes,
    };
    return true;
}

void scen_news_clear(ScenNews *news)
{
    g_clear_pointer(&news->bytes, g_bytes_unref);
}

void scen_results_add(GByteArray *list, int64_t task, double spent_s, GBytes *bytes)
{
    ResultHead head = {task, bytes ? (int64_t)g_bytes_get_size(bytes) : -1, spent_s};
    g_byte_array_append(list, (const guint8 *)&head, sizeof head);
    if (head.size > 0)
        g_byte_array_append(list, g_bytes_get_data(bytes, NULL), (guint)head.size);
}

SimDone *scen_results_next(const guint8 **data, size_t *size)
{
    ResultHead head;
    if (*size < sizeof head)
        return NULL;
    memcpy(&head, *data, sizeof head);
    SimDone *done = g_new0(SimDone, 1);
    done->task = head.task;
    done->spent_s = head.spent_s;
    if (head.size >= 0)
        done->bytes = g_bytes_new(*data + sizeof head, (gsize)head.size);
    size_t step = sizeof head + (size_t)MAX(head.size, 0);
    *data += step;
    *size -= step;
    return done;
}
