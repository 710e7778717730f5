/* Names and definitions of published figures of failures. Reports call different things by one
 * name, so each has one definition here, and it is printed wherever the figure is. */
#include "scen_figure.h"

typedef struct Row {
    const char *key;
    bool is_time;
    ScenFigureOf of;
    const char *definition;
} Row;

/* clang-format off */
static const Row rows[] = {
    [SCEN_FIGURE_INTERRUPTIONS] = {"interruptions", false, SCEN_OF_CLASSES,
        "unplanned stops in the campaign, mean over its histories"},
    [SCEN_FIGURE_PLANNED] = {"planned_interruptions", false, SCEN_OF_NOTHING,
        "planned stops in the campaign"},
    [SCEN_FIGURE_PER_NODE] = {"per_1000_node_days", false, SCEN_OF_CLASSES,
        "unplanned stops over the nodes' days, downtime counted"},
    [SCEN_FIGURE_PER_GPU] = {"per_million_gpu_hours", false, SCEN_OF_CLASSES,
        "unplanned stops over the GPUs' hours, downtime counted"},
    [SCEN_FIGURE_GPU_DAYS] = {"gpu_days", false, SCEN_OF_CLASSES,
        "GPU-days to an unplanned stop, downtime counted"},
    [SCEN_FIGURE_SHARE] = {"share", false, SCEN_OF_CLASSES,
        "stops of these classes of faults over all unplanned ones"},
    [SCEN_FIGURE_MTTF] = {"mttf", true, SCEN_OF_NOTHING,
        "running time over the unplanned stops that hit a running job"},
    [SCEN_FIGURE_ETTR] = {"ettr", false, SCEN_OF_NOTHING, "productive time over all time"},
    [SCEN_FIGURE_UPTIME] = {"uptime", false, SCEN_OF_NOTHING,
        "time in which steps run or are saved, rework counted, over all time"},
    [SCEN_FIGURE_GOODPUT] = {"goodput", false, SCEN_OF_NOTHING,
        "productive GPU time over that of GPUs and spares"},
    [SCEN_FIGURE_LOST] = {"lost", false, SCEN_OF_BUCKET,
        "share of the time in a bucket of the ledger, or in all but the productive one"},
    [SCEN_FIGURE_STRETCH] = {"stretch", false, SCEN_OF_NOTHING,
        "all time over productive time: how much longer than without failures"},
    [SCEN_FIGURE_BEYOND_EXACT] = {"beyond_exact", false, SCEN_OF_NOTHING,
        "ETTR less that of Daly's exact formula with the same means of failures and recoveries"},
    [SCEN_FIGURE_LOST_TIME] = {"lost_time", true, SCEN_OF_BUCKET,
        "time in a bucket of the ledger, or in all but the productive one, an unplanned stop"},
    [SCEN_FIGURE_RECOVERY] = {"recovery", true, SCEN_OF_NOTHING,
        "detection, waiting and restart, an unplanned stop"},
    [SCEN_FIGURE_LOST_GPU_HOURS] = {"lost_gpu_hours", false, SCEN_OF_NOTHING,
        "GPU-hours, spares counted, that were not productive"},
    [SCEN_FIGURE_LOST_USD] = {"lost_usd", false, SCEN_OF_NOTHING,
        "dollars of rework and recovery, an unplanned stop"},
    [SCEN_FIGURE_INTERVAL] = {"checkpoint_interval", true, SCEN_OF_NOTHING,
        "training between two checkpoints"},
    [SCEN_FIGURE_SAVING] = {"saving", false, SCEN_OF_NOTHING,
        "share of the time during which a checkpoint is being written"},
    [SCEN_FIGURE_SAVE] = {"save_time", true, SCEN_OF_NOTHING,
        "from a checkpoint's start until it is safe in storage"},
    [SCEN_FIGURE_MEMORY_CHANCE] = {"memory_chance", false, SCEN_OF_NUMBER,
        "chance that the state survives in peers' memory the loss of so many nodes"},
    [SCEN_FIGURE_STEP] = {"step_time", true, SCEN_OF_NOTHING, "one training step"},
    [SCEN_FIGURE_STALL] = {"stall", true, SCEN_OF_NOTHING,
        "gap between two tokens around an outage of serving, mean over the requests that it hits"},
    [SCEN_FIGURE_REPLAYED] = {"replayed_step", true, SCEN_OF_NOTHING,
        "mean step of the trace, replayed as it was"},
    [SCEN_FIGURE_WITHOUT_GAPS] = {"step_without_gaps", true, SCEN_OF_NOTHING,
        "mean step of the trace, without the gaps between operations"},
    [SCEN_FIGURE_STRAGGLER_FREE] = {"straggler_free_step", true, SCEN_OF_NOTHING,
        "the same with every operation ideal"},
    [SCEN_FIGURE_SLOWDOWN] = {"straggler_slowdown", false, SCEN_OF_NOTHING,
        "the step without gaps over the straggler-free one"},
};
/* clang-format on */
_Static_assert(sizeof rows / sizeof rows[0] == SCEN_FIGURE_COUNT, "a row for each figure");

const char *scen_figure_key(ScenFigureKind kind)
{
    return rows[kind].key;
}

const char *scen_figure_definition(ScenFigureKind kind)
{
    return rows[kind].definition;
}

bool scen_figure_is_time(const ScenFigure *figure)
{
    return rows[figure->kind].is_time && !figure->over;
}

ScenFigureOf scen_figure_of(ScenFigureKind kind)
{
    return rows[kind].of;
}

const char *scen_basis_name(ScenBasis basis)
{
    static const char *const names[] = {
        [SCEN_BASIS_PREDICTED] = "predicted",
        [SCEN_BASIS_ASSUMED] = "assumed",
        [SCEN_BASIS_INPUT] = "input",
    };
    return names[basis];
}
