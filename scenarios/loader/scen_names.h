/** Helping with names: which ones there are, and which one was probably meant. */
#ifndef SCEN_NAMES_H
#define SCEN_NAMES_H

#include <glib.h>

/** The name of @known (an array of const char *) nearest to @name: of small edit distance, or
 *  starting like it. NULL when nothing is near. */
const char *scen_names_nearest(const char *name, const GPtrArray *known);

/** ", did you mean 'x'? Known: a, b, c" for an unknown @name. The caller owns it. */
char *scen_names_advice(const char *name, const GPtrArray *known);

#endif
