/** What every command does alike: reading options, answering --help, failing. */
#ifndef SCEN_OPTIONS_H
#define SCEN_OPTIONS_H

#include "scen_cmd.h"

#include <glib.h>
#include <stdbool.h>

/** A command as its --help introduces it. */
typedef struct ScenUsage {
    const char *command;   /* "run" */
    const char *arguments; /* "SCENARIO.yaml" */
    const char *summary;   /* what it does, a sentence or a few lines */
} ScenUsage;

/** Hidden first arguments of every command, which then runs nothing: it prints its part of the
 *  manual, or what may stand at the end of the words that follow. */
#define SCEN_DESCRIBE_MANUAL "--describe=manual"
#define SCEN_DESCRIBE_ANSWER "--describe=answer"

/** Fills the variables of @entries (ended by a zero row) from @argv, which is left alone. False
 *  when the command is over, with @status: OK after --help, WRONG after a complaint. */
bool scen_options_parse(const ScenUsage *usage, const GOptionEntry *entries, char **argv,
                        ScenExit *status);

/** Complains about the command line on stderr, "orrery run: ...", and points at --help. */
ScenExit scen_options_wrong(const ScenUsage *usage, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Prints @error on stderr, each of its lines as it is; returns the status that it deserves. */
ScenExit scen_fail(const GError *error);

/** The status that @error deserves. */
ScenExit scen_exit_of(const GError *error);

/** Version of the program. */
const char *scen_version(void);

#endif
