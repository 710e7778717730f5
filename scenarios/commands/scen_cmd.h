/** The commands of the program: each reads its own options and returns the exit status. */
#ifndef SCEN_CMD_H
#define SCEN_CMD_H

#include <stddef.h>

/** Exit statuses, the same for every command. */
typedef enum ScenExit {
    SCEN_EXIT_OK = 0,
    SCEN_EXIT_NO = 1,    /* the simulation says no: the plan does not fit */
    SCEN_EXIT_WRONG = 2, /* the scenario, or the command line, is wrong */
    SCEN_EXIT_FAULT = 3, /* Orrery's own fault */
} ScenExit;

/** @argv[0] is the command's own name. They print to stdout and stderr. */
typedef ScenExit (*ScenCommandFunc)(int argc, char **argv);

/** A row of the program's table of commands. */
typedef struct ScenCommand {
    const char *name;
    const char *arguments;
    const char *help;
    ScenCommandFunc run;
} ScenCommand;

ScenExit scen_cmd_run(int argc, char **argv);
ScenExit scen_cmd_compare(int argc, char **argv);
ScenExit scen_cmd_search(int argc, char **argv);
ScenExit scen_cmd_sweep(int argc, char **argv);
ScenExit scen_cmd_check(int argc, char **argv);
ScenExit scen_cmd_validate(int argc, char **argv);
ScenExit scen_cmd_list(int argc, char **argv);
ScenExit scen_cmd_new(int argc, char **argv);
ScenExit scen_cmd_explain(int argc, char **argv);
ScenExit scen_cmd_schema(int argc, char **argv);
ScenExit scen_cmd_draw(int argc, char **argv);
ScenExit scen_cmd_fit(int argc, char **argv);
ScenExit scen_cmd_import(int argc, char **argv);
ScenExit scen_cmd_collective(int argc, char **argv);
ScenExit scen_cmd_replay(int argc, char **argv);
ScenExit scen_cmd_spares(int argc, char **argv);
ScenExit scen_cmd_calibrate(int argc, char **argv);

/** Those that tell of all @count @commands. */
ScenExit scen_cmd_completion(const ScenCommand *commands, size_t count, int argc, char **argv);
ScenExit scen_cmd_man(const ScenCommand *commands, size_t count, int argc, char **argv);

#endif
