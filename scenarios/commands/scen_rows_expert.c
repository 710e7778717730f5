/* What a measured row says of its experts.
 *
 * Its dispatcher and its CUDA graphs stand in the notes, taken from the recipes of the release; the
 * rest follows from the release: scripts/performance/configs of Megatron-Bridge at its tags. */
#include "scen_rows_expert.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

/* A remark: of another type, it says nothing. */
static const char *notes_of(ScenRowWriter *w)
{
    g_autofree char *ignored = NULL;
    return scen_row_text(w->row, "notes", "", &ignored);
}

/* Rows name their dispatcher in the notes; a recipe of one CUDA graph for the whole step needs one
 * that does not ask the host, HybridEP. */
static void put_dispatcher(ScenRowWriter *w, bool whole_graph)
{
    const char *notes = notes_of(w);
    bool hybrid = strstr(notes, "dispatcher hybridep") || whole_graph;
    if (hybrid || strstr(notes, "dispatcher deepep"))
        scen_row_put(w, "  expert_kernels: %s\n", hybrid ? "hybridep" : "deepep");
    else if (!strstr(notes, "alltoall"))
        scen_row_assume(w, "an all-to-all of the library to experts");
}

/* A capacity fixes the shapes, so that the recipes of 25.09 held the step in one graph. */
void scen_rows_put_experts(ScenRowWriter *w, const char *preset)
{
    scen_row_put(w, "  expert: " I64 "\n", scen_row_integer(w->row, "ep", 1, &w->fault));
    put_dispatcher(w, g_str_equal(preset, "megatron-bridge-2026"));
    if (strstr(notes_of(w), "token-drop"))
        scen_row_put(w,
                     "  expert_capacity: 1\n"
                     "  expert_software: {host_layer: 0 s, host_expert: 0 s, host_overlap: 0 s}\n");
}

/* Recipes of Megatron-Bridge interleave to run the exchange with experts beside another microbatch,
 * which needs virtual stages: up to 26.02 on nodes of 8 (those of 26.04 took both back), from 26.06
 * on in larger domains. */
bool scen_rows_exchange_beside(ScenRowWriter *w, const char *preset)
{
    bool small = scen_row_integer(w->setup, "scale_up_gpus", 8, &w->fault) == 8;
    const char *wanted = small ? "megatron-bridge-2025" : "megatron-bridge-2026";
    return g_str_equal(preset, wanted) && scen_row_integer(w->model, "experts", 0, &w->fault) > 0 &&
           w->chunks > 1 && !strstr(notes_of(w), "token-drop");
}
