/** Models from a Hugging Face config.json. */
#ifndef SCEN_HUGGING_FACE_H
#define SCEN_HUGGING_FACE_H

#include "scen_bind.h"

/** The map of model keys that the configuration at @path (a scalar node; relative to the binder's
 *  folder) amounts to. NULL and errors when it cannot be read or is of an unknown family. */
const ScenNode *scen_hugging_face_read(ScenBinder *binder, const ScenNode *path);

#endif
