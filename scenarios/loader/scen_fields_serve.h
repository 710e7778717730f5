/** The groups of a profile that hold the kernels of serving; each fills a KernProfile. */
#ifndef SCEN_FIELDS_SERVE_H
#define SCEN_FIELDS_SERVE_H

#include "scen_bind.h"

extern const ScenTable scen_prefills_table;
extern const ScenTable scen_decodes_table;
extern const ScenTable scen_moes_table;

#endif
