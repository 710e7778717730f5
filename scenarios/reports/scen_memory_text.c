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

static void add_store(GString *out, const char *where, guint stage, double bytes, double capacity)
{
    g_string_append_printf(out, "  of stage %u %s: %.2f GB of this GPU's share of %.2f%s\n", stage,
                           where, bytes * 1e-9, capacity * 1e-9,
                           bytes > capacity ? "  <- does not fit" : "");
}

/* What the stages keep outside their GPUs: of the one that has the most there. */
static void add_elsewhere(GString *out, const GArray *memory)
{
    guint host = 0, disk = 0;
    for (guint i = 1; i < memory->len; i++) {
        const StratMemory *m = &g_array_index(memory, StratMemory, i);
        host = m->host_bytes > g_array_index(memory, StratMemory, host).host_bytes ? i : host;
        disk = m->disk_bytes > g_array_index(memory, StratMemory, disk).disk_bytes ? i : disk;
    }
    const StratMemory *h = &g_array_index(memory, StratMemory, host);
    const StratMemory *d = &g_array_index(memory, StratMemory, disk);
    if (h->host_bytes > 0.0)
        add_store(out, "in host memory", host, h->host_bytes, h->host_capacity_bytes);
    if (d->disk_bytes > 0.0)
        add_store(out, "on disk", disk, d->disk_bytes, d->disk_capacity_bytes);
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
    add_elsewhere(out, memory);
}
