/* `orrery man`: the manual page. */
#include "scen_manual.h"

ScenExit scen_cmd_man(const ScenCommand *commands, size_t count, int argc, char **argv)
{
    static const ScenUsage usage = {
        .command = "man",
        .arguments = "",
        .summary =
            "Prints the manual page orrery(1) in roff: orrery man >orrery.1; man -l orrery.1.",
    };
    (void)argc;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {0                },
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (rest)
        return scen_options_wrong(&usage, "takes no argument, not '%s'", rest[0]);
    scen_manual_print(commands, count);
    return SCEN_EXIT_OK;
}
