/* The program: finds the command and hands it the rest of the line. */
#include "scen_cmd.h"

#include <glib.h>
#include <locale.h>
#include <stdio.h>

static const struct {
    const char *name, *help;
    ScenCommandFunc run;
} commands[] = {
    {"validate", "v",                                                           scen_cmd_validate},
    {"fit",      "turn kernel measurements into coefficients with their error", scen_cmd_fit     },
};

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    if (argc < 2)
        return SCEN_EXIT_WRONG;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    }
    return SCEN_EXIT_WRONG;
}
