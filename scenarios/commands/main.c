/* The program: finds the command and hands it the rest of the line.
 *
 * The table is all there is to know about commands: the help, `help CMD`, the nearest name of an
 * unknown one. No locale is set, so numbers have a decimal point wherever the program runs. */
#include "scen_cmd.h"
#include "scen_hands.h"
#include "scen_manual.h"
#include "scen_names.h"
#include "scen_options.h"

#include <stdio.h>

static const ScenCommand *all_commands(size_t *count);

static ScenExit completion(int argc, char **argv)
{
    size_t count = 0;
    const ScenCommand *all = all_commands(&count);
    return scen_cmd_completion(all, count, argc, argv);
}

static ScenExit man(int argc, char **argv)
{
    size_t count = 0;
    const ScenCommand *all = all_commands(&count);
    return scen_cmd_man(all, count, argc, argv);
}

/* clang-format off */
static const ScenCommand commands[] = {
    {"run", "SCENARIO.yaml",
     "simulate: how fast, does it fit, where the time goes, what would help", scen_cmd_run},
    {"compare", "A.yaml B.yaml",
     "scenarios side by side: figures, where GPU-seconds go, what differs", scen_cmd_compare},
    {"search", "SCENARIO.yaml",
     "the cheapest deployment that serves the traffic within its objectives", scen_cmd_search},
    {"sweep", "SCENARIO.yaml",
     "all points of a grid or a list, into a database; goes on where it was", scen_cmd_sweep},
    {"check", "SCENARIO...",
     "report every fault of scenarios, without running them", scen_cmd_check},
    {"validate", "[DIR]",
     "hold predictions against published figures, row by row", scen_cmd_validate},
    {"list", "[KIND]",
     "what the catalogs know, each row with its source", scen_cmd_list},
    {"new", "[--model NAME]",
     "a commented scenario to start from", scen_cmd_new},
    {"explain", "[FIGURE]",
     "how a figure is defined, what a key takes", scen_cmd_explain},
    {"schema", "[KIND]",
     "JSON Schema of a scenario, for editors", scen_cmd_schema},
    {"draw", "SCENARIO.yaml",
     "the scenario's network as a drawing", scen_cmd_draw},
    {"collective", "--node NODE",
     "times and bandwidths of a collective over sizes, as nccl-tests", scen_cmd_collective},
    {"replay", "TRACE.csv",
     "a real job's operation trace again, with its stragglers mended", scen_cmd_replay},
    {"spares", "--units N ...",
     "how many spares keep a job's nodes or a pool's replicas whole", scen_cmd_spares},
    {"import", "KIND FILE...",
     "what other software writes (orrery list importers), as a scenario", scen_cmd_import},
    {"fit", "CSV...",
     "turn kernel measurements into coefficients with their error", scen_cmd_fit},
    {"calibrate", "[--out FILE]",
     "measure this CPU and write it as a device", scen_cmd_calibrate},
    {"completion", "bash|zsh",
     "the script that completes command lines of this program", completion},
    {"man", "",
     "the manual page, for man -l", man},
};
/* clang-format on */

static const ScenCommand *all_commands(size_t *count)
{
    *count = G_N_ELEMENTS(commands);
    return commands;
}

static const ScenCommand *command_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(commands[i].name, name))
            return &commands[i];
    }
    return NULL;
}

/* Whether all processes of mpirun do @command together; else the first does it alone. */
static bool is_shared(const ScenCommand *command)
{
    return command && (command->run == scen_cmd_run || command->run == scen_cmd_search ||
                       command->run == scen_cmd_sweep);
}

static ScenExit print_help(void)
{
    puts(scen_manual_intro);
    puts("\n"
         "  orrery run scenarios/quickstart.yaml\n"
         "  orrery run scenarios/quickstart.yaml --set plan.tensor=4 --json\n"
         "\n"
         "Commands:");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s %-14s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
    puts("\n"
         "'orrery help COMMAND' has the options of a command; --version prints the version.\n"
         "\n"
         "Exit status:");
    for (size_t i = 0; i < SCEN_EXIT_COUNT; i++)
        printf("  %zu  %s\n", i, scen_manual_exits[i]);
    return SCEN_EXIT_OK;
}

static ScenExit unknown(const char *name)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        g_ptr_array_add(known, (void *)commands[i].name);
    g_autofree char *advice = scen_names_advice(name, known);
    fprintf(stderr, "orrery: unknown command '%s'%s\n", name, advice);
    return SCEN_EXIT_WRONG;
}

static ScenExit help(int argc, char **argv)
{
    const ScenCommand *command = argc > 2 ? command_by_name(argv[2]) : NULL;
    if (argc > 2 && !command)
        return unknown(argv[2]);
    char option[] = "--help";
    char *asked[] = {argc > 2 ? argv[2] : NULL, option, NULL};
    return command ? command->run(2, asked) : print_help();
}

static ScenExit dispatch(int argc, char **argv)
{
    if (scen_hands_is_worker() && !is_shared(argc > 1 ? command_by_name(argv[1]) : NULL))
        return SCEN_EXIT_OK;
    if (argc < 2) {
        print_help();
        return SCEN_EXIT_WRONG;
    }
    if (g_str_equal(argv[1], "--version")) {
        printf("orrery %s\n", scen_version());
        return SCEN_EXIT_OK;
    }
    if (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h") ||
        g_str_equal(argv[1], "help"))
        return help(argc, argv);
    const ScenCommand *command = command_by_name(argv[1]);
    return command ? command->run(argc - 1, argv + 1) : unknown(argv[1]);
}

int main(int argc, char **argv)
{
    ScenExit status = dispatch(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return (int)status;
    fputs("orrery: the output could not be written\n", stderr);
    return SCEN_EXIT_FAULT;
}
