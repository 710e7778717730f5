/* Fuzzes the way from a shell script to a scenario of a Megatron-LM command line: shell, expansions,
 * flags, layouts. Whatever comes in, the answer is YAML that can be read, or an error with a
 * message; never a crash, a leak or a hang. */
#include "fuzz_folder.h"
#include "scen_doc.h"
#include "scen_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *folder = fuzz_folder_new();
    g_autofree char *path = fuzz_folder_put(folder, "train.sh", data, size);
    const char *files[] = {path, NULL}, *variables[] = {"SEED=7", "1=first", NULL};
    const ScenImportRequest request = {.files = files, .variables = variables, .gpus = 64};
    g_autoptr(ScenImport) import = scen_import_new();
    g_autoptr(GError) error = NULL;
    bool done = scen_import_megatron(&request, import, &error);
    g_assert(done == (error == NULL));
    g_assert(done || error->message[0] != '\0');
    if (done) {
        g_autoptr(ScenPool) pool = scen_pool_new();
        g_autoptr(ScenErrors) errors = scen_errors_new();
        const ScenNode *map = scen_doc_parse(pool, "imported", SCEN_ORIGIN_DOCUMENT,
                                             import->yaml->str, import->yaml->len, errors);
        g_assert(map && map->kind == SCEN_NODE_MAP && scen_errors_count(errors) == 0);
    }
    fuzz_folder_free(folder);
    return 0;
}
