/* The table of importers.
 *
 * An importer reads what another software wrote and appends a scenario, or sections of one, to a
 * text. What it cannot say there, and what the other says that Orrery does not model, are notes:
 * they become comments of the scenario, so that nothing is lost unsaid. */
#include "scen_import.h"

#include "scen_errors.h"
#include "scen_names.h"

/* clang-format off */
static const ScenImporter importers[] = {
    {"hugging-face", "config.json", "a released model's configuration: its shapes",
     "transformers, configuration_<family>.py and modeling_<family>.py", scen_import_hugging_face},
    {"megatron", "SCRIPT.sh | -- ARGUMENTS", "a Megatron-LM command line: model, plan and GPUs",
     "NVIDIA/Megatron-LM, megatron/training/arguments.py", scen_import_megatron},
    {"aiconfigurator", "*_perf.txt", "kernel tables of its database: measured costs",
     "ai-dynamo/aiconfigurator, src/aiconfigurator/systems/data", scen_import_aiconfigurator},
    {"vidur", "attention.csv mlp.csv trace.csv ...", "profiles and traces of Vidur: measured costs, traffic",
     "microsoft/vidur, data/profiling and data/processed_traces", scen_import_vidur},
    {"llmservingsim", "PROFILE-FOLDER requests.jsonl ...", "profiles and workloads of LLMServingSim: layer times, traffic",
     "casys-kaist/LLMServingSim, profiler and workloads of 2026", scen_import_llmservingsim},
};
/* clang-format on */

const ScenImporter *scen_import_all(size_t *count)
{
    *count = G_N_ELEMENTS(importers);
    return importers;
}

const ScenImporter *scen_import_by_name(const char *name, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(importers); i++) {
        if (g_str_equal(importers[i].name, name))
            return &importers[i];
        g_ptr_array_add(known, (void *)importers[i].name);
    }
    g_autofree char *quoted = scen_quote(name);
    g_autofree char *advice = scen_names_advice(name, known);
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "unknown kind %s%s", quoted, advice);
    return NULL;
}

ScenImport *scen_import_new(void)
{
    ScenImport *import = g_new0(ScenImport, 1);
    import->yaml = g_string_new(NULL);
    import->notes = g_ptr_array_new_with_free_func(g_free);
    return import;
}

void scen_import_free(ScenImport *import)
{
    if (!import)
        return;
    g_string_free(import->yaml, TRUE);
    g_ptr_array_unref(import->notes);
    g_free(import);
}

char *scen_import_path(const char *path, const char *folder)
{
    g_autofree char *whole = g_canonicalize_filename(path, NULL);
    g_autofree char *beside = g_path_get_dirname(whole);
    g_autofree char *home = g_canonicalize_filename(folder ? folder : ".", NULL);
    return g_str_equal(beside, home) ? g_path_get_basename(whole) : g_steal_pointer(&whole);
}
