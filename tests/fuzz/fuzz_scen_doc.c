/* Fuzzes the whole way from YAML text to a checked scenario: reader, overrides, sections, binder,
 * checks. The first line of the input, when it holds a '=', is an override and no YAML. Whatever
 * comes in, the answer is a scenario or an error with a message; never a crash, a leak or a hang.
 */
#include "scen_load.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *newline = size ? memchr(text, '\n', size) : NULL;
    g_autofree char *first = newline ? g_strndup(text, (size_t)(newline - text)) : NULL;
    bool overrides = first && strchr(first, '=');
    const char *list[] = {overrides ? first : NULL, NULL};
    size_t skip = overrides ? (size_t)(newline - text) + 1 : 0;
    ScenLoadOptions options = {.overrides = list, .data_dir = "/nonexistent"};
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario =
        scen_scenario_parse("fuzz.yaml", text + skip, size - skip, &options, &error);
    g_assert((scenario != NULL) == (error == NULL));
    g_assert(scenario || error->message[0] != '\0');
    return 0;
}
