/** An execution trace as a scenario names it. */
#ifndef SCEN_ET_SECTION_H
#define SCEN_ET_SECTION_H

#include "strat_et_replay.h"

typedef struct ScenEtSection {
    bool is_on;         /* the scenario has `execution_trace:` */
    GPtrArray *files;   /* of const char *: one a rank, or one pattern with %d; owned */
    int64_t ranks;      /* of a pattern; 0: as many as there are files from 0 on */
    const char *groups; /* file of process groups; NULL: none */
    GArray *dimensions; /* of double, whole: ranks along each; NULL: not given; owned */
    const char *algorithm;
    StratEtPlan plan; /* its algorithm is that of the name */
} ScenEtSection;

/** The file of each rank, to be freed with g_strfreev(). NULL and @error when there is none. */
char **scen_et_paths(const ScenEtSection *section, GError **error);

/** Frees what @section owns. */
void scen_et_section_clear(ScenEtSection *section);

#endif
