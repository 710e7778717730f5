/** The scale-out network as a scenario describes it. */
#ifndef SCEN_FABRIC_H
#define SCEN_FABRIC_H

#include <stdint.h>

/** A field that is 0 was left out: the fabric's default for the cluster stands. */
typedef struct ScenFabric {
    const char *kind;    /* row of topo_fabric_all(); NULL: the scenario says nothing */
    const char *routing; /* row of topo_route_all() */
    int64_t radix;
    double leaf_oversubscription;
    double spine_oversubscription;
    int64_t nics_per_leaf;
    int64_t leaves_per_pod;
    int64_t pods;
    double leaf_length_m;
    double spine_length_m;
    double core_length_m;
} ScenFabric;

#endif
