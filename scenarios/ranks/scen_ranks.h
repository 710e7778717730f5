/** Messages between the processes of one job: what a farm over many machines is made of. A table of
 *  functions, so that the program knows no MPI and a test can bring its own. */
#ifndef SCEN_RANKS_H
#define SCEN_RANKS_H

#include <glib.h>
#include <stdbool.h>

/** One process' place among the others. Rank 0 leads. */
typedef struct ScenRanks {
    int rank, count;
    /** Sends @bytes to rank @to. Never waits; messages from one rank to another keep their order.
     *  What is sent to a process that has died is lost. */
    void (*send)(struct ScenRanks *ranks, int to, GBytes *bytes);
    /** A message that has come, the caller's, and who sent it; NULL: there is none. Never waits. */
    GBytes *(*receive)(struct ScenRanks *ranks, int *from);
    /** Ends it and frees @ranks. @all: every process does so, and they may wait for each other;
     *  else this one must be able to go without the others. */
    void (*close)(struct ScenRanks *ranks, bool all);
} ScenRanks;

/** What a module of messages has: joins the other processes. NULL and @error: it cannot. */
typedef ScenRanks *(*ScenRanksOpen)(GError **error);

/** The name of that function. */
#define SCEN_RANKS_OPEN "scen_mpi_open"

#endif
