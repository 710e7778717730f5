/** Rules of the plan's memory levers: recomputation of some layers. */
#ifndef SCEN_CHECK_LEVERS_H
#define SCEN_CHECK_LEVERS_H

#include "scen_scenario.h"

#include <glib.h>

struct Check;

/** Reports that the value at @path breaks the rule @format. */
typedef void (*ScenCheckFail)(const struct Check *check, const char *path, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** Holds the levers of @scenario's plan to its layers and to each other; @check goes to @fail. */
void scen_check_levers(const ScenScenario *scenario, const struct Check *check, ScenCheckFail fail);

#endif
