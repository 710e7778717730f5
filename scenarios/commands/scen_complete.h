/** What may stand at the end of an unfinished command line: answers for the shells. */
#ifndef SCEN_COMPLETE_H
#define SCEN_COMPLETE_H

#include "scen_options.h"

/** Prints what may stand in place of the last of @words, the words after the command's name, a line
 *  each: whole words, of which those that end in "=" or "." want to go on; or, alone, "@files
 *  SUFFIX..." (none: all files) or "@folders". @words ends with NULL and has one word or more. */
void scen_complete_command(const ScenUsage *usage, const GOptionEntry *entries, char *const *words);

/** The same for the name of a command, of @count @commands, that starts with @word. */
void scen_complete_name(const ScenCommand *commands, size_t count, const char *word);

#endif
