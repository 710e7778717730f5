/** Importers: what other software writes, as scenarios. */
#ifndef SCEN_IMPORT_H
#define SCEN_IMPORT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** What the command line asks for. Strings are borrowed; what is not given is NULL or 0. */
typedef struct ScenImportRequest {
    const char *const *files;     /* NULL-terminated, may be empty */
    const char *const *arguments; /* of a command line, NULL-terminated, may be NULL */
    const char *const *variables; /* "NAME=VALUE", NULL-terminated, may be NULL */
    const char *folder;           /* of the scenario to be; NULL: the current one */
    const char *node, *model, *base;
    int64_t gpus, tensor;
} ScenImportRequest;

/** What came of it. */
typedef struct ScenImport {
    GString *yaml;    /* a scenario, or sections of one */
    GPtrArray *notes; /* of char *: what matters and is not in it */
    bool is_whole;    /* a scenario that can be checked and run */
} ScenImport;

/** Fills @import from @request; false and @error ("file:line:column: ...") when the input is wrong.
 */
typedef bool (*ScenImportFunc)(const ScenImportRequest *request, ScenImport *import,
                               GError **error);

typedef struct ScenImporter {
    const char *name, *arguments, *help, *source;
    ScenImportFunc run;
} ScenImporter;

/** All importers, @count of them. */
const ScenImporter *scen_import_all(size_t *count);

/** The importer @name; NULL and @error, which names all, when there is none. */
const ScenImporter *scen_import_by_name(const char *name, GError **error);

ScenImport *scen_import_new(void);
void scen_import_free(ScenImport *import);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenImport, scen_import_free)

/** @path as a scenario in @folder (NULL: the current one) names it: by its file name alone where it
 *  lies there, in full elsewhere. The caller owns it. */
char *scen_import_path(const char *path, const char *folder);

bool scen_import_hugging_face(const ScenImportRequest *request, ScenImport *import, GError **error);
bool scen_import_megatron(const ScenImportRequest *request, ScenImport *import, GError **error);
bool scen_import_aiconfigurator(const ScenImportRequest *request, ScenImport *import,
                                GError **error);
bool scen_import_vidur(const ScenImportRequest *request, ScenImport *import, GError **error);
bool scen_import_llmservingsim(const ScenImportRequest *request, ScenImport *import,
                               GError **error);

#endif
