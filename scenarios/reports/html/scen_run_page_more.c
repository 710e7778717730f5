/* Parts of the page of a training step that only some scenarios have. */
#include "scen_run_page.h"

#include "scen_knobs.h"

#include <math.h>

static void add_knobs(ScenPage *page, const GArray *knobs)
{
    if (!knobs)
        return;
    scen_page_section(page, "What would help",
                      knobs->len == 0 ? "No single knob of the plan helps." : NULL);
    if (knobs->len == 0)
        return;
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "knobs", "Knobs that would shorten the step",
                         "Each is simulated alone; the setting is what --set takes.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Knob", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Step saved", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Step time", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "Memory used", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Setting", NULL);
    for (guint i = 0; i < knobs->len; i++) {
        const ScenKnobGain *gain = &g_array_index(knobs, ScenKnobGain, i);
        scen_page_cell_text(figure, gain->text);
        scen_page_cell(figure, gain->gain_fraction);
        scen_page_cell(figure, gain->step_s);
        scen_page_cell(figure, gain->memory_fraction);
        scen_page_cell_text(figure, gain->setting);
    }
}

static void add_waits(ScenPage *page, const ScenRunReport *report)
{
    if (!report->healthy)
        return;
    scen_page_section(page, "Faults", NULL);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "waits", "Who waits",
                         "What one GPU of each role waits in a step, with the faults and without.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Role", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "with the faults", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "without", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "GPUs", NULL);
    for (int i = 0; i < STRAT_WAIT_ROLES; i++) {
        const StratWait *wait = &report->waits[i];
        if (wait->ranks == 0)
            continue;
        scen_page_cell_text(figure, strat_wait_role_title((StratWaitRole)i));
        scen_page_cell(figure, wait->wait_s);
        scen_page_cell(figure, wait->healthy_wait_s);
        scen_page_cell(figure, (double)wait->ranks);
    }
}

void scen_links_page(ScenPage *page, const char *id, const char *title, const GArray *links)
{
    if (!links || links->len == 0)
        return;
    ScenPageFigure *figure = scen_page_figure(page, SCEN_PAGE_BARS, id, title,
                                              "Time that transfers were held back by a link and "
                                              "not by their own rate, summed over them.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Link", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "Held back", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Alike", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Rate of one", "GB/s");
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "Used", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Who waited longest", NULL);
    for (guint i = 0; i < MIN(links->len, 16); i++) {
        const TopoHotLink *link = &g_array_index(links, TopoHotLink, i);
        scen_page_cell_text(figure, link->name);
        scen_page_cell(figure, link->waited_s);
        scen_page_cell(figure, (double)link->alike);
        scen_page_cell(figure, link->bytes_per_s / 1e9);
        scen_page_cell(figure, link->carried_fraction);
        scen_page_cell_text(figure, link->waiter_count > 0 ? link->waiters[0].name : NULL);
    }
}

static void add_jobs(ScenPage *page, const StratJobs *jobs)
{
    if (!jobs)
        return;
    scen_page_section(page, "Jobs together",
                      "Jobs at the same time on the same network, steps repeated while all run.");
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "jobs", "Step time alone and together", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Job", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "alone", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_Y, "together", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Slowdown", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "GPUs", NULL);
    for (guint i = 0; i < jobs->jobs->len; i++) {
        const StratJobResult *job = &g_array_index(jobs->jobs, StratJobResult, i);
        scen_page_cell_text(figure, job->name);
        scen_page_cell(figure, sim_time_to_seconds(job->alone_ns));
        scen_page_cell(figure, job->together_ns * 1e-9);
        scen_page_cell(figure, job->together_ns / (double)job->alone_ns);
        scen_page_cell(figure, (double)job->gpus);
    }
    scen_links_page(page, "jobs-links", "Links that held transfers of all jobs back",
                    jobs->hot_links);
}

static void add_target(ScenPage *page, const ScenRunReport *report)
{
    const ScenTrainingRun *run = report->training_run;
    if (!run)
        return;
    const StratTarget *target = &report->scenario->training_run;
    g_autofree char *about = g_strdup_printf(
        "To what a small batch reaches with %.4g tokens; the critical batch is %.4g tokens (%s).",
        target->tokens, run->critical_tokens, target->law);
    scen_page_section(page, "To the target", about);
    ScenPageFigure *figure = scen_page_figure(page, SCEN_PAGE_LINES, "batches",
                                              "Days to the target by the size of the batch", NULL);
    scen_page_axes(figure, SCEN_PAGE_LOG_X);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_X, "Sequences of a batch", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_Y, "Time", "days");
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Tokens", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_ASIDE, "Steps", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "GPU-hours", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Cost", "$");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "The plan's own", NULL);
    for (guint i = 0; i < run->rows->len; i++) {
        const ScenBatchRow *row = &g_array_index(run->rows, ScenBatchRow, i);
        scen_page_cell(figure, (double)row->sequences);
        scen_page_cell(figure, row->days);
        scen_page_cell(figure, row->tokens);
        scen_page_cell(figure, row->steps);
        scen_page_cell(figure, row->gpu_hours);
        scen_page_cell(figure, run->usd_per_gpu_hour > 0.0 ? row->usd : NAN);
        scen_page_cell_text(figure, row->is_own ? "yes" : "");
    }
}

void scen_run_page_more(ScenPage *page, const ScenRunReport *report)
{
    scen_links_page(page, "links", "Links that held transfers back the longest",
                    report->result->hot_links);
    add_waits(page, report);
    add_jobs(page, report->jobs);
    add_target(page, report);
    add_knobs(page, report->knobs);
}
