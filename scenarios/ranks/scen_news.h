/** What the processes of a farm tell each other. */
#ifndef SCEN_NEWS_H
#define SCEN_NEWS_H

#include "scen_ranks.h"
#include "sim_crew.h"

typedef enum ScenNewsKind {
    SCEN_NEWS_READY, /* worker: waits for tasks of the epoch; the data is its name, what it knows */
    SCEN_NEWS_TASKS, /* leader: do @count tasks from @first on */
    SCEN_NEWS_DONE,  /* worker: results */
    SCEN_NEWS_ALIVE, /* worker: still at it */
    SCEN_NEWS_OVER,  /* leader: no more tasks of the epoch; results that all take */
    SCEN_NEWS_FAILED, /* worker: cannot go on; the data says why */
    SCEN_NEWS_EXIT,   /* leader: end with status @first */
    SCEN_NEWS_BYE,    /* worker: ends */
} ScenNewsKind;

/** A piece of news. An epoch is one call of sim_farm_run(), counted from 1. */
typedef struct ScenNews {
    ScenNewsKind kind;
    int from;
    int64_t epoch, first, count;
    const guint8 *data; /* in @bytes */
    size_t size;
    GBytes *bytes; /* owned */
} ScenNews;

/** Sends @news (from and bytes are left out) to rank @to. */
void scen_news_send(ScenRanks *ranks, int to, const ScenNews *news);

/** The next piece of news into @news, to be freed with scen_news_clear(); false: there is none. */
bool scen_news_receive(ScenRanks *ranks, ScenNews *news);
void scen_news_clear(ScenNews *news);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ScenNews, scen_news_clear)

/** Appends a result to a list of results: its task, its seconds, its bytes (NULL: none). */
void scen_results_add(GByteArray *list, int64_t task, double spent_s, GBytes *bytes);

/** The first result of @data, *@size bytes, which are stepped past it; NULL: there is none. Free
 *  with sim_done_free(). */
SimDone *scen_results_next(const guint8 **data, size_t *size);

#endif
