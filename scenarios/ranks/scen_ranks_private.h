/** What the leader's and the workers' half of a farm of ranks share. */
#ifndef SCEN_RANKS_PRIVATE_H
#define SCEN_RANKS_PRIVATE_H

#include "scen_news.h"
#include "scen_ranks_farm.h"

/** A worker, as the leader sees it. */
typedef struct ScenPeer {
    int64_t ready;     /* epoch that it is ready for; 0: none yet */
    int64_t under_way; /* tasks that it has */
    GQueue ranges;     /* of ScenTasks that it was given in this epoch; owned */
    double task_s;     /* what a task takes it, lately; 0: unknown */
    gint64 heard_us;   /* when it was heard of last, of the monotonic clock; 0: never */
    bool is_out;       /* gets no more tasks */
    bool is_gone;      /* has died, or has said good-bye */
    bool has_died;
} ScenPeer;

/** Tasks @first .. @first + @count - 1. */
typedef struct ScenTasks {
    int64_t first, count;
} ScenTasks;

struct ScenRanksFarm {
    ScenRanks *ranks; /* owned */
    ScenPeer *peer;   /* of each rank, the leader's unused; owned */
    char *known;      /* owned */
    int64_t threads, epoch;
    ScenPatience patience;
    void (*say)(const char *text);
    bool is_dismissed; /* a worker that the leader has sent away, with @status */
    bool all_live;     /* and whether nobody had died by then */
    int status;
    int launcher;    /* the process that started this one */
    gint64 heard_us; /* a worker: when the leader was heard of last */
};

enum {
    SCEN_PAUSE_LEAST_US = 50, /* between two looks at an empty letter box */
    SCEN_PAUSE_MOST_US = 1000,
};

/** The leader's and a worker's sim_farm_run(). */
bool scen_ranks_lead(const SimFarm *farm, const SimFarmJob *job, GError **error);
bool scen_ranks_work(const SimFarm *farm, const SimFarmJob *job, GError **error);

/** The leader: takes notice of @news, whatever it is of. Tasks of a peer that turns out to be out are
 *  left in its ranges. */
void scen_ranks_hear(ScenRanksFarm *farm, const ScenNews *news);

/** The leader: goes on without the worker @rank, and says why. */
void scen_ranks_leave_out(ScenRanksFarm *farm, int rank, const char *why);

/** The leader: a worker with something to do that is not heard of for @silence_s has died. */
void scen_ranks_find_dead(ScenRanksFarm *farm, double silence_s);

/** A worker: the next of @news, as scen_news_receive(). It is sent away when the leader says so, says
 *  nothing for too long, or when the process is gone that started this one. */
bool scen_ranks_listen(ScenRanksFarm *farm, ScenNews *news);

#endif
