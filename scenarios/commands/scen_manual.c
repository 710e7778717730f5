/* The manual page, from the help.
 *
 * Roff in the macros of man(7): a section a chapter of the page, under COMMANDS a subsection each.
 * Commands print theirs from the usage and the option entries that --help prints, so the page says
 * what the program does. The date is left out: the page is a product of the build, and builds of the
 * same source are alike. */
#include "scen_manual.h"

#include <stdio.h>
#include <string.h>

const char scen_manual_intro[] =
    "Orrery simulates clusters that train large language models. A YAML scenario names a\n"
    "model, a cluster and a plan; Orrery answers, in milliseconds and the same way every\n"
    "time: how long is a step, does it fit in memory, where does every GPU-second go, and\n"
    "which knob would help.";

const char *const scen_manual_exits[SCEN_EXIT_COUNT] = {
    [SCEN_EXIT_OK] = "done",
    [SCEN_EXIT_NO] = "the simulation says no: the plan does not fit in memory",
    [SCEN_EXIT_WRONG] =
        "the scenario or the command line is wrong; stderr says where and what is accepted",
    [SCEN_EXIT_FAULT] = "a fault of Orrery's own",
};

typedef struct Row {
    const char *name, *help;
} Row;

static const Row environment[] = {
    {"ORRERY_DATA_DIR",
     "Folder that holds the catalogs, in place of the one that Orrery was built with."},
};

static const Row files[] = {
    {"models/catalog/*.yaml",     "Models, below the data folder."                                  },
    {"topology/catalog/*.yaml",   "GPUs, nodes, clusters and what collectives reach on their wires."},
    {"kernels/profiles/*.yaml",   "What operations cost on a GPU, fitted to measurements."          },
    {"strategies/catalog/*.yaml", "Plans, serving engines, prices, faults and storage systems."     },
    {"scenarios/quickstart.yaml", "The scenario to start with; its folder has many to copy from."   },
};

static const Row examples[] = {
    {"orrery run scenarios/quickstart.yaml",                            "Simulate a scenario."                    },
    {"orrery run scenarios/quickstart.yaml --set plan.tensor=4 --json",
     "The same with a change, as JSON."                                                                           },
    {"orrery compare scenarios/quickstart.yaml my.yaml",                "What differs, and by how much."          },
    {"orrery check my.yaml",                                            "All faults of a scenario at once."       },
    {"orrery list models",                                              "What can be named, each with its source."},
};

/* Prints @text with what roff would take for its own escaped, on lines that no macro starts. */
static void print_text(const char *text)
{
    bool starts = true;
    for (const char *at = text; *at; at++) {
        if (starts && (*at == '.' || *at == '\''))
            fputs("\\&", stdout);
        if (*at == '\\')
            fputs("\\e", stdout);
        else if (*at == '-')
            fputs("\\-", stdout);
        else
            putchar(*at);
        starts = *at == '\n';
    }
    putchar('\n');
}

static void print_bold(const char *text)
{
    fputs("\\fB", stdout);
    for (; *text; text++)
        fputs(*text == '-' ? "\\-" : (char[]){*text, '\0'}, stdout);
    fputs("\\fR", stdout);
}

static void print_rows(const char *section, const Row *rows, size_t count)
{
    printf(".SH %s\n", section);
    for (size_t i = 0; i < count; i++) {
        fputs(".TP\n", stdout);
        print_bold(rows[i].name);
        putchar('\n');
        print_text(rows[i].help);
    }
}

static void print_option(const GOptionEntry *entry)
{
    fputs(".TP\n", stdout);
    if (entry->short_name) {
        const char name[] = {'-', entry->short_name, '\0'};
        print_bold(name);
        fputs(", ", stdout);
    }
    g_autofree char *name = g_strconcat("--", entry->long_name, NULL);
    print_bold(name);
    if (entry->arg_description)
        printf(" \\fI%s\\fR", entry->arg_description);
    putchar('\n');
    print_text(entry->description);
}

void scen_manual_command(const ScenUsage *usage, const GOptionEntry *entries)
{
    printf(".SS orrery %s %s\n", usage->command, usage->arguments);
    print_text(usage->summary);
    for (; entries->long_name; entries++)
        if (entries->long_name[0] && !(entries->flags & G_OPTION_FLAG_HIDDEN))
            print_option(entries);
}

void scen_manual_print(const ScenCommand *commands, size_t count)
{
    printf(".TH ORRERY 1 \"\" \"orrery %s\" \"User Commands\"\n", scen_version());
    puts(".nh\n.ad l\n.SH NAME\norrery \\- simulate clusters that train and serve large language "
         "models\n"
         ".SH SYNOPSIS\n.B orrery\n.I COMMAND\n.RI [ OPTION ...]\n.RI [ ARGUMENT ...]\n"
         ".SH DESCRIPTION");
    print_text(scen_manual_intro);
    puts(".PP\nThe same questions are asked of clusters that serve, and of months under failures.\n"
         ".SH COMMANDS\nEvery command takes\n.B \\-\\-help\nas well.");
    for (size_t i = 0; i < count; i++) {
        char option[] = SCEN_DESCRIBE_MANUAL;
        g_autofree char *name = g_strdup(commands[i].name);
        char *asked[] = {name, option, NULL};
        commands[i].run(2, asked);
    }
    puts(".SH EXIT STATUS");
    for (size_t i = 0; i < SCEN_EXIT_COUNT; i++) {
        printf(".TP\n.B %zu\n", i);
        print_text(scen_manual_exits[i]);
    }
    print_rows("ENVIRONMENT", environment, G_N_ELEMENTS(environment));
    print_rows("FILES", files, G_N_ELEMENTS(files));
    print_rows("EXAMPLES", examples, G_N_ELEMENTS(examples));
}
