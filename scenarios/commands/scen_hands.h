/** The hands of a command: threads, or the threads of all processes that mpirun has started. */
#ifndef SCEN_HANDS_H
#define SCEN_HANDS_H

#include "scen_options.h"
#include "scen_ranks_farm.h"

/** A command's hands. */
typedef struct ScenHands {
    SimFarm farm;
    ScenRanksFarm *ranks; /* NULL: this process alone; owned */
} ScenHands;

/** Whether this process is one of several that a launcher of MPI has started, and not the first. It
 *  prints nothing and writes nothing. */
bool scen_hands_is_worker(void);

/** Opens @hands, @threads threads a process (0: one a processor; under mpirun one), for a command about
 *  the file @path. False and @error: started under mpirun and without MPI. Close in any case. */
bool scen_hands_open(ScenHands *hands, int threads, const char *path, GError **error);

/** Closes @hands: prints @error (NULL: there is none) and returns the status that it deserves, or
 *  @status. All processes return the status of the first. */
ScenExit scen_hands_close(ScenHands *hands, ScenExit status, const GError *error);

#endif
