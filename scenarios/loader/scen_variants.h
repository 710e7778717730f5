/** One scenario file, loaded many times with other overrides: parsed once, catalogs read once. */
#ifndef SCEN_VARIANTS_H
#define SCEN_VARIANTS_H

#include "scen_scenario.h"

typedef struct ScenVariants ScenVariants;

/** Reads @path and lays @sets (NULL-terminated "a.b=c" texts, may be NULL) over it. NULL and @error
 *  as scen_scenario_load(). */
ScenVariants *scen_variants_new(const char *path, const char *const *sets, GError **error);
void scen_variants_free(ScenVariants *variants);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenVariants, scen_variants_free)

/** The scenario as it is written, with its sweep. Borrowed. */
const ScenScenario *scen_variants_base(const ScenVariants *variants);

/** The scenario with @overrides laid over as well, and without its sweep; from any thread. NULL and
 *  @error as scen_scenario_load(); free with scen_scenario_free(), before @variants. The SHA-256 of
 *  what is then written, without comments, goes to @digest (NULL: not wanted), also on failure. The
 *  caller frees that. */
ScenScenario *scen_variants_load(const ScenVariants *variants, const char *const *overrides,
                                 char **digest, GError **error);

/** What is written, with the sweep, on one line of YAML, without comments. The caller owns it. */
char *scen_variants_text(const ScenVariants *variants);

#endif
