/** Loading with everything adjustable: for tests, sweeps, and scenarios written by programs. */
#ifndef SCEN_LOAD_H
#define SCEN_LOAD_H

#include "scen_catalog.h"
#include "scen_scenario.h"

typedef struct ScenLoadOptions {
    const char *const *overrides; /* NULL-terminated "a.b=c" texts, may be NULL */
    ScenShelf *shelf;             /* catalogs that other loads share; NULL: read anew */
    const char *data_dir;         /* catalogs; NULL: scen_data_folder() */
} ScenLoadOptions;

/** As scen_scenario_load(). */
ScenScenario *scen_scenario_load_with(const char *path, const ScenLoadOptions *options,
                                      GError **error);

/** The same from the tree @root, whose nodes outlive the call; NULL: there is none, and @errors says
 *  why. Nodes that it makes go to @pool. */
ScenScenario *scen_scenario_load_tree(const char *path, ScenPool *pool, const ScenNode *root,
                                      const ScenLoadOptions *options, ScenErrors *errors,
                                      GError **error);

/** The same from @length bytes of YAML (or JSON, which is YAML) @text in memory; @name is what
 *  messages call it, and relative paths start at its folder. */
ScenScenario *scen_scenario_parse(const char *name, const char *text, size_t length,
                                  const ScenLoadOptions *options, GError **error);

#endif
