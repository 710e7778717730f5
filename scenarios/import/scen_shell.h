/** The commands of a shell script, as far as they can be told without running it. */
#ifndef SCEN_SHELL_H
#define SCEN_SHELL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** A word of a command, and where it was written (in the array that it came from). */
typedef struct ScenShellWord {
    char *text;
    int64_t line, column; /* from 1 */
} ScenShellWord;

/** What reading a script gave. */
typedef struct ScenShell {
    GPtrArray *commands; /* of GArray of ScenShellWord, in the order they would run */
    GPtrArray *notes;    /* of char *: "file:line: ..." of what was not followed */
    GPtrArray *unset;    /* of char *: variables that were used and never set, once each */
} ScenShell;

/** Follows @text (NUL-terminated), which messages call @name. @pinned ("NAME=VALUE", NULL-terminated,
 *  may be NULL) are variables that the script cannot change; "1=x" sets its first argument. NULL and
 *  @error ("name:line:column: ...") when its quotes or brackets do not match, or it expands beyond
 *  bounds. Free with scen_shell_free(). */
ScenShell *scen_shell_read(const char *name, const char *text, const char *const *pinned,
                           GError **error);
void scen_shell_free(ScenShell *shell);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenShell, scen_shell_free)

/** An empty list of words, which owns their texts. */
GArray *scen_shell_words_new(void);

/** Appends a copy of @text with the place of @at. */
void scen_shell_append(GArray *words, const ScenShellWord *at, const char *text);

#endif
