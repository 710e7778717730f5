/** The fabric that carries caches between the pools of a serving scenario. */
#ifndef SCEN_SERVE_FABRIC_H
#define SCEN_SERVE_FABRIC_H

#include "scen_scenario.h"
#include "strat_moves.h"

/** A built fabric; all zero: none. */
typedef struct ScenServeFabric {
    TopoFabric *fabric;
    TopoRouter *router;
    GArray *changes; /* of TopoLinkChange */
    StratMoveFabric moves;
} ScenServeFabric;

/** Builds what carries the caches of @scenario, if that is a fabric: it must outlive @out. False
 * and
 *  @error where it cannot be built or routed. Clear @out either way. */
bool scen_serve_fabric_open(ScenServeFabric *out, const ScenScenario *scenario, GError **error);

void scen_serve_fabric_clear(ScenServeFabric *out);

#endif
