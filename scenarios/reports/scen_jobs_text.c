/* The table of jobs that ran together. */
#include "scen_run_report.h"
#include "scen_text.h"

void scen_jobs_text(GString *out, const StratJobs *jobs)
{
    g_string_append(out,
                    "\nJobs at the same time on the same network, steps repeated while all run\n"
                    "  job                            GPUs  step alone    together  slowdown\n");
    for (guint i = 0; i < jobs->jobs->len; i++) {
        const StratJobResult *job = &g_array_index(jobs->jobs, StratJobResult, i);
        g_autofree char *alone = scen_text_seconds(sim_time_to_seconds(job->alone_ns));
        g_autofree char *together = scen_text_seconds(job->together_ns * 1e-9);
        g_string_append_printf(out, "  %-28s %6" G_GINT64_FORMAT "  %10s  %10s  %8.3f\n", job->name,
                               job->gpus, alone, together,
                               job->together_ns / (double)job->alone_ns);
    }
}
