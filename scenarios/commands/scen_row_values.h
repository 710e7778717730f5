/** Values of a JSON row, whatever types they turn out to have. */
#ifndef SCEN_ROW_VALUES_H
#define SCEN_ROW_VALUES_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

/** Is @key of @object (may be NULL) there, and not null? */
bool scen_row_has(JsonObject *object, const char *key);

/** The value of @key, or @fallback when it is absent or null. One of another type gives the
 *  fallback too, and the first such is told in *@fault ("'tp' must be a whole number"), which the
 *  caller frees. Texts and objects are borrowed from @object. */
double scen_row_number(JsonObject *object, const char *key, double fallback, char **fault);
int64_t scen_row_integer(JsonObject *object, const char *key, int64_t fallback, char **fault);
bool scen_row_flag(JsonObject *object, const char *key, bool fallback, char **fault);
const char *scen_row_text(JsonObject *object, const char *key, const char *fallback, char **fault);
JsonObject *scen_row_object(JsonObject *object, const char *key, char **fault);

/** NICs of a node, where @said counts them as "4x HDR200 InfiniBand" does; @gpus where it does not.
 */
int64_t scen_row_nics(const char *said, int64_t gpus);

#endif
