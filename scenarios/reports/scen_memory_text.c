/* Memory by pipeline stage, in GB of 10^9 bytes. */
#include "scen_run_report.h"

#include "scen_simulate.h"

static void add_row(GString *out, const GArray *memory, guint stage)
{
    const StratMemory *m = &g_array_index(memory, StratMemory, stage);
    g_string_append_printf(
        out, "  %5u %8.2f %9.2f %9.2f %11.2f %9.2f %8.2f %7.2f %8.2f %7.1f %%%s\n", stage,
        m->weights_bytes * 1e-9, m->gradients_bytes * 1e-9, m->optimizer_bytes * 1e-9,
        m->activations_bytes * 1e-9, m->workspace_bytes * 1e-9, m->reserved_bytes * 1e-9,
        m->peak_bytes * 1e-9, m->capacity_bytes * 1e-9, 100.0 * m->peak_bytes / m->capacity_bytes,
        m->peak_bytes > m->capacity_bytes ? "  <- does not fit" : "");
}

void scen_memory_text(GString *out, const GArray *memory)
{
    g_string_append(out, "Memory of a GPU by pipeline stage, GB\n"
                         "  stage  weights gradients optimizer activations workspace reserved"
                         "    peak capacity    used\n");
    guint worst = strat_memory_worst_stage(memory), last = memory->len - 1;
    for (guint i = 0; i < memory->len; i++) {
        if (memory->len <= 4 || i == 0 || i == worst || i == last)
            add_row(out, memory, i);
    }
}
