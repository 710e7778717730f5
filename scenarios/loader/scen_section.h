/** Sections: parts of a scenario that are a catalog name, a map, or a row refined by a map. */
#ifndef SCEN_SECTION_H
#define SCEN_SECTION_H

#include "scen_bind.h"

/** The full map that @node stands for, a section by @table: `NAME`; or a map, laid over the row
 * that its `base: NAME` names or over the configuration that its `hugging_face: PATH` names. Key
 * `name` says which. NULL and errors when a name is unknown or bases go round. */
const ScenNode *scen_section_resolve(ScenBinder *binder, const ScenTable *table,
                                     const ScenNode *node);

#endif
