/* What every command does alike.
 *
 * GOption does the parsing, on a copy of the arguments taken as bytes, so that file names of any
 * encoding pass and no locale is needed: numbers are written and read with a point everywhere.
 *
 * A failure's status follows from its domain: scenarios, plans, networks and numbers out of range
 * are their author's to mend (2), a broken catalog or a program that contradicts itself is ours
 * (3), a plan that does not fit is an answer (1). */
#include "scen_options.h"

#include "scen_complete.h"
#include "scen_errors.h"
#include "scen_hands.h"
#include "scen_manual.h"
#include "sim_error.h"
#include "strat_schedule.h"
#include "topo_net.h"

#include <stdio.h>

static GOptionContext *context_new(const ScenUsage *usage, const GOptionEntry *entries,
                                   const GOptionEntry *help)
{
    g_autofree char *program = g_strdup_printf("orrery %s", usage->command);
    g_set_prgname(program);
    GOptionContext *context = g_option_context_new(usage->arguments);
    g_option_context_set_summary(context, usage->summary);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, help, NULL);
    return context;
}

/* What the manual and the shells ask of every command, by an argument that no help mentions. */
static bool describe(const ScenUsage *usage, const GOptionEntry *entries, char **argv)
{
    bool manual = argv[0] && g_strcmp0(argv[1], SCEN_DESCRIBE_MANUAL) == 0;
    bool answer = argv[0] && g_strcmp0(argv[1], SCEN_DESCRIBE_ANSWER) == 0 && argv[2];
    if (manual)
        scen_manual_command(usage, entries);
    else if (answer)
        scen_complete_command(usage, entries, argv + 2);
    return manual || answer;
}

bool scen_options_parse(const ScenUsage *usage, const GOptionEntry *entries, char **argv,
                        ScenExit *status)
{
    gboolean asked = FALSE;
    const GOptionEntry help[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &asked, "This text", NULL},
        {0    },
    };
    if (describe(usage, entries, argv)) {
        *status = SCEN_EXIT_OK;
        return false;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = context_new(usage, entries, help);
    g_auto(GStrv) copy = g_strdupv(argv);
    if (!g_option_context_parse_strv(context, &copy, &error)) {
        *status = scen_options_wrong(usage, "%s", error->message);
        return false;
    }
    if (asked) {
        g_autofree char *text = g_option_context_get_help(context, TRUE, NULL);
        g_autoptr(GString) help_text = g_string_new(text);
        g_string_replace(help_text, "\u2026", "...", 0);
        if (!scen_hands_is_worker())
            fputs(help_text->str, stdout);
        *status = SCEN_EXIT_OK;
    }
    return !asked;
}

ScenExit scen_options_wrong(const ScenUsage *usage, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (!scen_hands_is_worker())
        fprintf(stderr, "orrery %s: %s\nSee 'orrery %s --help'.\n", usage->command, message,
                usage->command);
    return SCEN_EXIT_WRONG;
}

ScenExit scen_exit_of(const GError *error)
{
    if (g_error_matches(error, STRAT_ERROR, STRAT_ERROR_NO_FIT))
        return SCEN_EXIT_NO;
    if (g_error_matches(error, SCEN_ERROR, SCEN_ERROR_DATA))
        return SCEN_EXIT_FAULT;
    if (error->domain == SIM_ERROR)
        return error->code == SIM_ERROR_PROGRAM || error->code == SIM_ERROR_DEADLOCK
                   ? SCEN_EXIT_FAULT
                   : SCEN_EXIT_WRONG;
    return SCEN_EXIT_WRONG;
}

ScenExit scen_fail(const GError *error)
{
    size_t length = strlen(error->message);
    bool ended = length > 0 && error->message[length - 1] == '\n';
    if (!scen_hands_is_worker())
        fprintf(stderr, "%s%s", error->message, ended ? "" : "\n");
    return scen_exit_of(error);
}

const char *scen_version(void)
{
    return ORRERY_VERSION;
}
