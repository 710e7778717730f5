/** Shared by scen_shell.c and scen_shell_expand.c. */
#ifndef SCEN_SHELL_PRIVATE_H
#define SCEN_SHELL_PRIVATE_H

#include "scen_shell.h"

/** Bounds against scripts that grow: bytes of all expansions, expansions within expansions. */
enum { SCEN_SHELL_BYTES_MAX = 4 << 20, SCEN_SHELL_DEPTH_MAX = 32 };

/** Variables, and what expanding has cost. */
typedef struct ScenShellVars {
    GHashTable *lists;  /* name -> GArray of ScenShellWord; a scalar is a list of one */
    GHashTable *pinned; /* names that cannot be changed */
    GPtrArray *unset;   /* borrowed */
    int64_t bytes;
} ScenShellVars;

/** The end of the quoted, bracketed or plain piece that begins at @at: behind a closing quote,
 *  brace or parenthesis, or one character on. NULL when it does not end. */
const char *scen_shell_skip(const char *at);

/** Appends the words that @raw (as it is written, with its quotes) expands to. False when bounds
 *  are passed. */
bool scen_shell_expand(ScenShellVars *vars, const ScenShellWord *raw, GArray *words);

/** The one word that @raw is without splitting at blanks: what an assignment takes. NULL when bounds
 *  are passed. The caller owns it. */
char *scen_shell_expand_one(ScenShellVars *vars, const ScenShellWord *raw);

/** Whether a condition holds, where that can be told. */
typedef enum ScenShellTruth {
    SCEN_SHELL_NO,
    SCEN_SHELL_YES,
    SCEN_SHELL_UNKNOWN,
} ScenShellTruth;

ScenShellTruth scen_shell_not(ScenShellTruth truth);

/** The truth of the test whose words as written are @raw, the first of them [, [[ or test. Sets
 *  @failed when bounds are passed. */
ScenShellTruth scen_shell_test(ScenShellVars *vars, const GArray *raw, bool *failed);

#endif
