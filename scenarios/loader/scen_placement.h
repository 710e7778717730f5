/** Where a job's ranks run, as a scenario says it. */
#ifndef SCEN_PLACEMENT_H
#define SCEN_PLACEMENT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** Zero: the scenario says nothing. */
typedef struct ScenPlacement {
    const char *kind; /* row of topo_placement_all(); NULL: the default */
    GArray *gpus;     /* of double, whole; custom: the slot of each rank. Or NULL */
    GArray *nodes;    /* likewise: the node of each so many ranks */
} ScenPlacement;

/** Frees the lists of @placement. */
void scen_placement_clear(ScenPlacement *placement);

#endif
