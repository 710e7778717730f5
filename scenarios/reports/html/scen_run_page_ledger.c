/* Where the time of a step goes, and what its stages hold: the ledger (sim_ledger.c) in all and by
 * rank class, and memory by stage and over the step. Where there are many classes, as many as fit on
 * a screen are shown, evenly from the first to the last.
 */
#include "scen_run_page.h"

#include "sim_ledger.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* Bars of a figure that a reader still takes in. */
enum { MOST_BARS = 32 };

typedef struct Account {
    StratBucket bucket;
    int64_t ns;
} Account;

static int compare_accounts(const void *left, const void *right)
{
    const Account *a = left, *b = right;
    if (a->ns != b->ns)
        return a->ns > b->ns ? -1 : 1;
    return (int)a->bucket - (int)b->bucket;
}

static void add_accounts(ScenPage *page, const StratTrainResult *result)
{
    Account accounts[STRAT_BUCKET_COUNT];
    double total_ns = (double)result->step_ns * (double)result->gpus;
    g_autofree char *about =
        g_strdup_printf("Every GPU-second of the step belongs to one account: %" G_GINT64_FORMAT
                        " GPUs x step = %.1f GPU-s.",
                        result->gpus, total_ns * 1e-9);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, "accounts", "Where the GPU-seconds go", about);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Account", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share of the step", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Time", "GPU-s");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_GROUP, "Kind", NULL);
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        accounts[b] = (Account){(StratBucket)b, result->ledger_ns[b]};
    qsort(accounts, STRAT_BUCKET_COUNT, sizeof *accounts, compare_accounts);
    for (size_t i = 0; i < G_N_ELEMENTS(accounts) && accounts[i].ns > 0; i++) {
        scen_page_cell_text(figure, strat_bucket_title(accounts[i].bucket));
        scen_page_cell(figure, (double)accounts[i].ns / total_ns);
        scen_page_cell(figure, (double)accounts[i].ns * 1e-9);
        scen_page_cell_text(figure, accounts[i].bucket < STRAT_BUCKET_RECOMPUTE
                                        ? "the model's arithmetic"
                                        : "what it costs beside");
    }
}

static void add_class_row(ScenPageFigure *figure, const char *name, const int64_t *ns,
                          const int64_t *used, double total_ns)
{
    scen_page_cell_text(figure, name);
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++) {
        if (used[b] > 0)
            scen_page_cell(figure, (double)ns[b] / total_ns);
    }
}

static void add_classes(ScenPage *page, const StratTrainResult *result)
{
    const SimProgram *program = result->step->program;
    g_autoptr(SimLedger) ledger = sim_ledger_new(program, result->run, NULL);
    uint32_t classes = sim_program_class_count(program), shown = MIN(classes, MOST_BARS);
    if (!ledger || ledger->makespan == 0 || classes < 2)
        return;
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_STACKED, "ledger", "The same by stage",
        "The time of one GPU of each rank class over the step; a class stands for all GPUs that "
        "behave alike.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Rank class", NULL);
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++) {
        if (ledger->total_ns[b] > 0)
            scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y,
                             strat_bucket_title((StratBucket)b), NULL);
    }
    add_class_row(figure, "all GPUs", ledger->total_ns, ledger->total_ns,
                  (double)ledger->makespan * (double)ledger->gpus);
    for (uint32_t i = 0; i < shown; i++) {
        uint32_t class = shown > 1 ? (uint32_t)((uint64_t)i * (classes - 1) / (shown - 1)) : 0;
        g_autofree char *name =
            g_strdup_printf("%s (x%" G_GINT64_FORMAT ")", sim_program_class_name(program, class),
                            sim_program_class_multiplicity(program, class));
        add_class_row(figure, name, ledger->class_ns + (size_t) class * ledger->bucket_count,
                      ledger->total_ns, (double)ledger->makespan);
    }
    g_autofree char *remark = g_strdup_printf("%u of %u rank classes are shown, evenly from the "
                                              "first to the last.",
                                              shown, classes);
    if (shown < classes)
        scen_page_remark(figure, remark);
}

void scen_run_page_ledger(ScenPage *page, const StratTrainResult *result)
{
    add_accounts(page, result);
    add_classes(page, result);
}

/* Parts of the memory of a stage, from the bottom up. */
static const struct {
    const char *title;
    size_t offset;
} parts[] = {
    {"weights",             offsetof(StratMemory, weights_bytes)    },
    {"gradients",           offsetof(StratMemory, gradients_bytes)  },
    {"optimizer",           offsetof(StratMemory, optimizer_bytes)  },
    {"reserved",            offsetof(StratMemory, reserved_bytes)   },
    {"workspace",           offsetof(StratMemory, workspace_bytes)  },
    {"activations at peak", offsetof(StratMemory, activations_bytes)},
};

static double part_of(const StratMemory *memory, size_t part)
{
    return *(const double *)((const char *)memory + parts[part].offset);
}

static void add_stages(ScenPage *page, const GArray *memory)
{
    guint shown = MIN(memory->len, MOST_BARS);
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_STACKED, "memory", "Memory of a GPU by pipeline stage",
                         "What a GPU of each stage holds at its peak, against its capacity.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Stage", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_Y, parts[i].title, NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_ASIDE, "Peak", NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_ASIDE, "Capacity", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "Used", NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_ASIDE, "On the host", NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_ASIDE, "On disk", NULL);
    for (guint i = 0; i < shown; i++) {
        guint stage = shown > 1 ? i * (memory->len - 1) / (shown - 1) : 0;
        const StratMemory *m = &g_array_index(memory, StratMemory, stage);
        g_autofree char *name = g_strdup_printf("stage %u", stage);
        scen_page_cell_text(figure, name);
        for (size_t p = 0; p < G_N_ELEMENTS(parts); p++)
            scen_page_cell(figure, part_of(m, p));
        scen_page_cell(figure, m->peak_bytes);
        scen_page_cell(figure, m->capacity_bytes);
        scen_page_cell(figure, m->peak_bytes / m->capacity_bytes);
        scen_page_cell(figure, m->host_bytes);
        scen_page_cell(figure, m->disk_bytes);
    }
    const StratMemory *worst =
        &g_array_index(memory, StratMemory, strat_memory_worst_stage(memory));
    scen_page_guide(figure, "capacity", worst->capacity_bytes, NAN, worst->capacity_bytes, NAN);
    if (shown < memory->len)
        scen_page_remark(figure, "Stages are shown evenly from the first to the last.");
}

/* What the fullest stage holds: its states all the time, the rest as tasks come and go. */
static void add_moments(ScenPage *page, const StratTrainResult *result)
{
    guint stage = strat_memory_worst_stage(result->memory);
    const StratMemory *m = &g_array_index(result->memory, StratMemory, stage);
    g_autoptr(GArray) moments = scen_memory_moments(result);
    g_autofree char *about = g_strdup_printf(
        "What a GPU of stage %u, the fullest, holds from moment to moment of the step.", stage);
    if (strat_memory_peak_moment(result->moments)->activations_bytes <= 0.0)
        return;
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_AREAS, "memory-over-time", "Memory over the step", about);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Time", NULL);
    for (size_t i = 0; i + 1 < G_N_ELEMENTS(parts); i++)
        scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_Y, parts[i].title, NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_Y, "activations", NULL);
    for (guint i = 0; i < moments->len; i++) {
        const StratMoment *now = &g_array_index(moments, StratMoment, i);
        scen_page_cell(figure, (double)now->at_ns * 1e-9);
        scen_page_cell(figure, m->weights_bytes);
        scen_page_cell(figure, m->gradients_bytes);
        scen_page_cell(figure, m->optimizer_bytes);
        scen_page_cell(figure, m->reserved_bytes);
        scen_page_cell(figure, now->workspace_bytes);
        scen_page_cell(figure, now->activations_bytes);
    }
    scen_page_guide(figure, "capacity", NAN, m->capacity_bytes, NAN, m->capacity_bytes);
    if (moments->len < result->moments->len)
        scen_page_remark(figure, "The fullest moment of each of 256 equal spans is shown.");
}

void scen_run_page_memory(ScenPage *page, const StratTrainResult *result)
{
    add_stages(page, result->memory);
    add_moments(page, result);
}
