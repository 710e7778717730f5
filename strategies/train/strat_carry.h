/** Running a program on the network of a scenario. */
#ifndef STRAT_CARRY_H
#define STRAT_CARRY_H

#include "sim_exec.h"
#include "strat_cost.h"

/** The transfers of a program; borrowed. */
typedef struct StratCarried {
    const GArray *transfers;  /* of TopoTransfer */
    const GArray *groups;     /* of TopoRanks, transfer by transfer */
    const GArray *group_ends; /* of uint32_t: where each transfer's groups end */
} StratCarried;

/** Runs @program, whose transfers @costing's network carries, on its fabric where it has one that the
 *  network reads; ranks are on @costing's gpu_of_rank. @hot_links (an array to be freed) receives
 *  the worst links (TopoHotLink), with their waiters named, NULL where the net keeps no books.
 *  NULL and @error as topo_net_run() and topo_fabric_new(). */
SimRun *strat_carry(const StratCosting *costing, const SimProgram *program,
                    const StratCarried *carried, GArray **hot_links, GError **error);

#endif
