/** A farm whose hands are the threads of several processes. */
#ifndef SCEN_RANKS_FARM_H
#define SCEN_RANKS_FARM_H

#include "scen_ranks.h"
#include "sim_farm.h"

typedef struct ScenRanksFarm ScenRanksFarm;

/** How patient processes are with each other. */
typedef struct ScenPatience {
    double silence_s; /* a worker with tasks that is not heard of for so long has died */
    double goodbye_s; /* the same at the end */
    double leader_s;  /* a worker waits so long for a leader that says nothing */
} ScenPatience;

/** The usual patience. */
ScenPatience scen_patience(void);

/** A farm of all @ranks, @threads threads each. Workers whose @known, a text, is not the leader's are
 *  left out: they would do other tasks. The leader tells @say of each worker that it goes on
 *  without. Takes @ranks. End it with scen_ranks_farm_end(). */
ScenRanksFarm *scen_ranks_farm_new(ScenRanks *ranks, int64_t threads, const char *known,
                                   ScenPatience patience, void (*say)(const char *text));

/** Its farm; borrows. */
SimFarm scen_ranks_farm_of(ScenRanksFarm *farm);

/** Ends the processes with one status, that of the leader, which is returned: @status there. A worker
 *  gives @why as the reason why it could not go on; NULL: it could. Frees @farm. */
int scen_ranks_farm_end(ScenRanksFarm *farm, int status, const char *why);

#endif
