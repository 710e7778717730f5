/** Models from a Hugging Face config.json. */
#ifndef SCEN_HUGGING_FACE_H
#define SCEN_HUGGING_FACE_H

#include "scen_bind.h"

/** The map of model keys that the configuration at @path (a scalar node; relative to the binder's
 *  folder) amounts to. NULL and errors when it cannot be read or is of an unknown family. */
const ScenNode *scen_hugging_face_read(ScenBinder *binder, const ScenNode *path);

/** The same of @length bytes of JSON @text, which marks call @name. What is not modelled of it, and
 *  keys that are not known, are added to @notes (of char *, owned by it; may be NULL). */
const ScenNode *scen_hugging_face_parse(ScenPool *pool, ScenErrors *errors, const char *name,
                                        const char *text, size_t length, GPtrArray *notes);

#endif
