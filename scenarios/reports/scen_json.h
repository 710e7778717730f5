/** Writing JSON: what json-glib leaves to its callers. */
#ifndef SCEN_JSON_H
#define SCEN_JSON_H

#include <json-glib/json-glib.h>

/** Members of the object at hand. A number is written with 17 digits, so that it reads back as it
 *  was; NaN and infinity as null. A NULL @value leaves a text out. */
void scen_json_number(JsonBuilder *json, const char *key, double value);
void scen_json_integer(JsonBuilder *json, const char *key, gint64 value);
void scen_json_boolean(JsonBuilder *json, const char *key, gboolean value);
void scen_json_text(JsonBuilder *json, const char *key, const char *value);

/** The finished document, indented, with a newline at its end. The caller owns it. */
char *scen_json_finish(JsonBuilder *json);

#endif
