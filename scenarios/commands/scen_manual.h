/** The manual page orrery(1), and what the help shares with it. */
#ifndef SCEN_MANUAL_H
#define SCEN_MANUAL_H

#include "scen_options.h"

#define SCEN_EXIT_COUNT ((size_t)SCEN_EXIT_FAULT + 1)

/** What Orrery is. */
extern const char scen_manual_intro[];

/** What each exit status says. */
extern const char *const scen_manual_exits[SCEN_EXIT_COUNT];

/** Prints the page (roff, macros of man) about @count @commands. */
void scen_manual_print(const ScenCommand *commands, size_t count);

/** Prints the part of the page about one command. */
void scen_manual_command(const ScenUsage *usage, const GOptionEntry *entries);

#endif
