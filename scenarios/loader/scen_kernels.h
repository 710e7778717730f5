/** The kernels of a scenario: a profile, and measured tables that are asked before it. */
#ifndef SCEN_KERNELS_H
#define SCEN_KERNELS_H

#include "scen_bind.h"

#define SCEN_TABLE_EXPECTED                                                                        \
    "the path of a CSV file, a map {file: PATH, model: NAME, tensor: RANKS}, or a list of these"

/** The same for programs. */
extern const ScenForm scen_table_forms[];

/** Binds `table:` of a profile: reads the files and makes the index (KernTable *, for whoever frees
 *  the profile). */
bool scen_table_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot);

/** Takes `kernels:` over, without binding it yet, where it has a table and leaves the profile to
 * the GPU: what that is comes out when all is bound. */
bool scen_kernels_defer(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                        void *slot);

/** Binds what `kernels:` of the scenario @map left to the GPU, whose profile is called @name (NULL:
 *  it has none), to @profile (KernProfile). */
void scen_kernels_finish(ScenBinder *binder, const ScenNode *map, const char *name, void *profile);

/** Binds the profile @name of the GPU of a cluster's second kind of nodes to @profile (KernProfile).
 */
void scen_kernels_of_mixed(ScenBinder *binder, const ScenNode *map, const char *name,
                           void *profile);

#endif
