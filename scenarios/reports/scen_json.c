/* JSON members by kind. json-glib keeps the order in which members are added, prints doubles with
 * %.17g and a decimal point in any locale, and escapes texts. It ends each number that has no point
 * with ".0", also those in powers of ten (json-glib 1.6, json-generator.c): 1e+18 comes out as
 * 1e+18.0, which is no JSON, so that is taken off again. */
#include "scen_json.h"

#include <math.h>

void scen_json_number(JsonBuilder *json, const char *key, double value)
{
    json_builder_set_member_name(json, key);
    if (isfinite(value))
        json_builder_add_double_value(json, value);
    else
        json_builder_add_null_value(json);
}

void scen_json_integer(JsonBuilder *json, const char *key, gint64 value)
{
    json_builder_set_member_name(json, key);
    json_builder_add_int_value(json, value);
}

void scen_json_boolean(JsonBuilder *json, const char *key, gboolean value)
{
    json_builder_set_member_name(json, key);
    json_builder_add_boolean_value(json, value);
}

void scen_json_text(JsonBuilder *json, const char *key, const char *value)
{
    if (!value)
        return;
    json_builder_set_member_name(json, key);
    json_builder_add_string_value(json, value);
}

char *scen_json_finish(JsonBuilder *json)
{
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_pretty(generator, TRUE);
    json_generator_set_root(generator, root);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    /* A number ends its line; a text that looks like one ends in a quote. */
    g_autoptr(GRegex) power = g_regex_new("(e[-+][0-9]+)\\.0(,?)$", G_REGEX_MULTILINE, 0, NULL);
    g_autofree char *mended = g_regex_replace(power, text, -1, 0, "\\1\\2", 0, NULL);
    return g_strconcat(mended, "\n", NULL);
}
